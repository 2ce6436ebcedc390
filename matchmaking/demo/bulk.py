from __future__ import annotations

from typing import Any


def seed_year(*, seed: int, factor: float, tell: Any) -> dict[str, Any]:
    raise NotImplementedError
