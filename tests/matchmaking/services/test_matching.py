from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Category, Change, RequirementLine
from chains.models.base import ALPHABET
from matchmaking import adapters, market, tasks
from matchmaking.engine.proposals import Reading
from matchmaking.models import Decision, Match, MatchRun, RunShard, Score
from matchmaking.services import matching
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import supplier, weighting_1

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
    return work(matching.start(requirement=requirement, by=None))


def group():
    from chains.models import EnterpriseGroup  # noqa: PLC0415

    return EnterpriseGroup.objects.create(name="Demo group")


# -- runs -----------------------------------------------------------------------------------------


def test_run_over_a_requirement_proposes_the_right_supplier_first():
    maker, other = supplier(BOX), supplier(FRAME)
    requirement = RequirementFactory(lines=[ASKED, "组件铝边框"])

    run = rescore(requirement)

    assert (run.status, run.lines_done, run.lines_total) == ("done", 2, 2)
    best = [
        line.matches.by_score().values_list("supplier", flat=True)[0]
        for line in requirement.lines.order_by("number")
    ]
    assert best == [maker.pk, other.pk]
    match = Match.objects.by_score().filter(line__number=1).first()
    assert match.status == "proposed"
    assert sum(part["tenths"] for part in match.score.parts) == match.tenths == match.score.tenths
    assert match.score.capability == maker.capabilities.get()
    assert match.score.engine_version == adapters.engine_version()
    assert match.score.weighting == weighting_1()


def test_run_leaves_one_audit_line_and_one_change_a_shard(monkeypatch):
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED] * 3)
    monkeypatch.setattr(matching, "_lines_per_shard", lambda: 2)

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


def test_shard_done_twice_leaves_the_same_rows():
    supplier(BOX)
    run = matching.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    shard = run.shards.get()

    tasks.score_shard(shard.pk)
    before = list(Score.objects.values("pk", "tenths"))
    tasks.score_shard(shard.pk)

    run.refresh_from_db()
    assert (run.status, run.lines_done) == ("done", 1)
    assert list(Score.objects.values("pk", "tenths")) == before
    assert AuditEntry.objects.filter(action="run.finished").count() == 1


def test_shard_whose_lease_ran_out_is_written_by_the_second_worker_only():
    supplier(BOX)
    run = matching.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    early = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(hours=2))
    assert (
        early.attempts == 1
    )  # and its lease lies ahead of any there can be: the clock was put back
    slow = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=-1))
    quick = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=9))

    matching.score(shard=quick)
    with pytest.raises(matching.LostError):
        matching.score(shard=slow)

    run.refresh_from_db()
    assert (run.status, run.lines_done, Score.objects.count()) == ("done", 1, 1)


def test_few_shards_are_rung_for_at_once(monkeypatch, settings, silent_doorbell):
    supplier(BOX)
    monkeypatch.setattr(matching, "_lines_per_shard", lambda: 1)
    settings.MATCHING_SHARDS_AHEAD = 2
    requirement = RequirementFactory(lines=[ASKED] * 4)
    rung = []
    monkeypatch.setattr(matching, "ring", lambda *rang: rung.append(rang[1]))

    run = matching.start(requirement=requirement, by=None)
    shards = list(run.shards.values_list("pk", flat=True))
    assert rung == shards[:2]
    tasks.score_shard(shards[0])
    tasks.score_shard(shards[1])

    assert rung == shards
    assert matching.sweep() == shards[2:]


def test_a_second_run_replaces_scores_but_those_decided_on():
    supplier(BOX), supplier(FRAME)
    requirement = RequirementFactory(lines=[ASKED])
    first = rescore(requirement)
    best = Match.objects.by_score().first()
    Decision.objects.create(match=best, verdict="approved", score=best.score, by=UserFactory())
    Match.objects.filter(pk=best.pk).update(status="approved", decided_at=timezone.now())

    second = rescore(requirement)

    assert sorted(Score.objects.values_list("run", "match")) == sorted(
        [
            (first.pk, best.pk),
            *((second.pk, pk) for pk in Match.objects.values_list("pk", flat=True)),
        ]
    )
    best.refresh_from_db()
    assert (best.status, best.score.run_id, best.is_stale) == ("approved", second.pk, False)


def test_same_register_gives_the_same_rows_again():
    for text in (BOX, FRAME, "光伏接线盒与连接器", "铝型材挤压"):
        supplier(text)
    requirement = RequirementFactory(lines=[ASKED, "边框"])

    def rows():
        return list(
            Score.objects.filter(match__score=models_f("pk"))
            .order_by("match__line", "match__supplier")
            .values_list("match", "tenths", "misses_must", "parts", "reasons", "outcomes", "basis")
        )

    rescore(requirement)
    before = rows()
    market.forget()
    rescore(requirement)

    assert len(before) == 8
    assert rows() == before


def models_f(name):
    from django.db.models import F  # noqa: PLC0415

    return F(name)


# -- who is never paired (rows 10, 16, 27) ----------------------------------------------------------


def test_talent_requirement_never_meets_goods_suppliers():
    supplier(BOX)
    university = EnterpriseFactory(kind_id="university", summary="光伏接线盒与电气工程人才培养")
    requirement = RequirementFactory(docking_kind_id="talent", lines=["光伏接线盒设计工程师"])

    rescore(requirement)

    assert list(Match.objects.values_list("supplier", flat=True)) == [university.pk]


def test_finance_requirement_reaches_only_financial_institutions():
    supplier(BOX)
    bank = EnterpriseFactory(kind_id="financial_institution", summary="设备融资租赁，光伏项目贷款")
    requirement = RequirementFactory(docking_kind_id="finance", lines=["接线盒产线设备融资租赁"])

    rescore(requirement)

    assert list(Match.objects.values_list("supplier", "score__capability")) == [(bank.pk, None)]


def test_requirement_never_meets_its_own_house_or_the_unverified():
    house = group()
    buyer = EnterpriseFactory(group=house)
    CapabilityFactory(enterprise=buyer, title_zh=BOX)
    supplier(BOX, group=house)
    supplier(BOX, pending=True)
    supplier(BOX, status="suspended")
    outside = supplier(BOX)
    requirement = RequirementFactory(enterprise=buyer, lines=[ASKED])

    rescore(requirement)

    assert list(Match.objects.values_list("supplier", flat=True)) == [outside.pk]


def test_who_seeks_customers_finds_those_who_buy_not_those_who_make():
    maker = supplier(BOX, summary="我们生产光伏接线盒")
    buyer = EnterpriseFactory(summary="组件制造商")
    RequirementFactory(enterprise=buyer, lines=["需要三分体接线盒 1500 V"])
    seller = EnterpriseFactory()
    wanted = RequirementFactory(
        enterprise=seller, seeks="customer", lines=["我们供应三分体接线盒，寻找组件客户"]
    )

    rescore(wanted)

    found = list(Match.objects.filter(line__requirement=wanted).values_list("supplier", flat=True))
    assert found == [buyer.pk]
    assert maker.pk not in found


def test_partner_requirement_is_compared_with_capabilities():
    maker = supplier(BOX)
    wanted = RequirementFactory(seeks="partner", lines=["联合开发三分体接线盒"])

    rescore(wanted)

    match = Match.objects.get()
    assert (match.supplier, match.score.capability) == (maker, maker.capabilities.get())


def test_who_misses_a_must_stands_under_all_others():
    far, near = (
        supplier(BOX, region=region("110101")),
        supplier(FRAME, region=region("330421")),
    )
    requirement = RequirementFactory(lines=[ASKED])
    requirement.conditions.create(
        kind="region", strength="must", parameter={"codes": ["330000"]}, text="浙江省内"
    )

    rescore(requirement)

    rows = Match.objects.by_score()
    assert list(rows.values_list("supplier", "misses_must")) == [(near.pk, False), (far.pk, True)]
    assert rows[1].tenths > rows[0].tenths
    assert [o["verdict"] for o in rows[1].score.outcomes] == ["missed"]


# -- what a rescore leaves and what it ends ---------------------------------------------------------


def test_undecided_match_that_falls_out_ends_and_a_decided_one_stays(monkeypatch):
    monkeypatch.setattr(matching, "KEPT", 1)
    second, third = supplier("接线盒 1500 V"), supplier("接线盒")
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    assert list(Match.objects.values_list("supplier", flat=True)) == [second.pk]
    kept = matching.compute_pair(line=requirement.lines.get(), supplier=third, by=None)
    Match.objects.filter(pk=kept.pk).update(status="approved", decided_at=timezone.now())
    first = supplier(BOX)
    Change.objects.create(noun="enterprise", target=first.public_id, verb="verified")

    rescore(requirement)

    assert dict(Match.objects.values_list("supplier", "status")) == {
        first.pk: "proposed",
        second.pk: "ended",
        third.pk: "approved",
    }
    assert Score.objects.filter(match=kept).order_by("-pk").first().run is not None


def test_decision_is_stale_once_the_line_reads_otherwise():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    Match.objects.update(status="approved", decided_at=timezone.now())
    rescore(requirement)
    assert list(Match.objects.values_list("is_stale", flat=True)) == [False]

    requirement.lines.update(text="采购连接器")
    rescore(requirement)

    assert list(Match.objects.values_list("status", "is_stale")) == [("approved", True)]


@pytest.mark.parametrize(("strength", "stale"), [("must", True), ("prefer", False)])
def test_decision_is_stale_when_a_must_condition_came_not_a_wish(strength, stale):
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    Match.objects.update(status="rejected", decided_at=timezone.now())
    requirement.conditions.create(
        kind="lead_time", strength=strength, parameter={"value": 20, "unit": "d"}, text="20 天"
    )

    rescore(requirement)

    assert list(Match.objects.values_list("is_stale", flat=True)) == [stale]


def test_decision_is_stale_when_the_supplier_rewrote_the_text_that_had_won():
    maker = supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    Match.objects.update(status="approved", decided_at=timezone.now())
    maker.capabilities.update(text_zh="接线盒，600 V")
    Change.objects.create(noun="enterprise", target=maker.public_id, verb="edited")

    rescore(requirement)

    assert list(Match.objects.values_list("is_stale", flat=True)) == [True]


def test_line_gets_the_category_that_its_words_speak_of_and_its_segment():
    supplier(BOX)
    leaf = Category.objects.filter(level=3, is_active=True).order_by("code").first()
    requirement = RequirementFactory(lines=[leaf.name_zh])

    rescore(requirement)

    line = requirement.lines.get()
    assert line.category is None
    assert line.category_suggested == leaf
    assert line.segment == leaf.segment


def test_unsure_reading_suggests_a_category_and_shows_nobody_a_segment():
    line = RequirementFactory(lines=[ASKED]).lines.get()
    leaf = Category.objects.filter(level=3, is_active=True).exclude(segment=None).first()

    matching.suggest_categories(suggested={line.pk: Reading(leaf.code, is_sure=False)})
    line.refresh_from_db()
    assert (line.category_suggested, line.segment) == (leaf, None)

    matching.suggest_categories(suggested={line.pk: Reading(leaf.code, is_sure=True)})
    line.refresh_from_db()
    assert (line.category_suggested, line.segment) == (leaf, leaf.segment)


def test_supplier_that_changed_joins_the_lines_it_is_good_enough_for(monkeypatch):
    monkeypatch.setattr(matching, "KEPT", 1)
    old = supplier("接线盒 1500 V")
    box = RequirementFactory(lines=[ASKED])
    frame = RequirementFactory(lines=["铝边框 阳极氧化 6063-T5"])
    rescore(box), rescore(frame)
    fresh = supplier(FRAME)
    Change.objects.create(noun="enterprise", target=fresh.public_id, verb="verified")

    run = work(matching.start(enterprise=fresh, by=None))

    assert (run.status, run.lines_done) == ("done", 2)
    rows = Match.objects.values_list("line__requirement", "supplier", "status")
    assert sorted(rows) == sorted(
        [
            (box.pk, old.pk, "proposed"),
            (frame.pk, old.pk, "ended"),
            (frame.pk, fresh.pk, "proposed"),
        ]
    )


def test_supplier_without_anything_to_offer_any_more_leaves_its_lines():
    maker = supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    maker.capabilities.update(status="withdrawn")
    Change.objects.create(
        noun="capability", target=maker.capabilities.get().public_id, verb="withdrawn"
    )

    work(matching.start(enterprise=maker, by=None))

    assert list(Match.objects.values_list("status", flat=True)) == ["ended"]


# -- starting, cancelling, failing ------------------------------------------------------------------


def test_owner_starts_a_run_of_an_own_line_once_an_hour():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    owner = MembershipFactory(enterprise=requirement.enterprise).user
    line = requirement.lines.get()

    run = matching.start(line=line, by=owner)
    with pytest.raises(DomainError, match="within the last hour") as refusal:
        matching.start(line=line, by=owner)

    assert refusal.value.code == "run.too_soon"
    MatchRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - datetime.timedelta(minutes=61)
    )
    assert matching.start(line=line, by=owner).scope == "line"


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
        matching.start(by=owner, **{scope: target})

    assert not MatchRun.objects.exists()


def test_organiser_starts_runs_in_the_own_region_only():
    organiser = OrganiserRoleFactory().user
    here = RequirementFactory(lines=[ASKED])
    there = RequirementFactory(enterprise=EnterpriseFactory(region=region("330106")), lines=[ASKED])

    assert matching.start(requirement=here, by=organiser).asked_by == organiser
    with pytest.raises(DomainError, match="cannot start"):
        matching.start(requirement=there, by=organiser)
    with pytest.raises(DomainError, match="cannot start"):
        matching.start(everything=True, by=organiser)
    assert matching.start(everything=True, by=AdministratorFactory()).lines_total == 2


@pytest.mark.parametrize("status", ["submitted", "draft"])
def test_requirement_that_is_not_approved_is_not_matched(status):
    requirement = RequirementFactory(**{status: True}, lines=[ASKED])

    with pytest.raises(DomainError, match="Only open lines"):
        matching.start(requirement=requirement, by=None)


def test_cancelled_run_writes_nothing_more():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    run = matching.start(requirement=requirement, by=None)
    shard = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(seconds=9))

    matching.cancel(run=run, by=None)
    with pytest.raises(matching.LostError):
        matching.score(shard=shard)
    with pytest.raises(DomainError, match="already ended"):
        matching.cancel(run=run, by=None)

    run.refresh_from_db()
    assert (run.status, run.lines_done) == ("cancelled", 0)
    assert not Match.objects.exists()
    assert matching.sweep() == []


def test_stranger_cannot_cancel():
    run = matching.start(requirement=RequirementFactory(lines=[ASKED]), by=None)

    with pytest.raises(DomainError, match="cannot cancel"):
        matching.cancel(run=run, by=UserFactory())


def test_shard_that_fails_three_times_fails_the_run_with_a_sentence(monkeypatch, caplog):
    run = matching.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
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


# -- single pairs -----------------------------------------------------------------------------------


def test_pair_on_request_has_the_numbers_of_a_run(monkeypatch):
    monkeypatch.setattr(matching, "KEPT", 1)
    supplier(BOX)
    second = supplier("接线盒 600 V")
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    line = requirement.lines.get()

    single = matching.compute_pair(line=line, supplier=second, by=None)

    assert (single.status, single.score.run) == ("ended", None)
    monkeypatch.setattr(matching, "KEPT", 50)
    rescore(requirement)
    of_run = Match.objects.get(supplier=second)
    assert of_run.pk == single.pk
    assert of_run.status == "proposed"
    same = ("tenths", "misses_must", "parts", "reasons", "outcomes", "basis", "capability_id")
    assert [getattr(of_run.score, name) for name in same] == [
        getattr(single.score, name) for name in same
    ]
    assert matching.compute_pair(line=line, supplier=second, by=None).score == of_run.score


def test_pair_is_refused_with_the_reason():
    buyer = EnterpriseFactory(group=group())
    line = RequirementLineFactory(requirement=RequirementFactory(enterprise=buyer))
    cases = {
        "match.same_house": supplier(BOX, group=buyer.group),
        "match.not_verified": supplier(BOX, pending=True),
        "match.other_kind": EnterpriseFactory(kind_id="university", summary="接线盒"),
        "match.nothing_offered": EnterpriseFactory(),
    }

    codes = []
    for enterprise in cases.values():
        with pytest.raises(DomainError) as refusal:
            matching.compute_pair(line=line, supplier=enterprise, by=None)
        codes.append(refusal.value.code)

    assert codes == list(cases)
    assert not Match.objects.exists()


def test_pair_is_shown_to_the_desk_and_to_the_supplier_itself():
    maker = supplier(BOX)
    line = RequirementLineFactory(requirement=RequirementFactory(), text=ASKED)
    desk, own = OrganiserRoleFactory().user, MembershipFactory(enterprise=maker).user

    for user in (desk, own):
        assert matching.compute_pair(line=line, supplier=maker, by=user).supplier == maker
    with pytest.raises(DomainError) as refusal:
        matching.compute_pair(line=line, supplier=maker, by=MembershipFactory().user)
    assert refusal.value.is_refusal


# -- pages ------------------------------------------------------------------------------------------


def test_requirement_is_pending_until_a_run_has_passed_and_again_after_an_amendment(
    django_assert_num_queries,
):
    requirement = RequirementFactory(lines=[ASKED])
    assert matching.pending(requirement)

    rescore(requirement)
    with django_assert_num_queries(1):
        assert matching.pending_ids([requirement]) == set()

    requirement.amended_at = timezone.now()
    assert matching.pending(requirement)
    assert not matching.pending(RequirementFactory(draft=True))


def test_matches_end_with_their_line():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED, ASKED])
    rescore(requirement)
    line = requirement.lines.get(number=1)

    assert matching.end_matches_of_line(line=line) == 1
    assert matching.end_matches_of_line(line=line) == 0

    assert dict(Match.objects.values_list("line", "status")) == {
        line.pk: "ended",
        requirement.lines.get(number=2).pk: "proposed",
    }
    assert RequirementLine.objects.get(pk=line.pk).status == "open"


def test_public_ids_of_many_rows_are_like_those_of_one():
    made = matching._public_ids(2000)

    assert len(set(made)) == 2000
    assert {len(one) for one in made} == {12}
    assert set("".join(made)) == set(ALPHABET)
