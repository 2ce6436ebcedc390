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
import resource
import sys
import zipfile
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

import python_calamine

MEMORY = 190 * 1024 * 1024
CPU_SECONDS = 8
MAX_ELEMENTS = 1_400_000
MAX_AREA = 1_500_000
MAX_TEXT = 16_000_000
# One form on each.
MAX_SHEETS = 100


class RefusedError(Exception):
    """`code` is turned into a sentence by the caller, which knows the reader's language."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Stands for a formula whose result the file does not hold.
UNSAVED = "#FORMULA!"


class Scan:
    """What the reader does not tell: hidden rows, cells with an error or an unsaved formula – and how far a sheet
    reaches, before it is laid out."""

    def __init__(
        self, *, max_rows: int, max_columns: int, struck: frozenset[str] = frozenset()
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
        self._row = self._column = self._widest = 0
        self._elements = self._filled_rows = self._last_filled = 0
        self._reference = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise RefusedError("too_long")
        name = name.rpartition(":")[2]
        if name == "c":
            self.settle()
            self._column += 1
            self._reference = attributes.get("r", "")
            self._kind = attributes.get("t", "")
            self._is_struck = attributes.get("s", "0") in self._struck_formats
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            self.settle()
            self._row = _whole(attributes.get("r"), self._row + 1)
            self._column = 0
            if attributes.get("hidden") in {"1", "true"}:
                self.hidden.append(self._row)
        elif name in {"v", "is"}:
            self._heard = ""  # the formula's own words
            self._place()
            self._fill()

    @property
    def listens(self) -> bool:
        """Whether what the cell says has to be heard: of most cells the reader tells it."""
        return self._kind == "e" or (self._is_formula and self._kind != "str")

    def hear(self, text: str) -> None:
        if self.listens:
            self._heard += text

    def settle(self) -> None:
        """The cell has ended."""
        shown = self._heard.strip()
        if self._kind == "e" or (self.listens and not shown):
            self._place()
            self.dropped[self._row, self._column] = shown or UNSAVED
        self._kind, self._is_formula, self._heard = "", False, ""

    def _place(self) -> None:
        letters = self._reference.rstrip("0123456789")
        if letters:
            self._column = _column_number(letters)

    def _fill(self) -> None:
        if self._row != self._last_filled:
            self._filled_rows += 1
            self._last_filled = self._row
            if self._is_struck:
                self.struck.add(self._row)
        elif not self._is_struck:
            self.struck.discard(self._row)
        self._widest = max(self._widest, self._column)
        if self._filled_rows > self.max_rows or self._row * self._widest > MAX_AREA:
            raise RefusedError("too_long")
        if self._column > self.max_columns:
            raise RefusedError("too_wide")


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 9 else otherwise


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


def _parse(archive: zipfile.ZipFile, part: str, start: Any, text: Any = None) -> None:
    parser = _parser(start)
    parser.CharacterDataHandler = text
    with archive.open(part) as stream:
        while chunk := stream.read(256 * 1024):
            parser.Parse(chunk, False)
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

    _parse(archive, "xl/_rels/workbook.xml.rels", relation)
    _parse(archive, "xl/workbook.xml", sheet)
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
        _parse(archive, "xl/styles.xml", formats.start)
    except (KeyError, RefusedError, expat.ExpatError):
        return frozenset()
    return frozenset(formats.struck)


def _scan(
    archive: zipfile.ZipFile,
    part: str,
    *,
    max_rows: int,
    max_columns: int,
    struck: frozenset[str],
) -> Scan:
    scan = Scan(max_rows=max_rows, max_columns=max_columns, struck=struck)
    try:
        _parse(archive, part, scan.start, scan.hear)
        scan.settle()
    except RefusedError as refused:
        scan.too_large = refused.code
    return scan


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return (
            {"d": value.date().isoformat()} if midnight else {"t": value.isoformat(" ", "seconds")}
        )
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _scans(data: bytes, *, max_rows: int, max_columns: int) -> dict[str, Scan]:
    scans: dict[str, Scan] = {}
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            present = set(archive.namelist())
            struck = _struck_formats(archive)
            for name, part in list(_sheet_parts(archive).items())[:MAX_SHEETS]:
                if part in present:
                    scans[name] = _scan(
                        archive, part, max_rows=max_rows, max_columns=max_columns, struck=struck
                    )
    return scans


def read(data: bytes, *, max_rows: int, max_columns: int) -> None:
    scans = _scans(data, max_rows=max_rows, max_columns=max_columns)
    written = 0
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
        if len(workbook.sheets_metadata) > MAX_SHEETS:
            raise RefusedError("too_many")
        for about in workbook.sheets_metadata:
            if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            scan = (
                scans.get(about.name)
                if data[:2] == b"PK"
                else Scan(max_rows=max_rows, max_columns=max_columns)
            )
            visible = about.visible == python_calamine.SheetVisibleEnum.Visible
            if scan is not None:
                written += _write_sheet(workbook, about.name, scan, visible=visible)
            if written > MAX_TEXT:
                raise RefusedError("too_long")


def _write_sheet(workbook: Any, name: str, scan: Scan, *, visible: bool) -> int:
    head: dict[str, Any] = {
        "sheet": name,
        "visible": visible,
        "hidden": scan.hidden,
        "struck": sorted(scan.struck),
        "merged": [],
    }
    rows: list[list[Any]] = []
    too_large = scan.too_large
    if not too_large:
        sheet = workbook.get_sheet_by_name(name)
        too_large = _too_large(sheet, scan)
        if not too_large:
            rows = sheet.to_python(skip_empty_area=False)
            _put_in(rows, scan.dropped)
            head["merged"] = [
                (*first, *last)
                for first, last in sheet.merged_cell_ranges or ()
                if last[0] < len(rows)
            ]
    written = sys.stdout.write(json.dumps({**head, "too_large": too_large}) + "\n")
    for row in rows:
        while row and row[-1] in {"", None}:
            row.pop()
        written += sys.stdout.write(json.dumps([_cell(v) for v in row], ensure_ascii=False) + "\n")
    return written


def _put_in(rows: list[list[Any]], dropped: dict[tuple[int, int], str]) -> None:
    """What the reader left empty: an error or an unsaved result is no empty cell."""
    for (row, column), text in dropped.items():
        if (
            row <= len(rows)
            and column <= len(rows[row - 1])
            and rows[row - 1][column - 1] in {"", None}
        ):
            rows[row - 1][column - 1] = text


def _too_large(sheet: Any, scan: Scan) -> str:
    if sheet.end is None:
        return ""
    rows, columns = sheet.end[0] + 1, sheet.end[1] + 1
    if sheet.height > scan.max_rows * 2 or rows * columns > MAX_AREA:
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
