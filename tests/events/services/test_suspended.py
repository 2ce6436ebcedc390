"""A suspended enterprise reads, nothing else: it keeps its place in the queue and gets no seat."""

from __future__ import annotations

import pytest

from chains.models import Change, Enterprise
from events import tasks
from events.models import Registration
from events.services import registration
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def apply(event, seats=1):
    who = MembershipFactory()
    return registration.register(event=event, enterprise=who.enterprise, seats=seats, by=who.user)


def owner(row):
    return row.enterprise.memberships.get().user


def states(*rows):
    return [Registration.objects.get(pk=row.pk).status for row in rows]


def set_status(row, status):
    Enterprise.objects.filter(pk=row.enterprise_id).update(status=status)
    verb = {"suspended": "suspended", "verified": "reinstated"}[status]
    Change.objects.create(noun="enterprise", target=row.enterprise.public_id, verb=verb)


def test_suspended_enterprise_is_passed_over_and_the_next_one_moves_up():
    event = EventFactory(seats=1)
    seated, head, following = apply(event), apply(event), apply(event)
    set_status(head, "suspended")

    registration.cancel(registration=seated, by=owner(seated))

    assert states(seated, head, following) == ["cancelled", "waitlisted", "offered"]
    assert event.tiers.get().taken == 1


def test_suspended_head_does_not_hold_up_who_arrives():
    event = EventFactory(seats=1)
    seated, head = apply(event), apply(event)
    set_status(head, "suspended")
    registration.cancel(registration=seated, by=owner(seated))

    late = apply(event)

    assert states(head, late) == ["waitlisted", "confirmed"]


def test_queue_moves_when_its_head_is_suspended_and_when_it_is_back(settled_feed):
    event = EventFactory(seats=2)
    seated, head, following = apply(event, 1), apply(event, 2), apply(event, 1)
    assert states(head, following) == [
        "waitlisted",
        "waitlisted",
    ]  # the head asks for more than is free

    set_status(head, "suspended")
    tasks.read_changes()
    assert states(head, following) == ["waitlisted", "offered"]

    for row in (seated, following):
        registration.cancel(registration=row, by=owner(row))
    assert states(head) == ["waitlisted"]
    set_status(head, "verified")
    tasks.read_changes()
    assert states(head) == ["offered"]
