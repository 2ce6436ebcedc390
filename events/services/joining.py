"""Two registrations of one body for an event to come become one, when their enterprises are merged."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from chains import audit, changes
from chains.models import User
from events.models import Delegate, Registration
from events.services import seating, waiting_list

Status = Registration.Status


@dataclass(frozen=True, slots=True)
class Joined:
    """What the one kept has now, and what of the other it could not take."""

    seats: int
    persons: int
    seats_back: int
    persons_left: int


@transaction.atomic
def join(*, kept: Registration, other: Registration, by: User | None = None) -> Joined:
    """Inside a merge, which has checked the right. Seats of the same tier add up to what one enterprise may have; all
    others go back and to the next in line. Persons of the other come along as far as seats are left."""
    tiers = list(kept.event.tiers.locked())
    kept, other = seating.fresh(kept), seating.fresh(other)
    taken = _take_seats(kept, other)
    persons, left = _take_persons(kept, other)
    back = other.seats_held
    audit.record(by, "registration.joined", kept, other=other.public_id, seats=taken, names=persons)
    changes.record("registration", kept, "joined")
    seating.end(registration=other, tiers=tiers, by=by)
    waiting_list.move_up(event=kept.event, tiers=tiers, by=None)
    return Joined(kept.seats_held or kept.seats_asked, persons, back, left)


def _take_seats(kept: Registration, other: Registration) -> int:
    """They change hands inside their tier: nobody in between can get them, and none is counted twice."""
    both_confirmed = kept.status == other.status == Status.CONFIRMED
    if not both_confirmed or kept.tier_id != other.tier_id:
        return 0
    room = max(0, kept.event.delegates_per_enterprise - kept.seats_held)
    taken = min(room, other.seats_held)
    other.seats_held -= taken
    kept.seats_held += taken
    kept.seats_asked = max(kept.seats_asked, kept.seats_held)
    kept.save(update_fields=["seats_held", "seats_asked", "updated_at"])
    return taken


def _take_persons(kept: Registration, other: Registration) -> tuple[int, int]:
    """Named for both, a person comes once."""
    named = set(kept.delegates.filter(status=Delegate.Status.ACTIVE).values_list("name", flat=True))
    free = (kept.seats_held or kept.seats_asked) - len(named)
    theirs = other.delegates.filter(status=Delegate.Status.ACTIVE)
    more = [pk for pk, name in theirs.order_by("pk").values_list("pk", "name") if name not in named]
    come = more[: max(0, free)]
    now = timezone.now()
    theirs.exclude(pk__in=come).update(status=Delegate.Status.REPLACED, updated_at=now)
    other.delegates.filter(pk__in=come).update(registration=kept, updated_at=now)
    return len(come), len(more) - len(come)
