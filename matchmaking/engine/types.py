"""The values the engine takes and gives back. Frozen: nothing inside changes what the caller holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
Strength = Literal["must", "prefer"]
Verdict = Literal["met", "unproven", "missed"]
Tone = Literal["for", "open", "against", "raise"]
PART_NAMES = ("text", "category", "conditions", "locality")


class Encoder(Protocol):
    """Turns texts into unit vectors that mean the same across languages."""

    @property
    def version(self) -> str:
        """Names weights and code; vectors of two versions are never compared."""

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, shape (len(texts), dimensions)."""


class Nearest(Protocol):
    """Finds texts by meaning outside the index's own memory, all of them or nearly so."""

    def find(self, vectors: Vector, k: int) -> Sequence[Sequence[tuple[int, int]]]:
        """Offer and text of about the k nearest texts of each vector; some may have gone, or be barred."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a party or a delivery is.

    Attributes
    ----------
    regions
        Codes from the country down to the most exact region known, e.g. ("000000", "330000", "330400", "330421").
    groups
        Codes of region groups it lies in, e.g. {"YRD"}.
    longitude, latitude
        Degrees, or None when nothing is known.
    about
        True when the coordinates are the centre of a region and not the party's own.
    """

    regions: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    longitude: float | None = None
    latitude: float | None = None
    about: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What a line asks of its supplier beyond the product.

    `codes` (any of them satisfies) serve the kinds certification, qualification, region (region codes), cooperation, origin;
    `value` with `unit` serve distance (km), capacity (units.json code, a year), lead_time and sample_time (days). Kind `other` is shown, never computed.
    """

    id: int
    kind: Literal[
        "certification",
        "qualification",
        "region",
        "distance",
        "capacity",
        "lead_time",
        "sample_time",
        "cooperation",
        "origin",
        "other",
    ]
    strength: Strength
    codes: tuple[str, ...] = ()
    value: float | None = None
    unit: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """One requirement line."""

    id: int
    text: str
    language: str
    enterprise: int = 0
    group: int | None = None
    category: str | None = None
    counterparts: frozenset[str] = frozenset()
    cooperation_kinds: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    place: Place = Place()
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What can be made in a year, in `unit` (units.json code)."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate or qualification. Only `verified` ones prove a condition; a stated one leaves it open."""

    code: str
    verified: bool


@dataclass(frozen=True, slots=True)
class OfferText:
    """One text of an offer, in one language, with the facts that belong to that capability."""

    id: int
    text: str
    language: str
    categories: tuple[str, ...] = ()
    capacity: Capacity | None = None
    lead_time_days: int | None = None
    sample_days: int | None = None
    cooperation_kinds: frozenset[str] = frozenset()
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One enterprise with all it has published."""

    id: int
    kind: str
    texts: tuple[OfferText, ...]
    group: int | None = None
    certifications: tuple[Held, ...] = ()
    qualifications: tuple[Held, ...] = ()
    place: Place = Place()
    country: str = "CN"


# One for all; what comes from the engine holds nothing that holds itself.
_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True).encode


class _Written:
    """Room for the text of a value, which is no field of it. The same is told of pair after pair: it is written once."""

    __slots__ = ("_json",)
    _json: str


@dataclass(frozen=True, slots=True)
class Reason(_Written):
    """Why, as a code with parameters; templates turn it into a sentence in the reader's language."""

    code: str
    tone: Tone
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> str:
        """As it is stored, by the names of the fields."""
        try:
            return self._json
        except AttributeError:
            params = _as_json(self.params)
            text = f'{{"code": "{self.code}", "tone": "{self.tone}", "params": {params}}}'
            object.__setattr__(self, "_json", text)
            return text

    def __hash__(self) -> int:
        return hash(self.json)


# Of one line most pairs have the same few, and lines of one place and one trade share theirs.
@lru_cache(maxsize=16_384, typed=True)
def reason(code: str, tone: Tone, /, **params: Any) -> Reason:
    """The reason with these parameters, the same one each time; several values come as a tuple."""
    told = {name: list(one) if isinstance(one, tuple) else one for name, one in params.items()}
    return Reason(code, tone, told)


@dataclass(frozen=True, slots=True)
class Part(_Written):
    """Tenths of a point reached, and the maximum that could be reached by this pair."""

    name: str
    tenths: int
    max_tenths: int

    @property
    def json(self) -> str:
        try:
            return self._json
        except AttributeError:
            reached = f'"tenths": {self.tenths}, "max_tenths": {self.max_tenths}'
            text = f'{{"name": "{self.name}", {reached}}}'
            object.__setattr__(self, "_json", text)
            return text


@dataclass(frozen=True, slots=True)
class Outcome(_Written):
    """How one condition fared. `tenths` of `max_tenths` are counted in the part `counted_in` ("conditions", "locality" or "")."""

    condition: int
    kind: str
    strength: Strength
    verdict: Verdict | None
    tenths: int
    max_tenths: int
    counted_in: str
    fact: Reason | None = None

    @property
    def json(self) -> str:
        try:
            return self._json
        except AttributeError:
            verdict = "null" if self.verdict is None else f'"{self.verdict}"'
            fact = "null" if self.fact is None else self.fact.json
            text = (
                f'{{"condition": {self.condition}, "kind": "{self.kind}", "strength": "{self.strength}", '
                f'"verdict": {verdict}, "tenths": {self.tenths}, "max_tenths": {self.max_tenths}, '
                f'"counted_in": "{self.counted_in}", "fact": {fact}}}'
            )
            object.__setattr__(self, "_json", text)
            return text


@dataclass(frozen=True, slots=True)
class Scored:
    """One pair with its points. `tenths` is the exact sum of the parts; `text` names the OfferText that won.

    Two of one fingerprint are the same: it is of all that they came out of.
    """

    need: int
    offer: int
    text: int
    tenths: int
    parts: tuple[Part, ...]
    reasons: tuple[Reason, ...]
    outcomes: tuple[Outcome, ...]
    misses_must: bool
    fingerprint: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A pair that would be scored as it was before, reason by reason."""

    need: int
    offer: int
