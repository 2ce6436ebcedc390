"""Lines of a requirement's form that are split, put together or changed at once, before anything is read or judged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from django.http import QueryDict

from chains.errors import DomainError
from chains.models import Requirement
from chains.quantities import parse_figure
from chains.searchtext import fold

FIELDS = ("text", "category", "quantity", "unit", "period", "specification", "needed_by_on")
BULK = ("category", "unit", "period", "needed_by_on")
VERBS = ("split", "merge", "bulk")
# Python reads no number of thousands of digits, and writes one with an exponent out in full.
_INDEX = re.compile(r"[0-9]{1,9}")
_PARTS = re.compile(r"\s*(?:[、;；\n]|,\s|，|\s和\s|\s+and\s+)\s*")


def rearranged(posted: QueryDict) -> QueryDict:
    """What was posted, with its rows as the button asked; the rest as it came."""
    data = posted.copy()
    before = _indices(data)
    led = {index: index for index in before}
    if "split" in data:
        after = _split(data, before, data.get("split", "").rpartition("-")[2])
    elif "merge" in data:
        after = _merge(data, before, led)
    else:
        after = before
        _bulk(data, before)
    data.setlist("line", after)
    _renumber(data, before, after, led)
    return data


def _indices(data: QueryDict) -> list[str]:
    return [i for i in dict.fromkeys(data.getlist("line")) if _INDEX.fullmatch(i)]


def _marked(data: QueryDict, rows: Iterable[str]) -> list[str]:
    marked = set(data.getlist("marked"))
    return [index for index in rows if index in marked]


def _split(data: QueryDict, rows: list[str], asked: str) -> list[str]:
    """One row for each product that is named; one that names a single product stands twice, to be changed."""
    if asked not in rows:
        return rows
    text = data.get(f"line-{asked}-text", "")
    parts = [part for part in _PARTS.split(text) if part] or [text]
    parts = parts if len(parts) > 1 else [text, text]
    free = 1 + max(map(int, rows))
    room = max(0, Requirement.MAX_LINES - len(rows))
    fresh = [str(free + n) for n in range(min(len(parts) - 1, room))]
    for index, part in zip([asked, *fresh], parts, strict=False):
        for name in FIELDS:
            data[f"line-{index}-{name}"] = data.get(f"line-{asked}-{name}", "")
        data[f"line-{index}-text"] = part
    at = rows.index(asked) + 1
    return [*rows[:at], *fresh, *rows[at:]]


def _merge(data: QueryDict, rows: list[str], led: dict[str, str]) -> list[str]:
    """The first of the marked rows takes in the others: the same product adds up, nothing that was typed is lost."""
    first, *others = _marked(data, rows) or [""]
    for index in others:
        texts = [data.get(f"line-{one}-text", "").strip() for one in (first, index)]
        extra = [data.get(f"line-{index}-specification", "").strip()]
        if fold(texts[0]) != fold(texts[1]) and texts[1]:
            data[f"line-{first}-text"] = "、".join(filter(None, texts))[:500]
        total = _sum(data, first, index)
        if total is None:
            words = (data.get(f"line-{index}-{name}", "").strip() for name in ("quantity", "unit"))
            extra.append(" ".join(filter(None, words)))
        else:
            data[f"line-{first}-quantity"] = total
        kept = data.get(f"line-{first}-specification", "").strip()
        new = [one for one in extra if one and fold(one) not in fold(kept)]
        data[f"line-{first}-specification"] = "; ".join(filter(None, [kept, *new]))[:1000]
        led[index] = first
    return [index for index in rows if index not in others]


def _sum(data: QueryDict, first: str, other: str) -> str | None:
    same = all(
        data.get(f"line-{first}-{name}", "") == data.get(f"line-{other}-{name}", "")
        for name in ("unit", "period")
    )
    if not same:
        return None
    try:
        figures = [parse_figure(data.get(f"line-{one}-quantity", "")) for one in (first, other)]
    except DomainError:
        return None  # both stay as they were typed; the form asks about them
    total = sum(figure or Decimal(0) for figure in figures)
    return f"{total:f}" if total else ""  # of two lines without a quantity there is none


def _bulk(data: QueryDict, rows: list[str]) -> None:
    """What is filled in goes into the marked rows, into all where none is marked."""
    for index in _marked(data, rows) or rows:
        for name in BULK:
            if value := data.get(f"all-{name}", "").strip():
                data[f"line-{index}-{name}"] = value
                if name == "category":
                    data.setlist(f"line-{index}-picked", [])


def _renumber(data: QueryDict, before: list[str], after: list[str], led: dict[str, str]) -> None:
    """Conditions of one line say which by its place among those that are filled in."""
    old = [index for index in before if data.get(f"line-{index}-text", "").strip()]
    new = [index for index in after if data.get(f"line-{index}-text", "").strip()]
    for row in data.getlist("condition"):
        place = data.get(f"condition-{row}-line", "")
        if _INDEX.fullmatch(place) and 0 < int(place) <= len(old):
            kept = led[old[int(place) - 1]]
            if kept in new:
                data[f"condition-{row}-line"] = str(new.index(kept) + 1)
