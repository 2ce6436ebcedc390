"""What an organiser writes to all guests at once, or to some of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes
from chains.errors import DomainError
from chains.models import User
from events import letters as wording
from events.models import Announcement, Event, Registration, Tier
from events.services import events

Audience = Announcement.Audience
_NOT_AGAIN_WITHIN = datetime.timedelta(minutes=10)
_STATES = {
    Audience.CONFIRMED: (Registration.Status.CONFIRMED,),
    Audience.UNNAMED: (Registration.Status.CONFIRMED,),
    Audience.WAITING: (Registration.Status.WAITLISTED, Registration.Status.OFFERED),
}


class Reach(NamedTuple):
    registrations: int
    persons: int


def recipients(
    event: Event, audience: str, tier: Tier | None = None
) -> Iterator[tuple[User, Registration]]:
    """Each person once, with the first of the registrations they answer for."""
    rows = _registrations(event, audience, tier)
    editors = User.objects.editors_by_enterprise(row.enterprise_id for row in rows)
    told: set[int] = set()
    for row in rows:
        for user in editors.get(row.enterprise_id, ()):
            if user.pk not in told:
                told.add(user.pk)
                yield user, row


def reach(event: Event, audience: str, tier: Tier | None = None) -> Reach:
    """How many registrations and persons a message would go to now."""
    persons = sum(1 for _one in recipients(event, audience, tier))
    return Reach(len(_registrations(event, audience, tier)), persons)


def _registrations(event: Event, audience: str, tier: Tier | None) -> list[Registration]:
    rows = event.registrations.exclude(status__in=Registration.ENDED)
    if states := _STATES.get(Audience(audience)):
        rows = rows.filter(status__in=states)
    if audience == Audience.TIER:
        rows = rows.filter(tier=tier)
    if audience == Audience.UNNAMED:
        rows = rows.with_unnamed_seats()
    return list(rows.order_by("pk"))


@transaction.atomic
def announce(
    *,
    event: Event,
    audience: str,
    by: User,
    expected: int,
    tier: Tier | None = None,
    subject_zh: str = "",
    subject_en: str = "",
    body_zh: str = "",
    body_en: str = "",
) -> Announcement:
    """Write to guests. `expected` persons were shown to whoever sends it; if there are others now, look again.

    The letters themselves are written from the feed: thousands take longer than a page may.
    """
    event = events.managed(event, by, Event.Status.PUBLISHED, Event.Status.HELD)
    texts = [text.strip() for text in (subject_zh, subject_en, body_zh, body_en)]
    if not (texts[0] or texts[1]) or not (texts[2] or texts[3]):
        raise DomainError(
            _("Write a subject and a text, in one language at least."),
            code="announcement.empty",
        )
    wording.check(*texts)
    reached = reach(event, audience, tier)
    if not reached.persons:
        raise DomainError(_("Nobody would get this message."), code="announcement.to_nobody")
    if reached.persons != expected:
        raise DomainError(
            ngettext(
                "It would now go to %(count)d person. Look again, then send it.",
                "It would now go to %(count)d persons. Look again, then send it.",
                reached.persons,
            )
            % {"count": reached.persons},
            code="announcement.other_count",
        )
    content = {
        "audience": audience,
        "tier": tier if audience == Audience.TIER else None,
        **dict(zip(wording.TEXTS, texts, strict=True)),
    }
    # The event's row is locked: of two clicks the second finds the first.
    lately = event.announcements.filter(created_at__gt=timezone.now() - _NOT_AGAIN_WITHIN)
    if lately.filter(**content).exists():
        raise DomainError(
            _("This very message was sent a moment ago, to the same guests."),
            code="announcement.sent_already",
        )
    row = Announcement.objects.create(
        event=event,
        **content,
        registrations=reached.registrations,
        persons=reached.persons,
    )
    audit.record(by, "announcement.sent", row, event=event.public_id, **reached._asdict())
    changes.record("announcement", row, "sent")
    return row
