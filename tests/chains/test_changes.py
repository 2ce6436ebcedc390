"""A fact nobody can act on is set aside after some tries; all others are acted on, each once."""

from __future__ import annotations

import datetime
import logging

import pytest
from django.db import OperationalError
from django.utils import timezone

from chains import changes
from chains.models import AuditEntry, Change, ChangeReader, Notification
from events import tasks as events_tasks
from matchmaking import tasks
from matchmaking.services import following
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, RegistrationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settled_feed")]


@pytest.fixture
def wait():
    """Let the time between two tries pass."""

    def pass_by():
        ChangeReader.objects.update(tried_at=timezone.now() - datetime.timedelta(minutes=1))

    return pass_by


def facts(*targets):
    return [Change.objects.create(noun="line", target=one, verb="told") for one in targets]


class Reader:
    """Keeps what it was given, and cannot act on the poisoned one."""

    def __init__(self):
        self.kept = []

    def __call__(self, found):
        for fact in found:
            AuditEntry.objects.create(action="test.acted", target=fact.target)
            if fact.target == "poison":
                raise ValueError("Zhang San 13800000000")
        self.kept += [fact.target for fact in found]


def acted():
    return sorted(AuditEntry.objects.filter(action="test.acted").values_list("target", flat=True))


def test_poisoned_fact_is_set_aside_after_three_tries_and_nothing_else_is_lost(wait, caplog):
    _a, _b, poison, _c, last = facts("a", "b", "poison", "c", "d")
    reader = Reader()

    first = changes.read("test", reader)
    held = ChangeReader.objects.get(name="test")
    wait()
    second = changes.read("test", reader)
    wait()
    third = changes.read("test", reader)

    assert [[one.target for one in read] for read in (first, second, third)] == [
        ["a", "b"],
        [],
        ["c", "d"],
    ]
    assert (held.change, held.stuck_on, held.tries) == (poison.pk - 1, poison.pk, 1)
    assert reader.kept == acted() == ["a", "b", "c", "d"]  # what the poisoned one began is undone
    place = ChangeReader.objects.get(name="test")
    assert (place.change, place.stuck_on, place.tries) == (last.pk, None, 0)
    entry = AuditEntry.objects.get(action="change.skipped")
    assert (entry.actor, entry.target, entry.data) == (
        None,
        f"chains.Change:{poison.pk}",
        {
            "reader": "test",
            "noun": "line",
            "row": "poison",
            "verb": "told",
            "fault": "ValueError",
        },
    )
    assert [r.message for r in caplog.records if "aside" in r.message] == [
        "Reader test has set line:poison told aside after 3 tries."
    ]


def test_rings_that_follow_at_once_are_one_try(caplog):
    caplog.set_level(logging.CRITICAL)
    facts("poison", "a")
    reader = Reader()

    for _ring in range(5):
        assert changes.read("test", reader) == []

    assert ChangeReader.objects.get(name="test").tries == 1
    assert reader.kept == []


def test_a_fault_that_passes_loses_nothing(wait, caplog):
    facts("a", "b")
    kept, faults = [], [ValueError, ValueError]

    def act(found):
        if faults:
            raise faults.pop()
        kept.extend(one.target for one in found)

    assert changes.read("test", act) == []
    wait()
    changes.read("test", act)

    assert kept == ["a", "b"]
    assert not AuditEntry.objects.filter(action="change.skipped").exists()


def test_while_the_database_is_away_nothing_is_counted():
    facts("a")

    def act(_found):
        raise OperationalError

    for _ring in range(4):
        with pytest.raises(OperationalError):
            changes.read("test", act)

    assert (ChangeReader.objects.get(name="test").change, AuditEntry.objects.count()) == (0, 0)


def nothing(*, facts, by=None):
    """Does nothing about the facts."""


def test_matching_goes_on_behind_a_poisoned_fact(monkeypatch, wait):
    facts("a", "poison", "b")
    seen = []

    def react(*, facts, by=None):
        if any(fact.target == "poison" for fact in facts):
            raise KeyError("poison")
        seen.extend(fact.target for fact in facts)

    monkeypatch.setattr(following, "react", react)
    monkeypatch.setattr(following, "read_texts", nothing)

    for _ring in range(3):
        tasks.read_changes()
        wait()

    assert seen == ["a", "b"]


def test_matching_goes_on_when_texts_cannot_be_read_ahead(monkeypatch):
    facts("a")

    def fail(*, facts, by=None):
        raise ValueError

    monkeypatch.setattr(following, "react", nothing)
    monkeypatch.setattr(following, "read_texts", fail)

    tasks.read_changes()

    assert ChangeReader.objects.get(name="matching").change == Change.objects.latest("pk").pk


def test_events_go_on_behind_a_poisoned_fact(monkeypatch, wait):
    member, event = MembershipFactory(), EventFactory()
    row = RegistrationFactory(event=event, enterprise=member.enterprise)
    Change.objects.create(noun="registration", target="poison", verb="confirmed")
    Change.objects.create(noun="registration", target=row.public_id, verb="confirmed")
    tell = events_tasks._tell

    def fragile(public_id, verb):
        if public_id == "poison":
            raise ValueError
        tell(public_id, verb)

    monkeypatch.setattr(events_tasks, "_tell", fragile)

    for _ring in range(3):
        events_tasks.read_changes()
        wait()

    assert Notification.objects.filter(to=member.user, channel="in_app").count() == 1


def test_fact_that_comes_while_others_are_acted_on_waits_for_no_sweeper(monkeypatch):
    """Its own ring found the feed held by this very task."""
    told = []

    def act(*, facts):
        if not told:
            Change.objects.create(noun="line", target="late", verb="told")
        told.extend(fact.target for fact in facts)

    monkeypatch.setattr(following, "react", act)
    facts("early")

    tasks.read_changes()

    assert told == ["early", "late"]


@pytest.fixture
def feed(settings, monkeypatch):
    """Facts of so many days ago, in transactions 1 to 6; of them the newest one stays whatever its age."""
    settings.CHANGES_KEPT_DAYS = 30
    monkeypatch.setattr(changes, "_NEWEST_STAY", 1)
    monkeypatch.setattr(changes, "_FORGOTTEN_AT_ONCE", 3)
    Change.objects.all().delete()
    ChangeReader.objects.all().delete()
    for number, days in enumerate((90, 60, 31, 40, 29, 90), 1):
        row = Change.objects.create(
            noun="enterprise", target=f"t{number}", verb="edited", transaction=number
        )
        Change.objects.filter(pk=row.pk).update(at=timezone.now() - datetime.timedelta(days=days))
    return lambda: list(Change.objects.order_by("transaction").values_list("transaction", flat=True))  # fmt: skip


def read_up_to(name, transaction):
    at = Change.objects.get(transaction=transaction)
    ChangeReader.objects.update_or_create(
        name=name, defaults={"transaction": transaction, "change": at.pk}
    )


def test_facts_that_some_reader_has_not_seen_are_never_forgotten(feed):
    assert changes.forget_old() == 0  # nobody has read anything
    read_up_to("matching", 6)
    read_up_to("events", 2)

    assert (changes.forget_old(), feed()) == (2, [3, 4, 5, 6])
    with changes.unread("events") as rows:
        assert [row.transaction for row in rows] == [3, 4, 5, 6]


def test_facts_go_once_they_are_old_and_the_newest_stay(feed, settings):
    read_up_to("matching", 6)

    assert (changes.forget_old(most=2), feed()) == (3, [4, 5, 6])  # a batch, then enough
    # Up to the first that is too young: what lies behind waits for it.
    assert (changes.forget_old(), feed()) == (1, [5, 6])
    settings.CHANGES_KEPT_DAYS = 20
    assert (changes.forget_old(), feed()) == (1, [6])
    assert (changes.forget_old(), feed()) == (0, [6])
