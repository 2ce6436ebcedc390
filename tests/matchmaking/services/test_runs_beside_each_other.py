"""Runs that meet: over the same, over more and over less, and what is left of them afterwards."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from chains import changes
from chains.errors import DomainError
from matchmaking import tasks
from matchmaking.models import Match, MatchRun, RunShard, Score
from matchmaking.services import findings, pairs, runs, scoring
from tests.factories.chains import AdministratorFactory, MembershipFactory, RequirementFactory
from tests.factories.matchmaking import supplier

pytestmark = pytest.mark.django_db

BOX = "三分体接线盒，1500 V，25 A，IP68"
LEASE = datetime.timedelta(seconds=9)


@pytest.fixture
def asked(monkeypatch):
    supplier(BOX)
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 1)
    return RequirementFactory(lines=[f"采购三分体接线盒，批次 {n}" for n in range(6)])


@pytest.fixture
def rung(monkeypatch):
    found = []
    monkeypatch.setattr(runs, "ring", lambda _task, pk: found.append(pk))
    return found


def shards(run):
    return list(run.shards.order_by("number").values_list("pk", flat=True))


def scored_in_order(monkeypatch):
    """Which shards were scored, in the order in which it happened."""
    done = []
    score = scoring.score
    monkeypatch.setattr(
        scoring, "score", lambda *, shard: (done.append(shard.pk), score(shard=shard))
    )
    return done


def status(run):
    return MatchRun.objects.get(pk=run.pk).status


@pytest.mark.parametrize("scope", ["everything", "requirement", "line", "enterprise"])
def test_a_second_run_over_the_same_begins_when_the_first_has_ended(asked, rung, scope):
    target = {
        "everything": True,
        "requirement": asked,
        "line": asked.lines.first(),
        "enterprise": supplier("铝边框"),
    }[scope]
    first = runs.start(by=None, **{scope: target})
    rung.clear()
    second = runs.start(by=None, **{scope: target})

    assert rung == []
    assert RunShard.objects.claim(shards(second)[0], LEASE) is None
    assert not set(runs.sweep()) & set(shards(second))
    for pk in shards(first):
        assert status(second) == "queued"
        tasks.score_shard(pk)
    assert status(first) == "done"
    assert set(rung) & set(shards(second))
    assert runs.sweep() == shards(second)[:4]
    for pk in shards(second):
        tasks.score_shard(pk)
    assert status(second) == "done"


def test_runs_over_something_else_do_not_wait(asked, rung):
    other = RequirementFactory(lines=["边框"])
    runs.start(requirement=asked, by=None)
    second = runs.start(requirement=other, by=None)

    assert shards(second)[0] in rung
    assert RunShard.objects.claim(shards(second)[0], LEASE) is not None


def test_a_run_behind_one_that_was_cancelled_or_failed_goes_on(asked, rung, monkeypatch):
    first, second, third = (runs.start(requirement=asked, by=None) for _ in range(3))

    runs.cancel(run=first, by=AdministratorFactory())
    assert set(rung) >= {*shards(second)[:4]}
    assert RunShard.objects.claim(shards(third)[0], LEASE) is None
    shard = RunShard.objects.claim(shards(second)[0], LEASE)
    shard.attempts = runs.ATTEMPTS
    runs.fail(shard=shard, error="broken")

    assert status(second) == "failed"
    assert RunShard.objects.claim(shards(third)[0], LEASE) is not None


def test_an_urgent_line_overtakes_a_run_over_everything(asked, monkeypatch):
    """However many shards are rung for: the next worker that is free takes the line."""
    nightly = runs.start(everything=True, by=None)
    done = scored_in_order(monkeypatch)
    first, second, *_rest = shards(nightly)
    tasks.score_shard(first)
    for_supplier = runs.start(enterprise=supplier("铝边框"), by=None)
    urgent = runs.start(line=asked.lines.last(), by=None)

    tasks.score_shard(second)

    assert done == [first, *shards(urgent), *shards(for_supplier), second]
    assert (status(urgent), status(nightly)) == ("done", "running")


def test_what_is_less_urgent_goes_before_nothing(asked, monkeypatch):
    urgent = runs.start(line=asked.lines.last(), by=None)
    runs.start(everything=True, by=None)
    done = scored_in_order(monkeypatch)

    tasks.score_shard(shards(urgent)[0])

    assert done == shards(urgent)


def test_line_amended_while_it_was_ranked_is_left_to_its_own_run(asked, monkeypatch):
    """What a slow run found for the old words never covers what the new ones found."""
    line = asked.lines.first()
    slow = runs.start(everything=True, by=None)
    shard = RunShard.objects.claim(shards(slow)[0], LEASE)
    find = findings.find

    def overtaken(run, line_ids):
        finding = find(run, line_ids)
        if run == slow:
            line.text = "铝合金边框"
            line.save()
            quick = runs.start(line=line, by=None)
            tasks.score_shard(shards(quick)[0])
        return finding

    monkeypatch.setattr(findings, "find", overtaken)
    scoring.score(shard=shard)

    assert [score.run.scope for score in Score.objects.filter(match__line=line)] == ["line"]
    assert MatchRun.objects.get(pk=slow.pk).lines_done == 1
    assert Match.objects.filter(line=line).count() == 1


def scored_by(line):
    return {
        match.supplier_id: match.score.run.scope
        for match in Match.objects.live().filter(line=line).select_related("score__run")
    }


@pytest.fixture
def found_early(asked):
    """A supplier's run has been ranked before the supplier changed its text and the line was matched anew."""
    line, other = asked.lines.first(), supplier("接线盒")
    slow = runs.start(enterprise=other, by=None)
    shard = RunShard.objects.claim(shards(slow)[0], LEASE)
    finding = findings.find(slow, shard.line_ids)
    own = other.capabilities.get()
    own.title_zh = own.text_zh = BOX
    own.save()
    changes.record("capability", own, "amended")
    return line, other, slow, shard, finding


@pytest.mark.parametrize("later", ["line", "everything"])
def test_slow_shard_leaves_what_a_later_run_has_written(found_early, monkeypatch, later):
    line, other, slow, shard, finding = found_early
    quick = runs.start(by=None, **{later: line if later == "line" else True})
    for pk in shards(quick):
        tasks.score_shard(pk)
    before = list(
        Match.objects.filter(line=line).order_by("pk").values("pk", "tenths", "status", "score")
    )
    (old,) = [row for pair, row in finding.scores.items() if pair == (line.pk, other.pk)]
    assert old.tenths != Match.objects.get(line=line, supplier=other).tenths

    monkeypatch.setattr(findings, "find", lambda *_: finding)
    scoring.score(shard=shard)

    assert status(slow) != "queued"
    assert (
        list(
            Match.objects.filter(line=line).order_by("pk").values("pk", "tenths", "status", "score")
        )
        == before
    )


def test_slow_shard_does_not_end_what_a_later_run_has_proposed(found_early, monkeypatch):
    line, other, _slow, shard, finding = found_early
    tasks.score_shard(shards(runs.start(line=line, by=None))[0])
    finding.scores.clear()

    monkeypatch.setattr(findings, "find", lambda *_: finding)
    scoring.score(shard=shard)

    assert scored_by(line)[other.pk] == "line"


def test_later_shard_writes_over_what_an_earlier_run_has_written(asked):
    line = asked.lines.first()
    for scope, expected in (({"everything": True}, "all"), ({"line": line}, "line")):
        line.text += "。"
        line.save()
        for pk in shards(runs.start(by=None, **scope)):
            tasks.score_shard(pk)
        assert set(scored_by(line).values()) == {expected}


def test_pair_computed_on_request_stays_unless_it_was_read_before(asked, monkeypatch):
    line, other = asked.lines.first(), supplier("接线盒")
    slow = runs.start(line=line, by=None)
    shard = RunShard.objects.claim(shards(slow)[0], LEASE)
    finding = findings.find(slow, shard.line_ids)
    asked_for = pairs.compute_pair(line=line, supplier=other, by=None)
    monkeypatch.setattr(findings, "find", lambda *_: finding)
    scoring.score(shard=shard)

    assert Match.objects.get(line=line, supplier=other).score == asked_for.score
    monkeypatch.undo()
    tasks.score_shard(shards(runs.start(line=line, by=None))[0])
    assert Match.objects.get(line=line, supplier=other).score != asked_for.score


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["later run", "slow shard"])
def test_of_two_transactions_on_one_pair_the_later_run_stands(
    found_early, monkeypatch, until, first
):
    """The one that comes second waits for the line and then sees what the other has written."""
    line, other, slow, shard, finding = found_early
    quick = runs.start(line=line, by=None)
    second = RunShard.objects.claim(shards(quick)[0], LEASE)
    found = {slow.pk: finding, quick.pk: findings.find(quick, second.line_ids)}
    monkeypatch.setattr(findings, "find", lambda run, _ids: found[run.pk])
    written, go, drop = threading.Event(), threading.Event(), scoring.drop_old_scores

    def held(lines):
        drop(lines)
        if not written.is_set():
            written.set()
            assert go.wait(20)

    monkeypatch.setattr(scoring, "drop_old_scores", held)

    def work(shard):
        try:
            scoring.score(shard=shard)
        finally:
            connection.close()

    order = [second, shard] if first == "later run" else [shard, second]
    threads = [threading.Thread(target=work, args=[one]) for one in order]
    threads[0].start()
    assert written.wait(20)
    threads[1].start()
    until(waiting_for_a_lock)
    go.set()
    for thread in threads:
        thread.join(20)

    match = Match.objects.select_related("score__run").get(line=line, supplier=other)
    assert (match.score.run, match.tenths) == (quick, match.score.tenths)
    assert match.tenths == found[quick.pk].scores[line.pk, other.pk].tenths


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_shard_that_is_being_written_down_is_done_for_whoever_waits_to_take_it(
    found_early, monkeypatch, until
):
    """Its lease ran out while it was written: the second worker waits for its row and finds it done."""
    _line, _other, _slow, shard, finding = found_early
    RunShard.objects.filter(pk=shard.pk).update(lease_until=timezone.now() - LEASE)
    monkeypatch.setattr(findings, "find", lambda *_: finding)
    written, go, drop = threading.Event(), threading.Event(), scoring.drop_old_scores
    claimed = []

    def held(lines):
        drop(lines)
        written.set()
        assert go.wait(20)

    def work(does):
        try:
            does()
        finally:
            connection.close()

    monkeypatch.setattr(scoring, "drop_old_scores", held)
    doings = (
        lambda: scoring.score(shard=shard),
        lambda: claimed.append(RunShard.objects.claim(shard.pk, LEASE)),
    )
    threads = [threading.Thread(target=work, args=[does]) for does in doings]
    threads[0].start()
    assert written.wait(20)
    threads[1].start()
    until(waiting_for_a_lock)
    go.set()
    for thread in threads:
        thread.join(20)

    assert claimed == [None]
    shard.refresh_from_db()
    assert (shard.status, shard.attempts) == ("done", 1)


def waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]


def test_shards_of_old_runs_are_retired_some_at_a_time(
    asked, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(runs, "RETIRED_AT_ONCE", 4)
    old, late = (runs.start(requirement=asked, by=None) for _ in range(2))
    for pk in (*shards(old), *shards(late)):
        tasks.score_shard(pk)
    MatchRun.objects.filter(pk=old.pk).update(
        finished_at=timezone.now() - runs.SHARDS_STAY - datetime.timedelta(hours=1)
    )
    waiting = runs.start(requirement=asked, by=None)
    scores = Score.objects.count()

    with django_assert_num_queries(2):
        assert runs.retire_shards() == 4
    assert [runs.retire_shards(), runs.retire_shards()] == [2, 0]

    assert (old.shards.count(), late.shards.count(), waiting.shards.count()) == (0, 6, 6)
    assert (Score.objects.count(), status(old)) == (scores, "done")


# --- Many at once -------------------------------------------------------------------------------------


def press_at_once(line, owner):
    """Sixteen times the button, in as many sessions: the codes of the refusals."""
    start, refused = threading.Barrier(16), []

    def tab():
        try:
            start.wait()
            runs.start(line=line, by=owner)
        except DomainError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=tab) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.race
def test_own_line_is_matched_once_an_hour_however_often_it_is_asked_at_once(committed):
    line = RequirementFactory(lines=[BOX]).lines.get()
    owner = MembershipFactory(enterprise=line.requirement.enterprise).user

    refused = press_at_once(line, owner)

    assert (MatchRun.objects.count(), refused) == (1, ["run.too_soon"] * 15)


@pytest.mark.race
def test_the_hour_holds_only_because_they_come_one_after_another(committed, monkeypatch):
    """The negative control: all have looked for a run before any of them has started one."""
    line = RequirementFactory(lines=[BOX]).lines.get()
    owner = MembershipFactory(enterprise=line.requirement.enterprise).user
    refuse, all_have_looked = runs._refuse_too_soon, threading.Barrier(16)
    monkeypatch.setattr(runs, "_one_after_another", lambda *_target: None)
    monkeypatch.setattr(
        runs, "_refuse_too_soon", lambda *asked: (refuse(*asked), all_have_looked.wait(timeout=30))
    )

    refused = press_at_once(line, owner)

    assert (MatchRun.objects.count(), refused) == (16, [])
