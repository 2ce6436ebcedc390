"""The category tree as a classifier: which leaf a text speaks of, and the term that says so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import scipy.sparse as sp

from matchmaking.engine.encoder import directions
from matchmaking.engine.reading import aim
from matchmaking.engine.sparse import (
    Floats,
    Ints,
    Matrix,
    Vocabulary,
    csr,
    product,
    row_sums,
    softened,
    sublinear,
    times_columns,
    times_rows,
    total,
    unit_rows,
    with_all,
    with_data,
)
from matchmaking.engine.tails import Tails
from matchmaking.engine.text import asserted, language_of, normalise, written_tokens
from matchmaking.engine.typed import Knows, Spelling, has_strange_words, spell
from matchmaking.engine.types import Encoder

# The clause of a description that says what a category is not would speak for it.
_EXCLUSION = re.compile(
    r"(?:[,;；，(（]\s*)?(?:\b(?:but |are |is |and )?not\b|\bexcluding\b|\bexcludes?\b|\bexcept\b|不是|不含|不包括|除外|不属于|非指|而非).*?(?=[;；。]|$)",
    re.IGNORECASE,
)
_PARTS = ("data", "indices", "indptr")
_LEAVES_KEPT = 12
_SHARPNESS = 8.0
# Of as many known tokens on, characters and pairs of them too, the likest term counts less and less.
_NAMED, _LONG = 0.35, 40.0
_MEANING = np.float32(0.5)
_GIVEN = 0.4
_SOFT = 0.7
_BLOCK = 1000
_COARSE = 192
_LOOKED_AT = 60
# So much of the likeness to the centre of a leaf stands for that to its nearest term where nobody looks: measured, the
# share that comes nearest to looking at all.
_SUPPOSED = np.float32(0.8)
_NEAR_IN_MEANING = 20
_FITS_NOTHING = 0.2
_FEW_TERMS = 1000
# Of words of two languages that are each other's nearest in a leaf, from here on hardly one in ten means another thing.
_SAME_WORD = 0.7


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
    """A leaf, how probable it is among all leaves (0 to 1), the term of it that is nearest to the text, and how
    probable it is that any leaf fits."""

    code: str
    probability: float
    term: str
    fit: float = 1.0


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
        bounds = np.cumsum([0, *(len(row.terms) for row in self.leaves)]).tolist()
        self._starts = np.array(bounds[:-1], np.int64)
        self._lengths = np.array([len(row.terms) for row in self.leaves], np.int64)
        self._leaf_of_term = np.repeat(np.arange(len(self.leaves)), self._lengths)
        self._term_rows = [np.arange(*ends) for ends in pairwise(bounds)]
        self._under: dict[str, Ints] = {}
        self._vectors: dict[str, tuple[Floats, Floats]] = {}
        self._bases: dict[str, Floats] = {}
        self._coarse_terms: dict[str, Floats] = {}

    def _ancestor(self, row: CategoryRow, level: int) -> str:
        while row.level > level and row.parent is not None and row.parent in self.by_code:
            row = self.by_code[row.parent]
        return row.code

    @cached_property
    def fingerprint(self) -> str:
        """Changes with any word of any category; an index built with another one is stale."""
        names = [field.name for field in fields(CategoryRow)]
        rows = [{name: getattr(row, name) for name in names} for row in self.rows]
        return hashlib.sha256(
            json.dumps(rows, sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()[:16]

    @cached_property
    def _spelled(self) -> list[str]:
        return [normalise(term) for term in self._term_texts]

    @cached_property
    def _syllables(self) -> list[str]:
        return spell(self._term_texts)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling([row.terms for row in self.leaves], self._syllables)

    def as_meant(self, text: str, says: Knows | None = None, *, typing: bool = False) -> str:
        """The text with words of the categories in place of their pinyin, and of slips where it is known what the texts
        on offer say: without them every word of another trade would be a slip."""
        columns = self._lexicon[0].columns

        def knows(word: str) -> bool:
            return word in columns or (says is not None and says(word))

        if not has_strange_words(text, knows):
            return text
        return self._spelling.read(text, knows, mending=says is not None, typing=typing)

    def terms(self, code: str) -> dict[str, tuple[str, ...]]:
        """The words of a category by language, the name first."""
        row = self.by_code[code]
        return {"zh": (row.name_zh, *row.synonyms_zh), "en": (row.name_en, *row.synonyms_en)}

    def translations(self, code: str, encoder: Encoder) -> frozenset[tuple[str, str]]:
        """Words of a leaf, Chinese and English, that mean the same: its two names, and those of which each is the
        nearest that the other has. Other words of one leaf are only of one kind: SBR and NBR."""
        row, leaf = self.by_code[code], self.position[code]
        vectors = self.vectors(encoder)[0][self._term_rows[leaf]]
        chinese, english = self.terms(code)["zh"], self.terms(code)["en"]
        # In the order of `terms`: both names, then the words of either language.
        count = len(row.synonyms_zh)
        zh = vectors[[0, *range(2, 2 + count)]]
        en = vectors[[1, *range(2 + count, len(vectors))]]
        near = np.round(zh @ en.T, 4)
        found = {(row.name_zh, row.name_en)}
        for place, word in enumerate(chinese):
            other = int(near[place].argmax())
            if near[place, other] >= _SAME_WORD and int(near[:, other].argmax()) == place:
                found.add((word, english[other]))
        return frozenset((normalise(one), normalise(other)) for one, other in found)

    def leaves_under(self, code: str) -> Ints:
        """Positions of the leaves at or below a category of any level; empty for an unknown code."""
        if code not in self._under:
            found = [
                code in above for above in zip(self.codes, self._parents, self._chains, strict=True)
            ]
            self._under[code] = np.flatnonzero(found).astype(np.int64)
        return self._under[code]

    @cached_property
    def to_parents(self) -> Matrix:
        return _membership(self._parents)

    @cached_property
    def to_chains(self) -> Matrix:
        return _membership(self._chains)

    @cached_property
    def _lexicon(self) -> tuple[Vocabulary, Floats, Matrix, Matrix]:
        """Words of the tree, how rare each is among its terms, and all leaves and all terms as columns of words."""
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
        counts = vocabulary.counts(documents, written_tokens, grow=True)
        of_terms = vocabulary.counts(self._term_texts, written_tokens, grow=False)
        present = np.bincount(of_terms.indices, minlength=len(vocabulary))
        idf = (np.log((1 + len(self._term_texts)) / (1 + present)) + 1).astype(np.float32)
        return vocabulary, idf, _as_columns(counts, idf), _as_columns(of_terms, idf)

    def vectors(self, encoder: Encoder) -> tuple[Floats, Floats]:
        """Vectors of all terms, and the centre of each leaf's terms; computed once per encoder version."""
        if encoder.version not in self._vectors:
            terms = encoder.encode(self._term_texts)
            self._vectors[encoder.version] = (terms, self._centres(terms))
        return self._vectors[encoder.version]

    def has_vectors(self, encoder: Encoder) -> bool:
        return encoder.version in self._vectors

    def basis(self, encoder: Encoder) -> Floats:
        """Directions in which the vectors of all terms differ most: coarse vectors for a first search.

        They depend on the tree alone, so that a changed offer leaves them as they are.
        """
        if encoder.version not in self._bases:
            terms = self.vectors(encoder)[0]
            if len(terms) < _FEW_TERMS:
                # Too few to know the directions: nothing is left out.
                basis = np.eye(terms.shape[1], dtype=np.float32)
            else:
                basis = directions(terms, _COARSE)
            self._bases[encoder.version] = basis
            self._coarse_terms[encoder.version] = terms @ basis
        return self._bases[encoder.version]

    def _centres(self, terms: Floats) -> Floats:
        if not len(terms):
            return terms
        sums = np.add.reduceat(terms, self._starts, axis=0)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres: Floats = (sums / np.maximum(norms, 1e-9)).astype(np.float32)
        return centres

    def save(self, folder: Path, encoder: Encoder) -> None:
        """Writes vectors and word counts of all terms, and what is reckoned from them; `load` of the same taxonomy and encoder finds them again."""
        folder.mkdir(parents=True, exist_ok=True)
        path = self._file(folder, encoder)
        if path.exists():
            return
        vocabulary, idf, documents, terms = self._lexicon
        draft = path.with_name(f".{uuid4().hex}.npz")
        np.savez(
            draft,
            vectors=self.vectors(encoder)[0].astype(np.float16),
            basis=self.basis(encoder),
            coarse=self._coarse_terms[encoder.version],
            centres=self.vectors(encoder)[1],
            words=np.frombuffer("\n".join(vocabulary.columns).encode(), np.uint8),
            syllables=np.frombuffer("\n".join(self._syllables).encode(), np.uint8),
            idf=idf,
            **{part: getattr(documents, part) for part in _PARTS},
            **{f"terms_{part}": getattr(terms, part) for part in _PARTS},
        )
        draft.replace(path)

    def load(self, folder: Path, encoder: Encoder) -> bool:
        """Reads what `save` wrote; False when none of this content and encoder is there."""
        path = self._file(folder, encoder)
        if not path.exists():
            return False
        with np.load(path) as kept:
            vectors, spoken = kept["vectors"].astype(np.float32), kept["words"].tobytes().decode()
            basis, coarse, centres = kept["basis"], kept["coarse"], kept["centres"]
            syllables = kept["syllables"].tobytes().decode()
            idf, of_leaves = kept["idf"], tuple(kept[part] for part in _PARTS)
            of_terms = tuple(kept[f"terms_{part}"] for part in _PARTS)
        vocabulary = Vocabulary(spoken.split("\n") if spoken else ())
        documents = sp.csr_matrix(of_leaves, shape=(len(vocabulary), len(self.leaves)))
        terms = sp.csr_matrix(of_terms, shape=(len(vocabulary), len(self._term_texts)))
        # Where cached_property looks.
        self.__dict__["_lexicon"] = (vocabulary, idf, documents, terms)
        self.__dict__["_syllables"] = syllables.split("\n")
        self._vectors[encoder.version] = (vectors, centres)
        self._bases[encoder.version] = basis
        self._coarse_terms[encoder.version] = coarse
        return True

    def _file(self, folder: Path, encoder: Encoder) -> Path:
        return folder / f"tree-{self.fingerprint}-{encoder.version}.npz"

    def leaf_scores(self, texts: Sequence[str], vectors: Floats, encoder: Encoder) -> Floats:
        """Likeness of each text to each leaf, shape (texts, leaves): words of the whole and of the likest term, centre
        of meaning, nearest term."""
        counts = self._counts(texts)
        spoken = self._spoken(counts)
        said = self._said(spoken) + self._named(counts, spoken)
        return self._scores(said, vectors, encoder)

    def _counts(self, texts: Sequence[str]) -> Matrix:
        return self._lexicon[0].counts(texts, written_tokens, grow=False)

    def _spoken(self, counts: Matrix) -> Matrix:
        return unit_rows(times_columns(sublinear(counts), self._lexicon[1]))

    def _said(self, spoken: Matrix) -> Floats:
        """Likeness in words to all that is said of each leaf."""
        said: Floats = product(spoken, self._lexicon[2]).toarray()
        return said

    def _named(self, counts: Matrix, spoken: Matrix) -> Floats:
        """Likeness in words to the likest term of each leaf: of a leaf with many terms each fills a small part only.

        It counts less in a page, which has a word of many leaves.
        """
        shared = product(spoken, self._lexicon[3])
        text = np.repeat(np.arange(shared.shape[0]), np.diff(shared.indptr))
        likest = np.zeros((shared.shape[0], len(self.leaves)), np.float32)
        place = text * len(self.leaves) + self._leaf_of_term[shared.indices]
        np.maximum.at(likest.ravel(), place, shared.data)
        share = _NAMED * np.minimum(1, _LONG / np.maximum(row_sums(counts.data, counts.indptr), 1))
        named: Floats = (share[:, None] * likest).astype(np.float32)
        return named

    def _nearest(self, vectors: Floats, encoder: Encoder) -> Floats:
        """Coarse likeness to the nearest term of each leaf."""
        basis = self.basis(encoder)
        coarse = with_all(vectors @ basis, self._coarse_terms[encoder.version])
        nearest: Floats = np.maximum.reduceat(coarse, self._starts, axis=1)
        return nearest

    def _scores(self, said: Floats, vectors: Floats, encoder: Encoder) -> Floats:
        terms, centres = self.vectors(encoder)
        near = vectors @ centres.T
        nearest = _SUPPOSED * near
        scores: Floats = (said + _MEANING * near).astype(np.float32, copy=False)
        self._look_closely(nearest, scores, vectors, terms)
        scores += _MEANING * nearest
        return scores

    def _look_closely(
        self, nearest: Floats, others: Floats, vectors: Floats, terms: Floats
    ) -> None:
        """Replaces what is supposed of the nearest term by what is true in the most promising leaves."""
        keep = min(_LOOKED_AT, len(self.leaves))
        promising = np.argpartition(-(others + _MEANING * nearest), keep - 1, axis=1)[:, :keep]
        # By leaf: its terms stand together, and many texts look at the same.
        order = np.argsort(promising, axis=None, kind="stable")
        leaf, text = promising.ravel()[order], order // keep
        lengths = self._lengths[leaf]
        starts = np.cumsum(lengths) - lengths
        near = np.empty(lengths.sum(), np.float32)
        fresh = np.flatnonzero(np.diff(leaf, prepend=-1)).tolist()
        for first, last in pairwise([*fresh, len(leaf)]):
            asked = vectors[text[first:last]]
            own = slice(self._starts[leaf[first]], self._starts[leaf[first]] + lengths[first])
            out = near[starts[first] :][: len(asked) * lengths[first]]
            np.matmul(asked, terms[own].T, out=out.reshape(len(asked), -1))
        nearest[text, leaf] = np.maximum.reduceat(near, starts)

    def probabilities(self, texts: Sequence[str], vectors: Floats, encoder: Encoder) -> Matrix:
        """p(leaf | text): a row per text that sums to 1 over its 12 best leaves."""
        if not texts or not self.leaves:
            return sp.csr_matrix((len(texts), len(self.leaves)), dtype=np.float32)
        blocks = []
        for start in range(0, len(texts), _BLOCK):
            block = slice(start, start + _BLOCK)
            blocks.append(_shares(self.leaf_scores(texts[block], vectors[block], encoder)))
        return blocks[0] if len(blocks) == 1 else sp.vstack(blocks, format="csr")

    def suggest(
        self, text: str, encoder: Encoder, k: int = 5, least_fit: float = _FITS_NOTHING
    ) -> list[Suggestion]:
        """The k most probable leaves, best first; none when probably no leaf at all fits."""
        return self.views(text, encoder, k, least_fit)[0]

    def views(
        self, text: str, encoder: Encoder, k: int, least_fit: float
    ) -> tuple[list[Suggestion], list[Suggestion]]:
        """The k most probable leaves, and the k whose term is nearest in meaning to what the text asks for (none without
        an encoder); both empty when probably no leaf at all fits."""
        if not self.leaves:
            return [], []
        scores, [fit], vectors = self._weighed([text], encoder)
        if fit < least_fit:
            return [], []
        [nearest] = self._nearest(vectors[-1:], encoder)
        by_meaning = nearest.argsort(kind="stable")[::-1][:_NEAR_IN_MEANING]
        if not vectors[-1].any():
            by_meaning = by_meaning[:0]  # without an encoder nothing is near
        likely = _shares(scores).toarray()[0]
        best = _best(likely, k)
        speakers = [self._speaker(text, vectors[0], leaf, encoder) for leaf in best.tolist()]
        near = [
            (leaf, *self._nearest_term(text, vectors[-1], leaf, encoder))
            for leaf in by_meaning.tolist()
        ]
        near.sort(key=lambda one: (-one[1], one[0]))
        return (
            [
                Suggestion(self.codes[leaf], round(float(likely[leaf]), 4), term, fit)
                for leaf, term in zip(best.tolist(), speakers, strict=True)
                if likely[leaf] > 0
            ],
            [Suggestion(self.codes[leaf], 0.0, term, fit) for leaf, _, term in near[:k]],
        )

    def likely(
        self, texts: Sequence[str], encoder: Encoder, k: int = 5
    ) -> list[list[tuple[str, float]]]:
        """What `suggest` says of each of many texts, without the terms that say so: codes with their probabilities."""
        if not self.leaves:
            return [[] for _ in texts]
        found = []
        for start in range(0, len(texts), _BLOCK):
            scores, fits, _ = self._weighed(texts[start : start + _BLOCK], encoder)
            found += [
                [
                    (self.codes[leaf], round(float(likely[leaf]), 4))
                    for leaf in _best(likely, k).tolist()
                    if fit >= _FITS_NOTHING and likely[leaf] > 0
                ]
                for likely, fit in zip(_shares(scores).toarray(), fits, strict=True)
            ]
        return found

    def _weighed(
        self, texts: Sequence[str], encoder: Encoder
    ) -> tuple[Floats, list[float], Floats]:
        """Of each text the scores of all leaves and the probability that any fits; and the vectors, first of the texts,
        then of what else they ask for."""
        # What it asks for counts twice: the rest names what that is for.
        asked = [asked_in(text) for text in texts]
        read = list(dict.fromkeys((*texts, *asked)))
        place = {text: row for row, text in enumerate(read)}
        whole, aims = [place[text] for text in texts], [place[text] for text in asked]
        vectors = encoder.encode(read)
        counts = self._counts(read)
        spoken = self._spoken(counts)
        said = self._said(spoken)
        by_text = self._scores(said, vectors, encoder)
        scores: Floats = np.mean((by_text[whole], by_text[aims]), axis=0)
        scores += self._named(counts[whole], spoken[whole])
        words = np.asarray(counts[whole].sum(axis=1)).ravel()
        fits = [
            self._fit(known, len(written_tokens(text)), said[row, by_text[row].argmax()])
            for text, row, known in zip(texts, whole, words, strict=True)
        ]
        return scores, fits, vectors

    def _nearest_term(
        self, text: str, vector: Floats, leaf: int, encoder: Encoder
    ) -> tuple[float, str]:
        """How near the nearest term of a leaf is, and the nearest of those that a reader of the text can read."""
        near = np.round(self.vectors(encoder)[0][self._term_rows[leaf]] @ vector, 4)
        terms, language = self.leaves[leaf].terms, language_of(text)
        own = [place for place, term in enumerate(terms) if language_of(term) == language]
        return float(near.max()), terms[max(own or range(len(terms)), key=near.__getitem__)]

    @staticmethod
    def _fit(known: float, total: int, said: float) -> float:
        """Probability that any leaf fits, from the words alone.

        How near a text is in meaning tells nothing here: what lies outside the tree is as near to its nearest leaf
        as what lies inside. Fitted on lines of trade against goods and services of all kinds (AUC .90).
        """
        if not total:
            return 0.0
        return float(1 / (1 + np.exp(-(14.9 * said - 5.5 * (1 - known / total) + 0.5))))

    def _speaker(self, text: str, vector: Floats, leaf: int, encoder: Encoder) -> str:
        """The term of a leaf that is nearest to a text: standing in it counts before its language, and that before
        meaning the same."""
        terms = self.leaves[leaf].terms
        start = int(self._starts[leaf])
        near = self.vectors(encoder)[0][start : start + len(terms)] @ vector
        read, language = normalise(text), language_of(text)
        spelled = self._spelled[start : start + len(terms)]
        worth = [
            (_stands_in(word, read), language_of(word) == language, like)
            for word, like in zip(spelled, near.tolist(), strict=True)
        ]
        return terms[worth.index(max(worth))]

    @cached_property
    def tails(self) -> Tails:
        return Tails([row.terms for row in self.leaves])

    def with_given(self, probabilities: Matrix, given: Sequence[Sequence[str]]) -> Matrix:
        """Mixes in the categories an author chose, of any level: .6 of what the text says, .4 of the choice.

        A choice above the leaves is spread over its leaves as the text weighs them.
        """
        known = [[code for code in codes if code in self.by_code] for codes in given]
        if not any(known):
            return probabilities
        columns, shares, lengths = [], [np.empty(0)], []
        own = np.zeros(probabilities.shape[1])
        bounds = probabilities.indptr.tolist()
        for row, codes in enumerate(known):
            read = slice(bounds[row], bounds[row + 1])
            own[probabilities.indices[read]] = probabilities.data[read]
            below = [self.leaves_under(code) for code in codes]
            for leaves in below:
                weight = own[leaves] + 1e-3
                shares.append(weight / weight.sum() / len(codes))
            columns += below
            lengths.append(sum(map(len, below)))
            own[probabilities.indices[read]] = 0
        chosen = csr(
            np.concatenate(shares).astype(np.float32),
            np.concatenate([np.empty(0, np.int64), *columns]),
            np.append(0, np.cumsum(lengths)),
            probabilities.shape,
        )
        # Two codes of one text may have leaves in common.
        chosen.sum_duplicates()
        keep = np.where(np.array(lengths) > 0, 1 - _GIVEN, 1.0).astype(np.float32)
        return total(times_rows(probabilities, keep), with_data(chosen, _GIVEN * chosen.data))

    def levels(self, probabilities: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """Unit rows by leaf, parent and chain; the cosine of two of them is the agreement at that level."""
        return (
            softened(probabilities, _SOFT),
            softened(product(probabilities, self.to_parents), _SOFT),
            softened(product(probabilities, self.to_chains), _SOFT),
        )


def _best(likely: Floats, k: int) -> Ints:
    """The k most probable leaves; of equal ones the first."""
    best: Ints = np.lexsort((np.arange(len(likely)), -np.round(likely, 4)))[:k]
    return best


def _shares(scores: Floats) -> Matrix:
    count, leaves = scores.shape
    keep = min(_LEAVES_KEPT, leaves)
    rounded = np.round(scores, 5)
    least = np.partition(rounded, leaves - keep, axis=1)[:, leaves - keep, None]
    chosen = rounded > least
    # Of equal ones the first.
    level = rounded == least
    chosen |= level & (np.cumsum(level, axis=1) <= keep - chosen.sum(axis=1, keepdims=True))
    best = np.nonzero(chosen)[1].reshape(count, keep)
    likely = np.take_along_axis(scores, best, 1)
    share = np.exp(_SHARPNESS * (likely - likely.max(axis=1, keepdims=True)))
    share /= share.sum(axis=1, keepdims=True)
    return csr(
        share.astype(np.float32).ravel(), best.ravel(), np.arange(count + 1) * keep, scores.shape
    )


def asked_in(text: str) -> str:
    """What a line asks for, without what that is for.

    Examples
    --------
    >>> asked_in("加氢站用隔膜压缩机，90MPa"), asked_in("轴承")
    ('隔膜压缩机，90MPa', '轴承')
    """
    return " ".join(aim(asserted(text))[0].split())


def _stands_in(word: str, text: str) -> bool:
    """Whether a text has a word, be it in the plural; a Latin one is no part of another ("AC" of "machine")."""
    if word not in text:
        return False
    if not word.isascii():
        return True
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?:e?s)?(?![a-z0-9])", text) is not None


def _as_columns(counts: Matrix, idf: Floats) -> Matrix:
    return unit_rows(times_columns(sublinear(counts), idf)).T.tocsr()


def _membership(owners: Sequence[str]) -> Matrix:
    names = {name: column for column, name in enumerate(sorted(set(owners)))}
    return sp.csr_matrix(
        (
            np.ones(len(owners), np.float32),
            (range(len(owners)), [names[owner] for owner in owners]),
        ),
        shape=(len(owners), len(names)),
    )
