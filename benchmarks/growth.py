"""Ten and a hundred times the texts, in JSON lines: `python -m benchmarks.growth [--sizes 6000 60000 600000]`.

What one process needs for all of them in memory – to load, to search one line –, and what pgvector needs to find the
same texts: built once for each size, recall of the 100 nearest against the exact search. Texts are those of the demo's
generator; beyond the first 6,000 their vectors are drawn: a text moved by the difference of two others of its category
and a little by that of any two. Everything at once stays below 3 GB.
"""

# ruff: noqa: E402 -- the number of threads has to stand before numpy is imported
from __future__ import annotations

import os

# One thread, or a second core would work unseen.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")

import django
import numpy as np
import psutil

import chains
from benchmarks import stage
from matchmaking import embedded
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.types import Offer

if TYPE_CHECKING:
    from matchmaking.nearest import StoredVectors

SIZES = (6_000, 60_000, 600_000)
BASE = 6_000
LINES = 100
NEAREST = 100
TEXTS_PER_OFFER = 3
ROWS_AT_ONCE = 20_000
# How far a drawn text may lie from the one it was drawn from: by differences within its category, and between any two.
NEAR, FAR = 0.9, 0.3
TABLE = "growth"
# The largest size that is also loaded and searched as the product does it: at 600,000 memory would be more than 3 GB.
LARGEST_IN_MEMORY = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pgvector", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load is not None:
        django.setup()
        load(options.load, stored=options.pgvector)
        return
    folder = Path(tempfile.mkdtemp(prefix="chaindock-growth-"))
    for name in ("EMBEDDED_STATE", "DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    embedded.provide(state=stage.ROOT / ".servers" / "bench-growth")
    django.setup()
    try:
        grow(folder, sorted(options.sizes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(step: str, **figures: float | str) -> None:
    stage.report("growth", step=step, **figures)


def peak_mb() -> int:
    """Of this program alone: what getrusage tells begins with the parent's."""
    told = Path("/proc/self/status").read_text("utf-8").partition("VmHWM:")[2].split()
    return round(int(told[0]) / 1024) if told else 0


def grow(folder: Path, sizes: Sequence[int]) -> None:
    from matchmaking.nearest import StoredVectors  # noqa: PLC0415 -- Django stands by now

    base, groups, asked = read_base(folder / "base")
    took: dict[int, float] = {}
    for size in sizes:
        if size <= LARGEST_IN_MEMORY:
            tile(folder / "base", folder / "tiled", size)
            command = [sys.executable, "-m", "benchmarks.growth", "--load", str(folder / "tiled")]
            said = subprocess.run(command, cwd=stage.ROOT, check=True, stdout=subprocess.PIPE)
            print(said.stdout.decode(), end="", flush=True)
            took[size] = json.loads(said.stdout.splitlines()[-1])["one_line_cpu_ms_p50"]
            subprocess.run([*command, "--pgvector"], cwd=stage.ROOT, check=True)
            if size // 10 in took:
                times = took[size] / took[size // 10]
                report("ten times the texts", texts=size, times_the_work=times)
            shutil.rmtree(folder / "tiled")
    stored = StoredVectors(TABLE)
    for size in sizes:
        path = folder / "vectors.npy"
        draw(base, groups, size, path)
        vectors = np.load(path, mmap_mode="r")
        compare(stored, vectors, asked, search_exactly(vectors, asked))
        del vectors
        path.unlink()
    stored.forget()


# -- texts and vectors ----------------------------------------------------------------------------


def read_base(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An index of the first texts, kept in a folder; their vectors and categories, and the vectors of the lines."""
    from matchmaking.demo import texts  # noqa: PLC0415 -- reads the phrases
    from matchmaking.engine.encoder import UniversalSentenceEncoder  # noqa: PLC0415 -- likewise
    from matchmaking.engine.index import OfferIndex  # noqa: PLC0415
    from matchmaking.engine.types import Offer, OfferText  # noqa: PLC0415

    encoder, taxonomy = UniversalSentenceEncoder(), read_taxonomy()
    taxonomy.vectors(encoder)
    taxonomy.save(folder, encoder)
    roll = texts.dice(1, "growth")
    leaves = list(texts.leaves().values())
    places = [roll.randrange(len(leaves)) for _ in range(BASE)]
    spoken = [texts.offered(leaves[place], roll)[0] for place in places]
    written = [pair.zh if number % 2 else pair.en for number, pair in enumerate(spoken)]
    lines = [texts.asked(roll.choice(leaves), roll) for _ in range(LINES)]
    vectors = encoder.encode(written)
    asked = encoder.encode([pair.zh if n % 2 else pair.en for n, pair in enumerate(lines)])
    rows = [
        OfferText(number, text, "zh" if number % 2 else "en", vector=vectors[number])
        for number, text in enumerate(written)
    ]
    index = OfferIndex.build(
        [
            Offer(
                1 + start // TEXTS_PER_OFFER,
                "enterprise",
                tuple(rows[start : start + TEXTS_PER_OFFER]),
            )
            for start in range(0, BASE, TEXTS_PER_OFFER)
        ],
        taxonomy,
        encoder,
    )
    index.save(folder / "index")
    np.save(folder / "asked.npy", asked)
    (folder / "asked.json").write_text(
        json.dumps([p.zh if n % 2 else p.en for n, p in enumerate(lines)]), "utf-8"
    )
    groups = np.array([2 * place + number % 2 for number, place in enumerate(places)])
    report("base", texts=BASE, peak_rss_mb=peak_mb())
    return vectors, groups, asked


def read_taxonomy() -> Taxonomy:
    path = Path(chains.__file__).parent / "reference" / "categories.json"
    return Taxonomy([CategoryRow.from_mapping(row) for row in json.loads(path.read_text("utf-8"))])


def draw(base: np.ndarray, groups: np.ndarray, size: int, path: Path) -> None:
    """Writes so many vectors in float16, the base first."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups, "left")
    ends = np.searchsorted(groups[order], groups, "right")
    rng = np.random.default_rng(1)
    out = np.lib.format.open_memmap(path, "w+", np.float16, (size, base.shape[1]))
    for start in range(0, size, ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, size)) % len(base)
        moved = base[rows].copy()
        if start >= len(base):
            one, other = (order[rng.integers(starts[rows], ends[rows])] for _ in range(2))
            near = rng.uniform(0, NEAR, (len(rows), 1)).astype(np.float32)
            moved += near * (base[one] - base[other])
            one, other = (rng.integers(0, len(base), len(rows)) for _ in range(2))
            far = rng.uniform(0, FAR, (len(rows), 1)).astype(np.float32)
            moved += far * (base[one] - base[other])
            moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        out[start : start + len(rows)] = moved
    out.flush()


# -- in memory --------------------------------------------------------------------------------------


def tile(base: Path, folder: Path, size: int) -> None:
    """An index of `size` texts, each text of the base as often as it takes, kept in a folder."""
    from scipy import sparse  # noqa: PLC0415 -- slow import

    from matchmaking.engine.encoder import UniversalSentenceEncoder  # noqa: PLC0415
    from matchmaking.engine.index import OfferIndex  # noqa: PLC0415
    from matchmaking.engine.records import KeptOffers  # noqa: PLC0415

    encoder, taxonomy = UniversalSentenceEncoder(), read_taxonomy()
    taxonomy.load(base, encoder)
    one = OfferIndex.load(base / "index", taxonomy, encoder)
    whole, times = OfferIndex(taxonomy, encoder), size // BASE
    offers, number = KeptOffers(), len(one.offers)
    for copy in range(times):
        for offer in one.offers.values():
            again = moved(offer, copy * number, copy * BASE)
            offers[again.id] = again
    copies = np.repeat(np.arange(times), BASE)
    whole.owners = np.tile(one.owners, times) + copies * number
    whole.text_ids = np.tile(one.text_ids, times) + copies * BASE
    whole.take_offers(offers, whole.owners.tolist(), whole.text_ids.tolist())
    whole.kind_names = one.kind_names
    whole.foreign, whole.noun_names = one.foreign * times, one.noun_names
    for name in (
        "kinds", "groups", "alive", "chinese", "forms", "parties", "nouns", "vectors",
    ):  # fmt: skip
        own = getattr(one, name)
        setattr(whole, name, np.tile(own, (times,) + (1,) * (own.ndim - 1)))
    for name in ("counts", "probabilities"):
        setattr(whole, name, sparse.vstack([getattr(one, name)] * times, format="csr"))
    for name in ("vocabulary", "long", "codes", "codes_read"):
        setattr(whole, name, getattr(one, name))
    for _copy in range(times):
        whole.figures = whole.figures.with_more(one.figures)
        whole.places = whole.places.with_more(one.places)
    whole.place_rows = {offer: row for row, offer in enumerate(offers)}
    taxonomy.save(folder, encoder)
    whole.save(folder / "index")
    for name in ("asked.npy", "asked.json"):
        shutil.copy(base / name, folder / name)


def moved(offer: Offer, offers: int, texts: int) -> Offer:
    own = tuple(replace(text, id=text.id + texts) for text in offer.texts)
    return replace(offer, id=offer.id + offers, texts=own)


def load(folder: Path, *, stored: bool) -> None:
    """In a process of its own, so that its memory is its own; candidates by meaning from memory, or `stored`."""
    from matchmaking import nearest  # noqa: PLC0415 -- Django stands by now
    from matchmaking.engine.encoder import UniversalSentenceEncoder  # noqa: PLC0415
    from matchmaking.engine.index import OfferIndex  # noqa: PLC0415
    from matchmaking.engine.similarity import likeness  # noqa: PLC0415
    from matchmaking.engine.types import Need  # noqa: PLC0415
    from matchmaking.engine.weights import WEIGHTING_1  # noqa: PLC0415

    encoder, taxonomy = UniversalSentenceEncoder(), read_taxonomy()
    taxonomy.load(folder, encoder)
    before = peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    index = OfferIndex.load(folder / "index", taxonomy, encoder)
    index.refresh()
    if stored:
        index.nearest = nearest.of_index("growth", index, anew=True)
    loaded, cpu = time.perf_counter() - began, time.process_time() - cpu
    vectors = np.load(folder / "asked.npy")
    spoken = json.loads((folder / "asked.json").read_text("utf-8"))
    took = []
    for number, text in enumerate(spoken[:30]):
        need = Need(
            number, text, "zh" if number % 2 else "en", enterprise=-1, vector=vectors[number]
        )
        start = time.process_time()
        lines = index.read([need])
        likeness(index.features(lines, index.candidates(lines)), WEIGHTING_1)
        took.append(1000 * (time.process_time() - start))
    report(
        "pgvector, whole engine" if stored else "in memory",
        texts=len(index),
        load_s=loaded,
        load_cpu_s=cpu,
        one_line_cpu_ms_p50=float(np.median(took[5:])),
        one_line_cpu_ms_p95=float(np.quantile(took[5:], 0.95)),
        peak_rss_mb=peak_mb(),
        of_that_without_index_mb=before,
    )
    if stored:
        nearest.forget("growth")


def search_exactly(vectors: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Rows of the nearest texts of each line by whole vectors."""
    best = np.full((len(asked), 0), 0, np.int64)
    near = np.full((len(asked), 0), 0, np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        block = vectors[start : start + ROWS_AT_ONCE].astype(np.float32)
        near = np.hstack([near, asked @ block.T])
        best = np.hstack(
            [best, np.broadcast_to(np.arange(start, start + len(block)), (len(asked), len(block)))]
        )
        keep = np.argpartition(-near, NEAREST - 1, axis=1)[:, :NEAREST]
        near, best = (np.take_along_axis(found, keep, axis=1) for found in (near, best))
    report(
        "exact search",
        texts=len(vectors),
        hundredth_is_as_near_as=float(near.min(axis=1).mean()),
        peak_rss_mb=peak_mb(),
    )
    return best


# -- pgvector ---------------------------------------------------------------------------------------


def compare(
    stored: StoredVectors, vectors: np.ndarray, asked: np.ndarray, exact: np.ndarray
) -> None:
    """Through the table that the product keeps, filled as the product fills it and searched as it searches."""
    from django.db import connection  # noqa: PLC0415 -- Django stands by now

    from matchmaking.nearest import effort_for  # noqa: PLC0415

    size = len(vectors)
    numbers = np.arange(size)
    began, busy, own = time.perf_counter(), server_cpu_s(), time.process_time()
    stored.fill("growth", numbers, numbers, vectors, numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_table_size(%s) / 1048576, pg_indexes_size(%s) / 1048576", [TABLE, TABLE]
        )
        table_mb, index_mb = map(int, cursor.fetchone())
    report(
        "pgvector filled", texts=size, filled_s=time.perf_counter() - began,
        filled_cpu_s=time.process_time() - own, server_cpu_s=server_cpu_s() - busy,
        table_mb=table_mb, index_mb=index_mb, peak_rss_mb=peak_mb(),
    )  # fmt: skip
    for effort in (400, 600, 1000):
        stored.effort = effort
        found, took = [], []
        busy = server_cpu_s()
        for line in asked:
            start_s = time.perf_counter()
            (rows,) = stored.find(line[None, :], NEAREST)
            took.append(1000 * (time.perf_counter() - start_s))
            found.append({row for row, _text in rows})
        recall = [
            len(one & set(best.tolist())) / NEAREST for one, best in zip(found, exact, strict=True)
        ]
        report(
            # As the product looks, beside what less and more effort would give.
            "pgvector" if effort == effort_for(size) else "pgvector, other effort",
            texts=size, effort=effort, recall_at_100=float(np.mean(recall)),
            one_line_cpu_ms=1000 * (server_cpu_s() - busy) / len(asked),
            one_line_ms_p50=float(np.median(took[10:])), one_line_ms_p95=float(np.quantile(took[10:], 0.95)),
        )  # fmt: skip


def server_cpu_s() -> float:
    """Of the database's process that serves this one."""
    from django.db import connection  # noqa: PLC0415 -- Django stands by now

    connection.ensure_connection()
    return float(psutil.Process(connection.connection.info.backend_pid).cpu_times().user)


if __name__ == "__main__":
    main()
