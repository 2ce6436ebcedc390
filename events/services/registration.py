"""An enterprise’s own verbs: apply, name delegates, give seats back, leave. ADR 0005 says how seats are claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, User
from chains.prepared import Prepared
from chains.templatetags.localised import moment
from events import permissions
from events.models import Delegate, Event, Registration, Tier
from events.services import answers as form_answers
from events.services import seating, waiting_list

Status = Registration.Status

# ---- applying ----


_FIELDS = [field.attname for field in Registration._meta.concrete_fields]
# The function stands in the newest migration that names it; ADR 0005 says why it is one.
_CLAIM = f"""SELECT {", ".join(f'"{name}"' for name in _FIELDS)} FROM events_claim_seats(
    %(id)s, %(event)s, %(rule)s, %(enterprise)s, %(own)s, %(seats)s, %(partial)s, %(purposes)s, %(claims)s, %(by)s, %(public_id)s)
"""  # noqa: S608 -- names of our own columns


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
    may_be_named: bool = False,
) -> Registration:
    """Give the enterprise its seats, or a turn on the waiting list when its tier is full.

    Asked twice, it gives the answer of the first time. An enterprise that is not verified yet, and any at an event
    whose organiser decides, stays submitted.
    """
    _check_application(event, enterprise, seats, by)
    given = form_answers.checked(event, answers or {}) if event.asks_questions else []
    own = seating.tier_of(enterprise, _TIERS(event.pk))
    row = Registration(event=event, enterprise=enterprise, seats_asked=seats)
    row.purposes, row.accepts_partial = list(dict.fromkeys(purposes)), accepts_partial
    if not given and not delegates and not may_be_named:
        # One statement and so a transaction by itself: its locks are gone before the answer is here.
        claimed = _claim(row, own, by)
    else:
        row.may_be_named = may_be_named
        claimed = _claim_with_papers(row, own, given, delegates, by)
    if claimed is None:
        return _answer_of_the_first_time(event, enterprise)
    changes.announce()
    return claimed


_TIERS = Prepared(lambda event: Tier.objects.filter(event=event).order_by(), int)


def _claim_with_papers(
    row: Registration,
    own: Tier,
    given: Sequence[form_answers.Given],
    delegates: Sequence[str | tuple[str, str]],
    by: User,
) -> Registration | None:
    """Answers and names are written first, under the number the registration will have: nobody waits for them."""
    with transaction.atomic():
        known = Registration.objects.filter(event=row.event, enterprise=row.enterprise).first()
        if known is not None and not known.has_ended:
            return None
        row.pk, row.public_id = (known.pk, known.public_id) if known else (_number(), row.public_id)
        form_answers.write(registration=row, answers=given, by=by)
        _name(row, delegates)
        claimed = _claim(row, own, by)
        if claimed is None:
            transaction.set_rollback(True)
        elif 0 < claimed.seats_held < claimed.seats_asked:
            claimed.surplus_delegates().update(status=Delegate.Status.REPLACED)
        if claimed is not None and row.may_be_named:
            _let_be_named(claimed, True, by)
        return claimed


def _number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('events_registration', 'id'))")
        return int(cursor.fetchone()[0])


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
            field="seats",
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


def _claim(row: Registration, own: Tier, by: User) -> Registration | None:
    """The registration as the database decided it; None when there is one already, or no event to go to."""
    event = row.event
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "id": row.pk,
                "event": event.pk,
                "rule": event.waiting_rule,
                "enterprise": row.enterprise_id,
                "own": own.pk,
                "seats": row.seats_asked,
                "partial": row.accepts_partial,
                "purposes": row.purposes,
                "claims": row.enterprise.is_verified
                and event.admission == Event.Admission.AUTOMATIC,
                "by": by.pk,
                "public_id": row.public_id,
            },
        )
        found = cursor.fetchone()
    if found is None:
        return None
    claimed = Registration.from_db("default", _FIELDS, found)
    claimed.event, claimed.enterprise = event, row.enterprise
    return claimed


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
def set_naming(*, registration: Registration, may_be_named: bool, by: User) -> Registration:
    """Agree that the public reads the enterprise's name as that of a participant, or take that back at any time."""
    row = Registration.objects.locked().get(pk=registration.pk)
    seating.check_owner(row, by)
    if row.may_be_named == may_be_named:
        return row
    if may_be_named and row.has_ended:
        raise DomainError(
            _("This registration has ended. Register again first."), code="registration.ended"
        )
    _let_be_named(row, may_be_named, by)
    return row


def _let_be_named(row: Registration, may_be_named: bool, by: User) -> None:
    row.may_be_named = may_be_named
    row.save(update_fields=["may_be_named", "updated_at"])
    audit.record(by, "registration.naming_set", row, may_be_named=may_be_named)
    changes.record("registration", row, "changed")


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
    if not row.event.takes_delegates:
        raise DomainError(
            _(
                "Delegates could be changed until %(until)s. Ask the organiser; at the doors the desk names colleagues for seats nobody is named for."
            )
            % {"until": moment(row.event.delegates_until)},
            code="registration.delegates_closed",
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
            field="leaving",
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
            field="seats",
        )
    left = row.seats_held - seats
    active = row.delegates.filter(status=Delegate.Status.ACTIVE)
    gone = active.filter(pk__in=[one.pk for one in leaving])
    if active.count() - gone.count() > left:
        raise DomainError(
            _("More persons are named than seats would be left. Say who stays away."),
            code="registration.too_many_delegates",
            field="leaving",
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
        reason = seating.checked_reason(reason)
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
