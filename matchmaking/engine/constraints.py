"""Conditions of a line against what a supplier states: met, unproven or missed, with the fact that decides.

The absence of a claim proves nothing: it leaves a condition unproven. Missed needs a stated fact that contradicts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from matchmaking.engine.fingerprint import digest, written
from matchmaking.engine.locality import COUNTRY, HOME, ancestors
from matchmaking.engine.types import (
    Condition,
    Held,
    Offer,
    OfferText,
    Reason,
    Tone,
    Verdict,
    reason,
)
from matchmaking.engine.units import Units

# These are judged like any other, but their points are those of the locality.
IN_LOCALITY = frozenset({"region", "distance"})

Found = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """What a condition is judged on: the supplier, the text that stands for it, and the way to it if that is known."""

    offer: Offer
    text: OfferText
    units: Units
    km: float | None = None
    about: bool = False


Rule = Callable[[Condition, Case], Found]
Judged = tuple[Verdict | None, Reason | None]

CONDITIONS_KEPT = 40

# How a condition ended, as the last word of the fact's code.
VERDICTS: dict[str, Verdict] = {
    "met": "met",
    "stated": "unproven",
    "unknown": "unproven",
    "unlike": "unproven",
    "missed": "missed",
}
TONES: dict[Verdict, Tone] = {"met": "for", "unproven": "open", "missed": "against"}


def counted_in(condition: Condition) -> str:
    """The part of the score a condition belongs to; empty for one that is never computed."""
    if condition.kind not in RULES:
        return ""
    return "locality" if condition.kind in IN_LOCALITY else "conditions"


class Precedents:
    """How conditions ended before, by the number of what was stated (see `stated_by`): where it is the same, so is the
    verdict. For one set of units, and of so many conditions at a time."""

    def __init__(self) -> None:
        self._by_condition: dict[Hashable, dict[int, Judged]] = {}

    def judge(
        self, condition: Condition, numbers: Sequence[int], case: Callable[[int], Case]
    ) -> Iterator[Judged]:
        """How the condition fares with those who state each of the numbers; `case` reads the one in a place."""
        asked = condition.kind, condition.strength, condition.codes, condition.value, condition.unit
        if asked not in self._by_condition and len(self._by_condition) >= CONDITIONS_KEPT:
            self._by_condition.clear()
        known = self._by_condition.setdefault(asked, {})
        for place, number in enumerate(numbers):
            if number not in known:
                known[number] = judge(condition, case(place))
            yield known[number]


def verdicts(
    condition: Condition,
    stated: npt.NDArray[np.int64],
    km: npt.NDArray[np.float64],
    case: Callable[[int], Case],
    precedents: Precedents,
) -> npt.NDArray[np.str_]:
    """How a condition that is computed fares with many: one of all that state the same is judged.

    `stated` has a row of numbers for each, as `stated_by` gives them; `case` reads the one in a place. `km` to each is all
    that a distance hangs on, and nearly each is another.
    """
    if condition.kind == "distance":
        return _within(condition.value, km)
    told = stated[:, _COLUMN[condition.kind]]
    # By `unique` alone all would be sorted, though few are different.
    different = np.unique(told)
    which = np.searchsorted(different, told)
    place = np.empty(len(different), np.int64)
    place[which] = np.arange(len(told))
    judged = precedents.judge(condition, different.tolist(), lambda one: case(int(place[one])))
    return np.array([ending for ending, _ in judged], np.str_)[which]


def _within(most: float | None, km: npt.NDArray[np.float64]) -> npt.NDArray[np.str_]:
    """As `_distance`, of many."""
    if most is None:
        return np.full(len(km), "unproven")
    return np.where(np.isnan(km), "unproven", np.where(km <= most, "met", "missed"))


def told_of(condition: Condition, stated: npt.NDArray[np.int64]) -> list[int]:
    """For each row of numbers as `stated_by` gives them the one that a condition, other than a distance, hangs on."""
    column = _COLUMN.get(condition.kind)  # one that is never computed hangs on nothing
    numbers: list[int] = [0] * len(stated) if column is None else stated[:, column].tolist()
    return numbers


def stated_by(offer: Offer, text: OfferText) -> list[int]:
    """A number for what each rule reads: where it is the same, so is the verdict. It is the same in every process."""
    said = [read(offer) for read in _OF_OFFER.values()]
    said += [read(text) for read in _OF_TEXT.values()]
    return [_number(value) for value in said]


@lru_cache(maxsize=8192)
def _number(value: Hashable) -> int:
    return int.from_bytes(digest(written(value))[:8], "little", signed=True)


def judge(condition: Condition, case: Case) -> Judged:
    """How the condition fares, and the fact that decides."""
    rule = RULES.get(condition.kind)
    if rule is None:
        return None, None
    ending, params = rule(condition, case)
    outcome = VERDICTS[ending]
    code, tone = f"{condition.kind}.{ending}", TONES[outcome]
    # Nearly each distance is another: kept, they would push out what pairs share.
    if condition.kind == "distance":
        return outcome, Reason(code, tone, {"strength": condition.strength, **params})
    return outcome, reason(code, tone, strength=condition.strength, **params)


def _held(codes: tuple[str, ...], held: Sequence[Held]) -> Found:
    stated = ""
    for paper in held:
        if paper.code in codes:
            if paper.verified:
                return "met", {"code": paper.code}
            stated = stated or paper.code
    if stated:
        return "stated", {"code": stated}
    return "unknown", {"codes": codes}


def _certification(condition: Condition, case: Case) -> Found:
    return _held(condition.codes, case.offer.certifications)


def _qualification(condition: Condition, case: Case) -> Found:
    return _held(condition.codes, case.offer.qualifications)


def _region(condition: Condition, case: Case) -> Found:
    place = case.offer.place
    for code in condition.codes:
        if code in place.regions or code in place.groups:
            return "met", {"region": code}
    asked = condition.codes
    if not place.regions:
        # A foreign party without a region is certainly not inside one of ours.
        if case.offer.country not in ("", HOME):
            return "missed", {"codes": asked, "country": case.offer.country}
        return "unknown", {"codes": asked}
    nearest = place.regions[-1]
    if nearest == COUNTRY or any(nearest in ancestors(code) for code in asked):
        return "unknown", {"codes": asked}  # known only down to a region around the one asked for
    return "missed", {"codes": asked, "region": nearest}


def _distance(condition: Condition, case: Case) -> Found:
    if case.km is None or condition.value is None:
        return "unknown", {"asked": condition.value}
    ending = "met" if case.km <= condition.value else "missed"
    return ending, {"km": round(case.km, 1), "asked": condition.value, "about": case.about}


def _capacity(condition: Condition, case: Case) -> Found:
    asked: dict[str, Any] = {"asked": condition.value, "asked_unit": condition.unit}
    if case.text.capacity is None or condition.value is None:
        return "unknown", asked
    stated = {"value": case.text.capacity.value, "unit": case.text.capacity.unit}
    comparable = case.units.convert(
        case.text.capacity.value, case.text.capacity.unit, condition.unit
    )
    if comparable is None:
        return "unlike", {**asked, **stated}
    # Factors are decimal fractions: 0.3 t are 300 kg, whatever the binary remainder says.
    enough = comparable >= condition.value * (1 - 1e-9)
    return "met" if enough else "missed", {**asked, **stated}


def _days(asked: float | None, stated: int | None) -> Found:
    if stated is None or asked is None:
        return "unknown", {"asked": asked}
    return "met" if stated <= asked else "missed", {"days": stated, "asked": asked}


def _lead_time(condition: Condition, case: Case) -> Found:
    return _days(condition.value, case.text.lead_time_days)


def _sample_time(condition: Condition, case: Case) -> Found:
    return _days(condition.value, case.text.sample_days)


def _cooperation(condition: Condition, case: Case) -> Found:
    for code in condition.codes:
        if code in case.text.cooperation_kinds:
            return "met", {"code": code}
    # Who ticked some kinds has answered the question; who ticked none has not.
    ending = "missed" if case.text.cooperation_kinds else "unknown"
    return ending, {"codes": condition.codes}


def _origin(condition: Condition, case: Case) -> Found:
    if not case.offer.country:
        return "unknown", {"codes": condition.codes}
    if case.offer.country in condition.codes:
        return "met", {"country": case.offer.country}
    return "missed", {"codes": condition.codes, "country": case.offer.country}


RULES: dict[str, Rule] = {
    "certification": _certification,
    "qualification": _qualification,
    "region": _region,
    "distance": _distance,
    "capacity": _capacity,
    "lead_time": _lead_time,
    "sample_time": _sample_time,
    "cooperation": _cooperation,
    "origin": _origin,
}

# What each of them reads of an offer and of the text that stands for it. The distance alone is another for each line.
_OF_OFFER: dict[str, Callable[[Offer], Hashable]] = {
    "certification": attrgetter("certifications"),
    "qualification": attrgetter("qualifications"),
    "region": attrgetter("place.regions", "place.groups", "country"),
    "origin": attrgetter("country"),
}
_OF_TEXT: dict[str, Callable[[OfferText], Hashable]] = {
    "capacity": attrgetter("capacity"),
    "lead_time": attrgetter("lead_time_days"),
    "sample_time": attrgetter("sample_days"),
    "cooperation": attrgetter("cooperation_kinds"),
}
_COLUMN = {kind: column for column, kind in enumerate((*_OF_OFFER, *_OF_TEXT))}
STATEMENTS = len(_COLUMN)
