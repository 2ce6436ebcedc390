"""Tables in HTML, and spreadsheets in XML of 2003: what web systems call .xls."""

from __future__ import annotations

import binascii
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from chains.spreadsheets.container import too_much

MAX_TABLES = 20
MAX_CELLS = 150_000
# Of all tables but the largest.
MAX_CELLS_BESIDE = 60_000
_MOST_MARKS = 800_000
_LONGEST = 32_767  # characters in a cell of a workbook
# What one cell may span. A table that says more is laid out as if it said this.
_MOST_SPANNED = 200
_ATTRIBUTES = 2000

_ENCODING = re.compile(rb"(?:encoding|charset)\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})")
# Those that browsers know. Python has more, and some of them take hours for what a stranger can write.
_KNOWN = re.compile(
    r"utf-?8|utf-?16(?:-?[lb]e)?|gb18030|big5(?:-hkscs)?|shift_jis|euc-(?:jp|kr)|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|us-ascii"
)
_NAME = re.compile(r"(?P<end>/?)(?:[A-Za-z][A-Za-z0-9]*:)?(?P<name>[A-Za-z][A-Za-z0-9]*)")
_UNREAD = frozenset(("script", "style", "xml", "styles", "documentproperties"))
_CLOSING = {
    name: re.compile(rf"</(?:[a-z]+:)?{name}\s*>", re.IGNORECASE) for name in sorted(_UNREAD)
}
_LINES = frozenset(("br", "p", "div", "li"))


@dataclass(slots=True)
class Sheet:
    name: str
    rows: list[list[str]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    too_large: str = ""
    # Columns that cells of rows above reach into: column → last row.
    reached: dict[int, int] = field(default_factory=dict)
    column: int = 0
    cells: int = 0


def encoding_of(data: bytes) -> str:
    """What the file says of itself; what it says may be wrong."""
    found = _ENCODING.search(data[:4096])
    name = found[1].decode("ascii").lower() if found else ""
    if name in {"gb2312", "gbk", "x-gbk"}:
        return "gb18030"
    return name if _KNOWN.fullmatch(name) else ""


# A page saved with all that belongs to it, as a letter: its parts, each under a head of a few lines.
_BOUNDARY = re.compile(rb"boundary=\s*\"?([^\"\s;]{1,70})", re.IGNORECASE)
_CODED = re.compile(rb"content-transfer-encoding:\s*([a-z0-9-]{1,20})", re.IGNORECASE)


def page_within(data: bytes) -> bytes:
    """The page of a letter that holds one; else the data as they are."""
    head = data[:4096]
    boundary = _BOUNDARY.search(head)
    if not head.lstrip().lower().startswith(b"mime-version") or boundary is None:
        return data
    for part in islice(data.split(b"--" + boundary[1], MAX_TABLES), MAX_TABLES):
        about, _blank, body = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if b"text/html" not in about.lower()[:2000] or not body:
            continue
        coded = _CODED.search(about[:2000])
        kind = coded[1].lower() if coded else b""
        charset = _ENCODING.search(about[:2000])
        if kind == b"quoted-printable":
            body = quopri.decodestring(body)
        elif kind == b"base64":
            body = binascii.a2b_base64(body)
        # Its own head says the encoding where the page does not.
        return body if encoding_of(body) or charset is None else b"<!-- %b -->" % charset[0] + body
    return data


def read_tables(text: str, *, max_rows: int, max_columns: int) -> list[Sheet]:
    """Its tables in the order in which they begin, those within others on their own. One pass, whatever the text is:
    a mark that is never closed ends the reading."""
    reading = _Reading(max_rows, max_columns)
    for name, attributes, words in islice(_pieces(text), _MOST_MARKS):
        if not reading.take(name, attributes, words):
            break
    reading.end_cell()
    return [sheet for sheet in reading.sheets if len(sheet.rows) > 1]


def _pieces(text: str) -> Iterator[tuple[str, str, str]]:
    """(name of a mark, its attributes, "") or ("", "", words)."""
    at = 0
    while at < len(text):
        start = text.find("<", at)
        words = text[at : start if start >= 0 else len(text)]
        if words:
            yield "", "", words
        close = "-->" if text.startswith("<!--", start) else ">"
        end = text.find(close, start + 1) if start >= 0 else -1
        if end < 0:
            return
        at = end + len(close)
        found = _NAME.match(text, start + 1, end)
        if found is None:
            continue
        name = found["name"].lower()
        yield found["end"] + name, text[found.end() : min(end, found.end() + _ATTRIBUTES)], ""
        if name in _UNREAD and not found["end"] and text[end - 1] != "/":
            closing = _CLOSING[name].search(text, at)
            at = closing.end() if closing else len(text)


_PLACES = re.compile(r"span|index|merge", re.IGNORECASE)


def _number(attributes: str, name: str, otherwise: int) -> int:
    if not attributes:
        return otherwise
    found = re.search(rf"(?:^|[\s:]){name}\s*=\s*[\"']?\s*(\d{{1,7}})", attributes, re.IGNORECASE)
    return int(found[1]) if found else otherwise


class _Reading:
    def __init__(self, max_rows: int, max_columns: int) -> None:
        self.max_rows, self.max_columns = max_rows, max_columns
        self.sheets: list[Sheet] = []
        self.open: list[Sheet] = []
        self.name = ""
        self.cell: list[str] | None = None
        self.cells = self.largest = 0
        self.spans = (1, 1)

    def take(self, name: str, attributes: str, words: str) -> bool:
        """Whether there is more to read."""
        if not name:
            if self.cell is not None:
                self.cell.append(words)
        elif name == "worksheet":
            found = re.search(r"(?:^|[\s:])Name\s*=\s*\"([^\"]{0,60})\"", attributes)
            self.name = html.unescape(found[1]) if found else ""
        elif name == "table":
            self.end_cell()
            if len(self.sheets) >= MAX_TABLES:
                return False
            self.sheets.append(Sheet(self.name or str(len(self.sheets) + 1)))
            self.open.append(self.sheets[-1])
        elif name == "/table":
            self.end_cell()
            del self.open[-1:]
        elif self.open:
            return self._within(self.open[-1], name, attributes)
        return True

    def _within(self, sheet: Sheet, name: str, attributes: str) -> bool:
        if name in {"tr", "row"}:
            self.end_cell()
            self._row(sheet, attributes)
        elif name in {"td", "th", "cell"}:
            self.end_cell()
            self._cell(sheet, name, attributes)
        elif name in {"/td", "/th", "/cell", "/tr", "/row"}:
            self.end_cell()
        elif name in _LINES and self.cell is not None:
            self.cell.append("\n")
        elif name == "comment":
            self.end_cell()
        return not sheet.too_large

    def _row(self, sheet: Sheet, attributes: str) -> None:
        index = _number(attributes, "index", len(sheet.rows) + 1)
        if index > self.max_rows:
            sheet.too_large = "too_long"
            return
        while len(sheet.rows) < index:
            sheet.rows.append([])
        sheet.column = 0
        if re.search(r"display\s*:\s*none|\bhidden\s*=\s*[\"']?1", attributes, re.IGNORECASE):
            sheet.hidden.add(len(sheet.rows))

    def _cell(self, sheet: Sheet, name: str, attributes: str) -> None:
        if not sheet.rows:
            sheet.rows.append([])
        at = len(sheet.rows) - 1
        # Most cells stand where they are: nothing is looked for in them.
        places = attributes.lower() if _PLACES.search(attributes) else ""
        if not self._count(sheet, 2 if places else 1):
            return
        sheet.column = _number(places, "index", sheet.column + 1) - 1
        while sheet.reached.get(sheet.column, -1) >= at:
            sheet.column += 1
        more = 1 if name == "cell" else 0  # MergeAcross counts the others, colspan all
        right = _number(places, "mergeacross" if more else "colspan", 1 - more) + more
        down = _number(places, "mergedown" if more else "rowspan", 1 - more) + more
        self.spans = (min(max(down, 1), self.max_rows), min(max(right, 1), _MOST_SPANNED))
        if sheet.column + self.spans[1] > self.max_columns:
            sheet.too_large = "too_wide"
            return
        self.cell = []

    def _count(self, sheet: Sheet, cells: int) -> bool:
        self.cells += cells
        sheet.cells += cells
        self.largest = max(self.largest, sheet.cells)
        if self.cells - self.largest > MAX_CELLS_BESIDE:
            raise too_much()
        if self.cells > MAX_CELLS:
            sheet.too_large = "too_long"
        return not sheet.too_large

    def end_cell(self) -> None:
        if self.cell is None or not self.open:
            self.cell = None
            return
        sheet, (down, right) = self.open[-1], self.spans
        words = "".join(self.cell)[:_LONGEST]
        if words:
            lines = html.unescape(words).split("\n")
            words = "\n".join(" ".join(line.split()) for line in lines).strip()
        row = sheet.rows[-1]
        # Places that are passed over are laid out too.
        self._count(sheet, (sheet.column - len(row)) // 10 if sheet.column > len(row) else 0)
        row.extend([""] * (sheet.column + 1 - len(row)))
        row[sheet.column] = words
        at = len(sheet.rows) - 1
        if down > 1 or right > 1:
            sheet.merged.append((at, sheet.column, at + down - 1, sheet.column + right - 1))
        if down > 1:
            for column in range(sheet.column, sheet.column + right):
                sheet.reached[column] = at + down - 1
        sheet.column += right
        self.cell = None
