from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.utils import timezone

from chains.models import AuditEntry, Change, Notification

# Taken before anybody turns the clock: days are counted from the true today.
_true_now = timezone.now


@contextmanager
def at(moment: datetime.datetime) -> Iterator[None]:
    """Let the services run as if it were that moment, so that a history comes about by the rules of its day."""
    with turned(moment), gathered(), _letters_gathered():
        yield


@contextmanager
def turned(moment: datetime.datetime) -> Iterator[None]:
    """Turn the clock alone. Each reading is a millisecond later: what follows is never dated before its cause."""
    with mock.patch.object(timezone, "now", _Clock(moment)):
        yield


@contextmanager
def gathered() -> Iterator[None]:
    """Write the lines of the trail and the facts of the feed at the end of the block, all at once and in their order.

    They are a fifth of all statements, and nothing in such a block reads them.
    """
    entries: list[AuditEntry] = []
    facts: list[Change] = []

    def keep_entry(**fields: Any) -> AuditEntry:
        entries.append(AuditEntry(**fields))
        return entries[-1]

    def keep_fact(**fields: Any) -> Change:
        facts.append(Change(**fields))
        return facts[-1]

    with (
        mock.patch.object(AuditEntry.objects, "create", keep_entry),
        mock.patch.object(Change.objects, "create", keep_fact),
    ):
        yield
    AuditEntry.objects.bulk_create(entries)
    Change.objects.bulk_create(facts)


@contextmanager
def _letters_gathered() -> Iterator[None]:
    """The same for letters; not where matches are decided on, which asks who has been told today."""
    letters: list[Notification] = []

    def keep(rows: Iterable[Notification], **_: Any) -> list[Notification]:
        kept = list(rows)
        letters.extend(kept)
        return kept

    with mock.patch.object(Notification.objects, "bulk_create", keep):
        yield
    Notification.objects.bulk_create(letters)


class _Clock:
    def __init__(self, moment: datetime.datetime) -> None:
        self._moment = moment

    def __call__(self) -> datetime.datetime:
        self._moment += datetime.timedelta(milliseconds=1)
        return self._moment


def days_ago(days: float, hour: float = 10) -> datetime.datetime:
    """A moment so many days before today, by the clock of the place; negative days lie ahead."""
    midnight = timezone.localtime(_true_now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - datetime.timedelta(days=days) + datetime.timedelta(hours=hour)


def day(ahead: int) -> datetime.date:
    """The day so many days after today."""
    return days_ago(-ahead).date()
