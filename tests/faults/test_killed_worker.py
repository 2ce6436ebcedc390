"""R5: workers killed in the middle of a run lose nothing and repeat nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest
import redis
from django.db import connection
from django.db.models import Sum

from chains.models import AuditEntry
from matchmaking import adapters, embedded, market, tasks
from matchmaking.models import Match, MatchRun, Score
from matchmaking.services import runs
from tests.factories.chains import RequirementFactory
from tests.factories.matchmaking import supplier, weighting_1
from tests.faults.conftest import VISIBILITY
from tests.faults.workers import UNSAFE, Workers, bell

KILLS = 10
LINES = 24
SUPPLIERS = 6
PRODUCTS = (
    "三分体接线盒 1500 V IP68",
    "铝合金边框 6063-T5",
    "锂电池隔膜 9μm",
    "氢气压缩机 45 MPa",
    "谐波减速器",
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def messages(broker):
    """What the broker holds; nothing of the test before."""
    servers, _state = broker
    path = servers["BROKER_URL"].removeprefix("redis+socket://")
    with redis.Redis(unix_socket_path=path) as held:
        held.flushall()
        yield held


@pytest.fixture
def workers(tmp_path, monkeypatch, nursery, broker, messages, real_doorbell):
    servers, _state = broker
    bell(monkeypatch, servers["BROKER_URL"])
    trees = Workers(tmp_path, nursery)
    yield trees
    trees.kill_all()


@pytest.fixture
def posted(settings, monkeypatch):
    """A few suppliers and lines, and a shard for each line."""
    settings.MATCHING_ENCODER = "none"
    adapters.encoder.cache_clear()
    market.forget()
    weighting_1()
    for number in range(SUPPLIERS):
        supplier(f"{PRODUCTS[number % 5]} 型号 {number}")
    requirement = RequirementFactory(
        lines=[f"采购{PRODUCTS[n % 5]}，批次 {n}" for n in range(LINES)]
    )
    # Once in a piece, without anybody who could be killed: what comes out of it in small pieces must be the same.
    monkeypatch.setattr("chains.doorbell._send", lambda *_: None)
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: LINES)
    requirement.expected = uninterrupted(requirement)
    assert len(json.loads(requirement.expected)) == LINES * SUPPLIERS
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 1)
    yield requirement
    quickly()
    market.forget()


def slowly():
    """Kills hit shards between their first row and their last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END';"
            "CREATE TRIGGER slowly AFTER INSERT ON matchmaking_score"
            " FOR EACH STATEMENT EXECUTE FUNCTION slowly()"
        )


def quickly():
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS slowly ON matchmaking_score")


@pytest.fixture
def slow_writes(posted):
    slowly()


def rows_of(run):
    """All that a run wrote, without ids and times."""
    return json.dumps(
        list(
            Score.objects.filter(run=run)
            .order_by("match__line__number", "match__supplier")
            .values_list(
                "match__line__number", "match__supplier", "match__status", "match__tenths",
                "tenths", "misses_must", "parts", "reasons", "outcomes", "capability", "basis",
            )
        ),
        ensure_ascii=False,
    )  # fmt: skip


def uninterrupted(requirement):
    run = runs.start(requirement=requirement, by=None)
    [shard] = run.shards.all()
    tasks.score_shard(shard.pk)
    expected = rows_of(run)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE matchmaking_match SET score_id = NULL")
    Score.objects.all().delete()
    Match.objects.all().delete()
    return expected


def done(run):
    return run.shards.filter(status="done").count()


def claims(run):
    return run.shards.aggregate(n=Sum("attempts"))["n"]


def test_run_survives_killed_worker_trees(posted, slow_writes, workers, until):
    dice = random.Random(5)

    run = runs.start(requirement=posted, by=None)
    trees = [workers.fork(), workers.fork()]
    for _kill in range(KILLS):
        wanted = claims(run) + dice.randint(
            1, 3
        )  # some kills come early, some amid finished shards
        until(lambda wanted=wanted: claims(run) >= wanted, 30)
        time.sleep(dice.uniform(0.0, 0.3))
        workers.kill(trees.pop(0))
        trees.append(workers.fork())
    until(lambda: MatchRun.objects.get(pk=run.pk).status == "done", VISIBILITY + 20)
    quickly()

    run.refresh_from_db()
    assert rows_of(run) == posted.expected
    assert (run.lines_done, run.lines_total) == (LINES, LINES)
    trail = AuditEntry.objects.filter(target=f"matchmaking.MatchRun:{run.public_id}")
    assert trail.filter(action="run.scored").count() == LINES
    assert trail.filter(action="run.finished").count() == 1
    assert Score.objects.count() == Match.objects.count() == LINES * SUPPLIERS
    # Kills that hit nothing would prove nothing.
    assert claims(run) >= LINES + KILLS // 2


def test_run_survives_a_killed_worker_and_a_killed_broker(
    posted, slow_writes, workers, broker, messages, until
):
    """R2's other half: all that was rung for is gone with the broker, and the sweeper rings again."""
    _servers, state = broker
    servers = embedded.look(state)
    run = runs.start(requirement=posted, by=None)
    tree = workers.fork()
    until(lambda: done(run) >= 1, 30)
    # As on a full disk: it answers, and refuses to write. Whoever took that for the end would end the site with it.
    messages.config_set("min-replicas-to-write", 1)
    until(lambda: "NOREPLICAS" in workers.logs(), 20)
    messages.config_set("min-replicas-to-write", 0)
    until(lambda: done(run) >= 3, 30)
    workers.kill(tree)
    assert messages.llen("celery") + messages.hlen("unacked") > 0
    os.kill(servers["valkey"], signal.SIGKILL)
    until(lambda: (embedded.look(state) or servers)["valkey"] != servers["valkey"], 20)
    # The control: nothing was left to be delivered again.
    assert messages.llen("celery") + messages.hlen("unacked") == 0
    assert done(run) < LINES
    workers.fork()
    until(lambda: MatchRun.objects.get(pk=run.pk).status == "done", VISIBILITY + 90)

    assert rows_of(run) == posted.expected
    assert Score.objects.count() == Match.objects.count() == LINES * SUPPLIERS


def test_early_acknowledgement_without_a_sweeper_loses_work(posted, slow_writes, workers, until):
    """The negative control: the same kill, and the run never ends."""
    run = runs.start(requirement=posted, by=None)
    victim = workers.fork(UNSAFE, beat=False)
    until(lambda: run.shards.filter(status="running").count() == 2 and done(run) > 2, 30)
    workers.kill(victim)
    claimed = claims(run)
    workers.fork(UNSAFE, beat=False)
    until(lambda: claims(run) > claimed, 30)  # it has begun, however long its start took

    # Until nothing has moved for longer than the broker or a lease could need.
    before = None
    while (now := (done(run), claims(run))) != before:
        before = now
        time.sleep(VISIBILITY + 4)

    run.refresh_from_db()
    lost = run.shards.filter(status="running").count()
    assert lost in (1, 2)
    assert run.status == "running"
    assert run.lines_done == done(run) <= LINES - lost
    # What was missing: the sweeper knows them.
    swept = set(runs.sweep())
    assert set(run.shards.filter(status="running").values_list("pk", flat=True)) <= swept
