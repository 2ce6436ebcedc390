"""An enterprise’s own verbs: apply, name delegates, give seats back, leave. ADR 0005 says how seats are claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, User
from chains.models.base import new_public_id
from events import permissions
from events.models import Delegate, Event, Registration, Tier
from events.services import answers as form_answers
from events.services import seating, waiting_list

Status = Registration.Status

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
            own=seating.tier_of(enterprise, tiers),
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


@transaction.atomic
def save_delegates(
    *, registration: Registration, names: Sequence[str | tuple[str, str]], by: User
) -> list[Delegate]:
    """Name the persons who take the seats, each with the job title if given. Who is left out is replaced."""
    row = Registration.objects.locked().get(pk=registration.pk)
    seating.check_owner(row, by)
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


@transaction.atomic
def give_back(
    *, registration: Registration, by: User, seats: int = 1, leaving: Sequence[Delegate] = ()
) -> Registration:
    """Give single seats back and keep the others; `leaving` are the persons who stay away."""
    tiers, row = seating.locked(registration)
    seating.check_owner(row, by)
    seating.check_running(row)
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
    seating.tier_held(row, tiers).take(-seats)
    row.seats_held = row.seats_asked = left
    row.save(update_fields=["seats_held", "seats_asked", "updated_at"])
    audit.record(by, "registration.reduced", row, seats=seats, left=left)
    changes.record("registration", row, "reduced")
    waiting_list.move_up(event=row.event, tiers=tiers, by=None)
    return row


@transaction.atomic
def cancel(*, registration: Registration, by: User, reason: str = "") -> Registration:
    """Give up the place: its owner at any time, the organiser with a reason. The next in line moves up."""
    event = registration.event
    tiers = list(event.tiers.locked())
    row = seating.fresh(registration)
    if not permissions.can_register(by, row.enterprise):
        seating.check_decider(row, by)
        reason = seating.reason(reason)
    if row.status in Registration.ENDED:
        return row
    seating.check_running(row)
    seating.end(registration=row, tiers=tiers, by=by, reason=reason)
    waiting_list.move_up(event=row.event, tiers=tiers, by=None)
    return row


def end_all(*, event: Event, by: User) -> int:
    """Every place of an event that is cancelled; called inside that verb, which has checked the right."""
    tiers = list(event.tiers.locked())
    rows = event.registrations.exclude(status__in=Registration.ENDED).order_by("pk")
    for row in rows:
        seating.end(registration=row, tiers=tiers, by=by)
    return len(rows)
