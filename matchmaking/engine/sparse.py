"""The few sparse-matrix steps that the parts of the index share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
# scipy ships no types.
Matrix = Any


class Vocabulary:
    """Tokens and their columns; grows while texts are added, never shrinks."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.columns: dict[str, int] = {word: column for column, word in enumerate(words)}

    def __len__(self) -> int:
        return len(self.columns)

    def counts(
        self, texts: Sequence[str], tokens: Callable[[str], list[str]], *, grow: bool
    ) -> Matrix:
        """Token counts, a row per text; tokens without a column are left out unless it may grow."""
        columns = self.columns
        found: list[int] = []
        lengths = []
        for text in texts:
            before = len(found)
            if grow:
                found += [columns.setdefault(token, len(columns)) for token in tokens(text)]
            else:
                said = map(columns.get, tokens(text))
                found += [column for column in said if column is not None]
            lengths.append(len(found) - before)
        width = max(len(columns), 1)
        keys = np.repeat(np.arange(len(texts)) * width, lengths) + np.array(found, np.int64)
        keys, counts = np.unique(keys, return_counts=True)
        row, column = np.divmod(keys, width)
        ends = np.cumsum(np.bincount(row, minlength=len(texts)))
        return sp.csr_matrix(
            (counts.astype(np.float32), column.astype(np.int32), np.append(0, ends)),
            shape=(len(texts), len(columns)),
        )


def with_data(matrix: Matrix, data: Floats) -> Matrix:
    """The same places filled with other figures. They are shared, not copied: nobody may take places out of either.

    A matrix made from its three parts has them checked each time, which takes longer than most steps of a single line.
    """
    filled = copy(matrix)
    filled.data = data
    return filled


def unit_rows(matrix: Matrix) -> Matrix:
    """Rows of length 1; empty rows stay empty."""
    matrix = matrix.tocsr()
    norms = np.sqrt(_sums_of_squares(matrix))
    lengths = np.diff(matrix.indptr)
    return with_data(matrix, matrix.data / np.repeat(np.maximum(norms, 1e-9), lengths))


def _sums_of_squares(matrix: Matrix) -> Floats:
    """As `multiply` and `sum` of scipy reckon them to the last bit: without zeros, unsorted rows from their end."""
    squares, bounds = (matrix.data * matrix.data).astype(np.float32, copy=False), matrix.indptr
    filled = squares != 0
    if not filled.all():
        squares, bounds = squares[filled], np.append(0, np.cumsum(filled))[bounds]
    in_order = matrix.has_canonical_format
    if not in_order:
        squares, bounds = squares[::-1], len(squares) - bounds[::-1]
    sums = np.zeros(matrix.shape[0], np.float32)
    rows = np.flatnonzero(np.diff(bounds))
    sums[rows] = np.add.reduceat(squares, bounds[rows]) if len(rows) else 0
    return sums if in_order else sums[::-1]


def softened(matrix: Matrix, power: float) -> Matrix:
    """Rows to a power and then to length 1: a cosine of them is less ruled by the largest entry."""
    matrix = matrix.tocsr()
    return unit_rows(with_data(matrix, np.power(matrix.data, power).astype(np.float32, copy=False)))


def sublinear(counts: Matrix) -> Matrix:
    return with_data(counts, (1.0 + np.log(counts.data)).astype(np.float32, copy=False))


def times_columns(matrix: Matrix, factors: Floats) -> Matrix:
    return with_data(matrix, matrix.data * factors[matrix.indices])


def strongest(matrix: Matrix, count: int) -> Matrix:
    """Rows with their `count` largest entries only."""
    matrix = matrix.tocsr()
    lengths = np.diff(matrix.indptr)
    order = np.lexsort((-matrix.data, np.repeat(np.arange(len(lengths)), lengths)))
    rank = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], lengths)
    places = np.sort(order[rank < count])
    ends = np.cumsum(np.minimum(lengths, count))
    return sp.csr_matrix(
        (matrix.data[places], matrix.indices[places], np.append(0, ends)), shape=matrix.shape
    )


def widened(matrix: Matrix, width: int) -> Matrix:
    if matrix.shape[1] == width:
        return matrix
    return sp.csr_matrix(
        (matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width)
    )


def row_sums(data: Floats, indptr: Ints) -> npt.NDArray[np.float64]:
    sums = np.concatenate([[0.0], np.cumsum(data, dtype=np.float64)])
    difference: npt.NDArray[np.float64] = sums[indptr[1:]] - sums[indptr[:-1]]
    return difference


def ridge(said: Matrix, target: Floats, penalty: float, rounds: int) -> Floats:
    """Ridge regression of the columns of `target` on sparse rows, by conjugate gradients."""
    turned = said.T.tocsr()
    left = np.asarray(turned @ target, np.float32)
    found, way, size = np.zeros_like(left), left.copy(), _squares(left)
    for _ in range(rounds):
        ahead = turned @ (said @ way)
        ahead += np.float32(penalty) * way
        step = size / np.maximum(np.einsum("ij,ij->j", way, ahead), np.float32(1e-12))
        found += step * way
        left -= step * ahead
        before, size = size, _squares(left)
        way *= size / np.maximum(before, np.float32(1e-12))
        way += left
    return found


def _squares(table: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->j", table, table)
    return squares
