"""Offers as lines of JSON, for the saved index. Lists by position: names would be half of the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from matchmaking.engine.types import Capacity, Held, Offer, OfferText, Place


def offer_to_json(offer: Offer) -> str:
    place = offer.place
    values = [
        offer.id,
        offer.kind,
        offer.group,
        offer.country,
        [place.regions, sorted(place.groups), place.longitude, place.latitude, place.about],
        [[held.code, held.verified] for held in offer.certifications],
        [[held.code, held.verified] for held in offer.qualifications],
        [_plain(text) for text in offer.texts],
    ]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _plain(text: OfferText) -> list[Any]:
    # Vectors lie in their own file.
    capacity = text.capacity
    return [
        text.id,
        text.text,
        text.language,
        text.categories,
        None if capacity is None else [capacity.value, capacity.unit],
        text.lead_time_days,
        text.sample_days,
        sorted(text.cooperation_kinds),
    ]


def offer_from_json(line: str) -> Offer:
    id_, kind, group, country, place, certifications, qualifications, texts = json.loads(line)
    regions, groups, longitude, latitude, about = place
    return Offer(
        id=id_,
        kind=kind,
        texts=tuple(_text(*text) for text in texts),
        group=group,
        certifications=tuple(Held(*held) for held in certifications),
        qualifications=tuple(Held(*held) for held in qualifications),
        place=Place(tuple(regions), frozenset(groups), longitude, latitude, about),
        country=country,
    )


def _text(
    id_: int,
    text: str,
    language: str,
    categories: Sequence[str],
    capacity: Sequence[Any] | None,
    lead_time_days: int | None,
    sample_days: int | None,
    cooperation_kinds: Sequence[str],
) -> OfferText:
    return OfferText(
        id=id_,
        text=text,
        language=language,
        categories=tuple(categories),
        capacity=None if capacity is None else Capacity(*capacity),
        lead_time_days=lead_time_days,
        sample_days=sample_days,
        cooperation_kinds=frozenset(cooperation_kinds),
    )
