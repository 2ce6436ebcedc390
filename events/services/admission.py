"""Who is let in: what the organiser decides, and what is decided once an enterprise is verified."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.models import Enterprise, User
from events.models import Event, Registration, Tier
from events.services import seating, waiting_list

Status = Registration.Status


@transaction.atomic
def approve(*, registration: Registration, by: User) -> Registration:
    """Let a submitted one in: its seats at once when its turn has come, else its place in the queue."""
    tiers, row = seating.locked(registration)
    seating.check_decider(row, by)
    if row.status in (Status.CONFIRMED, Status.OFFERED, Status.WAITLISTED):
        return row
    _check_submitted(row)
    if not row.enterprise.is_verified:
        raise DomainError(
            _("The enterprise is not verified yet. Verify it first; then it can be let in."),
            code="registration.not_verified",
        )
    _join_queue(row, tiers)
    moved = waiting_list.move_up(event=row.event, tiers=tiers, applied=row, by=by)
    if row.pk not in moved:
        seating.record(registration=row, by=by)
    return seating.fresh(row)


@transaction.atomic
def decline(*, registration: Registration, reason: str, by: User) -> Registration:
    _tiers, row = seating.locked(registration)
    seating.check_decider(row, by)
    if row.status == Status.DECLINED:
        return row
    _check_submitted(row)
    row.status, row.decline_reason = Status.DECLINED, seating.checked_reason(reason)
    row.save(update_fields=["status", "decline_reason", "updated_at"])
    seating.record(registration=row, by=by)
    return row


@transaction.atomic
def confirm_waiting_submissions(enterprise: Enterprise) -> int:
    """The enterprise has been verified: what it applied for is decided now, in the order of its application."""
    if not enterprise.is_verified:
        return 0
    waiting = Registration.objects.filter(
        enterprise=enterprise,
        status=Status.SUBMITTED,
        event__status=Event.Status.PUBLISHED,
        event__admission=Event.Admission.AUTOMATIC,
        event__ends_at__gt=timezone.now(),
    ).select_related("event")
    count = 0
    for found in waiting.order_by("event", "pk"):
        tiers = list(found.event.tiers.locked())
        row = seating.fresh(found)
        if row.status != Status.SUBMITTED:
            continue
        _join_queue(row, tiers)
        if row.pk not in waiting_list.move_up(event=row.event, tiers=tiers, applied=row, by=None):
            seating.record(registration=row, by=None)
        count += 1
    return count


def _check_submitted(registration: Registration) -> None:
    if registration.status != Status.SUBMITTED:
        raise DomainError(
            _("This registration has been decided already."), code="registration.decided"
        )
    seating.check_running(registration)


def _join_queue(row: Registration, tiers: list[Tier]) -> None:
    """At the place of the application, in the tier of what the enterprise holds today."""
    row.status, row.tier = Status.WAITLISTED, seating.tier_of(row.enterprise, tiers)
    row.save(update_fields=["status", "tier", "updated_at"])
