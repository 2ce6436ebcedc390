"""Reserved seats become general at their moment."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from chains import audit, changes, sweeping
from chains.models import User
from events.models import Event, Tier
from events.services import waiting_list


@transaction.atomic
def release_seats(*, tier: Tier, by: User | None = None) -> int:
    """Past its moment: what is free in a reserved tier becomes general, then the queue moves up."""
    tiers = list(tier.event.tiers.locked())
    row = next(one for one in tiers if one.pk == tier.pk)
    now = timezone.now()
    if row.released_at is not None or row.reserved_until is None or row.reserved_until > now:
        return 0
    seats = row.free
    row.released_at = now
    row.save(update_fields=["released_at", "updated_at"])
    audit.record(by, "tier.released", row, seats=seats)
    changes.record("event", tier.event, "released")
    waiting_list.move_up(event=tier.event, tiers=tiers, by=None)
    return seats


def release_due_tiers() -> int:
    """All reserved tiers whose moment has come; one transaction each, so that one fault stops no other."""
    due = Tier.objects.filter(
        released_at=None,
        reserved_until__lte=timezone.now(),
        event__status=Event.Status.PUBLISHED,
    ).select_related("event")
    return sweeping.each(due, lambda tier: release_seats(tier=tier))
