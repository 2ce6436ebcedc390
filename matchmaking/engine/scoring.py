"""Points of pairs: the best texts of the best suppliers for each line, in parts that sum exactly.

Everything is counted in whole tenths of a point. A single pair and a run go the same way and get the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from matchmaking.engine import ENGINE_VERSION, similarity
from matchmaking.engine.constraints import (
    Case,
    Judged,
    Precedents,
    counted_in,
    judge,
    told_of,
    verdicts,
)
from matchmaking.engine.explanation import (
    TERMS_SHOWN,
    Agreement,
    Answer,
    Shore,
    Telling,
    Wording,
    bridgeable,
    shared_terms,
)
from matchmaking.engine.features import Objections
from matchmaking.engine.fingerprint import digest, fingerprints, written
from matchmaking.engine.highlight import Edges, edges
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.lines import Lines
from matchmaking.engine.locality import Distances, Places, distances
from matchmaking.engine.pairs import Pairs, first_greatest, pairs_of, ranges
from matchmaking.engine.search import CANDIDATES
from matchmaking.engine.selection import kept
from matchmaking.engine.text import asserted
from matchmaking.engine.types import (
    PART_NAMES,
    Condition,
    Need,
    Offer,
    OfferText,
    Outcome,
    Part,
    Scored,
    Unchanged,
)
from matchmaking.engine.units import Units
from matchmaking.engine.weights import Weights

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Known = Mapping[
    tuple[int, int], int
]  # need and offer, and the fingerprint of what is known of them

WHOLE = 1000  # tenths of a full score
KEPT = 50
ELSEWHERE_TOLD = 0.1  # from a tenth of a line's words on it is a reason
ANSWERS_KEPT = 40_000  # some 1 kB each: a worker's memory is for the index
_DECIMALS = 6  # beyond that a float's noise, not a difference between two suppliers


def apportion(total: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Whole numbers near the shares that sum to `total`: the largest remainders are rounded up, earlier ones first.

    >>> apportion(1000, [562.5, 312.5, 125.0])
    (563, 312, 125)
    """
    exact = [round(share, _DECIMALS) for share in shares]
    floors = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: floors[place] - exact[place])
    for place in by_remainder[: total - sum(floors)]:
        floors[place] += 1
    return tuple(floors)


def apportioned(totals: Ints, shares: Floats) -> Ints:
    """The same for many rows at once."""
    exact = np.round(shares, _DECIMALS)
    floors = exact.astype(np.int64)
    by_remainder = np.argsort(floors - exact, axis=1, kind="stable")
    place = np.argsort(by_remainder, axis=1)
    whole: Ints = floors + (place < (totals - floors.sum(axis=1))[:, None])
    return whole


@lru_cache(maxsize=64)
def maxima(weights: Weights, conditions: bool, locality: bool) -> tuple[int, ...]:
    """Tenths each part can reach. A part that cannot apply gives its maximum to the others in proportion."""
    given = (
        weights.text,
        weights.category,
        weights.conditions * conditions,
        weights.locality * locality,
    )
    return apportion(WHOLE, [WHOLE * points / sum(given) for points in given])


@lru_cache(maxsize=4096)
def condition_maxima(weights: Weights, strengths: tuple[str, ...], total: int) -> tuple[int, ...]:
    """Tenths each computed condition can reach; a must counts twice a preference."""
    counts = [weights.must if strength == "must" else weights.prefer for strength in strengths]
    return apportion(total, [total * count / sum(counts) for count in counts])


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Offers for needs, each with its best text, as columns by need and offer. The shares run from 0 to 1."""

    line: Ints  # place of the need
    row: Ints
    ids: Ints  # of the offers
    text: Floats
    category: Floats
    elsewhere: (
        Floats  # share of the line's weight of words that only other texts of the offer cover
    )
    # As in `Features`.
    unnamed: npt.NDArray[np.float32]
    apart: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.row)

    def part(self, own: slice | Ints) -> Candidates:
        return Candidates(
            self.line[own],
            self.row[own],
            self.ids[own],
            self.text[own],
            self.category[own],
            self.elsewhere[own],
            self.unnamed[own],
            self.apart[own],
        )

    def by_line(self) -> Iterator[tuple[int, slice]]:
        """The lines that have any, and where theirs stand."""
        starts = np.flatnonzero(np.diff(self.line, prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(self)]):
            yield int(self.line[start]), slice(start, stop)


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """What candidates state, along them: in columns, and with what a rule reads of the one in a place."""

    numbers: Ints
    case: Callable[[int], Case]
    precedents: Precedents


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How candidates stand, before anything is put into words."""

    tenths: Ints
    misses_must: npt.NDArray[np.bool_]
    near: Distances
    exact: Floats  # tenths of the four parts, unrounded; one row a candidate

    def order(self, ids: Ints) -> Ints:
        """Of one need: best first; whoever misses a must stands below all who miss none; equal ones by id."""
        return np.lexsort((ids, -self.tenths, self.misses_must)).astype(np.int64)

    def part(self, own: slice | Ints) -> Standing:
        return Standing(
            self.tenths[own], self.misses_must[own], self.near.part(own), self.exact[own]
        )


def score_pairs(
    needs: Sequence[Need],
    candidates: Candidates,
    near: Distances,
    stated: Stated,
    weights: Weights,
) -> Standing:
    """Points of all candidates; how near each is and what it states runs along them."""
    local = (~np.isnan(near.share)).astype(np.int64)
    counted = np.array([_has_conditions(need.conditions) for need in needs], np.int64)
    most = [[maxima(weights, asks, knows) for knows in (False, True)] for asks in (False, True)]
    tops = np.array(most, np.int64)[counted[candidates.line], local]

    points, misses = _conditions(needs, candidates, stated, near.km, local, weights)
    exact = np.empty((len(candidates), 4), dtype=np.float64)
    exact[:, 0] = candidates.text * tops[:, 0]
    exact[:, 1] = candidates.category * tops[:, 1]
    exact[:, 2] = points
    exact[:, 3] = np.nan_to_num(near.share) * tops[:, 3]
    exact = np.round(exact, _DECIMALS)
    # Half a tenth is rounded up, and always the same way: the sum is rounded first, its parts to fit.
    tenths = np.floor(np.round(exact.sum(axis=1), _DECIMALS) + 0.5).astype(np.int64)
    return Standing(tenths, misses, near, exact)


def _has_conditions(conditions: Sequence[Condition]) -> bool:
    return any(counted_in(condition) == "conditions" for condition in conditions)


def _conditions(
    needs: Sequence[Need],
    candidates: Candidates,
    stated: Stated,
    km: Floats,
    local: Ints,
    weights: Weights,
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Tenths by conditions, and whether a must is missed."""
    points, misses = np.zeros(len(candidates), np.int64), np.zeros(len(candidates), np.bool_)
    bounds = np.searchsorted(candidates.line, np.arange(len(needs) + 1))
    for condition, lines, gains in _askings(needs, weights):
        lengths = bounds[lines + 1] - bounds[lines]
        at = ranges(bounds[lines], lengths)

        def case(place: int, at: Ints = at) -> Case:
            return stated.case(int(at[place]))

        found = verdicts(condition, stated.numbers[at], km[at], case, stated.precedents)
        if condition.strength == "must":
            misses[at[found == "missed"]] = True
        asking = np.repeat(np.arange(len(lines)), lengths)
        # A line may ask the same twice.
        np.add.at(points, at, np.where(found == "met", gains[asking, local[at]], 0))
    return points, misses


def _askings(needs: Sequence[Need], weights: Weights) -> Iterator[tuple[Condition, Ints, Ints]]:
    """Each different condition, the lines that ask it, and for how many tenths where the locality is not known and where
    it is."""
    found: dict[tuple[Any, ...], list[tuple[Condition, int, list[int]]]] = defaultdict(list)
    totals = [maxima(weights, True, knows)[2] for knows in (False, True)]
    for line, need in enumerate(needs):
        stakes = [stakes_of(need.conditions, total, weights) for total in totals]
        for condition, *gains in zip(need.conditions, *stakes, strict=True):
            if counted_in(condition):
                asked = condition.kind, condition.codes, condition.value, condition.unit
                tenths = [most for _, most in gains]
                found[*asked, condition.strength].append((condition, line, tenths))
    for asking in found.values():
        conditions, lines, tenths_of = zip(*asking, strict=True)
        yield conditions[0], np.array(lines), np.array(tenths_of)


def stakes_of(
    conditions: Sequence[Condition], total: int, weights: Weights
) -> list[tuple[str, int]]:
    """The part each condition is counted in, and the most it can give there; `total` is the maximum of `conditions`."""
    parts = [counted_in(condition) for condition in conditions]
    strengths = tuple(
        c.strength for c, part in zip(conditions, parts, strict=True) if part == "conditions"
    )
    points = iter(condition_maxima(weights, strengths, total) if strengths else ())
    # Region and distance decide a must like any other, but their points are the locality's.
    return [(part, next(points) if part == "conditions" else 0) for part in parts]


# Suppliers differ less than their pairs: most hold the same papers, or lie in the same few regions. But nearly each way
# is another.
_outcome = lru_cache(maxsize=8192)(Outcome)


def outcome_of(condition: Condition, part: str, most: int, judged: Judged) -> Outcome:
    """A condition with its verdict, its fact and the tenths it gave, of at most so many of a part."""
    outcome, fact = judged
    about = condition.id, condition.kind, condition.strength, outcome
    made = Outcome if condition.kind == "distance" else _outcome
    return made(*about, most if outcome == "met" else 0, most, part, fact)


def outcomes_of(
    conditions: Sequence[Condition],
    stakes: Mapping[int, Sequence[tuple[str, int]]],
    tops: Sequence[int],
    stated: Stated,
) -> list[tuple[Outcome, ...]]:
    """Each condition of a line with each of its candidates.

    `stakes` are by the maximum of `conditions`, which `tops` says of each.
    """
    columns = []
    for number, condition in enumerate(conditions):
        if condition.kind == "distance":
            judged: Iterable[Judged] = [
                judge(condition, stated.case(place)) for place in range(len(tops))
            ]
        else:
            told = told_of(condition, stated.numbers)
            judged = stated.precedents.judge(condition, told, stated.case)
        columns.append(
            [
                outcome_of(condition, *stakes[top][number], one)
                for top, one in zip(tops, judged, strict=True)
            ]
        )
    return list(zip(*columns, strict=True)) if columns else [()] * len(tops)


@lru_cache(maxsize=64)
def _every_part(name: str, most: int) -> tuple[Part, ...]:
    """All that a part can be, by its tenths: pair after pair has one of them."""
    return tuple([Part(name, tenths, most) for tenths in range(most + 1)])


def parts_of(
    tenths: Ints, standing: Standing, weights: Weights, has_conditions: bool
) -> list[tuple[Part, ...]]:
    """The four parts of each row, of which the tenths are known; they sum to its score."""
    tops = [maxima(weights, has_conditions, knows) for knows in (False, True)]
    every = [tuple(map(_every_part, PART_NAMES, most)) for most in tops]
    knows = (~np.isnan(standing.near.share)).tolist()
    found: list[tuple[Part, ...]] = []
    for (text, category, conditions, locality), known in zip(tenths.tolist(), knows, strict=True):
        texts, categories, all_conditions, localities = every[known]
        found.append(
            (texts[text], categories[category], all_conditions[conditions], localities[locality])
        )
    return found


@dataclass(slots=True, eq=False)
class _Asked:
    """One line, and what is found out about it once for all its pairs."""

    leaf: str
    wording: Wording
    edges: Edges
    shore: Shore | None = None
    relations: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Ranker:
    """An index with a weighting, and what is worth keeping between lines: words of texts and of categories.

    Make a new one when the index has changed.
    """

    index: OfferIndex
    weights: Weights
    units: Units
    _answers: dict[tuple[int, int], Answer] = field(init=False, default_factory=dict)
    _words: dict[str, Mapping[str, Sequence[str]]] = field(init=False, default_factory=dict)
    _same_words: dict[str, frozenset[tuple[str, str]]] = field(init=False, default_factory=dict)
    _digests: dict[int, bytes] = field(init=False, default_factory=dict)
    _precedents: Precedents = field(init=False, default_factory=Precedents)
    _common: bytes = field(init=False, default=b"")

    def rank(self, needs: Sequence[Need], k: int = KEPT) -> list[Scored]:
        """The k best suppliers of each need, needs in the order given."""
        return [one for one in self.rank_anew(needs, {}, k) if isinstance(one, Scored)]

    def rank_anew(
        self, needs: Sequence[Need], known: Known, k: int = KEPT
    ) -> Iterator[Scored | Unchanged]:
        """The same for needs ranked before, as they are told: explained is only what would read otherwise now."""
        lines = self.index.read(needs, CANDIDATES)
        return self._scored(lines, self.index.candidates(lines), k, known)

    def score_pair(self, need: Need, offer_id: int) -> Scored | None:
        """One pair on request, found by the search or not; None when the offer has no text."""
        return next(iter(self.score_offer([need], offer_id)), None)

    def score_offer(self, needs: Sequence[Need], offer_id: int) -> list[Scored]:
        """Each need with one offer: what a supplier that has changed is worth to all lines."""
        lines = self.index.read(needs, CANDIDATES)
        found = self._scored(lines, self.index.pairs_with(lines, offer_id), 1, {})
        return [one for one in found if isinstance(one, Scored)]

    def _scored(
        self, lines: Lines, pairs: Pairs, k: int, known: Known
    ) -> Iterator[Scored | Unchanged]:
        # What other texts of a supplier say is little; it is not needed to find the best few.
        found = self._candidates(lines, pairs, houses=False)
        near = self._near(lines, found)
        standing = self._standing(lines, found, near)
        best = [
            own.start + kept(standing.misses_must[own], standing.tenths[own], found.ids[own], k)
            for _, own in found.by_line()
        ]
        chosen = np.sort(np.concatenate([np.empty(0, np.int64), *best]))
        # The search may have found one text of a supplier and not another that says it better.
        row, place = self.index.rows_of_all(found.ids[chosen])
        every = pairs_of([found.line[chosen[place]]], [row])
        found = self._candidates(lines, every, houses=True)
        standing = self._standing(lines, found, near.part(chosen))
        tenths = apportioned(standing.tenths, standing.exact)
        prints = self._fingerprints(lines, found, standing, tenths)
        for line, own in found.by_line():
            about = found.part(own), standing.part(own), tenths[own], prints[own]
            yield from self._told(lines, line, *about, known)

    def _candidates(self, lines: Lines, pairs: Pairs, *, houses: bool) -> Candidates:
        """One text an offer for each line: the one nearest in words and category. Conditions do not choose it, or a
        supplier's other product with a handy certificate would stand for the one that was asked for."""
        features = self.index.features(lines, pairs, houses=houses)
        text = similarity.text_share(features, self.weights).astype(np.float64)
        category = similarity.category_share(features, self.weights).astype(np.float64)
        worth = np.round(text * self.weights.text + category * self.weights.category, _DECIMALS)
        # By line, offer and text.
        order = np.argsort(pairs.line * len(self.index.order) + self.index.order[pairs.row])
        line, owner, worth = pairs.line[order], self.index.owners[pairs.row[order]], worth[order]
        fresh = (np.diff(line, prepend=-1) != 0) | (np.diff(owner, prepend=-1) != 0)
        # Of equally good ones the first.
        chosen = order[first_greatest(worth, np.flatnonzero(fresh))]
        row = pairs.row[chosen]
        return Candidates(
            line=pairs.line[chosen],
            row=row,
            ids=self.index.owners[row],
            text=text[chosen],
            category=category[chosen],
            elsewhere=features.elsewhere[chosen].astype(np.float64),
            unnamed=features.unnamed[chosen],
            apart=features.apart[chosen],
        )

    def _near(self, lines: Lines, candidates: Candidates) -> Distances:
        here = Places.of([need.place for need in lines.needs]).take(candidates.line)
        return distances(here, self.index.places_along(candidates.row), self.weights)

    def _standing(self, lines: Lines, candidates: Candidates, near: Distances) -> Standing:
        index, rows = self.index, candidates.row

        def case(place: int) -> Case:
            offer, text = index.offers[int(candidates.ids[place])], index.texts[int(rows[place])]
            return Case(offer, text, self.units)

        stated = Stated(index.stated[rows], case, self._precedents)
        return score_pairs(lines.needs, candidates, near, stated, self.weights)

    def _told(
        self,
        lines: Lines,
        line: int,
        candidates: Candidates,
        standing: Standing,
        tenths: Ints,
        prints: Sequence[int],
        known: Known,
    ) -> Iterator[Scored | Unchanged]:
        """The candidates of a line in words, those that are known by the same fingerprint by name alone. `tenths` are
        those of the parts."""
        need, offers = lines.needs[line].id, candidates.ids.tolist()
        fresh = []
        for row in standing.order(candidates.ids).tolist():
            if known.get((need, offers[row])) == prints[row]:
                yield Unchanged(need, offers[row])
            else:
                fresh.append(row)
        if fresh:
            own = np.array(fresh)
            about = candidates.part(own), standing.part(own), tenths[own]
            yield from self._explained(lines, line, *about, [prints[row] for row in fresh])

    def _fingerprints(
        self, lines: Lines, candidates: Candidates, standing: Standing, tenths: Ints
    ) -> list[int]:
        """Of all that `_explained` reads: what is asked and offered by digests, what was found about both in figures."""
        index = self.index
        if not self._common:
            code = ENGINE_VERSION, index.encoder.version, index.taxonomy.fingerprint
            kind = index.of_buyers, bool(index.labels)
            self._common = digest(written(*code, *kind, self.weights, self.units))
        rows = candidates.row
        found = np.empty((len(candidates), 8), np.int64)
        found[:, 0] = index.text_ids[rows]
        found[:, 1] = [index.leaders[row] for row in rows.tolist()]
        found[:, 2] = candidates.elsewhere >= ELSEWHERE_TOLD
        found[:, 3] = standing.misses_must
        found[:, 4:] = tenths
        offers = [self._digest_of(offer) for offer in candidates.ids.tolist()]
        prints = []
        for line, own in candidates.by_line():
            asked = self._common + digest(written(lines.leading[line], lines.needs[line]))
            prints += fingerprints(asked, offers[own], found[own])
        return prints

    def _digest_of(self, offer: int) -> bytes:
        if offer not in self._digests:
            self._digests[offer] = digest(self.index.offers.written(offer))
        return self._digests[offer]

    def _explained(
        self,
        lines: Lines,
        line: int,
        candidates: Candidates,
        standing: Standing,
        tenths: Ints,
        prints: Sequence[int],
    ) -> Iterator[Scored]:
        need, index = lines.needs[line], self.index
        conditions = need.conditions
        leaf, known = index.leaf_code(lines.leading[line]), edges(index.taxonomy)
        asked, telling = _Asked(leaf, Wording.of(asserted(need.text)), known), Telling(need)
        parts = parts_of(tenths, standing, self.weights, _has_conditions(conditions))
        nears = standing.near.each()
        rows = candidates.row.tolist()
        offers = [index.offers[one] for one in candidates.ids.tolist()]
        texts = [index.texts[row] for row in rows]

        def case(place: int) -> Case:
            near = nears[place]
            return Case(offers[place], texts[place], self.units, near.km, near.about)

        tops = [own[2].max_tenths for own in parts]
        stakes = {top: stakes_of(conditions, top, self.weights) for top in set(tops)}
        stated = Stated(index.stated[candidates.row], case, self._precedents)
        outcomes = outcomes_of(conditions, stakes, tops, stated)
        lost = candidates.unnamed, candidates.apart
        columns = (
            offers,
            texts,
            standing.tenths.tolist(),
            parts,
            outcomes,
            nears,
            [index.leaf_code(index.leaders[row]) for row in rows],
            (candidates.elsewhere >= ELSEWHERE_TOLD).tolist(),
            index.objections(lines, line, candidates.row, *lost),
            standing.misses_must.tolist(),
            prints,
        )
        for offer, text, total, own, fared, near, other, also, against, misses, print_ in zip(
            *columns, strict=True
        ):
            shared = self._agreement(asked, other, offer, text, against, elsewhere=also)
            reasons = telling.explain(offer, text, own, fared, near, shared)
            yield Scored(need.id, offer.id, text.id, total, own, reasons, fared, misses, print_)

    def _agreement(
        self,
        asked: _Asked,
        leaf: str,
        offer: Offer,
        text: OfferText,
        objections: Objections,
        *,
        elsewhere: bool,
    ) -> Agreement:
        """With `elsewhere` the words that other texts of the offer share are looked for too."""
        answer = self._answer(offer.id, text)
        crossed = None
        if asked.leaf and asked.leaf == leaf:
            if asked.shore is None:
                words = self._words_of(leaf), self._same_words_of(leaf)
                asked.shore = Shore.of(asked.wording, *words)
            crossed = asked.shore.bridge(answer)
        if leaf not in asked.relations:
            asked.relations[leaf] = self._relation(asked.leaf, leaf)
        parent, level = asked.relations[leaf]
        terms = shared_terms(asked.wording, answer, asked.edges)
        also: tuple[str, ...] = ()
        if elsewhere:
            found = dict.fromkeys(
                term
                for more in offer.texts
                if more.id != text.id
                for term in shared_terms(asked.wording, self._answer(offer.id, more), asked.edges)
                if term not in terms
            )
            also = tuple(found)[:TERMS_SHOWN]
        return Agreement(terms, crossed, asked.leaf, leaf, parent, level, also, objections)

    def _answer(self, owner: int, text: OfferText) -> Answer:
        key = owner, text.id
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            answer = self._answers[key] = Answer(text.text)
        return answer

    def _relation(self, asked: str, offered: str) -> tuple[str, str]:
        """The closest level two leaves share, and the code of it where it is their parent."""
        if not asked or not offered:
            return "", ""
        categories = self.index.taxonomy.by_code
        if asked == offered:
            return categories[asked].parent or "", "leaf"
        above, other = categories[asked].parent, categories[offered].parent
        if above and above == other:
            return above, "parent"
        chains = [
            categories[code].parent if code in categories else None for code in (above, other)
        ]
        return "", "chain" if chains[0] and chains[0] == chains[1] else ""

    def _same_words_of(self, leaf: str) -> frozenset[tuple[str, str]]:
        if leaf not in self._same_words:
            known, encoder = self.index.taxonomy, self.index.encoder
            self._same_words[leaf] = known.translations(leaf, encoder)
        return self._same_words[leaf]

    def _words_of(self, leaf: str) -> Mapping[str, Sequence[str]]:
        if leaf not in self._words:
            self._words[leaf] = bridgeable(self.index.taxonomy.terms(leaf))
        return self._words[leaf]


def rank(
    needs: Iterable[Need], index: OfferIndex, weights: Weights, units: Units, k: int = KEPT
) -> list[Scored]:
    """The k best suppliers of each need. Same input, same rows.

    Sorted by need as given, then: missing no must first, more points first, lower offer id first.
    """
    return Ranker(index, weights, units).rank(list(needs), k)


def score_pair(
    need: Need, offer_id: int, index: OfferIndex, weights: Weights, units: Units
) -> Scored | None:
    """One pair, with the numbers a run would give it."""
    return Ranker(index, weights, units).score_pair(need, offer_id)
