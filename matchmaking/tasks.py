"""Doorbells: each takes an id or nothing, looks the work up in the database and hands it to a service."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from typing import TypedDict

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.core.cache import caches
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from chains import changes
from chains.doorbell import heard, ring_later
from chains.models import Change, Preference
from matchmaking import adapters, market
from matchmaking.models import RunShard
from matchmaking.services import alerts, following, interests, runs, scoring, waking

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
WORTH_KEEPING = 200  # changed offers


def lease() -> datetime.timedelta:
    """How long a worker may hold a shard. It ends before the broker hands the message to another worker: a
    message that came back to a shard still held would be gone, and only the sweeper would ring again."""
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    return datetime.timedelta(seconds=0.75 * timeout)


@shared_task(**DATABASE_AWAY)
def read_changes() -> None:
    """Act on the facts of the register since last time. The reader's place moves with what was started."""
    heard("matchmaking.tasks.read_changes")
    # Until nothing is left: whoever was rung for while this one held the feed has gone away again.
    while facts := changes.read("matching", _react, BATCH):
        _read_texts(facts)
    # A letter that is being sent or a shard that is being written beside a publication would hold it up until the
    # sweeper comes.
    if changes.are_left("matching"):
        ring_later("matchmaking.tasks.read_changes")


def _react(facts: Sequence[Change]) -> None:
    following.react(facts=facts)


def _read_texts(facts: Sequence[Change]) -> None:
    """Work done ahead of its time: what fails here is done when it is needed, and holds nobody up."""
    try:
        following.read_texts(facts=facts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("The texts of %d facts could not be read ahead.", len(facts))


@shared_task(**DATABASE_AWAY)
def score_shard(shard_id: int) -> None:
    """Score one shard of a run, and before it whatever is more urgent: the broker hands out rings in their order.

    Ringing twice is harmless: only one worker can claim a shard.
    """
    if RunShard.objects.is_done(shard_id):
        return
    while (urgent := RunShard.objects.before(shard_id)) is not None:
        _score(urgent)
    _score(shard_id)


def _score(shard_id: int) -> None:
    shard = RunShard.objects.claim(shard_id, lease())
    if shard is None:
        return
    try:
        scoring.score(shard=shard)
    except (OperationalError, InterfaceError):
        raise
    except scoring.LostError:
        logger.info("Shard %s was taken over or its run has ended.", shard)
    except Exception as error:
        logger.exception("Shard %s failed.", shard)
        runs.fail(shard=shard, error=repr(error))


@shared_task(**DATABASE_AWAY)
def sweep_overdue_shards() -> None:
    """Ring again for shards whose ring or worker was lost."""
    for shard_id in runs.sweep():
        score_shard.delay(shard_id)


@shared_task(**DATABASE_AWAY)
def retire_shards() -> None:
    """Throw away what no run needs any more, some at a time."""
    runs.retire_shards()


@shared_task(**DATABASE_AWAY)
def keep_answers_due() -> None:
    """Remind buyers before the day they named, and end what nobody answered by it."""
    interests.nudge()
    interests.end_unanswered()


# After these facts somebody may have something new to hear.
_NEWS = {("requirement", "published"), ("run", "scored"), ("run", "finished")}


@shared_task(**DATABASE_AWAY)
def tell_at_once() -> None:
    """Letters for those who want to hear at once, for all facts that have come up since in one go."""
    while changes.read("alerts", _tell, BATCH):
        pass


def _tell(facts: Sequence[Change]) -> None:
    if any((fact.noun, fact.verb) in _NEWS for fact in facts):
        alerts.send_at_once()


@shared_task(**DATABASE_AWAY)
def wake_suppliers() -> None:
    """The next few suppliers of each requirement whose buyer waits for more interests."""
    waking.wake_due()


@shared_task(**DATABASE_AWAY)
def send_digests() -> None:
    """The letters of the morning. A ring that was lost is made up for by the next one: nobody is told twice."""
    morning = alerts.last_morning(timezone.now(), Preference.Rhythm.DAILY)
    # Only spares the work of looking again: without the mark the next one finds that all has been told.
    done = f"digests:{morning:%Y-%m-%d}"
    if caches["pages"].get(done) is None and not alerts.send_digests():
        caches["pages"].set(done, 1, timeout=24 * 3600)


@shared_task(**DATABASE_AWAY)
def keep_index() -> None:
    """Write down the indexes when enough has changed, so that the next process need not go through it again."""
    market.current().keep(WORTH_KEEPING)


@worker_init.connect
def warm(**_: object) -> None:
    """Build the market before the worker forks: its processes share the memory, and the first run need not wait."""
    try:
        market.warm()
    except (OperationalError, InterfaceError):
        logger.warning(
            "The database does not answer yet; the market is built with the first shard."
        )
    finally:
        connections.close_all()


@shared_task(**DATABASE_AWAY)
def forget_vectors() -> int:
    vectors = adapters.encoder()
    vectors.mark_read(market.compared())
    return vectors.forget_unread()
