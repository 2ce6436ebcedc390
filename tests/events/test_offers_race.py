"""R3: many at once answer, let lapse and move up. Sixteen database sessions, each a connection of its own."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db.models import Sum
from django.utils import timezone

from chains import audit
from chains.errors import DomainError
from chains.models import AuditEntry
from events import tasks
from events.models import Registration, Tier
from events.services import offers, waiting_list
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, RegistrationFactory
from tests.faults.test_rush import SESSIONS, at_once

SEATS = 8


def queue_of(event, count):
    """Rows past the services: what is tried here begins after the queue has formed."""
    people = [MembershipFactory() for _ in range(count)]
    rows = [
        RegistrationFactory(event=event, enterprise=who.enterprise, status="waitlisted")
        for who in people
    ]
    return list(zip(rows, people, strict=True))


def offers_of(row):
    return AuditEntry.objects.filter(action="registration.offered", target=audit.label(row)).count()


@pytest.mark.race
def test_every_seat_is_offered_once_while_all_answer_and_the_clock_strikes(committed):
    event = EventFactory(seats=SEATS)
    people = queue_of(event, 3 * SEATS)
    waiting_list.promote(event)
    late = people[: SEATS // 2]
    Registration.objects.filter(pk__in=[row.pk for row, _who in late]).update(
        offer_expires_at=timezone.now() - datetime.timedelta(seconds=1)
    )
    refused = []

    def answer(row, who):
        try:
            offers.accept(registration=row, by=who.user)
        except DomainError as error:
            refused.append(error.code)

    errors = at_once(
        [
            *(lambda row=row, who=who: answer(row, who) for row, who in people[:SEATS]),
            *([tasks.keep_waiting_lists] * 2 * SESSIONS),
            *(lambda row=row, who=who: answer(row, who) for row, who in people[:SEATS]),
        ]
    )

    assert errors == []
    assert set(refused) <= {"registration.offer_lapsed", "registration.not_offered"}
    assert (
        list(event.registrations.order_by("queue_no").values_list("status", flat=True))
        == ["lapsed"] * 4 + ["confirmed"] * 4 + ["offered"] * 4 + ["waitlisted"] * 12
    )
    held = event.registrations.aggregate(held=Sum("seats_held"))["held"]
    assert Tier.objects.get().taken == held == SEATS
    assert {offers_of(row) for row, _who in people[: SEATS + 4]} == {1}
    assert AuditEntry.objects.filter(action="registration.offered").count() == SEATS + 4


@pytest.mark.race
def test_a_naive_promoter_offers_the_same_seat_again(committed):
    """The negative control: whoever reads the queue before writing, without the lock, gives one seat many times."""
    event = EventFactory(seats=1)
    ((row, _who),) = queue_of(event, 1)
    all_have_read = threading.Barrier(SESSIONS)

    def naive():
        held = event.registrations.aggregate(held=Sum("seats_held", default=0))["held"]
        head = event.registrations.waiting().in_queue_order(event.waiting_rule).first()
        all_have_read.wait(timeout=30)
        if held < 1:
            head.status, head.seats_held = "offered", 1
            head.offer_expires_at = timezone.now()
            head.save()
            audit.record(None, "registration.offered", head)

    errors = at_once([naive] * SESSIONS)

    assert errors == []
    assert offers_of(row) == SESSIONS
