"""Categories that are codes without words: of a flat list that the category tree does not know.

What such a code means is learned from the index's own texts that carry it, by three views that err differently: the
texts nearest to a line, ridge regressions on the vectors and on the words, and how often each word went with a code.
All sums run over the living texts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from matchmaking.engine.sparse import Floats, Ints, Matrix, ridge, strongest

# Chosen by the log-likelihood of the codes of lines, the same for all lists.
_NEAREST, _MEANING, _WORDS, _WORDING = 0.75, 0.5, 0.25, 2.0
_FLOOR = 0.01
_RIDGE = 5.0
_RIDGE_OF_WORDS = 1.0
_ROUNDS = 12
_RARE = 2
_SHARPNESS = 10.0
_WORD_POWER = 0.5
_WORD_PRIOR = 0.2
# The views read the same text and err together, so what they say at once is less than the sum.
_TOGETHER = 0.8
# So does an author who chose a code after writing the text.
_BESIDE_GIVEN = 0.65
# Every fifth code that an author gives may be wrong.
_WRONG = 0.2
_UNHEARD = 1e-3
_BLOCK = 2000
_CODES_KEPT = 12


class Labels:
    """What the index's own texts say about codes that have no words of their own."""

    def __init__(
        self,
        marked: Sequence[Sequence[str]],
        known: Collection[str],
        alive: npt.NDArray[np.bool_],
        vectors: Floats,
        tfidf: Callable[[], Matrix],
    ) -> None:
        # Most indexes have none, and are looked through whenever an offer changes.
        carrying = [(place, row) for place, row in enumerate(marked) if row]
        codes = [(place, code) for place, row in carrying for code in row if code not in known]
        self._columns = {code: n for n, code in enumerate(sorted({code for _, code in codes}))}
        rows = np.array([place for place, _ in codes], np.int64)
        columns = np.array([self._columns[code] for _, code in codes], np.int64)
        table = sp.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)),
            shape=(len(marked), len(self._columns)),
        )
        self._shares = _sums_to_one(table)
        carried = np.diff(table.indptr)
        self._taught = np.flatnonzero(alive & (carried > 0))
        # A few codes left over from elsewhere do not make a list that all texts are sorted by.
        self._rules = 2 * len(self._taught) > np.count_nonzero(alive)
        self._vectors, self._read_tfidf = vectors, tfidf

    def __bool__(self) -> bool:
        return bool(self._rules)

    def __contains__(self, code: str) -> bool:
        return code in self._columns

    @cached_property
    def words(self) -> Matrix:
        """Made when it is asked for: most indexes know their codes by words and never ask."""
        return self._read_tfidf()

    @cached_property
    def _prior(self) -> npt.NDArray[np.float64]:
        carried = np.asarray(self._shares[self._taught].sum(axis=0), np.float64).ravel() + 1
        prior: npt.NDArray[np.float64] = carried / carried.sum()
        return prior

    @cached_property
    def _directions(self) -> Floats:
        """Ridge regression of the codes on the vectors."""
        vectors = self._vectors[self._taught].astype(np.float64)
        shares = self._shares[self._taught]
        square = vectors.T @ vectors + _RIDGE * np.eye(vectors.shape[1])
        return np.linalg.solve(square, (shares.T @ vectors).T).astype(np.float32)

    @cached_property
    def _speaking(self) -> Matrix:
        """How much a word raises the logarithm of the odds of a code; words that never went with it are left out."""
        present = self.words[self._taught].sign()
        together = (present.T @ self._shares[self._taught]).tocsr()
        together.data = np.log1p(
            together.data / (_WORD_PRIOR * self._prior[together.indices])
        ).astype(np.float32)
        return together

    @cached_property
    def _wording(self) -> tuple[Ints, Floats]:
        """Ridge regression of the codes on the words that more than one text says."""
        said = self.words[self._taught]
        spread = np.bincount(said.indices, minlength=said.shape[1])
        columns = np.flatnonzero(spread >= _RARE).astype(np.int64)
        said = said[:, columns].astype(np.float32)
        codes = self._shares[self._taught].toarray()
        return columns, ridge(said, codes, _RIDGE_OF_WORDS, _ROUNDS)

    def _learned(self, vectors: Floats, words: Matrix) -> npt.NDArray[np.float64]:
        """Logarithms of how probable each code is by vector and words, up to a constant of each row."""
        meaning = _softmax(_SHARPNESS * (vectors @ self._directions).astype(np.float64))
        spoken = (words.sign() @ self._speaking).toarray().astype(np.float64)
        said = _softmax(_WORD_POWER * spoken + np.log(self._prior))
        columns, wording = self._wording
        out: npt.NDArray[np.float64] = (
            _MEANING * np.log(meaning + _FLOOR)
            + _WORDS * np.log(said + _FLOOR)
            + _WORDING * np.asarray(words[:, columns] @ wording, np.float64)
        )
        return out

    @cached_property
    def of_texts(self) -> Matrix:
        """What a text is about: which of its supplier's codes, or which codes at all where the supplier has none."""
        carried = np.diff(self._shares.indptr)
        blocks = [self._shares[carried == 1]]
        places = [np.flatnonzero(carried == 1)]
        doubtful = np.flatnonzero(carried != 1)
        for start in range(0, len(doubtful), _BLOCK):
            rows = doubtful[start : start + _BLOCK]
            learned = _softmax(self._learned(self._vectors[rows], self.words[rows])) + _UNHEARD
            own = self._shares[rows].toarray()
            own[carried[rows] == 0] = 1
            blocks.append(strongest(_sums_to_one(sp.csr_matrix(learned * (own > 0))), _CODES_KEPT))
            places.append(rows)
        return sp.vstack(blocks, format="csr")[np.argsort(np.concatenate(places))]

    def of_lines(
        self, votes: Matrix, vectors: Floats, words: Matrix, given: Sequence[str | None]
    ) -> Matrix:
        """How probable each code is for each line; `votes` are the shares of the texts nearest to it."""
        near = (votes @ self._shares).toarray().astype(np.float64)
        columns = [self._columns.get(code or "") for code in given]
        told = np.array([column is not None for column in columns], np.bool_)
        share = np.where(told, _BESIDE_GIVEN, _TOGETHER)[:, None]
        likely = _softmax(
            share * (_NEAREST * np.log(near + _FLOOR) + self._learned(vectors, words))
        )
        for row, column in enumerate(columns):
            if column is None:
                continue
            chances = (likely[row] + _UNHEARD) * (_WRONG / max(len(self._columns) - 1, 1))
            chances[column] *= (1 - _WRONG) / _WRONG * max(len(self._columns) - 1, 1)
            likely[row] = chances / chances.sum()
        return sp.csr_matrix(likely.astype(np.float32))


def _softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _sums_to_one(table: Matrix) -> Matrix:
    sums = np.asarray(table.sum(axis=1)).ravel()
    return (sp.diags((1 / np.maximum(sums, 1e-9)).astype(np.float32)) @ table).tocsr()
