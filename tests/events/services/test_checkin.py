"""J18 and R14: who is in is decided once, however often and from wherever a scan is sent."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Change
from events import statistics
from events.models import CheckIn, Delegate, EventStaff, Registration, Tier
from events.services import checkin, registration
from tests.factories.chains import EnterpriseFactory, MembershipFactory, UserFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)


def today(**fields):
    now = timezone.now()
    return EventFactory(starts_at=now - 60 * MINUTE, ends_at=now + 300 * MINUTE, **fields)


def guest(event, status="confirmed", **fields):
    row = RegistrationFactory(event=event, status=status, seats_asked=2)
    return Delegate.objects.create(registration=row, event=event, name="Delegate A", **fields)


def scan(event, by, code="", **fields):
    fields.setdefault("nonce", uuid.uuid4())
    return checkin.check_in(event=event, by=by, code=code, **fields)


def desk_of(event):
    return EventStaff.objects.create(event=event, user=UserFactory(), role="desk").user


@pytest.mark.parametrize(
    "code",
    [
        lambda one: one.token,
        lambda one: f"https://example.com/c/{one.token}/",
        lambda one: f"https://example.com/c/{one.token}?from=singlemessage#top",
        lambda one: f" {one.short_code.upper()} ",
        lambda one: f"{one.short_code[:3]}-{one.short_code[3:]}",
        lambda one: f"\u200b{one.short_code[:3]}–{one.short_code[3:]}。",
        lambda one: f"码：{one.short_code}",
        lambda one: f"weixin://x?u=https%3A%2F%2Fexample.com%2Fc%2F{one.token}%2F",
        # A scanner that types, and capitals are locked.
        lambda one: f"https://example.com/c/{one.token}/".swapcase(),
        lambda one: one.token.swapcase(),
        # As an input method for Chinese types it.
        lambda one: "".join(chr(ord(letter) + 0xFEE0) for letter in one.short_code),
    ],
)
def test_a_code_lets_in_however_it_is_read(code):
    event = today()
    person, by = guest(event), desk_of(event)

    found = scan(event, by, code(person), gate="Gate 1")

    assert (found.row.answer, found.row.delegate, found.first) == ("welcome", person, found.row)
    assert statistics.heads(event)[:3] == (1, 2, 1)
    entry = AuditEntry.objects.get(action="check_in.scanned")
    assert (entry.actor, entry.data) == (by.pk, {"kind": "in", "answer": "welcome"})
    assert [(c.noun, c.target, c.verb) for c in Change.objects.all()] == [
        ("delegate", person.public_id, "arrived")
    ]


def test_the_same_scan_sent_again_is_one_scan_and_one_answer():
    event = today()
    person, by, nonce = guest(event), desk_of(event), uuid.uuid4()

    answers = [scan(event, by, person.token, nonce=nonce) for _ in range(3)]

    assert [one.row.answer for one in answers] == ["welcome"] * 3
    assert CheckIn.objects.count() == AuditEntry.objects.count() == 1
    with pytest.raises(DomainError) as refused:
        scan(event, organiser_of(event), person.token, nonce=nonce)
    assert refused.value.code == "check_in.nonce_taken"


def test_two_doors_scan_one_badge_heads_count_once_and_the_doors_stand_apart():
    """The case: two doors scan one badge, offline and online. The scan kept offline was the first."""
    event = today()
    person, one, two = guest(event), desk_of(event), desk_of(event)
    early = timezone.now() - 4 * MINUTE

    online = scan(event, two, person.short_code, gate="Gate 2")
    late = scan(event, one, person.short_code, gate="Gate 1", scanned_at=early)

    assert (online.row.answer, late.row.answer) == ("welcome", "again")
    assert (late.first.gate, late.first.scanned_at) == ("Gate 1", early)
    assert statistics.heads(event).inside == 1
    assert [(row["gate"], row["scans"], row["again"]) for row in statistics.by_gate(event)] == [
        ("Gate 1", 1, 1),
        ("Gate 2", 1, 0),
    ]
    (duplicate,) = statistics.duplicates(event)
    assert (duplicate.first.gate, duplicate.again.gate) == ("Gate 1", "Gate 1")


def refused_guest(event, what):
    if what == "wrong_event":
        return guest(today())
    if what == "unknown":
        return Delegate(token="x" * 32)
    return guest(
        event, status={"cancelled": "cancelled", "waiting": "waitlisted"}.get(what, "confirmed")
    )


@pytest.mark.parametrize("what", ["wrong_event", "unknown", "replaced", "cancelled", "waiting"])
def test_whoever_has_no_seat_is_refused_and_told_apart(what):
    event = today()
    person = refused_guest(event, what)
    if what == "replaced":
        Delegate.objects.filter(pk=person.pk).update(status="replaced")

    found = scan(event, desk_of(event), person.token)

    assert (found.row.answer, found.row.kind, found.first) == (what, "refused", None)
    assert statistics.heads(event).inside == 0
    assert Change.objects.count() == 0
    # Of another event nothing is kept: its guests are not this desk's business.
    assert (found.row.delegate is None) == (what in ("wrong_event", "unknown"))


def test_undo_takes_the_person_out_and_a_new_scan_lets_them_in_again():
    event = today()
    person, by = guest(event), desk_of(event)
    scan(event, by, person.token, scanned_at=timezone.now() - 3 * MINUTE)

    undone = checkin.undo(event=event, by=by, nonce=uuid.uuid4(), delegate=person)
    heads = statistics.heads(event).inside
    again = scan(event, by, person.token)

    assert (undone.row.answer, undone.first, heads) == ("undone", None, 0)
    assert (again.row.answer, again.first, statistics.heads(event).inside) == (
        "welcome",
        again.row,
        1,
    )


def test_a_device_with_a_wrong_clock_scans_now():
    event = today()
    person, by = guest(event), desk_of(event)

    for wrong in (timezone.now() + 9 * MINUTE, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)):
        row = scan(event, by, person.token, scanned_at=wrong).row
        assert abs(row.scanned_at - row.received_at) < MINUTE


@pytest.mark.parametrize(
    "who", ["stranger", "desk_elsewhere", "desk_too_early", "moderator", "own"]
)
def test_only_staff_of_the_event_check_in_on_its_days(who):
    event = EventFactory() if who == "desk_too_early" else today()
    person = guest(event)
    by = {
        "stranger": UserFactory,
        "desk_elsewhere": lambda: desk_of(today()),
        "desk_too_early": lambda: desk_of(event),
        "moderator": lambda: (
            EventStaff.objects.create(event=event, user=UserFactory(), role="moderator").user
        ),
        "own": lambda: MembershipFactory(enterprise=person.registration.enterprise).user,
    }[who]()

    with pytest.raises(DomainError) as refused:
        scan(event, by, person.token)

    assert refused.value.is_refusal
    assert CheckIn.objects.count() == 0


def test_nobody_is_checked_in_at_an_event_that_was_called_off():
    event = today()
    person, by = guest(event), organiser_of(event)
    type(event).objects.filter(pk=event.pk).update(status="cancelled", cancel_reason="Storm")
    event.refresh_from_db()

    with pytest.raises(DomainError) as refused:
        scan(event, by, person.token)

    assert refused.value.code == "check_in.closed"


def test_what_a_door_sent_is_never_changed():
    event = today()
    row = scan(event, desk_of(event), guest(event).token).row

    for change in (lambda: CheckIn.objects.update(gate="x"), row.delete):
        with pytest.raises(Exception, match="append_only"), transaction.atomic():
            change()


# ---- without a badge ----


def walk_in(event, by, enterprise, name="Colleague B", nonce=None):
    return checkin.walk_in(
        event=event, by=by, enterprise=enterprise, name=name, nonce=nonce or uuid.uuid4()
    )


def test_a_colleague_takes_a_seat_nobody_is_named_for_once():
    event = today()
    person, by, nonce = guest(event), desk_of(event), uuid.uuid4()
    enterprise = person.registration.enterprise

    first, again = (walk_in(event, by, enterprise, nonce=nonce) for _ in range(2))

    assert (first.row.kind, first.row.answer, again.row.pk) == ("walk_in", "welcome", first.row.pk)
    assert person.registration.delegates.count() == 2
    with pytest.raises(DomainError) as refused:
        walk_in(event, by, enterprise, name="Colleague C")
    assert refused.value.code == "registration.no_seat_unnamed"
    # Three persons without a name would become one: an empty name is no person.
    with pytest.raises(DomainError):
        walk_in(event, by, enterprise, name=" ")


def test_walk_ins_follow_what_the_event_says():
    event = today(walk_ins="nobody")
    person, by = guest(event), desk_of(event)
    with pytest.raises(DomainError) as refused:
        walk_in(event, by, person.registration.enterprise)
    assert refused.value.code == "registration.no_walk_ins"

    event = today(walk_ins="free_seats", seats=2)
    by, new, second = desk_of(event), EnterpriseFactory(), EnterpriseFactory()
    waits = RegistrationFactory(event=event, status="waitlisted")
    assert walk_in(event, by, new).row.answer == "welcome"
    assert walk_in(event, by, waits.enterprise).row.answer == "welcome"
    with pytest.raises(DomainError) as refused:
        walk_in(event, by, second)
    assert refused.value.code == "registration.no_free_seat"
    assert Tier.objects.get(event=event).taken == 2
    assert sorted(Registration.objects.filter(event=event).values_list("status", flat=True)) == [
        "confirmed", "confirmed",
    ]  # fmt: skip


# ---- what holds below ----


def test_the_database_stores_a_nonce_once_and_lets_nobody_in_without_a_person():
    event = today()
    row = scan(event, desk_of(event), guest(event).token).row
    fields = {"event": event, "staff": row.staff, "scanned_at": row.scanned_at, "answer": "welcome"}

    with pytest.raises(IntegrityError), transaction.atomic():
        CheckIn.objects.create(**fields, nonce=row.nonce, kind="in", delegate=row.delegate)
    with pytest.raises(IntegrityError), transaction.atomic():
        CheckIn.objects.create(**fields, nonce=uuid.uuid4(), kind="in")


def test_registrations_and_doors_agree_who_is_named():
    event = today()
    person = guest(event)
    registration.save_delegates(
        registration=person.registration,
        names=["Somebody else"],
        by=MembershipFactory(enterprise=person.registration.enterprise).user,
    )

    assert scan(event, desk_of(event), person.token).row.answer == "replaced"
