"""Offers as lines of JSON, for the saved index. Lists by position: names would be half of the file.

Reading all of them would take most of a start, and few are asked for in the first minutes: each is read when it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from mmap import mmap
from typing import Any, overload

from matchmaking.engine.types import Capacity, Held, Offer, OfferText, Place


class KeptOffers(MutableMapping[int, Offer]):
    """Offers by id, in the order in which they came; `lines` are those kept in a file, one after the other."""

    def __init__(
        self, ids: Sequence[int] = (), lines: bytes | mmap = b"", starts: Sequence[int] = (0,)
    ) -> None:
        self._lines, self._starts = lines, starts
        self._place: dict[int, int | None] = dict(zip(ids, range(len(ids)), strict=True))
        self._read: dict[int, Offer] = {}

    def __getitem__(self, key: int) -> Offer:
        found = self._read.get(key)
        if found is None:
            place = self._place[key]
            assert place is not None  # what was put in is there
            line = self._lines[self._starts[place] : self._starts[place + 1]]
            found = self._read[key] = offer_from_json(line)
        return found

    def written(self, key: int) -> bytes:
        """The offer as it is kept; one that lies in the file is not read for it."""
        place = self._place[key]
        if place is None:
            return offer_to_json(self._read[key]).encode()
        return self._lines[self._starts[place] : self._starts[place + 1]].rstrip()

    def __setitem__(self, key: int, offer: Offer) -> None:
        self._place[key], self._read[key] = None, offer

    def __delitem__(self, key: int) -> None:
        del self._place[key]
        self._read.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._place

    def __iter__(self) -> Iterator[int]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


class KeptTexts(Sequence[OfferText]):
    """Texts by row, looked up in their offer when one is asked for. A row may outlive its offer; then nobody asks."""

    def __init__(
        self, offers: Mapping[int, Offer], owners: Sequence[int] = (), ids: Sequence[int] = ()
    ) -> None:
        self._offers, self._owners, self._ids = offers, list(owners), list(ids)
        self._found: list[OfferText | None] = [None] * len(self._ids)

    @overload
    def __getitem__(self, row: int) -> OfferText: ...
    @overload
    def __getitem__(self, row: slice) -> list[OfferText]: ...
    def __getitem__(self, row: int | slice) -> OfferText | list[OfferText]:
        if isinstance(row, slice):
            return [self[place] for place in range(*row.indices(len(self)))]
        found = self._found[row]
        if found is None:
            wanted = self._ids[row]
            texts = self._offers[self._owners[row]].texts
            found = self._found[row] = next(text for text in texts if text.id == wanted)
        return found

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, owners: Sequence[int], texts: Sequence[OfferText]) -> None:
        self._owners += owners
        self._ids += [text.id for text in texts]
        self._found += texts

    def keep(self, rows: Sequence[int]) -> None:
        """Lets go of all other rows; the numbers of those that stay move up."""
        for name in ("_owners", "_ids", "_found"):
            column = getattr(self, name)
            setattr(self, name, [column[row] for row in rows])


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


def offer_from_json(line: str | bytes) -> Offer:
    id_, kind, group, country, place, certifications, qualifications, texts = json.loads(line)
    regions, groups, longitude, latitude, about = place
    return Offer(
        id=id_,
        kind=kind,
        texts=tuple([_text(*text) for text in texts]),
        group=group,
        certifications=tuple([Held(*held) for held in certifications]),
        qualifications=tuple([Held(*held) for held in qualifications]),
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
