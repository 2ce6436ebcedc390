"""Weights from organisers' decisions, and a report that compares old and new on decisions they were not learned from.

The method is a penalised logistic regression with an intercept for each line (a mixed model fitted by its posterior
mode; Breslow & Clayton, "Approximate inference in generalized linear mixed models", JASA 88, 1993). The probability
that a reviewer calls a pair relevant is σ(a + b[line] + slope · score), where the score is the product's own sum of
parts and the weights are the softmax of free numbers: positive by construction, summing to 100. A normal prior holds
the logarithms of the weights at the weighting in force, so few or contradictory decisions change nothing. What is
learned are the maxima of the four parts; the constants inside the parts stay: hundreds of labels do not carry more.

A rejection speaks of what its reason names. "Too far" says nothing about the product: in such a row the other parts
stand at the mean of the approved pairs. Without that, suppliers who were shown only because they are near and then
rejected for their product would teach that being near is bad (selection on the score, Berkson 1946).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import log, log2
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from matchmaking.engine.evaluation import ndcg
from matchmaking.engine.scoring import apportion, maxima
from matchmaking.engine.types import PART_NAMES
from matchmaking.engine.weights import Weights

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Facet = Literal["chain", "languages", "size", "presence"]

# Fewer than these decide nothing: with 40 of the rarer verdict the standard error of a share is 8 points.
LEAST_DECISIONS = 200
LEAST_REQUIREMENTS = 30
LEAST_OF_A_VERDICT = 40
LEAST_POINTS = 2  # a part that counts for nothing could never be learned back

DEPTH = 10
FOLDS = 5
SEED = 1
DRAWS = 1000
# Whole lists favour the weighting under which they were reviewed: what nobody was shown nobody approved. Lists without
# the undecided (condensed lists; Sakai, "Alternatives to Bpref", SIGIR 2007) do not; the verdict goes by those.
MEASURES = ("ndcg_decided", "precision_decided", "precision", "ndcg", "undecided")
LEAST_LINES = 5  # fewer give no interval worth printing
BANDS = ((0, 200), (200, 400), (400, 600), (600, 800), (800, 1001))
HIGH_FROM, LOW_BELOW = 750, 400

_WEIGHT_SPREAD = (
    0.5  # prior: a weight's factor within e^±0.5 of the one in force, two times out of three
)
# No weight gains or loses more than this factor against the others in one version: the decisions were made on lists
# in the old order, and say little about lists far from it. A next version goes on from there.
_MOST_STEP = 2.0
_LINE_SPREAD = 1.0
_SLOPE, _SLOPE_SPREAD = 5.0, 5.0
_LEVEL_SPREAD = 5.0
_MOST_OF_A_REQUIREMENT = 20.0  # no requirement counts for more decisions than this


class TooFewError(ValueError):
    """The decisions are too few to learn from; `counts` says how many there are."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(str(counts))
        self.counts = counts


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair as a reviewer met it.

    Attributes
    ----------
    tenths, tops
        What the four parts gave and could give, in the fixed order. A top of 0: the part could not apply.
    relevant
        None when nobody said, or for a reason that does not speak about the match.
    blamed
        The parts a rejection speaks of; empty = all of them.
    """

    requirement: int
    line: int
    offer: int
    tenths: tuple[int, ...]
    tops: tuple[int, ...]
    misses_must: bool = False
    relevant: bool | None = None
    blamed: tuple[str, ...] = ()
    chain: str = ""
    languages: str = ""
    size: str = ""
    presence: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What there is to learn from."""

    decisions: int
    requirements: int
    relevant: int
    not_relevant: int

    @property
    def enough(self) -> bool:
        return (
            self.decisions >= LEAST_DECISIONS
            and self.requirements >= LEAST_REQUIREMENTS
            and min(self.relevant, self.not_relevant) >= LEAST_OF_A_VERDICT
        )


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Pairs as columns. `said` marks those with a verdict that teaches something."""

    pairs: tuple[Pair, ...]
    share: Floats
    applies: Bools
    misses: Bools
    said: Bools
    relevant: Bools
    requirement: Ints
    line: Ints

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Evidence:
        """Rows in one order whatever the order given, so that the same decisions give the same weights."""
        rows = tuple(sorted(pairs, key=lambda pair: (pair.requirement, pair.line, pair.offer)))
        tenths = np.array([pair.tenths for pair in rows], dtype=np.float64).reshape(len(rows), 4)
        tops = np.array([pair.tops for pair in rows], dtype=np.float64).reshape(len(rows), 4)
        applies = tops > 0
        return cls(
            pairs=rows,
            share=np.divide(tenths, tops, out=np.zeros_like(tops), where=applies),
            applies=applies,
            misses=np.array([pair.misses_must for pair in rows], dtype=bool),
            said=np.array([_teaches(pair) for pair in rows], dtype=bool),
            relevant=np.array([pair.relevant is True for pair in rows], dtype=bool),
            requirement=np.array([pair.requirement for pair in rows], dtype=np.int64),
            line=np.array([pair.line for pair in rows], dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def counts(self) -> Counts:
        relevant = int((self.said & self.relevant).sum())
        said = int(self.said.sum())
        return Counts(
            decisions=said,
            requirements=len(np.unique(self.requirement[self.said])),
            relevant=relevant,
            not_relevant=said - relevant,
        )


def _teaches(pair: Pair) -> bool:
    """A pair that misses a must stands where it stands whatever the points; a reason that names a part which
    could not apply speaks of something the score does not know."""
    if pair.relevant is None or pair.misses_must:
        return False
    known = [top > 0 for top in pair.tops]
    return not pair.blamed or any(known[PART_NAMES.index(name)] for name in pair.blamed)


def points(share: Floats, applies: Bools, weights: Weights) -> Ints:
    """Tenths of each row under a weighting: what a run would give for the same shares of the parts."""
    tops = np.array(
        [maxima(weights, bool(c), bool(near)) for c in (0, 1) for near in (0, 1)], dtype=np.float64
    )[applies[:, 2].astype(np.int64) * 2 + applies[:, 3]]
    exact = np.round((share * tops).sum(axis=1), 6)
    tenths: Ints = np.floor(exact + 0.5).astype(np.int64)
    return tenths


# -- learning -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fitted:
    """The learned maxima of the parts, together 100, and how steeply relevance rises with the score."""

    text: int
    category: int
    conditions: int
    locality: int
    slope: float

    @property
    def parts(self) -> tuple[int, ...]:
        return self.text, self.category, self.conditions, self.locality

    def on(self, weights: Weights, version: int | None = None) -> Weights:
        """The weighting with these maxima; everything else in it stays."""
        return replace(
            weights,
            version=weights.version if version is None else version,
            **dict(zip(PART_NAMES, self.parts, strict=True)),
        )


def parts_of(weights: Weights) -> tuple[int, ...]:
    return weights.text, weights.category, weights.conditions, weights.locality


def fit(evidence: Evidence, current: Weights, rows: Bools | None = None) -> Fitted:
    """The weights that explain the verdicts best, held at those in force."""
    from scipy.optimize import minimize  # noqa: PLC0415 -- slow import, once a season

    taken = evidence.said if rows is None else evidence.said & rows
    problem = _Problem.of(evidence, taken, current)
    found = minimize(
        problem.loss,
        problem.start,
        jac=True,
        method="L-BFGS-B",
        bounds=problem.bounds,
        options={"maxiter": 500, "ftol": 1e-11, "gtol": 1e-6},
    )
    shares = np.exp(found.x[:4] - found.x[:4].max())
    # Rounded to whole points; the solver's last digits decide nothing.
    spare = 100 - 4 * LEAST_POINTS
    exact = 100 * np.round(shares / shares.sum(), 4)
    over = np.maximum(exact - LEAST_POINTS, 0.0)
    whole = apportion(spare, (spare * over / over.sum()).tolist())
    text, category, conditions, locality = (LEAST_POINTS + extra for extra in whole)
    return Fitted(text, category, conditions, locality, round(float(found.x[4]), 3))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The penalised negative log-likelihood. Unknowns: four log weights, the slope, the level, one number a line."""

    share: Floats
    applies: Floats
    sign: Floats
    line: Ints
    counted: Floats
    prior: Floats

    @classmethod
    def of(cls, evidence: Evidence, taken: Bools, current: Weights) -> _Problem:
        share = _as_said(evidence, taken)[taken]
        _lines, line = np.unique(evidence.line[taken], return_inverse=True)
        _names, own, sizes = np.unique(
            evidence.requirement[taken], return_inverse=True, return_counts=True
        )
        prior = np.log(np.maximum(np.array(parts_of(current), dtype=np.float64), 0.5))
        return cls(
            share=share,
            applies=evidence.applies[taken].astype(np.float64),
            sign=np.where(evidence.relevant[taken], 1.0, -1.0),
            line=line.astype(np.int64),
            counted=np.minimum(1.0, _MOST_OF_A_REQUIREMENT / sizes)[own],
            prior=prior - prior.mean(),
        )

    @property
    def lines(self) -> int:
        return int(self.line.max()) + 1 if len(self.line) else 0

    @property
    def start(self) -> Floats:
        return np.concatenate([self.prior, [_SLOPE, 0.0], np.zeros(self.lines)])

    @property
    def bounds(self) -> list[tuple[float | None, float | None]]:
        step = log(_MOST_STEP)
        near = [(at - step, at + step) for at in self.prior.tolist()]
        # More points never make a pair less relevant: decisions that say so say nothing.
        free: list[tuple[float | None, float | None]] = [(None, None)]
        return [*near, (0.0, None), *free * (1 + self.lines)]

    def loss(self, unknown: Floats) -> tuple[float, Floats]:
        free, slope, level, own = unknown[:4], unknown[4], unknown[5], unknown[6:]
        weight = np.exp(free - free.max()) * self.applies
        total = weight.sum(axis=1)
        score = (weight * self.share).sum(axis=1) / total
        margin = self.sign * (level + own[self.line] + slope * score)
        pull = -self.sign * self.counted / (1.0 + np.exp(np.clip(margin, -700, 700)))

        moved = (free - self.prior) / _WEIGHT_SPREAD
        steep = (slope - _SLOPE) / _SLOPE_SPREAD
        loss = float((self.counted * np.logaddexp(0.0, -margin)).sum())
        loss += 0.5 * float(moved @ moved + steep**2 + (level / _LEVEL_SPREAD) ** 2)
        loss += 0.5 * float(own @ own) / _LINE_SPREAD**2

        by_weight = weight * (self.share - score[:, None]) / total[:, None]
        gradient = np.concatenate(
            [
                slope * (pull @ by_weight) + moved / _WEIGHT_SPREAD,
                [pull @ score + steep / _SLOPE_SPREAD, pull.sum() + level / _LEVEL_SPREAD**2],
                np.bincount(self.line, pull, minlength=len(own)) + own / _LINE_SPREAD**2,
            ]
        )
        return loss, gradient


def _as_said(evidence: Evidence, taken: Bools) -> Floats:
    """Shares as a verdict speaks of them: parts a rejection does not blame stand at the mean of the approved."""
    approved = taken & evidence.relevant
    known = np.maximum(evidence.applies[approved].sum(axis=0), 1)
    mean = evidence.share[approved].sum(axis=0) / known
    share = evidence.share.copy()
    for row in np.flatnonzero(taken & ~evidence.relevant):
        blamed = evidence.pairs[row].blamed
        if blamed:
            spared = [place for place, name in enumerate(PART_NAMES) if name not in blamed]
            share[row, spared] = mean[spared]
    return share


# -- the report -----------------------------------------------------------------------------------


def learn(evidence: Evidence, current: Weights) -> tuple[Fitted, dict[str, Any]]:
    """New weights and the report on them, as plain values.

    Every requirement's decisions are judged by weights learned from the other requirements' decisions (five parts,
    drawn once with a fixed seed); the weights that are offered come from all of them.

    Raises
    ------
    TooFewError
        Fewer than 200 decisions, 30 requirements, or 40 decisions of the rarer verdict.
    """
    counts = evidence.counts
    if not counts.enough:
        raise TooFewError(counts)
    fitted = fit(evidence, current)
    held_out, folds = _held_out(evidence, current)
    old = points(evidence.share, evidence.applies, current)
    return fitted, {
        "weights": {
            "old": list(parts_of(current)),
            "new": list(fitted.parts),
            "least": [min(column) for column in zip(*(f.parts for f in folds), strict=True)],
            "most": [max(column) for column in zip(*(f.parts for f in folds), strict=True)],
        },
        "slope": fitted.slope,
        **_compared(evidence, old, held_out),
        "reliability": {
            "old": reliability(evidence, old),
            "new": reliability(evidence, held_out),
        },
        "method": {"folds": FOLDS, "seed": SEED, "draws": DRAWS, "depth": DEPTH},
    }


def _held_out(evidence: Evidence, current: Weights) -> tuple[Ints, list[Fitted]]:
    """Points of each row by weights that were learned without its requirement."""
    names = np.unique(evidence.requirement)
    part = np.empty(len(names), dtype=np.int64)
    part[np.random.default_rng(SEED).permutation(len(names))] = np.arange(len(names)) % FOLDS
    fold = part[np.searchsorted(names, evidence.requirement)]
    found = np.zeros(len(evidence), dtype=np.int64)
    fits = []
    for number in range(FOLDS):
        own = fold == number
        fits.append(fit(evidence, current, ~own))
        found[own] = points(evidence.share[own], evidence.applies[own], fits[-1].on(current))
    return found, fits


def _compared(evidence: Evidence, old: Ints, new: Ints) -> dict[str, Any]:
    listed = _by_line(evidence)
    measured = [_Measured.of(evidence, rows, old, new) for rows in listed]
    lines = [line for line in measured if line is not None]
    measures = {
        name: compared([(m.requirement, *m.values[name]) for m in lines if name in m.values])
        for name in MEASURES
    }
    return {
        "measures": measures,
        "verdict": verdict(measures["ndcg_decided"]),
        "groups": {
            "chain": _by_chain(lines),
            "languages": _by_languages(evidence, listed, old, new),
        },
        "sizes": {
            "size": standing(evidence, listed, old, new, "size"),
            "presence": standing(evidence, listed, old, new, "presence"),
        },
    }


def verdict(measure: dict[str, Any]) -> str:
    """What may be said about the change: nothing, as long as its interval holds zero."""
    if measure["low"] is None:
        return "unclear"
    if measure["low"] > 0:
        return "better"
    return "worse" if measure["high"] < 0 else "unclear"


def _by_line(evidence: Evidence) -> list[Ints]:
    """Row numbers of each line, by line."""
    order = np.argsort(evidence.line, kind="stable").astype(np.int64)
    if not len(order):
        return []
    return np.split(order, np.flatnonzero(np.diff(evidence.line[order])) + 1)


def ranked(evidence: Evidence, rows: Ints, tenths: Ints) -> Ints:
    """A line's rows as its list shows them: those that miss no must, more points, lower offer id."""
    offers = np.array([evidence.pairs[row].offer for row in rows], dtype=np.int64)
    return rows[np.lexsort((offers, -tenths[rows], evidence.misses[rows]))]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One line's figures, old and new."""

    requirement: int
    chain: str
    values: dict[str, tuple[float, float]]

    @classmethod
    def of(cls, evidence: Evidence, rows: Ints, old: Ints, new: Ints) -> _Measured | None:
        """None when nothing on the line was approved: there is nothing to find."""
        approved = {str(row) for row in rows if evidence.said[row] and evidence.relevant[row]}
        if not approved:
            return None
        lists = [[str(row) for row in ranked(evidence, rows, t)] for t in (old, new)]
        said = {str(row) for row in rows if evidence.said[row]}
        values = {
            "precision": _each(lists, lambda names: _precision(names, approved)),
            "ndcg": _each(lists, lambda names: ndcg(names, dict.fromkeys(approved, 1), DEPTH)),
            "undecided": _each(lists, lambda names: 1 - _precision(names, said)),
        }
        if said - approved:
            decided = [[name for name in names if name in said] for names in lists]
            values["ndcg_decided"] = _each(
                decided, lambda names: ndcg(names, dict.fromkeys(approved, 1), DEPTH)
            )
            values["precision_decided"] = _each(
                decided, lambda names: _precision(names[: len(approved)], approved)
            )
        first = evidence.pairs[rows[0]]
        return cls(first.requirement, first.chain, values)


def _each(lists: Sequence[list[str]], measure: Any) -> tuple[float, float]:
    old, new = (float(measure(names)) for names in lists)
    return old, new


def _precision(names: Sequence[str], wanted: set[str]) -> float:
    """Of the first ten places, as many as the list fills."""
    shown = names[:DEPTH]
    return len(wanted & set(shown)) / len(shown)


def compared(values: Sequence[tuple[int, float, float]]) -> dict[str, Any]:
    """Means over lines and the difference with its 95 % interval: whole requirements are drawn, not lines, because
    the decisions on one requirement hang together (cluster bootstrap)."""
    if not values:
        return {"lines": 0, "old": None, "new": None, "low": None, "high": None}
    columns = np.array(values, dtype=np.float64)
    found = {
        "lines": len(values),
        "old": round(float(columns[:, 1].mean()), 4),
        "new": round(float(columns[:, 2].mean()), 4),
        "low": None,
        "high": None,
    }
    names, own = np.unique(columns[:, 0], return_inverse=True)
    if len(names) >= LEAST_LINES:
        difference = np.bincount(own, columns[:, 2] - columns[:, 1])
        size = np.bincount(own).astype(np.float64)
        times = np.random.default_rng(SEED).multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=DRAWS
        )
        drawn = (times @ difference) / (times @ size)
        low, high = np.quantile(drawn, [0.025, 0.975])
        found |= {"low": round(float(low), 4), "high": round(float(high), 4)}
    return found


def _order(lines: Sequence[_Measured]) -> dict[str, Any]:
    """The measure that the verdict goes by, over some lines."""
    values = [
        (m.requirement, m.values["ndcg_decided"]) for m in lines if "ndcg_decided" in m.values
    ]
    return compared([(requirement, *pair) for requirement, pair in values])


def _by_chain(lines: Sequence[_Measured]) -> list[dict[str, Any]]:
    return [
        {"key": chain, **_order([line for line in lines if line.chain == chain])}
        for chain in sorted({line.chain for line in lines})
    ]


def _by_languages(
    evidence: Evidence, listed: Sequence[Ints], old: Ints, new: Ints
) -> list[dict[str, Any]]:
    """Line → supplier text: each line's list without the pairs of other languages."""
    spoken = np.array([pair.languages for pair in evidence.pairs], dtype=np.str_)
    found = []
    for key in sorted(set(spoken.tolist())):
        narrowed = [rows[spoken[rows] == key] for rows in listed]
        lines = [_Measured.of(evidence, rows, old, new) for rows in narrowed if len(rows)]
        found.append({"key": key, **_order([line for line in lines if line is not None])})
    return found


def standing(
    evidence: Evidence, listed: Sequence[Ints], old: Ints, new: Ints, facet: Facet
) -> list[dict[str, Any]]:
    """How suppliers of each class stand: their share of the lists, of the first ten places, of what was approved."""
    classes = np.array([getattr(pair, facet) for pair in evidence.pairs], dtype=np.str_)
    place = {"old": _places(evidence, listed, old), "new": _places(evidence, listed, new)}
    top = {name: values <= DEPTH for name, values in place.items()}
    found = []
    for key in sorted(set(classes.tolist())):
        own = classes == key
        said = own & evidence.said
        found.append(
            {
                "key": key,
                "pairs": int(own.sum()),
                "listed": _share(int(own.sum()), len(evidence)),
                "decided": int(said.sum()),
                "approved": _share(int((said & evidence.relevant).sum()), int(said.sum())),
                **{
                    f"shown_{n}": _share(int((own & t).sum()), int(t.sum())) for n, t in top.items()
                },
                **{f"rank_{n}": round(float(p[own].mean()), 1) for n, p in place.items()},
            }
        )
    return found


def _places(evidence: Evidence, listed: Sequence[Ints], tenths: Ints) -> Ints:
    place = np.zeros(len(evidence), dtype=np.int64)
    for rows in listed:
        order = ranked(evidence, rows, tenths)
        place[order] = np.arange(1, len(order) + 1)
    return place


def _share(count: int, total: int) -> float | None:
    return round(count / total, 4) if total else None


def reliability(evidence: Evidence, tenths: Ints) -> dict[str, Any]:
    """Bands of points against the share that was approved. The bands hold every decision once."""
    rows = [_band(evidence, tenths, least, most) for least, most in BANDS]
    return {
        "bands": rows,
        "high": _band(evidence, tenths, HIGH_FROM, BANDS[-1][1]),
        "low": _band(evidence, tenths, 0, LOW_BELOW),
    }


def _band(evidence: Evidence, tenths: Ints, least: int, most: int) -> dict[str, Any]:
    own = evidence.said & (tenths >= least) & (tenths < most)
    count, approved = int(own.sum()), int((own & evidence.relevant).sum())
    return {
        "from": least,
        "to": min(most, 1000),
        "pairs": count,
        "approved": approved,
        "share": _share(approved, count),
    }


# -- what if --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mover:
    """A pair that would stand elsewhere in its line's list."""

    row: int
    place_old: int
    place_new: int
    tenths_old: int
    tenths_new: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a weighting would do to lists that stand: nothing is written."""

    lines: int
    changed: int  # lists of which the first ten places hold other suppliers
    reordered: int  # … or the same ones in another order
    movers: tuple[Mover, ...]


def what_if(
    evidence: Evidence,
    tenths: Ints,
    weights: Weights,
    kept: int = 10,
    named: Collection[int] | None = None,
) -> WhatIf:
    """Compare the lists as they stand (`tenths`) with those under another weighting; movers only of the lines `named`."""
    after = points(evidence.share, evidence.applies, weights)
    changed = reordered = 0
    movers = []
    for rows in _by_line(evidence):
        old, new = ranked(evidence, rows, tenths), ranked(evidence, rows, after)
        first, then = old[:DEPTH].tolist(), new[:DEPTH].tolist()
        changed += set(first) != set(then)
        reordered += first != then and set(first) == set(then)
        place = {row: number for number, row in enumerate(new.tolist(), 1)}
        for number, row in enumerate(old.tolist(), 1):
            if place[row] != number and min(place[row], number) <= DEPTH:
                movers.append(Mover(row, number, place[row], int(tenths[row]), int(after[row])))
    if named is not None:
        movers = [mover for mover in movers if evidence.line[mover.row] in named]
    # From 2 to 9 is a longer way than from 32 to 39: nobody reads that far.
    movers.sort(key=lambda m: (-abs(log2(m.place_new / m.place_old)), m.row))
    return WhatIf(len(_by_line(evidence)), changed, reordered, tuple(movers[:kept]))
