"""What is drawn on paper: lines of text that fit, codes, and fonts for two scripts."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

import segno
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# Readers of PDF and printers bring these along; they are not in the file (ADR 23).
CHINESE, LATIN, LATIN_BOLD = "STSong-Light", "Helvetica", "Helvetica-Bold"
pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
# The one of the installation, if it has one: in the file, for both scripts.
OWN = "Own"

# What printers of type set for a character they lack.
LACKING = "〓"
CUT = "…"
# Above it a line may break behind any letter.
LAST_LATIN = 0x24F
A4 = (210.0, 297.0)


def lacks(text: str) -> bool:
    """Whether the file cannot show a character of it; a browser may."""
    return LACKING in shown(text)


def both(words: str, **values: str) -> str:
    """Fixed words in both languages, Chinese first: paper has no language of its own."""
    with translation.override("zh-hans"):
        chinese = gettext(words)
    return f"{chinese % values} {words % values}" if values else f"{chinese} {words}"


class Sheets:
    """A file of pages of one size."""

    def __init__(self, size: tuple[float, float], title: str) -> None:
        self._file = io.BytesIO()
        self.size = size
        self.canvas = Canvas(self._file, pagesize=(size[0] * mm, size[1] * mm), lang="zh-CN")
        self.canvas.setTitle(shown(title))

    def next(self) -> None:
        self.canvas.showPage()

    def block(self, left: float, top: float, width: float, height: float) -> Block:
        """Part of a page, in mm from its lower left corner."""
        return Block(self.canvas, left * mm, top * mm, width * mm, height * mm)

    def done(self) -> bytes:
        self.canvas.save()
        return self._file.getvalue()


class Block:
    """Written from its top downwards; `y` is where it stands."""

    def __init__(
        self,
        canvas: Canvas,
        left: float,
        top: float,
        width: float,
        height: float,
        margin: float = 0,
    ) -> None:
        self.canvas, self.left, self.top, self.width, self.height = canvas, left, top, width, height
        self.margin = margin
        self.y = top

    def frame(self, *, is_dashed: bool = False) -> None:
        if is_dashed:
            self.canvas.setDash(2, 2)
        self.canvas.setLineWidth(0.3)
        self.canvas.rect(self.left, self.top - self.height, self.width, self.height)
        self.canvas.setDash()

    def rule(self) -> None:
        self.canvas.setLineWidth(0.5)
        right = self.left + self.width - self.margin
        self.canvas.line(self.left + self.margin, self.y, right, self.y)

    def down(self, length: float) -> None:
        self.y -= length * mm

    def code(self, text: str, said: str, left: float, top: float, size: float) -> None:
        """A code to scan, with what can be typed instead below it."""
        code = segno.make(text, error="m", micro=False)
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
        if said:
            size_below = 9.0
            start = left + (size - width_of(said, size_below, bold=False)) / 2
            self._line(said, start, top - size - 2 * mm, size_below, bold=False)

    def lines(
        self,
        text: str,
        size: float,
        *,
        most: int,
        width: float = 0,
        least: float = 0,
        bold: bool = False,
        is_centred: bool = False,
    ) -> None:
        """At most so many lines, in smaller type if need be, the rest cut off."""
        text = shown(text)
        if not text:
            return
        width = width or self.width - 2 * self.margin
        size, found = broken(text, width, (size, least or size), most, bold)
        for line in map(str.strip, found):
            self.y -= size * 1.15
            start = (width - width_of(line, size, bold)) / 2 if is_centred else 0
            self._line(line, self.left + self.margin + start, self.y, size, bold)

    def _line(self, text: str, x: float, y: float, size: float, bold: bool) -> None:
        self.canvas.saveState()
        said = self.canvas.beginText(x, y)
        for font, part in runs(text, bold):
            said.setFont(font, size)
            # There is no bold of these: a thin line around it makes one.
            said.setTextRenderMode(2 if bold and font in (CHINESE, OWN) else 0)
            said.textOut(part)
        self.canvas.setLineWidth(size / 60)
        self.canvas.drawText(said)
        self.canvas.restoreState()


def shown(text: str) -> str:
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
    """The font that has it; none where the file cannot show it."""
    if own := _own_font():
        return OWN if ord(character) in own.face.charToGlyph else ""
    if character.isascii() or (character.isalpha() and _is_in(character, "cp1252")):
        return LATIN
    return CHINESE if _is_in(character, "gbk") else ""


@lru_cache(maxsize=1)
def _own_font() -> TTFont | None:
    """What the installation names; it goes into the file as far as it is used."""
    if not settings.PRINT_FONT:
        return None
    font = TTFont(OWN, settings.PRINT_FONT)
    pdfmetrics.registerFont(font)
    return font


def _is_in(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def runs(text: str, bold: bool) -> Iterator[tuple[str, str]]:
    """Pieces of one font each."""
    for font, part in groupby(text, _font):
        yield (LATIN_BOLD if bold and font == LATIN else font or CHINESE), "".join(part)


def width_of(text: str, size: float, bold: bool) -> float:
    return size * sum(_advance(character, bold) for character in text)


@lru_cache(maxsize=8192)
def _advance(character: str, bold: bool) -> float:
    [(font, _character)] = runs(character, bold)
    return float(pdfmetrics.stringWidth(character, font, 1))


def _words(text: str) -> Iterator[str]:
    """Where a line may break: behind a blank or hyphen, and behind each character that is not Latin."""
    word = ""
    for character in text:
        word += character
        if character in " -" or ord(character) > LAST_LATIN:
            yield word
            word = ""
    yield word


def broken(
    text: str, width: float, sizes: tuple[float, float], most: int, bold: bool
) -> tuple[float, list[str]]:
    """The type and the lines: rather small on one line than large on two."""
    largest, least = sizes
    for allowed in range(1, most + 1):
        size = largest
        while size >= least:
            if len(found := _wrapped(text, width, size, bold)) <= allowed:
                return size, found
            size -= 0.5
    last = cut("".join(found[most - 1 :]), width, least, bold)
    return least, [*found[: most - 1], last]


def _wrapped(text: str, width: float, size: float, bold: bool) -> list[str]:
    found = [""]
    for word in _words(text):
        if found[-1] and width_of(found[-1] + word.rstrip(), size, bold) > width:
            found.append("")
        found[-1] += word
        while width_of(found[-1].rstrip(), size, bold) > width and len(found[-1]) > 1:
            fitting = _fitting(found[-1], width, size, bold)
            found[-1:] = [found[-1][:fitting], found[-1][fitting:]]
    return [line for line in found if line.strip()]


def _fitting(text: str, width: float, size: float, bold: bool) -> int:
    """How many characters of it fit, at least one."""
    count, used = 0, 0.0
    for character in text:
        used += width_of(character, size, bold)
        if used > width:
            break
        count += 1
    return max(1, count)


def cut(text: str, width: float, size: float, bold: bool) -> str:
    if width_of(text, size, bold) <= width:
        return text
    return text[: _fitting(text, width - width_of(CUT, size, bold), size, bold)] + CUT
