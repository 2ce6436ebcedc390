"""Doorbells: each takes an id or nothing, looks the work up in the database and hands it to a service."""

from __future__ import annotations

import datetime
import logging
from typing import TypedDict

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from chains import changes
from matchmaking import adapters
from matchmaking.models import RunShard
from matchmaking.services import following, matching

logger = logging.getLogger(__name__)


# While the database is away a task would fail, and a failed task is acknowledged and gone.
class Retry(TypedDict):
    autoretry_for: tuple[type[BaseException], ...]
    retry_backoff: int
    retry_backoff_max: int
    max_retries: int


DATABASE_AWAY = Retry(
    autoretry_for=(OperationalError, InterfaceError),
    retry_backoff=1,
    retry_backoff_max=10,
    max_retries=8,
)
BATCH = 500


def lease() -> datetime.timedelta:
    """How long a worker may hold a shard. It ends before the broker hands the message to another worker: a
    message that came back to a shard still held would be gone, and only the sweeper would ring again."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    return datetime.timedelta(seconds=0.75 * timeout)


@shared_task(**DATABASE_AWAY)
def read_changes() -> None:
    """Act on the facts of the register since last time. The reader's place moves with what was started."""
    while True:
        with changes.unread("matching", BATCH) as facts:
            following.react(facts=facts)
        if facts:
            following.read_texts(facts=facts)
        if len(facts) < BATCH:
            return


@shared_task(**DATABASE_AWAY)
def score_shard(shard_id: int) -> None:
    """Score one shard of a run. Ringing twice is harmless: only one worker can claim it."""
    shard = RunShard.objects.claim(shard_id, lease())
    if shard is None:
        return
    try:
        matching.score(shard=shard)
    except (OperationalError, InterfaceError):
        raise
    except matching.LostError:
        logger.info("Shard %s was taken over or its run has ended.", shard)
    except Exception as error:
        logger.exception("Shard %s failed.", shard)
        matching.fail(shard=shard, error=repr(error))


@shared_task(**DATABASE_AWAY)
def sweep_overdue_shards() -> None:
    """Ring again for shards whose ring or worker was lost."""
    for shard_id in matching.sweep():
        score_shard.delay(shard_id)


@worker_init.connect
def warm(**_: object) -> None:
    """Build the market before the worker forks: its processes share the memory, and the first run need not wait."""
    try:
        adapters.warm()
    except (OperationalError, InterfaceError):
        logger.warning(
            "The database does not answer yet; the market is built with the first shard."
        )
    finally:
        connections.close_all()
