"""The texts worth a look for each line: the nearest by meaning, by words and by recognised category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from matchmaking.engine.pairs import BLOCK, Pairs, pairs_of
from matchmaking.engine.sparse import Floats, Ints, Matrix, row_sums, strongest, times_columns
from matchmaking.engine.stock import Stock
from matchmaking.engine.types import Need

DECIMALS = 4
_STEP = 2 * 10.0**-DECIMALS
_SAMPLE = 16
_NEVER = -2.0
_LEAVES_SEARCHED = 8
_COMMON_COUNT = 500
_COMMON_SHARE = 0.02
CANDIDATES = 100


def nearest(stock: Stock, needs: Sequence[Need], vectors: Floats, tfidf: Matrix, k: int) -> Pairs:
    if not stock.texts:
        return pairs_of([], [])
    lines, rows = [], []
    basis = stock.taxonomy.basis(stock.encoder)
    asked = times_columns(_telling(stock, tfidf), stock.idf)
    for start in range(0, len(needs), BLOCK):
        block = slice(start, start + BLOCK)
        meaning = _meanings(stock, vectors[block], basis)
        told = [] if stock.nearest is None else stock.nearest.find(vectors[block], 2 * k)
        shared = asked[block] @ stock.postings
        shared.data = shared.data * stock.scale[shared.indices]
        for number, need in enumerate(needs[block]):
            barred = stock.barred(need)
            if stock.nearest is None:
                near = _nearest_here(stock, meaning[number], barred, k)
            else:
                near = _nearest_of(stock, told[number], vectors[start + number], barred, k)
            own = slice(shared.indptr[number], shared.indptr[number + 1])
            spoken = _best_free(stock, shared.data[own], shared.indices[own], barred, k)
            lines.append(np.full(len(near) + len(spoken), start + number, np.int64))
            rows += [near, spoken]
    return pairs_of(lines, rows)


def _meanings(stock: Stock, vectors: Floats, basis: Floats) -> Floats:
    """Coarse likeness to all texts; nothing where it is asked for elsewhere."""
    if stock.nearest is not None:
        return np.empty((len(vectors), 0), np.float32)
    likeness = (vectors @ basis) @ stock.coarse.T
    return likeness.astype(np.float32, copy=False)


def _nearest_here(stock: Stock, meaning: Floats, barred: npt.NDArray[np.bool_], k: int) -> Ints:
    best = highest(stock, meaning, None, k)
    if barred[best].any():
        meaning[barred] = _NEVER
        best = highest(stock, meaning, None, k)
        best = best[~barred[best]]
    return best


def _nearest_of(
    stock: Stock,
    told: Sequence[tuple[int, int]],
    vector: Floats,
    barred: npt.NDArray[np.bool_],
    k: int,
) -> Ints:
    """Rows of the texts found elsewhere that live here and are not barred; the k best by the vectors here."""
    places = [stock.row_of_text[key] for key in told if key in stock.row_of_text]
    rows = np.array(places, np.int64)
    rows = rows[~barred[rows]]
    return highest(stock, stock.vectors[rows] @ vector, rows, k)


def _telling(stock: Stock, tfidf: Matrix) -> Matrix:
    """Lines without the tokens that stand in a great part of all texts: they find nothing and cost most."""
    common = stock.present > max(_COMMON_COUNT, _COMMON_SHARE * stock.total)
    telling = tfidf.copy()
    telling.data = np.where(common[telling.indices], 0, telling.data).astype(np.float32)
    # A line of nothing but common words is searched by them.
    empty = np.flatnonzero(row_sums(telling.data, telling.indptr) == 0)
    for line in empty:
        own = slice(tfidf.indptr[line], tfidf.indptr[line + 1])
        telling.data[own] = tfidf.data[own]
    telling.eliminate_zeros()
    return telling


def _best_free(
    stock: Stock, scores: Floats, rows: Ints, barred: npt.NDArray[np.bool_], k: int
) -> Ints:
    best = highest(stock, scores, rows, k)
    if not barred[best].any():
        return best
    free = ~barred[rows]
    return highest(stock, scores[free], rows[free], k)


def highest(stock: Stock, scores: Floats, rows: Ints | None, k: int) -> Ints:
    """The k rows of the highest scores, equal ones by id. Without `rows`, places are the rows."""
    if rows is None:
        rows = stock.all_rows
    if len(scores) <= k:
        return rows
    place = 2 * k // _SAMPLE + 8
    if len(scores) > _SAMPLE * max(k, place):
        # Every 16th score tells where the best begin; only what lies above is sorted.
        least = np.partition(scores[::_SAMPLE], -place)[-place]
        high = np.flatnonzero(scores >= least - _STEP)
        if len(high) > k:
            scores, rows = scores[high], rows[high]
    scores = np.round(scores, DECIMALS)
    least = np.partition(scores, -k)[-k]
    above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    if len(above) + len(level) > k:
        level = level[np.argsort(stock.order[rows[level]])][: k - len(above)]
    best: Ints = rows[np.concatenate([above, level])]
    return best


def by_category(stock: Stock, needs: Sequence[Need], leaf: Matrix, k: int) -> Pairs:
    """The k texts of each line whose recognised categories agree best with its own."""
    lines, rows = [], []
    recognised = strongest(leaf, _LEAVES_SEARCHED)
    for start in range(0, len(needs), BLOCK):
        agreed = recognised[start : start + BLOCK] @ stock.leaf_postings
        for number in range(agreed.shape[0]):
            own = slice(agreed.indptr[number], agreed.indptr[number + 1])
            barred = stock.barred(needs[start + number])
            near = _best_free(stock, agreed.data[own], agreed.indices[own], barred, k)
            lines.append(np.full(len(near), start + number, np.int64))
            rows.append(near)
    return pairs_of(lines, rows)
