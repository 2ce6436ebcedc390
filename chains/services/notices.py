"""What a person has been told in the application."""

from __future__ import annotations

from django.utils import timezone

from chains.models import Notification, User


def mark_read(*, by: User) -> int:
    """One's own, all of them. That somebody has read is nobody else's business: it stands on no trail."""
    return Notification.objects.in_app(by).filter(read_at=None).update(read_at=timezone.now())
