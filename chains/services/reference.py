from __future__ import annotations

from django.db import models, transaction

from chains import audit, changes
from chains.models import User


@transaction.atomic
def saved(*, row: models.Model, by: User, is_new: bool) -> None:
    """An administrator has added or changed a row of the shipped register: on the trail and in the feed,

    so that runs from now on read it anew.
    """
    _record(row, "added" if is_new else "changed", by)


@transaction.atomic
def removed(*, row: models.Model, by: User) -> None:
    """An administrator takes a row away that nothing else stands on; told before it is gone."""
    _record(row, "removed", by)


def _record(row: models.Model, verb: str, by: User) -> None:
    noun = row._meta.model_name or ""
    audit.record(by, f"{noun}.{verb}", row, code=str(getattr(row, "code", "")))
    changes.record(noun, row, verb)
