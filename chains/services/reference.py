from __future__ import annotations

from django.db import models, transaction

from chains import audit, changes
from chains.models import User


@transaction.atomic
def saved(*, row: models.Model, by: User, is_new: bool) -> None:
    """An administrator has added or changed a row of the shipped register: on the trail and in the feed,

    so that runs from now on read it anew.
    """
    noun = row._meta.model_name or ""
    verb = "added" if is_new else "changed"
    audit.record(by, f"{noun}.{verb}", row, code=str(getattr(row, "code", "")))
    changes.record(noun, row, verb)
