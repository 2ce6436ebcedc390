"""Offers as lines of JSON, for the saved index."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from matchmaking.engine.types import Capacity, Held, Offer, OfferText, Place


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in a saved offer.")


def offer_to_json(offer: Offer) -> str:
    values = asdict(offer)
    for text in values["texts"]:
        # Vectors lie in their own file.
        del text["vector"]
    return json.dumps(values, default=_plain, ensure_ascii=False)


def offer_from_json(line: str) -> Offer:
    values = json.loads(line)
    place = values["place"]
    values["place"] = Place(
        **{**place, "regions": tuple(place["regions"]), "groups": frozenset(place["groups"])}
    )
    values["texts"] = tuple(_text(text) for text in values["texts"])
    for kind in ("certifications", "qualifications"):
        values[kind] = tuple(Held(**held) for held in values[kind])
    return Offer(**values)


def _text(values: dict[str, Any]) -> OfferText:
    capacity = values["capacity"]
    return OfferText(
        **{
            **values,
            "categories": tuple(values["categories"]),
            "cooperation_kinds": frozenset(values["cooperation_kinds"]),
            "capacity": Capacity(**capacity) if capacity else None,
        }
    )
