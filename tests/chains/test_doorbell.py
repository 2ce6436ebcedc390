from __future__ import annotations

import logging

import psycopg
import pytest
from django.db import connection, transaction

from chains import changes, doorbell
from chains.models import Change
from matchmaking import tasks
from tests.factories.chains import EnterpriseFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broken(monkeypatch):
    def refused(_task, _args):
        raise ConnectionRefusedError

    monkeypatch.setattr("chains.doorbell._send", refused)


@pytest.mark.parametrize("is_atomic", [True, False])
def test_fact_stands_and_the_caller_goes_on_when_nobody_hears_the_ring(broken, is_atomic, caplog):
    enterprise = EnterpriseFactory()

    with caplog.at_level(logging.ERROR, "django"):
        if is_atomic:
            with transaction.atomic():
                changes.record("enterprise", enterprise, "verified")
        else:
            changes.record("enterprise", enterprise, "verified")

    assert Change.objects.filter(target=enterprise.public_id).count() == 1
    assert [type(record.exc_info[1]) for record in caplog.records] == [ConnectionRefusedError]


def test_nothing_is_rung_for_what_was_rolled_back(silent_doorbell):
    with transaction.atomic():
        doorbell.ring("some.task", 1)
        transaction.set_rollback(True)

    assert silent_doorbell == []


def test_reader_that_came_too_soon_is_rung_for_once_more(monkeypatch):
    """A fact beside an older transaction cannot be read yet; without a further ring it would wait for the sweeper."""
    later = []
    monkeypatch.setattr("chains.doorbell._send_later", later.append)
    monkeypatch.setattr("chains.doorbell._LATER", 60)  # however long this test takes
    tasks.read_changes()
    with psycopg.connect(connection.connection.info.dsn) as older:
        older.execute("SELECT pg_current_xact_id()")
        changes.record("enterprise", EnterpriseFactory(), "verified")

        tasks.read_changes()
        tasks.read_changes()  # one ring that comes later is enough

        assert later == ["matchmaking.tasks.read_changes"]
        assert changes.are_left("matching")
    tasks.read_changes()

    assert not changes.are_left("matching")
    assert later == ["matchmaking.tasks.read_changes"]
