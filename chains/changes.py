from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    connection,
    models,
    transaction,
)
from django.utils import timezone

from chains import audit
from chains.doorbell import ring
from chains.models import Change, ChangeReader

logger = logging.getLogger(__name__)

# A fact that cannot be acted on is tried so often, so far apart, before it is set aside.
TRIES = 3
BETWEEN_TRIES = datetime.timedelta(seconds=5)

_BEFORE_ALL = -(2**63)
_FORGOTTEN_AT_ONCE = 2000
_NEWEST_STAY = 1000


def record(noun: str, row: models.Model, verb: str, *, wake: bool = True) -> Change:
    """Add a fact to the feed and wake the matching once the transaction has committed; or leave it to its next look, where
    it has nothing to do about it. Other readers look by the clock."""
    change = Change.objects.create(noun=noun, target=getattr(row, "public_id", row.pk), verb=verb)
    if wake:
        announce()
    return change


def announce() -> None:
    """Wake the matching, to read the feed, once the transaction has committed."""
    ring("matchmaking.tasks.read_changes")


def oldest_running() -> int:
    """The oldest transaction that may still add facts: whoever reads on from here misses none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


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
    ChangeReader.objects.get_or_create(name=name, defaults={"transaction": _BEFORE_ALL})
    with transaction.atomic():
        reader = ChangeReader.objects.select_for_update(skip_locked=True).filter(name=name).first()
        if reader is None:
            yield []
            return
        if _renumber_what_was_brought_along():
            reader.refresh_from_db()
        rows = list(Change.objects.after(reader)[:limit])
        yield rows
        if rows:
            reader.transaction, reader.change = rows[-1].transaction, rows[-1].pk
            reader.save(update_fields=["transaction", "change"])


def _renumber_what_was_brought_along() -> bool:
    """After a dump was restored in another cluster: puts the facts it brought before all that happens here.

    They bear numbers that this cluster gives its transactions later. What is visible and not of this transaction has
    ended, and every transaction that has ended has a number below the snapshot's upper end; so a fact above it was
    brought along, and with it all that were written before. Order and the readers' places among them stay.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id), max(transaction) FROM chains_change"
            " WHERE transaction >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            " AND transaction IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint"
        )
        last, highest = cursor.fetchone()
        if last is None:
            return False
        # The same order for everybody who finds it out at once.
        cursor.execute("SELECT FROM chains_changereader ORDER BY name FOR UPDATE")
        below = {"last": last, "by": highest + 1}
        cursor.execute(
            "UPDATE chains_change SET transaction = transaction - %(by)s"
            " WHERE id <= %(last)s AND transaction >= 0",
            below,
        )
        count = cursor.rowcount
        if count:
            # One that has read nothing yet stands before all as it is.
            cursor.execute(
                "UPDATE chains_changereader SET transaction = transaction - %(by)s"
                " WHERE change <= %(last)s AND transaction >= %(floor)s",
                {**below, "floor": _BEFORE_ALL + highest + 1},
            )
            logger.warning("The feed comes from another cluster; %d facts renumbered.", count)
    return True


def read(name: str, act: Callable[[Sequence[Change]], object], limit: int = 500) -> list[Change]:
    """Give the next facts to `act`, all in one transaction, and return those that have been read.

    One that raises would hold up all behind it for ever. So after a fault the facts are given one by one; the one that
    raises is tried again with the next rings, and after some tries it is set aside, with a line in trail and log. While
    the database is away nothing is counted: the task itself comes again.
    """
    try:
        with unread(name, limit) as facts:
            if facts:
                act(facts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Reader %s met a fact it cannot act on; reading one by one.", name)
        return _read_singly(name, act, limit)
    return facts


def are_left(name: str) -> bool:
    """Whether facts stand that the reader `name` may not read yet, for an older transaction is still at work. One that
    is stuck is tried again in its own time."""
    reader = ChangeReader.objects.filter(name=name, stuck_on=None).first()
    return reader is not None and Change.objects.unread_by(reader).exists()


def forget_old(*, most: int = 50_000) -> int:
    """Removes facts that are older than `CHANGES_KEPT_DAYS` and that every reader has read; how many.

    Whoever keeps a place of its own, as an index in a process does, must come again within that time or begin anew.
    The newest stay whatever their age: what is kept under `version` is told by them.
    """
    before = timezone.now() - datetime.timedelta(days=settings.CHANGES_KEPT_DAYS)
    forgotten = 0
    while forgotten < most:
        keys = _forgettable(before)
        Change.objects.filter(pk__in=keys).delete()
        forgotten += len(keys)
        if len(keys) < _FORGOTTEN_AT_ONCE:
            break
    if forgotten:
        logger.info("%d facts that everybody has read are forgotten.", forgotten)
    return forgotten


def _forgettable(before: datetime.datetime) -> list[int]:
    """The oldest facts, up to the first one that is too young or that some reader has not seen."""
    places = list(ChangeReader.objects.values_list("transaction", "change"))
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True)
    last = newest[_NEWEST_STAY : _NEWEST_STAY + 1].first()
    if not places or last is None:
        return []
    oldest = Change.objects.order_by("transaction", "pk").values_list("transaction", "pk", "at")
    return [
        pk
        for _place, pk, _at in takewhile(
            lambda row: row[:2] <= min(places) and row[1] <= last and row[2] < before,
            oldest[:_FORGOTTEN_AT_ONCE],
        )
    ]


def _read_singly(name: str, act: Callable[[Sequence[Change]], object], limit: int) -> list[Change]:
    done: list[Change] = []
    facts: list[Change] = []
    while len(done) < limit:
        try:
            with unread(name, 1) as facts:
                if not facts:
                    break
                act(facts)
        except (OperationalError, InterfaceError):
            raise
        except Exception as fault:
            logger.exception("Reader %s cannot act on %s.", name, facts[0])
            if not _set_aside(name, facts[0], fault):
                break
        else:
            done += facts
    return done


@transaction.atomic
def _set_aside(name: str, fact: Change, fault: Exception) -> bool:
    """Count a try; True once the reader has gone on without the fact."""
    reader = ChangeReader.objects.select_for_update().get(name=name)
    if (reader.transaction, reader.change) >= (fact.transaction, fact.pk):
        return True  # another worker was faster
    now = timezone.now()
    if reader.stuck_on != fact.pk:
        reader.stuck_on, reader.tries, reader.tried_at = fact.pk, 0, None
    if reader.tried_at is None or now - reader.tried_at >= BETWEEN_TRIES:
        reader.tries, reader.tried_at = reader.tries + 1, now
    is_last = reader.tries >= TRIES
    if is_last:
        reader.transaction, reader.change = fact.transaction, fact.pk
        reader.stuck_on, reader.tries, reader.tried_at = None, 0, None
        # The fault's own words may hold what somebody wrote: the log has them, the trail its kind.
        audit.record(
            None,
            "change.skipped",
            fact,
            reader=name,
            noun=fact.noun,
            row=fact.target,
            verb=fact.verb,
            fault=type(fault).__name__,
        )
        logger.error("Reader %s has set %s aside after %d tries.", name, fact, TRIES)
    reader.save()
    return is_last
