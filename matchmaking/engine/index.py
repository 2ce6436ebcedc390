"""All published offers, ready to be searched by line; changes by one offer without a rebuild."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from matchmaking.engine import reading
from matchmaking.engine import text as words
from matchmaking.engine.labels import Labels
from matchmaking.engine.records import offer_from_json, offer_to_json
from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    Vocabulary,
    strongest,
    sublinear,
    times_columns,
    unit_rows,
)
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import Encoder, Nearest, Need, Offer, OfferText

_SATURATION = 1.2
_LENGTH = 0.75
_VOTE_SHARE = 0.3
# Letters and digits in one word name one product, where other words name a kind of product.
_CODE_WEIGHT = np.float32(3)
_BLOCK = 250
_DECIMALS = 4
_STEP = 2 * 10.0**-_DECIMALS
_SAMPLE = 16
_NEVER = -2.0
_LEAVES_SEARCHED = 8
_COMMON_COUNT = 500
_COMMON_SHARE = 0.02
_PAIRS_AT_ONCE = 200_000
CANDIDATES = 100
# What a line is for tells something of its category, but less than what it asks for.
_AIM_SHARE = np.float32(0.5)
_PURPOSE_HEARD = np.float32(0.3)
# So much nearer to the purpose than to the thing asked for: it is probably what the thing goes into.
_PURPOSE_LEAD = np.float32(0.2)
# What is left of the points of text and category where a line asks for work and a text offers the machine, or the
# other way round, and where both want the same or both have it.
_OTHER_FORM, _RIVAL = np.float32(0.7), np.float32(0.4)
_PHRASES_KEPT = 4096
# What is measured over all living texts at once and saved with them.
_MEASURED = (
    "_present",
    "_idf",
    "_rarity",
    "_scale",
    "_saturated",
    "_house",
    "_housed",
    "_houses",
    "order",
)
_MEASURED_TABLES = ("_postings", "_leaf", "_parent", "_chain", "_leaf_postings")


@dataclass(frozen=True, slots=True)
class Vote:
    """How many of the nearest texts speak for a line, how much shared words make them near, how fast they fade."""

    voters: int
    words: float
    sharpness: float


# Codes without words are known by their texts alone, so more are asked, and those of the other language too.
_LEAF_VOTE = Vote(voters=10, words=0.3, sharpness=15.0)
_LABEL_VOTE = Vote(voters=30, words=0.15, sharpness=12.0)
# A code that is only half sure says more than half of what a sure one says.
_LABEL_POWER = np.float32(0.7)
# So many words of a line in one text, and it is that product whatever code a shop has filed it under; fewer say less.
# Measured: a product's name in another shop shares eight to twelve, a text of the same code seldom five.
_NAMED_FROM, _NAMED = 4.5, 10.0
# A text of the other language can share none: this near in meaning it says as much as it would with words.
_SHARED_ABOVE, _SHARED_EACH = np.float32(0.3), np.float32(0.6)
# Two texts of one trade are as near as this without meaning the same.
_FOREIGN = np.float32(0.3)
# So much more, and it is worth a sentence.
_TOLD = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Needs as the index reads them; row i of everything belongs to needs[i]."""

    needs: tuple[Need, ...]
    vectors: Floats
    tfidf: Matrix
    cover: Matrix
    chinese: npt.NDArray[np.bool_]
    found: Pairs
    leaf: Matrix
    parent: Matrix
    chain: Matrix
    labels: Matrix
    sizes: Floats
    leading: list[int]
    ruled_out: Mapping[int, Floats]
    purposes: Mapping[int, tuple[Floats, Floats]]
    forms: npt.NDArray[np.int8]
    rivals: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Objections:
    """What speaks against a text as an answer, in the words of the line where it has any; "" for none."""

    ruled_out: str = ""
    purpose: str = ""
    form: reading.Form = ""
    party: Literal["", "seller", "buyer"] = ""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Columns: position of the need, row of the text in the index; sorted by both, each pair once."""

    line: Ints
    row: Ints

    def __len__(self) -> int:
        return len(self.line)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Columns that run along pairs, rounded so that batches and single calls agree.

    Attributes
    ----------
    u, t, b
        Likeness of meaning, less that to what the line rules out (-1 to 1), of all words (0 to 1), and the share of the line's weight of words that the
        text covers (0 to 1).
    leaf, parent, chain
        Agreement of the recognised categories at the three levels, 0 to 1.
    elsewhere
        What other texts of the same supplier add to `b`: the share of the line's weight of words that its texts cover
        together, less what this one covers.
    differ
        1 where line and text are in different languages, else 0.
    fit
        What is left of the points of text and category (0 to 1) after it is known who gives and who takes, and whether
        work or a machine is meant.
    """

    u: Floats
    t: Floats
    b: Floats
    leaf: Floats
    parent: Floats
    chain: Floats
    differ: Floats
    elsewhere: Floats
    fit: Floats


class OfferIndex:
    """Texts of offers in rows. Rows of removed offers stay until the next change needs the room; they are never found.

    Every figure depends on the living texts alone, not on the order in which they came: adding and removing gives
    the same results as building anew.

    `of_buyers` says that the texts are what firms buy, so that every one of them takes. With `nearest` the texts near in
    meaning are asked of it instead of looking at all.
    """

    of_buyers = False
    nearest: Nearest | None = None

    def __init__(self, taxonomy: Taxonomy, encoder: Encoder) -> None:
        self.taxonomy = taxonomy
        self.encoder = encoder
        self.offers: dict[int, Offer] = {}
        self.texts: list[OfferText] = []
        self.owners: Ints = np.empty(0, np.int64)
        self._alive: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._vocabulary = Vocabulary()
        self._long: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._codes: Ints = np.empty(0, np.int64)
        self._codes_read = 0
        self._counts: Matrix = sp.csr_matrix((0, 0), dtype=np.float32)
        self._vectors: Floats = encoder.encode(())
        self._probabilities: Matrix = sp.csr_matrix((0, len(taxonomy.leaves)), dtype=np.float32)
        self._coarse: Floats = np.empty((0, 0), np.float32)
        self._chinese: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._forms: npt.NDArray[np.int8] = np.empty(0, np.int8)
        self._parties: npt.NDArray[np.int8] = np.empty(0, np.int8)
        self._phrases: dict[str, Floats] = {}
        self._rows_by_text: dict[tuple[int, int], int] | None = None
        self._pending: list[tuple[int, OfferText]] = []
        self._changed = True

    @classmethod
    def build(cls, offers: Iterable[Offer], taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex:
        index = cls(taxonomy, encoder)
        for offer in sorted(offers, key=lambda offer: offer.id):
            index.add(offer)
        index.refresh()
        return index

    # -- changes ------------------------------------------------------------------------------------------------

    def add(self, offer: Offer) -> None:
        """Puts an offer in; one of the same id is replaced. The work is done at the next search."""
        self.remove(offer.id)
        self.offers[offer.id] = offer
        self._pending += [(offer.id, text) for text in offer.texts]
        self._changed = True

    def remove(self, offer_id: int) -> None:
        """Takes an offer out; an unknown id is no error, because a removal may be told twice."""
        if self.offers.pop(offer_id, None) is None:
            return
        if any(owner == offer_id for owner, _ in self._pending):
            self._pending = [(owner, text) for owner, text in self._pending if owner != offer_id]
        self._alive[self.owners == offer_id] = False
        self._changed = True

    def __len__(self) -> int:
        return int(self._alive.sum()) + len(self._pending)

    def refresh(self) -> None:
        """Takes in what was added and removed since; searching does it by itself."""
        if not self._changed:
            return
        if len(self._alive) > 64 and self._alive.mean() < 0.75:
            self._drop_dead()
        if self._pending:
            self._take_in()
        self._measure()
        self._changed = False

    def _drop_dead(self) -> None:
        rows = np.flatnonzero(self._alive)
        self.texts = [self.texts[row] for row in rows]
        self.owners, self._vectors = self.owners[rows], self._vectors[rows]
        self._coarse, self._chinese = self._coarse[rows], self._chinese[rows]
        self._forms, self._parties = self._forms[rows], self._parties[rows]
        self._counts, self._probabilities = self._counts[rows], self._probabilities[rows]
        self._alive = np.ones(len(rows), np.bool_)

    def _take_in(self) -> None:
        texts = [text for _, text in self._pending]
        spoken = [text.text for text in texts]
        vectors = _vectors_of(texts, self.encoder)
        short = self._vocabulary.counts(spoken, words.short_tokens, grow=True)
        known = len(self._long)
        self._long = np.append(self._long, np.zeros(len(self._vocabulary) - known, np.bool_))
        long = self._vocabulary.counts(spoken, words.long_tokens, grow=True)
        self._long = np.append(
            self._long, np.ones(len(self._vocabulary) - len(self._long), np.bool_)
        )
        width = len(self._vocabulary)
        counts = _widened(short, width) + _widened(long, width)
        given = [text.categories for text in texts]
        likely = self.taxonomy.probabilities(spoken, vectors, self.encoder)
        self._probabilities = sp.vstack(
            [self._probabilities, self.taxonomy.with_given(likely, given)], format="csr"
        )
        self._counts = sp.vstack([_widened(self._counts, width), counts], format="csr")
        self._vectors = _stacked(self._vectors, vectors)
        self._coarse = _stacked(self._coarse, vectors @ self.taxonomy.basis(self.encoder))
        self._chinese = np.append(self._chinese, _chinese(spoken))
        self._forms = np.append(self._forms, _forms(spoken))
        parties = [reading.PARTIES.index(reading.party_of(text)) for text in spoken]
        self._parties = np.append(self._parties, np.array(parties, np.int8))
        self.texts += texts
        self.owners = np.append(
            self.owners, np.array([owner for owner, _ in self._pending], np.int64)
        )
        self._alive = np.append(self._alive, np.ones(len(texts), np.bool_))
        self._pending = []

    def _measure(self) -> None:
        """What depends on all living texts at once; a few passes over the stored counts, no text is read again."""
        counts, alive, width = self._counts, self._alive, len(self._vocabulary)
        lengths = np.diff(counts.indptr)
        living = np.repeat(alive, lengths)
        present = np.bincount(counts.indices[living], minlength=width)[:width]
        total = int(alive.sum())
        seen = present > 0
        self._present, self._total = present, total
        self._read_codes()
        self._idf = np.where(seen, np.log((1 + total) / (1 + present)) + 1, 0).astype(np.float32)
        self._idf[self._codes] *= _CODE_WEIGHT
        rare = np.log1p((total - present + 0.5) / (present + 0.5))
        self._rarity = np.where(seen & ~self._long[:width], rare, 0).astype(np.float32)
        self._rarity[self._codes] *= _CODE_WEIGHT
        self._weighted = sublinear(counts)
        squares = (self._weighted.data * self._idf[counts.indices]) ** 2
        self._scale = (1 / np.sqrt(np.maximum(_row_sums(squares, counts.indptr), 1e-12))).astype(
            np.float32
        )
        short = ~self._long[counts.indices]
        size = _row_sums(counts.data * short, counts.indptr)
        mean = size[alive].mean() if total else 1.0
        damping = _SATURATION * (1 - _LENGTH + _LENGTH * size / max(mean, 1e-9))
        # Between 0 and 1 before the line's weights: tf (k+1) / (tf + damping), over k + 1.
        saturated = counts.data / (counts.data + np.repeat(damping, lengths)) * short
        self._saturated = saturated.astype(np.float32)
        self._postings = self._weighted.T.tocsr()
        self._leaf, self._parent, self._chain = self.taxonomy.levels(self._probabilities)
        self._leaf_postings = self._leaf.T.tocsr()
        self._house, self._housed, self._houses = self._of_houses()
        order = np.lexsort((np.array([text.id for text in self.texts], np.int64), self.owners))
        self.order = np.empty(len(order), np.int64)
        self.order[order] = np.arange(len(order))
        self._arrange()

    def _arrange(self) -> None:
        """What is looked up by offer, kind and group; quickly made from what was measured."""
        alive = self._alive
        self._leaders = _leaders(self._leaf)
        self._all_rows = np.arange(len(self.order))
        self._barred_kinds: dict[frozenset[str], npt.NDArray[np.bool_]] = {}
        self._labels = Labels(
            [text.categories for text in self.texts],
            self.taxonomy.by_code,
            alive,
            self._vectors,
            partial(_tfidf, self._weighted, self._idf, self._scale),
        )
        self._rows_by_text = None
        self._rows_of = dict(_grouped(self.owners, alive))
        self._kinds = {
            kind: self._rows_where(kind=kind)
            for kind in {offer.kind for offer in self.offers.values()}
        }
        groups = {offer.group for offer in self.offers.values() if offer.group is not None}
        self._groups = {group: self._rows_where(group=group) for group in groups}

    def _of_houses(self) -> tuple[Ints, Ints, Ints]:
        """Number of the supplier of each text, its texts in one column, and where those of each supplier begin."""
        rows = np.flatnonzero(self._alive)
        _, place, count = np.unique(self.owners[rows], return_inverse=True, return_counts=True)
        house = np.zeros(len(self.owners), np.int64)
        house[rows] = place
        return house, rows[np.argsort(place, kind="stable")], np.append(0, np.cumsum(count))

    def _read_codes(self) -> None:
        """Columns of the vocabulary that name one model or grade; read once, for the vocabulary only grows."""
        known = self._codes_read
        fresh = list(islice(self._vocabulary.columns, known, None))
        found = [column for column, word in enumerate(fresh, known) if words.is_code(word)]
        self._codes = np.append(self._codes, np.array(found, np.int64))
        self._codes_read = known + len(fresh)

    def _rows_where(self, *, kind: str | None = None, group: int | None = None) -> Ints:
        rows = [
            self._rows_of.get(offer.id, np.empty(0, np.int64))
            for offer in self.offers.values()
            if (kind is None or offer.kind == kind) and (group is None or offer.group == group)
        ]
        return np.concatenate(rows)

    def rows_of(self, offer_id: int) -> Ints:
        """Rows of the texts of one offer, in order of their ids."""
        self.refresh()
        rows = self._rows_of.get(offer_id, np.empty(0, np.int64))
        return rows[np.argsort(self.order[rows])]

    # -- searching ----------------------------------------------------------------------------------------------

    def barred(self, need: Need) -> npt.NDArray[np.bool_]:
        """True for rows that may never be paired with the need: gone, of the same house, or of a kind not asked for."""
        barred = self._of_other_kinds(need.counterparts).copy()
        barred[self._own_rows(need)] = True
        return barred

    def _of_other_kinds(self, counterparts: frozenset[str]) -> npt.NDArray[np.bool_]:
        if counterparts not in self._barred_kinds:
            barred = ~self._alive
            if counterparts:
                for kind, rows in self._kinds.items():
                    if kind not in counterparts:
                        barred[rows] = True
            self._barred_kinds[counterparts] = barred
        return self._barred_kinds[counterparts]

    def _own_rows(self, need: Need) -> Ints:
        nothing = np.empty(0, np.int64)
        affiliates = nothing if need.group is None else self._groups.get(need.group, nothing)
        return np.concatenate([self._rows_of.get(need.enterprise, nothing), affiliates])

    def read(self, needs: Sequence[Need], k: int = CANDIDATES) -> Lines:
        """Everything about the needs that pairs are compared by; finds the k nearest texts by meaning and by words."""
        self.refresh()
        spoken = [need.text for need in needs]
        aims = [reading.aim(words.asserted(text))[0] for text in spoken]
        vectors = self._vectors_of_lines(needs)
        purposes = self._purposes(needs)
        counts = _widened(
            self._vocabulary.counts(spoken, words.tokens, grow=False), len(self._vocabulary)
        )
        heard = self._heard(counts, aims, list(purposes))
        tfidf = times_columns(sublinear(counts), self._idf)
        tfidf.data *= heard
        tfidf = unit_rows(tfidf)
        cover = counts.copy()
        cover.data = self._rarity[cover.indices] * heard
        sums = np.maximum(_row_sums(cover.data, cover.indptr), 1e-9)
        cover.data = (cover.data / np.repeat(sums, np.diff(cover.indptr))).astype(np.float32)
        chinese = _chinese(spoken)
        found = self._nearest(needs, vectors, tfidf, k)
        likely = self._likely(spoken, aims, vectors, purposes)
        votes = self._votes(vectors, tfidf, found, _LEAF_VOTE)
        likely = self._with_votes(likely, votes)
        likely = self.taxonomy.with_given(
            likely, [[need.category] if need.category else [] for need in needs]
        )
        leaf, parent, chain = self.taxonomy.levels(likely)
        labels = self._labelled(needs, vectors, tfidf, found)
        return Lines(
            tuple(needs),
            vectors,
            tfidf,
            cover,
            chinese,
            found,
            leaf,
            parent,
            chain,
            labels,
            self._sizes(needs),
            _leaders(leaf),
            self._ruled_out(needs),
            purposes,
            _forms(aims),
            self._rivals(needs),
        )

    def _likely(
        self,
        spoken: Sequence[str],
        aims: Sequence[str],
        vectors: Floats,
        purposes: Mapping[int, tuple[Floats, Floats]],
    ) -> Matrix:
        """p(leaf | line): of one that says what its product is for, half by the product alone."""
        likely = self.taxonomy.probabilities(spoken, vectors, self.encoder)
        if not purposes:
            return likely
        rows = list(purposes)
        asked = np.stack([purposes[row][0] for row in rows])
        alone = self.taxonomy.probabilities([aims[row] for row in rows], asked, self.encoder)
        place = sp.csr_matrix(
            (np.full(len(rows), _AIM_SHARE), (rows, range(len(rows)))),
            shape=(len(spoken), len(rows)),
        )
        keep = np.ones(len(spoken), np.float32)
        keep[rows] = 1 - _AIM_SHARE
        return (sp.diags(keep) @ likely + place @ alone).tocsr().astype(np.float32)

    def _heard(self, counts: Matrix, aims: Sequence[str], rows: Sequence[int]) -> Floats:
        """How much each count of a line says: what it says only of its product's purpose speaks more softly."""
        heard = np.ones(len(counts.data), np.float32)
        asked = self._vocabulary.counts([aims[row] for row in rows], words.tokens, grow=False)
        for place, row in enumerate(rows):
            own = slice(counts.indptr[row], counts.indptr[row + 1])
            kept = asked.indices[asked.indptr[place] : asked.indptr[place + 1]]
            heard[own] = np.where(np.isin(counts.indices[own], kept), 1, _PURPOSE_HEARD)
        return heard

    def _purposes(self, needs: Sequence[Need]) -> Mapping[int, tuple[Floats, Floats]]:
        """Vectors of what lines ask for and of what that is for, by the position of those that say both."""
        aims = {n: reading.aim(words.asserted(need.text)) for n, need in enumerate(needs)}
        said = {number: phrases for number, phrases in aims.items() if phrases[1]}
        vectors = self._vectors_of_phrases([phrase for pair in said.values() for phrase in pair])
        return {number: (vectors[asked], vectors[use]) for number, (asked, use) in said.items()}

    def _vectors_of_phrases(self, phrases: Sequence[str]) -> Mapping[str, Floats]:
        """Lines of one buyer name the same things again and again."""
        fresh = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._phrases]
        read = dict(zip(fresh, self.encoder.encode(fresh), strict=True))
        found = {
            phrase: read[phrase] if phrase in read else self._phrases[phrase] for phrase in phrases
        }
        if len(self._phrases) + len(read) > _PHRASES_KEPT:
            self._phrases.clear()
        self._phrases |= read
        return found

    def _rivals(self, needs: Sequence[Need]) -> npt.NDArray[np.bool_]:
        """For each line the parties that are of no use to it. Among buyers' lines everybody takes."""
        out = np.zeros((len(needs), len(reading.PARTIES)), np.bool_)
        if not self.of_buyers:
            for number, need in enumerate(needs):
                rivals = reading.rivals_of(need.text)
                out[number] = [party in rivals for party in reading.PARTIES]
        return out

    def _vectors_of_lines(self, needs: Sequence[Need]) -> Floats:
        """A line is compared by what it asks for: what it rules out would draw it to just that."""
        vectors = _vectors_of(needs, self.encoder)
        said = [words.asserted(need.text) for need in needs]
        cut = [number for number, need in enumerate(needs) if said[number] != need.text]
        if cut:
            vectors[cut] = self.encoder.encode([said[number] for number in cut])
        return vectors

    def _ruled_out(self, needs: Sequence[Need]) -> Mapping[int, Floats]:
        """Vectors of what lines rule out, by the line's position."""
        phrases = {number: words.ruled_out(need.text) for number, need in enumerate(needs)}
        spoken = {number: phrase for number, phrase in phrases.items() if phrase}
        return dict(zip(spoken, self.encoder.encode(list(spoken.values())), strict=True))

    def _labelled(
        self, needs: Sequence[Need], vectors: Floats, tfidf: Matrix, found: Pairs
    ) -> Matrix:
        if not self._labels:
            return sp.csr_matrix((len(needs), 0), dtype=np.float32)
        votes = self._votes(vectors, tfidf, found, _LABEL_VOTE)
        return self._labels.of_lines(votes, vectors, tfidf, [need.category for need in needs])

    def _nearest(self, needs: Sequence[Need], vectors: Floats, tfidf: Matrix, k: int) -> Pairs:
        if not self.texts:
            return _pairs([], [])
        lines, rows = [], []
        basis = self.taxonomy.basis(self.encoder)
        asked = times_columns(self._telling(tfidf), self._idf)
        for start in range(0, len(needs), _BLOCK):
            block = slice(start, start + _BLOCK)
            meaning = self._meanings(vectors[block], basis)
            told = [] if self.nearest is None else self.nearest.find(vectors[block], 2 * k)
            shared = asked[block] @ self._postings
            shared.data = shared.data * self._scale[shared.indices]
            for number, need in enumerate(needs[block]):
                barred = self.barred(need)
                if self.nearest is None:
                    meaning[number, barred] = _NEVER
                    near = self._best(meaning[number], None, k)
                    near = near[~barred[near]]
                else:
                    near = self._nearest_of(told[number], vectors[start + number], barred, k)
                own = slice(shared.indptr[number], shared.indptr[number + 1])
                spoken = self._best_free(shared.data[own], shared.indices[own], barred, k)
                lines.append(np.full(len(near) + len(spoken), start + number, np.int64))
                rows += [near, spoken]
        return _pairs(lines, rows)

    def _meanings(self, vectors: Floats, basis: Floats) -> Floats:
        """Coarse likeness to all texts; nothing where it is asked for elsewhere."""
        if self.nearest is not None:
            return np.empty((len(vectors), 0), np.float32)
        likeness = (vectors @ basis) @ self._coarse.T
        return likeness.astype(np.float32, copy=False)

    def _nearest_of(
        self,
        told: Sequence[tuple[int, int]],
        vector: Floats,
        barred: npt.NDArray[np.bool_],
        k: int,
    ) -> Ints:
        """Rows of the texts found elsewhere that live here and are not barred; the k best by the vectors here."""
        places = [self._row_of_text[key] for key in told if key in self._row_of_text]
        rows = np.array(places, np.int64)
        rows = rows[~barred[rows]]
        return self._best(self._vectors[rows] @ vector, rows, k)

    @property
    def _row_of_text(self) -> dict[tuple[int, int], int]:
        if self._rows_by_text is None:
            living = np.flatnonzero(self._alive).tolist()
            self._rows_by_text = {
                (int(self.owners[row]), self.texts[row].id): row for row in living
            }
        return self._rows_by_text

    def kept(self, offers: Iterable[int] | None = None) -> tuple[Ints, Ints, Floats]:
        """Offer, text and vector of the living texts, of some offers or of all: what `nearest` has to hold."""
        self.refresh()
        if offers is None:
            rows = np.flatnonzero(self._alive)
        else:
            rows = np.concatenate([np.empty(0, np.int64), *map(self.rows_of, offers)])
        ids = np.array([self.texts[row].id for row in rows.tolist()], np.int64)
        return self.owners[rows], ids, self._vectors[rows]

    def _telling(self, tfidf: Matrix) -> Matrix:
        """Lines without the tokens that stand in a great part of all texts: they find nothing and cost most."""
        common = self._present > max(_COMMON_COUNT, _COMMON_SHARE * self._total)
        telling = tfidf.copy()
        telling.data = np.where(common[telling.indices], 0, telling.data).astype(np.float32)
        # A line of nothing but common words is searched by them.
        empty = np.flatnonzero(_row_sums(telling.data, telling.indptr) == 0)
        for line in empty:
            own = slice(tfidf.indptr[line], tfidf.indptr[line + 1])
            telling.data[own] = tfidf.data[own]
        telling.eliminate_zeros()
        return telling

    def _best_free(self, scores: Floats, rows: Ints, barred: npt.NDArray[np.bool_], k: int) -> Ints:
        best = self._best(scores, rows, k)
        if not barred[best].any():
            return best
        free = ~barred[rows]
        return self._best(scores[free], rows[free], k)

    def _best(self, scores: Floats, rows: Ints | None, k: int) -> Ints:
        """The k rows of the highest scores, equal ones by id. Without `rows`, places are the rows."""
        if rows is None:
            rows = self._all_rows
        if len(scores) <= k:
            return rows
        place = 2 * k // _SAMPLE + 8
        if len(scores) > _SAMPLE * max(k, place):
            # Every 16th score tells where the best begin; only what lies above is sorted.
            least = np.partition(scores[::_SAMPLE], -place)[-place]
            high = np.flatnonzero(scores >= least - _STEP)
            if len(high) > k:
                scores, rows = scores[high], rows[high]
        scores = np.round(scores, _DECIMALS)
        least = np.partition(scores, -k)[-k]
        above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        if len(above) + len(level) > k:
            level = level[np.argsort(self.order[rows[level]])][: k - len(above)]
        best: Ints = rows[np.concatenate([above, level])]
        return best

    def _votes(self, vectors: Floats, tfidf: Matrix, found: Pairs, vote: Vote) -> Matrix:
        """Shares of the texts nearest to each line; each row sums to 1, or to 0 where nothing is near."""
        shape = len(vectors), len(self.texts)
        if not len(found):
            return sp.csr_matrix(shape, dtype=np.float32)
        near = self._meaning(vectors, found) + vote.words * self._words(tfidf, found)
        near = np.round(near, _DECIMALS)
        starts = np.searchsorted(found.line, np.arange(len(vectors) + 1))
        lines, rows, shares = [], [], []
        for line in range(len(vectors)):
            own = slice(starts[line], starts[line + 1])
            best = np.lexsort((self.order[found.row[own]], -near[own]))[: vote.voters]
            if not len(best):
                continue
            share = np.exp(vote.sharpness * (near[own][best] - near[own][best[0]]))
            lines.append(np.full(len(best), line))
            rows.append(found.row[own][best])
            shares.append(share / share.sum())
        return sp.csr_matrix(
            (
                np.concatenate(shares).astype(np.float32),
                (np.concatenate(lines), np.concatenate(rows)),
            ),
            shape=shape,
        )

    def _with_votes(self, likely: Matrix, votes: Matrix) -> Matrix:
        """Lets the texts nearest to a line say what category it is; they are the words of the trade itself."""
        # A line without any text near it keeps its whole own opinion.
        heard = np.asarray(votes.sum(axis=1)).ravel() > 0
        keep = sp.diags(np.where(heard, 1 - _VOTE_SHARE, 1.0).astype(np.float32))
        return (
            (keep @ likely + _VOTE_SHARE * (votes @ self._probabilities)).tocsr().astype(np.float32)
        )

    def candidates(self, lines: Lines, k: int = CANDIDATES) -> Pairs:
        """Pairs worth a look: what was found by meaning and words, and the k / 2 best by recognised category."""
        found_lines, rows = [lines.found.line], [lines.found.row]
        recognised = strongest(lines.leaf, _LEAVES_SEARCHED)
        for start in range(0, len(lines.needs), _BLOCK):
            agreed = recognised[start : start + _BLOCK] @ self._leaf_postings
            for number in range(agreed.shape[0]):
                own = slice(agreed.indptr[number], agreed.indptr[number + 1])
                barred = self.barred(lines.needs[start + number])
                best = self._best_free(agreed.data[own], agreed.indices[own], barred, k // 2)
                found_lines.append(np.full(len(best), start + number, np.int64))
                rows.append(best)
        return _pairs(found_lines, rows)

    def all_pairs(self, lines: Lines) -> Pairs:
        """Every pair that is not barred; for measuring and for small indexes only."""
        rows = [np.flatnonzero(~self.barred(need)).astype(np.int64) for need in lines.needs]
        return _pairs([np.full(len(own), line, np.int64) for line, own in enumerate(rows)], rows)

    def pairs_with(self, lines: Lines, offer_id: int) -> Pairs:
        """Each need with each text of one offer, barred or not."""
        rows = np.sort(self.rows_of(offer_id))
        count = len(lines.needs)
        return Pairs(np.repeat(np.arange(count, dtype=np.int64), len(rows)), np.tile(rows, count))

    def features(self, lines: Lines, pairs: Pairs, *, houses: bool = True) -> Features:
        """What is known of each pair, as columns along `pairs`.

        Without `houses`, other texts of a supplier are left aside: to find the best few it is enough.
        """
        columns = {
            "u": self._wanted(lines, pairs),
            "t": self._words(lines.tfidf, pairs),
            "b": _dots(lines.cover, self._with(self._saturated), pairs),
            "leaf": _dots(lines.leaf, self._leaf, pairs),
            "parent": _dots(lines.parent, self._parent, pairs),
            "chain": _dots(lines.chain, self._chain, pairs),
            "fit": self._fit(lines, pairs),
            "differ": (lines.chinese[pairs.line] != self._chinese[pairs.row]).astype(np.float32),
        }
        nothing = np.zeros(len(pairs), np.float32)
        columns["elsewhere"] = self._elsewhere(lines, pairs, columns["b"]) if houses else nothing
        if self._labels:
            # Leaves guessed in a tree that does not hold the codes would say less.
            same = np.minimum(_dots(lines.labels, self._labels.of_texts, pairs), 1) ** _LABEL_POWER
            same += (1 - same) * self._named(lines, pairs, columns)
            columns |= dict.fromkeys(("leaf", "parent", "chain"), same)
        return Features(
            **{
                name: np.round(column, _DECIMALS).astype(np.float32)
                for name, column in columns.items()
            }
        )

    def _sizes(self, needs: Sequence[Need]) -> Floats:
        """Words of each line, two Chinese characters as one; 0 for a line whose code an author has told."""
        told = [need.category is not None and need.category in self._labels for need in needs]
        tokens = [
            [] if known else words.short_tokens(need.text)
            for need, known in zip(needs, told, strict=True)
        ]
        return np.array(
            [
                sum(1.0 if one[0].isascii() else 0.5 * (len(one) == 1) for one in row)
                for row in tokens
            ],
            np.float32,
        )

    @staticmethod
    def _named(lines: Lines, pairs: Pairs, columns: Mapping[str, Floats]) -> Floats:
        """How far shared words alone say that a text is about the very product, between 0 and 1.

        A code is what somebody filed a text under: shops disagree about it even where their words are the same.
        """
        shared = columns["b"] + columns["elsewhere"]
        near = _SHARED_EACH * np.maximum(columns["u"] - _SHARED_ABOVE, 0)
        covered = np.where(columns["differ"] > 0, near, shared) * (1 + _SATURATION)
        said = lines.sizes[pairs.line] * covered
        named: Floats = np.clip((said - _NAMED_FROM) / (_NAMED - _NAMED_FROM), 0, 1).astype(
            np.float32
        )
        return named

    def _elsewhere(self, lines: Lines, pairs: Pairs, covered: Floats) -> Floats:
        out = np.zeros(len(pairs), np.float32)
        house = self._house[pairs.row]
        several = np.flatnonzero(np.diff(self._houses)[house] > 1)
        if not len(several):
            return out
        width = len(self._houses)
        key, back = np.unique(pairs.line[several] * width + house[several], return_inverse=True)
        line, house = np.divmod(key, width)
        whole = np.empty(len(key), np.float32)
        said = self._with(self._saturated)
        start = 0
        while start < len(key):
            stop = min(start + _PAIRS_AT_ONCE, int(np.searchsorted(line, line[start] + _BLOCK)))
            first, last = self._houses[house[start:stop]], self._houses[house[start:stop] + 1]
            row = self._housed[_ranges(first, last - first)]
            owner = np.repeat(np.arange(stop - start), last - first)
            found, column, product = _products(lines.cover, said, line[start:stop][owner], row)
            whole[start:stop] = _sums_of_greatest(owner[found], column, product, stop - start)
            start = stop
        out[several] = np.maximum(whole[back] - covered[several], 0)
        return out

    def _fit(self, lines: Lines, pairs: Pairs) -> Floats:
        asked, offered = lines.forms[pairs.line], self._forms[pairs.row]
        other = (asked > 0) & (offered > 0) & (asked != offered)
        rival = lines.rivals[pairs.line, self._parties[pairs.row]]
        return np.where(other, _OTHER_FORM, 1) * np.where(rival, _RIVAL, np.float32(1))

    def objections(self, lines: Lines, line: int, row: int) -> Objections:
        """What has taken points from a pair, to be told as reasons."""
        text, vector = lines.needs[line].text, self._vectors[row]
        ruled_out, purpose = "", ""
        if line in lines.ruled_out and not words.ruled_out(self.texts[row].text):
            near = float(vector @ lines.ruled_out[line])
            ruled_out = words.ruled_out(text) if near > _FOREIGN + _TOLD else ""
        if line in lines.purposes:
            asked, use = lines.purposes[line]
            nearer = float(vector @ (use - asked))
            purpose = reading.aim(words.asserted(text))[1] if nearer > _PURPOSE_LEAD else ""
        form, party = int(lines.forms[line]), int(self._parties[row])
        other = form > 0 and self._forms[row] > 0 and self._forms[row] != form
        rival = bool(lines.rivals[line, party])
        return Objections(
            ruled_out,
            purpose,
            reading.FORMS[self._forms[row]] if other else "",
            ("buyer" if party else "seller") if rival else "",
        )

    def leading_leaves(self, lines: Lines, line: int, row: int) -> tuple[str, str]:
        """Codes of the leaf that the line, and the one that the text, most probably speaks of; "" for none."""
        asked, offered = lines.leading[line], self._leaders[row]
        codes = self.taxonomy.codes
        return codes[asked] if asked >= 0 else "", codes[offered] if offered >= 0 else ""

    def _wanted(self, lines: Lines, pairs: Pairs) -> Floats:
        """Likeness of meaning, less how near a text comes to what the line rules out."""
        likeness = self._meaning(lines.vectors, pairs)
        for line, vector in lines.ruled_out.items():
            start, stop = np.searchsorted(pairs.line, [line, line + 1])
            rows = pairs.row[start:stop]
            # A text that rules out something itself may name just what the line does not want either.
            speaks_for = [not words.ruled_out(self.texts[row].text) for row in rows.tolist()]
            near = self._vectors[rows] @ vector
            likeness[start:stop] -= np.maximum(near - _FOREIGN, 0) * speaks_for
        for line, (asked, use) in lines.purposes.items():
            start, stop = np.searchsorted(pairs.line, [line, line + 1])
            nearer = self._vectors[pairs.row[start:stop]] @ (use - asked)
            likeness[start:stop] -= np.maximum(nearer - _PURPOSE_LEAD, 0)
        return np.maximum(likeness, -1)

    def _meaning(self, vectors: Floats, pairs: Pairs) -> Floats:
        out = np.empty(len(pairs), np.float32)
        bounds = np.searchsorted(pairs.line, np.arange(len(vectors) + 1))
        # By line: a product with a gathered block is several times faster than one over gathered pairs.
        for line, (start, stop) in enumerate(pairwise(bounds.tolist())):
            if start < stop:
                out[start:stop] = self._vectors[pairs.row[start:stop]] @ vectors[line]
        return out

    def _words(self, tfidf: Matrix, pairs: Pairs) -> Floats:
        return (
            _dots(times_columns(tfidf, self._idf), self._weighted, pairs) * self._scale[pairs.row]
        )

    def _with(self, data: Floats) -> Matrix:
        return sp.csr_matrix(
            (data, self._counts.indices, self._counts.indptr), shape=self._counts.shape
        )

    # -- keeping ------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Writes the index; `load` maps the large parts into memory, shared by all processes that read them."""
        self.refresh()
        if not self._alive.all():
            self._drop_dead()
            self._measure()
        folder.mkdir(parents=True, exist_ok=True)
        about = {"taxonomy": self.taxonomy.fingerprint, "encoder": self.encoder.version}
        (folder / "about.json").write_text(json.dumps(about), "utf-8")
        (folder / "words.txt").write_text("\n".join(self._vocabulary.columns), "utf-8")
        with (folder / "offers.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(offer_to_json(offer) + "\n" for offer in self.offers.values())
        np.save(folder / "text_ids.npy", np.array([text.id for text in self.texts], np.int64))
        np.save(folder / "owners.npy", self.owners)
        np.save(folder / "long.npy", self._long)
        np.save(folder / "vectors.npy", self._vectors)
        np.save(folder / "coarse.npy", self._coarse)
        np.save(folder / "chinese.npy", self._chinese)
        np.save(folder / "_weights_said.npy", self._weighted.data)
        for name in _MEASURED:
            np.save(folder / f"{name}.npy", getattr(self, name))
        for name in _MEASURED_TABLES:
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"{name}_{part}.npy", getattr(getattr(self, name), part))
        np.save(folder / "codes.npy", self._codes)
        np.save(folder / "forms.npy", self._forms)
        np.save(folder / "parties.npy", self._parties)
        for name, matrix in (("counts", self._counts), ("probabilities", self._probabilities)):
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"{name}_{part}.npy", getattr(matrix, part))

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex:
        """Reads what `save` wrote.

        Raises
        ------
        ValueError
            The index was built with another taxonomy or encoder and has to be built anew.
        """
        about = json.loads((folder / "about.json").read_text("utf-8"))
        if about != {"taxonomy": taxonomy.fingerprint, "encoder": encoder.version}:
            raise ValueError(
                "The saved index belongs to another taxonomy or encoder. Build it anew."
            )
        index = cls(taxonomy, encoder)
        with (folder / "offers.jsonl").open(encoding="utf-8") as file, _no_collection():
            index.offers = {offer.id: offer for offer in map(offer_from_json, file)}
        spoken = (folder / "words.txt").read_text("utf-8")
        index._vocabulary = Vocabulary(spoken.split("\n") if spoken else ())
        index.owners = np.load(folder / "owners.npy")
        by_id = {
            (offer.id, text.id): text for offer in index.offers.values() for text in offer.texts
        }
        ids = np.load(folder / "text_ids.npy")
        index.texts = [by_id[key] for key in zip(index.owners.tolist(), ids.tolist(), strict=True)]
        index._alive = np.ones(len(index.texts), np.bool_)
        index._long = np.load(folder / "long.npy")
        # As a plain array: the class for mapped files slows every access down.
        index._vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
        index._coarse = np.asarray(np.load(folder / "coarse.npy", mmap_mode="r"))
        index._chinese = np.load(folder / "chinese.npy")
        index._codes = np.load(folder / "codes.npy")
        index._codes_read = len(index._vocabulary)
        index._forms = np.load(folder / "forms.npy")
        index._parties = np.load(folder / "parties.npy")
        width = {"counts": len(index._vocabulary), "probabilities": len(taxonomy.leaves)}
        for name, columns in width.items():
            parts = [
                np.asarray(np.load(folder / f"{name}_{part}.npy", mmap_mode="r"))
                for part in ("data", "indices", "indptr")
            ]
            setattr(
                index, f"_{name}", sp.csr_matrix(tuple(parts), shape=(len(index.texts), columns))
            )
        index._take_measured(folder)
        return index

    def _take_measured(self, folder: Path) -> None:
        """What depends on all texts, as it was when they were saved; one that changes has it measured anew."""

        if not (folder / "_weights_said.npy").exists():
            return

        def mapped(name: str) -> Any:
            return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))

        for name in _MEASURED:
            setattr(self, name, mapped(name))
        self._total = len(self.texts)
        rows, width, known = len(self.texts), len(self._vocabulary), self.taxonomy
        shapes = {
            "_postings": (width, rows),
            "_leaf": (rows, len(known.leaves)),
            "_parent": (rows, known.to_parents.shape[1]),
            "_chain": (rows, known.to_chains.shape[1]),
            "_leaf_postings": (len(known.leaves), rows),
        }
        for name in _MEASURED_TABLES:
            parts = tuple(mapped(f"{name}_{part}") for part in ("data", "indices", "indptr"))
            setattr(self, name, sp.csr_matrix(parts, shape=shapes[name]))
        counts = self._counts
        said = mapped("_weights_said"), counts.indices, counts.indptr
        self._weighted = sp.csr_matrix(said, shape=counts.shape)
        self._arrange()
        self._changed = False


@contextmanager
def _no_collection() -> Iterator[None]:
    """A hundred thousand objects that all stay: looking for garbage among them again and again would take longest."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _vectors_of(spoken: Sequence[Need | OfferText], encoder: Encoder) -> Floats:
    """The stored vectors, and fresh ones where none is stored."""
    missing = [number for number, item in enumerate(spoken) if item.vector is None]
    fresh = encoder.encode([spoken[number].text for number in missing])
    out = np.empty((len(spoken), fresh.shape[1]), np.float32)
    out[missing] = fresh
    for number, item in enumerate(spoken):
        if item.vector is not None:
            out[number] = item.vector
    return out


def _stacked(above: Floats, below: Floats) -> Floats:
    stacked: Floats = np.concatenate([above, below]) if len(above) else below
    return stacked


def _chinese(spoken: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.array([words.language_of(text) == "zh" for text in spoken], np.bool_)


def _tfidf(weighted: Matrix, idf: Floats, scale: Floats) -> Matrix:
    return sp.diags(scale) @ times_columns(weighted, idf)


def _forms(spoken: Sequence[str]) -> npt.NDArray[np.int8]:
    return np.array([reading.FORMS.index(reading.form_of(text)) for text in spoken], np.int8)


def _leaders(levels: Matrix) -> list[int]:
    """Column of the first greatest entry of each row, -1 for an empty row."""
    leaders = np.full(levels.shape[0], -1, np.int64)
    filled = np.flatnonzero(np.diff(levels.indptr))
    if len(filled):
        starts = levels.indptr[filled]
        lengths = np.diff(np.append(starts, len(levels.data)))
        greatest = np.repeat(np.maximum.reduceat(levels.data, starts), lengths)
        places = np.where(levels.data == greatest, np.arange(len(levels.data)), len(levels.data))
        leaders[filled] = levels.indices[np.minimum.reduceat(places, starts)]
    out: list[int] = leaders.tolist()
    return out


def _widened(matrix: Matrix, width: int) -> Matrix:
    return sp.csr_matrix(
        (matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width)
    )


def _row_sums(data: Floats, indptr: Ints) -> npt.NDArray[np.float64]:
    sums = np.concatenate([[0.0], np.cumsum(data, dtype=np.float64)])
    difference: npt.NDArray[np.float64] = sums[indptr[1:]] - sums[indptr[:-1]]
    return difference


def _grouped(owners: Ints, alive: npt.NDArray[np.bool_]) -> Iterable[tuple[int, Ints]]:
    rows = np.flatnonzero(alive)
    rows = rows[np.argsort(owners[rows], kind="stable")]
    if not len(rows):
        return
    cuts = np.flatnonzero(np.diff(owners[rows])) + 1
    for part in np.split(rows, cuts):
        yield int(owners[part[0]]), part


def _pairs(lines: Sequence[Ints], rows: Sequence[Ints]) -> Pairs:
    if not rows:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    line, row = np.concatenate(lines), np.concatenate(rows).astype(np.int64)
    width = int(row.max()) + 1 if len(row) else 1
    keys = np.sort(line * width + row)
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    return Pairs(keys // width, keys % width)


def _dots(left: Matrix, right: Matrix, pairs: Pairs) -> Floats:
    """Products of row pairs of two sparse matrices, without building the full product."""
    out = np.empty(len(pairs), np.float32)
    start = 0
    while start < len(pairs):
        # Whole lines, so that the dense table of their weights stays small.
        stop = min(start + _PAIRS_AT_ONCE, len(pairs))
        last = int(np.searchsorted(pairs.line, pairs.line[start] + _BLOCK))
        stop = min(stop, last)
        out[start:stop] = _dots_of(left, right, pairs.line[start:stop], pairs.row[start:stop])
        start = stop
    return out


def _dots_of(left: Matrix, right: Matrix, line: Ints, row: Ints) -> Floats:
    pair, _, product = _products(left, right, line, row)
    return np.bincount(pair, weights=product, minlength=len(row)).astype(np.float32)


def _products(left: Matrix, right: Matrix, line: Ints, row: Ints) -> tuple[Ints, Ints, Floats]:
    """Pair, column and product of every column that both rows of a pair fill."""
    first = int(line[0])
    own = left[first : int(line[-1]) + 1]
    used = np.unique(own.indices)
    place = np.full(right.shape[1], -1, np.int32)
    place[used] = np.arange(len(used))
    table = np.zeros((own.shape[0], max(len(used), 1)), np.float32)
    table[np.repeat(np.arange(own.shape[0]), np.diff(own.indptr)), place[own.indices]] = own.data
    lengths = right.indptr[row + 1] - right.indptr[row]
    flat = _ranges(right.indptr[row], lengths)
    column = place[right.indices[flat]]
    shared = np.flatnonzero(column >= 0)
    pair = np.repeat(np.arange(len(row)), lengths)[shared]
    column = column[shared]
    product: Floats = table[line[pair] - first, column] * right.data[flat[shared]]
    return pair, column, product


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start on, as many as its length, one after the other."""
    ends = np.cumsum(lengths)
    numbers: Ints = np.repeat(starts - (ends - lengths), lengths)
    numbers += np.arange(ends[-1] if len(ends) else 0)
    return numbers


def _sums_of_greatest(group: Ints, column: Ints, value: Floats, groups: int) -> Floats:
    """For each group the sum over its columns of the greatest value there."""
    width = int(column.max()) + 1 if len(column) else 1
    key = group * width + column
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    greatest = np.maximum.reduceat(value[order], first) if len(first) else value
    out = np.bincount(key[order][first] // width, weights=greatest, minlength=groups)
    return out.astype(np.float32)
