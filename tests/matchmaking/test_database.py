"""A connection kept between requests and tasks: no query asks whether it stands, and one that the server ended is left."""

from __future__ import annotations

import time

import psycopg
import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection
from django.db.backends.postgresql import base

from matchmaking import tasks
from matchmaking.celery import app


@pytest.mark.django_db(transaction=True)
def test_connection_that_stands_is_asked_nothing_and_one_the_server_ended_is_opened_anew(
    monkeypatch,
):
    def served_by():
        connection.health_check_enabled, connection.health_check_done = True, False
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    first = served_by()
    with monkeypatch.context() as patch:
        patch.setattr(base.DatabaseWrapper, "is_usable", lambda _self: pytest.fail("asked"))
        assert served_by() == first

    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])

    assert served_by() != first


@pytest.mark.django_db(transaction=True)
def test_worker_keeps_its_session_from_task_to_task_until_it_is_too_old():
    task = tasks.read_changes
    celerys_own = DjangoWorkerFixup(app)

    def served_by():
        celerys_own.on_task_prerun(task)
        signals.task_prerun.send(sender=task)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            found = cursor.fetchone()[0]
        celerys_own.on_task_postrun(task)
        return found

    first = served_by()
    assert served_by() == first

    connection.close_at = time.monotonic() - 1

    assert served_by() != first
