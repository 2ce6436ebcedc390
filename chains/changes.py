from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction
from django.utils import timezone

from chains.doorbell import ring
from chains.models import Change, ChangeReader

# For a statement that decides and records in one message; followed by a SELECT of these four. Then `announce`.
INSERT = "INSERT INTO chains_change (at, noun, target, verb)"


def record(noun: str, row: models.Model, verb: str) -> Change:
    """Add a fact to the feed and wake its readers once the transaction has committed."""
    change = Change.objects.create(noun=noun, target=getattr(row, "public_id", row.pk), verb=verb)
    announce()
    return change


def announce() -> None:
    """Wake the readers of the feed once the transaction has committed."""
    ring("matchmaking.tasks.read_changes")


def version() -> str:
    """Changes with every committed fact and every day: what is kept under it is of this state of the feed.

    Ids are given before commit, so a fact may appear below the newest one; it is seen by its number among the
    last three hundred.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id), count(*) FROM chains_change"
            " WHERE id > (SELECT max(id) FROM chains_change) - 300"
        )
        newest, number = cursor.fetchone()
    return f"{newest}.{number}.{timezone.localdate():%j}"


@contextmanager
def unread(name: str, limit: int = 500) -> Iterator[list[Change]]:
    """The next facts for the reader `name`; its place moves on when the block ends without error.

    The reader's row is locked, so two workers never read the same facts at once: the second finds
    an empty list and leaves.
    """
    ChangeReader.objects.get_or_create(name=name)
    with transaction.atomic():
        reader = ChangeReader.objects.select_for_update(skip_locked=True).filter(name=name).first()
        if reader is None:
            yield []
            return
        rows = list(Change.objects.after(reader)[:limit])
        yield rows
        if rows:
            reader.transaction, reader.change = rows[-1].transaction, rows[-1].pk
            reader.save(update_fields=["transaction", "change"])
