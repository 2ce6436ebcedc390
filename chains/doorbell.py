from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celery import current_app
from django.core.cache import caches
from django.db import transaction

_MARK = "rung:%s"
_MARK_STAYS = 5  # seconds; as often the sweepers look by themselves
_LATER = 1  # second
_is_quiet = ContextVar("is_quiet", default=False)


def ring(task: str, *args: int) -> None:
    """Wake a worker after commit, by the task's name. A lost ring is repaired by a sweeper.

    `robust`: with the broker down the fact still stands and the page still answers.
    """
    if not _is_quiet.get():
        # No partial: Django logs a lost ring by the function's name, and a partial has none.
        transaction.on_commit(lambda: _send(task, args), robust=True)


@contextmanager
def quiet() -> Iterator[None]:
    """No rings inside: thousands of facts at once need no thousand rings, the sweepers read them afterwards."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def ring_later(task: str) -> None:
    """Once more in a second, by whoever found work that cannot be done yet; one such ring is under way at most."""
    if caches["pages"].add(_MARK % f"{task}.later", 1, timeout=_LATER):
        _send_later(task)


def heard(task: str) -> None:
    """Said by a task that is rung for without arguments, before it looks what there is to do."""
    caches["pages"].delete(_MARK % task)


def _send(task: str, args: tuple[int, ...]) -> None:
    # While the mark stands, a task is on its way that has not looked yet: it will see this fact too.
    if not args and not caches["pages"].add(_MARK % task, 1, timeout=_MARK_STAYS):
        return
    current_app.send_task(task, args, retry=False)


def _send_later(task: str) -> None:
    current_app.send_task(task, countdown=_LATER, retry=False)
