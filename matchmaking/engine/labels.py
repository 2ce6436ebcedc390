"""Categories that are codes without words: of a flat list that the category tree does not know."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import scipy.sparse as sp

from matchmaking.engine.sparse import Matrix, softened

_GIVEN = 0.6
_SOFT = 0.7


class Labels:
    """What the index's own texts say about codes that have no words of their own."""

    def __init__(self, marked: Sequence[Sequence[str]], known: Collection[str]) -> None:
        codes = [[code for code in row if code not in known] for row in marked]
        self._columns = {
            code: column for column, code in enumerate(sorted({c for row in codes for c in row}))
        }
        rows = np.repeat(np.arange(len(codes)), [len(row) for row in codes])
        columns = np.array([self._columns[code] for row in codes for code in row], np.int64)
        table = sp.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)),
            shape=(len(codes), len(self._columns)),
        )
        # One code of several is enough, so rows keep their ones.
        self.of_texts = table
        self._shares = _sums_to_one(table)
        self.marked = np.diff(table.indptr) > 0

    def __bool__(self) -> bool:
        return bool(self._columns)

    def of_lines(self, votes: Matrix, given: Sequence[str | None]) -> Matrix:
        """What lines probably belong to: what the texts near to them carry, and .6 of the code that was given."""
        likely = _sums_to_one(votes @ self._shares)
        told = [
            (row, self._columns[code]) for row, code in enumerate(given) if code in self._columns
        ]
        if told:
            rows, columns = np.array(told).T
            chosen = sp.csr_matrix(
                (np.ones(len(rows), np.float32), (rows, columns)), shape=likely.shape
            )
            keep = np.ones(likely.shape[0], np.float32)
            keep[rows] = 1 - _GIVEN
            likely = sp.diags(keep) @ likely + _GIVEN * chosen
        return softened(likely, _SOFT)


def _sums_to_one(table: Matrix) -> Matrix:
    sums = np.asarray(table.sum(axis=1)).ravel()
    return (sp.diags((1 / np.maximum(sums, 1e-9)).astype(np.float32)) @ table).tocsr()
