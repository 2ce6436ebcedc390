"""Seats and the waiting list.

Every change of an event's seats first locks the rows of its tiers in one order. That makes arrivals at one event
stand in one line: nobody overtakes, and two promoters never meet. What keeps the seats from being sold twice is not
the lock but the conditional UPDATE of the tier's row, and below it the CHECK of the table.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.db.models.expressions import Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, Qualification, User
from chains.models.base import new_public_id
from events import permissions
from events.models import Delegate, Event, Registration, Tier
from events.models.registration import QUEUE_ORDER
from events.services import answers as form_answers

Status = Registration.Status

# ---- reading ----


def tier_of(enterprise: Enterprise, tiers: Iterable[Tier]) -> Tier:
    """The first reserved tier the enterprise belongs to today, else the general one."""
    tiers = sorted(tiers, key=lambda tier: (tier.is_general, tier.order, tier.pk))
    wanted = {code for tier in tiers for code in tier.qualifications}
    held = (
        set(
            Qualification.objects.in_force()
            .filter(enterprise=enterprise, kind__code__in=wanted)
            .values_list("kind__code", flat=True)
        )
        if wanted
        else set()
    )
    for tier in tiers:
        if (
            tier.is_general
            or enterprise.kind_id in tier.participant_kinds
            or held.intersection(tier.qualifications)
        ):
            return tier
    raise DomainError(_("This event has no general seats yet."), code="event.without_seats")


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
    if not wanted:
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


# ---- applying ----

# Who stands before a new arrival `%(public_id)s` of tier `%(own)s`, by the published rule.
_AHEAD = {
    Event.WaitingRule.ARRIVAL: "waiting.priority >= 0",
    Event.WaitingRule.TIER_THEN_ARRIVAL: """(waiting.priority > 0 OR waiting.priority = 0 AND
        (SELECT (w.is_general, w."order", w.id) <= (o.is_general, o."order", o.id)
         FROM events_tier w, events_tier o WHERE w.id = waiting.tier_id AND o.id = %(own)s))""",
    Event.WaitingRule.DRAW: """(waiting.priority > 0 OR waiting.priority = 0 AND
        md5(waiting.public_id) <= md5(%(public_id)s))""",
}

# Two statements in one message: the second takes its snapshot after the first has got its locks, so it sees all
# who came before. A single statement would judge the queue by what it saw before it waited for the lock. Line of the
# trail and Change ride along: everybody else waits for these rows, so nothing may travel to and fro meanwhile.
_CLAIM = """
SELECT id FROM events_tier WHERE event_id = %(event)s ORDER BY id FOR NO KEY UPDATE;
WITH room AS (
    SELECT tier.id, LEAST(%(seats)s, tier.seats - tier.taken) AS seats
    FROM events_tier tier
    WHERE %(claims)s AND tier.event_id = %(event)s AND (tier.id = %(own)s OR tier.is_general)
      AND (tier.seats - tier.taken >= %(seats)s OR %(partial)s AND tier.seats > tier.taken)
      AND NOT EXISTS (
          SELECT FROM events_registration known
          WHERE known.event_id = %(event)s AND known.enterprise_id = %(enterprise)s
            AND known.status NOT IN ('declined', 'cancelled', 'lapsed'))
      AND NOT EXISTS (
          SELECT FROM events_registration waiting
          WHERE waiting.event_id = %(event)s AND waiting.status = 'waitlisted'
            AND (SELECT status FROM chains_enterprise WHERE id = waiting.enterprise_id) <> 'suspended'
            AND (tier.is_general OR waiting.tier_id = tier.id) AND {ahead})
    ORDER BY tier.seats - tier.taken >= %(seats)s DESC, tier.is_general
    LIMIT 1
), claimed AS (
    UPDATE events_tier tier SET taken = tier.taken + room.seats
    FROM room WHERE tier.id = room.id AND tier.taken + room.seats <= tier.seats
    RETURNING tier.id, room.seats
), written AS (
INSERT INTO events_registration AS mine (
    public_id, created_at, updated_at, event_id, enterprise_id, status, purposes, seats_asked, accepts_partial,
    tier_id, seats_held, queued_at, queue_no, priority, priority_reason, decline_reason)
SELECT %(public_id)s, clock_timestamp(), clock_timestamp(), event.id, %(enterprise)s,
    CASE WHEN NOT %(claims)s THEN 'submitted' WHEN claimed.id IS NULL THEN 'waitlisted' ELSE 'confirmed' END,
    %(purposes)s::varchar[], %(seats)s, %(partial)s, COALESCE(claimed.id, %(own)s), COALESCE(claimed.seats, 0),
    clock_timestamp(), nextval('registration_queue_seq'), 0, '', ''
FROM events_event event LEFT JOIN claimed ON true
WHERE event.id = %(event)s AND event.status = 'published'
ON CONFLICT (event_id, enterprise_id) DO UPDATE SET
    updated_at = excluded.updated_at, status = excluded.status, purposes = excluded.purposes,
    seats_asked = excluded.seats_asked, accepts_partial = excluded.accepts_partial, tier_id = excluded.tier_id,
    seats_held = excluded.seats_held, queued_at = excluded.queued_at, queue_no = excluded.queue_no,
    priority = 0, priority_reason = '', decline_reason = ''
    WHERE mine.status IN ('declined', 'cancelled', 'lapsed')
RETURNING {columns}
), trail AS (
    {trail}
    SELECT clock_timestamp(), %(by)s, 'registration.' || status, 'events.Registration:' || public_id,
        jsonb_build_object('seats', CASE WHEN seats_held > 0 THEN seats_held ELSE seats_asked END)
    FROM written
), news AS (
    {news}
    SELECT clock_timestamp(), 'registration', public_id, status FROM written
)
SELECT * FROM written
"""
_FIELDS = [field.attname for field in Registration._meta.concrete_fields]
_CLAIMS = {
    rule: _CLAIM.format(
        ahead=ahead,
        columns=", ".join(f'mine."{name}"' for name in _FIELDS),
        trail=audit.INSERT,
        news=changes.INSERT,
    )
    for rule, ahead in _AHEAD.items()
}


def register(
    *,
    event: Event,
    enterprise: Enterprise,
    seats: int,
    by: User,
    purposes: Sequence[str] = (),
    accepts_partial: bool = False,
    delegates: Sequence[str | tuple[str, str]] = (),
    answers: Mapping[str, Any] | None = None,
) -> Registration:
    """Give the enterprise its seats, or a turn on the waiting list when its tier is full.

    Asked twice, it gives the answer of the first time. An enterprise that is not verified yet, and any at an event
    whose organiser decides, stays submitted.
    """
    _check_application(event, enterprise, seats, by)
    given = form_answers.checked(event, answers or {}) if event.asks_questions else []
    tiers = list(event.tiers.all())
    # The claim is one message and so a transaction by itself: its locks are gone before the answer is here.
    with transaction.atomic() if delegates or given else nullcontext():
        claimed = _claim(
            event,
            own=tier_of(enterprise, tiers),
            enterprise=enterprise.pk,
            seats=seats,
            partial=accepts_partial,
            purposes=list(dict.fromkeys(purposes)),
            claims=enterprise.is_verified and event.admission == Event.Admission.AUTOMATIC,
            by=by,
        )
        if claimed is None:
            return _answer_of_the_first_time(event, enterprise)
        claimed.event, claimed.enterprise = event, enterprise
        changes.announce()
        if delegates:
            _name(claimed, delegates)
        form_answers.write(registration=claimed, answers=given, by=by)
    return claimed


def _check_application(event: Event, enterprise: Enterprise, seats: int, by: User) -> None:
    if not permissions.can_register(by, enterprise):
        raise DomainError(
            _("Only editors of the enterprise can register it for an event."),
            code="registration.forbidden",
        )
    if not event.is_open_for_registration and not _is_admitted(event, enterprise):
        raise _closed(event)
    cap = event.delegates_per_enterprise
    if not 1 <= seats <= cap:
        raise DomainError(
            ngettext(
                "One enterprise gets at most %(cap)d seat at this event. Ask for no more.",
                "One enterprise gets at most %(cap)d seats at this event. Ask for no more.",
                cap,
            )
            % {"cap": cap},
            code="registration.too_many_seats",
        )


def _is_admitted(event: Event, enterprise: Enterprise) -> bool:
    """By an invitation that lets it in although registration is not open."""
    return (
        event.status == Event.Status.PUBLISHED
        and timezone.now() < event.ends_at
        and event.invitations.admitting([enterprise]).exists()
    )


def _closed(event: Event) -> DomainError:
    if event.status == Event.Status.PUBLISHED and timezone.now() < event.registration_opens_at:
        return DomainError(
            _("Registration for this event has not opened yet."), code="registration.not_open"
        )
    return DomainError(_("Registration for this event has closed."), code="registration.closed")


def _claim(
    event: Event,
    *,
    own: Tier,
    enterprise: int,
    seats: int,
    partial: bool,
    purposes: list[str],
    claims: bool,
    by: User,
) -> Registration | None:
    """The registration as the database decided it; None when there is one already, or no event to go to."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIMS[Event.WaitingRule(event.waiting_rule)],
            {
                "event": event.pk,
                "enterprise": enterprise,
                "own": own.pk,
                "seats": seats,
                "partial": partial,
                "purposes": purposes,
                "claims": claims,
                "by": by.pk,
                "public_id": new_public_id(),
            },
        )
        cursor.nextset()
        row = cursor.fetchone()
    return None if row is None else Registration.from_db("default", _FIELDS, row)


def _answer_of_the_first_time(event: Event, enterprise: Enterprise) -> Registration:
    known = (
        Registration.objects.filter(event=event, enterprise=enterprise)
        .exclude(status__in=Registration.ENDED)
        .select_related("event", "enterprise", "tier")
        .first()
    )
    if known is None:  # the event was cancelled while we waited for its seats
        raise DomainError(_("Registration for this event has closed."), code="registration.closed")
    return known


# ---- deciding ----


@transaction.atomic
def approve(*, registration: Registration, by: User) -> Registration:
    """Let a submitted one in: its seats at once when its turn has come, else its place in the queue."""
    tiers = _locked_tiers(registration.event)
    row = _fresh(registration)
    _check_decider(row, by)
    if row.status in (Status.CONFIRMED, Status.OFFERED, Status.WAITLISTED):
        return row
    _check_submitted(row)
    if not row.enterprise.is_verified:
        raise DomainError(
            _("The enterprise is not verified yet. Verify it first; then it can be let in."),
            code="registration.not_verified",
        )
    _join_queue([row], tiers)
    moved = _promote(row.event, tiers, applied=row, by=by)
    if row.pk not in moved:
        _record(row, by)
    return _fresh(row)


@transaction.atomic
def decline(*, registration: Registration, reason: str, by: User) -> Registration:
    _locked_tiers(registration.event)
    row = _fresh(registration)
    _check_decider(row, by)
    if row.status == Status.DECLINED:
        return row
    _check_submitted(row)
    row.status, row.decline_reason = Status.DECLINED, _reason(reason)
    row.save(update_fields=["status", "decline_reason", "updated_at"])
    _record(row, by)
    return row


@transaction.atomic
def cancel(*, registration: Registration, by: User, reason: str = "") -> Registration:
    """Give up the place: its owner at any time, the organiser with a reason. The next in line moves up."""
    event = registration.event
    tiers = _locked_tiers(event)
    row = _fresh(registration)
    if not permissions.can_register(by, row.enterprise):
        _check_decider(row, by)
        reason = _reason(reason)
    if row.status in Registration.ENDED:
        return row
    _check_running(row)
    _end(row, tiers, by, reason)
    _promote(row.event, tiers)
    return row


@transaction.atomic
def accept(*, registration: Registration, by: User) -> Registration:
    """Take the seats that are offered, before the offer lapses."""
    _locked_tiers(registration.event)
    row = _fresh(registration)
    _check_owner(row, by)
    if row.status == Status.CONFIRMED:
        return row
    _check_running(row)
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
    row.status, row.offer_expires_at = Status.CONFIRMED, None
    row.save(update_fields=["status", "offer_expires_at", "updated_at"])
    _drop_surplus_delegates(row)
    _record(row, by, seats=row.seats_held)
    return row


@transaction.atomic
def give_back(
    *, registration: Registration, by: User, seats: int = 1, leaving: Sequence[Delegate] = ()
) -> Registration:
    """Give single seats back and keep the others; `leaving` are the persons who stay away."""
    tiers = _locked_tiers(registration.event)
    row = _fresh(registration)
    _check_owner(row, by)
    _check_running(row)
    if row.status not in Registration.HOLDING:
        raise DomainError(
            _("There are no seats to give back yet."), code="registration.without_seats"
        )
    seats = max(seats, len(leaving))
    if not 1 <= seats < row.seats_held:
        raise DomainError(
            _("Give back fewer seats than you hold, or cancel the registration."),
            code="registration.too_many_seats",
        )
    left = row.seats_held - seats
    active = row.delegates.filter(status=Delegate.Status.ACTIVE)
    gone = active.filter(pk__in=[one.pk for one in leaving])
    if active.count() - gone.count() > left:
        raise DomainError(
            _("More persons are named than seats would be left. Say who stays away."),
            code="registration.too_many_delegates",
        )
    gone.update(status=Delegate.Status.REPLACED, updated_at=timezone.now())
    _take(tiers, {row.tier_id or 0: -seats})
    row.seats_held = row.seats_asked = left
    row.save(update_fields=["seats_held", "seats_asked", "updated_at"])
    audit.record(by, "registration.reduced", row, seats=seats, left=left)
    changes.record("registration", row, "reduced")
    _promote(row.event, tiers)
    return row


@transaction.atomic
def move(*, registration: Registration, priority: int, reason: str, by: User) -> Registration:
    """Change the place in the queue by hand: above 0 before the rule, below 0 after it, 0 back to the rule."""
    tiers = _locked_tiers(registration.event)
    row = _fresh(registration)
    _check_decider(row, by)
    if row.status != Status.WAITLISTED:
        raise DomainError(
            _("Only a registration on the waiting list can be moved."),
            code="registration.not_waiting",
        )
    if not -99 <= priority <= 99:
        raise DomainError(
            _("Choose a priority from -99 to 99."), code="registration.priority_out_of_range"
        )
    before, reason = rank(row), _reason(reason)
    row.priority, row.priority_reason = priority, reason
    row.save(update_fields=["priority", "priority_reason", "updated_at"])
    # What somebody wrote may name a person: it stays on the row, where it can be changed, never in the trail.
    audit.record(by, "registration.moved", row, priority=priority, before=before, after=rank(row))
    changes.record("registration", row, "moved")
    _promote(row.event, tiers)
    return _fresh(row)


@transaction.atomic
def save_delegates(
    *, registration: Registration, names: Sequence[str | tuple[str, str]], by: User
) -> list[Delegate]:
    """Name the persons who take the seats, each with the job title if given. Who is left out is replaced."""
    row = Registration.objects.locked().get(pk=registration.pk)
    if not permissions.can_register(by, row.enterprise):
        raise DomainError(
            _("Only editors of the enterprise can name its delegates."),
            code="registration.forbidden",
        )
    if row.status in Registration.ENDED or row.event.status != Event.Status.PUBLISHED:
        raise DomainError(
            _("This registration has ended. Register again to name delegates."),
            code="registration.ended",
        )
    kept, added, replaced = _name(row, names)
    if added or replaced:
        audit.record(by, "registration.named", row, added=added, replaced=replaced)
        changes.record("registration", row, "named")
    return kept


@transaction.atomic
def door_place(*, event: Event, enterprise: Enterprise, by: User) -> Registration:
    """A confirmed place of the enterprise with a seat nobody is named for, by what the event allows at its doors."""
    if not permissions.can_check_in(by, event):
        raise DomainError(
            _("Only staff of this event name persons at the door."), code="registration.forbidden"
        )
    if event.walk_ins == Event.WalkIns.NOBODY:
        raise DomainError(
            _("This event lets nobody in without a badge."), code="registration.no_walk_ins"
        )
    tiers = _locked_tiers(event)
    row = event.registrations.filter(enterprise=enterprise).select_related("enterprise").first()
    if row is not None and row.status == Status.CONFIRMED and _unnamed(row):
        return row
    if row is not None and row.status == Status.OFFERED:
        return _seat_at_the_door(row, None, tiers, by)
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
    return _seat_at_the_door(row, general, tiers, by)


def _unnamed(registration: Registration) -> int:
    named = registration.delegates.filter(status=Delegate.Status.ACTIVE).count()
    return registration.seats_held - named


def _seat_at_the_door(
    row: Registration, general: Tier | None, tiers: list[Tier], by: User
) -> Registration:
    """What is offered is taken by coming; one general seat more for whoever has none left, or has none at all."""
    if general is not None:
        if row.seats_held and row.tier_id != general.pk:
            raise DomainError(
                _("All seats of this enterprise are taken; they are of a reserved tier."),
                code="registration.no_seat_unnamed",
            )
        _take(tiers, {general.pk: 1})
        row.tier, row.seats_held = general, row.seats_held + 1
        row.seats_asked = row.seats_held
    row.status = Status.CONFIRMED
    row.offer_expires_at = row.blocks_since = None
    row.save()
    _record(row, by, seats=row.seats_held)
    return row


@transaction.atomic
def name_at_the_door(
    *, registration: Registration, name: str, by: User, job_title: str = ""
) -> Delegate:
    """The desk names a person for a seat nobody is named for."""
    row = Registration.objects.locked().get(pk=registration.pk)
    if not permissions.can_check_in(by, row.event):
        raise DomainError(
            _("Only staff of this event name persons at the door."), code="registration.forbidden"
        )
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


# ---- by the clock and by news ----


@transaction.atomic
def release_seats(*, tier: Tier, by: User | None = None) -> int:
    """Past its moment: what is free in a reserved tier becomes general, then the queue moves up."""
    tiers = _locked_tiers(tier.event)
    row = next(one for one in tiers if one.pk == tier.pk)
    now = timezone.now()
    if row.released_at is not None or row.reserved_until is None or row.reserved_until > now:
        return 0
    seats = row.free
    row.released_at = now
    row.save(update_fields=["released_at", "updated_at"])
    audit.record(by, "tier.released", row, seats=seats)
    changes.record("event", tier.event, "released")
    _promote(tier.event, tiers)
    return seats


def lapse_due_offers() -> int:
    """End the offers nobody has answered in time; their seats go to the next in line. One transaction an event."""
    due = Registration.objects.offered().filter(offer_expires_at__lte=timezone.now())
    events = Event.objects.filter(pk__in=due.values("event")).order_by("pk")
    return sum(_lapse(event) for event in events)


@transaction.atomic
def _lapse(event: Event) -> int:
    tiers = _locked_tiers(event)
    # Asked again under the lock: an answer may have come meanwhile.
    rows = list(
        event.registrations.offered().filter(offer_expires_at__lte=timezone.now()).order_by("pk")
    )
    for row in rows:
        _end(row, tiers, None, "", Status.LAPSED)
    if rows:
        _promote(event, tiers)
    return len(rows)


def promote_where_seats_are_free() -> int:
    """What no verb has moved up: behind a head that has held up its tier long enough, and after any mishap."""
    waiting = Registration.objects.taking_seats()
    events = Event.objects.filter(
        pk__in=waiting.values("event"),
        status=Event.Status.PUBLISHED,
        tiers__in=Tier.objects.filter(seats__gt=F("taken")),
    )
    return sum(promote(event) for event in events.distinct().order_by("pk"))


def release_due_tiers() -> int:
    """All reserved tiers whose moment has come; one transaction each, so that one fault stops no other."""
    due = Tier.objects.filter(
        released_at=None,
        reserved_until__lte=timezone.now(),
        event__status=Event.Status.PUBLISHED,
    ).select_related("event")
    return sum(release_seats(tier=tier) for tier in due)


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
        tiers = _locked_tiers(found.event)
        row = _fresh(found)
        if row.status != Status.SUBMITTED:
            continue
        _join_queue([row], tiers)
        if row.pk not in _promote(row.event, tiers, applied=row):
            _record(row, None)
        count += 1
    return count


def promote_around(enterprise: Enterprise) -> int:
    """The enterprise was suspended, and nobody waits behind it any more, or it is back and its turn may have come."""
    events = Event.objects.filter(
        pk__in=Registration.objects.waiting().filter(enterprise=enterprise).values("event")
    )
    return sum(promote(event) for event in events.order_by("pk"))


def promote(event: Event) -> int:
    """Move up whoever is next in line and fits; how many did. By the system, whenever seats came free."""
    with transaction.atomic():
        return len(_promote(event, _locked_tiers(event)))


def end_all(*, event: Event, by: User) -> int:
    """Every place of an event that is cancelled; called inside that verb, which has checked the right."""
    tiers = _locked_tiers(event)
    rows = event.registrations.exclude(status__in=Registration.ENDED).order_by("pk")
    for row in rows:
        _end(row, tiers, by, "")
    return len(rows)


# ---- what the verbs share ----


def _locked_tiers(event: Event) -> list[Tier]:
    """The event's tiers as they stand, nobody else changing seats or queue until this transaction ends."""
    return list(event.tiers.select_for_update(no_key=True).order_by("pk"))


def _fresh(registration: Registration) -> Registration:
    return Registration.objects.select_related("event", "enterprise", "tier").get(
        pk=registration.pk
    )


def _check_decider(registration: Registration, by: User) -> None:
    if not permissions.can_decide(by, registration):
        raise DomainError(
            _(
                "Only organisers of this event can decide on its registrations, and nobody on their own body's."
            ),
            code="registration.forbidden",
        )


def _check_submitted(registration: Registration) -> None:
    if registration.status != Status.SUBMITTED:
        raise DomainError(
            _("This registration has been decided already."), code="registration.decided"
        )
    _check_running(registration)


def _check_running(registration: Registration) -> None:
    if registration.event.status != Event.Status.PUBLISHED:
        raise DomainError(
            _("The event is over or was cancelled. Its registrations stay as they are."),
            code="registration.event_over",
        )


def _check_owner(registration: Registration, by: User) -> None:
    if not permissions.can_register(by, registration.enterprise):
        raise DomainError(
            _("Only editors of the enterprise can answer for its registration."),
            code="registration.forbidden",
        )


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise DomainError(
            _("Say why: the reason is kept and shown."), code="registration.without_reason"
        )
    return text[:300]


def _record(registration: Registration, by: User | None, **data: int) -> None:
    audit.record(by, f"registration.{registration.status}", registration, **data)
    changes.record("registration", registration, registration.status)


def _join_queue(rows: Iterable[Registration], tiers: list[Tier]) -> None:
    """Into the queue at the place of the application, in the tier of what the enterprise holds today."""
    for row in rows:
        row.status, row.tier = Status.WAITLISTED, tier_of(row.enterprise, tiers)
        row.save(update_fields=["status", "tier", "updated_at"])


def _end(
    registration: Registration,
    tiers: list[Tier],
    by: User | None,
    reason: str,
    status: Status = Status.CANCELLED,
) -> None:
    """End one and give its seats back to the tier they came from. Who has ended is never offered a seat again."""
    if registration.seats_held:
        _take(tiers, {registration.tier_id or 0: -registration.seats_held})
    freed = registration.seats_held
    registration.status, registration.seats_held = status, 0
    registration.offer_expires_at = registration.blocks_since = None
    registration.decline_reason = reason
    registration.priority, registration.priority_reason = 0, ""
    registration.save(
        update_fields=[
            "status", "seats_held", "offer_expires_at", "blocks_since", "decline_reason", "priority", "priority_reason",
            "updated_at",
        ]
    )  # fmt: skip
    _record(registration, by, seats=freed)


def _take(tiers: list[Tier], seats: dict[int, int]) -> None:
    for tier in tiers:
        if wanted := seats.get(tier.pk):
            done = Tier.objects.filter(pk=tier.pk, seats__gte=F("taken") + wanted).update(
                taken=F("taken") + wanted
            )
            assert done, "the rows are locked: nobody can have taken them"
            tier.taken += wanted


def _name(
    registration: Registration, names: Sequence[str | tuple[str, str]]
) -> tuple[list[Delegate], int, int]:
    """One code per person: who stays keeps theirs, who is left out loses it."""
    wanted: list[tuple[str, str]] = []
    for entry in names:
        name, title = (entry, "") if isinstance(entry, str) else entry
        if name.strip():
            wanted.append((name.strip(), title.strip()))
    seats = registration.seats_held or registration.seats_asked
    if len(wanted) > seats:
        raise DomainError(
            ngettext(
                "There is %(seats)d seat: name one person at most for each seat.",
                "There are %(seats)d seats: name one person at most for each seat.",
                seats,
            )
            % {"seats": seats},
            code="registration.too_many_delegates",
        )
    present = list(registration.delegates.filter(status=Delegate.Status.ACTIVE).order_by("pk"))
    kept: list[Delegate] = []
    added = 0
    for name, title in wanted:
        known = next((one for one in present if one.name == name), None)
        if known is None:
            known = Delegate(registration=registration, event_id=registration.event_id, name=name)
            added += 1
        else:
            present.remove(known)
        known.job_title = title
        known.save()
        kept.append(known)
    for left in present:
        left.status = Delegate.Status.REPLACED
        left.save(update_fields=["status", "updated_at"])
    return kept, added, len(present)


# ---- moving up ----

# An offer made shortly before the event begins, or while it runs, is still long enough to be read.
_SHORTEST_OFFER = datetime.timedelta(minutes=30)


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


def _drain_released(tiers: list[Tier], general: Tier) -> None:
    """What came free in a released tier belongs to all."""
    for tier in tiers:
        if tier.released_at is not None and tier.free:
            seats = tier.free
            Tier.objects.filter(pk=tier.pk).update(seats=F("seats") - seats)
            Tier.objects.filter(pk=general.pk).update(seats=F("seats") + seats)
            tier.seats -= seats
            general.seats += seats


def _promote(
    event: Event,
    tiers: list[Tier],
    *,
    applied: Registration | None = None,
    by: User | None = None,
) -> set[int]:
    """Move up all whose turn has come: seats are offered to those who wait, and given to the one just let in.

    `by` goes into the trail only for the latter.
    """
    general = next((tier for tier in tiers if tier.is_general), None)
    if general is None or event.status != Event.Status.PUBLISHED:
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
    until = _offer_ends(event, now)
    for move in found.moves:
        row = rows[move.registration]
        is_let_in = applied is not None and row.pk == applied.pk
        _take(tiers, {move.tier: move.seats})
        row.status = Status.CONFIRMED if is_let_in else Status.OFFERED
        row.offer_expires_at = None if is_let_in else until
        row.tier_id, row.seats_held, row.blocks_since = move.tier, move.seats, None
        row.save(
            update_fields=[
                "status", "offer_expires_at", "tier", "seats_held", "blocks_since", "updated_at",
            ]
        )  # fmt: skip
        if is_let_in:
            _drop_surplus_delegates(row)
        _record(row, by if is_let_in else None, seats=move.seats)
    _note_blocks(queue, found, now)
    return set(rows)


def _offer_ends(event: Event, now: datetime.datetime) -> datetime.datetime:
    """After the hours of the event, at the latest when it begins."""
    asked = now + datetime.timedelta(hours=event.offer_hours)
    return max(min(asked, event.starts_at), now + _SHORTEST_OFFER)


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


def _drop_surplus_delegates(registration: Registration) -> None:
    """Fewer seats than were asked for: those named last have none."""
    if registration.seats_held < registration.seats_asked:
        active = registration.delegates.filter(status=Delegate.Status.ACTIVE).order_by("pk")
        surplus = list(active.values_list("pk", flat=True)[registration.seats_held :])
        Delegate.objects.filter(pk__in=surplus).update(status=Delegate.Status.REPLACED)
