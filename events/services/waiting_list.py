"""The waiting list: places by the published rule, and who moves up."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.errors import DomainError
from chains.models import Enterprise, User
from events.models import Delegate, Draw, Event, Registration, Tier
from events.models.registration import QUEUE_ORDER
from events.services import seating

Status = Registration.Status

# ---- reading ----


def ranks(event: Event, registrations: Iterable[Registration]) -> dict[int, int]:
    """Places in the queue by the published rule, computed now, for those of `registrations` that wait."""
    return _ranks(event.waiting_rule, [event.pk], registrations)


def ranks_of(registrations: Iterable[Registration]) -> dict[int, int]:
    """The same at several events: one query for each rule among them."""
    by_rule: dict[str, list[Registration]] = {}
    for row in registrations:
        by_rule.setdefault(row.event.waiting_rule, []).append(row)
    found: dict[int, int] = {}
    for rule, rows in by_rule.items():
        found |= _ranks(rule, sorted({row.event_id for row in rows}), rows)
    return found


def _ranks(
    rule: str, events: Sequence[int], registrations: Iterable[Registration]
) -> dict[int, int]:
    wanted = [row.pk for row in registrations if row.status == Status.WAITLISTED]
    if wanted and rule == Event.WaitingRule.SEEDED_DRAW:
        # Before the draw there are no places.
        events = list(Draw.objects.filter(event__in=events).values_list("event", flat=True))
    if not wanted or not events:
        return {}
    place = Window(RowNumber(), partition_by=F("event"), order_by=list(QUEUE_ORDER[rule]))
    queue = (
        Registration.objects.filter(event__in=events)
        .waiting()
        .annotate(rank=place)
        .values_list("pk", "rank")
    )
    # The window must see the whole queue; a filter on the outside keeps only the rows asked for.
    sql, params = queue.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({sql}) AS queue (id, rank) WHERE id = ANY(%s)",  # noqa: S608 -- our own query
            [*params, wanted],
        )
        return dict(cursor.fetchall())


def rank(registration: Registration) -> int | None:
    """The place in the queue; None for one that does not wait."""
    return ranks(registration.event, [registration]).get(registration.pk)


@transaction.atomic
def move(*, registration: Registration, priority: int, reason: str, by: User) -> Registration:
    """Change the place in the queue by hand: above 0 before the rule, below 0 after it, 0 back to the rule."""
    tiers, row = seating.locked(registration)
    seating.check_decider(row, by)
    if row.status != Status.WAITLISTED:
        raise DomainError(
            _("Only a registration on the waiting list can be moved."),
            code="registration.not_waiting",
        )
    if not -99 <= priority <= 99:
        raise DomainError(
            _("Choose a priority from -99 to 99."),
            code="registration.priority_out_of_range",
            field="priority",
        )
    before, reason = rank(row), seating.checked_reason(reason)
    row.priority, row.priority_reason = priority, reason
    row.save(update_fields=["priority", "priority_reason", "updated_at"])
    # What somebody wrote may name a person: it stays on the row, where it can be changed, never in the trail.
    audit.record(by, "registration.moved", row, priority=priority, before=before, after=rank(row))
    changes.record("registration", row, "moved")
    move_up(event=row.event, tiers=tiers, by=None)
    return seating.fresh(row)


def promote(event: Event) -> int:
    """Move up whoever is next in line and fits; how many did. By the system, whenever seats came free."""
    with transaction.atomic():
        return len(move_up(event=event, tiers=list(event.tiers.locked()), by=None))


def promote_where_seats_are_free() -> int:
    """What no verb has moved up: behind a head that has held up its tier long enough, and after any mishap."""
    waiting = Registration.objects.taking_seats()
    events = Event.objects.filter(
        pk__in=waiting.values("event"),
        status=Event.Status.PUBLISHED,
        tiers__in=Tier.objects.filter(seats__gt=F("taken")),
    )
    return sweeping.each(events.distinct().order_by("pk"), promote)


def promote_around(enterprise: Enterprise) -> int:
    """The enterprise was suspended, and nobody waits behind it any more, or it is back and its turn may have come."""
    events = Event.objects.filter(
        pk__in=Registration.objects.waiting().filter(enterprise=enterprise).values("event")
    )
    return sum(promote(event) for event in events.order_by("pk"))


def move_up(
    *, event: Event, tiers: list[Tier], by: User | None, applied: Registration | None = None
) -> set[int]:
    """Move up all whose turn has come: seats are offered to those who wait, and given to the one just let in.

    `by` goes into the trail only for the latter.
    """
    general = next((tier for tier in tiers if tier.is_general), None)
    if general is None or event.status != Event.Status.PUBLISHED or event.awaits_draw:
        return set()
    _drain_released(tiers, general)
    if not any(tier.free for tier in tiers):
        event.registrations.exclude(blocks_since=None).update(blocks_since=None)
        return set()
    now = timezone.now()
    queue = [
        _Waiting(*row)
        for row in event.registrations.taking_seats()
        .in_queue_order(event.waiting_rule)
        .values_list("pk", "tier_id", "seats_asked", "accepts_partial", "blocks_since")
    ]
    found = _allocation(
        {tier.pk: tier.free for tier in tiers},
        general.pk,
        queue,
        now - datetime.timedelta(hours=event.offer_hours),
    )
    rows = Registration.objects.in_bulk([move.registration for move in found.moves])
    by_id = {tier.pk: tier for tier in tiers}
    until = _offer_ends(event, now)
    for move in found.moves:
        row = rows[move.registration]
        is_let_in = applied is not None and row.pk == applied.pk
        by_id[move.tier].take(move.seats)
        row.status = Status.CONFIRMED if is_let_in else Status.OFFERED
        row.offer_expires_at = None if is_let_in else until
        row.offer_reminds_at = None if is_let_in else _reminds_at(now, until)
        row.tier_id, row.seats_held, row.blocks_since = move.tier, move.seats, None
        row.save(
            update_fields=[
                "status", "offer_expires_at", "offer_reminds_at", "tier", "seats_held", "blocks_since", "updated_at",
            ]
        )  # fmt: skip
        if is_let_in:
            row.surplus_delegates().update(status=Delegate.Status.REPLACED)
        seating.record(registration=row, by=by if is_let_in else None, seats=move.seats)
    _note_blocks(queue, found, now)
    return set(rows)


def _drain_released(tiers: list[Tier], general: Tier) -> None:
    """What came free in a released tier belongs to all."""
    for tier in tiers:
        if tier.released_at is not None and tier.free:
            seats = tier.free
            Tier.objects.filter(pk=tier.pk).update(seats=F("seats") - seats)
            Tier.objects.filter(pk=general.pk).update(seats=F("seats") + seats)
            tier.seats -= seats
            general.seats += seats


# An offer made shortly before the event begins, or while it runs, is still long enough to be read.
_SHORTEST_OFFER = datetime.timedelta(minutes=30)
# Between them nobody is woken by a reminder.
_DAY_BEGINS, _DAY_ENDS = datetime.time(8), datetime.time(21)


def _offer_ends(event: Event, now: datetime.datetime) -> datetime.datetime:
    """After the hours of the event, at the latest when it begins."""
    asked = now + datetime.timedelta(hours=event.offer_hours)
    return max(min(asked, event.starts_at), now + _SHORTEST_OFFER)


def _reminds_at(now: datetime.datetime, until: datetime.datetime) -> datetime.datetime:
    """At half of the time, or in the morning after a night; in the night only where the offer ends with it."""
    half = now + (until - now) / 2
    local = timezone.localtime(half)
    if _DAY_BEGINS <= local.time() < _DAY_ENDS:
        return half
    days = datetime.timedelta(days=local.time() >= _DAY_ENDS)
    morning = datetime.datetime.combine(local.date() + days, _DAY_BEGINS, local.tzinfo)
    return morning if morning < until else half


def _note_blocks(queue: Sequence[_Waiting], found: _Round, now: datetime.datetime) -> None:
    """From when a head holds up its tier. Passed over once, it is told, and its patience begins anew."""
    moved = {move.registration for move in found.moves}
    passed = Registration.objects.in_bulk(found.passed)
    for row in map(passed.__getitem__, found.passed):
        audit.record(None, "registration.skipped", row, seats=row.seats_asked)
        changes.record("registration", row, "skipped")
    begins = [
        one.pk
        for one in queue
        if one.pk in found.blocking and (one.blocks_since is None or one.pk in found.passed)
    ]
    ends = [
        one.pk
        for one in queue
        if one.blocks_since is not None and one.pk not in found.blocking and one.pk not in moved
    ]
    Registration.objects.filter(pk__in=begins).update(blocks_since=now, updated_at=now)
    Registration.objects.filter(pk__in=ends).update(blocks_since=None, updated_at=now)


class _Waiting(NamedTuple):
    pk: int
    tier: int | None
    asked: int
    partial: bool
    blocks_since: datetime.datetime | None


class _Move(NamedTuple):
    registration: int
    tier: int
    seats: int


class _Round(NamedTuple):
    """What one look at the queue gives: who gets which seats, who was passed over, who holds up a tier now."""

    moves: list[_Move]
    passed: list[int]
    blocking: set[int]


def _allocation(
    free: dict[int, int],
    general: int,
    queue: Sequence[_Waiting],
    patience_ends: datetime.datetime | None = None,
) -> _Round:
    """Who of the queue gets which seats, one after the other, nobody overtaken.

    A reserved tier serves the first of its own that waits; the general one serves the first of all. Whoever stands
    first and asks for more than is free blocks that tier, unless fewer are fine. One that has blocked since before
    `patience_ends` is passed over: the seats go to the first behind it who can take them. Full wishes go before
    partial ones of the same moment, own seats before general ones.
    """
    free, waiting = dict(free), list(queue)
    moves: list[_Move] = []
    passed: list[int] = []
    while waiting:
        fits = []
        for tier in free:
            for one, before in _candidates(waiting, tier, general, free[tier], patience_ends):
                rank = (free[tier] < one.asked, tier == general)
                fits.append((rank, one, tier, before))
        if not fits:
            break
        _rank, one, tier, before = min(fits, key=lambda fit: fit[0])
        seats = min(one.asked, free[tier])
        free[tier] -= seats
        waiting.remove(one)
        moves.append(_Move(one.pk, tier, seats))
        passed += [pk for pk in before if pk not in passed]
    moved = {move.registration for move in moves}
    heads = (next(_line(waiting, tier, general), None) for tier in free if free[tier] > 0)
    return _Round(
        moves,
        [pk for pk in passed if pk not in moved],
        {head.pk for head in heads if head is not None},
    )


def _line(waiting: Sequence[_Waiting], tier: int, general: int) -> Iterator[_Waiting]:
    """Lazily: the queue may be thousands long, and mostly its head decides."""
    return (one for one in waiting if tier in (general, one.tier))


def _candidates(
    waiting: Sequence[_Waiting],
    tier: int,
    general: int,
    free: int,
    patience_ends: datetime.datetime | None,
) -> list[tuple[_Waiting, list[int]]]:
    """The one whose turn it is in the tier, if it can take what is free, with those passed over for it."""
    before: list[int] = []
    for one in _line(waiting, tier, general) if free > 0 else ():
        if one.partial or free >= one.asked:
            return [(one, before)]
        # Only the head's own patience counts: once it is over, so is the turn of all who cannot take what is free.
        if not before and (
            patience_ends is None or one.blocks_since is None or one.blocks_since > patience_ends
        ):
            break
        before.append(one.pk)
    return []
