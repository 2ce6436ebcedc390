"""Badges as a file for printers: eight on a sheet of A4, or one on each label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from reportlab.lib.units import mm

from events.models import Delegate, Event
from events.typesetting import Block, Sheets

MARGIN = 4


class Paper(NamedTuple):
    """Lengths in mm."""

    page: tuple[float, float]
    card: tuple[float, float]
    columns: int
    rows: int
    gaps: tuple[float, float]

    @property
    def is_upright(self) -> bool:
        return self.card[1] > self.card[0]


PAPERS = {
    "a4": Paper((210, 297), (90, 60), 2, 4, (2, 4)),
    "90x55": Paper((90, 55), (90, 55), 1, 1, (0, 0)),
    "62x100": Paper((62, 100), (62, 100), 1, 1, (0, 0)),
}


def link_of(person: Delegate) -> str:
    """What stands in the code of a badge."""
    return settings.SITE_URL + reverse("events:badge", args=[person.token])


def draw(*, event: Event, people: Iterable[Delegate], paper: Paper) -> bytes:
    """Of delegates with their registration, enterprise and its kind."""
    sheets = Sheets(paper.page, f"{event.name_zh} · {event.name_en}")
    places = list(_places(paper))
    for number, person in enumerate(people):
        if number and number % len(places) == 0:
            sheets.next()
        card = sheets.block(*places[number % len(places)], *paper.card)
        card.margin = MARGIN * mm
        if len(places) > 1:
            card.frame(is_dashed=True)  # where to cut
        _write(card, event, person, is_upright=paper.is_upright)
    return sheets.done()


def _places(paper: Paper) -> Iterator[tuple[float, float]]:
    """Left and top edge of each card, from the lower left corner of the page as PDF counts."""
    (width, height), (across, down) = paper.card, paper.gaps
    left = (paper.page[0] - paper.columns * width - (paper.columns - 1) * across) / 2
    top = (paper.page[1] + paper.rows * height + (paper.rows - 1) * down) / 2
    for row in range(paper.rows):
        for column in range(paper.columns):
            yield left + column * (width + across), top - row * (height + down)


def _write(card: Block, event: Event, person: Delegate, *, is_upright: bool) -> None:
    enterprise = person.registration.enterprise
    inner = card.width - 2 * MARGIN * mm
    code = 30 * mm if is_upright else 26 * mm
    beside = inner if is_upright else inner - code - 3 * mm
    card.down(MARGIN)
    card.lines(event.name_zh, 8, most=2 if is_upright else 1)
    card.lines(event.name_en, 7, most=2 if is_upright else 1)
    card.down(2)
    above = card.y
    card.lines(person.name, 22, width=beside, least=13, most=2, bold=True)
    card.down(1)
    card.lines(person.job_title, 8, width=beside, most=1)
    card.down(1)
    card.lines(enterprise.name, 10, width=beside, least=8, most=2, bold=True)
    card.lines(enterprise.name_en, 7.5, width=beside, least=6.5, most=2)
    foot = card.top - card.height + MARGIN * mm
    if is_upright:
        left, top = card.left + (card.width - code) / 2, foot + 7 * mm + code
    else:
        left, top = card.left + card.width - MARGIN * mm - code, above + 1 * mm
    card.code(link_of(person), person.short_code, left, top, code)
    card.y = foot + MARGIN * mm
    card.rule()
    card.y = foot + 3 * mm
    card.lines(f"{enterprise.kind.name_zh} · {enterprise.kind.name_en}", 8, most=1)
