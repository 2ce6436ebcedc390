"""A migration that takes tables for itself beside whoever writes them, in whatever order."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from matchmaking.database.locks import taken_at_once

TABLES = ("matchmaking_matchrun", "matchmaking_runshard")


def is_waiting():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')"
        )
        return cursor.fetchone()[0]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [TABLES, TABLES[::-1]], ids=["starts a run", "writes a shard"])
def test_who_writes_goes_on_while_a_migration_waits_for_the_tables(order, until):
    begun, go, ended, held = threading.Event(), threading.Event(), [], []

    def write():
        first, last = order
        with transaction.atomic(), connection.cursor() as cursor:
            # As every INSERT and UPDATE does.
            cursor.execute(f"LOCK TABLE {first} IN ROW EXCLUSIVE MODE")
            begun.set()
            assert go.wait(20)
            cursor.execute(f"LOCK TABLE {last} IN ROW EXCLUSIVE MODE")
            ended.append("written")

    def migrate():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(taken_at_once("matchmaking_matchrun", "matchmaking_score").sql)
            ended.append("taken")
            cursor.execute(
                "SELECT relation::regclass::text, mode FROM pg_locks"
                " WHERE pid = pg_backend_pid() AND relation::regclass::text LIKE 'matchmaking_%'"
            )
            held.extend(cursor.fetchall())

    def work(does):
        try:
            does()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[does]) for does in (write, migrate)]
    threads[0].start()
    assert begun.wait(20)
    threads[1].start()
    until(is_waiting)
    go.set()
    for thread in threads:
        thread.join(20)

    assert ended == ["written", "taken"]
    assert sorted(held) == [
        ("matchmaking_matchrun", "AccessExclusiveLock"),
        ("matchmaking_runshard", "ExclusiveLock"),
        ("matchmaking_score", "AccessExclusiveLock"),
    ]
