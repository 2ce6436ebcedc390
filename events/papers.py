"""What is printed for the hall as files: the sheet to sign, cards for the tables, posters with codes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.utils import timezone, translation
from django.utils.translation import gettext_noop
from reportlab.lib.units import mm

from chains.models import Requirement
from chains.templatetags.localised import day, quantity
from events.models import Delegate, Event, Listing, Registration
from events.statistics import Expected
from events.typesetting import A4, Block, Sheets, both

WIDTH, HEIGHT = A4
EDGE = 12.0
INNER = WIDTH - 2 * EDGE

# ---- the sheet to sign ----

ROW, HEAD = 11.0, 9.0
ROWS_ON_A_PAGE = 21
# Of the columns, in mm: number, body, person, job title, signature.
COLUMNS = (12.0, 62.0, 34.0, 34.0, INNER - 142.0)
TITLES = (
    gettext_noop("No."),
    gettext_noop("Enterprise"),
    gettext_noop("Person’s name"),
    gettext_noop("Job title"),
    gettext_noop("Signature"),
)


class Seat(NamedTuple):
    """A row of the sheet; its body stands in the first of a body's rows on each page."""

    number: int
    body: Any
    person: Delegate | None
    is_in: bool


def sign_in_sheet(*, event: Event, rows: Sequence[Expected], as_of: datetime.datetime) -> bytes:
    seats = list(_seats(rows))
    pages = max(1, -(-len(seats) // ROWS_ON_A_PAGE))
    sheets = Sheets(A4, f"{event.name_zh} · {both(gettext_noop('Sign-in sheet'))}")
    for number in range(pages):
        if number:
            sheets.next()
        top = _head_of_sheet(sheets, event, as_of, f"{number + 1} / {pages}")
        _rows_of_sheet(sheets, seats[number * ROWS_ON_A_PAGE : (number + 1) * ROWS_ON_A_PAGE], top)
    return sheets.done()


def _seats(rows: Iterable[Expected]) -> Iterator[Seat]:
    for number, row in enumerate(rows, 1):
        body = row.registration.enterprise
        for person in row.named:
            yield Seat(number, body, person, person.pk in row.inside)
        for _seat in row.unnamed:
            yield Seat(number, body, None, False)


def _head_of_sheet(sheets: Sheets, event: Event, as_of: datetime.datetime, page: str) -> float:
    block = sheets.block(EDGE, HEIGHT - EDGE, INNER, 30)
    block.lines(both(gettext_noop("Sign-in sheet")), 16, most=1, bold=True)
    block.down(1)
    block.lines(f"{event.name_zh} · {event.name_en}", 10, least=8, most=1)
    block.lines(f"{_moment(event.starts_at)} · {event.place}", 8, most=1)
    said = both(gettext_noop("as of %(at)s"), at=_moment(as_of))
    block.lines(f"{said} · {page}", 8, most=1)
    return block.y / mm - 3


def _rows_of_sheet(sheets: Sheets, seats: Sequence[Seat], top: float) -> None:
    _cells(sheets, top, HEAD, [both(title) for title in TITLES], bold=True)
    top -= HEAD
    start = 0
    while start < len(seats):
        number = seats[start].number
        rows = [seat for seat in seats[start:] if seat.number == number]
        tall = sheets.block(EDGE, top, COLUMNS[0], ROW * len(rows))
        _cell(tall, str(number))
        body = sheets.block(EDGE + COLUMNS[0], top, COLUMNS[1], ROW * len(rows))
        _cell(body, rows[0].body.name, rows[0].body.name_en, bold=True)
        for seat in rows:
            person = seat.person
            words = (
                person.name if person else "",
                person.job_title if person else "",
                _checked_in() if seat.is_in else "",
            )
            _cells(sheets, top, ROW, words, first=2)
            top -= ROW
        start += len(rows)


def _checked_in() -> str:
    with translation.override("zh-hans"):
        chinese = translation.pgettext("figure", "Checked in")
    return f"{chinese} Checked in"


def _cells(
    sheets: Sheets,
    top: float,
    height: float,
    words: Iterable[str],
    *,
    first: int = 0,
    bold: bool = False,
) -> None:
    left = EDGE + sum(COLUMNS[:first])
    for width, said in zip(COLUMNS[first:], words, strict=True):
        _cell(sheets.block(left, top, width, height), said, bold=bold)
        left += width


def _cell(block: Block, words: str, below: str = "", *, bold: bool = False) -> None:
    block.margin = 1.5 * mm
    block.frame()
    block.down(1)
    block.lines(words, 9, least=7, most=1 if below and below != words else 2, bold=bold)
    if below != words:
        block.down(0.5)
        block.lines(below, 7, least=6, most=1)


# ---- cards for the tables ----

PEOPLE = 8


class Card(NamedTuple):
    registration: Registration
    people: Sequence[Delegate]


def table_cards(*, event: Event, cards: Iterable[Card]) -> bytes:
    """A sheet of A4 for each, folded in the middle and read from both sides."""
    sheets = Sheets(A4, f"{event.name_zh} · {event.name_en}")
    for number, card in enumerate(cards):
        if number:
            sheets.next()
        _side(sheets.block(0, HEIGHT / 2, WIDTH, HEIGHT / 2), event, card)
        canvas = sheets.canvas
        canvas.saveState()
        canvas.translate(WIDTH * mm, HEIGHT * mm)
        canvas.rotate(180)
        _side(sheets.block(0, HEIGHT / 2, WIDTH, HEIGHT / 2), event, card)
        canvas.restoreState()
        canvas.setDash(2, 2)
        canvas.setLineWidth(0.3)
        canvas.line(0, HEIGHT / 2 * mm, WIDTH * mm, HEIGHT / 2 * mm)
        canvas.setDash()
    return sheets.done()


def _side(block: Block, event: Event, card: Card) -> None:
    enterprise = card.registration.enterprise
    block.margin = EDGE * mm
    block.down(EDGE)
    block.lines(f"{event.name_zh} · {event.name_en}", 11, least=8, most=2, is_centred=True)
    block.down(14 if len(card.people) > PEOPLE // 2 else 22)
    block.lines(enterprise.name, 40, least=24, most=2, bold=True, is_centred=True)
    block.down(2)
    if enterprise.name_en != enterprise.name:
        block.lines(enterprise.name_en, 18, least=12, most=2, is_centred=True)
    named = card.people[:PEOPLE]
    block.y = block.top - block.height + (EDGE + 8 * len(named)) * mm
    for person in named:
        words = f"{person.name}  {person.job_title}".strip()
        block.lines(words, 16, least=11, most=1, is_centred=True)
        block.down(1)


# ---- posters ----

LINES = 6


class Poster(NamedTuple):
    listing: Listing
    lines: Sequence[Any]
    more: int


def posters(*, event: Event, posters: Iterable[Poster]) -> bytes:
    """A requirement on each sheet of A4, in both languages, with the code to answer by."""
    sheets = Sheets(A4, f"{event.name_zh} · {event.name_en}")
    for number, poster in enumerate(posters):
        if number:
            sheets.next()
        _poster(sheets, event, poster)
    return sheets.done()


CODE = 72.0


def _poster(sheets: Sheets, event: Event, poster: Poster) -> None:
    requirement, enterprise = poster.listing.requirement, poster.listing.requirement.enterprise
    block = sheets.block(EDGE, HEIGHT - EDGE, INNER, HEIGHT - 2 * EDGE)
    block.lines(event.name_zh, 13, least=10, most=1)
    block.lines(event.name_en, 13, least=10, most=1)
    date = timezone.localdate(event.starts_at).isoformat()
    block.lines(f"{date} · {event.place}", 13, least=10, most=1)
    block.down(3)
    block.rule()
    block.down(6)
    block.lines(enterprise.name, 24, least=16, most=2, bold=True)
    if enterprise.name_en != enterprise.name:
        block.lines(enterprise.name_en, 16, least=12, most=2)
    block.down(4)
    block.lines(requirement.title, 36, least=22, most=3, bold=True)
    block.down(4)
    for said in _facts(requirement):
        block.lines(said, 14, least=10, most=1)
    block.down(4)
    for line in poster.lines:
        with translation.override("zh-hans"):
            amount = quantity(line)
        block.lines(f"· {line.text}  {amount}".strip(), 14, least=10, most=1)
        block.down(1)
    if poster.more:
        block.lines(_and_more(poster.more), 14, most=1)
    foot = sheets.block(EDGE, EDGE + CODE, INNER, CODE)
    foot.code(poster.listing.address, "", foot.left, foot.top, CODE * mm)
    beside = sheets.block(EDGE + CODE + 8, EDGE + CODE - 14, INNER - CODE - 8, CODE)
    beside.lines(both(gettext_noop("Scan to answer")), 24, least=16, most=2, bold=True)
    beside.down(3)
    beside.lines(poster.listing.code.upper(), 36, most=1, bold=True)
    beside.down(3)
    beside.lines(poster.listing.address, 11, least=8, most=2)


def _and_more(count: int) -> str:
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            words = translation.ngettext(
                "and %(count)s more line", "and %(count)s more lines", count
            )
            said.append(words % {"count": count})
    return " · ".join(said)


def _facts(requirement: Requirement) -> Iterator[str]:
    if chain := requirement.chain:
        yield f"{chain.name_zh} · {chain.name_en}"
    if requirement.needed_by_on:
        said = []
        for language in ("zh-hans", "en"):
            with translation.override(language):
                words = translation.gettext("Needed by %(day)s")
                said.append(words % {"day": day(requirement.needed_by_on)})
        yield " · ".join(said)


def _moment(at: datetime.datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"
