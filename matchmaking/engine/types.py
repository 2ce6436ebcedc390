"""The values the engine takes and gives back. Frozen: nothing inside changes what the caller holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, Protocol

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


def _as_json(params: Mapping[str, Any]) -> str:
    """As `json.dumps` with sorted keys and without escapes would have it, which looks for more kinds of values than a
    reason has and makes an encoder anew each time."""
    written = [f'"{name}": {_WRITERS[type(one)](one)}' for name, one in sorted(params.items())]
    return f"{{{', '.join(written)}}}"


def _list_as_json(values: Sequence[Any]) -> str:
    return f"[{', '.join([_WRITERS[type(one)](one) for one in values])}]"


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: repr,
    float: repr,
    bool: lambda value: "true" if value else "false",
    NoneType: lambda _value: "null",
    list: _list_as_json,
}


class _Written:
    """A value with itself as it is stored, by the names of its fields: it is told of pair after pair and written once,
    and compared by what is written.

    Its fields are final, not frozen: to see to that while it runs takes as long again as making it.
    """

    __slots__ = ("json",)
    json: str

    def _write(self, fields: str) -> None:
        self.json = f"{{{fields}}}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.json == other.json

    def __hash__(self) -> int:
        return hash(self.json)


@dataclass(slots=True, eq=False)
class Reason(_Written):
    """Why, as a code with parameters; templates turn it into a sentence in the reader's language."""

    code: Final[str]
    tone: Final[Tone]
    params: Final[Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        params = _as_json(self.params)
        self._write(f'"code": "{self.code}", "tone": "{self.tone}", "params": {params}')


# Of one line most pairs have the same few, and lines of one place and one trade share theirs.
@lru_cache(maxsize=16_384, typed=True)
def reason(code: str, tone: Tone, /, **params: Any) -> Reason:
    """The reason with these parameters, the same one each time; several values come as a tuple."""
    told = {name: list(one) if isinstance(one, tuple) else one for name, one in params.items()}
    return Reason(code, tone, told)


@dataclass(slots=True, eq=False)
class Part(_Written):
    """Tenths of a point reached, and the maximum that could be reached by this pair."""

    name: Final[str]
    tenths: Final[int]
    max_tenths: Final[int]

    def __post_init__(self) -> None:
        reached = f'"tenths": {self.tenths}, "max_tenths": {self.max_tenths}'
        self._write(f'"name": "{self.name}", {reached}')


@dataclass(slots=True, eq=False)
class Outcome(_Written):
    """How one condition fared. `tenths` of `max_tenths` are counted in the part `counted_in` ("conditions", "locality" or "")."""

    condition: Final[int]
    kind: Final[str]
    strength: Final[Strength]
    verdict: Final[Verdict | None]
    tenths: Final[int]
    max_tenths: Final[int]
    counted_in: Final[str]
    fact: Final[Reason | None] = None

    def __post_init__(self) -> None:
        verdict = "null" if self.verdict is None else f'"{self.verdict}"'
        fact = "null" if self.fact is None else self.fact.json
        self._write(
            f'"condition": {self.condition}, "kind": "{self.kind}", "strength": "{self.strength}", '
            f'"verdict": {verdict}, "tenths": {self.tenths}, "max_tenths": {self.max_tenths}, '
            f'"counted_in": "{self.counted_in}", "fact": {fact}'
        )


class Scored(NamedTuple):
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
