from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchmaking.engine import calibration
from matchmaking.engine.calibration import Evidence, Pair, TooFewError
from matchmaking.engine.scoring import apportion, maxima
from matchmaking.engine.types import PART_NAMES
from matchmaking.engine.weights import WEIGHTING_1

REASONS = (("text", "category"), ("conditions",), ("locality",))


def decided(
    wanted=(25, 15, 15, 45), *, requirements=60, listed=20, shown=8, seed=0, noise=0.5, blame=True
):
    """A market whose reviewers weigh the parts as `wanted` says, look at the best of each line's list, and name what
    a rejected pair lacks most."""
    dice = np.random.default_rng(seed)
    wanted = np.array(wanted) / 100
    pairs = []
    for requirement in range(requirements):
        has_conditions, knows_place = dice.random() < 0.7, dice.random() < 0.9
        tops = maxima(WEIGHTING_1, bool(has_conditions), bool(knows_place))
        rows = [tuple(round(top * dice.beta(2, 1.5)) for top in tops) for _ in range(listed)]
        best = sorted(range(listed), key=lambda row: -sum(rows[row]))[:shown]
        for row in range(listed):
            share = np.array(
                [t / top if top else 0.0 for t, top in zip(rows[row], tops, strict=True)]
            )
            applies = np.array(tops) > 0
            worth = (wanted * applies * share).sum() / (wanted * applies).sum()
            relevant = None
            blamed = ()
            if row in best:
                relevant = bool(12 * (worth - 0.6) + noise * dice.logistic() > 0)
                if not relevant and blame:
                    lack = [
                        sum(wanted[PART_NAMES.index(n)] * applies[PART_NAMES.index(n)] * (1 - share[PART_NAMES.index(n)]) for n in names)
                        for names in REASONS
                    ]  # fmt: skip
                    blamed = REASONS[int(np.argmax(lack))]
            pairs.append(
                Pair(
                    requirement=requirement,
                    line=requirement,
                    offer=100 * requirement + row,
                    tenths=rows[row],
                    tops=tops,
                    relevant=relevant,
                    blamed=blamed,
                    chain="PV" if requirement % 2 else "NEV",
                    languages="zh-zh" if row % 3 else "zh-en",
                    size="large" if row % 4 == 0 else "",
                    presence="1" if row % 2 else "4",
                )
            )
    return pairs


# --- Learning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blame", [True, False])
@pytest.mark.parametrize(
    ("wanted", "loved"),
    [((20, 10, 10, 60), "locality"), ((20, 10, 60, 10), "conditions"), ((70, 10, 10, 10), "text")],
)
def test_learns_what_reviewers_prefer(wanted, loved, blame):
    evidence = Evidence.of(decided(wanted, requirements=150, blame=blame))

    found = calibration.fit(evidence, WEIGHTING_1)

    before = dict(zip(PART_NAMES, calibration.parts_of(WEIGHTING_1), strict=True))
    after = dict(zip(PART_NAMES, found.parts, strict=True))
    assert after[loved] - before[loved] == max(after[n] - before[n] for n in PART_NAMES)
    assert abs(after[loved] - dict(zip(PART_NAMES, wanted, strict=True))[loved]) < abs(
        before[loved] - dict(zip(PART_NAMES, wanted, strict=True))[loved]
    )
    assert sum(found.parts) == 100


def test_decisions_that_follow_the_weighting_confirm_it():
    evidence = Evidence.of(decided((45, 25, 20, 10), requirements=150))

    found = calibration.fit(evidence, WEIGHTING_1)

    assert np.abs(np.subtract(found.parts, calibration.parts_of(WEIGHTING_1))).max() <= 4


def test_verdicts_thrown_by_dice_teach_nothing():
    dice = np.random.default_rng(3)
    pairs = [
        dataclasses.replace(p, relevant=bool(dice.random() < 0.5), blamed=())
        for p in decided(shown=20)
    ]

    fitted, report = calibration.learn(Evidence.of(pairs), WEIGHTING_1)

    assert report["verdict"] == "unclear"
    assert fitted.slope < 1


def test_verdicts_that_prefer_less_of_everything_leave_the_weights_alone():
    pairs = [
        dataclasses.replace(p, relevant=sum(p.tenths) < 560, blamed=()) for p in decided(shown=20)
    ]

    found = calibration.fit(Evidence.of(pairs), WEIGHTING_1)

    assert (found.slope, found.parts) == (0.0, calibration.parts_of(WEIGHTING_1))


def test_reason_keeps_a_near_supplier_of_a_wrong_product_from_speaking_against_nearness():
    """Near ones are shown although their product is wrong, far ones only when it is right: without the reasons
    nearness would look like a fault."""
    tops = maxima(WEIGHTING_1, True, True)
    pairs = []
    for requirement in range(60):
        for row in range(6):
            near, right = row < 3, row >= 2
            share = (0.8 if right else 0.35, 0.8 if right else 0.5, 0.5, 1.0 if near else 0.1)
            tenths = tuple(round(top * part) for top, part in zip(tops, share, strict=True))
            pairs.append(
                Pair(requirement, requirement, 10 * requirement + row, tenths, tops, relevant=right,
                     blamed=() if right else ("text", "category"))
            )  # fmt: skip
    without = [dataclasses.replace(p, blamed=()) for p in pairs]

    with_reasons = calibration.fit(Evidence.of(pairs), WEIGHTING_1)
    blind = calibration.fit(Evidence.of(without), WEIGHTING_1)

    assert with_reasons.locality > blind.locality


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12))
def test_never_learns_a_part_of_nothing(seed, requirements, listed):
    dice = np.random.default_rng(seed)
    tops = [maxima(WEIGHTING_1, c, k) for c in (False, True) for k in (False, True)]
    pairs = []
    for requirement in range(requirements):
        own = tops[dice.integers(4)]
        for row in range(listed):
            tenths = tuple(int(dice.integers(top + 1)) for top in own)
            said = [None, True, False][dice.integers(3)]
            blamed = REASONS[dice.integers(3)] if said is False and dice.random() < 0.5 else ()
            pairs.append(
                Pair(requirement, requirement, row, tenths, own, relevant=said, blamed=blamed)
            )

    found = calibration.fit(Evidence.of(pairs), WEIGHTING_1)

    assert min(found.parts) >= calibration.LEAST_POINTS
    assert sum(found.parts) == 100
    assert found.slope >= 0


def test_same_decisions_in_any_order_give_the_same_weights_and_report():
    pairs = decided()
    shuffled = [pairs[row] for row in np.random.default_rng(9).permutation(len(pairs))]

    first = calibration.learn(Evidence.of(pairs), WEIGHTING_1)

    assert calibration.learn(Evidence.of(shuffled), WEIGHTING_1) == first


def test_slope_of_the_loss_is_the_loss_rising():
    evidence = Evidence.of(decided(requirements=10))
    problem = calibration._Problem.of(evidence, evidence.said, WEIGHTING_1)
    at = problem.start + np.random.default_rng(0).normal(0, 0.3, len(problem.start))

    _loss, gradient = problem.loss(at)

    step = 1e-6
    for place in range(len(at)):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        numeric = (problem.loss(up)[0] - problem.loss(down)[0]) / (2 * step)
        assert gradient[place] == pytest.approx(numeric, abs=1e-4)


# --- What counts ----------------------------------------------------------------------------------------


def count_of(pairs):
    return dataclasses.astuple(Evidence.of(pairs).counts)


def test_pairs_without_verdict_or_out_of_the_scores_reach_do_not_count():
    tops = maxima(WEIGHTING_1, False, True)
    pair = Pair(1, 1, 1, (300, 100, 0, 50), tops, relevant=False)
    named = {
        "said nothing": dataclasses.replace(pair, relevant=None),
        "misses a must": dataclasses.replace(pair, misses_must=True),
        # No condition could be computed, so the score knows nothing of the certificate that was wanted.
        "blames what could not apply": dataclasses.replace(pair, blamed=("conditions",)),
    }

    assert count_of([pair]) == (1, 1, 0, 1)
    assert {name: count_of([row]) for name, row in named.items()} == dict.fromkeys(named, (0,) * 4)


def test_refuses_to_learn_from_too_few():
    pairs = decided()
    few = [p for p in pairs if p.requirement < 29]
    one_sided = [dataclasses.replace(p, relevant=True) if p.relevant is False else p for p in pairs]

    for too_few in ([], pairs[:150], few, one_sided):
        evidence = Evidence.of(too_few)
        assert not evidence.counts.enough
        with pytest.raises(TooFewError) as refusal:
            calibration.learn(evidence, WEIGHTING_1)
        assert refusal.value.counts == evidence.counts
    assert Evidence.of(pairs).counts.enough


def test_points_are_those_a_run_gives():
    for conditions in (False, True):
        for locality in (False, True):
            tops = maxima(WEIGHTING_1, conditions, locality)
            tenths = apportion(640, [640 * top / 1000 for top in tops])
            evidence = Evidence.of([Pair(1, 1, 1, tenths, tops)])

            found = calibration.points(evidence.share, evidence.applies, WEIGHTING_1)

            assert found.tolist() == [640]


# --- The report -----------------------------------------------------------------------------------------


def test_report_finds_learned_weights_better_on_decisions_they_have_not_seen():
    fitted, report = calibration.learn(
        Evidence.of(decided((15, 10, 10, 65), requirements=150, shown=20)), WEIGHTING_1
    )

    measure = report["measures"]["ndcg_decided"]
    assert report["verdict"] == "better"
    assert measure["new"] > measure["old"]
    assert 0 < measure["low"] <= measure["new"] - measure["old"] <= measure["high"]
    assert report["weights"]["new"] == list(fitted.parts)
    for least, new, most in zip(
        report["weights"]["least"], fitted.parts, report["weights"]["most"], strict=True
    ):
        assert least - 2 <= new <= most + 2


def test_held_out_points_come_from_weights_that_never_saw_the_requirement(monkeypatch):
    evidence = Evidence.of(decided())
    seen = []
    true_fit = calibration.fit
    monkeypatch.setattr(
        calibration, "fit", lambda e, c, rows=None: seen.append(rows) or true_fit(e, c, rows)
    )

    calibration._held_out(evidence, WEIGHTING_1)

    assert len(seen) == calibration.FOLDS
    left_out = [set(evidence.requirement[~rows]) for rows in seen]
    assert not any(
        set(evidence.requirement[rows]) & out for rows, out in zip(seen, left_out, strict=True)
    )
    assert sorted(r for out in left_out for r in out) == sorted(set(evidence.requirement))


def test_reliability_holds_every_decision_once():
    evidence = Evidence.of(decided())

    _fitted, report = calibration.learn(evidence, WEIGHTING_1)

    for table in report["reliability"].values():
        assert sum(band["pairs"] for band in table["bands"]) == evidence.counts.decisions
        assert sum(band["approved"] for band in table["bands"]) == evidence.counts.relevant
        assert [(band["from"], band["to"]) for band in table["bands"]] == [
            (0, 200), (200, 400), (400, 600), (600, 800), (800, 1000),
        ]  # fmt: skip


def test_reliability_counts_by_hand():
    tops = maxima(WEIGHTING_1, True, True)
    rows = [((450, 250, 200, 100), True), ((450, 250, 50, 5), True), ((450, 250, 50, 0), False),
            ((200, 100, 50, 0), False), ((0, 0, 0, 0), False)]  # fmt: skip
    evidence = Evidence.of(
        Pair(1, 1, number, tenths, tops, relevant=said)
        for number, (tenths, said) in enumerate(rows)
    )

    found = calibration.reliability(
        evidence, evidence.share.astype(int)[:, 0] * 0 + [1000, 755, 750, 350, 0]
    )

    assert [(b["pairs"], b["approved"], b["share"]) for b in found["bands"]] == [
        (1, 0, 0.0), (1, 0, 0.0), (0, 0, None), (2, 1, 0.5), (1, 1, 1.0),
    ]  # fmt: skip
    assert (found["high"]["pairs"], found["high"]["approved"]) == (3, 2)
    assert (found["low"]["pairs"], found["low"]["approved"]) == (2, 0)


def test_sizes_share_out_lists_and_places():
    evidence = Evidence.of(decided())

    _fitted, report = calibration.learn(evidence, WEIGHTING_1)

    for rows in report["sizes"].values():
        for name in ("listed", "shown_old", "shown_new"):
            assert sum(row[name] for row in rows) == pytest.approx(1, abs=1e-3)
        assert sum(row["pairs"] for row in rows) == len(evidence)
        assert sum(row["decided"] for row in rows) == evidence.counts.decisions
    assert [row["key"] for row in report["sizes"]["size"]] == ["", "large"]
    assert [row["key"] for row in report["groups"]["chain"]] == ["NEV", "PV"]
    assert [row["key"] for row in report["groups"]["languages"]] == ["zh-en", "zh-zh"]


def test_interval_of_no_difference_is_nothing_and_few_requirements_have_none():
    same = [(requirement, 0.5, 0.5) for requirement in range(20)]

    assert calibration.compared(same) == {"lines": 20, "old": 0.5, "new": 0.5, "low": 0.0, "high": 0.0}  # fmt: skip
    assert calibration.compared(same[:4])["low"] is None
    assert calibration.compared([])["lines"] == 0


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "better"), (-0.1, 0.1, "unclear"), (-0.2, -0.1, "worse"), (0.0, 0.0, "unclear"), (None, None, "unclear")],
)  # fmt: skip
def test_verdict_says_no_more_than_the_interval(low, high, said):
    assert calibration.verdict({"low": low, "high": high}) == said


def test_measures_by_hand():
    """Three decided and two undecided: the old order is a x b y c, the new one c y b x a; b and c were approved."""
    tops = maxima(WEIGHTING_1, True, True)
    rows = [((450, 0, 0, 0), False), ((360, 0, 0, 10), None), ((270, 0, 0, 20), True), ((180, 0, 0, 30), None),
            ((90, 0, 0, 40), True)]  # fmt: skip
    evidence = Evidence.of(
        Pair(1, 1, number, tenths, tops, relevant=said)
        for number, (tenths, said) in enumerate(rows)
    )
    old, new = np.array([500, 400, 300, 200, 100]), np.array([100, 200, 300, 400, 500])

    found = calibration._compared(evidence, old, new)["measures"]

    second, third, fifth = (1 / np.log2(place + 1) for place in (2, 3, 5))
    best = 1 + second
    values = {name: (m["old"], m["new"]) for name, m in found.items()}
    assert values == {
        "ndcg_decided": (round((second + third) / best, 4), 1.0),
        "precision_decided": (0.5, 1.0),
        "precision": (0.4, 0.4),
        "ndcg": (round((third + fifth) / best, 4), round((1 + third) / best, 4)),
        "undecided": (0.4, 0.4),
    }


def test_one_version_goes_no_further_than_a_step():
    """Decisions that care for nothing but nearness: locality doubles and the others are halved, against each other."""
    found = calibration.fit(Evidence.of(decided((1, 1, 1, 97), requirements=150)), WEIGHTING_1)

    assert found.parts == (35, 19, 15, 31)


# --- What if --------------------------------------------------------------------------------------------


def test_what_if_counts_lists_whose_first_ten_change_and_names_the_longest_ways():
    tops = maxima(WEIGHTING_1, False, True)
    rows = [(400 - row, 200, 0, 0) for row in range(11)] + [(380, 200, 0, 8)]
    pairs = [Pair(1, 1, number, tenths, tops) for number, tenths in enumerate(rows)]
    pairs += [Pair(2, 2, number, tenths, tops) for number, tenths in enumerate(rows[:5])]
    evidence = Evidence.of(pairs)
    tenths = calibration.points(evidence.share, evidence.applies, WEIGHTING_1)
    near = dataclasses.replace(WEIGHTING_1, text=15, locality=40)

    nothing = calibration.what_if(evidence, tenths, WEIGHTING_1)
    found = calibration.what_if(evidence, tenths, near)

    assert (nothing.lines, nothing.changed, nothing.reordered, nothing.movers) == (2, 0, 0, ())
    assert (found.changed, found.reordered) == (1, 0)
    assert evidence.pairs[found.movers[0].row].offer == 11
    assert (found.movers[0].place_old, found.movers[0].place_new) == (12, 1)
    named = calibration.what_if(evidence, tenths, near, named={2})
    assert (named.changed, named.movers) == (1, ())
