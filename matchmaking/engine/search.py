"""The texts worth a look for each line: the nearest by meaning, by words and by recognised category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from matchmaking.engine.pairs import BLOCK, Pairs, completed, cosines, pairs_of
from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    product,
    row_sums,
    rows_between,
    strongest,
    times_columns,
    with_all,
    with_data,
    without_zeros,
)
from matchmaking.engine.stock import Stock
from matchmaking.engine.types import Need

DECIMALS = 4
_STEP = 2 * 10.0**-DECIMALS
_SAMPLE = 16
# So many times more groups than are wanted, or telling where the best begin costs more than it saves.
_FEW = 4
_LEAST_FREE = 1e-6
# So many texts for each that is wanted are promising by coarse vectors and looked at by whole ones.
_LOOKED_AT = 2
# A line's own house and group have some of the best texts.
_OWN = 8
# Line, score and place in the order of ids, in one number.
_LINE_AT, _SCORE_AT, _MIDDLE = 45, 28, 1 << 16
_LEAVES_SEARCHED = 8
_COMMON_COUNT = 500
_COMMON_SHARE = 0.02
CANDIDATES = 100
# Position of the line, and row of the text.
Found = tuple[Ints, Ints]


def nearest(
    stock: Stock, needs: Sequence[Need], vectors: Floats, tfidf: Matrix, k: int
) -> tuple[Pairs, Floats]:
    """The k nearest free texts of each line by meaning and as many by words, and how near they are in meaning."""
    if not stock.texts:
        return pairs_of([], []), np.empty(0, np.float32)
    lines, rows, looked = [], [], []
    asked = times_columns(_telling(stock, tfidf), stock.idf)
    # One for all blocks: a fresh table is cleared by the system each time.
    width = len(stock.coarse) if stock.nearest is None else 0
    table = np.empty((min(BLOCK, len(needs)), width), np.float32)
    for start in range(0, len(needs), BLOCK):
        block = slice(start, start + BLOCK)
        shared = product(rows_between(asked, start, start + BLOCK), stock.postings)
        shared.data = shared.data * stock.scale[shared.indices]
        if stock.nearest is None:
            near, seen = _nearest_here(stock, needs[block], vectors[block], table, k)
            looked.append((seen[0] + start, *seen[1:]))
        else:
            told = stock.nearest.find(vectors[block], 2 * k)
            near = _one_by_one(
                [
                    _nearest_of(stock, told[line], vectors[start + line], stock.barred(need), k)
                    for line, need in enumerate(needs[block])
                ]
            )
        for line, row in (near, _best_of_rows(stock, needs[block], shared, k)):
            lines.append(line + start)
            rows.append(row)
    found = pairs_of(lines, rows)
    if not looked:
        return found, cosines(vectors, stock.vectors, found)
    line, row, likeness = (np.concatenate(column) for column in zip(*looked, strict=True))
    (of_found,) = completed(
        found,
        Pairs(line, row),
        [likeness],
        lambda anew: [cosines(vectors, stock.vectors, anew)],
    )
    return found, of_found


def _nearest_here(
    stock: Stock, needs: Sequence[Need], vectors: Floats, table: Floats, k: int
) -> tuple[Found, tuple[Ints, Ints, Floats]]:
    """The k nearest free texts of each line by whole vectors, of those that are promising; and lines, rows and likeness
    of all these. The table is written to."""
    meaning = with_all(stock.coarsely(vectors), stock.coarse, out=table[: len(vectors)])
    many = _LOOKED_AT * _many(stock, needs, k)
    line, row = _promising(meaning, many)
    near = cosines(vectors, stock.vectors, Pairs(line, row))
    found, short = _best(stock, needs, (line, row, near), k)
    more = {one: _nearest_free(stock, needs[one], vectors[one], k) for one in short}
    return _with_more(found, more), (line, row, near)


def _promising(meaning: Floats, many: Ints) -> Found:
    """Lines and columns of the greatest scores of a table: so many of each line and not many more, none of a line that
    asks for all."""
    count = meaning.shape[1]
    width = count // _SAMPLE
    quick = _FEW * many < width
    lines, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for line in np.flatnonzero(~quick & (many < count)).tolist():
        best = meaning[line] >= _where_best_begin(meaning[line], int(many[line]))
        columns.append(np.flatnonzero(best))
        lines.append(np.full(len(columns[-1]), line))
    if quick.any():
        # The greatest of every sixteen scores tell where the best begin.
        greatest = meaning[:, : _SAMPLE * width].reshape(len(many), _SAMPLE, width).max(axis=1)
        place = width - int(many[quick].max())
        least = np.partition(greatest, place, axis=1)[:, place] - _STEP
        least[~quick] = np.inf
        high = np.flatnonzero(meaning >= least[:, None])
        lines.append(high // count)
        columns.append(high % count)
    of_line, of_column = np.concatenate(lines), np.concatenate(columns)
    order = np.argsort(of_line, kind="stable")
    return of_line[order], of_column[order]


def _nearest_free(stock: Stock, need: Need, vector: Floats, k: int) -> Ints:
    free = np.flatnonzero(~stock.barred(need))
    return highest(stock, stock.vectors[free] @ vector, free, k)


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


def _one_by_one(rows: Sequence[Ints]) -> Found:
    line = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
    return line, np.concatenate([np.empty(0, np.int64), *rows])


def _with_more(found: Found, more: Mapping[int, Ints]) -> Found:
    """Found anew for a few lines."""
    if not more:
        return found
    line, row = found
    kept = ~np.isin(line, list(more))
    lines = [line[kept], *(np.full(len(own), place) for place, own in more.items())]
    return np.concatenate(lines), np.concatenate([row[kept], *more.values()])


def _many(stock: Stock, needs: Sequence[Need], k: int) -> Ints:
    """For each line so many of the best texts that k of them are probably free."""
    free = np.array([stock.free_share(need.counterparts) for need in needs])
    many: Ints = (k / np.maximum(free, _LEAST_FREE)).astype(np.int64) + _OWN
    return many


def _best(
    stock: Stock, needs: Sequence[Need], columns: tuple[Ints, Ints, Floats], k: int
) -> tuple[Found, list[int]]:
    """Of lines, rows and scores in columns the k best free rows of each line, and the lines that have fewer."""
    line, row, score = columns
    free = np.flatnonzero(~stock.barred_along(needs, line, row))
    line, row, score = line[free], row[free], score[free]
    first = first_of_lines(stock, line, row, score, k)
    line, row = line[first], row[first]
    short = np.flatnonzero(np.bincount(line, minlength=len(needs)) < k)
    return (line, row), short.tolist()


def first_of_lines(stock: Stock, line: Ints, row: Ints, score: Floats, k: int) -> Ints:
    """Where the k highest of each line stand, the highest first and equal ones by id."""
    rounded = np.rint(score * np.float32(10**DECIMALS)).astype(np.int64)
    # One number a pair sorts many times faster than three columns.
    key = (line << _LINE_AT) + ((_MIDDLE - rounded) << _SCORE_AT) + stock.order[row]
    order = np.argsort(key)
    line = line[order]
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    lengths = np.diff(np.append(starts, len(line)))
    return order[np.arange(len(line)) - np.repeat(starts, lengths) < k]


def _best_of_rows(stock: Stock, needs: Sequence[Need], scores: Matrix, k: int) -> Found:
    """The k highest free places of each row of a sparse table."""
    many = _many(stock, needs, k).tolist()
    bounds = scores.indptr.tolist()
    lines, places = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    cut = set()
    for line, (start, stop) in enumerate(pairwise(bounds)):
        own = scores.data[start:stop]
        if len(own) > 2 * many[line]:
            high = np.flatnonzero(own >= _where_best_begin(own, many[line]))
            cut.add(line)
        else:
            high = np.arange(len(own))
        lines.append(np.full(len(high), line))
        places.append(high + start)
    chosen = np.concatenate(places)
    columns = (
        np.concatenate(lines),
        scores.indices[chosen].astype(np.int64),
        scores.data[chosen],
    )
    found, short = _best(stock, needs, columns, k)
    more = {}
    for line in cut.intersection(short):
        own = slice(bounds[line], bounds[line + 1])
        barred = stock.barred(needs[line])
        more[line] = _best_free(stock, scores.data[own], scores.indices[own], barred, k)
    return _with_more(found, more)


def _where_best_begin(scores: Floats, place: int) -> np.float32:
    """A bound that at least so many scores reach, and not many more."""
    width = len(scores) // _SAMPLE
    if width > _FEW * place:
        scores = scores[: _SAMPLE * width].reshape(_SAMPLE, width).max(axis=0)
    least: np.float32 = np.partition(scores, len(scores) - place)[len(scores) - place] - _STEP
    return least


def _telling(stock: Stock, tfidf: Matrix) -> Matrix:
    """Lines without the tokens that stand in a great part of all texts: they find nothing and cost most."""
    common = stock.present > max(_COMMON_COUNT, _COMMON_SHARE * stock.total)
    data = np.where(common[tfidf.indices], 0, tfidf.data).astype(np.float32, copy=False)
    # A line of nothing but common words is searched by them.
    empty = np.flatnonzero(row_sums(data, tfidf.indptr) == 0)
    for line in empty:
        own = slice(tfidf.indptr[line], tfidf.indptr[line + 1])
        data[own] = tfidf.data[own]
    return without_zeros(with_data(tfidf, data))


def _best_free(
    stock: Stock, scores: Floats, rows: Ints, barred: npt.NDArray[np.bool_], k: int
) -> Ints:
    free = ~barred[rows]
    return highest(stock, scores[free], rows[free], k)


def highest(stock: Stock, scores: Floats, rows: Ints, k: int) -> Ints:
    """The k rows of the highest scores, equal ones by id."""
    if len(scores) > 2 * k:
        high = np.flatnonzero(scores >= _where_best_begin(scores, k))
        scores, rows = scores[high], rows[high]
    return rows[first_of_lines(stock, np.zeros(len(rows), np.int64), rows, scores, k)]


def by_category(stock: Stock, needs: Sequence[Need], leaf: Matrix, k: int) -> Pairs:
    """The k texts of each line whose recognised categories agree best with its own."""
    lines, rows = [], []
    recognised = strongest(leaf, _LEAVES_SEARCHED)
    for start in range(0, len(needs), BLOCK):
        block = slice(start, start + BLOCK)
        agreed = product(rows_between(recognised, start, start + BLOCK), stock.leaf_postings)
        line, row = _best_of_rows(stock, needs[block], agreed, k)
        lines.append(line + start)
        rows.append(row)
    return pairs_of(lines, rows)
