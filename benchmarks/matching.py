"""How fast lines find suppliers, in JSON lines: `python -m benchmarks.matching [--texts 60000] [--lines 5000] [FOLDER …]`.

Texts come from the golden set that ships with the engine, or from the folders named (docs.jsonl, queries.jsonl), and
are drawn again until there are enough. All vectors are stored beforehand, as they are in the product.
"""

# ruff: noqa: E402 -- the number of threads has to stand before numpy is imported
from __future__ import annotations

import os

# One thread, or a second core would work unseen.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from benchmarks import stage
from matchmaking import engine
from matchmaking.engine.encoder import UniversalSentenceEncoder
from matchmaking.engine.evaluation import read_benchmark
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.similarity import likeness
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.text import language_of
from matchmaking.engine.types import Need, Offer, OfferText
from matchmaking.engine.weights import WEIGHTING_1

GOLDEN = Path(engine.__file__).parent / "golden"
CATEGORIES = Path(engine.__file__).parents[2] / "chains" / "reference" / "categories.json"
TEXTS_PER_OFFER = 3
LINES_AT_ONCE = 1000
EVERY_LINE, EVERY_TEXT = 50, 10
Result = TypeVar("Result")


def say(step: str, **figures: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stage.report("matching", step=step, **figures, peak_rss_mb=round(peak))


def measured(step: str, work: Callable[[], Result], **figures: float) -> tuple[Result, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    say(step, wall_s=round(wall, 2), cpu_s=round(cpu, 2), **figures)
    return result, cpu


def drawn(texts: Sequence[str], count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    more = max(count - len(texts), 0)
    return [*texts[:count], *(texts[i] for i in rng.integers(0, len(texts), more))]


def offers_of(texts: Sequence[str], vectors: np.ndarray) -> list[Offer]:
    rows = [
        OfferText(i, text, language_of(text), vector=vectors[i]) for i, text in enumerate(texts)
    ]
    return [
        Offer(
            1 + start // TEXTS_PER_OFFER, "enterprise", tuple(rows[start : start + TEXTS_PER_OFFER])
        )
        for start in range(0, len(rows), TEXTS_PER_OFFER)
    ]


def match(index: OfferIndex, needs: Sequence[Need]) -> int:
    pairs_seen = 0
    for start in range(0, len(needs), LINES_AT_ONCE):
        lines = index.read(needs[start : start + LINES_AT_ONCE])
        pairs = index.candidates(lines)
        likeness(index.features(lines, pairs), WEIGHTING_1)
        pairs_seen += len(pairs)
    return pairs_seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[GOLDEN])
    parser.add_argument("--texts", type=int, default=60_000)
    parser.add_argument("--lines", type=int, default=5_000)
    options = parser.parse_args()

    sets = [read_benchmark(folder) for folder in options.folders]
    texts = drawn(
        [t for s in sets for supplier in s.suppliers for t in supplier.texts], options.texts, 0
    )
    asked = drawn([query.text for s in sets for query in s.queries], options.lines, 1)

    encoder = UniversalSentenceEncoder()
    taxonomy = Taxonomy(
        [CategoryRow.from_mapping(row) for row in json.loads(CATEGORIES.read_text("utf-8"))]
    )
    taxonomy.vectors(encoder)
    vectors, _ = measured("encode texts", lambda: encoder.encode(texts))
    offers = offers_of(texts, vectors)
    index, _ = measured(
        "build index", lambda: OfferIndex.build(offers, taxonomy, encoder), texts=len(texts)
    )
    spoken = encoder.encode(asked)
    needs = [Need(i, text, "", enterprise=-1, vector=spoken[i]) for i, text in enumerate(asked)]
    match(index, needs[:50])

    pairs, ours = measured("match all", lambda: match(index, needs), lines=len(needs))
    say("pairs a line", mean=round(pairs / len(needs), 1))
    for name in ("WRatio", "token_set_ratio"):
        scorer = getattr(fuzz, name)
        before = time.process_time()
        cdist(asked[::EVERY_LINE], texts[::EVERY_TEXT], scorer=scorer, workers=1, dtype=np.float32)
        theirs = (time.process_time() - before) * EVERY_LINE * EVERY_TEXT
        say(
            f"rapidfuzz {name}, slice scaled",
            cpu_s=round(theirs, 1),
            times_ours=round(theirs / ours, 1),
        )

    single = [timed(partial(match, index, [need])) for need in needs[:60]]
    say(
        "one line",
        p50_cpu_ms=round(np.median(single), 1),
        p95_cpu_ms=round(np.quantile(single, 0.95), 1),
    )
    # The first change after a load makes room below all vectors, which the later ones find.
    first, *later = [timed(partial(change, index, offer)) for offer in offers[:4]]
    say("one offer changed", first_cpu_ms=round(first, 1), later_cpu_ms=round(np.median(later), 1))


def change(index: OfferIndex, offer: Offer) -> None:
    text = offer.texts[0]
    index.add(replace(offer, texts=(replace(text, text="changed " + text.text),)))
    index.refresh()


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


if __name__ == "__main__":
    main()
