"""Points of pairs: the best texts of the best suppliers for each line, in parts that sum exactly.

Everything is counted in whole tenths of a point. A single pair and a run go the same way and get the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from math import isnan

import numpy as np
import numpy.typing as npt

from matchmaking.engine import ENGINE_VERSION, similarity
from matchmaking.engine.constraints import Case, counted_in, judge, verdict
from matchmaking.engine.explanation import (
    TERMS_SHOWN,
    Agreement,
    Answer,
    Shore,
    Wording,
    bridgeable,
    explain,
    shared_terms,
)
from matchmaking.engine.features import Objections
from matchmaking.engine.fingerprint import digest, fingerprints, written
from matchmaking.engine.highlight import edges
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.lines import Lines
from matchmaking.engine.locality import Distances, Places, distances, places_of
from matchmaking.engine.pairs import Pairs
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
    Verdict,
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
    """Offers for one need, each with its best text, as columns. The shares run from 0 to 1."""

    row: Ints
    ids: Ints  # of the offers
    offers: tuple[Offer, ...]  # none, like the texts, where nothing is asked that stands in them
    texts: tuple[OfferText, ...]
    text: Floats
    category: Floats
    elsewhere: (
        Floats  # share of the line's weight of words that only other texts of the offer cover
    )

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How the candidates of one need stand, before anything is put into words."""

    tenths: Ints
    misses_must: npt.NDArray[np.bool_]
    near: Distances
    exact: Floats  # tenths of the four parts, unrounded; one row a candidate

    def order(self, ids: Ints) -> Ints:
        """Best first; whoever misses a must stands below all who miss none; equal ones by id."""
        return np.lexsort((ids, -self.tenths, self.misses_must)).astype(np.int64)


def score_pairs(
    need: Need, candidates: Candidates, weights: Weights, units: Units, places: Places | None = None
) -> Standing:
    """Points of all candidates of one need. `places` are those of the candidates, when the caller has them at hand."""
    if places is None:
        places = places_of(candidates.offers)
    near = distances(need.place, places, weights)
    local = ~np.isnan(near.share)
    counted = [condition for condition in need.conditions if counted_in(condition) == "conditions"]
    tops = np.array(
        [maxima(weights, bool(counted), knows) for knows in (False, True)], dtype=np.int64
    )[local.astype(np.int64)].reshape(len(candidates), 4)

    verdicts = _verdicts(need.conditions, candidates, near, units)
    exact = np.empty((len(candidates), 4), dtype=np.float64)
    exact[:, 0] = candidates.text * tops[:, 0]
    exact[:, 1] = candidates.category * tops[:, 1]
    exact[:, 2] = _condition_tenths(need.conditions, verdicts, tops[:, 2], weights)
    exact[:, 3] = np.where(local, np.nan_to_num(near.share), 0.0) * tops[:, 3]
    exact = np.round(exact, _DECIMALS)
    musts = [c.strength == "must" for c in need.conditions]
    misses = np.array(
        [any(m and v == "missed" for m, v in zip(musts, row, strict=True)) for row in verdicts],
        dtype=bool,
    )
    # Half a tenth is rounded up, and always the same way: the sum is rounded first, its parts to fit.
    tenths = np.floor(np.round(exact.sum(axis=1), _DECIMALS) + 0.5).astype(np.int64)
    return Standing(tenths, misses, near, exact)


def _verdicts(
    conditions: Sequence[Condition], candidates: Candidates, near: Distances, units: Units
) -> list[tuple[Verdict | None, ...]]:
    if not conditions:
        return [()] * len(candidates)
    ways = [None if isnan(km) else km for km in near.km.tolist()]
    cases = map(Case, candidates.offers, candidates.texts, repeat(units), ways)
    return [tuple([verdict(condition, case) for condition in conditions]) for case in cases]


def _condition_tenths(
    conditions: Sequence[Condition],
    verdicts: Sequence[Sequence[Verdict | None]],
    tops: Ints,
    weights: Weights,
) -> list[int]:
    places = [
        place for place, condition in enumerate(conditions) if counted_in(condition) == "conditions"
    ]
    strengths = tuple(conditions[place].strength for place in places)
    if not places:
        return [0] * len(verdicts)
    points = {top: condition_maxima(weights, strengths, top) for top in set(tops.tolist())}
    return [
        sum(share for place, share in zip(places, points[top], strict=True) if row[place] == "met")
        for row, top in zip(verdicts, tops.tolist(), strict=True)
    ]


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


# Suppliers differ less than their pairs: most hold the same papers, or lie in the same few regions.
_outcome = lru_cache(maxsize=8192)(Outcome)


def outcomes_of(
    conditions: Sequence[Condition], stakes: Sequence[tuple[str, int]], case: Case
) -> tuple[Outcome, ...]:
    """Each condition with its verdict, its fact and the tenths it gave."""
    found = []
    for condition, (part, most) in zip(conditions, stakes, strict=True):
        outcome, fact = judge(condition, case)
        about = condition.id, condition.kind, condition.strength, outcome
        found.append(_outcome(*about, most if outcome == "met" else 0, most, part, fact))
    return tuple(found)


# Few figures, met in pair after pair.
_part = lru_cache(maxsize=8192)(Part)


def parts_of(standing: Standing, weights: Weights, has_conditions: bool) -> list[tuple[Part, ...]]:
    """The four parts of each row in tenths; they sum to its score."""
    tops = [maxima(weights, has_conditions, knows) for knows in (False, True)]
    knows = (~np.isnan(standing.near.share)).tolist()
    tenths = apportioned(standing.tenths, standing.exact).tolist()
    return [
        tuple(map(_part, PART_NAMES, row, tops[known]))
        for row, known in zip(tenths, knows, strict=True)
    ]


@dataclass(slots=True, eq=False)
class _Asked:
    """One line, and what is found out about it once for all its pairs."""

    leaf: str
    wording: Wording
    shore: Shore | None = None


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
    _common: bytes = field(init=False, default=b"")

    def rank(self, needs: Sequence[Need], k: int = KEPT) -> list[Scored]:
        """The k best suppliers of each need, needs in the order given."""
        return [one for one in self.rank_anew(needs, {}, k) if isinstance(one, Scored)]

    def rank_anew(
        self, needs: Sequence[Need], known: Known, k: int = KEPT
    ) -> list[Scored | Unchanged]:
        """The same for needs ranked before: explained is only what would read otherwise now."""
        lines = self.index.read(needs, CANDIDATES)
        return list(self._scored(lines, self.index.candidates(lines), k, known))

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
        chosen: list[Pairs] = []
        # What other texts of a supplier say is little; it is not needed to find the best few.
        for line, candidates in self._candidates(lines, pairs, houses=False):
            standing = self._standing(lines.needs[line], candidates)
            best = kept(standing.misses_must, standing.tenths, candidates.ids, k)
            # The search may have found one text of a supplier and not another that says it better.
            rows = [self.index.rows_of(offer) for offer in candidates.ids[best].tolist()]
            every = np.sort(np.concatenate(rows)) if rows else np.empty(0, np.int64)
            chosen.append(Pairs(np.full(len(every), line, np.int64), every))
        if not chosen:
            return
        columns = (
            np.concatenate([p.line for p in chosen]),
            np.concatenate([p.row for p in chosen]),
        )
        for line, candidates in self._candidates(lines, Pairs(*columns), houses=True):
            yield from self._told(lines, line, candidates, known)

    def _candidates(
        self, lines: Lines, pairs: Pairs, *, houses: bool
    ) -> Iterator[tuple[int, Candidates]]:
        """Pairs by line, one text an offer."""
        if not len(pairs):
            return
        features = self.index.features(lines, pairs, houses=houses)
        text = similarity.text_share(features, self.weights).astype(np.float64)
        category = similarity.category_share(features, self.weights).astype(np.float64)
        starts = np.searchsorted(pairs.line, np.arange(len(lines.needs) + 1))
        for line in range(len(lines.needs)):
            own = slice(starts[line], starts[line + 1])
            if own.start < own.stop:
                columns = pairs.row[own], text[own], category[own], features.elsewhere[own]
                # Conditions are judged by what stands in an offer; the rest is known without reading it.
                read = bool(lines.needs[line].conditions)
                yield line, self._best_texts(*columns, read=read)

    def _best_texts(
        self,
        rows: Ints,
        text: Floats,
        category: Floats,
        elsewhere: npt.NDArray[np.float32],
        *,
        read: bool,
    ) -> Candidates:
        """One text an offer: the one nearest in words and category. Conditions do not choose it, or a supplier's
        other product with a handy certificate would stand for the one that was asked for."""
        worth = np.round(text * self.weights.text + category * self.weights.category, _DECIMALS)
        owners = self.index.owners[rows]
        ids = self.index.text_ids[rows]
        order = np.lexsort((ids, -worth, owners))
        first = np.flatnonzero(np.r_[True, np.diff(owners[order]) != 0]) if len(order) else order
        chosen = order[first]
        row, own = rows[chosen], owners[chosen]
        return Candidates(
            row=row,
            ids=own,
            offers=tuple([self.index.offers[offer] for offer in own.tolist()]) if read else (),
            texts=tuple([self.index.texts[place] for place in row.tolist()]) if read else (),
            text=text[chosen],
            category=category[chosen],
            elsewhere=elsewhere[chosen].astype(np.float64),
        )

    def _standing(self, need: Need, candidates: Candidates) -> Standing:
        places = self.index.places_of(candidates.ids.tolist())
        return score_pairs(need, candidates, self.weights, self.units, places)

    def _told(
        self, lines: Lines, line: int, candidates: Candidates, known: Known
    ) -> Iterator[Scored | Unchanged]:
        """The candidates in words, those that are known by the same fingerprint by name alone."""
        standing = self._standing(lines.needs[line], candidates)
        prints = self._fingerprints(lines, line, candidates, standing)
        need, offers = lines.needs[line].id, candidates.ids.tolist()
        fresh = []
        for row in standing.order(candidates.ids).tolist():
            if known.get((need, offers[row])) == prints[row]:
                yield Unchanged(need, offers[row])
            else:
                fresh.append(row)
        if fresh:
            yield from self._explained(lines, line, candidates, standing, prints, fresh)

    def _fingerprints(
        self, lines: Lines, line: int, candidates: Candidates, standing: Standing
    ) -> list[int]:
        """Of all that `_explained` reads: what is asked and offered by digests, what was found about both in figures."""
        need, index = lines.needs[line], self.index
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
        found[:, 4:] = apportioned(standing.tenths, standing.exact)
        asked = self._common + digest(written(lines.leading[line], need))
        offers = [self._digest_of(offer) for offer in candidates.ids.tolist()]
        return list(fingerprints(asked, offers, found))

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
        prints: Sequence[int],
        order: Sequence[int],
    ) -> Iterator[Scored]:
        need = lines.needs[line]
        conditions = need.conditions
        has_conditions = any(counted_in(condition) == "conditions" for condition in conditions)
        asked = _Asked(self.index.leaf_code(lines.leading[line]), Wording.of(asserted(need.text)))
        every_part = parts_of(standing, self.weights, has_conditions)
        stakes = {
            top: stakes_of(conditions, top, self.weights)
            for top in {parts[2].max_tenths for parts in every_part}
        }
        nears = standing.near.each()
        tenths, misses_must = standing.tenths.tolist(), standing.misses_must.tolist()
        rows, told = candidates.row.tolist(), (candidates.elsewhere >= ELSEWHERE_TOLD).tolist()
        ids = candidates.ids.tolist()
        objections = self.index.objections(lines, line, candidates.row)
        for row in order:
            offer, text = self.index.offers[ids[row]], self.index.texts[rows[row]]
            near, parts = nears[row], every_part[row]
            outcomes: tuple[Outcome, ...] = ()
            if conditions:
                case = Case(offer, text, self.units, near.km, near.about)
                outcomes = outcomes_of(conditions, stakes[parts[2].max_tenths], case)
            others = offer.texts if told[row] else ()
            leaf = self.index.leaf_code(self.index.leaders[rows[row]])
            agreement = self._agreement(asked, leaf, offer.id, text, others, objections[row])
            yield Scored(
                need.id,
                offer.id,
                text.id,
                tenths[row],
                parts,
                explain(need, offer, text, parts, outcomes, near, agreement),
                outcomes,
                misses_must[row],
                prints[row],
            )

    def _agreement(
        self,
        asked: _Asked,
        leaf: str,
        owner: int,
        text: OfferText,
        others: Sequence[OfferText],
        objections: Objections,
    ) -> Agreement:
        answer = self._answer(owner, text)
        crossed = None
        if asked.leaf and asked.leaf == leaf:
            if asked.shore is None:
                words = self._words_of(leaf), self._same_words_of(leaf)
                asked.shore = Shore.of(asked.wording, *words)
            crossed = asked.shore.bridge(answer)
        parent, level = self._relation(asked.leaf, leaf)
        known = edges(self.index.taxonomy)
        terms = shared_terms(asked.wording, answer, known)
        elsewhere = dict.fromkeys(
            term
            for more in others
            if more.id != text.id
            for term in shared_terms(asked.wording, self._answer(owner, more), known)
            if term not in terms
        )
        also = tuple(elsewhere)[:TERMS_SHOWN]
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
