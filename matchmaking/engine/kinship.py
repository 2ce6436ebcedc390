"""What suppliers offer together, where categories are codes without words.

Texts of one supplier under one code are mostly of one kind, finer than the code. Which directions of meaning and which
words such texts share is learned from the index alone, and lines and texts are compared by it: "binders" and
"pigments" stand nearer than their words or meaning say, because firms offer both.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from matchmaking.engine.labels import Labels
from matchmaking.engine.sparse import Floats, Ints, Matrix, ridge, widened

# Texts with a companion; of fewer nothing is learned.
ENOUGH = 1000
_DIRECTIONS = 128
# Chosen on two lists alike; doubling or halving any of them moves neither by more than a hundredth.
_RIDGE = 0.1
_RIDGE_OF_WORDS = 0.5
_ROUNDS = 12
_RARE = 2
_AGREE = 0.2
_TINY = 1e-9


class Kinship:
    """Learned from texts of one supplier and one code. `houses` numbers the supplier of each text."""

    def __init__(
        self, labels: Labels, houses: Ints, alive: npt.NDArray[np.bool_], vectors: Floats
    ) -> None:
        self._labels, self._houses = labels, houses
        self._alive, self._vectors = alive, vectors

    @cached_property
    def _companions(self) -> tuple[Matrix, Floats, Floats]:
        """Shares of texts in the codes of houses, what each holds itself, and how much company it has."""
        about = (sp.diags(self._alive.astype(np.float32)) @ self._labels.of_texts).tocoo()
        key = self._houses[about.row] * about.shape[1] + about.col
        column = np.unique(key, return_inverse=True)[1]
        table = sp.csr_matrix(
            (about.data, (about.row, column)),
            shape=(len(self._houses), int(column.max(initial=0)) + 1),
        )
        own = np.asarray(table.multiply(table).sum(axis=1), np.float32).ravel()
        company = np.asarray(table @ table.sum(axis=0).T, np.float32).ravel() - own
        return table, own, company

    @cached_property
    def _taught(self) -> Ints:
        if not self._labels:
            return np.empty(0, np.int64)
        return np.flatnonzero(self._companions[2] > _AGREE).astype(np.int64)

    @cached_property
    def _learned(self) -> bool:
        return len(self._taught) >= ENOUGH and bool(self._vectors[self._taught].any())

    def __bool__(self) -> bool:
        return self._learned

    def _mean_of_companions(self, table: Floats) -> Floats:
        """For each text that taught, the mean of the rows of its companions."""
        shares, own, company = self._companions
        sums = shares @ (shares.T @ table) - own[:, None] * table
        mean: Floats = sums[self._taught] / company[self._taught, None]
        return mean.astype(np.float32)

    @cached_property
    def _turn(self) -> Floats:
        """Directions of meaning by how well companions agree along them: twice as sure, four times as heard."""
        from scipy.linalg import eigh  # noqa: PLC0415 -- slow import, and words of the tree need none of it

        vectors = self._vectors[self._taught].astype(np.float64)
        spread = vectors.T @ vectors / len(vectors)
        shared = vectors.T @ self._mean_of_companions(self._vectors) / len(vectors)
        ridge = _RIDGE * np.trace(spread) / len(spread) * np.eye(len(spread))
        agreed, ways = eigh((shared + shared.T) / 2, spread + ridge)
        agreed, ways = agreed[::-1][:_DIRECTIONS], ways[:, ::-1][:, :_DIRECTIONS]
        turn: Floats = (ways * np.maximum(agreed, 0)).astype(np.float32)
        return turn

    @cached_property
    def _wording(self) -> tuple[Ints, Floats]:
        """Ridge regression of what companions mean on the words that more than one text says."""
        said = self._labels.words[self._taught]
        spread = np.bincount(said.indices, minlength=said.shape[1])
        columns = np.flatnonzero(spread >= _RARE).astype(np.int64)
        said = said[:, columns].astype(np.float32)
        target = self._mean_of_companions(_unit(self._vectors @ self._turn))
        return columns, ridge(said, target, _RIDGE_OF_WORDS, _ROUNDS)

    def turned(self, vectors: Floats, words: Matrix) -> Floats:
        """Unit rows whose products say how well two would stand in one house."""
        columns, wording = self._wording
        spoken = widened(words, self._labels.words.shape[1])[:, columns] @ wording
        return _unit(_unit(vectors @ self._turn) + _unit(np.asarray(spoken, np.float32)))

    @cached_property
    def of_texts(self) -> Floats:
        return self.turned(self._vectors, self._labels.words)


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY)
    return unit.astype(np.float32)
