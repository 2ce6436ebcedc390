"""Seats that come free stand for whom they are offered to until the offer lapses."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.errors import DomainError
from chains.models import User
from events.models import Delegate, Event, Registration
from events.services import seating, waiting_list

Status = Registration.Status


@transaction.atomic
def accept(*, registration: Registration, by: User) -> Registration:
    """Take the seats that are offered, before the offer lapses."""
    _tiers, row = seating.locked(registration)
    seating.check_owner(row, by)
    if row.status == Status.CONFIRMED:
        return row
    seating.check_running(row)
    if row.offer_expires_at is None:
        raise DomainError(
            _("No seat is offered now. Your place in the queue stands on the page of the event."),
            code="registration.not_offered",
        )
    if row.offer_expires_at <= timezone.now():
        raise DomainError(
            _(
                "The offer has lapsed, and the seats go to the next in line. You can register again."
            ),
            code="registration.offer_lapsed",
        )
    row.status = Status.CONFIRMED
    row.offer_expires_at = row.offer_reminds_at = None
    row.save(update_fields=["status", "offer_expires_at", "offer_reminds_at", "updated_at"])
    row.surplus_delegates().update(status=Delegate.Status.REPLACED)
    seating.record(registration=row, by=by, seats=row.seats_held)
    return row


def lapse_due_offers() -> int:
    """End the offers nobody has answered in time; their seats go to the next in line. One transaction an event."""
    due = Registration.objects.offered().filter(offer_expires_at__lte=timezone.now())
    events = Event.objects.filter(pk__in=due.values("event")).order_by("pk")
    return sweeping.each(events, _lapse)


@transaction.atomic
def _lapse(event: Event) -> int:
    tiers = list(event.tiers.locked())
    # Asked again under the lock: an answer may have come meanwhile.
    rows = list(
        event.registrations.offered().filter(offer_expires_at__lte=timezone.now()).order_by("pk")
    )
    for row in rows:
        seating.end(registration=row, tiers=tiers, by=None, status=Status.LAPSED)
    if rows:
        waiting_list.move_up(event=event, tiers=tiers, by=None)
    return len(rows)


def remind_due() -> int:
    """Once, whoever has not answered an offer yet."""
    now = timezone.now()
    due = Registration.objects.offered().filter(offer_reminds_at__lte=now, offer_expires_at__gt=now)
    return sweeping.each(due.order_by("pk"), _remind)


@transaction.atomic
def _remind(row: Registration) -> int:
    # Conditional: two beats at once remind once, and an answer that came meanwhile is not asked for.
    asked = Registration.objects.offered().filter(
        pk=row.pk, offer_reminds_at=row.offer_reminds_at, offer_expires_at=row.offer_expires_at
    )
    done = asked.update(offer_reminds_at=None, updated_at=timezone.now())
    if done:
        audit.record(None, "registration.reminded", row)
        changes.record("registration", row, "reminded")
    return done
