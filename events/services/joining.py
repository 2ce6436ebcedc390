"""Two registrations of one body for an event become one, when their enterprises are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from chains import audit, changes
from chains.models import User
from events.models import Delegate, Registration, Tier
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
def join(
    *,
    kept: Registration,
    other: Registration,
    doors_are_open: bool = False,
    by: User | None = None,
) -> Joined:
    """Inside a merge, which has checked the right. Seats of the same tier add up to what one enterprise may have; all
    others go back and to the next in line. Persons of the other come along as far as seats are left.

    Once the doors are open nobody who is in, or on the way with a badge, is sent away: all seats come along.
    """
    tiers = list(kept.event.tiers.locked())
    kept, other = seating.fresh(kept), seating.fresh(other)
    if doors_are_open and kept.status == other.status == Status.CONFIRMED:
        taken = _take_all_seats(kept, other, tiers)
        persons, left = _take_all_persons(kept, other), 0
    else:
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


def _take_all_seats(kept: Registration, other: Registration, tiers: Sequence[Tier]) -> int:
    """Whatever one enterprise may have. Those of another tier change over: the event has as many as before."""
    taken = other.seats_held
    for row, seats in ((other, -taken), (kept, taken)):
        tier = seating.tier_held(row, tiers)
        tier.seats, tier.taken = tier.seats + seats, tier.taken + seats
        tier.save(update_fields=["seats", "taken", "updated_at"])
    other.seats_held = 0
    kept.seats_held += taken
    kept.seats_asked += taken
    kept.save(update_fields=["seats_held", "seats_asked", "updated_at"])
    return taken


def _take_all_persons(kept: Registration, other: Registration) -> int:
    """With their badges and what the doors have scanned. Of one name on both, the badge that was shown stays."""
    now = timezone.now()
    # A door that reads one of the badges just now is waited for: what it let in is in.
    both = Delegate.objects.filter(registration__in=(kept, other)).order_by("pk")
    list(both.select_for_update(no_key=True))
    theirs = other.delegates.filter(status=Delegate.Status.ACTIVE)
    ours = {one.name: one for one in kept.delegates.filter(status=Delegate.Status.ACTIVE)}
    come = 0
    for person in theirs.order_by("pk"):
        twin = ours.get(person.name)
        unused = next((one for one in (person, twin) if one and not one.check_ins.exists()), None)
        if twin and unused:
            unused.status = Delegate.Status.REPLACED
            unused.save(update_fields=["status", "updated_at"])
        come += person is not unused or not twin
    other.delegates.update(registration=kept, updated_at=now)
    return come


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
