from __future__ import annotations

import json
import resource
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

import chains
from matchmaking.engine import ENGINE_VERSION
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
from matchmaking.engine.index import OfferIndex, Pairs
from matchmaking.engine.similarity import likeness
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.text import language_of
from matchmaking.engine.types import Encoder, Need, Offer, OfferText
from matchmaking.engine.weights import WEIGHTING_1

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

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            benchmark = read_benchmark(options["folder"])
            taxonomy = read_taxonomy(options["taxonomy"])
            pairs = read_minimal_pairs(options["pairs"]) if options["pairs"] else []
        except MalformedLineError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from error
        encoder: Encoder = NoEncoder() if options["no_embedding"] else UniversalSentenceEncoder()
        result = evaluate(benchmark, taxonomy, encoder, options["category"])
        shares = None
        if pairs:
            shares = won_shares(pairs, margins(pairs, index_of(pairs, taxonomy, encoder)))
        if options["json"]:
            told = result if shares is None else {**result, "minimal_pairs": shares}
            self.stdout.write(json.dumps(told))
            return
        for name, value in result.items():
            self.stdout.write(f"{name:24s}{'-' if value is None else value}")
        if shares is not None:
            rows = {"minimal_pairs": shares["pairs"], "won": shares["won"]}
            for name, value in {**rows, **shares["languages"], **shares["kinds"]}.items():
                self.stdout.write(f"{name:24s}{value}")


def read_taxonomy(path: Path) -> Taxonomy:
    try:
        return Taxonomy(
            [CategoryRow.from_mapping(row) for row in json.loads(path.read_text("utf-8"))]
        )
    except json.JSONDecodeError as error:
        raise MalformedLineError(path, error.lineno, error.msg) from error
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedLineError(path, 1, f"not a list of categories ({error!r})") from error


def evaluate(
    benchmark: Benchmark, taxonomy: Taxonomy, encoder: Encoder, category: str
) -> dict[str, Any]:
    """The measures and the cost of ranking all suppliers for every query."""
    if category == "cats_noisy" and all(
        query.noisy_categories is None for query in benchmark.queries
    ):
        raise CommandError("These queries have no cats_noisy. Use --category cats or none.")
    encoder.encode(["warm"])
    taxonomy.vectors(encoder)
    started = time.perf_counter()
    index = OfferIndex.build(offers_of(benchmark), taxonomy, encoder)
    built = time.perf_counter()
    measures = Measures(benchmark)
    cpu = 0.0
    measured = [benchmark.queries[position] for position in benchmark.measured]
    for start in range(0, len(measured), _QUERIES_AT_ONCE):
        queries = measured[start : start + _QUERIES_AT_ONCE]
        before = time.process_time()
        rankings = rank_all(index, [need_of(query, category) for query in queries])
        cpu += time.process_time() - before
        for query, ranking in zip(queries, rankings, strict=True):
            measures.add(query, [benchmark.suppliers[position].id for position in ranking])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    return {
        **{
            name: None if mean is None else round(mean, 4)
            for name, mean in measures.means().items()
        },
        "queries": len(measured),
        "documents": len(benchmark.suppliers),
        "build_s": round(built - started, 3),
        "query_cpu_s": round(cpu, 3),
        "peak_rss_mb": round(peak, 1),
        "engine_version": ENGINE_VERSION,
    }


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


def rank_all(index: OfferIndex, needs: list[Need]) -> list[list[int]]:
    """All offers for each need, best first; an offer counts by its best text, equal ones go by id."""
    lines = index.read(needs)
    pairs = index.all_pairs(lines)
    points = likeness(index.features(lines, pairs), WEIGHTING_1)
    best = np.full((len(needs), len(index.offers)), -np.inf, np.float32)
    np.maximum.at(best, (pairs.line, index.owners[pairs.row]), points)
    rankings: list[list[int]] = np.argsort(-best, axis=1, kind="stable").tolist()
    return rankings
