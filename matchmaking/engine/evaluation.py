"""Measures of a ranking against labelled pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from matchmaking.engine.text import language_of

Grades = Mapping[str, int]
_RELEVANT = 2
_PAIR_COLUMNS = ("kind", "line", "wins", "loses", "reason")
Parsed = TypeVar("Parsed")


class MalformedLineError(ValueError):
    """A line of a benchmark that cannot be read; says which."""

    def __init__(self, path: Path, number: int, cause: object) -> None:
        super().__init__(f"{path}, line {number}: {cause}")


@dataclass(frozen=True, slots=True)
class Supplier:
    id: str
    texts: tuple[str, ...]
    categories: tuple[str, ...]
    language: str | None


@dataclass(frozen=True, slots=True)
class Query:
    id: str
    text: str
    categories: tuple[str, ...]
    noisy_categories: tuple[str, ...] | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Labelled pairs: grades[query id][supplier id] is 0 to 3."""

    suppliers: tuple[Supplier, ...]
    queries: tuple[Query, ...]
    grades: Mapping[str, Grades]

    @property
    def measured(self) -> list[int]:
        """Positions of the queries that have a relevant supplier; only these are averaged."""
        return [
            position
            for position, query in enumerate(self.queries)
            if any(grade > 0 for grade in self.grades.get(query.id, {}).values())
        ]


def read_benchmark(folder: Path) -> Benchmark:
    """Reads docs.jsonl, queries.jsonl and qrels.tsv.

    Raises
    ------
    MalformedLineError
        Names the file and the line.
    """
    suppliers = tuple(_read(folder / "docs.jsonl", _supplier))
    queries = tuple(_read(folder / "queries.jsonl", _query))
    grades: dict[str, dict[str, int]] = {}
    for query, supplier, grade in _read(folder / "qrels.tsv", _grade):
        grades.setdefault(query, {})[supplier] = grade
    return Benchmark(suppliers, queries, grades)


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """A line with a text that must win over another, and why."""

    kind: str
    line: str
    wins: str
    loses: str
    reason: str

    @property
    def languages(self) -> str:
        """Language of the line and of the text that must win, e.g. "zh-en"."""
        return f"{language_of(self.line)}-{language_of(self.wins)}"


def read_minimal_pairs(path: Path) -> list[MinimalPair]:
    """Reads a table of five columns with tabs between; its first line names them.

    Raises
    ------
    MalformedLineError
        Names the file and the line.
    """
    return [pair for pair in _read(path, _pair) if pair is not None]


def won_shares(pairs: Sequence[MinimalPair], margins: Sequence[float]) -> dict[str, Any]:
    """Share of pairs whose winner has more points than its loser, in all, by kind and by languages.

    Examples
    --------
    >>> pair = MinimalPair("short", "轴承", "深沟球轴承", "bearing steel", "A bearing is asked for.")
    >>> won_shares([pair, pair], [1.5, 0.0])
    {'pairs': 2, 'won': 0.5, 'kinds': {'short': 0.5}, 'languages': {'zh-zh': 0.5}}
    """
    won = [margin > 0 for margin in margins]
    by_kind: dict[str, list[bool]] = {}
    by_languages: dict[str, list[bool]] = {}
    for pair, right in zip(pairs, won, strict=True):
        by_kind.setdefault(pair.kind, []).append(right)
        by_languages.setdefault(pair.languages, []).append(right)
    return {
        "pairs": len(pairs),
        "won": _mean(won),
        "kinds": {kind: _mean(found) for kind, found in by_kind.items()},
        "languages": {pair: _mean(found) for pair, found in sorted(by_languages.items())},
    }


def _mean(values: Sequence[bool]) -> float:
    return round(float(np.mean(values)), 4)


def _read(path: Path, parse: Callable[[str], Parsed]) -> Iterator[Parsed]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield parse(line.decode("utf-8").rstrip("\r\n"))
            except (ValueError, KeyError, TypeError) as cause:
                raise MalformedLineError(path, number, _told(cause)) from cause


def _told(cause: Exception) -> str:
    return f"the field {cause} is missing" if isinstance(cause, KeyError) else str(cause)


def _object(line: str) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise TypeError("not a JSON object")
    return values


def _string(values: Mapping[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a text")
    return value


def _strings(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = values.get(name) or []
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise TypeError(f"{name} is not a list of texts")
    return tuple(found)


def _supplier(line: str) -> Supplier:
    values = _object(line)
    texts = _strings(values, "texts")
    if not texts:
        raise ValueError("texts is missing or empty")
    return Supplier(_string(values, "id"), texts, _strings(values, "cats"), values.get("lang"))


def _query(line: str) -> Query:
    values = _object(line)
    noisy = _strings(values, "cats_noisy") if "cats_noisy" in values else None
    return Query(
        _string(values, "id"),
        _string(values, "text"),
        _strings(values, "cats"),
        noisy,
        values.get("lang"),
    )


def _grade(line: str) -> tuple[str, str, int]:
    fields = line.split("\t")
    if len(fields) != 3:
        raise ValueError("not three fields separated by tabs")
    return fields[0], fields[1], int(fields[2])


def _pair(line: str) -> MinimalPair | None:
    fields = line.split("\t")
    if len(fields) != len(_PAIR_COLUMNS) or not all(field.strip() for field in fields):
        raise ValueError("not five filled fields separated by tabs")
    return None if tuple(fields) == _PAIR_COLUMNS else MinimalPair(*fields)


def dcg(ranking: Sequence[str], grades: Grades, depth: int = 10) -> float:
    """Discounted gain of the first `depth`: 2^grade - 1 over log2(place + 1); what nobody judged gains nothing.

    Examples
    --------
    >>> round(dcg(["a", "b"], {"b": 3}), 4)
    4.4165
    """
    return float(
        sum(
            (2 ** grades.get(name, 0) - 1) / np.log2(place + 2)
            for place, name in enumerate(ranking[:depth])
        )
    )


def ndcg(ranking: Sequence[str], grades: Grades, depth: int = 10) -> float:
    """DCG over the best that is possible, 0 to 1."""
    best = dcg(sorted(grades, key=lambda name: -grades[name]), grades, depth)
    return dcg(ranking, grades, depth) / best if best else 0.0


def recall(ranking: Sequence[str], relevant: Collection[str], depth: int = 20) -> float:
    """Share of the relevant among the first `depth`, of as many as can be there.

    Examples
    --------
    >>> recall(["a", "b", "c"], {"b", "z"}, depth=2)
    0.5
    """
    return len(set(ranking[:depth]) & set(relevant)) / min(depth, len(relevant))


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str], depth: int = 10) -> float:
    """1 over the place of the first relevant one, 0 when none is among the first `depth`."""
    return next(
        (1 / place for place, name in enumerate(ranking[:depth], 1) if name in relevant), 0.0
    )


MEASURES = ("ndcg10", "ndcg10_judged", "recall20", "mrr10", "cross_language_ndcg10")


@dataclass(slots=True)
class Measures:
    """Collects one ranking after the other; each mean is over the queries that the measure applies to.

    Attributes
    ----------
    values
        Each measure as a list, in the order of the queries.
    lines
        The same by the id of the query.
    pairs
        Measures by languages ("zh-en": of the line and of the answers that count) as lists.
    """

    benchmark: Benchmark
    values: dict[str, list[float]] = field(default_factory=dict)
    lines: dict[str, dict[str, float]] = field(default_factory=dict)
    pairs: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    _spoken: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._spoken = {
            supplier.id: supplier.language or language_of(supplier.texts[0])
            for supplier in self.benchmark.suppliers
        }

    def add(self, query: Query, ranking: Sequence[str]) -> None:
        grades = self.benchmark.grades.get(query.id, {})
        found = {
            "ndcg10": ndcg(ranking, grades),
            "ndcg10_judged": ndcg([name for name in ranking if name in grades], grades),
            **_found(ranking, grades),
        }
        foreign = self._foreign(query, grades)
        if any(grade >= _RELEVANT for grade in foreign.values()):
            found["cross_language_ndcg10"] = ndcg(ranking, foreign)
        self.lines[query.id] = found
        for name, value in found.items():
            self.values.setdefault(name, []).append(value)
        self._note_pairs(query, ranking, grades)

    def _note_pairs(self, query: Query, ranking: Sequence[str], grades: Grades) -> None:
        asked = query.language or language_of(query.text)
        by_language: dict[str, dict[str, int]] = {}
        for name, grade in grades.items():
            by_language.setdefault(self._spoken.get(name, ""), {})[name] = grade
        for language, own in by_language.items():
            if all(grade < _RELEVANT for grade in own.values()):
                continue
            judged = [name for name in ranking if name in own]
            figures = {
                "ndcg10": ndcg(ranking, own),
                "ndcg10_judged": ndcg(judged, own),
                **_found(ranking, own),
            }
            noted = self.pairs.setdefault(f"{asked}-{language}", {})
            for name, value in figures.items():
                noted.setdefault(name, []).append(value)

    def _foreign(self, query: Query, grades: Grades) -> Grades:
        if query.language is None:
            return {}
        languages = {
            supplier.id: supplier.language
            for supplier in self.benchmark.suppliers
            if supplier.id in grades
        }
        return {
            name: grade
            for name, grade in grades.items()
            if languages.get(name) not in (None, query.language)
        }

    def means(self) -> dict[str, float | None]:
        return {
            name: float(np.mean(self.values[name])) if name in self.values else None
            for name in MEASURES
        }


def _found(ranking: Sequence[str], grades: Grades) -> dict[str, float]:
    relevant = {name for name, grade in grades.items() if grade >= _RELEVANT}
    if not relevant:
        return {}
    return {"recall20": recall(ranking, relevant), "mrr10": reciprocal_rank(ranking, relevant)}
