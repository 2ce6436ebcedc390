from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets import container, markup
from chains.spreadsheets.workbook_process import MAX_SHEETS

Value = str | int | float | bool | date | datetime | None

MAX_COLUMNS = 200
# Rows above the data: titles, two rows of headers, notes.
HEAD_ROWS = 60
# On the clock, which says how busy the machine is: the processor's time is limited in the process itself.
_SECONDS = 60
_PROGRAM = Path(__file__).with_name("workbook_process.py")
_REFUSED = b'{"refused"'
# Text that a spreadsheet would take for a formula when it opens a CSV file (full-width signs included).
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(slots=True)
class Grid:
    """One sheet as a rectangle of cells; row 1 is the first row of the file."""

    name: str
    rows: list[list[Value]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # 0-based, ends included
    hidden: frozenset[int] = frozenset()  # row numbers
    struck: frozenset[int] = frozenset()  # rows all of whose words are struck out
    encoding: str = ""
    is_visible: bool = True
    too_large: str = ""
    is_form: bool = False  # its rows were forms
    delimiter: str = ""


def read_grids(data: bytes, *, max_rows: int) -> tuple[str, list[Grid]]:
    """The kind of a file by its content, and the sheets in it – of a text file one for each way to cut it
    into columns."""
    kind = container.sniff(data)
    if kind == "html" and (grids := _read_markup(data, max_rows=max_rows)):
        return kind, grids
    if kind == "csv":
        return kind, list(_read_text(data, max_rows=max_rows))
    if kind == "encrypted":
        raise container.encrypted()
    if kind == "xlsx":
        container.check_archive(data)
    elif kind != "xls":
        raise DomainError(
            _(
                "This is no .xlsx, .xls or .csv file. Open it in a spreadsheet program and save it as .xlsx."
            ),
            code="spreadsheet.kind",
        )
    return kind, _read_workbook(data, max_rows=max_rows)


# --- Workbooks ----------------------------------------------------------------------------------------


def _read_workbook(data: bytes, *, max_rows: int) -> list[Grid]:
    try:
        done = subprocess.run(  # noqa: S603 -- our own program, numbers for arguments
            [sys.executable, "-I", str(_PROGRAM), str(max_rows + HEAD_ROWS), str(MAX_COLUMNS)],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise container.unreadable() from None
    if done.returncode == -signal.SIGPROF:
        raise container.too_much()
    if done.returncode:
        raise container.unreadable()
    lines = done.stdout.splitlines()
    # Said last, below the rows that it had come to.
    if lines and lines[-1].startswith(_REFUSED):
        raise refusal(json.loads(lines[-1])["refused"], max_rows=max_rows)
    grids: list[Grid] = []
    for line in lines:
        content = json.loads(line.decode("utf-8", "surrogatepass"))
        if isinstance(content, list):
            grids[-1].rows.append(
                [_value(cell) if cell == "" or isinstance(cell, dict) else cell for cell in content]
            )
        else:
            grids.append(_empty_grid(content))
    # Hidden sheets hold lists for drop-downs and last year's rows: never what the sender looked at.
    return [grid for grid in grids if grid.is_visible]


def _empty_grid(content: dict[str, Any]) -> Grid:
    return Grid(
        content["sheet"],
        [],
        [(top, left, bottom, right) for top, left, bottom, right in content["merged"]],
        frozenset(content["hidden"]),
        frozenset(content["struck"]),
        is_visible=content["visible"],
        too_large=content["too_large"],
    )


def _value(cell: Any) -> Value:
    if isinstance(cell, dict):
        return date.fromisoformat(cell["d"]) if "d" in cell else datetime.fromisoformat(cell["t"])
    return None if cell == "" else cell


def refusal(code: str, *, max_rows: int) -> DomainError:
    if code == "encrypted":
        return container.encrypted()
    if code == "too_wide":
        return DomainError(
            _("The sheet is wider than %(count)d columns. Delete the columns that are not needed.")
            % {"count": MAX_COLUMNS},
            code="spreadsheet.too_wide",
        )
    if code == "too_long":
        return DomainError(
            _(
                "The sheet has more than %(count)s rows, or a cell far below the others. Split it, or delete the empty rows."
            )
            % {"count": f"{max_rows:,}"},
            code="spreadsheet.too_long",
        )
    if code == "too_much":
        return container.too_much()
    if code == "too_many":
        return DomainError(
            _("The workbook has more than %(count)d sheets. Split it.") % {"count": MAX_SHEETS},
            code="spreadsheet.too_many_sheets",
        )
    return container.unreadable()


# --- Markup -------------------------------------------------------------------------------------------


def _read_markup(data: bytes, *, max_rows: int) -> list[Grid]:
    """The tables of a page that calls itself a workbook; a table that only lays out the page is not among them."""
    data = markup.page_within(data)
    named = markup.encoding_of(data)
    try:
        text = data.decode(named) if named else decode(data)[0]
    except (LookupError, UnicodeDecodeError):
        text = decode(data)[0]
    tables = markup.read_tables(text, max_rows=max_rows + HEAD_ROWS, max_columns=MAX_COLUMNS)
    return [
        Grid(
            table.name,
            [[cell or None for cell in row] for row in table.rows],
            table.merged,
            frozenset(table.hidden),
            encoding=named,
            too_large=table.too_large,
        )
        for table in tables
        if any(len(row) > 1 for row in table.rows)
    ]


# --- Text ---------------------------------------------------------------------------------------------


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: what a mark says, else UTF-8 where it fits, else what the bytes look like."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            # Programs that join files put the mark of one before the text of another.
            return _decode(data, [name], otherwise=data[len(mark) :])
    guessed = container.looks_like_utf_16(data)
    if guessed:
        return _decode(data, [guessed])
    if _is_western(data):
        return _decode(data, ["utf-8", "cp1252"])
    if (mixed := _by_lines(data)) is not None:
        return mixed
    return _decode(data, ["utf-8", "gb18030", "cp950"])


# Two Chinese characters or more, as UTF-8 writes them; GB18030 hardly ever comes to such a line.
_IN_UTF_8 = re.compile("[^\x80-\U0010ffff]*(?:[\u3000-\u9fff\uff00-\uffef]+[^\x80-\U0010ffff]*)+")


# Each line on its own, and a long one against a pattern, takes memory.
_MOST_LINES = 200_000
_LONGEST_LINE = 200_000


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_lines(data: bytes) -> tuple[str, str] | None:
    """A file that one program began and another went on with: some of its lines are UTF-8, the others are not."""
    if data.count(b"\n") > _MOST_LINES or _is_utf_8(data):
        return None
    read: list[str] = []
    kinds: set[str] = set()
    for line in data.split(b"\n"):
        if len(line) > _LONGEST_LINE:
            return None
        if line.isascii():
            read.append(line.decode())
            continue
        try:
            text, kind = line.decode(), "utf-8"
            if _IN_UTF_8.fullmatch(text) is None or len(line) - len(text) < 4:
                return None
        except UnicodeDecodeError:
            try:
                text, kind = line.decode("gb18030"), "gb18030"
            except UnicodeDecodeError:
                return None
        read.append(text)
        kinds.add(kind)
    return ("\n".join(read), "gb18030") if len(kinds) > 1 else None


def _is_western(data: bytes) -> bool:
    """Letters with accents stand alone between others; a Chinese character is two such bytes, and they come in rows."""
    runs = re.findall(rb"[\x80-\xff]+", data[:200_000])
    return 2 * sum(len(run) == 1 for run in runs) > len(runs)


# Where GB18030 puts the characters of Big5 that it has no sign for.
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def _decode(data: bytes, names: list[str], otherwise: bytes = b"") -> tuple[str, str]:
    read: list[tuple[str, str]] = []
    for name in names:
        try:
            read.append((data.decode(name), name))
        except UnicodeDecodeError:
            continue
        if not _PRIVATE.search(read[-1][0]):
            return read[-1]
    if read:
        return read[0]
    if otherwise and names == ["utf-8-sig"]:
        return _by_lines(otherwise) or _decode(otherwise, ["gb18030", "cp950"])
    raise DomainError(
        _("The characters of the file cannot be read. Save it as CSV UTF-8 or as .xlsx."),
        code="spreadsheet.encoding",
    )


def _read_text(data: bytes, *, max_rows: int) -> Iterator[Grid]:
    text, encoding = decode(data)
    first, _line_end, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel's own hint; the row stays counted so that numbers agree with what people see.
        yield _cut(rest, first.strip()[-1], encoding, max_rows=max_rows, before=1)
        return
    head = text[:20_000]
    for delimiter in (",", "\t", ";"):
        if delimiter == "," or delimiter in head:
            yield _cut(text, delimiter, encoding, max_rows=max_rows)
    for delimiter in ("|", "，"):
        # Also signs of prose: only where the lines agree.
        if sum(line.count(delimiter) > 1 for line in head.splitlines()) > 1:
            yield _cut(text, delimiter, encoding, max_rows=max_rows)
    if (grid := _cut_at_gaps(text, encoding, max_rows=max_rows)) is not None:
        yield grid


_GAP = re.compile(r"[ \u3000]{2,}")
# Of a report for a printer.
_LONGEST_PRINTED = 20_000


def _cut_at_gaps(text: str, encoding: str, *, max_rows: int) -> Grid | None:
    """A report for a printer: blanks between its columns. Only where no row lacks a cell, since nothing would say
    which."""
    lines = text.split("\n", 4 * (max_rows + HEAD_ROWS))
    if max(map(len, lines)) > _LONGEST_PRINTED:
        return None
    rows: list[list[Value]] = [list(filter(None, _GAP.split(line.strip()))) for line in lines]
    widths = {len(row) for row in rows if len(row) > 1}
    if len(widths) != 1 or len(rows) > max_rows + HEAD_ROWS or widths.pop() > MAX_COLUMNS:
        return None
    return Grid("", rows, encoding=encoding)


def _cut(text: str, delimiter: str, encoding: str, *, max_rows: int, before: int = 0) -> Grid:
    rows: list[list[Value]] = [[] for _row in range(before)]
    grid = Grid("", rows, encoding=encoding, delimiter=delimiter)
    filled = 0
    try:
        for record in _records(_Lines(text, delimiter), delimiter):
            while record and not record[-1]:
                record.pop()  # of some programs each row has all the columns there could be
            if len(record) > MAX_COLUMNS:
                raise _TooWideError
            filled += bool(record)
            if filled > max_rows + HEAD_ROWS or len(rows) > 4 * (max_rows + HEAD_ROWS):
                grid.too_large = "too_long"
                break
            rows.append([_uncovered(cell) for cell in record])
    except _TooWideError:
        grid.too_large = "too_wide"
    except csv.Error:
        grid.too_large = "unreadable"
    return grid


class _TooWideError(Exception):
    """A line that would become far more cells than any table has columns."""


class _Lines:
    """The lines of a text, which can be given back."""

    def __init__(self, text: str, delimiter: str) -> None:
        self.source = io.StringIO(text, newline="")
        self.delimiter = delimiter
        self.returned: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else next(self.source)
        # Before the reader makes ten million cells of one line.
        if line.count(self.delimiter) > 20 * MAX_COLUMNS:
            line = line.rstrip("\r\n").rstrip(self.delimiter) + "\n"
            if line.count(self.delimiter) > 20 * MAX_COLUMNS:
                raise _TooWideError
        self.taken.append(line)
        return line

    def start_record(self) -> None:
        self.taken.clear()

    def give_back_all_but_first(self) -> str:
        first, *rest = self.taken
        self.returned.extendleft(reversed(rest))
        return first


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """A quotation mark that is never closed (an inch before a size) would swallow the rows below it: such a line
    stands for itself."""
    width = 0
    while True:
        lines.start_record()
        record: list[str] | None = []
        fault: csv.Error | None = None
        try:
            record = next(csv.reader(lines, delimiter=delimiter, strict=False), None)
        except csv.Error as too_long:
            fault = too_long
        if record is None:
            return
        swallowed = lines.taken[1:]
        is_short = len(record) < width
        # The first line alone or one below it has all the cells that the record lacks.
        if (
            is_short
            and swallowed
            and any(line.count(delimiter) + 1 >= width for line in lines.taken)
        ):
            first = lines.give_back_all_but_first()
            record = next(csv.reader([first], delimiter=delimiter, quoting=csv.QUOTE_NONE))
            record = [c[1:] if c.startswith('"') and c.count('"') == 1 else c for c in record]
        elif fault is not None:
            raise fault
        if not swallowed:
            width = max(width, len(record))
        yield record


def _uncovered(cell: str) -> str:
    """Takes off the apostrophe that `writing.covered` put before a risky text."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(RISKY) else cell
