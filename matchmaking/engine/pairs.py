"""Pairs of a line and a text, and what is reckoned along them without building the table of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from matchmaking.engine.sparse import Floats, Ints, Matrix, Places, filled_in

# Lines that are compared at once, so that the dense table of their weights stays small.
BLOCK = 250
# And pairs, so that what is reckoned along them stays in the nearer memory.
PAIRS_AT_ONCE = 12_000


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Columns: position of the need, row of the text in the index; sorted by both, each pair once."""

    line: Ints
    row: Ints

    def __len__(self) -> int:
        return len(self.line)


def pairs_of(lines: Sequence[Ints], rows: Sequence[Ints]) -> Pairs:
    if not rows:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    line, row = np.concatenate(lines), np.concatenate(rows).astype(np.int64)
    width = int(row.max()) + 1 if len(row) else 1
    keys = np.sort(line * width + row)
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    return Pairs(keys // width, keys % width)


def places_among(pairs: Pairs, others: Pairs) -> Ints:
    """Where each of the pairs stands among the others, -1 for those that do not."""
    if not len(others):
        return np.full(len(pairs), -1)
    width = 1 + max(int(others.row.max()), int(pairs.row.max(initial=0)))
    key, among = pairs.line * width + pairs.row, others.line * width + others.row
    place = np.minimum(np.searchsorted(among, key), len(among) - 1)
    return np.where(among[place] == key, place, -1)


def completed(
    pairs: Pairs,
    others: Pairs,
    known: Sequence[Floats],
    reckon: Callable[[Pairs], Sequence[Floats]],
) -> list[Floats]:
    """Figures along pairs: known of those that stand among the others, reckoned of the rest."""
    place = places_among(pairs, others)
    there, fresh = np.flatnonzero(place >= 0), np.flatnonzero(place < 0)
    anew = reckon(Pairs(pairs.line[fresh], pairs.row[fresh]))
    whole = [np.empty(len(pairs), np.float32) for _ in known]
    for column, figures, more in zip(whole, known, anew, strict=True):
        column[there], column[fresh] = figures[place[there]], more
    return whole


def cosines(lines: Floats, texts: Floats, pairs: Pairs) -> Floats:
    out = np.empty(len(pairs), np.float32)
    bounds = np.searchsorted(pairs.line, np.arange(len(lines) + 1))
    # By line: a product with a gathered block is several times faster than one over gathered pairs.
    for line, (start, stop) in enumerate(pairwise(bounds.tolist())):
        if start < stop:
            out[start:stop] = texts[pairs.row[start:stop]] @ lines[line]
    return out


def dots(left: Matrix, right: Matrix, pairs: Pairs) -> Floats:
    """Products of row pairs of two sparse matrices, without building the full product."""
    return dots_of_all(left, right, pairs, [(left.data, right.data)])[0]


def dots_of_all(
    left: Matrix, right: Matrix, pairs: Pairs, figures: Sequence[tuple[Floats, Floats]]
) -> list[Floats]:
    """As `dots`, for several figures that fill the same places: where these meet is found once."""
    out = [np.empty(len(pairs), np.float32) for _ in figures]
    for own in _chunks(pairs):
        pair, asked, offered = _meetings(left, right, pairs.line[own], pairs.row[own])
        for column, (ours, theirs) in zip(out, figures, strict=True):
            product = ours[asked] * theirs[offered]
            column[own] = np.bincount(pair, weights=product, minlength=own.stop - own.start)
    return out


def dots_of_few(left: Matrix, right: Matrix, pairs: Pairs) -> Floats:
    """As `dots` to the last bit, for matrices of few columns: lines are spread out over all of them."""
    out = np.empty(len(pairs), np.float32)
    width = left.shape[1]
    for own in _chunks(pairs):
        line, row = pairs.line[own], pairs.row[own]
        first, last = int(line[0]), int(line[-1]) + 1
        filled = slice(left.indptr[first], left.indptr[last])
        spread = np.zeros((last - first) * width, np.float32)
        rows = np.repeat(np.arange(last - first), np.diff(left.indptr[first : last + 1]))
        spread[rows * width + left.indices[filled]] = left.data[filled]
        lengths = right.indptr[row + 1] - right.indptr[row]
        column, offered = filled_in(right, row, int(lengths.sum()))
        pair = np.repeat(np.arange(len(row), dtype=np.int32), lengths)
        asked = spread[np.repeat((line - first) * width, lengths) + column]
        out[own] = np.bincount(pair, weights=asked * offered, minlength=len(row))
    return out


def _chunks(pairs: Pairs) -> Iterator[slice]:
    """Not too many pairs at once, and of so few lines that a dense table of their weights stays small."""
    start = 0
    while start < len(pairs):
        last = int(np.searchsorted(pairs.line, pairs.line[start] + BLOCK))
        stop = min(start + PAIRS_AT_ONCE, len(pairs), last)
        yield slice(start, stop)
        start = stop


def products(left: Matrix, right: Matrix, line: Ints, row: Ints) -> tuple[Places, Places, Floats]:
    """Pair, column and product of every column that both rows of a pair fill."""
    pair, asked, offered = _meetings(left, right, line, row)
    product: Floats = left.data[asked] * right.data[offered]
    return pair, left.indices[asked], product


def _meetings(left: Matrix, right: Matrix, line: Ints, row: Ints) -> tuple[Places, Places, Places]:
    """Where both rows of a pair fill a column: pair, place on the left, place on the right."""
    first, last = int(line[0]), int(line[-1]) + 1
    begin, end = int(left.indptr[first]), int(left.indptr[last])
    filled, places = left.indices[begin:end], np.arange(begin, end, dtype=np.int32)
    starts = right.indptr[row]
    lengths = right.indptr[row + 1] - starts
    column, _ = filled_in(right, row, int(lengths.sum()))
    pair = np.repeat(np.arange(len(row), dtype=np.int32), lengths)
    if last - first == 1:
        table = np.full(right.shape[1], -1, np.int32)
        table[filled] = places
        place = table[column]
        met = np.flatnonzero(place >= 0)
        place, pair = place[met], pair[met]
    else:
        # The columns in use are numbered, so that the table of all lines stays small.
        in_use = np.zeros(right.shape[1], np.bool_)
        in_use[filled] = True
        used = np.flatnonzero(in_use)
        number = np.empty(right.shape[1], np.int32)
        number[used] = np.arange(len(used), dtype=np.int32)
        table = np.full((last - first) * len(used), -1, np.int32)
        rows = np.repeat(np.arange(last - first), np.diff(left.indptr[first : last + 1]))
        table[rows * len(used) + number[filled]] = places
        met = np.flatnonzero(in_use[column])
        pair = pair[met]
        place = table[((line - first) * len(used))[pair] + number[column[met]]]
        ours = np.flatnonzero(place >= 0)
        met, pair, place = met[ours], pair[ours], place[ours]
    # Where the row of each begins in the matrix, less where it begins among the columns read.
    shift = starts - np.cumsum(lengths) + lengths
    return pair, place, met + shift[pair]


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start on, as many as its length, one after the other."""
    ends = np.cumsum(lengths)
    numbers: Ints = np.repeat(starts - (ends - lengths), lengths)
    numbers += np.arange(ends[-1] if len(ends) else 0)
    return numbers


def first_greatest(values: npt.NDArray[np.floating[Any]], starts: Ints) -> Ints:
    """Where the first greatest value of each group stands; the groups begin at `starts` and none is empty."""
    if not len(starts):
        return starts
    lengths = np.diff(np.append(starts, len(values)))
    greatest = np.repeat(np.maximum.reduceat(values, starts), lengths)
    places = np.where(values == greatest, np.arange(len(values)), len(values))
    first: Ints = np.minimum.reduceat(places, starts)
    return first


def sums_of_greatest(group: Ints, column: Places, value: Floats, groups: int) -> Floats:
    """For each group the sum over its columns of the greatest value there."""
    width = int(column.max()) + 1 if len(column) else 1
    key = group * width + column
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    greatest = np.maximum.reduceat(value[order], first) if len(first) else value
    out = np.bincount(key[order][first] // width, weights=greatest, minlength=groups)
    return out.astype(np.float32)
