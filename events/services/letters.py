from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import Notification, User
from events import permissions
from events.models import Event


@transaction.atomic
def send_again(*, event: Event, by: User, letters: Sequence[str] | None = None) -> int:
    """Letters about the event that failed for good go out once more: those named by public id, or all of them."""
    if not permissions.can_manage(by, event):
        raise DomainError(
            _("Only organisers of this event can send its letters."), code="event.forbidden"
        )
    failed = Notification.objects.about(event=event.public_id).filter(
        channel=Notification.Channel.EMAIL, status=Notification.Status.FAILED
    )
    if letters is not None:
        failed = failed.filter(public_id__in=letters)
    now = timezone.now()
    count = failed.update(
        status=Notification.Status.UNSENT, attempts=0, error="", due_at=now, updated_at=now
    )
    if count:
        audit.record(by, "event.letters_resent", event, letters=count)
        changes.record("event", event, "letters_resent")
        ring("chains.tasks.deliver_notifications")
    return count
