"""The few steps with matrices that the parts of the index share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse._sparsetools import csr_matmat, csr_plus_csr, csr_row_index

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32 | np.int64]
# scipy ships no types.
Matrix = Any
# For so few vectors a table is read once for each: a product of matrices would first copy it whole.
_READ_EACH = 8
_MOST = 2**31
_BLANK = vars(sp.csr_matrix((0, 0), dtype=np.float32))


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
        return csr(
            counts.astype(np.float32), column, np.append(0, ends), (len(texts), len(columns))
        )


# Making a matrix by scipy has its parts looked through each time, which takes longer than most steps of a single line.
# So matrices are put together here, and multiplied and added by the loops that scipy itself calls.


def csr(data: Floats, indices: Places, indptr: Places, shape: tuple[int, int]) -> Matrix:
    """A matrix of its three parts, which must fit."""
    made = sp.csr_matrix.__new__(sp.csr_matrix)
    vars(made).update(
        _BLANK,
        _shape=shape,
        data=data,
        indices=indices.astype(np.int32, copy=False),
        indptr=indptr.astype(np.int32, copy=False),
    )
    return made


def with_data(matrix: Matrix, data: Floats) -> Matrix:
    """The same places filled with other figures. They are shared, not copied: nobody may take places out of either."""
    kind: Matrix = type(matrix)
    filled = kind.__new__(kind)
    vars(filled).update(vars(matrix), data=data)
    return filled


def product(left: Matrix, right: Matrix) -> Matrix:
    """`left @ right` of scipy to the last bit, its order of entries too."""
    (height, inner), width = left.shape, right.shape[1]
    # The loops look at nothing: what does not fit has to be told by scipy.
    fits = inner == right.shape[0] and height * width < _MOST
    if not fits or not _are_plain(left, right):
        return left @ right
    # Counting what the product will hold takes a third of making it; room that is not written to is not taken.
    size = min(int(np.diff(right.indptr)[left.indices].sum()), height * width)
    indptr, indices = np.zeros(height + 1, np.int32), np.empty(size, np.int32)
    data = np.empty(size, np.float32)
    if size:
        ours = left.indptr, left.indices, left.data
        theirs = right.indptr, right.indices, right.data
        csr_matmat(height, width, *ours, *theirs, indptr, indices, data)
    return _pruned(data, indices, indptr, (height, width))


def filled_in(matrix: Matrix, rows: Ints, size: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Columns that are filled in the rows, and with what, one row after the other; `size` of them in all."""
    columns, data = np.empty(size, np.int32), np.empty(size, matrix.data.dtype)
    parts = matrix.indptr, matrix.indices, matrix.data
    csr_row_index(len(rows), rows.astype(np.int32), *parts, columns, data)
    return columns, data


def total(left: Matrix, right: Matrix) -> Matrix:
    """`left + right` of scipy likewise."""
    if left.shape != right.shape or not _are_plain(left, right):
        return left + right
    size = len(left.indices) + len(right.indices)
    indptr, indices = np.zeros(left.shape[0] + 1, np.int32), np.empty(size, np.int32)
    data = np.empty(size, np.float32)
    ours = left.indptr, left.indices, left.data
    theirs = right.indptr, right.indices, right.data
    csr_plus_csr(*left.shape, *ours, *theirs, indptr, indices, data)
    return _pruned(data, indices, indptr, left.shape)


def _pruned(data: Floats, indices: Places, indptr: Places, shape: tuple[int, int]) -> Matrix:
    """Sums of nothing are left out, so the room is seldom all used."""
    filled = int(indptr[-1])
    return csr(data[:filled], indices[:filled], indptr, shape)


def with_all(vectors: Floats, table: Floats, out: Floats | None = None) -> Floats:
    """`vectors @ table.T`, in other last bits."""
    if len(vectors) > _READ_EACH:
        return np.matmul(vectors, table.T, out=out)
    found: Floats = np.vecdot(table, vectors[:, None], out=out)
    return found


def _are_plain(*matrices: Matrix) -> bool:
    return all(
        one.format == "csr"
        and one.indptr.dtype == one.indices.dtype == np.int32
        and one.data.dtype == np.float32
        for one in matrices
    )


def times_rows(matrix: Matrix, factors: Floats) -> Matrix:
    """As a product with a diagonal, which turns the order of each row about."""
    count = len(factors)
    diagonal = csr(factors, np.arange(count), np.arange(count + 1), (count, count))
    return product(diagonal, matrix)


def rows_between(matrix: Matrix, start: int, stop: int) -> Matrix:
    stop = min(stop, matrix.shape[0])
    bounds = matrix.indptr[start : stop + 1]
    own = slice(bounds[0], bounds[-1])
    shape = stop - start, matrix.shape[1]
    return csr(matrix.data[own], matrix.indices[own], bounds - bounds[0], shape)


def without_zeros(matrix: Matrix) -> Matrix:
    filled = matrix.data != 0
    indptr = np.append(0, np.cumsum(filled))[matrix.indptr]
    return csr(matrix.data[filled], matrix.indices[filled], indptr, matrix.shape)


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
    return csr(matrix.data[places], matrix.indices[places], np.append(0, ends), matrix.shape)


def widened(matrix: Matrix, width: int) -> Matrix:
    if matrix.shape[1] == width:
        return matrix
    return csr(matrix.data, matrix.indices, matrix.indptr, (matrix.shape[0], width))


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
