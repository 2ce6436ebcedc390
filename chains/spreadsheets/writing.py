from __future__ import annotations

import csv
import io
import logging
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from chains.spreadsheets.columns import Column
from chains.spreadsheets.grid import RISKY

logger = logging.getLogger(__name__)

Cell = str | int | float | Decimal | bool | date | datetime | None

_LONGEST = 32_767  # characters in a cell of a workbook
_CONSTANT = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def covered(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what starts like one, and
    before what already looks covered, so that reading it back gives the same text."""
    return f"'{text}" if text.lstrip("'").startswith(RISKY) else text


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        # A number stays one, its minus sign included.
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return (
            timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
            if timezone.is_aware(value)
            else str(value)
        )
    if isinstance(value, date):
        return value.isoformat()
    return covered(value.encode("utf-8", "replace").decode())


def csv_stream(
    headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, as_of: datetime
) -> Iterator[bytes]:
    """A CSV file in pieces, UTF-8 with the mark that spreadsheet programs need.

    The last line says as of when and how many rows. When the rows break off half way, it says that the file
    is incomplete: the answer's status has long been sent by then.
    """
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([covered(header) for header in headers])
    count = 0
    try:
        for row in rows:
            writer.writerow([_plain(value) for value in row])
            count += 1
            if buffer.tell() > 16_384:
                yield _taken(buffer)
    except Exception:
        logger.exception("An export broke off after %d rows", count)
        writer.writerow([incomplete_line(count)])
    else:
        writer.writerow([as_of_line(as_of, count)])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def as_of_line(as_of: datetime, count: int) -> str:
    moment = timezone.localtime(as_of) if timezone.is_aware(as_of) else as_of
    return _("As of %(moment)s; rows: %(count)d") % {
        "moment": f"{moment:%Y-%m-%d %H:%M}",
        "count": count,
    }


def incomplete_line(count: int) -> str:
    return _("INCOMPLETE: the file broke off after row %(count)d. Download it again.") % {
        "count": count
    }


def write_xlsx(
    headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, as_of: datetime, sheet: str = ""
) -> IO[bytes]:
    """A workbook of one sheet, as `write_sheets` makes it."""
    return write_sheets([(sheet or _("Rows"), headers, rows)], as_of=as_of, title=sheet)


def write_sheets(
    sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]],
    *,
    as_of: datetime,
    title: str,
) -> IO[bytes]:
    """A workbook in a temporary file at its beginning, to be handed to a file response, which closes it.

    Each sheet has a name, headers and rows; they are written row by row with little memory. Text is text, whatever it
    starts with; the last sheet and the file's properties say as of when.
    """
    import xlsxwriter  # noqa: PLC0415 -- slow import

    file = tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115 -- the response closes it
    workbook = xlsxwriter.Workbook(file, {**_CONSTANT, "constant_memory": True})
    formats = _formats(workbook)
    count = 0
    for name, headers, rows in sheets:
        page = workbook.add_worksheet(_sheet_name(name))
        page.set_column(0, max(0, len(headers) - 1), 22)
        page.freeze_panes(1, 0)
        for place, header in enumerate(headers):
            page.write_string(0, place, header, formats["head"])
        for number, row in enumerate(rows, 1):
            count += 1
            for place, value in enumerate(row):
                _write_cell(page, number, place, value, formats)
    note = as_of_line(as_of, count)
    workbook.add_worksheet(_sheet_name(_("Notes"))).write_string(0, 0, note)
    workbook.set_properties({"title": title, "comments": note})
    workbook.close()
    file.seek(0)
    return file


def _sheet_name(name: str) -> str:
    clean = "".join("-" if character in "[]:*?/\\" else character for character in name)
    return clean.strip("'")[:31] or "1"


def _formats(workbook: Any) -> dict[str, Any]:
    return {
        "head": workbook.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        ),
        "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
        "moment": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "text": workbook.add_format({"num_format": "@"}),
        "grey": workbook.add_format({"font_color": "#6b7280"}),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
    }


def _write_cell(page: Any, row: int, place: int, value: Cell, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, place, value)
    elif isinstance(value, int | float | Decimal):
        _write_number(page, row, place, value, formats)
    elif isinstance(value, datetime):
        moment = timezone.make_naive(value) if timezone.is_aware(value) else value
        page.write_datetime(row, place, moment, formats["moment"])
    elif isinstance(value, date):
        page.write_datetime(row, place, value, formats["date"])
    else:
        text = value.encode("utf-8", "replace").decode()
        page.write_string(row, place, text[:_LONGEST])


def _write_number(
    page: Any, row: int, place: int, value: float | Decimal, formats: dict[str, Any]
) -> None:
    # A cell keeps 15 digits. Longer numbers are codes: as text they keep all of them.
    if not math.isfinite(value) or Decimal(str(value)) != Decimal(f"{float(value):.15g}"):
        page.write_string(
            row, place, f"{value:f}" if isinstance(value, Decimal) else str(value), formats["text"]
        )
    else:
        page.write_number(row, place, float(value))


def template_xlsx(columns: Sequence[Column], *, sheet: str, notes: Sequence[str] = ()) -> bytes:
    """An empty sheet to fill in: headers in both languages, one example row that is not read back, and a
    second sheet that explains each column."""
    import xlsxwriter  # noqa: PLC0415 -- slow import

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {**_CONSTANT, "in_memory": True})
    page, explained = (
        workbook.add_worksheet(_sheet_name(sheet)),
        workbook.add_worksheet(_sheet_name(_("Notes"))),
    )
    formats = _formats(workbook)
    page.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        # Text format for the whole column: a code typed there keeps its digits.
        width = max(14, min(40, 2 * len(column.zh) + len(column.en)))
        page.set_column(place, place, width, None if column.kind == "value" else formats["text"])
        page.write_string(0, place, column.header, formats["head"])
        _write_cell(page, 1, place, column.example or None, formats)
    explained.set_column(0, 0, 32)
    explained.set_column(1, 1, 90)
    lines = [*notes, _("Row 2 is an example: write over it or leave it, it is not read.")]
    for row, line in enumerate(lines):
        explained.write_string(row, 0, line)
    for row, column in enumerate(columns, start=len(lines) + 1):
        must = _("required") if column.required else _("optional")
        explained.write_string(row, 0, column.header, formats["wrap"])
        explained.write_string(
            row, 1, f"{must}. {column.note}" if column.note else must, formats["wrap"]
        )
    workbook.close()
    return buffer.getvalue()
