"""How near a supplier is to where the goods are wanted: by region and by distance, the better of the two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from matchmaking.engine.types import Offer, Place
from matchmaking.engine.weights import Weights

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EARTH_KM = 6371.0088
COUNTRY = "000000"  # the region code of the whole country
HOME = "CN"  # and its country code
# Beijing, Tianjin, Shanghai, Chongqing are province and city in one: two of their districts share a city.
MUNICIPALITIES = ("11", "12", "31", "50")

Level = Literal["", "group", "province", "city", "county"]
LEVELS: tuple[Level, ...] = ("", "group", "province", "city", "county")
_PROVINCE = LEVELS.index("province")
_OFFICIAL = re.compile(r"\d{6}")


class Nearness(NamedTuple):
    """How near one pair is. `share` (0..1) is None when a side's place is not known; `region` is the closest one shared."""

    share: float | None = None
    level: Level = ""
    region: str = ""
    km: float | None = None
    about: bool = False


def ancestors(code: str) -> tuple[str, ...]:
    """Official regions above a code, from the country down. Zones carry their county's six digits in front.

    >>> ancestors("330421")
    ('000000', '330000', '330400')
    >>> ancestors("330421-01")
    ('000000', '330000', '330400', '330421')
    >>> ancestors("YRD")
    ()
    """
    found = _OFFICIAL.match(code)
    if found is None:
        return ()
    official = found.group()
    chain = (COUNTRY, official[:2] + "0000", official[:4] + "00", official)
    above = [region for region in dict.fromkeys(chain) if region != code]
    return tuple(above)


def steps(place: Place) -> tuple[str, str, str]:
    """Province, city and county of a place; an empty string where it is not known."""
    return _steps(place.regions)


# A place stands beside hundreds of others.
@lru_cache(maxsize=4096)
def _steps(regions: tuple[str, ...]) -> tuple[str, str, str]:
    province = city = county = ""
    for code in regions:
        if code == COUNTRY or _OFFICIAL.fullmatch(code) is None:
            continue
        if code.endswith("0000"):
            province = code
            if code.startswith(MUNICIPALITIES):
                city = code
        elif code.endswith("00"):
            city = code
        else:
            county = code
    return province, city, county


def is_known(place: Place) -> bool:
    """Knowing no more than the country says nothing about how near somebody is."""
    return any(code != COUNTRY for code in place.regions) or _has_point(place)


def _has_point(place: Place) -> bool:
    return place.longitude is not None and place.latitude is not None


@dataclass(frozen=True, slots=True)
class Places:
    """Places as columns, so that one place is compared with many at once.

    `steps` are province, city and county as numbers, 0 where one is not known; `group` numbers the regional groups that a
    place lies in: where in `groups` they stand.
    """

    longitude: Floats
    latitude: Floats
    steps: npt.NDArray[np.int32]
    group: Ints
    groups: tuple[frozenset[str], ...]
    known: npt.NDArray[np.bool_]
    about: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, places: Sequence[Place], *, abroad: Sequence[bool] = ()) -> Places:
        """`abroad` marks parties known to be in another country: never near by region, though no region is known."""
        missing = float("nan")
        points = [
            (float(p.longitude), float(p.latitude))
            if p.longitude is not None and p.latitude is not None
            else (missing, missing)
            for p in places
        ]
        columns = np.array(points, dtype=np.float64).reshape(len(places), 2)
        known = np.array([is_known(place) for place in places], dtype=bool)
        if len(abroad):
            known |= np.asarray(abroad, dtype=bool)
        numbers = _numbered(place.groups for place in places)
        return cls(
            longitude=columns[:, 0],
            latitude=columns[:, 1],
            steps=np.array(
                [[int(code or 0) for code in steps(place)] for place in places], np.int32
            ).reshape(len(places), 3),
            group=np.array([numbers[place.groups] for place in places], np.int64),
            groups=tuple(numbers),
            known=known,
            about=np.array([place.about for place in places], dtype=bool),
        )

    def take(self, rows: Ints) -> Places:
        return Places(
            self.longitude[rows],
            self.latitude[rows],
            self.steps[rows],
            self.group[rows],
            self.groups,
            self.known[rows],
            self.about[rows],
        )

    def with_more(self, others: Places) -> Places:
        numbers = _numbered([*self.groups, *others.groups])
        theirs = np.array([numbers[groups] for groups in others.groups], np.int64)
        return Places(
            np.append(self.longitude, others.longitude),
            np.append(self.latitude, others.latitude),
            np.concatenate([self.steps, others.steps]),
            np.append(self.group, theirs[others.group]),
            tuple(numbers),
            np.append(self.known, others.known),
            np.append(self.about, others.about),
        )

    def __len__(self) -> int:
        return len(self.group)


def _numbered(groups: Iterable[frozenset[str]]) -> dict[frozenset[str], int]:
    return {one: number for number, one in enumerate(dict.fromkeys(groups))}


def places_of(offers: Sequence[Offer]) -> Places:
    return Places.of(
        [offer.place for offer in offers],
        abroad=[offer.country not in ("", HOME) for offer in offers],
    )


@dataclass(frozen=True, slots=True)
class Distances:
    """How near places are, pair by pair. `share` and `km` are NaN where they cannot be known; `level` counts along LEVELS."""

    share: Floats
    level: Ints
    km: Floats
    about: npt.NDArray[np.bool_]
    here: npt.NDArray[np.int32]
    shared_groups: npt.NDArray[np.str_]

    def part(self, own: slice | Ints) -> Distances:
        return Distances(
            self.share[own],
            self.level[own],
            self.km[own],
            self.about[own],
            self.here[own],
            self.shared_groups[own],
        )

    def each(self) -> list[Nearness]:
        columns = self.share.tolist(), self.level.tolist(), self.km.tolist(), self.about.tolist()
        rows = zip(*columns, self.shared_groups.tolist(), self.here.tolist(), strict=True)
        return [
            Nearness(
                None if isnan(share) else share,
                LEVELS[level],
                group if level < _PROVINCE else f"{here[level - _PROVINCE]:06d}",
                None if isnan(km) else km,
                about,
            )
            for share, level, km, about, group, here in rows
        ]

    def nearness(self, row: int) -> Nearness:
        return self.each()[row]


def distances(places: Places, others: Places, weights: Weights) -> Distances:
    """Compare places pair by pair.

    The share of the locality's points is the better of the closest region both lie in and exp(-km / decay).
    """
    # Of few groups, which pair after pair has.
    named = np.array(
        [[_shared_group(one, other) for other in others.groups] for one in places.groups], np.str_
    ).reshape(len(places.groups), len(others.groups))
    shared = named[places.group, others.group]
    level = (named != "").astype(np.int64)[places.group, others.group]
    same = (places.steps == others.steps) & (places.steps > 0)
    for depth in range(3):
        level[same[:, depth]] = depth + _PROVINCE

    km = great_circle(places, others)
    by_level = np.array(
        [0.0, weights.same_group, weights.same_province, weights.same_city, weights.same_county]
    )
    by_distance = np.nan_to_num(np.exp(-km / weights.decay_km), nan=0.0)
    share = np.maximum(by_level[level], by_distance)
    return Distances(
        share=np.where(places.known & others.known, share, np.nan),
        level=level,
        km=km,
        about=places.about | others.about,
        here=places.steps,
        shared_groups=shared,
    )


@lru_cache(maxsize=4096)
def _shared_group(groups: frozenset[str], others: frozenset[str]) -> str:
    return min(groups & others, default="")


def great_circle(places: Places, others: Places) -> Floats:
    """Kilometres pair by pair, or of one place to many, rounded to metres so that a batch and a single pair agree; NaN
    where unknown."""
    latitude, other = np.radians(places.latitude), np.radians(others.latitude)
    half_latitude = np.sin((other - latitude) / 2) ** 2
    half_longitude = np.sin(np.radians(others.longitude - places.longitude) / 2) ** 2
    chord = half_latitude + np.cos(latitude) * np.cos(other) * half_longitude
    kilometres: Floats = np.round(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))), 3)
    return kilometres


def nearness(place: Place, other: Place, weights: Weights, *, abroad: bool = False) -> Nearness:
    """How near one place is to another."""
    others = Places.of([other], abroad=[abroad])
    return distances(Places.of([place]), others, weights).nearness(0)
