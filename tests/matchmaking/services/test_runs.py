from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Category, Change
from matchmaking import adapters, tasks
from matchmaking.models import Match, MatchRun, RunShard, Score
from matchmaking.services import runs, scoring
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import supplier

pytestmark = pytest.mark.django_db

BOX = "三分体接线盒，1500 V，25 A，IP68，适配 210 组件"
FRAME = "光伏组件铝合金边框，阳极氧化，6063-T5"
ASKED = "采购三分体接线盒，1500 V，IP68"


def work(run):
    """Do what the worker does for all shards."""
    for pk in run.shards.order_by("number").values_list("pk", flat=True):
        tasks.score_shard(pk)
    run.refresh_from_db()
    return run


def rescore(requirement):
    return work(runs.start(requirement=requirement, by=None))


def test_run_leaves_one_audit_line_and_one_change_a_shard(monkeypatch):
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED] * 3)
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 2)

    run = rescore(requirement)

    trail = AuditEntry.objects.filter(target=f"matchmaking.MatchRun:{run.public_id}")
    assert list(trail.values_list("action", "actor")) == [
        ("run.started", None),
        ("run.scored", None),
        ("run.scored", None),
        ("run.finished", None),
    ]
    assert list(trail.filter(action="run.scored").values_list("data", flat=True)) == [
        {"shard": 1, "lines": 2, "matches": 2},
        {"shard": 2, "lines": 1, "matches": 1},
    ]
    facts = Change.objects.filter(noun="run", target=run.public_id)
    assert list(facts.values_list("verb", flat=True)) == [
        "started",
        "scored",
        "scored",
        "finished",
    ]


def test_lines_of_one_kind_share_a_shard(monkeypatch):
    """By the category that was given, else by the one that was read; those that nobody knows of come last."""
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 2)
    requirement = RequirementFactory(lines=[ASKED] * 5)
    first, second = Category.objects.order_by("code")[:2]
    unknown, *known = requirement.lines.order_by("pk")
    for line, given, read in zip(
        known,
        (second, first, None, second),
        (first, None, first, None),
        strict=True,
    ):
        line.category, line.category_suggested = given, read
        line.save()

    run = runs.start(everything=True, by=None)

    a, b, c, d = (line.pk for line in known)
    assert list(run.shards.values_list("line_ids", flat=True)) == [[b, c], [a, d], [unknown.pk]]


def test_shard_done_twice_leaves_the_same_rows():
    supplier(BOX)
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    shard = run.shards.get()

    tasks.score_shard(shard.pk)
    before = list(Score.objects.values("pk", "tenths"))
    tasks.score_shard(shard.pk)

    run.refresh_from_db()
    assert (run.status, run.lines_done) == ("done", 1)
    assert list(Score.objects.values("pk", "tenths")) == before
    assert AuditEntry.objects.filter(action="run.finished").count() == 1


@pytest.mark.parametrize(
    ("lines", "size", "sizes"),
    [
        (0, 40, []),
        (3, 40, [3]),
        (40, 40, [40]),
        # A few lines are no shard.
        (41, 40, [41]),
        (50, 40, [40, 10]),
        (160, 40, [40, 40, 40, 40]),
        # Ever smaller, but not by the line.
        (200, 40, [40, 40, 30, 22, 17, 12, 10, 10, 19]),
        (5000, 92, [*[92] * 51, 77, 57, 43, 32, 24, 18, 14, 10, 10, 10, 13]),
        # Of shards that are few lines by themselves the last ones are fewer.
        (60, 12, [12, 12, 9, 6, 5, 4, 3, 3, 3, 3]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_the_last_shards_of_a_long_run_are_small(lines, size, sizes):
    shards = [*runs._cut([*range(lines)], size)]

    assert [*map(len, shards)] == sizes
    assert [line for own in shards for line in own] == [*range(lines)]


def test_ring_for_a_shard_that_is_done_costs_one_question(django_assert_num_queries):
    supplier(BOX)
    run = work(runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None))
    shard = run.shards.get()
    with django_assert_num_queries(1):
        tasks.score_shard(shard.pk)


def test_shard_that_is_written_wakes_no_reader(
    monkeypatch, silent_doorbell, django_capture_on_commit_callbacks
):
    supplier(BOX)
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 1)
    first, last = runs.start(
        requirement=RequirementFactory(lines=[ASKED] * 2), by=None
    ).shards.all()

    with django_capture_on_commit_callbacks(execute=True):
        tasks.score_shard(first.pk)
    assert silent_doorbell == []

    with django_capture_on_commit_callbacks(execute=True):
        tasks.score_shard(last.pk)
    assert {task for task, _ in silent_doorbell} == {"matchmaking.tasks.read_changes"}


def test_shard_whose_lease_ran_out_is_written_by_the_second_worker_only():
    supplier(BOX)
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    early = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(hours=2))
    assert (
        early.attempts == 1
    )  # and its lease lies ahead of any there can be: the clock was put back
    slow = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=-1))
    quick = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=9))

    scoring.score(shard=quick)
    with pytest.raises(scoring.LostError):
        scoring.score(shard=slow)

    run.refresh_from_db()
    assert (run.status, run.lines_done, Score.objects.count()) == ("done", 1, 1)


def test_few_shards_are_rung_for_at_once(monkeypatch, settings, silent_doorbell):
    supplier(BOX)
    monkeypatch.setattr(runs, "_lines_per_shard", lambda: 1)
    settings.MATCHING_SHARDS_AHEAD = 2
    requirement = RequirementFactory(lines=[ASKED] * 4)
    rung = []
    monkeypatch.setattr(runs, "ring", lambda *rang: rung.append(rang[1]))

    run = runs.start(requirement=requirement, by=None)
    shards = list(run.shards.values_list("pk", flat=True))
    assert rung == shards[:2]
    tasks.score_shard(shards[0])
    tasks.score_shard(shards[1])

    assert rung == shards
    assert runs.sweep() == shards[2:]


def test_owner_starts_a_run_of_an_own_line_once_an_hour():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    owner = MembershipFactory(enterprise=requirement.enterprise).user
    line = requirement.lines.get()

    run = runs.start(line=line, by=owner)
    with pytest.raises(DomainError, match="within the last hour") as refusal:
        runs.start(line=line, by=owner)

    assert refusal.value.code == "run.too_soon"
    MatchRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - datetime.timedelta(minutes=61)
    )
    assert runs.start(line=line, by=owner).scope == "line"


@pytest.mark.parametrize("scope", ["requirement", "enterprise", "everything"])
def test_owner_starts_nothing_larger(scope):
    requirement = RequirementFactory(lines=[ASKED])
    owner = MembershipFactory(enterprise=requirement.enterprise).user
    target = {
        "requirement": requirement,
        "enterprise": requirement.enterprise,
        "everything": True,
    }[scope]

    with pytest.raises(DomainError, match="cannot start this run"):
        runs.start(by=owner, **{scope: target})

    assert not MatchRun.objects.exists()


def test_organiser_starts_runs_in_the_own_region_only():
    organiser = OrganiserRoleFactory().user
    here = RequirementFactory(lines=[ASKED])
    there = RequirementFactory(enterprise=EnterpriseFactory(region=region("330106")), lines=[ASKED])

    assert runs.start(requirement=here, by=organiser).asked_by == organiser
    with pytest.raises(DomainError, match="cannot start"):
        runs.start(requirement=there, by=organiser)
    with pytest.raises(DomainError, match="cannot start"):
        runs.start(everything=True, by=organiser)
    assert runs.start(everything=True, by=AdministratorFactory()).lines_total == 2


@pytest.mark.parametrize("status", ["submitted", "draft"])
def test_requirement_that_is_not_approved_is_not_matched(status):
    requirement = RequirementFactory(**{status: True}, lines=[ASKED])

    with pytest.raises(DomainError, match="Only open lines"):
        runs.start(requirement=requirement, by=None)


def test_cancelled_run_writes_nothing_more():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    run = runs.start(requirement=requirement, by=None)
    shard = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=9))

    runs.cancel(run=run, by=None)
    with pytest.raises(scoring.LostError):
        scoring.score(shard=shard)
    with pytest.raises(DomainError, match="already ended"):
        runs.cancel(run=run, by=None)

    run.refresh_from_db()
    assert (run.status, run.lines_done) == ("cancelled", 0)
    assert not Match.objects.exists()
    assert runs.sweep() == []


def test_stranger_cannot_cancel():
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)

    with pytest.raises(DomainError, match="cannot cancel"):
        runs.cancel(run=run, by=UserFactory())


def test_shard_that_fails_three_times_fails_the_run_with_a_sentence(monkeypatch, caplog):
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    shard = run.shards.get()
    monkeypatch.setattr(adapters, "needs", lambda *_: 1 / 0)

    states = []
    for _turn in range(3):
        tasks.score_shard(shard.pk)
        shard.refresh_from_db(), run.refresh_from_db()
        states.append((shard.status, run.status))

    assert states == [("queued", "running"), ("queued", "running"), ("failed", "failed")]
    assert run.error == (
        "Part 1 of the run failed 3 times. Start it again; if that fails too, tell the administrator."
    )
    assert AuditEntry.objects.filter(action="run.failed").count() == 1
    assert "ZeroDivisionError" in shard.error


def test_requirement_is_pending_until_a_run_has_passed_and_again_after_an_amendment(
    django_assert_num_queries,
):
    requirement = RequirementFactory(lines=[ASKED])
    assert runs.standing(requirement) == "pending"

    rescore(requirement)
    with django_assert_num_queries(1):
        assert runs.standing(requirement) == ""

    requirement.amended_at = timezone.now()
    assert runs.standing(requirement) == "pending"
    assert runs.standing(RequirementFactory(draft=True)) == ""


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_requirement_is_not_pending_for_ever_after_a_run_that_brought_nothing(status):
    requirement = RequirementFactory(lines=[ASKED])
    run = runs.start(requirement=requirement, by=None)
    assert runs.standing(requirement) == "pending"

    MatchRun.objects.filter(pk=run.pk).update(status=status)
    assert runs.standing(requirement) == "stopped"

    again = runs.start(requirement=requirement, by=None)
    assert runs.standing(requirement) == "pending"
    MatchRun.objects.filter(pk=again.pk).update(status="done")
    assert runs.standing(requirement) == ""
    MatchRun.objects.filter(pk=again.pk).update(status=status)
    requirement.amended_at = timezone.now()
    assert runs.standing(requirement) == "pending"
