"""A run writes what has changed and nothing else, and leaves what one that writes everything would have left."""

from __future__ import annotations

import dataclasses
import datetime
import random

import pytest
from django.utils import timezone

from chains import changes
from chains.models import Category, Certification, CertificationKind
from matchmaking import market, tasks
from matchmaking.engine.weights import WEIGHTING_1
from matchmaking.models import Match, RunShard, Score, Weighting
from matchmaking.services import findings, pairs, runs, scoring
from tests.factories.chains import RequirementFactory, region
from tests.factories.matchmaking import forget_fingerprints, supplier

pytestmark = pytest.mark.django_db

LEASE = datetime.timedelta(seconds=9)
PRODUCTS = (
    "三分体接线盒，1500 V，IP68",
    "接线盒 600 V",
    "铝合金边框 6063-T5",
    "锂电池隔膜 9μm",
    "junction box",
)
ASKED = (
    "采购三分体接线盒，1500 V",
    "铝边框，浙江省内",
    "湿法隔膜，不含安装",
    "junction boxes for modules",
)


def shards(run):
    return list(run.shards.order_by("number").values_list("pk", flat=True))


def work(**scope):
    run = runs.start(by=None, **scope)
    for pk in shards(run):
        tasks.score_shard(pk)
    run.refresh_from_db()
    assert run.status == "done"
    assert run.scores_written == run.scores.count()
    return run


def everything():
    return work(everything=True)


def rows():
    """All that is known of all pairs, without ids and times."""
    return list(
        Match.objects.order_by("line", "supplier").values_list(
            "line", "supplier", "status", "tenths", "misses_must", "is_stale", "score__tenths", "score__misses_must",
            "score__parts", "score__reasons", "score__outcomes", "score__capability", "score__text_language",
            "score__basis", "score__weighting", "score__engine_version",
        )
    )  # fmt: skip


def fingerprints():
    live = Match.objects.live().order_by("line", "supplier")
    return list(live.values_list("score__fingerprint", flat=True))


def amend(capability, **values):
    for name, value in values.items():
        setattr(capability, name, value)
    capability.save()
    changes.record("capability", capability, "amended")


@pytest.fixture
def register():
    """Suppliers and lines; one shard."""
    made = [supplier(text, region=region(code)) for text, code in zip(PRODUCTS, ["330421", "330482", "110101", "330421", "320506"], strict=True)]  # fmt: skip
    requirement = RequirementFactory(lines=list(ASKED))
    requirement.conditions.create(
        kind="certification", strength="prefer", parameter={"codes": ["CQC"]}, text="CQC"
    )
    return made, requirement


def test_a_second_run_over_the_same_writes_nothing(register):
    everything()
    before = (
        list(Match.objects.order_by("pk").values()),
        list(Score.objects.order_by("pk").values()),
    )

    second = everything()

    assert before == (
        list(Match.objects.order_by("pk").values()),
        list(Score.objects.order_by("pk").values()),
    )
    assert (second.lines_done, second.scores.count()) == (len(ASKED), 0)


@pytest.fixture
def read(monkeypatch):
    """Which lines were read for a category, run by run; none is found."""
    found = []
    monkeypatch.setattr(
        market.Market,
        "suggested",
        lambda _known, rows: found.append({row.pk for row in rows}) or {},
    )
    return found


def test_line_is_read_for_a_category_once_and_again_when_the_categories_have_changed(
    register, read
):
    _suppliers, requirement = register
    lines = set(requirement.lines.values_list("pk", flat=True))
    everything()
    everything()
    leaf = Category.objects.filter(is_active=True).last()
    leaf.synonyms_zh = [*leaf.synonyms_zh, "别的名称"]
    leaf.save()
    everything()

    assert read == [lines, set(), lines]


def test_line_of_which_only_others_wrote_scores_is_read_for_a_category(register, read):
    """Its own run failed; a supplier's and who asks about a pair read no line."""
    (first, second, *_), requirement = register
    work(enterprise=first)
    pairs.compute_pair(line=requirement.lines.first(), supplier=second, by=None)
    assert read == []

    run = everything()

    assert run.scores.count() < Match.objects.live().count()
    everything()
    assert read == [set(requirement.lines.values_list("pk", flat=True)), set()]


def test_only_the_pairs_of_who_has_changed_are_written(register):
    (first, *_), _requirement = register
    everything()
    amend(first.capabilities.get(), lead_time_days=12)

    second = everything()

    assert {score.match.supplier_id for score in second.scores.all()} == {first.pk}
    assert second.scores.count() == len(ASKED)
    assert Score.objects.count() == Match.objects.count()


def shake(dice, made, requirement):
    """Something changes, as the register lets it change."""
    one, what = dice.choice(made), dice.randrange(8)
    line = dice.choice(list(requirement.lines.order_by("pk")))
    if what == 0:
        amend(one.capabilities.get(), text_zh=dice.choice(PRODUCTS), title_zh="型号")
    elif what == 1:
        amend(one.capabilities.get(), lead_time_days=dice.randint(1, 40))
    elif what == 2:
        one.region = region(dice.choice(["330421", "110101"]))
        one.save()
        changes.record("enterprise", one, "amended")
    elif what == 3:
        line.text = dice.choice(ASKED) + "。"
        line.save()
    elif what == 4:
        requirement.conditions.update(strength=dice.choice(["must", "prefer"]))
    elif what == 5:
        made.append(supplier(dice.choice(PRODUCTS)))
        changes.record("enterprise", made[-1], "verified")
    elif what == 6:
        amend(one.capabilities.get(), status=dice.choice(["withdrawn", "published"]))
    else:
        pair = Match.objects.filter(line=line).order_by("pk").first()
        Match.objects.filter(pk=pair.pk).update(
            status=dice.choice(["approved", "ended", "proposed"])
        )


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_leaves_scores_leaves_the_rows_of_one_that_writes_all(
    register, seed, monkeypatch
):
    made, requirement = register
    dice = random.Random(seed)
    for module in (findings, scoring):
        monkeypatch.setattr(module, "KEPT", 4)
    everything()
    left = 0
    for _round in range(4):
        for _change in range(dice.randint(1, 2)):
            shake(dice, made, requirement)
        run = everything()
        left += Match.objects.live().exclude(score__run=run).count()
        found, prints = rows(), fingerprints()
        forget_fingerprints()
        everything()
        assert (rows(), fingerprints()) == (found, prints)
    assert left > 0


def test_a_certificate_that_is_verified_is_noticed(register):
    (first, *_), _requirement = register
    everything()
    kind = CertificationKind.objects.get(code="CQC")
    Certification.objects.create(
        enterprise=first, kind=kind, status="verified", valid_from=timezone.localdate()
    )
    changes.record("enterprise", first, "amended")

    second = everything()

    outcomes = second.scores.values_list("outcomes", flat=True)
    assert [one[0]["verdict"] for one in outcomes if one[0]["verdict"] == "met"] == ["met"] * len(
        ASKED
    )


def test_another_weighting_with_the_same_points_is_named(register):
    _made, requirement = register
    everything()
    own = Weighting.objects.create(
        version=1, province=requirement.enterprise.province, status="active", activated_at=timezone.now(),
        weights=dataclasses.asdict(WEIGHTING_1),
    )  # fmt: skip

    second = everything()

    assert set(Match.objects.values_list("score__weighting", "score__run")) == {(own.pk, second.pk)}


def test_a_pair_that_had_ended_is_proposed_anew(register, monkeypatch):
    everything()
    find, times = findings.find, []
    monkeypatch.setattr(findings, "find", lambda *asked: (times.append(1), find(*asked))[1])
    Match.objects.update(status="ended", decided_at=timezone.now())

    everything()

    assert times == [1]
    assert set(Match.objects.values_list("status", "decided_at")) == {("proposed", None)}


# -- beside other runs ------------------------------------------------------------------------------


def found_by(run):
    shard = RunShard.objects.claim(shards(run)[0], LEASE)
    return shard, findings.find(run, shard.line_ids)


def settle(shard, finding, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(findings, "find", lambda *_, **__: finding)
        scoring.score(shard=shard)


@pytest.mark.parametrize("scope", ["everything", "enterprise"])
def test_slow_run_does_not_cover_what_a_later_one_has_only_checked(register, monkeypatch, scope):
    (first, *_), _requirement = register
    everything()
    before, own = rows(), first.capabilities.get()
    was = own.text_zh
    amend(own, text_zh="铝合金边框")
    slow = runs.start(by=None, **{scope: first if scope == "enterprise" else True})
    shard, finding = found_by(slow)
    assert finding.scores
    amend(own, text_zh=was)
    later = work(line=_requirement.lines.order_by("pk")[0])
    assert later.scores.count() == 0
    [settled] = later.shards.get().settled_ids

    settle(shard, finding, monkeypatch)

    assert [row for row in rows() if row[0] == settled] == [
        row for row in before if row[0] == settled
    ]
    # The control: of lines that no later run has been over it writes.
    assert rows() != before


def test_a_line_amended_while_a_later_run_ranked_it_is_not_settled(register, monkeypatch):
    _made, requirement = register
    line = requirement.lines.order_by("pk")[0]
    everything()
    slow = runs.start(line=line, by=None)
    shard, _finding = found_by(slow)
    later = runs.start(everything=True, by=None)
    other, outdated = found_by(later)
    line.text = "铝合金边框"
    line.save()
    settle(other, outdated, monkeypatch)
    other.refresh_from_db()
    assert line.pk not in other.settled_ids
    assert len(other.settled_ids) == len(ASKED) - 1

    scoring.score(shard=shard)

    assert set(line.matches.values_list("score__run", flat=True)) == {slow.pk}


def test_a_score_that_moved_while_the_lines_were_ranked_is_made_anew(register, monkeypatch):
    (first, *_), requirement = register
    line = requirement.lines.order_by("pk")[0]
    everything()
    run = runs.start(line=line, by=None)
    shard, finding = found_by(run)
    assert (line.pk, first.pk) in finding.unchanged
    Match.objects.filter(line=line, supplier=first).update(status="ended")
    find, asked = findings.find, []

    def once(run, ids, *, anew=False):
        asked.append(anew)
        return find(run, ids, anew=True) if anew else finding

    monkeypatch.setattr(findings, "find", once)
    scoring.score(shard=shard)

    assert asked == [False, True]
    match = Match.objects.get(line=line, supplier=first)
    assert (match.status, match.score.run) == ("proposed", run)


def test_a_pair_computed_on_request_is_left_once_it_is_among_those_of_the_line(register):
    (first, *_), requirement = register
    line = requirement.lines.order_by("pk")[0]
    pair = pairs.compute_pair(line=line, supplier=first, by=None)
    Match.objects.filter(pk=pair.pk).update(status="approved", decided_at=timezone.now())

    everything()

    pair.refresh_from_db()
    assert (pair.status, pair.score.run) == ("approved", None)
