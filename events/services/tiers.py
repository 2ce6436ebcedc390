"""Seats of single tiers: set one by one; what is reserved becomes general at its moment."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.errors import DomainError
from chains.models import User
from events.models import Event, Tier
from events.services import events, waiting_list


@transaction.atomic
def set_seats(*, event: Event, seats: Mapping[str, int], by: User) -> list[Tier]:
    """So many seats for the tiers named by public id; all else about them and the other tiers stays as it is."""
    event = events.managed(event, by, Event.Status.DRAFT, Event.Status.PUBLISHED)
    rows = list(event.tiers.locked())
    if unknown := sorted(set(seats) - {tier.public_id for tier in rows}):
        raise DomainError(
            _("This event has no tier %(tiers)s.") % {"tiers": ", ".join(unknown)},
            code="tier.unknown",
        )
    wanted = [
        {name: getattr(tier, name) for name in _KEPT}
        | {"seats": seats.get(tier.public_id, tier.seats)}
        for tier in sorted(rows, key=lambda tier: (tier.order, tier.pk))
    ]
    return events.set_tiers(event=event, tiers=wanted, by=by)


_KEPT = (
    "public_id", "name_zh", "name_en", "is_general", "qualifications", "participant_kinds", "reserved_until",
)  # fmt: skip


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
