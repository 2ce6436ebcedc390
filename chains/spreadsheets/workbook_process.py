"""Reads a workbook from standard input and writes its sheets as lines of JSON; run as a program.

A process of its own, because the reader is native code that lays a sheet out as a full rectangle: two cells
in opposite corners ask for 500 GB, and a failed allocation there ends the process – which must not be a web
worker. It holds a limit on memory and on time, and knows nothing of Django or the database.
"""

from __future__ import annotations

import contextlib
import io
import json
import posixpath
import re
import resource
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from xml.parsers import expat

import python_calamine

MEMORY = 190 * 1024 * 1024
CPU_SECONDS = 8
# Of the whole file.
MAX_ELEMENTS = 1_400_000
# Cells of one sheet, the empty ones too, and of all beside the largest.
MAX_AREA = 1_500_000
MAX_AREA_BESIDE = 250_000
MAX_TEXT = 10_000_000
# Bytes of one remark or one attribute.
MAX_UNENDED = 2_000_000
# One form on each.
MAX_SHEETS = 100
# So many rows for one that is filled.
MAX_GAPS = 4
# Joined cells of all sheets. No cell lies in two of them, so a list has not more than it has rows, or than two rows of
# headers have columns.
MAX_MERGED = 30_000
# Seconds of the processor; of a list of 10,000 rows and 40 columns a third of one.
OPENED_WITHIN = 1.0


class Written(NamedTuple):
    text: int
    area: int
    merged: int


class RefusedError(Exception):
    """`code` is turned into a sentence by the caller, which knows the reader's language."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# A cell whose words are heard takes as long as so many elements more.
_HEARD = 2

# Stands for a formula whose result the file does not hold.
UNSAVED = "#FORMULA!"

# Cells as nearly all are: empty, or with a column, a row and something the reader tells.
_PLAIN = re.compile(
    rb'<c r="(?:'
    rb'([A-Z]{1,3})([0-9]{1,7})"(?: s="[0-9]{1,6}")?(?: t="(?:s|n|str|b|inlineStr)")?(?: s="[0-9]{1,6}")?>(?:'
    rb'<v>[^<]*</v>|<is><t(?: xml:space="preserve")?>[^<]*</t></is>|'
    rb"<f(?: [^<>]*)?(?:/>|>[^<]*</f>)<v>[^<\s][^<]*</v>"
    rb')</c>|[A-Z]{1,3}[0-9]{1,7}"(?: s="[0-9]{1,6}")?/>)'
)
# A cell that does not begin with where it stands: it is the next.
_UNPLACED = re.compile(rb'<c(?=[\s/>])(?! r=")')


class Scan:
    """What the reader does not tell: hidden rows, cells with an error or an unsaved formula – and how far a sheet
    reaches, before it is laid out.

    A parser in Python is called for each element, a million times for a long list. So plain cells are taken out
    before, by a pattern: of them only their columns and rows have to be known.
    """

    __slots__ = (
        "_column", "_farthest", "_filled", "_heard", "_is_formula", "_is_struck", "_kind", "_last_filled",
        "_most_elements", "_reference", "_row", "_struck_formats", "_widest",
        "dropped", "elements", "hidden", "max_columns", "max_rows", "parser", "struck", "too_large",
    )  # fmt: skip

    def __init__(
        self,
        *,
        max_rows: int,
        max_columns: int,
        struck: frozenset[str] = frozenset(),
        most_elements: int = MAX_ELEMENTS,
    ) -> None:
        self.max_rows, self.max_columns = max_rows, max_columns
        self.hidden: list[int] = []
        # Rows all of whose filled cells are struck out; `struck_formats` are the formats that do it.
        self.struck: set[int] = set()
        self._struck_formats, self._is_struck = struck, False
        self.too_large = ""
        # (row, column) from 1 → what the cell shows
        self.dropped: dict[tuple[int, int], str] = {}
        self._kind, self._is_formula, self._heard = "", False, ""
        self._row = self._column = self._last_filled = 0
        # Rows with something in them, the one farthest down, and the column farthest to the right.
        self._filled: set[int] = set()
        self._farthest = self._widest = 0
        self._most_elements = most_elements
        self.elements = 0
        self._reference = ""
        self.parser: expat.XMLParserType | None = None

    def take(self, piece: bytes) -> bytes:
        """What of a piece of the part has to be parsed."""
        self._count(piece.count(b"<") - piece.count(b"</"))
        if self._struck_formats or _UNPLACED.search(piece):
            return piece
        parts = _PLAIN.split(piece)
        columns, rows = set(parts[1::3]) - {None}, set(parts[2::3]) - {None}
        if columns:
            self._reach(set(map(int, rows)), max(_column_number(one.decode()) for one in columns))
        return b"".join(parts[::3])

    def _count(self, elements: int) -> None:
        self.elements += elements
        if self.elements > self._most_elements:
            raise RefusedError("too_long")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self._start_cell(attributes)
        elif name in {"v", "is"}:
            self._start_value()
        elif name == "row":
            self._start_row(attributes)
        elif name == "f":
            self._count(_HEARD)
            self._is_formula = True

    def _start_cell(self, attributes: dict[str, str]) -> None:
        if self._is_formula or self._kind == "e":
            self.settle()
        self._column += 1
        self._reference = attributes.get("r", "")
        self._kind = attributes.get("t", "")
        if self._kind == "e":
            self._count(_HEARD)
        if self._struck_formats:
            self._is_struck = attributes.get("s", "0") in self._struck_formats

    def _start_value(self) -> None:
        if self.listens:
            self._listen(self.hear)
        self._place()
        if self._row != self._last_filled or self._column > self._widest:
            self._fill()
        elif self._struck_formats and not self._is_struck:
            self.struck.discard(self._row)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self.settle()
        self._row = _whole(attributes.get("r"), self._row + 1)
        self._column = 0
        if attributes.get("hidden") in {"1", "true"}:
            self.hidden.append(self._row)

    @property
    def listens(self) -> bool:
        """Whether what the cell says has to be heard: of most cells the reader tells it."""
        return self._kind == "e" or (self._is_formula and self._kind != "str")

    def _listen(self, heard: Callable[[str], None] | None) -> None:
        if self.parser is not None:
            self.parser.CharacterDataHandler = heard

    def hear(self, text: str) -> None:
        if self.listens:
            self._heard += text

    def settle(self) -> None:
        """The cell has ended."""
        shown = self._heard.strip()
        if self._kind == "e" or (self.listens and not shown):
            self._place()
            self.dropped[self._row, self._column] = shown or UNSAVED
            if self._row not in self._filled or self._column > self._widest:
                self._reach({self._row}, self._column)
        self._kind, self._is_formula, self._heard = "", False, ""
        self._listen(None)

    def _place(self) -> None:
        letters = self._reference.rstrip("0123456789")
        if letters:
            self._column = _column_number(letters)

    def _fill(self) -> None:
        row = self._row
        if row != self._last_filled:
            self._last_filled = row
            if self._is_struck:
                self.struck.add(row)
        elif not self._is_struck:
            self.struck.discard(row)
        self._reach({row}, self._column)

    def _reach(self, rows: set[int], column: int) -> None:
        self._filled |= rows
        self._farthest = max(self._farthest, *rows)
        self._widest = max(self._widest, column)
        if len(self._filled) > self.max_rows or self._farthest * self._widest > MAX_AREA:
            raise RefusedError("too_long")
        if self._widest > self.max_columns:
            raise RefusedError("too_wide")


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 9 else otherwise


@lru_cache(maxsize=1000)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters[:3]:
        number = number * 26 + ord(letter) - 64
    return number


def _parser(start: Any) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    return parser


def _refuse_doctype(*_ignored: object) -> None:
    raise RefusedError("unreadable")


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    parser: expat.XMLParserType,
    take: Callable[[bytes], bytes] = bytes,
) -> None:
    with archive.open(part) as stream:
        fed = 0
        while chunk := stream.read(256 * 1024):
            taken = take(chunk)
            parser.Parse(taken, False)
            fed += len(taken)
            # What has no end yet is looked through anew each time.
            if fed - parser.CurrentByteIndex > MAX_UNENDED:
                raise RefusedError("unreadable")
    parser.Parse(b"", True)


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → its part in the archive, as the workbook says."""
    targets: dict[str, str] = {}
    parts: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet":
            identifier = next(
                (v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), ""
            )
            parts[attributes.get("name", "")] = posixpath.normpath(
                posixpath.join("/xl", targets.get(identifier, ""))
            ).lstrip("/")

    _parse(archive, "xl/_rels/workbook.xml.rels", _parser(relation))
    _parse(archive, "xl/workbook.xml", _parser(sheet))
    return parts


class Formats:
    """Which formats of cells, by their number, have a font that strikes the words out."""

    def __init__(self) -> None:
        self.struck: set[str] = set()
        self._fonts: set[int] = set()
        self._section, self._font, self._form = "", -1, -1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name in {"fonts", "cellXfs", "cellStyleXfs", "dxfs"}:
            self._section = name
        elif self._section == "fonts":
            self._font += name == "font"
            if name == "strike" and attributes.get("val", "1") not in {"0", "false"}:
                self._fonts.add(self._font)
        elif self._section == "cellXfs" and name == "xf":
            self._form += 1
            if _whole(attributes.get("fontId"), 0) in self._fonts:
                self.struck.add(str(self._form))


def _struck_formats(archive: zipfile.ZipFile) -> frozenset[str]:
    formats = Formats()
    try:
        _parse(archive, "xl/styles.xml", _parser(formats.start))
    except (KeyError, RefusedError, expat.ExpatError):
        return frozenset()
    return frozenset(formats.struck)


def _scan(archive: zipfile.ZipFile, part: str, scan: Scan) -> None:
    scan.parser = _parser(scan.start)
    try:
        _parse(archive, part, scan.parser, scan.take)
        scan.settle()
    except RefusedError as refused:
        scan.too_large = refused.code
    scan.parser = None


def _plainly(value: object) -> object:
    """What JSON has no sign for."""
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return (
            {"d": value.date().isoformat()} if midnight else {"t": value.isoformat(" ", "seconds")}
        )
    return {"d": value.isoformat()} if isinstance(value, date) else str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, default=_plainly)


def _scans(data: bytes, *, max_rows: int, max_columns: int) -> dict[str, Scan]:
    scans: dict[str, Scan] = {}
    if data[:2] != b"PK":
        return scans
    left = MAX_ELEMENTS
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        present = set(archive.namelist())
        struck = _struck_formats(archive)
        parts = _sheet_parts(archive)
        if len(parts) > MAX_SHEETS:
            raise RefusedError("too_many")
        # No program writes two sheets as one part: it would be read as often as it is named.
        if len(set(parts.values())) < len(parts):
            raise RefusedError("unreadable")
        for name, part in parts.items():
            if part in present:
                scans[name] = scan = Scan(
                    max_rows=max_rows, max_columns=max_columns, struck=struck, most_elements=left
                )
                _scan(archive, part, scan)
                left -= scan.elements
                if left < 0:
                    raise RefusedError("too_much")
    return scans


@contextlib.contextmanager
def _soon(seconds: float) -> Iterator[None]:
    """Ends the process when what is done here takes longer, by the processor's time: native code is not to be
    interrupted otherwise."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)


def read(data: bytes, *, max_rows: int, max_columns: int) -> None:
    scans = _scans(data, max_rows=max_rows, max_columns=max_columns)
    written = merged = 0
    with _soon(OPENED_WITHIN):
        opened = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    with opened as workbook:
        if len(workbook.sheets_metadata) > MAX_SHEETS:
            raise RefusedError("too_many")
        areas: list[int] = [0]
        for about in workbook.sheets_metadata:
            if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            scan = (
                scans.get(about.name)
                if data[:2] == b"PK"
                else Scan(max_rows=max_rows, max_columns=max_columns)
            )
            visible = about.visible == python_calamine.SheetVisibleEnum.Visible
            if scan is None:
                continue
            now = _write_sheet(workbook, about.name, scan, visible=visible, room=MAX_TEXT - written)
            written += now.text
            merged += now.merged
            areas.append(now.area)
            if merged > MAX_MERGED or sum(areas) - max(areas) > MAX_AREA_BESIDE:
                raise RefusedError("too_much")


def _write_sheet(workbook: Any, name: str, scan: Scan, *, visible: bool, room: int) -> Written:
    head: dict[str, Any] = {
        "sheet": name,
        "visible": visible,
        "hidden": scan.hidden,
        "struck": sorted(scan.struck),
        "merged": [],
    }
    rows: list[list[Any]] = []
    area = 0
    too_large = scan.too_large
    if not too_large:
        sheet = workbook.get_sheet_by_name(name)
        too_large = _too_large(sheet, scan)
        area = 0 if sheet.end is None else (sheet.end[0] + 1) * (sheet.end[1] + 1)
        if not too_large:
            rows = sheet.to_python(skip_empty_area=False)
            _put_in(rows, scan.dropped)
            ranges = sheet.merged_cell_ranges or ()
            head["merged"] = [(*first, *last) for first, last in ranges if last[0] < len(rows)]
    written = sys.stdout.write(json.dumps({**head, "too_large": too_large}) + "\n")
    for row in rows:
        while row and row[-1] in {"", None}:
            row.pop()
        written += sys.stdout.write(_JSON.encode(row) + "\n")
        if written > room:
            raise RefusedError("too_much")
    return Written(written, area, len(head["merged"]))


def _put_in(rows: list[list[Any]], dropped: dict[tuple[int, int], str]) -> None:
    """What the reader left empty, or out: an error or an unsaved result is no empty cell."""
    for (row, column), text in dropped.items():
        rows += [[] for _row in range(row - len(rows))]
        cells = rows[row - 1]
        cells += [""] * (column - len(cells))
        if cells[column - 1] in {"", None}:
            cells[column - 1] = text


def _too_large(sheet: Any, scan: Scan) -> str:
    if sheet.end is None:
        return ""
    rows, columns = sheet.end[0] + 1, sheet.end[1] + 1
    if rows > scan.max_rows * MAX_GAPS or rows * columns > MAX_AREA:
        return "too_long"
    return "too_wide" if columns > scan.max_columns else ""


def main() -> None:
    # macOS knows the limit but does not take it; there the checks above stand alone.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")  # type: ignore[union-attr]
    try:
        read(sys.stdin.buffer.read(), max_rows=int(sys.argv[1]), max_columns=int(sys.argv[2]))
    except python_calamine.PasswordError:
        sys.stdout.write('{"refused": "encrypted"}\n')
    except RefusedError as refused:
        sys.stdout.write(json.dumps({"refused": refused.code}) + "\n")


if __name__ == "__main__":
    main()
