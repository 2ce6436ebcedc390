from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from celery import current_app
from django.db import transaction

_is_quiet = ContextVar("is_quiet", default=False)


def ring(task: str, *args: int) -> None:
    """Wake a worker after commit, by the task's name. A lost ring is repaired by a sweeper.

    `robust`: with the broker down the fact still stands and the page still answers.
    """
    if not _is_quiet.get():
        transaction.on_commit(partial(_send, task, args), robust=True)


@contextmanager
def quiet() -> Iterator[None]:
    """No rings inside: thousands of facts at once need no thousand rings, the sweepers read them afterwards."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def _send(task: str, args: tuple[int, ...]) -> None:
    current_app.send_task(task, args, retry=False)
