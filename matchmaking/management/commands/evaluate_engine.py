from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

import chains
from matchmaking.engine import ENGINE_VERSION, proposals
from matchmaking.engine.comparison import ForeignResultError, Result, compare
from matchmaking.engine.encoder import NoEncoder, UniversalSentenceEncoder
from matchmaking.engine.evaluation import (
    Benchmark,
    MalformedLineError,
    Measures,
    MinimalPair,
    Query,
    read_benchmark,
    read_minimal_pairs,
    won_shares,
)
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.pairs import Pairs
from matchmaking.engine.report import Proposals, Section, interval, markdown, worst
from matchmaking.engine.scoring import Ranker
from matchmaking.engine.similarity import likeness
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.text import language_of
from matchmaking.engine.types import Encoder, Need, Offer, OfferText, Scored
from matchmaking.engine.units import Units
from matchmaking.engine.weights import WEIGHTING_1, Weights
from matchmaking.templatetags import reasons

_QUERIES_AT_ONCE = 100
SHIPPED_TAXONOMY = Path(chains.__file__).parent / "reference" / "categories.json"


class Command(BaseCommand):
    help = "Ranks the suppliers of a folder of labelled pairs and prints how good the order is. Reads no database."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, help="holds docs.jsonl, queries.jsonl and qrels.tsv"
        )
        parser.add_argument(
            "--taxonomy", type=Path, default=SHIPPED_TAXONOMY, help="categories as JSON"
        )
        parser.add_argument(
            "--category",
            choices=("cats", "cats_noisy", "none"),
            default="none",
            help="the category that the engine is told with each line (default: none)",
        )
        parser.add_argument(
            "--no-embedding", action="store_true", help="rank by words and categories alone"
        )
        parser.add_argument(
            "--pairs",
            type=Path,
            help="minimal pairs (see golden/README.md): also print the share that is won",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--report", type=Path, help="also write the measures and the worst lines as Markdown"
        )
        parser.add_argument(
            "--also",
            type=Path,
            nargs="+",
            default=[],
            metavar="FOLDER",
            help="further sets for the report",
        )
        parser.add_argument(
            "--save", type=Path, help="also write the measures of each line, to compare with later"
        )
        parser.add_argument(
            "--against",
            type=Path,
            nargs="+",
            default=[],
            metavar="FILE",
            help="compare line by line with a result that --save wrote, or with the weights in a JSON object;"
            " of two files the first is compared with the second",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        read = _read(options)
        encoder: Encoder = NoEncoder() if options["no_embedding"] else UniversalSentenceEncoder()
        evaluations = (
            Evaluation(name, benchmark, read.taxonomy, encoder, options["category"])
            for name, benchmark in read.sets.items()
        )
        first = next(evaluations)
        shares = None
        if read.pairs:
            led = margins(read.pairs, index_of(read.pairs, read.taxonomy, encoder))
            shares = won_shares(read.pairs, led)
        compared = self._compared(first, read.rivals)
        try:
            if options["save"]:
                options["save"].write_text(first.result().to_json(), "utf-8")
            if options["report"]:
                text = report([first, *evaluations], compared, read.taxonomy, encoder)
                options["report"].write_text(text, "utf-8")
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written: {error.strerror}") from error
        self._tell(first.told, shares, compared, as_json=options["json"])

    def _tell(
        self,
        result: dict[str, Any],
        shares: dict[str, Any] | None,
        compared: Mapping[str, Mapping[str, Mapping[str, Any]]],
        *,
        as_json: bool,
    ) -> None:
        if as_json:
            told = result if shares is None else {**result, "minimal_pairs": shares}
            self.stdout.write(json.dumps({**told, "against": compared} if compared else told))
            return
        for name, value in result.items():
            self.stdout.write(f"{name:24s}{'-' if value is None else value}")
        if shares is not None:
            rows = {"minimal_pairs": shares["pairs"], "won": shares["won"]}
            for name, value in {**rows, **shares["languages"], **shares["kinds"]}.items():
                self.stdout.write(f"{name:24s}{value}")
        for title, table in compared.items():
            self.stdout.write(title)
            for name, row in table.items():
                self.stdout.write(
                    f"{name:24s}{row['this']:.4f} against {row['other']:.4f}: {row['difference']:+.4f}"
                    f" {interval(row)}, better {row['better']}, worse {row['worse']}"
                )

    @staticmethod
    def _compared(
        evaluation: Evaluation, rivals: Sequence[Rival]
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """By its title; empty when nothing is to be compared."""
        if not rivals:
            return {}
        results = [rival.result or evaluation.result(rival.weights, rival.name) for rival in rivals]
        this, other = results if len(results) == 2 else (evaluation.result(), results[0])
        try:
            return {f"{this.name} against {other.name}": compare(this, other)}
        except ForeignResultError as error:
            raise CommandError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Read:
    """All that the files hold."""

    sets: dict[str, Benchmark]
    taxonomy: Taxonomy
    pairs: list[MinimalPair]
    rivals: list[Rival]


def _read(options: Mapping[str, Any]) -> Read:
    if len(options["against"]) > 2:
        raise CommandError("--against takes one file, or two.")
    folders: list[Path] = [options["folder"], *options["also"]]
    try:
        return Read(
            sets={folder.resolve().name: read_benchmark(folder) for folder in folders},
            taxonomy=read_taxonomy(options["taxonomy"]),
            pairs=read_minimal_pairs(options["pairs"]) if options["pairs"] else [],
            rivals=[read_rival(path) for path in options["against"]],
        )
    except MalformedLineError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Rival:
    """What is compared with: a result that was saved, or weights to rank by."""

    name: str
    result: Result | None = None
    weights: Weights = WEIGHTING_1


def read_rival(path: Path) -> Rival:
    try:
        values = json.loads(path.read_text("utf-8"))
        if "lines" in values:
            return Rival(path.name, replace(Result.from_mapping(values), name=path.name))
        known = {field.name for field in fields(Weights)}
        for name, value in values.items():
            if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name!r} is no weight, or not a number")
        return Rival(path.name, weights=replace(WEIGHTING_1, **values))
    except json.JSONDecodeError as error:
        raise MalformedLineError(path, error.lineno, error.msg) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedLineError(path, 1, f"neither a result nor weights ({error})") from error


def read_taxonomy(path: Path) -> Taxonomy:
    try:
        return Taxonomy(
            [CategoryRow.from_mapping(row) for row in json.loads(path.read_text("utf-8"))]
        )
    except json.JSONDecodeError as error:
        raise MalformedLineError(path, error.lineno, error.msg) from error
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedLineError(path, 1, f"not a list of categories ({error!r})") from error


class Evaluation:
    """One set, ranked by the product's default weighting, and by others on request."""

    def __init__(
        self, name: str, benchmark: Benchmark, taxonomy: Taxonomy, encoder: Encoder, category: str
    ) -> None:
        if category == "cats_noisy" and all(
            query.noisy_categories is None for query in benchmark.queries
        ):
            raise CommandError("These queries have no cats_noisy. Use --category cats or none.")
        self.name, self.benchmark, self.category = name, benchmark, category
        self._queries = [benchmark.queries[position] for position in benchmark.measured]
        encoder.encode(["warm"])
        taxonomy.vectors(encoder)
        started = time.perf_counter()
        self.index = OfferIndex.build(offers_of(benchmark), taxonomy, encoder)
        build = time.perf_counter() - started
        self.measures, cpu = self._measured(WEIGHTING_1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1024 if sys.platform != "darwin" else 1024**2
        )
        self.told: dict[str, Any] = {
            **{
                name: None if mean is None else round(mean, 4)
                for name, mean in self.measures.means().items()
            },
            "queries": len(self._queries),
            "documents": len(benchmark.suppliers),
            "build_s": round(build, 3),
            "query_cpu_s": round(cpu, 3),
            "peak_rss_mb": round(peak, 1),
            "engine_version": ENGINE_VERSION,
        }

    def _measured(self, weights: Weights) -> tuple[Measures, float]:
        measures, cpu = Measures(self.benchmark), 0.0
        for start in range(0, len(self._queries), _QUERIES_AT_ONCE):
            queries = self._queries[start : start + _QUERIES_AT_ONCE]
            before = time.process_time()
            rankings = rank_all(self.index, self._needs(queries), weights)
            cpu += time.process_time() - before
            for query, ranking in zip(queries, rankings, strict=True):
                measures.add(query, [self.benchmark.suppliers[position].id for position in ranking])
        return measures, cpu

    def _needs(self, queries: Sequence[Query]) -> list[Need]:
        return [need_of(query, self.category) for query in queries]

    def result(self, weights: Weights = WEIGHTING_1, name: str = "this run") -> Result:
        measures = self.measures if weights == WEIGHTING_1 else self._measured(weights)[0]
        return Result(name, self.name, self.category, ENGINE_VERSION, measures.lines)

    def section(self) -> Section:
        """What a report says about it."""
        lines = set(worst(self.measures))
        queries = [query for query in self._queries if query.id in lines]
        rankings = rank_all(self.index, self._needs(queries))
        return Section(
            self.name,
            self.category,
            self.benchmark,
            self.measures,
            {query.id: ranking for query, ranking in zip(queries, rankings, strict=True)},
            self._explain,
            self.proposals(),
        )

    def proposals(self) -> Proposals | None:
        """None where the lines carry categories of another tree, or none."""
        known, reader = self.index.taxonomy, self.index.encoder
        told = [
            (query.text, {*query.categories})
            for query in self.benchmark.queries
            if {*query.categories} & known.position.keys()
        ]
        if not told:
            return None
        proposals.propose(known, told[0][0], reader)
        firsts, fives, milliseconds = [], [], []
        for text, right in told:
            before = time.process_time()
            codes = [one.code for one in proposals.propose(known, text, reader)]
            milliseconds.append(1000 * (time.process_time() - before))
            firsts.append(bool(right & {*codes[:1]}))
            fives.append(bool(right & {*codes}))
        return Proposals(firsts, fives, milliseconds)

    @cached_property
    def _ranker(self) -> Ranker:
        return Ranker(self.index, WEIGHTING_1, Units())

    def _explain(self, query: Query, position: int) -> Scored | None:
        return self._ranker.score_pair(need_of(query, self.category), position)


def report(
    evaluations: Sequence[Evaluation],
    comparisons: Mapping[str, Mapping[str, Mapping[str, Any]]],
    taxonomy: Taxonomy,
    encoder: Encoder,
) -> str:
    about = [f"engine {ENGINE_VERSION}, weighting 1, encoder {encoder.version}"]
    with translation.override("en"), reasons.names.told(names_of(taxonomy)):
        return markdown(
            [evaluation.section() for evaluation in evaluations],
            comparisons,
            about,
            reasons.sentence,
        )


def names_of(taxonomy: Taxonomy) -> dict[tuple[str, str], tuple[str, str]]:
    return {("category", row.code): (row.name_zh, row.name_en) for row in taxonomy.rows}


def numbered(pairs: Sequence[MinimalPair]) -> dict[str, int]:
    """The number under which each text of the pairs is offered."""
    texts = sorted({text for pair in pairs for text in (pair.wins, pair.loses)})
    return {text: number for number, text in enumerate(texts)}


def index_of(pairs: Sequence[MinimalPair], taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex:
    """All texts of the pairs, each the offer of a firm of its own."""
    offers = [
        Offer(number, "enterprise", (OfferText(0, text, language_of(text)),))
        for text, number in numbered(pairs).items()
    ]
    return OfferIndex.build(offers, taxonomy, encoder)


def margins(pairs: Sequence[MinimalPair], index: OfferIndex) -> list[float]:
    """Points by which the text that must win leads, for each pair."""
    numbers = numbered(pairs)
    # No supplier has the id -1, so that nothing is barred as one's own.
    lines = index.read(
        [Need(0, pair.line, language_of(pair.line), enterprise=-1) for pair in pairs]
    )
    won, lost = (
        likeness(
            index.features(
                lines,
                Pairs(
                    np.arange(len(texts)),
                    np.concatenate([index.rows_of(numbers[text]) for text in texts]),
                ),
            ),
            WEIGHTING_1,
        )
        for texts in ([pair.wins for pair in pairs], [pair.loses for pair in pairs])
    )
    led: list[float] = (won - lost).tolist()
    return led


def offers_of(benchmark: Benchmark) -> list[Offer]:
    """Suppliers as offers; the position in the file is the id."""
    return [
        Offer(
            id=position,
            kind="enterprise",
            texts=tuple(
                OfferText(number, text, supplier.language or "", supplier.categories)
                for number, text in enumerate(supplier.texts)
            ),
        )
        for position, supplier in enumerate(benchmark.suppliers)
    ]


def need_of(query: Query, category: str) -> Need:
    told = {"cats": query.categories, "cats_noisy": query.noisy_categories or (), "none": ()}[
        category
    ]
    # No supplier has the id -1, so that nothing is barred as one's own.
    return Need(
        0, query.text, query.language or "", enterprise=-1, category=told[0] if told else None
    )


def rank_all(
    index: OfferIndex, needs: list[Need], weights: Weights = WEIGHTING_1
) -> list[list[int]]:
    """All offers for each need, best first; an offer counts by its best text, equal ones go by id."""
    lines = index.read(needs)
    pairs = index.all_pairs(lines)
    points = likeness(index.features(lines, pairs), weights)
    best = np.full((len(needs), len(index.offers)), -np.inf, np.float32)
    np.maximum.at(best, (pairs.line, index.owners[pairs.row]), points)
    rankings: list[list[int]] = np.argsort(-best, axis=1, kind="stable").tolist()
    return rankings
