from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import Notification, User
from events import letters as wording
from events import permissions
from events.models import Event, LetterTemplate
from events.services import events


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


@transaction.atomic
def save_template(
    *,
    event: Event,
    kind: str,
    subject_zh: str,
    subject_en: str,
    body_zh: str,
    body_en: str,
    by: User,
) -> LetterTemplate:
    """The event's own words for one kind of letter, from now on."""
    event = events.managed(event, by, Event.Status.DRAFT, Event.Status.PUBLISHED)
    words = [subject_zh.strip(), subject_en.strip(), body_zh.strip(), body_en.strip()]
    if not all(words):
        raise DomainError(
            _("Write subject and text in Chinese and in English, or keep the standard text."),
            code="letter.incomplete",
        )
    wording.check(*words)
    fields = dict(zip(wording.TEXTS, words, strict=True))
    row, _created = LetterTemplate.objects.update_or_create(
        event=event, kind=LetterTemplate.Kind(kind), defaults=fields
    )
    audit.record(by, "letter.saved", row, event=event.public_id, kind=kind)
    changes.record("event", event, "changed")
    return row


@transaction.atomic
def drop_template(*, event: Event, kind: str, by: User) -> None:
    """Back to the standard text."""
    event = events.managed(event, by, Event.Status.DRAFT, Event.Status.PUBLISHED)
    row = event.letter_templates.filter(kind=kind).first()
    if row is None:
        return
    audit.record(by, "letter.dropped", row, event=event.public_id, kind=kind)
    changes.record("event", event, "changed")
    row.delete()


@transaction.atomic
def send_test(*, event: Event, kind: str, by: User) -> None:
    """The letter as it would go out now, to the one who asks."""
    event = events.managed(event, by, *Event.Status)
    notifications.post(by, "letter_test", event=event.public_id, letter=LetterTemplate.Kind(kind))
    audit.record(by, "letter.tested", event, kind=kind)
    changes.record("event", event, "letter_tested")
