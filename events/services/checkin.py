"""The doors of an event: who is in, decided once however often a scan is sent and from wherever."""

from __future__ import annotations

import datetime
import re
import unicodedata
import uuid
from typing import NamedTuple
from urllib.parse import unquote

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, search
from chains.errors import DomainError
from chains.models import Enterprise, User
from chains.searchtext import visible
from events import permissions
from events.models import CheckIn, Delegate, Event, Registration
from events.services import participation, walk_ins

OPEN = (Event.Status.PUBLISHED, Event.Status.HELD)

# As many as somebody at a door looks through.
NAMED_MOST = 50

# Nobody has signed in: the same said again within this is kept once.
AGAIN = datetime.timedelta(minutes=1)
# A device that says it scanned longer before the event has no clock to go by.
_CLOCKS = datetime.timedelta(days=7)


class Scan(NamedTuple):
    """What a door is told: the scan as it is kept, and the first valid one of a person who is in."""

    row: CheckIn
    first: CheckIn | None


# ---- reading ----


def typed(text: str) -> str:
    """A code as scanners, phones and people give it: the link on the badge, its key, or the short code."""
    text = visible(unicodedata.normalize("NFKC", text)).strip()
    # Chat applications put words of their own behind a link they pass on, or the link into one of theirs.
    text = unquote(text) if "%2f" in text.lower() else text
    link = re.search("/c/([^/?#&]*)", text, re.IGNORECASE)
    if link is None:
        return text
    # A scanner is a keyboard to the desk's computer: with its capitals locked each letter comes the other way.
    return link[1].swapcase() if link[0].startswith("/C/") else link[1]


def find(event: Event, text: str) -> Delegate | None:
    """The person a code names: by the key of the badge at any event, by the short code at this one."""
    code = typed(text)
    # Whatever stands around it or between its halves: "码：abc–234。"
    short = re.sub("[^a-z0-9]", "", code.lower().rpartition(":")[2])
    if not code or "\0" in code:
        return None
    return (
        Delegate.objects.filter(
            Q(token__in=[code, code.swapcase()]) | Q(event=event, short_code=short)
        )
        .select_related("registration__enterprise", "event")
        .first()
    )


def named(event: Event, text: str) -> list[Delegate]:
    """Persons of confirmed registrations whose own name or enterprise is like the text, so many at most."""
    found = search.typed("registration__enterprise__search_text", text)
    wanted = Q(name__icontains=text.strip()) | found if found else Q(name__icontains=text.strip())
    return list(
        Delegate.objects.filter(
            wanted,
            event=event,
            status=Delegate.Status.ACTIVE,
            registration__status=Registration.Status.CONFIRMED,
        )
        .select_related("registration__enterprise")
        .order_by("registration__enterprise__sort_key", "pk")[:NAMED_MOST]
    )


def without_seat(event: Event, text: str) -> list[Registration]:
    """Registrations like the text that let nobody in: not confirmed, or confirmed with seats nobody is named for."""
    found = search.typed("enterprise__search_text", text)
    person = Q(
        delegates__name__icontains=text.strip(), delegates__status=Delegate.Status.ACTIVE
    ) & ~Q(status=Registration.Status.CONFIRMED)
    wanted = event.registrations.filter(person | found if found else person).values("pk")
    named = Count("delegates", filter=Q(delegates__status=Delegate.Status.ACTIVE))
    return list(
        event.registrations.filter(pk__in=wanted)
        .annotate(unnamed=F("seats_held") - named)
        .exclude(status=Registration.Status.CONFIRMED, unnamed__lte=0)
        .select_related("enterprise")
        .order_by("enterprise__sort_key", "pk")[:10]
    )


def first_valid(delegate: Delegate) -> CheckIn | None:
    """The scan that let the person in; None for one who is not in."""
    first: CheckIn | None = None
    for row in delegate.check_ins.counting().in_order():
        if row.kind == CheckIn.Kind.UNDO:
            first = None
        elif first is None:
            first = row
    return first


# ---- at the door ----


def check_in(
    *,
    event: Event,
    by: User,
    nonce: uuid.UUID,
    code: str = "",
    delegate: Delegate | None = None,
    gate: str = "",
    scanned_at: datetime.datetime | None = None,
) -> Scan:
    """Let the person in whose code was read, or say why not. The same scan sent again is answered the same."""
    person = delegate or find(event, code)
    return _kept(event, by, nonce, CheckIn.Kind.IN, person, gate, scanned_at)


def undo(
    *,
    event: Event,
    by: User,
    nonce: uuid.UUID,
    delegate: Delegate,
    gate: str = "",
    scanned_at: datetime.datetime | None = None,
) -> Scan:
    """Take a check-in back: the wrong person was chosen. What was scanned stays on record."""
    return _kept(event, by, nonce, CheckIn.Kind.UNDO, delegate, gate, scanned_at)


@transaction.atomic
def walk_in(
    *,
    event: Event,
    by: User,
    nonce: uuid.UUID,
    enterprise: Enterprise,
    name: str,
    job_title: str = "",
    gate: str = "",
    scanned_at: datetime.datetime | None = None,
) -> Scan:
    """Somebody without a badge takes a seat of the enterprise, as far as the event lets them."""
    _check_staff(by, event)
    # In one line with the same walk-in sent again: it names one person.
    Event.objects.select_for_update(no_key=True).get(pk=event.pk)
    if (known := _known(event, by, nonce)) is not None:
        return known
    row = walk_ins.find_seat(event=event, enterprise=enterprise, by=by)
    person = walk_ins.name_person(registration=row, name=name, job_title=job_title, by=by)
    return _kept(event, by, nonce, CheckIn.Kind.WALK_IN, person, gate, scanned_at)


# ---- what the verbs share ----


@transaction.atomic
def recognise_phone(*, delegate: Delegate, by: User | None = None) -> str:
    """A delegate opened the badge on a phone, to answer from the hall with it: the pass the phone keeps.

    Whoever holds the badge is the delegate, as at the door; nobody has signed in.
    """
    if not audit.is_fresh("delegate.recognised", delegate, AGAIN):
        audit.record(by, "delegate.recognised", delegate, event=delegate.event.public_id)
        changes.record("delegate", delegate, "recognised")
    return permissions.pass_of(delegate)


def _check_staff(by: User, event: Event) -> None:
    if not permissions.can_check_in(by, event):
        raise DomainError(
            _("Only staff of this event check people in, on its days."), code="check_in.forbidden"
        )
    if event.status not in OPEN:
        raise DomainError(
            _("The event is not public or was called off: nobody is checked in."),
            code="check_in.closed",
        )


def _known(event: Event, by: User, nonce: uuid.UUID) -> Scan | None:
    row = (
        CheckIn.objects.filter(nonce=nonce)
        .select_related("delegate__registration__enterprise")
        .first()
    )
    if row is None:
        return None
    if row.event_id != event.pk or row.staff_id != by.pk:
        raise DomainError(
            _("This number belongs to another scan. Send the scan with a number of its own."),
            code="check_in.nonce_taken",
        )
    return Scan(row, first_valid(row.delegate) if row.delegate else None)


def _kept(
    event: Event,
    by: User,
    nonce: uuid.UUID,
    kind: CheckIn.Kind,
    person: Delegate | None,
    gate: str,
    scanned_at: datetime.datetime | None,
) -> Scan:
    _check_staff(by, event)
    now = timezone.now()
    moment = min(scanned_at or now, now)  # a device whose clock is fast scans no future
    if moment < event.starts_at - _CLOCKS:
        moment = now
    try:
        with transaction.atomic():
            # Scans of one person stand in one line: two doors at once let them in once.
            if person is not None:
                Delegate.objects.select_for_update(no_key=True).get(pk=person.pk)
            if (known := _known(event, by, nonce)) is not None:
                return known
            return _write(event, by, nonce, kind, person, gate.strip()[:40], moment)
    except IntegrityError:  # the same scan came in twice at once; the other one was faster
        if (known := _known(event, by, nonce)) is not None:
            return known
        raise


def _write(
    event: Event,
    by: User,
    nonce: uuid.UUID,
    kind: CheckIn.Kind,
    person: Delegate | None,
    gate: str,
    moment: datetime.datetime,
) -> Scan:
    before = first_valid(person) if person is not None and person.event_id == event.pk else None
    answer = _answer(event, person, kind, before)
    if answer not in (CheckIn.Answer.WELCOME, CheckIn.Answer.AGAIN, CheckIn.Answer.UNDONE):
        kind = CheckIn.Kind.REFUSED
    row = CheckIn.objects.create(
        event=event,
        delegate=person if person is not None and person.event_id == event.pk else None,
        gate=gate,
        staff=by,
        scanned_at=moment,
        nonce=nonce,
        kind=kind,
        answer=answer,
    )
    audit.record(by, "check_in.scanned", row, kind=kind, answer=answer)
    if row.delegate is not None and answer in (CheckIn.Answer.WELCOME, CheckIn.Answer.UNDONE):
        changes.record(
            "delegate", row.delegate, "arrived" if answer == CheckIn.Answer.WELCOME else "departed"
        )
        if Event.objects.filter(pk=event.pk, status=Event.Status.HELD).exists():
            participation.freeze(event=event)  # kept offline, and sent after the end
    return Scan(row, first_valid(row.delegate) if row.delegate is not None else None)


def _answer(
    event: Event, person: Delegate | None, kind: CheckIn.Kind, before: CheckIn | None
) -> CheckIn.Answer:
    if person is None:
        return CheckIn.Answer.UNKNOWN
    if person.event_id != event.pk:
        return CheckIn.Answer.WRONG_EVENT
    if kind == CheckIn.Kind.UNDO:
        return CheckIn.Answer.UNDONE
    row = person.registration
    if row.has_ended:
        return CheckIn.Answer.CANCELLED
    if row.status != Registration.Status.CONFIRMED:
        return CheckIn.Answer.WAITING
    if person.status != Delegate.Status.ACTIVE:
        return CheckIn.Answer.REPLACED
    return CheckIn.Answer.AGAIN if before is not None else CheckIn.Answer.WELCOME
