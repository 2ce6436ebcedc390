"""What a set of labelled pairs says about the engine, as Markdown for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matchmaking.engine.evaluation import MEASURES, Benchmark, Grades, Measures, Query
from matchmaking.engine.types import Reason, Scored

WORST = 20
_SHOWN = 3
_TITLES = {
    "ndcg10": "nDCG@10",
    "ndcg10_judged": "judged only",
    "recall20": "recall@20",
    "mrr10": "MRR@10",
    "cross_language_ndcg10": "other language",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
# What these lines are about: nothing is asked of place or conditions, and nobody is advised.
_TOLD = ("text", "category")
Explain = Callable[[Query, int], Scored | None]


@dataclass(frozen=True, slots=True)
class Proposals:
    """Categories proposed for lines whose authors chose one of the tree's, and the processor time of each line."""

    firsts: Sequence[bool]
    fives: Sequence[bool]
    milliseconds: Sequence[float]


@dataclass(frozen=True, slots=True)
class Section:
    """One set, ranked: its measures and, for the worst lines, all suppliers in the order they were put in."""

    name: str
    category: str
    benchmark: Benchmark
    measures: Measures
    rankings: Mapping[str, Sequence[int]]
    explain: Explain
    proposals: Proposals | None = None


def worst(measures: Measures, count: int = WORST) -> list[str]:
    """Ids of the lines of the lowest nDCG@10, the lowest first; equal ones in the order of the set."""
    place = {line: number for number, line in enumerate(measures.lines)}
    return sorted(measures.lines, key=lambda line: (measures.lines[line]["ndcg10"], place[line]))[
        :count
    ]


def markdown(
    sections: Sequence[Section],
    comparisons: Mapping[str, Mapping[str, Mapping[str, Any]]],
    about: Sequence[str],
    sentence: Callable[[Reason], str],
) -> str:
    """The whole report. `comparisons` by what was compared; `sentence` puts a reason into words."""
    out = ["# How well lines find their suppliers", "", *(f"- {plain(fact)}" for fact in about), ""]
    for section in sections:
        out += _set(section, sentence)
    for title, table in comparisons.items():
        out += _comparison(title, table)
    return "\n".join(out).rstrip() + "\n"


def plain(text: str) -> str:
    """A text that stays as it is in Markdown, on one line.

    >>> plain("EVA *film*,\\n0.5 mm")
    'EVA \\\\*film\\\\*, 0.5 mm'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _set(section: Section, sentence: Callable[[Reason], str]) -> Iterator[str]:
    measures = section.measures
    yield f"## {plain(section.name)}"
    yield ""
    yield (
        f"{len(measures.lines)} lines, {len(section.benchmark.suppliers)} suppliers, "
        f"category told: {section.category}."
    )
    yield ""
    yield "| line → supplier | lines | " + " | ".join(_TITLES.values()) + " |"
    yield "|---|" + "---:|" * (1 + len(_TITLES))
    yield _row("all", measures.values)
    for pair, values in sorted(measures.pairs.items()):
        yield _row(" → ".join(pair.split("-")), values)
    yield ""
    yield "A pair of languages counts only the answers in that language: all others gain nothing."
    yield ""
    if section.proposals is not None:
        yield from _proposals(section.proposals)
    lines = worst(measures)
    yield f"### The {len(lines)} worst lines"
    yield ""
    queries = {query.id: query for query in section.benchmark.queries}
    for line in lines:
        yield from _line(section, queries[line], sentence)


def _proposals(found: Proposals) -> Iterator[str]:
    middle, slow = np.quantile(found.milliseconds, [0.5, 0.95])
    yield (
        f"Categories proposed while one types ({len(found.fives)} lines): its author's among the first five for "
        f"{np.mean(found.fives):.1%}, first for {np.mean(found.firsts):.1%}; "
        f"{middle:.1f} ms of processor time a line, {slow:.1f} ms at the 95th of 100."
    )
    yield ""


def _row(name: str, values: Mapping[str, Sequence[float]]) -> str:
    means = (
        f"{np.mean(values[measure]):.3f}" if values.get(measure) else "–" for measure in MEASURES
    )
    return f"| {name} | {len(values['ndcg10'])} | " + " | ".join(means) + " |"


def _line(section: Section, query: Query, sentence: Callable[[Reason], str]) -> Iterator[str]:
    grades = section.benchmark.grades.get(query.id, {})
    ranking = section.rankings[query.id]
    ids = [section.benchmark.suppliers[position].id for position in ranking]
    place = {name: number for number, name in enumerate(ids, 1)}
    missing = sorted(
        (name for name in place if grades.get(name, 0) > 0 and place[name] > _SHOWN),
        key=lambda name: (-grades[name], place[name]),
    )
    yield f"#### {plain(query.text)}"
    yield ""
    told = ", ".join(query.categories) or "none"
    yield (
        f"`{query.id}` · nDCG@10 {section.measures.lines[query.id]['ndcg10']:.3f}, "
        f"judged only {section.measures.lines[query.id]['ndcg10_judged']:.3f} · "
        f"its author's category: {plain(told)}"
    )
    yield ""
    yield "Put first:"
    yield ""
    for name in ids[:_SHOWN]:
        yield from _supplier(section, query, name, place[name], grades, sentence)
    yield ""
    yield "Should have stood there:" if missing else "All that was judged to fit stands there."
    yield ""
    for name in missing[:_SHOWN]:
        yield from _supplier(section, query, name, place[name], grades, sentence)
    if missing:
        yield ""


def _supplier(
    section: Section,
    query: Query,
    name: str,
    place: int,
    grades: Grades,
    sentence: Callable[[Reason], str],
) -> Iterator[str]:
    position = section.rankings[query.id][place - 1]
    supplier = section.benchmark.suppliers[position]
    judged = f"grade {grades[name]}" if name in grades else "not judged"
    scored = section.explain(query, position)
    if scored is None:
        return
    parts = ", ".join(
        f"{part.name} {part.tenths / 10:g} of {part.max_tenths / 10:g}"
        for part in scored.parts
        if part.max_tenths
    )
    yield f"- place {place}, {judged}: {plain(supplier.texts[scored.text])} (`{name}`)"
    yield f"  - {scored.tenths / 10:g} points: {parts}"
    for reason in scored.reasons:
        if reason.code.partition(".")[0] in _TOLD:
            yield f"  - {reason.tone}: {plain(sentence(reason))}"


def _comparison(title: str, table: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {plain(title)}"
    yield ""
    yield "| measure | lines | this | other | difference | 95 % interval | better | worse |"
    yield "|---|" + "---:|" * 7
    for measure, row in table.items():
        yield (
            f"| {_TITLES[measure]} | {row['lines']} | {row['this']:.4f} | {row['other']:.4f} | "
            f"{row['difference']:+.4f} | {interval(row)} | {row['better']} | {row['worse']} |"
        )
    yield ""


def interval(row: Mapping[str, Any]) -> str:
    """The interval of one row of a comparison in words; a dash where there are too few lines for one.

    >>> interval({"low": -0.01, "high": 0.02})
    '[-0.0100, +0.0200]'
    """
    return "–" if row["low"] is None else f"[{row['low']:+.4f}, {row['high']:+.4f}]"
