"""The texts of all published offers as rows: what is read of each, and what is measured over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from matchmaking.engine import reading
from matchmaking.engine import text as words
from matchmaking.engine.constraints import STATEMENTS, stated_by
from matchmaking.engine.encoder import directions, vectors_of
from matchmaking.engine.kinship import Kinship
from matchmaking.engine.labels import Labels
from matchmaking.engine.locality import Places, places_of
from matchmaking.engine.pairs import Pairs, dots_of_all, first_greatest, ranges
from matchmaking.engine.quantities import Figures
from matchmaking.engine.records import KeptOffers, KeptTexts
from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    Vocabulary,
    row_sums,
    sublinear,
    times_columns,
    widened,
    with_data,
)
from matchmaking.engine.tails import noun_of
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import Encoder, Nearest, Need, Offer, OfferText

SATURATION = 1.2
_LENGTH = 0.75
# Letters and digits in one word name one product, where other words name a kind of product.
_CODE_WEIGHT = np.float32(3)
# Texts are read in several ways, and what they are split into is remembered of about so many.
_AT_ONCE = 1000
# Where vectors are copied, so many of their number fit in below before they are again.
_SPARE = 16
# Of more texts than these a search looks first at coarse vectors, in the directions in which texts differ most.
_SEEN_WHOLE, _COARSE = 8192, 96
# The directions are those of 512 to 1,024 texts that their ids choose, so that few changes move them: as many bits of
# a number made of both must be zero as leave so many.
_CHOSEN_BITS = 10
_ID_MIXED = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
# In a column of groups: of none, and of whoever asks and is of none himself.
_NONE, _NOBODY = -1, -2


class Stock:
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
        self.take_offers(KeptOffers())
        self.places = Places.of(())
        self.place_rows: dict[int, int] = {}
        self.owners: Ints = np.empty(0, np.int64)
        self.text_ids: Ints = np.empty(0, np.int64)
        self.kinds: Ints = np.empty(0, np.int64)
        self.kind_names: list[str] = []
        self.groups: Ints = np.empty(0, np.int64)
        self.foreign: list[tuple[str, ...]] = []
        self.alive: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self.vocabulary = Vocabulary()
        self.long: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self.codes: Ints = np.empty(0, np.int64)
        self.codes_read = 0
        self.counts: Matrix = sp.csr_matrix((0, 0), dtype=np.float32)
        self.vectors: Floats = encoder.encode(())
        self.probabilities: Matrix = sp.csr_matrix((0, len(taxonomy.leaves)), dtype=np.float32)
        self.coarse: Floats = self.vectors
        self.basis: Floats | None = None
        self.chosen = b""
        self.chinese: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self.forms: npt.NDArray[np.int8] = np.empty(0, np.int8)
        self.parties: npt.NDArray[np.int8] = np.empty(0, np.int8)
        self.nouns: Ints = np.empty(0, np.int64)
        self.noun_names: list[str] = [""]
        self.figures = Figures.of(())
        self.stated: Ints = np.empty((0, STATEMENTS), np.int64)
        self.phrases: dict[str, Floats] = {}
        self._rows_by_text: dict[tuple[int, int], int] | None = None
        self._pending: list[tuple[int, OfferText]] = []
        self._vectors_room, self._coarse_room = _Room(), _Room()
        self.changed = True

    def take_offers(
        self, offers: KeptOffers, owners: Sequence[int] = (), ids: Sequence[int] = ()
    ) -> None:
        self.offers = offers
        self.texts = KeptTexts(offers, owners, ids)

    def add(self, offer: Offer) -> None:
        """Puts an offer in; one of the same id is replaced. The work is done at the next search."""
        self.remove(offer.id)
        self.offers[offer.id] = offer
        self._pending += [(offer.id, text) for text in offer.texts]
        self.changed = True

    def remove(self, offer_id: int) -> None:
        """Takes an offer out; an unknown id is no error, because a removal may be told twice."""
        if self.offers.pop(offer_id, None) is None:
            return
        if any(owner == offer_id for owner, _ in self._pending):
            self._pending = [(owner, text) for owner, text in self._pending if owner != offer_id]
        self.alive[self.owners == offer_id] = False
        self.changed = True

    def __len__(self) -> int:
        return int(self.alive.sum()) + len(self._pending)

    def says(self, token: str) -> bool:
        """Whether a text on offer holds a token."""
        column = self.vocabulary.columns.get(token)
        return column is not None and self.present[column] > 0

    def refresh(self) -> None:
        """Takes in what was added and removed since; searching does it by itself."""
        if not self.changed:
            return
        if len(self.alive) > 64 and self.alive.mean() < 0.75:
            self._drop_dead()
        if self._pending:
            self._take_in()
        self._measure()
        self.changed = False

    def make_compact(self) -> None:
        """Lets go of the rows of removed offers now."""
        self.refresh()
        if not self.alive.all():
            self._drop_dead()
            self._measure()

    def _drop_dead(self) -> None:
        rows = np.flatnonzero(self.alive)
        self.texts.keep(rows.tolist())
        self.owners, self.vectors = self.owners[rows], self.vectors[rows]
        self.text_ids, self.kinds, self.groups = (
            self.text_ids[rows],
            self.kinds[rows],
            self.groups[rows],
        )
        self.foreign = [self.foreign[row] for row in rows.tolist()]
        settled = [offer for offer in self.offers if offer in self.place_rows]
        self.places = self.places_of(settled)
        self.place_rows = {offer: row for row, offer in enumerate(settled)}
        self.coarse, self.chinese = self.coarse[rows], self.chinese[rows]
        self.forms, self.parties = self.forms[rows], self.parties[rows]
        named, self.nouns = np.unique(self.nouns[rows], return_inverse=True)
        self.noun_names = [self.noun_names[noun] for noun in named.tolist()]
        self.counts, self.probabilities = self.counts[rows], self.probabilities[rows]
        self.figures = self.figures.taken(rows)
        self.stated = self.stated[rows]
        self.alive = np.ones(len(rows), np.bool_)

    def _take_in(self) -> None:
        texts = [text for _, text in self._pending]
        given = [text.categories for text in texts]
        vectors = vectors_of(texts, self.encoder)
        counts, likely = [self.counts], [self.probabilities]
        for start in range(0, len(texts), _AT_ONCE):
            block = slice(start, start + _AT_ONCE)
            spoken = [text.text for text in texts[block]]
            counts.append(self._counted(spoken))
            read = self.taxonomy.probabilities(spoken, vectors[block], self.encoder)
            likely.append(self.taxonomy.with_given(read, given[block]))
        width = len(self.vocabulary)
        self.counts = sp.vstack([widened(part, width) for part in counts], format="csr")
        self.probabilities = sp.vstack(likely, format="csr")
        self.vectors = self._vectors_room.stacked(self.vectors, vectors)
        spoken = [text.text for text in texts]
        self.chinese = np.append(self.chinese, are_chinese(spoken))
        self.forms = np.append(self.forms, forms_of(spoken))
        parties = [reading.PARTIES.index(reading.party_of(text)) for text in spoken]
        self.parties = np.append(self.parties, np.array(parties, np.int8))
        self.nouns = np.append(self.nouns, self._numbered([noun_of(text) for text in spoken]))
        self.figures = self.figures.with_more(Figures.of(spoken))
        owners = [owner for owner, _ in self._pending]
        stated = [stated_by(self.offers[owner], text) for owner, text in self._pending]
        self.stated = np.concatenate([self.stated, np.array(stated, np.int64)])
        self.texts.add(owners, texts)
        self.owners = np.append(self.owners, np.array(owners, np.int64))
        self.text_ids = np.append(self.text_ids, np.array([text.id for text in texts], np.int64))
        self.foreign += self._foreign_codes(given)
        self._settle(owners)
        self.alive = np.append(self.alive, np.ones(len(texts), np.bool_))
        self._pending = []

    def _counted(self, spoken: Sequence[str]) -> Matrix:
        """Counts of all tokens; those not seen before get a column."""
        parts = []
        for tokens, is_long in ((words.short_tokens, False), (words.long_tokens, True)):
            parts.append(self.vocabulary.counts(spoken, tokens, grow=True))
            fresh = len(self.vocabulary) - len(self.long)
            self.long = np.append(self.long, np.full(fresh, is_long))
        short, long = parts
        return widened(short, len(self.vocabulary)) + long

    def _numbered(self, nouns: Sequence[str]) -> Ints:
        """What texts name, as places in the list of all such nouns."""
        number = {name: place for place, name in enumerate(self.noun_names)}
        found = [number.setdefault(noun, len(number)) for noun in nouns]
        self.noun_names = list(number)
        return np.array(found, np.int64)

    def _settle(self, owners: Sequence[int]) -> None:
        """Where the owners of fresh texts are, of which kind and of which group."""
        fresh = {owner: self.offers[owner] for owner in owners}
        number = {name: place for place, name in enumerate(self.kind_names)}
        for offer in fresh.values():
            number.setdefault(offer.kind, len(number))
        self.kind_names = list(number)
        kinds = np.array([number[fresh[owner].kind] for owner in owners], np.int64)
        groups = [fresh[owner].group for owner in owners]
        self.kinds = np.append(self.kinds, kinds)
        self.groups = np.append(
            self.groups, np.array([_NONE if one is None else one for one in groups], np.int64)
        )
        self.place_rows |= {owner: len(self.places) + place for place, owner in enumerate(fresh)}
        self.places = self.places.with_more(places_of(list(fresh.values())))

    def _foreign_codes(self, given: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Codes of texts that the tree does not know: what they mean is learned from the texts."""
        known = self.taxonomy.by_code
        return [tuple([code for code in codes if code not in known]) for codes in given]

    def places_of(self, offers: Iterable[int]) -> Places:
        """Places of offers that have texts."""
        rows = [self.place_rows[offer] for offer in offers]
        return self.places.take(np.array(rows, np.int64))

    def places_along(self, rows: Ints) -> Places:
        """Places of the offers of some texts."""
        return self.places.take(self._place_rows[rows])

    def _measure(self) -> None:
        """What depends on all living texts at once; a few passes over the stored counts, no text is read again."""
        counts, alive, width = self.counts, self.alive, len(self.vocabulary)
        lengths = np.diff(counts.indptr)
        living = np.repeat(alive, lengths)
        present = np.bincount(counts.indices[living], minlength=width)[:width]
        total = int(alive.sum())
        seen = present > 0
        self.present, self.total = present, total
        self._read_codes()
        self.idf = np.where(seen, np.log((1 + total) / (1 + present)) + 1, 0).astype(np.float32)
        self.idf[self.codes] *= _CODE_WEIGHT
        rare = np.log1p((total - present + 0.5) / (present + 0.5))
        self.rarity = np.where(seen & ~self.long[:width], rare, 0).astype(np.float32)
        self.rarity[self.codes] *= _CODE_WEIGHT
        self.weighted = sublinear(counts)
        squares = (self.weighted.data * self.idf[counts.indices]) ** 2
        self.scale = (1 / np.sqrt(np.maximum(row_sums(squares, counts.indptr), 1e-12))).astype(
            np.float32
        )
        short = ~self.long[counts.indices]
        size = row_sums(counts.data * short, counts.indptr)
        mean = size[alive].mean() if total else 1.0
        damping = SATURATION * (1 - _LENGTH + _LENGTH * size / max(mean, 1e-9))
        # Between 0 and 1 before the line's weights: tf (k+1) / (tf + damping), over k + 1.
        saturated = counts.data / (counts.data + np.repeat(damping, lengths)) * short
        self.saturated = saturated.astype(np.float32)
        self.postings = self.weighted.T.tocsr()
        self.leaf, self.parent, self.chain = self.taxonomy.levels(self.probabilities)
        self.leaf_postings = self.leaf.T.tocsr()
        self.house, self.housed, self.houses = self._of_houses()
        order = np.lexsort((self.text_ids, self.owners))
        self.order = np.empty(len(order), np.int64)
        self.order[order] = np.arange(len(order))
        self._see_coarsely(order)
        self.arrange()

    def _see_coarsely(self, order: Ints) -> None:
        """Coarse vectors of all texts; of the fresh ones alone while the directions stay as they are."""
        if self.total <= _SEEN_WHOLE:
            self.basis, self.coarse, self.chosen = None, self.vectors, b""
            return
        mixed = np.stack([self.owners, self.text_ids], axis=1)[order].astype(np.uint64) * _ID_MIXED
        zeros = np.uint64((1 << (self.total.bit_length() - _CHOSEN_BITS)) - 1)
        rows = order[(mixed.sum(axis=1) >> np.uint64(32) & zeros) == 0]
        sample = self.vectors[rows[self.alive[rows]]]
        chosen = blake2b(sample.tobytes(), digest_size=16).digest()
        if chosen != self.chosen or self.basis is None:
            self.chosen = chosen
            self.basis = directions(sample, _COARSE)
            self.coarse = self.vectors @ self.basis
        elif len(self.coarse) < len(self.vectors):
            fresh = self.vectors[len(self.coarse) :] @ self.basis
            self.coarse = self._coarse_room.stacked(self.coarse, fresh)

    def coarsely(self, vectors: Floats) -> Floats:
        """Vectors of lines as `coarse` holds those of the texts."""
        return vectors if self.basis is None else vectors @ self.basis

    def arrange(self) -> None:
        """What is looked up by offer, kind and group; quickly made from what was measured."""
        alive = self.alive
        self.leaders = leaders_of(self.leaf)
        self.labels = Labels(
            self.foreign,
            self.taxonomy.by_code,
            alive,
            self.vectors,
            partial(_tfidf, self.weighted, self.idf, self.scale),
        )
        self.kinship = Kinship(self.labels, self.house, alive, self.vectors)
        settled = map(self.place_rows.__getitem__, self.owners.tolist())
        self._place_rows = np.fromiter(settled, np.int64, len(self.owners))
        self._rows_by_text = None
        self.arrange_parties()

    def arrange_parties(self) -> None:
        alive = self.alive
        self._barred_kinds: dict[frozenset[str], npt.NDArray[np.bool_]] = {}
        self._free_shares: dict[frozenset[str], float] = {}
        self._by_owner = _Grouped(self.owners, alive)
        self._by_kind = _Grouped(self.kinds, alive)
        self._by_group = _Grouped(self.groups, alive)

    def _of_houses(self) -> tuple[Ints, Ints, Ints]:
        """Number of the supplier of each text, its texts in one column, and where those of each supplier begin."""
        rows = np.flatnonzero(self.alive)
        _, place, count = np.unique(self.owners[rows], return_inverse=True, return_counts=True)
        house = np.zeros(len(self.owners), np.int64)
        house[rows] = place
        return house, rows[np.argsort(place, kind="stable")], np.append(0, np.cumsum(count))

    def _read_codes(self) -> None:
        """Columns of the vocabulary that name one model or grade; read once, for the vocabulary only grows."""
        known = self.codes_read
        fresh = list(islice(self.vocabulary.columns, known, None))
        found = [column for column, word in enumerate(fresh, known) if words.is_code(word)]
        self.codes = np.append(self.codes, np.array(found, np.int64))
        self.codes_read = known + len(fresh)

    def rows_of(self, offer_id: int) -> Ints:
        """Rows of the texts of one offer, in order of their ids."""
        self.refresh()
        rows = self._by_owner.of(offer_id)
        return rows[np.argsort(self.order[rows])]

    def rows_of_all(self, offer_ids: Ints) -> tuple[Ints, Ints]:
        """Rows of the texts of some offers, and for each row the place of its offer among them."""
        return self._by_owner.of_all(offer_ids)

    def barred(self, need: Need) -> npt.NDArray[np.bool_]:
        """True for rows that may never be paired with the need: gone, of the same house, or of a kind not asked for."""
        barred = self._of_other_kinds(need.counterparts).copy()
        barred[self._own_rows(need)] = True
        return barred

    def barred_along(self, needs: Sequence[Need], line: Ints, row: Ints) -> npt.NDArray[np.bool_]:
        """As `barred`, along pairs of a need's position and a row."""
        houses = np.array([need.enterprise for need in needs], np.int64)
        groups = [_NOBODY if need.group is None else need.group for need in needs]
        barred: npt.NDArray[np.bool_] = self.owners[row] == houses[line]
        barred |= self.groups[row] == np.array(groups, np.int64)[line]
        kinds = {asked: place for place, asked in enumerate({n.counterparts for n in needs})}
        which = np.array([kinds[need.counterparts] for need in needs], np.int64)[line]
        for asked, place in kinds.items():
            own = slice(None) if len(kinds) == 1 else np.flatnonzero(which == place)
            barred[own] |= self._of_other_kinds(asked)[row[own]]
        return barred

    def free_share(self, counterparts: frozenset[str]) -> float:
        """Share of the texts that a need of such counterparts may meet."""
        if counterparts not in self._free_shares:
            barred = self._of_other_kinds(counterparts)
            self._free_shares[counterparts] = 1 - float(barred.mean()) if len(barred) else 1.0
        return self._free_shares[counterparts]

    def _of_other_kinds(self, counterparts: frozenset[str]) -> npt.NDArray[np.bool_]:
        if counterparts not in self._barred_kinds:
            barred = ~self.alive
            if counterparts:
                for number, kind in enumerate(self.kind_names):
                    if kind not in counterparts:
                        barred[self._by_kind.of(number)] = True
            self._barred_kinds[counterparts] = barred
        return self._barred_kinds[counterparts]

    def _own_rows(self, need: Need) -> Ints:
        own = self._by_owner.of(need.enterprise)
        if need.group is None:
            return own
        return np.concatenate([own, self._by_group.of(need.group)])

    @property
    def row_of_text(self) -> dict[tuple[int, int], int]:
        if self._rows_by_text is None:
            living = np.flatnonzero(self.alive).tolist()
            owners, ids = self.owners.tolist(), self.text_ids.tolist()
            self._rows_by_text = {(owners[row], ids[row]): row for row in living}
        return self._rows_by_text

    def kept(self, offers: Iterable[int] | None = None) -> tuple[Ints, Ints, Floats, Ints]:
        """Offers, texts and vectors in rows, and which rows live, of some offers or of all: what `nearest` has to hold.
        Rows, for a copy of all vectors would be the greatest thing in memory."""
        self.refresh()
        if offers is None:
            rows = np.flatnonzero(self.alive)
        else:
            rows = np.concatenate([np.empty(0, np.int64), *map(self.rows_of, offers)])
        return self.owners, self.text_ids, self.vectors, rows

    def with_counts(self, data: Floats) -> Matrix:
        return with_data(self.counts, data)

    def shared_words(self, tfidf: Matrix, cover: Matrix, pairs: Pairs) -> tuple[Floats, Floats]:
        """Likeness of all words, and the share of the line's weight of words that the text covers."""
        shared, covered = dots_of_all(
            cover,
            self.counts,
            pairs,
            [
                (times_columns(tfidf, self.idf).data, self.weighted.data),
                (cover.data, self.saturated),
            ],
        )
        return shared * self.scale[pairs.row], covered


class _Room:
    """A table with room below its rows: copying all vectors would be the dearest step of taking in one offer."""

    def __init__(self) -> None:
        self._table: Floats = np.empty((0, 0), np.float32)

    def stacked(self, above: Floats, below: Floats) -> Floats:
        """Both as one table; without copying, if `above` is what came from here last."""
        if not len(above):
            return below
        total = len(above) + len(below)
        if above.base is not self._table or total > len(self._table):
            self._table = np.empty((total + total // _SPARE, above.shape[1]), np.float32)
            self._table[: len(above)] = above
        self._table[len(above) : total] = below
        return self._table[:total]


def are_chinese(spoken: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.array([words.language_of(text) == "zh" for text in spoken], np.bool_)


def _tfidf(weighted: Matrix, idf: Floats, scale: Floats) -> Matrix:
    return sp.diags(scale) @ times_columns(weighted, idf)


def forms_of(spoken: Sequence[str]) -> npt.NDArray[np.int8]:
    return np.array([reading.FORMS.index(reading.form_of(text)) for text in spoken], np.int8)


def leaders_of(levels: Matrix) -> list[int]:
    """Column of the first greatest entry of each row, -1 for an empty row."""
    leaders = np.full(levels.shape[0], -1, np.int64)
    filled = np.flatnonzero(np.diff(levels.indptr))
    leaders[filled] = levels.indices[first_greatest(levels.data, levels.indptr[filled])]
    out: list[int] = leaders.tolist()
    return out


class _Grouped:
    """Living rows by a number that each has."""

    def __init__(self, numbers: Ints, alive: npt.NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(alive)
        self._rows = rows[np.argsort(numbers[rows], kind="stable")]
        self._numbers = numbers[self._rows]

    def of(self, number: int) -> Ints:
        start, stop = np.searchsorted(self._numbers, [number, number + 1])
        return self._rows[start:stop]

    def of_all(self, numbers: Ints) -> tuple[Ints, Ints]:
        """Rows that have one of the numbers, and for each row the place of its number."""
        start = np.searchsorted(self._numbers, numbers)
        lengths = np.searchsorted(self._numbers, numbers, side="right") - start
        return self._rows[ranges(start, lengths)], np.repeat(np.arange(len(numbers)), lengths)
