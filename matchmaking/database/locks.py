"""Locks that a migration takes beside workers and people who go on."""

from __future__ import annotations

from django.db import migrations


def taken_at_once(*tables: str) -> migrations.RunSQL:
    """Until the migration ends it has the tables for itself, and no shard is being written.

    A shard writes its own row first and then scores, matches and its run; who starts a run writes that first, or ends
    matches before, and the shards last. Whatever order a migration took them in, it and one of the two could each wait
    for the other. So it waits for the shards alone, and lets go of them again while anybody has one of the tables.
    """
    return migrations.RunSQL(
        f"""
        DO $$
        BEGIN
            LOOP
                BEGIN
                    LOCK TABLE matchmaking_runshard IN EXCLUSIVE MODE;
                    LOCK TABLE {", ".join(tables)} IN ACCESS EXCLUSIVE MODE NOWAIT;
                    EXIT;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(.05);
                END;
            END LOOP;
        END $$
        """,
        migrations.RunSQL.noop,
    )
