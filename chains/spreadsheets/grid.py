from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets import container

Value = str | int | float | bool | date | datetime | None

MAX_COLUMNS = 200
# Rows above the data: titles, two rows of headers, notes.
HEAD_ROWS = 60
_SECONDS = 20
_PROGRAM = Path(__file__).with_name("workbook_process.py")
# Text that a spreadsheet would take for a formula when it opens a CSV file (full-width signs included).
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(slots=True)
class Grid:
    """One sheet as a rectangle of cells; row 1 is the first row of the file."""

    name: str
    rows: list[list[Value]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # 0-based, ends included
    hidden: frozenset[int] = frozenset()  # row numbers
    encoding: str = ""
    is_visible: bool = True
    too_large: str = ""


def read_grids(data: bytes, *, max_rows: int) -> tuple[str, list[Grid]]:
    """The kind of a file by its content, and the sheets in it – of a text file one for each way to cut it
    into columns."""
    kind = container.sniff(data)
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
    if done.returncode:
        raise container.unreadable()
    grids: list[Grid] = []
    for line in done.stdout.splitlines():
        content = json.loads(line.decode("utf-8", "surrogatepass"))
        if isinstance(content, list):
            grids[-1].rows.append([_value(cell) for cell in content])
        elif "refused" in content:
            raise refusal(content["refused"], max_rows=max_rows)
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
    return container.unreadable()


# --- Text ---------------------------------------------------------------------------------------------


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: what a mark says, else UTF-8 where it fits, else GB18030."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return _decode(data, [name])
    guessed = container.looks_like_utf_16(data)
    return _decode(data, [guessed] if guessed else ["utf-8", "gb18030"])


def _decode(data: bytes, names: list[str]) -> tuple[str, str]:
    for name in names:
        try:
            return data.decode(name), name
        except UnicodeDecodeError:
            continue
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


def _cut(text: str, delimiter: str, encoding: str, *, max_rows: int, before: int = 0) -> Grid:
    rows: list[list[Value]] = [[] for _row in range(before)]
    grid = Grid("", rows, encoding=encoding)
    reader = csv.reader(_narrow_lines(text, delimiter), delimiter=delimiter, strict=False)
    filled = 0
    try:
        for record in reader:
            filled += any(record)
            if filled > max_rows + HEAD_ROWS or len(rows) > 4 * (max_rows + HEAD_ROWS):
                grid.too_large = "too_long"
                break
            rows.append([_uncovered(cell) for cell in record])
    except _TooWideError:
        grid.too_large = "too_wide"
    except csv.Error:
        # A quotation mark that is never closed swallows the rest of the file into one cell.
        grid.too_large = "unreadable"
    if any(len(row) > MAX_COLUMNS for row in rows):
        grid.too_large = "too_wide"
    return grid


class _TooWideError(Exception):
    """A line that would become far more cells than any table has columns."""


def _narrow_lines(text: str, delimiter: str) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        # Before the reader makes ten million cells of one line.
        if line.count(delimiter) > 20 * MAX_COLUMNS:
            raise _TooWideError
        yield line


def _uncovered(cell: str) -> str:
    """Takes off the apostrophe that `writing.covered` put before a risky text."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(RISKY) else cell
