"""Badges as a file for printers: eight on a sheet of A4, or one on each label."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import segno
from django.conf import settings
from django.urls import reverse
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from events.models import Delegate, Event

# Readers of PDF and printers bring the Chinese one along; it is not in the file (ADR 23).
CHINESE, LATIN, LATIN_BOLD = "STSong-Light", "Helvetica", "Helvetica-Bold"
pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))

# What printers of type set for a character they lack.
LACKING = "〓"
CUT = "…"


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


def lacks(text: str) -> bool:
    """Whether the file cannot show a character of it; a browser may."""
    return LACKING in _shown(text)


def draw(*, event: Event, people: Iterable[Delegate], paper: Paper) -> bytes:
    """Of delegates with their registration, enterprise and its kind."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(paper.page[0] * mm, paper.page[1] * mm), lang="zh-CN")
    canvas.setTitle(_shown(f"{event.name_zh} · {event.name_en}"))
    places = list(_places(paper))
    number = 0
    for number, person in enumerate(people):
        if number and number % len(places) == 0:
            canvas.showPage()
        left, top = places[number % len(places)]
        card = _Card(canvas, left * mm, top * mm, paper.card[0] * mm, paper.card[1] * mm)
        if len(places) > 1:
            card.frame()
        card.write(event, person, is_upright=paper.is_upright)
    canvas.save()
    return file.getvalue()


def _places(paper: Paper) -> Iterator[tuple[float, float]]:
    """Left and top edge of each card, from the lower left corner of the page as PDF counts."""
    (width, height), (across, down) = paper.card, paper.gaps
    left = (paper.page[0] - paper.columns * width - (paper.columns - 1) * across) / 2
    top = (paper.page[1] + paper.rows * height + (paper.rows - 1) * down) / 2
    for row in range(paper.rows):
        for column in range(paper.columns):
            yield left + column * (width + across), top - row * (height + down)


class _Card:
    def __init__(
        self, canvas: Canvas, left: float, top: float, width: float, height: float
    ) -> None:
        self.canvas, self.left, self.top, self.width, self.height = canvas, left, top, width, height
        self.y = top - 4 * mm

    def frame(self) -> None:
        """Where to cut."""
        self.canvas.setDash(2, 2)
        self.canvas.setLineWidth(0.3)
        self.canvas.rect(self.left, self.top - self.height, self.width, self.height)
        self.canvas.setDash()

    def write(self, event: Event, person: Delegate, *, is_upright: bool) -> None:
        enterprise = person.registration.enterprise
        inner = self.width - 8 * mm
        code = 30 * mm if is_upright else 26 * mm
        beside = inner if is_upright else inner - code - 3 * mm
        self.lines(event.name_zh, inner, 8, most=2 if is_upright else 1)
        self.lines(event.name_en, inner, 7, most=2 if is_upright else 1)
        self.y -= 2 * mm
        above = self.y
        self.lines(person.name, beside, 22, least=13, most=2, bold=True)
        self.y -= 1 * mm
        self.lines(person.job_title, beside, 8, most=1)
        self.y -= 1 * mm
        self.lines(enterprise.name, beside, 10, least=8, most=2, bold=True)
        self.lines(enterprise.name_en, beside, 7.5, least=6.5, most=2)
        foot = self.top - self.height + 4 * mm
        if is_upright:
            self.code(person, self.left + (self.width - code) / 2, foot + 7 * mm + code, code)
        else:
            self.code(person, self.left + self.width - 4 * mm - code, above + 1 * mm, code)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(self.left + 4 * mm, foot + 4 * mm, self.left + self.width - 4 * mm, foot + 4 * mm)  # fmt: skip
        self.y = foot + 3 * mm
        self.lines(f"{enterprise.kind.name_zh} · {enterprise.kind.name_en}", inner, 8, most=1)

    def code(self, person: Delegate, left: float, top: float, size: float) -> None:
        code = segno.make(link_of(person), error="m", micro=False)
        cell = size / code.symbol_size(border=2)[0]
        path = self.canvas.beginPath()
        for y, row in enumerate(code.matrix_iter(border=2)):
            x = 0
            for value, cells in groupby(row):
                run = len(list(cells))
                if value:
                    path.rect(left + x * cell, top - (y + 1) * cell, run * cell, cell)
                x += run
        self.canvas.drawPath(path, stroke=0, fill=1)
        said = person.short_code
        self.canvas.setFont(LATIN, 9)
        self.canvas.drawCentredString(left + size / 2, top - size - 2 * mm, said)

    def lines(
        self, text: str, width: float, size: float, *, most: int, least: float = 0, bold: bool = False
    ) -> None:  # fmt: skip
        """At most so many lines, in smaller type if need be, the rest cut off."""
        text = _shown(text)
        if not text:
            return
        size, broken = _set(text, width, (size, least or size), most, bold)
        for line in broken:
            self.y -= size * 1.15
            self._line(line.strip(), size, bold)

    def _line(self, text: str, size: float, bold: bool) -> None:
        self.canvas.saveState()
        said = self.canvas.beginText(self.left + 4 * mm, self.y)
        for font, part in _runs(text, bold):
            said.setFont(font, size)
            # There is no bold Chinese among the fonts of readers: a thin line around it makes one.
            said.setTextRenderMode(2 if bold and font == CHINESE else 0)
            said.textOut(part)
        self.canvas.setLineWidth(size / 60)
        self.canvas.drawText(said)
        self.canvas.restoreState()


def _shown(text: str) -> str:
    """One line of what the fonts have: nothing that steers a terminal or the direction of writing."""
    kept = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    visible = "".join(c for c in kept if not unicodedata.category(c).startswith("C"))
    return "".join(_nearest(c) for c in " ".join(visible.split()))


def _nearest(character: str) -> str:
    """The letter without its marks where the fonts have it only so, as passports write it."""
    bare = unicodedata.normalize("NFD", character)[0]
    return next((c for c in (character, bare) if _font(c)), LACKING)


@lru_cache(maxsize=8192)
def _font(character: str) -> str:
    if character.isascii():
        return LATIN
    if character.isalpha() and _is_in(character, "cp1252"):
        return LATIN
    return CHINESE if _is_in(character, "gbk") else ""


def _is_in(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _runs(text: str, bold: bool) -> Iterator[tuple[str, str]]:
    for font, part in groupby(text, _font):
        yield (LATIN_BOLD if bold and font == LATIN else font or CHINESE), "".join(part)


def _width(text: str, size: float, bold: bool) -> float:
    return size * sum(_advance(character, bold) for character in text)


@lru_cache(maxsize=8192)
def _advance(character: str, bold: bool) -> float:
    [(font, _character)] = _runs(character, bold)
    return float(pdfmetrics.stringWidth(character, font, 1))


def _words(text: str) -> Iterator[str]:
    """Where a line may break: behind a blank, and behind each character that is not Latin."""
    word = ""
    for character in text:
        word += character
        if character == " " or _font(character) != LATIN:
            yield word
            word = ""
    yield word


def _set(
    text: str, width: float, sizes: tuple[float, float], most: int, bold: bool
) -> tuple[float, list[str]]:
    """The type and the lines: rather small on one line than large on two."""
    largest, least = sizes
    for allowed in range(1, most + 1):
        size = largest
        while size >= least:
            if len(found := _broken(text, width, size, bold)) <= allowed:
                return size, found
            size -= 0.5
    last = _cut("".join(found[most - 1 :]), width, least, bold)
    return least, [*found[: most - 1], last]


def _broken(text: str, width: float, size: float, bold: bool) -> list[str]:
    found = [""]
    for word in _words(text):
        if found[-1] and _width(found[-1] + word.rstrip(), size, bold) > width:
            found.append("")
        found[-1] += word
        while _width(found[-1].rstrip(), size, bold) > width and len(found[-1]) > 1:
            fitting = _fitting(found[-1], width, size, bold)
            found[-1:] = [found[-1][:fitting], found[-1][fitting:]]
    return [line for line in found if line.strip()]


def _fitting(text: str, width: float, size: float, bold: bool) -> int:
    """How many characters of it fit, at least one."""
    count, used = 0, 0.0
    for character in text:
        used += _width(character, size, bold)
        if used > width:
            break
        count += 1
    return max(1, count)


def _cut(text: str, width: float, size: float, bold: bool) -> str:
    if _width(text, size, bold) <= width:
        return text
    return text[: _fitting(text, width - _width(CUT, size, bold), size, bold)] + CUT
