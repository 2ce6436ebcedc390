"""The category tree as a classifier: which leaf a text speaks of, and the term that says so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    Vocabulary,
    softened,
    sublinear,
    times_columns,
    unit_rows,
)
from matchmaking.engine.text import normalise, tokens
from matchmaking.engine.types import Encoder

# The clause of a description that says what a category is not would speak for it.
_EXCLUSION = re.compile(
    r"(?:[,;；，(（]\s*)?(?:\b(?:but |are |is |and )?not\b|\bexcluding\b|\bexcludes?\b|\bexcept\b|不是|不含|不包括|除外|不属于|非指|而非).*?(?=[;；。]|$)",
    re.IGNORECASE,
)
_LEAVES_KEPT = 12
_SHARPNESS = 10.0
_MEANING = 0.5
_GIVEN = 0.4
_SOFT = 0.7
_BLOCK = 1000
_NEAR_ENOUGH = 0.35


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category as plain values; only leaves (level 3) are recognised in texts."""

    code: str
    parent: str | None
    level: int
    name_zh: str
    name_en: str
    synonyms_zh: tuple[str, ...] = ()
    synonyms_en: tuple[str, ...] = ()
    description_zh: str = ""
    description_en: str = ""
    segments: tuple[str, ...] = ()

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> CategoryRow:
        return cls(
            code=values["code"],
            parent=values.get("parent"),
            level=values["level"],
            name_zh=values["name_zh"],
            name_en=values["name_en"],
            synonyms_zh=tuple(values.get("synonyms_zh", ())),
            synonyms_en=tuple(values.get("synonyms_en", ())),
            description_zh=values.get("description_zh", ""),
            description_en=values.get("description_en", ""),
            segments=tuple(values.get("segments", ())),
        )

    @property
    def terms(self) -> tuple[str, ...]:
        return (self.name_zh, self.name_en, *self.synonyms_zh, *self.synonyms_en)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A leaf, how probable it is among all leaves (0 to 1), and the term of it that is nearest to the text."""

    code: str
    probability: float
    term: str


def positive_clauses(description: str) -> str:
    """What a description says a category is.

    Examples
    --------
    >>> positive_clauses("Compounds made on the route to an API; not finished APIs")
    'Compounds made on the route to an API'
    """
    return _EXCLUSION.sub("", description).strip(" ;；,，")


class Taxonomy:
    """Leaves in the order of their codes; rows of every matrix here follow that order."""

    def __init__(self, categories: Sequence[CategoryRow]) -> None:
        self.rows = tuple(sorted(categories, key=lambda row: row.code))
        self.by_code = {row.code: row for row in self.rows}
        self.leaves = tuple(row for row in self.rows if row.level == 3)
        self.codes = tuple(row.code for row in self.leaves)
        self.position = {code: number for number, code in enumerate(self.codes)}
        self._parents = [self._ancestor(row, 2) for row in self.leaves]
        self._chains = [self._ancestor(row, 1) for row in self.leaves]
        self._term_texts = tuple(term for row in self.leaves for term in row.terms)
        self._starts = np.cumsum([0, *(len(row.terms) for row in self.leaves)])[:-1]
        self._vectors: dict[str, tuple[Floats, Floats]] = {}

    def _ancestor(self, row: CategoryRow, level: int) -> str:
        while row.level > level and row.parent is not None and row.parent in self.by_code:
            row = self.by_code[row.parent]
        return row.code

    @cached_property
    def fingerprint(self) -> str:
        """Changes with any word of any category; an index built with another one is stale."""
        rows = [asdict(row) for row in self.rows]
        return hashlib.sha256(
            json.dumps(rows, sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()[:16]

    def terms(self, code: str) -> dict[str, tuple[str, ...]]:
        """The words of a category by language, the name first."""
        row = self.by_code[code]
        return {"zh": (row.name_zh, *row.synonyms_zh), "en": (row.name_en, *row.synonyms_en)}

    def leaves_under(self, code: str) -> Ints:
        """Positions of the leaves at or below a category of any level; empty for an unknown code."""
        return np.flatnonzero(
            [code in pair for pair in zip(self.codes, self._parents, self._chains, strict=True)]
        ).astype(np.int64)

    @cached_property
    def to_parents(self) -> Matrix:
        return _membership(self._parents)

    @cached_property
    def to_chains(self) -> Matrix:
        return _membership(self._chains)

    @cached_property
    def _lexicon(self) -> tuple[Vocabulary, Floats, Matrix]:
        vocabulary = Vocabulary()
        documents = [
            " ; ".join(
                (
                    *row.terms,
                    positive_clauses(row.description_zh),
                    positive_clauses(row.description_en),
                )
            )
            for row in self.leaves
        ]
        vocabulary.counts(documents, tokens, grow=True)
        of_terms = vocabulary.counts(self._term_texts, tokens, grow=False)
        present = np.bincount(of_terms.indices, minlength=len(vocabulary))
        idf = (np.log((1 + len(self._term_texts)) / (1 + present)) + 1).astype(np.float32)
        counts = vocabulary.counts(documents, tokens, grow=False)
        return vocabulary, idf, unit_rows(times_columns(sublinear(counts), idf))

    def vectors(self, encoder: Encoder) -> tuple[Floats, Floats]:
        """Vectors of all terms, and the centre of each leaf's terms; computed once per encoder version."""
        if encoder.version not in self._vectors:
            terms = encoder.encode(self._term_texts)
            self._vectors[encoder.version] = (terms, self._centres(terms))
        return self._vectors[encoder.version]

    def _centres(self, terms: Floats) -> Floats:
        if not len(terms):
            return terms
        sums = np.add.reduceat(terms, self._starts, axis=0)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres: Floats = (sums / np.maximum(norms, 1e-9)).astype(np.float32)
        return centres

    def save(self, folder: Path, encoder: Encoder) -> None:
        """Writes the vectors; `load` of the same taxonomy and encoder finds them again."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(
            folder / f"terms-{self.fingerprint}-{encoder.version}.npy",
            self.vectors(encoder)[0].astype(np.float16),
        )

    def load(self, folder: Path, encoder: Encoder) -> bool:
        """Reads the vectors memory-mapped; False when none of this content and encoder are there."""
        path = folder / f"terms-{self.fingerprint}-{encoder.version}.npy"
        if not path.exists():
            return False
        terms = np.load(path, mmap_mode="r").astype(np.float32)
        self._vectors[encoder.version] = (terms, self._centres(terms))
        return True

    def leaf_scores(self, texts: Sequence[str], vectors: Floats, encoder: Encoder) -> Floats:
        """Likeness of each text to each leaf, shape (texts, leaves): words, centre of meaning, nearest term."""
        vocabulary, idf, documents = self._lexicon
        counts = vocabulary.counts(texts, tokens, grow=False)
        words = unit_rows(times_columns(sublinear(counts), idf)) @ documents.T
        terms, centres = self.vectors(encoder)
        nearest = np.maximum.reduceat(vectors @ terms.T, self._starts, axis=1)
        scores: Floats = words.toarray() + _MEANING * (vectors @ centres.T) + _MEANING * nearest
        return scores

    def probabilities(self, texts: Sequence[str], vectors: Floats, encoder: Encoder) -> Matrix:
        """p(leaf | text): a row per text that sums to 1 over its 12 best leaves."""
        blocks = []
        keep = min(_LEAVES_KEPT, len(self.leaves))
        for start in range(0, len(texts), _BLOCK):
            scores = self.leaf_scores(
                texts[start : start + _BLOCK], vectors[start : start + _BLOCK], encoder
            )
            best = np.sort(
                np.argsort(-np.round(scores, 5), axis=1, kind="stable")[:, :keep], axis=1
            )
            share = np.exp(
                _SHARPNESS
                * (np.take_along_axis(scores, best, 1) - scores.max(axis=1, keepdims=True))
            )
            share /= share.sum(axis=1, keepdims=True)
            count = len(scores)
            blocks.append(
                sp.csr_matrix(
                    (share.astype(np.float32).ravel(), best.ravel(), np.arange(count + 1) * keep),
                    shape=(count, len(self.leaves)),
                )
            )
        if not blocks:
            return sp.csr_matrix((0, len(self.leaves)), dtype=np.float32)
        return sp.vstack(blocks, format="csr")

    def suggest(self, text: str, encoder: Encoder, k: int = 5) -> list[Suggestion]:
        """The k most probable leaves, best first; none when the text is near to no leaf at all."""
        vector = encoder.encode([text])
        scores = self.leaf_scores([text], vector, encoder)[0]
        if scores.max() < _NEAR_ENOUGH:
            return []
        likely = self.probabilities([text], vector, encoder).toarray()[0]
        best = np.lexsort((np.arange(len(likely)), -np.round(likely, 4)))[:k]
        return [
            Suggestion(
                self.codes[leaf],
                round(float(likely[leaf]), 4),
                self._speaker(text, vector[0], leaf, encoder),
            )
            for leaf in best.tolist()
        ]

    def _speaker(self, text: str, vector: Floats, leaf: int, encoder: Encoder) -> str:
        """The term of a leaf that is nearest to a text: standing in it counts before meaning the same."""
        terms = self.leaves[leaf].terms
        start = int(self._starts[leaf])
        near = self.vectors(encoder)[0][start : start + len(terms)] @ vector
        read = normalise(text)
        return max(
            zip(near.tolist(), terms, strict=True),
            key=lambda pair: (normalise(pair[1]) in read) + pair[0],
        )[1]

    def with_given(self, probabilities: Matrix, given: Sequence[Sequence[str]]) -> Matrix:
        """Mixes in the categories an author chose, of any level: .6 of what the text says, .4 of the choice.

        A choice above the leaves is spread over its leaves as the text weighs them.
        """
        known = [[code for code in codes if code in self.by_code] for codes in given]
        if not any(known):
            return probabilities
        rows, columns, shares = [], [], []
        for row, codes in enumerate(known):
            for code in codes:
                below = self.leaves_under(code)
                if not len(below):
                    continue
                weight = np.asarray(probabilities[row, below].todense(), np.float64).ravel() + 1e-3
                rows += [row] * len(below)
                columns += below.tolist()
                shares += (weight / weight.sum() / len(codes)).tolist()
        chosen = sp.csr_matrix(
            (np.array(shares, np.float32), (rows, columns)), shape=probabilities.shape
        )
        has = np.asarray(chosen.sum(axis=1)).ravel() > 0
        keep = sp.diags(np.where(has, 1 - _GIVEN, 1.0).astype(np.float32))
        return (keep @ probabilities + _GIVEN * chosen).tocsr().astype(np.float32)

    def levels(self, probabilities: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """Unit rows by leaf, parent and chain; the cosine of two of them is the agreement at that level."""
        return (
            softened(probabilities, _SOFT),
            softened(probabilities @ self.to_parents, _SOFT),
            softened(probabilities @ self.to_chains, _SOFT),
        )


def _membership(owners: Sequence[str]) -> Matrix:
    names = {name: column for column, name in enumerate(sorted(set(owners)))}
    return sp.csr_matrix(
        (
            np.ones(len(owners), np.float32),
            (range(len(owners)), [names[owner] for owner in owners]),
        ),
        shape=(len(owners), len(names)),
    )
