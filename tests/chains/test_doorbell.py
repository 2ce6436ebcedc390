from __future__ import annotations

import pytest
from celery import current_app
from django.core.cache import caches
from redis.exceptions import ConnectionError as Unreachable

from chains import doorbell
from chains.tasks import deliver_notifications
from matchmaking.tasks import read_changes


@pytest.fixture
def sent(monkeypatch, real_doorbell):
    caches["pages"].clear()
    messages: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda task, args, **_: messages.append((task, args))
    )
    return messages


def test_rings_while_a_task_is_on_its_way_send_one_message(sent):
    for _ in range(3):
        doorbell._send("chains.tasks.deliver_notifications", ())

    assert sent == [("chains.tasks.deliver_notifications", ())]


@pytest.mark.django_db
@pytest.mark.parametrize("task", [read_changes, deliver_notifications])
def test_ring_after_a_task_began_to_look_sends_another(sent, task):
    """What is committed now may be too late for the one that looks already."""
    doorbell._send(task.name, ())
    task()
    doorbell._send(task.name, ())

    assert sent == [(task.name, ())] * 2


def test_ring_with_an_id_is_always_sent(sent):
    doorbell._send("matchmaking.tasks.score_shard", (1,))
    doorbell._send("matchmaking.tasks.score_shard", (1,))

    assert len(sent) == 2


def test_ring_is_sent_when_the_cache_does_not_answer(sent, monkeypatch):
    def gone(*_args, **_kwargs):
        raise Unreachable

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient.add", gone)

    doorbell._send("chains.tasks.deliver_notifications", ())

    assert len(sent) == 1
