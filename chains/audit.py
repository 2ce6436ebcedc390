from __future__ import annotations

import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from chains.models import AuditEntry, User


def label(row: models.Model) -> str:
    """How the trail names a row: app.Model:public_id."""
    name = getattr(row, "public_id", None) or row.pk
    return f"{row._meta.app_label}.{row._meta.object_name}:{name}"


def is_fresh(action: str, target: models.Model, within: datetime.timedelta) -> bool:
    """It was said of the row just now: whoever presses a button again and again adds nothing to the trail."""
    since = timezone.now() - within
    return AuditEntry.objects.filter(target=label(target), action=action, at__gte=since).exists()


def record(by: User | None, action: str, target: models.Model, **data: Any) -> AuditEntry:
    """Write one line of the trail, inside the caller's transaction. No personal data in `data`."""
    return AuditEntry.objects.create(
        actor=by.pk if by is not None else None, action=action, target=label(target), data=data
    )
