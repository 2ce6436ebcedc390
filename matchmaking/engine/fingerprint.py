"""Fingerprints of pairs: of all that a score and its reasons come out of. Where they are the same, so is the score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_BYTES = 8


def digest(written: bytes) -> bytes:
    return hashlib.blake2b(written, digest_size=16).digest()


def written(*values: Any) -> bytes:
    """Values of the engine, the same in every process. Vectors are left out: they come out of the texts.

    >>> written(frozenset({"b", "a"}), 1.0)
    b'[["a", "b"], 1.0]'
    """
    return _as_json(values).encode()


def fingerprints(line: bytes, offers: Sequence[bytes], found: npt.NDArray[np.int64]) -> list[int]:
    """One of each pair of a line: out of its digest, those of the offers, and what was found, a row a pair."""
    common = hashlib.blake2b(line, digest_size=_BYTES)
    rows, width = np.ascontiguousarray(found).tobytes(), 8 * found.shape[1]
    digests = []
    for start, offer in zip(range(0, len(rows), width), offers, strict=True):
        pair = common.copy()
        pair.update(offer + rows[start : start + width])
        digests.append(pair.digest())
    numbers: list[int] = np.frombuffer(b"".join(digests), "<i8").tolist()
    return numbers


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return [getattr(value, name) for name in _names(value.__class__)]


@cache
def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind) if field.name != "vector"]


_as_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=_plain).encode
