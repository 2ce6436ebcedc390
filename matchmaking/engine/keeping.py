"""A stock on disk: the large parts are mapped into memory, shared by all processes that read them."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from matchmaking.engine.quantities import Figures
from matchmaking.engine.records import offer_from_json, offer_to_json
from matchmaking.engine.sparse import Vocabulary
from matchmaking.engine.stock import Stock

# What is measured over all living texts at once and saved with them.
_MEASURED = (
    "present",
    "idf",
    "rarity",
    "scale",
    "saturated",
    "house",
    "housed",
    "houses",
    "order",
)
_FIGURES = ("bounds", "kind", "low", "high")
_MEASURED_TABLES = ("postings", "leaf", "parent", "chain", "leaf_postings")


def save(stock: Stock, folder: Path) -> None:
    """Writes all that `load` reads."""
    stock.make_compact()
    folder.mkdir(parents=True, exist_ok=True)
    about = {"taxonomy": stock.taxonomy.fingerprint, "encoder": stock.encoder.version}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")
    (folder / "words.txt").write_text("\n".join(stock.vocabulary.columns), "utf-8")
    with (folder / "offers.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(offer_to_json(offer) + "\n" for offer in stock.offers.values())
    np.save(folder / "text_ids.npy", np.array([text.id for text in stock.texts], np.int64))
    np.save(folder / "owners.npy", stock.owners)
    np.save(folder / "long.npy", stock.long)
    np.save(folder / "vectors.npy", stock.vectors)
    np.save(folder / "coarse.npy", stock.coarse)
    np.save(folder / "chinese.npy", stock.chinese)
    np.save(folder / "weights_said.npy", stock.weighted.data)
    for name in _MEASURED:
        np.save(folder / f"{name}.npy", getattr(stock, name))
    for name in _MEASURED_TABLES:
        for part in ("data", "indices", "indptr"):
            np.save(folder / f"{name}_{part}.npy", getattr(getattr(stock, name), part))
    np.save(folder / "codes.npy", stock.codes)
    np.save(folder / "forms.npy", stock.forms)
    np.save(folder / "parties.npy", stock.parties)
    for name in _FIGURES:
        np.save(folder / f"figures_{name}.npy", getattr(stock.figures, name))
    for name, matrix in (("counts", stock.counts), ("probabilities", stock.probabilities)):
        for part in ("data", "indices", "indptr"):
            np.save(folder / f"{name}_{part}.npy", getattr(matrix, part))


def load(stock: Stock, folder: Path) -> None:
    """Reads into an empty stock what `save` wrote.

    Raises
    ------
    ValueError
        It was built with another taxonomy or encoder and has to be built anew.
    """
    taxonomy = stock.taxonomy
    about = json.loads((folder / "about.json").read_text("utf-8"))
    if about != {"taxonomy": taxonomy.fingerprint, "encoder": stock.encoder.version}:
        raise ValueError("The saved index belongs to another taxonomy or encoder. Build it anew.")
    with (folder / "offers.jsonl").open(encoding="utf-8") as file, _no_collection():
        stock.offers = {offer.id: offer for offer in map(offer_from_json, file)}
    spoken = (folder / "words.txt").read_text("utf-8")
    stock.vocabulary = Vocabulary(spoken.split("\n") if spoken else ())
    stock.owners = np.load(folder / "owners.npy")
    by_id = {(offer.id, text.id): text for offer in stock.offers.values() for text in offer.texts}
    ids = np.load(folder / "text_ids.npy")
    stock.texts = [by_id[key] for key in zip(stock.owners.tolist(), ids.tolist(), strict=True)]
    stock.alive = np.ones(len(stock.texts), np.bool_)
    stock.long = np.load(folder / "long.npy")
    # As a plain array: the class for mapped files slows every access down.
    stock.vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
    stock.coarse = np.asarray(np.load(folder / "coarse.npy", mmap_mode="r"))
    stock.chinese = np.load(folder / "chinese.npy")
    stock.codes = np.load(folder / "codes.npy")
    stock.codes_read = len(stock.vocabulary)
    stock.forms = np.load(folder / "forms.npy")
    stock.parties = np.load(folder / "parties.npy")
    stock.figures = Figures(*(np.load(folder / f"figures_{name}.npy") for name in _FIGURES))
    width = {"counts": len(stock.vocabulary), "probabilities": len(taxonomy.leaves)}
    for name, columns in width.items():
        parts = [
            np.asarray(np.load(folder / f"{name}_{part}.npy", mmap_mode="r"))
            for part in ("data", "indices", "indptr")
        ]
        setattr(stock, name, sp.csr_matrix(tuple(parts), shape=(len(stock.texts), columns)))
    _take_measured(stock, folder)


def _take_measured(stock: Stock, folder: Path) -> None:
    """What depends on all texts, as it was when they were saved; one that changes has it measured anew."""
    if not (folder / "weights_said.npy").exists():
        return

    def mapped(name: str) -> Any:
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))

    for name in _MEASURED:
        setattr(stock, name, mapped(name))
    stock.total = len(stock.texts)
    rows, width, known = len(stock.texts), len(stock.vocabulary), stock.taxonomy
    shapes = {
        "postings": (width, rows),
        "leaf": (rows, len(known.leaves)),
        "parent": (rows, known.to_parents.shape[1]),
        "chain": (rows, known.to_chains.shape[1]),
        "leaf_postings": (len(known.leaves), rows),
    }
    for name in _MEASURED_TABLES:
        parts = tuple(mapped(f"{name}_{part}") for part in ("data", "indices", "indptr"))
        setattr(stock, name, sp.csr_matrix(parts, shape=shapes[name]))
    counts = stock.counts
    said = mapped("weights_said"), counts.indices, counts.indptr
    stock.weighted = sp.csr_matrix(said, shape=counts.shape)
    stock.arrange()
    stock.changed = False


@contextmanager
def _no_collection() -> Iterator[None]:
    """A hundred thousand objects that all stay: looking for garbage among them again and again would take longest."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
