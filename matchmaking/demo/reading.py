"""Vectors of many texts by another process, while this one writes: reading the register's own words takes longest."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

import numpy as np

from matchmaking.engine.encoder import UniversalSentenceEncoder
from matchmaking.engine.types import Vector

_CHUNK = 500
_STEP_BACK = 5  # behind the one that writes and the database it waits for
_encoder = UniversalSentenceEncoder()


def _begin() -> None:
    os.nice(_STEP_BACK)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A parent that is killed tells nobody: this process holds both ends of its own queue and would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read(texts: Sequence[str]) -> Vector:
    return _encoder.encode(texts)


class Reading:
    """An encoder whose texts were handed in before; it waits for those that are still being read."""

    version = UniversalSentenceEncoder.version
    dimensions = UniversalSentenceEncoder.dimensions

    def __init__(self, pool: ProcessPoolExecutor, texts: Sequence[str]) -> None:
        self._texts = list(dict.fromkeys(texts))
        chunks = [self._texts[i : i + _CHUNK] for i in range(0, len(self._texts), _CHUNK)]
        self._parts: list[Future[Vector]] = [pool.submit(_read, chunk) for chunk in chunks]

    @property
    def texts(self) -> list[str]:
        return self._texts

    def encode(self, texts: Sequence[str]) -> Vector:
        rows = np.vstack([part.result() for part in self._parts])
        place = {text: number for number, text in enumerate(self._texts)}
        return rows[[place[text] for text in texts]]


@contextmanager
def reading(texts: Sequence[str]) -> Iterator[Reading]:
    """Begin to read; what is not needed any more is dropped at the end."""
    # A fresh process, not a fork: this one holds a connection to the database.
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield Reading(pool, texts)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
