"""A stock on disk: the large parts are mapped into memory, shared by all processes that read them."""

from __future__ import annotations

import json
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from matchmaking.engine.locality import Places
from matchmaking.engine.quantities import Figures
from matchmaking.engine.records import KeptOffers, offer_to_json
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
_PLACES = ("longitude", "latitude", "steps", "known", "about")
_FIGURES = ("bounds", "kind", "low", "high", "start", "end")
_MEASURED_TABLES = ("postings", "leaf", "parent", "chain", "leaf_postings")


def save(stock: Stock, folder: Path) -> None:
    """Writes all that `load` reads."""
    stock.make_compact()
    folder.mkdir(parents=True, exist_ok=True)
    about = {"taxonomy": stock.taxonomy.fingerprint, "encoder": stock.encoder.version}
    (folder / "about.json").write_text(json.dumps(about), "utf-8")
    (folder / "words.txt").write_text("\n".join(stock.vocabulary.columns), "utf-8")
    starts = [0]
    with (folder / "offers.jsonl").open("wb") as lines:
        for offer in stock.offers.values():
            starts.append(starts[-1] + lines.write(offer_to_json(offer).encode() + b"\n"))
    np.save(folder / "offer_ids.npy", np.array(list(stock.offers), np.int64))
    np.save(folder / "offer_starts.npy", np.array(starts, np.int64))
    _save_parties(stock, folder)
    np.save(folder / "text_ids.npy", stock.text_ids)
    np.save(folder / "owners.npy", stock.owners)
    np.save(folder / "long.npy", stock.long)
    np.save(folder / "vectors.npy", stock.vectors)
    _save_coarse(stock, folder)
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
    np.save(folder / "nouns.npy", stock.nouns)
    (folder / "nouns.txt").write_text("\n".join(stock.noun_names), "utf-8")
    np.save(folder / "stated.npy", stock.stated)
    for name in _FIGURES:
        np.save(folder / f"figures_{name}.npy", getattr(stock.figures, name))
    for name, matrix in (("counts", stock.counts), ("probabilities", stock.probabilities)):
        for part in ("data", "indices", "indptr"):
            np.save(folder / f"{name}_{part}.npy", getattr(matrix, part))


def _mapped(path: Path) -> bytes | mmap:
    with path.open("rb") as file:
        # An empty file cannot be mapped.
        return mmap(file.fileno(), 0, access=ACCESS_READ) if path.stat().st_size else b""


def _save_coarse(stock: Stock, folder: Path) -> None:
    if stock.basis is not None:
        np.save(folder / "coarse.npy", stock.coarse)
        chosen = np.frombuffer(stock.chosen, np.uint8)
        np.savez(folder / "basis.npz", basis=stock.basis, chosen=chosen)


def _load_coarse(stock: Stock, folder: Path) -> None:
    stock.coarse = stock.vectors
    if (folder / "basis.npz").exists():
        stock.coarse = np.asarray(np.load(folder / "coarse.npy", mmap_mode="r"))
        with np.load(folder / "basis.npz") as kept:
            stock.basis, stock.chosen = kept["basis"], kept["chosen"].tobytes()


def _save_parties(stock: Stock, folder: Path) -> None:
    """What is asked of all offers at once: kind, group and place of each."""
    np.save(folder / "kinds.npy", stock.kinds)
    np.save(folder / "groups.npy", stock.groups)
    settled = [offer for offer in stock.offers if offer in stock.place_rows]
    places = stock.places_of(settled)
    np.save(folder / "place_offers.npy", np.array(settled, np.int64))
    for name in _PLACES:
        np.save(folder / f"place_{name}.npy", getattr(places, name))
    np.save(folder / "place_groups.npy", places.group)
    about = {
        "kinds": stock.kind_names,
        "groups": [sorted(one) for one in places.groups],
        "foreign": {row: codes for row, codes in enumerate(stock.foreign) if codes},
    }
    (folder / "parties.json").write_text(json.dumps(about), "utf-8")


def _load_parties(stock: Stock, folder: Path) -> None:
    about = json.loads((folder / "parties.json").read_text("utf-8"))
    stock.kind_names = about["kinds"]
    stock.kinds = np.load(folder / "kinds.npy")
    stock.groups = np.load(folder / "groups.npy")
    stock.foreign = [()] * len(stock.texts)
    for row, codes in about["foreign"].items():
        stock.foreign[int(row)] = tuple(codes)
    stock.places = Places(
        group=np.load(folder / "place_groups.npy"),
        groups=tuple(map(frozenset, about["groups"])),
        **{name: np.load(folder / f"place_{name}.npy") for name in _PLACES},
    )
    settled = np.load(folder / "place_offers.npy").tolist()
    stock.place_rows = dict(zip(settled, range(len(settled)), strict=True))


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
    spoken = (folder / "words.txt").read_text("utf-8")
    stock.vocabulary = Vocabulary(spoken.split("\n") if spoken else ())
    stock.owners = np.load(folder / "owners.npy")
    stock.text_ids = np.load(folder / "text_ids.npy")
    ids, starts = (np.load(folder / f"offer_{name}.npy").tolist() for name in ("ids", "starts"))
    offers = KeptOffers(ids, _mapped(folder / "offers.jsonl"), starts)
    stock.take_offers(offers, stock.owners.tolist(), stock.text_ids.tolist())
    _load_parties(stock, folder)
    stock.alive = np.ones(len(stock.texts), np.bool_)
    stock.long = np.load(folder / "long.npy")
    # As a plain array: the class for mapped files slows every access down.
    stock.vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r"))
    _load_coarse(stock, folder)
    stock.chinese = np.load(folder / "chinese.npy")
    stock.codes = np.load(folder / "codes.npy")
    stock.codes_read = len(stock.vocabulary)
    stock.forms = np.load(folder / "forms.npy")
    stock.parties = np.load(folder / "parties.npy")
    stock.nouns = np.load(folder / "nouns.npy")
    stock.noun_names = (folder / "nouns.txt").read_text("utf-8").split("\n")
    stock.stated = np.load(folder / "stated.npy")
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
