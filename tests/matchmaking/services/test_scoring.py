from __future__ import annotations

import datetime
import gc
import weakref
from dataclasses import asdict

import pytest
from django.db import DataError, connection, transaction
from django.utils import timezone

from chains.models import Category, Change
from chains.models.base import ALPHABET
from matchmaking import adapters, market
from matchmaking.engine.proposals import Reading
from matchmaking.engine.types import Reason
from matchmaking.models import Decision, Match, RunShard, Score
from matchmaking.services import findings, pairs, runs, scoring
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import forget_fingerprints, supplier, weighting_1
from tests.matchmaking.services.test_runs import ASKED, BOX, FRAME, rescore, work

pytestmark = pytest.mark.django_db


def keep_only(count, monkeypatch):
    for module in (findings, scoring):
        monkeypatch.setattr(module, "KEPT", count)


def group():
    from chains.models import EnterpriseGroup  # noqa: PLC0415

    return EnterpriseGroup.objects.create(name="Demo group")


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


def test_a_second_run_replaces_scores_but_those_decided_on():
    supplier(BOX), supplier(FRAME)
    requirement = RequirementFactory(lines=[ASKED])
    first = rescore(requirement)
    best = Match.objects.by_score().first()
    Decision.objects.create(match=best, verdict="approved", score=best.score, by=UserFactory())
    Match.objects.filter(pk=best.pk).update(status="approved", decided_at=timezone.now())
    requirement.conditions.create(
        kind="lead_time", strength="prefer", parameter={"value": 20, "unit": "d"}, text="20 天"
    )

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
    forget_fingerprints()
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
    keep_only(1, monkeypatch)
    second, third = supplier("接线盒 1500 V"), supplier("接线盒")
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    assert list(Match.objects.values_list("supplier", flat=True)) == [second.pk]
    kept = pairs.compute_pair(line=requirement.lines.get(), supplier=third, by=None)
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


def test_lines_that_stand_as_they_were_ranked_are_known_without_reading_them_whole():
    """Told by the same digest, whatever is in a need; and what is in one differs from line to line."""
    requirement = RequirementFactory(lines=[ASKED, "组件铝边框", FRAME])
    whole, of_a_category, own = requirement.lines.order_by("number")
    whole.specification = "IP68"
    whole.save()
    of_a_category.category = Category.objects.filter(is_active=True).last()
    of_a_category.save()
    own.category = Category.objects.exclude(pk=of_a_category.category_id).last()
    own.category.is_active = False
    own.category.save()
    own.save()
    for line, strength in ((None, "must"), (own, "must"), (whole, "prefer")):
        requirement.conditions.create(
            line=line, kind="distance", strength=strength, parameter={"value": 80, "unit": "km"}
        )
    lines = requirement.lines.all()
    needs = adapters.needs(lines, adapters.Places())

    assert adapters.bases(lines) == {
        line: adapters.basis_of_need(need) for line, need in needs.items()
    }
    assert [len(need.conditions) for need in needs.values()] == [2, 1, 2]
    assert [need.category for need in needs.values()] == [None, of_a_category.category.code, None]
    assert needs[whole.pk].text == whole.full_text


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

    scoring.suggest_categories(suggested={line.pk: Reading(leaf.code, is_sure=False)})
    line.refresh_from_db()
    assert (line.category_suggested, line.segment) == (leaf, None)

    scoring.suggest_categories(suggested={line.pk: Reading(leaf.code, is_sure=True)})
    line.refresh_from_db()
    assert (line.category_suggested, line.segment) == (leaf, leaf.segment)


def test_supplier_that_changed_joins_the_lines_it_is_good_enough_for(monkeypatch):
    keep_only(1, monkeypatch)
    old = supplier("接线盒 1500 V")
    box = RequirementFactory(lines=[ASKED])
    frame = RequirementFactory(lines=["铝边框 阳极氧化 6063-T5"])
    rescore(box), rescore(frame)
    fresh = supplier(FRAME)
    Change.objects.create(noun="enterprise", target=fresh.public_id, verb="verified")

    run = work(runs.start(enterprise=fresh, by=None))

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

    work(runs.start(enterprise=maker, by=None))

    assert list(Match.objects.values_list("status", flat=True)) == ["ended"]


@pytest.mark.django_db(transaction=True)
def test_no_statement_of_a_shard_reads_all_pairs_or_all_scores():
    """As the planner would in tables that it knows as empty, and does in those that are."""
    made, plans = supplier(BOX), []
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    forget_fingerprints()
    made.capabilities.update(text_zh="接线盒，1500 V")
    run = runs.start(requirement=requirement, by=None)
    tables = ("matchmaking_match", "matchmaking_score")

    def explain(execute, sql, params, many, context):
        if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) and any(
            f'{table}"' in sql or f"{table} " in sql for table in tables
        ):
            with context["connection"].connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        work(run)

    assert len(plans) > 5
    read_whole = [plan for plan in plans if any(f"Seq Scan on {table}" in plan for table in tables)]
    assert not read_whole, read_whole[0]


def test_public_ids_of_many_rows_are_like_those_of_one():
    made = scoring._public_ids(2000)

    assert len(set(made)) == 2000
    assert {len(one) for one in made} == {12}
    assert set("".join(made)) == set(ALPHABET)


def test_any_sign_in_a_reason_is_stored_as_it_is(monkeypatch):
    supplier(BOX)
    told = Reason("text.terms", "for", {"terms": ['\\N\t"盒\\"\n\\t\r', "\\"]})
    as_row = adapters.as_row
    monkeypatch.setattr(
        adapters, "as_row", lambda scored, *about: as_row(scored._replace(reasons=(told,)), *about)
    )

    rescore(RequirementFactory(lines=[ASKED]))

    assert Score.objects.get().reasons == [asdict(told)]
    assert not Score.objects.get().match.is_stale


def test_garbage_is_looked_for_again_after_a_shard_that_was_lost(monkeypatch):
    supplier(BOX)
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    shard = RunShard.objects.claim(run.shards.get().pk, datetime.timedelta(minutes=1))
    runs.cancel(run=run, by=None)
    looking, find = [], findings.find
    monkeypatch.setattr(findings, "find", lambda *of: looking.append(gc.isenabled()) or find(*of))

    with pytest.raises(scoring.LostError):
        scoring.score(shard=shard)

    assert (looking, gc.isenabled()) == ([False], True)


def test_what_a_shard_leaves_is_not_looked_through_and_holds_no_garbage(monkeypatch):
    class Knot:
        pass

    knot, kept = Knot(), []
    knot.own = knot
    tied = weakref.ref(knot)
    del knot
    find = findings.find
    monkeypatch.setattr(findings, "find", lambda *of: kept.append([]) or find(*of))
    supplier(BOX)

    rescore(RequirementFactory(lines=[ASKED]))

    assert tied() is None
    assert not any(one is kept[0] for one in gc.get_objects())


def test_what_a_shard_that_failed_has_found_goes_with_its_error(monkeypatch):
    class Found:
        pass

    tied = []

    def fail(*_):
        found = Found()
        tied.append(weakref.ref(found))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(findings, "find", fail)
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)

    with pytest.raises(DataError):
        scoring.score(shard=run.shards.get())

    gc.collect()
    assert tied[0]() is None
