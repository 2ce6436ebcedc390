from __future__ import annotations

import datetime
import threading
from functools import partial

import pytest
import time_machine
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Requirement
from chains.services import requirements
from events import statistics
from events.services import events
from tests.factories.chains import RequirementFactory, UserFactory
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db


def in_hours(count):
    return timezone.now() + datetime.timedelta(hours=count)


@pytest.fixture
def scene():
    """An event whose list opens in two hours: two are approved, one waits for its desk, one is public already."""
    event = EventFactory(
        starts_at=in_hours(6), ends_at=in_hours(9), registration_closes_at=in_hours(1)
    )
    by = organiser_of(event)
    rows = [
        RequirementFactory(submitted=True),
        RequirementFactory(submitted=True),
        RequirementFactory(submitted=True),
        RequirementFactory(),
    ]
    for row in rows:
        events.list_requirement(event=event, requirement=row, by=by)
    events.set_list_moment(event=event, at=in_hours(2), by=by)
    for row in rows[:2]:
        requirements.approve(requirement=row, by=by)
    event.refresh_from_db()
    return event, by, rows


def states(rows):
    found = dict(Requirement.objects.values_list("pk", "status"))
    return [found[row.pk] for row in rows]


HELD = ["approved", "approved", "submitted", "published"]
OPEN = ["published", "published", "submitted", "published"]


def lines(action):
    return list(AuditEntry.objects.filter(action=action).values_list("actor", "data"))


def test_list_opens_at_its_moment_in_one_transaction_and_says_so_once(scene):
    event, _by, rows = scene
    assert (requirements.publish_due(), events.release_due_lists()) == (0, 0)
    assert states(rows) == HELD

    with time_machine.travel(in_hours(2.01), tick=False):
        opened = (events.release_due_lists(), events.release_due_lists())
        event.refresh_from_db()

    assert opened == (1, 0)
    assert states(rows) == OPEN
    assert event.list_released_at is not None
    assert lines("event.list_released") == [(None, {"public": 3, "left_out": 1})]
    facts = Change.objects.filter(verb__in=["published", "list_released"])
    # Both came out with the fact that the list did: nobody reads half of it.
    assert len(set(facts.values_list("transaction", flat=True))) == 1
    assert facts.count() == 3


def test_what_has_the_same_moment_comes_out_in_one_transaction_or_not_at_all(scene, monkeypatch):
    _event, _by, rows = scene
    publish = requirements._publish

    def fails_at_the_second(requirement, *, by):
        if requirement.pk == rows[1].pk:
            raise RuntimeError
        publish(requirement, by=by)

    monkeypatch.setattr(requirements, "_publish", fails_at_the_second)

    with time_machine.travel(in_hours(2.01)):
        assert requirements.publish_due() == 0

    assert states(rows) == HELD


def test_approved_after_the_moment_is_public_at_once(scene):
    event, by, rows = scene
    with time_machine.travel(in_hours(2.01)):
        events.release_due_lists()

        requirements.approve(requirement=rows[2], by=by)

    assert states(rows)[2] == "published"
    assert statistics.list_state(event.listings.select_related("requirement")).out == []


def test_moment_that_is_moved_holds_back_until_the_new_one(scene):
    event, by, rows = scene

    events.set_list_moment(event=event, at=in_hours(5), by=by)

    with time_machine.travel(in_hours(2.01)):
        assert (requirements.publish_due(), events.release_due_lists()) == (0, 0)
    assert states(rows) == HELD
    with time_machine.travel(in_hours(5.01)):
        assert events.release_due_lists() == 1
    assert states(rows) == OPEN


def test_moment_taken_back_opens_nothing_until_the_event_ends(scene):
    event, by, rows = scene

    events.set_list_moment(event=event, at=None, by=by)

    event.refresh_from_db()
    assert (event.list_is_held, event.keeps_list_back, states(rows)) == (True, True, HELD)
    with time_machine.travel(event.ends_at - datetime.timedelta(seconds=1)):
        assert (requirements.publish_due(), events.release_due_lists()) == (0, 0)
    later = event.ends_at + datetime.timedelta(days=1)
    events.edit(event=event, ends_at=later, by=by)
    with time_machine.travel(later - datetime.timedelta(seconds=1)):
        assert requirements.publish_due() == 0
    with time_machine.travel(later):
        assert requirements.publish_due() == 2
    assert states(rows) == OPEN


def test_released_by_hand_at_once_and_for_good(scene):
    event, by, rows = scene

    released = events.release_list(event=event, by=by)
    again = events.release_list(event=event, by=by)

    assert states(rows) == OPEN
    assert again.list_released_at == released.list_released_at
    assert lines("event.list_released") == [(by.pk, {"public": 3, "left_out": 1})]
    for at in (None, in_hours(3)):
        with pytest.raises(DomainError, match="public already"):
            events.set_list_moment(event=event, at=at, by=by)
    with time_machine.travel(in_hours(8)):
        assert events.release_due_lists() == 0


def test_moment_in_the_past_is_refused_and_strangers_set_none(scene):
    event, by, rows = scene

    with pytest.raises(DomainError, match="still to come"):
        events.set_list_moment(event=event, at=in_hours(-1), by=by)
    stranger = UserFactory()
    with pytest.raises(DomainError) as refused:
        events.release_list(event=event, by=stranger)
    assert refused.value.is_refusal
    with pytest.raises(DomainError) as refused:
        events.set_list_moment(event=event, at=None, by=stranger)
    assert refused.value.is_refusal
    assert states(rows) == HELD


def test_state_of_the_list_names_what_would_stay_out(scene, client):
    event, by, rows = scene

    state = statistics.list_state(event.listings.select_related("requirement"))

    assert (state.listed, state.public, state.ready, state.out) == (4, 1, 2, [rows[2]])

    client.force_login(by)
    page = client.get(reverse("events:event_listing", args=[event.public_id]))
    assertContains(page, "1 of 4 listed is not approved yet")
    overview = client.get(reverse("events:event_overview", args=[event.public_id]))
    assertContains(overview, "1 not approved yet")
    client.post(page.wsgi_request.path, {"action": "release"})
    assert states(rows) == OPEN
    again = client.post(page.wsgi_request.path, {"action": "moment", "at": ""}, follow=True)
    assertContains(again, "What is public stays public.")


def at_once(*calls):
    """Each on a connection of its own."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        try:
            call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


@pytest.mark.race
@pytest.mark.parametrize("is_locked", [True, False])
def test_workers_and_an_organiser_at_once_release_it_once(committed, monkeypatch, is_locked):
    """Without the lock – the negative control – the trail says it more than once."""
    event = EventFactory()
    by = organiser_of(event)
    rows = [RequirementFactory(submitted=True) for _ in range(2)]
    for row in rows:
        events.list_requirement(event=event, requirement=row, by=by)
    events.set_list_moment(event=event, at=in_hours(1), by=by)
    for row in rows:
        requirements.approve(requirement=row, by=by)
    past = timezone.now() - datetime.timedelta(seconds=1)
    type(event).objects.update(list_published_at=past)
    Requirement.objects.update(embargoed_until=past)
    if not is_locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_how: rows)
        monkeypatch.setattr(requirements, "publish_due", threading.Barrier(4).wait)

    if is_locked:
        by_hand = partial(events.release_list, event=event, by=by)
        at_once(*[events.release_due_lists] * 3, by_hand, *[requirements.publish_due] * 2)
    else:
        at_once(*[events.release_due_lists] * 4)

    said = AuditEntry.objects.filter(action="event.list_released").count()
    assert (said == 1) is is_locked
    if is_locked:
        assert states(rows) == ["published", "published"]
        assert AuditEntry.objects.filter(action="requirement.published").count() == len(rows)
