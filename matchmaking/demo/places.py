"""Where the invented bodies stand: counties of the shipped register, by the shares of the specification."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cache

from chains.management.commands import import_reference

ZHEJIANG, JIAXING, HUZHOU, JIASHAN = "330000", "330400", "330500", "330421"
_DELTA = ("31", "32", "34")
# Jiashan is where the tour begins: its desk needs cases, so a good part of the province's bodies stand there.
_JIASHAN_WEIGHT = 9


@dataclass(frozen=True, slots=True)
class County:
    code: str
    longitude: float | None
    latitude: float | None

    @property
    def city(self) -> str:
        return f"{self.code[:4]}00"

    @property
    def in_zhejiang(self) -> bool:
        return self.code.startswith("33")


@cache
def counties() -> tuple[County, ...]:
    return tuple(
        County(row["code"], row.get("lon"), row.get("lat"))
        for row in import_reference.read("regions")
        if row["level"] == "county" and row["code"][:2] not in ("71", "81", "82")
    )


@cache
def _within(area: str) -> tuple[County, ...]:
    if area == "zhejiang":
        return tuple(c for c in counties() if c.in_zhejiang)
    if area == "delta":
        return tuple(c for c in counties() if c.code[:2] in _DELTA)
    return tuple(c for c in counties() if not c.in_zhejiang and c.code[:2] not in _DELTA)


def county(chain: str, roll: random.Random, *, area: str = "") -> County:
    """60 % in Zhejiang, 25 % in the rest of the delta, 15 % elsewhere."""
    area = area or roll.choices(("zhejiang", "delta", "elsewhere"), (60, 25, 15))[0]
    rows = _within(area)
    heavy = {"PV": JIAXING, "LB": HUZHOU}.get(chain)
    weights = [
        _JIASHAN_WEIGHT if row.code == JIASHAN else 2 if row.city == heavy else 1 for row in rows
    ]
    return roll.choices(rows, weights)[0]


def find(code: str) -> County:
    return next(row for row in counties() if row.code == code)


def spot(place: County, roll: random.Random) -> tuple[float, float] | None:
    """Up to 6 km from the centre for two thirds; the others give no coordinates."""
    distance, angle, known = 6 * math.sqrt(roll.random()), roll.uniform(0, 2 * math.pi), roll.random()  # fmt: skip
    if known > 2 / 3 or place.longitude is None or place.latitude is None:
        return None
    kilometres = 111.32  # of a degree of latitude
    across = kilometres * math.cos(math.radians(place.latitude))
    return (
        round(place.longitude + distance * math.cos(angle) / across, 5),
        round(place.latitude + distance * math.sin(angle) / kilometres, 5),
    )
