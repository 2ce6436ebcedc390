"""All published offers, ready to be searched by line; changes by one offer without a rebuild."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from matchmaking.engine import features, keeping, search
from matchmaking.engine import lines as reader
from matchmaking.engine.features import Features, Objections
from matchmaking.engine.lines import Lines
from matchmaking.engine.pairs import Pairs, pairs_of
from matchmaking.engine.search import CANDIDATES
from matchmaking.engine.sparse import Floats, Ints
from matchmaking.engine.stock import Stock
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import Encoder, Need, Offer


class OfferIndex(Stock):
    """What the stock holds, asked by line."""

    @classmethod
    def build(cls, offers: Iterable[Offer], taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex:
        index = cls(taxonomy, encoder)
        for offer in sorted(offers, key=lambda offer: offer.id):
            index.add(offer)
        index.refresh()
        return index

    def read(self, needs: Sequence[Need], k: int = CANDIDATES) -> Lines:
        """Everything about the needs that pairs are compared by; finds the k nearest texts by meaning and by words."""
        self.refresh()
        return reader.read(self, needs, k)

    def candidates(self, lines: Lines, k: int = CANDIDATES) -> Pairs:
        """Pairs worth a look: what was found by meaning and words, and the k / 2 best by recognised category."""
        recognised = search.by_category(self, lines.needs, lines.leaf, k // 2)
        return pairs_of([lines.found.line, recognised.line], [lines.found.row, recognised.row])

    def all_pairs(self, lines: Lines) -> Pairs:
        """Every pair that is not barred; for measuring and for small indexes only."""
        rows = [np.flatnonzero(~self.barred(need)).astype(np.int64) for need in lines.needs]
        return pairs_of([np.full(len(own), line, np.int64) for line, own in enumerate(rows)], rows)

    def pairs_with(self, lines: Lines, offer_id: int) -> Pairs:
        """Each need with each text of one offer, barred or not."""
        rows = np.sort(self.rows_of(offer_id))
        count = len(lines.needs)
        return Pairs(np.repeat(np.arange(count, dtype=np.int64), len(rows)), np.tile(rows, count))

    def features(self, lines: Lines, pairs: Pairs, *, houses: bool = True) -> Features:
        """What is known of each pair, as columns along `pairs`.

        Without `houses`, other texts of a supplier are left aside: to find the best few it is enough.
        """
        return features.features(self, lines, pairs, houses=houses)

    def objections(
        self, lines: Lines, line: int, rows: Ints, unnamed: Floats, apart: Floats
    ) -> list[Objections]:
        """What has taken points from the pairs of a line, to be told as reasons; the last two are those of `Features`."""
        return features.objections(self, lines, line, rows, unnamed, apart)

    def leaf_code(self, column: int) -> str:
        """The code of a leaf that leads a line or a text; "" for none."""
        return self.taxonomy.codes[column] if column >= 0 else ""

    def save(self, folder: Path) -> None:
        """Writes the index; `load` maps the large parts into memory, shared by all processes that read them."""
        keeping.save(self, folder)

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex:
        """Reads what `save` wrote.

        Raises
        ------
        ValueError
            The index was built with another taxonomy or encoder and has to be built anew.
        """
        index = cls(taxonomy, encoder)
        keeping.load(index, folder)
        return index
