"""What the planner of PostgreSQL is told when its statistics mislead it."""

from __future__ import annotations

from django.db import connection


def look_up_by_index() -> None:
    """Until the transaction ends, rows that an index can find are not found by reading the whole table.

    While a first run fills tables that the database knows as empty, it supposes that a hundred lines have half of all
    pairs, and would read all of them for each shard.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
