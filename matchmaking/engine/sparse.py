"""The few sparse-matrix steps that the parts of the index share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        indptr, indices, data = [0], [], []
        for text in texts:
            row: dict[int, int] = {}
            for token in tokens(text):
                column = columns.get(token)
                if column is None:
                    if not grow:
                        continue
                    column = columns[token] = len(columns)
                row[column] = row.get(column, 0) + 1
            for column in sorted(row):
                indices.append(column)
                data.append(row[column])
            indptr.append(len(indices))
        return sp.csr_matrix(
            (np.array(data, np.float32), np.array(indices, np.int32), np.array(indptr, np.int64)),
            shape=(len(texts), len(columns)),
        )


def unit_rows(matrix: Matrix) -> Matrix:
    """Rows of length 1; empty rows stay empty."""
    matrix = matrix.tocsr()
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), np.float32).ravel())
    scaled = matrix.copy()
    scaled.data = (scaled.data / np.repeat(np.maximum(norms, 1e-9), np.diff(scaled.indptr))).astype(
        np.float32
    )
    return scaled


def softened(matrix: Matrix, power: float) -> Matrix:
    """Rows to a power and then to length 1: a cosine of them is less ruled by the largest entry."""
    matrix = matrix.tocsr().copy()
    matrix.data = np.power(matrix.data, power).astype(np.float32)
    return unit_rows(matrix)


def sublinear(counts: Matrix) -> Matrix:
    counts = counts.copy()
    counts.data = (1.0 + np.log(counts.data)).astype(np.float32)
    return counts


def times_columns(matrix: Matrix, factors: Floats) -> Matrix:
    matrix = matrix.copy()
    matrix.data = matrix.data * factors[matrix.indices]
    return matrix


def strongest(matrix: Matrix, count: int) -> Matrix:
    """Rows with their `count` largest entries only."""
    matrix = matrix.tocsr()
    kept = []
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        if stop - start <= count:
            kept.append(np.arange(start, stop))
        else:
            kept.append(
                start + np.sort(np.argsort(-matrix.data[start:stop], kind="stable")[:count])
            )
    lengths = [len(places) for places in kept]
    places = np.concatenate(kept) if kept else np.empty(0, np.int64)
    return sp.csr_matrix(
        (matrix.data[places], matrix.indices[places], np.concatenate([[0], np.cumsum(lengths)])),
        shape=matrix.shape,
    )


def widened(matrix: Matrix, width: int) -> Matrix:
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
