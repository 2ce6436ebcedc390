"""Who comes without a badge, by what the event allows at its doors."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, User
from events import permissions
from events.models import Delegate, Event, Registration, Tier
from events.services import seating

Status = Registration.Status


@transaction.atomic
def find_seat(*, event: Event, enterprise: Enterprise, by: User) -> Registration:
    """A confirmed place of the enterprise with a seat nobody is named for, by what the event allows at its doors."""
    _check_staff(by, event)
    if event.walk_ins == Event.WalkIns.NOBODY:
        raise DomainError(
            _("This event lets nobody in without a badge."), code="registration.no_walk_ins"
        )
    tiers = list(event.tiers.locked())
    row = event.registrations.filter(enterprise=enterprise).select_related("enterprise").first()
    if row is not None and row.status == Status.CONFIRMED and _unnamed(row):
        return row
    if row is not None and row.status == Status.OFFERED:
        return _seat_at_the_door(row, None, by)
    if event.walk_ins != Event.WalkIns.FREE_SEATS:
        raise DomainError(
            _("This enterprise has no confirmed seat that nobody is named for."),
            code="registration.no_seat_unnamed",
        )
    general = next((tier for tier in tiers if tier.is_general and tier.free), None)
    if general is None or not enterprise.is_verified:
        raise DomainError(
            _("No general seat is free, or the enterprise is not verified."),
            code="registration.no_free_seat",
        )
    row = row or Registration(event=event, enterprise=enterprise, seats_asked=1)
    return _seat_at_the_door(row, general, by)


def _seat_at_the_door(row: Registration, general: Tier | None, by: User) -> Registration:
    """What is offered is taken by coming; one general seat more for whoever has none left, or has none at all."""
    if general is not None:
        if row.seats_held and row.tier_id != general.pk:
            raise DomainError(
                _("All seats of this enterprise are taken; they are of a reserved tier."),
                code="registration.no_seat_unnamed",
            )
        general.take(1)
        row.tier, row.seats_held = general, row.seats_held + 1
        row.seats_asked = row.seats_held
    row.status = Status.CONFIRMED
    row.offer_expires_at = row.offer_reminds_at = row.blocks_since = None
    row.save()
    seating.record(registration=row, by=by, seats=row.seats_held)
    return row


@transaction.atomic
def name_person(
    *, registration: Registration, name: str, by: User, job_title: str = ""
) -> Delegate:
    """The desk names a person for a seat nobody is named for."""
    row = Registration.objects.locked().get(pk=registration.pk)
    _check_staff(by, row.event)
    if row.status != Status.CONFIRMED:
        raise DomainError(
            _("This enterprise has no confirmed seat at the event."),
            code="registration.not_confirmed",
        )
    if not name.strip():
        raise DomainError(_("Enter the person’s name."), code="registration.without_name")
    if not _unnamed(row):
        raise DomainError(
            _("Every seat of this enterprise has a person already."),
            code="registration.no_seat_unnamed",
        )
    person = Delegate.objects.create(
        registration=row,
        event_id=row.event_id,
        name=name.strip()[:80],
        job_title=job_title.strip()[:80],
    )
    audit.record(by, "registration.named", row, added=1, replaced=0)
    changes.record("registration", row, "named")
    return person


def _unnamed(registration: Registration) -> int:
    named = registration.delegates.filter(status=Delegate.Status.ACTIVE).count()
    return registration.seats_held - named


def _check_staff(by: User, event: Event) -> None:
    if not permissions.can_check_in(by, event):
        raise DomainError(
            _("Only staff of this event name persons at the door."), code="registration.forbidden"
        )
