from __future__ import annotations

from functools import partial

from celery import current_app
from django.db import transaction


def ring(task: str, *args: int) -> None:
    """Wake a worker after commit, by the task's name. A lost ring is repaired by a sweeper.

    `robust`: with the broker down the fact still stands and the page still answers.
    """
    transaction.on_commit(partial(_send, task, args), robust=True)


def _send(task: str, args: tuple[int, ...]) -> None:
    current_app.send_task(task, args, retry=False)
