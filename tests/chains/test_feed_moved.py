"""R15: a dump restored in another cluster brings facts along whose transactions have yet to come there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import F

from chains import changes
from chains.models import Change, ChangeReader

AHEAD = 1_000_000_000  # transactions that the old cluster was ahead of this one


def told(*targets):
    return [Change.objects.create(noun="line", target=one, verb="told") for one in targets]


def read(name):
    with changes.unread(name) as facts:
        return [fact.target for fact in facts]


@pytest.fixture
def moved(committed):
    """Five facts, three of them read by one reader and one by another; then the cluster was changed."""
    told("a")
    assert read("slow") == ["a"]
    told("b", "c")
    assert read("fast") == ["a", "b", "c"]
    told("d", "e")
    Change.objects.update(transaction=F("transaction") + AHEAD)
    ChangeReader.objects.update(transaction=F("transaction") + AHEAD)


def test_facts_are_read_once_and_in_order_in_the_new_cluster(moved):
    told("f")

    assert read("slow") == ["b", "c", "d", "e", "f"]
    assert read("slow") == []
    assert read("fast") == ["d", "e", "f"]
    assert read("fast") == []
    assert read("new") == ["a", "b", "c", "d", "e", "f"]


def test_reader_that_is_the_first_in_the_new_cluster_and_has_read_nothing_before(moved):
    assert read("new") == ["a", "b", "c", "d", "e"]
    assert read("slow") == ["b", "c", "d", "e"]


def test_reader_that_was_done_goes_on(moved):
    assert read("fast") == ["d", "e"]
    told("g")

    assert read("fast") == ["g"]
    assert Change.objects.filter(transaction__lt=0).count() == 5


def test_facts_of_a_running_transaction_are_no_strangers(committed):
    told("a")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
    before = list(Change.objects.values_list("transaction", flat=True))

    assert read("any") == ["a"]
    assert read("any") == []
    assert list(Change.objects.values_list("transaction", flat=True)) == before
