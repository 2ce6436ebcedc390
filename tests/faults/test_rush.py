"""R1: the rush for seats. At least sixteen database sessions at once, each a connection of its own."""

from __future__ import annotations

import random
import threading

import pytest
from django.db import connection, connections
from django.db.models import Sum

from chains.models import Qualification, QualificationKind
from events.models import Registration, Tier
from events.services import admission, registration, waiting_list
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

SESSIONS = 16
KEPT = ("chains_enterprise", "chains_user", "chains_auditentry", "chains_change", "events_event")


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """Rows that other sessions can see. Afterwards what hangs on the rows made here goes; the reference data stays."""
    with django_db_blocker.unblock():
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(KEPT)} CASCADE")
        connections.close_all()


def at_once(jobs):
    """Run the jobs in sixteen sessions that start together; the errors of all."""
    waiting, errors, start = list(jobs), [], threading.Barrier(SESSIONS)
    pids = set()

    def session():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.add(cursor.fetchone()[0])
            start.wait(timeout=30)
            while waiting:
                try:
                    job = waiting.pop()
                except IndexError:
                    return
                job()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=session) for _ in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(pids) == SESSIONS
    return errors


def applicants(count, seed):
    """Some little giants, some that take fewer seats, in the order of the seed."""
    dice = random.Random(seed)
    kind = QualificationKind.objects.get(code="little_giant")
    rows = []
    for number in range(count):
        who = MembershipFactory()
        if number % 5 == 0:
            Qualification.objects.create(
                enterprise=who.enterprise, kind=kind, valid_from="2020-01-01", status="verified"
            )
        rows.append((who, dice.choice((1, 1, 2)), dice.random() < 0.5))
    dice.shuffle(rows)
    return rows


def oversold(event):
    """Seats confirmed beyond those there are."""
    held = event.registrations.aggregate(held=Sum("seats_held"))["held"] or 0
    return held - event.tiers.aggregate(seats=Sum("seats"))["seats"]


def check_in_sql(event, count):
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*), count(DISTINCT enterprise_id) FROM events_registration WHERE event_id = %s""",
            [event.pk],
        )
        assert cursor.fetchone() == (count, count)
        cursor.execute(
            """SELECT t.id FROM events_tier t LEFT JOIN events_registration r ON r.tier_id = t.id
               WHERE t.event_id = %s GROUP BY t.id
               HAVING t.taken <> COALESCE(sum(r.seats_held), 0) OR t.taken > t.seats""",
            [event.pk],
        )
        assert cursor.fetchall() == []
        # Nobody overtakes: no seat went to one who came after somebody who still waits for the same tier.
        cursor.execute(
            """SELECT late.id FROM events_registration late
               JOIN events_tier t ON t.id = late.tier_id
               JOIN events_registration early ON early.event_id = late.event_id
                AND early.status = 'waitlisted' AND (t.is_general OR early.tier_id = t.id)
               WHERE late.event_id = %s AND late.status = 'confirmed' AND late.queue_no > early.queue_no""",
            [event.pk],
        )
        assert cursor.fetchall() == []
        # The queue: ranks 1…n in the order of the numbers drawn from the sequence.
        cursor.execute(
            """SELECT id FROM events_registration WHERE event_id = %s AND status = 'waitlisted'
               ORDER BY queue_no""",
            [event.pk],
        )
        queue = [pk for (pk,) in cursor.fetchall()]
        # An answer, its line in the trail and its news stand or fall together.
        cursor.execute(
            """SELECT (SELECT count(*) FROM chains_auditentry WHERE action LIKE 'registration.%%'),
                      (SELECT count(*) FROM chains_change WHERE noun = 'registration')"""
        )
        assert cursor.fetchone() == (count, count)
    ranks = waiting_list.ranks(event, Registration.objects.filter(pk__in=queue))
    assert [ranks[pk] for pk in queue] == list(range(1, len(queue) + 1))


@pytest.mark.race
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rush_confirms_every_seat_once_and_queues_the_rest_in_order(committed, seed):
    event = EventFactory(seats=30)
    TierFactory(event=event, seats=10)
    rows = applicants(120, seed)

    errors = at_once(
        [
            lambda who=who, seats=seats, partial=partial: registration.register(
                event=event,
                enterprise=who.enterprise,
                seats=seats,
                by=who.user,
                accepts_partial=partial,
            )
            for who, seats, partial in rows
        ]
    )

    assert errors == []
    check_in_sql(event, 120)
    assert oversold(event) <= 0
    assert (
        event.tiers.get(is_general=True).free <= 1
    )  # at most the seat a head that asks for two blocks


@pytest.mark.race
def test_rush_naive_oversells(committed):
    """The negative control: read, then write. The same sixteen sessions sell seats that are not there."""
    event = EventFactory(seats=5)
    tier = event.tiers.get()
    rows = [MembershipFactory() for _ in range(SESSIONS)]
    all_have_read = threading.Barrier(SESSIONS)

    def naive(who):
        taken = event.registrations.aggregate(held=Sum("seats_held"))["held"] or 0
        all_have_read.wait(timeout=30)
        if taken < tier.seats:
            Registration.objects.create(
                event=event, enterprise=who.enterprise, status="confirmed", tier=tier,
                seats_asked=1, seats_held=1,
            )  # fmt: skip

    errors = at_once([lambda who=who: naive(who) for who in rows])

    assert errors == []
    assert oversold(event) == SESSIONS - 5


@pytest.mark.race
def test_row_12_concurrent_approvals_never_confirm_more_than_there_is(committed):
    event = EventFactory(seats=20, admission="reviewed")
    by = organiser_of(event)
    rows = [
        registration.register(
            event=event,
            enterprise=who.enterprise,
            seats=seats,
            by=who.user,
            accepts_partial=partial,
        )
        for who, seats, partial in applicants(48, 7)
    ]

    errors = at_once(
        [lambda row=row: admission.approve(registration=row, by=by) for row in rows * 2]
    )

    assert errors == []
    tier = Tier.objects.get(event=event)
    assert tier.taken == sum(event.registrations.values_list("seats_held", flat=True)) <= 20
    assert not event.registrations.filter(status="submitted").exists()


@pytest.mark.race
@pytest.mark.parametrize("names", [[], ["Delegate A", "Delegate B"]])
def test_one_enterprise_from_two_tabs_is_seated_once(committed, names):
    event, who = EventFactory(seats=SESSIONS), MembershipFactory()

    errors = at_once(
        [
            lambda: registration.register(
                event=event, enterprise=who.enterprise, seats=2, by=who.user, delegates=names
            )
        ]
        * SESSIONS
    )

    assert errors == []
    row = Registration.objects.get()
    assert (row.status, row.seats_held, Tier.objects.get().taken) == ("confirmed", 2, 2)
    assert sorted(row.delegates.values_list("name", flat=True)) == names


@pytest.mark.race
def test_seats_given_back_at_once_go_to_the_next_in_line_once_each(committed):
    event = EventFactory(seats=SESSIONS)
    seated = [MembershipFactory() for _ in range(SESSIONS)]
    waiting = [MembershipFactory() for _ in range(SESSIONS + 4)]
    rows = [
        registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
        for who in seated + waiting
    ]

    errors = at_once(
        [
            lambda row=row, who=who: registration.cancel(registration=row, by=who.user)
            for row, who in zip(rows, seated, strict=False)
        ]
    )

    assert errors == []
    assert (
        list(event.registrations.order_by("queue_no").values_list("status", flat=True))
        == ["cancelled"] * SESSIONS + ["offered"] * SESSIONS + ["waitlisted"] * 4
    )
    assert Tier.objects.get().taken == SESSIONS
