"""What one cell says."""

from __future__ import annotations

import re
from datetime import date, datetime

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets.columns import Column
from chains.spreadsheets.grid import Value
from chains.spreadsheets.workbook_process import UNSAVED

_CELL_ERROR = re.compile(r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)$")

# Fifteen digits survive in a number cell; of a longer code the rest has become zeros.
_LOSES_DIGITS = 1e15


def shaped_cell(column: Column, cell: Value) -> Value:
    if cell == UNSAVED:
        raise DomainError(
            _(
                "The cell holds a formula whose result is not in the file: open it in a spreadsheet program, save it there, and upload it again."
            ),
            code="cell.unsaved",
        )
    if isinstance(cell, str) and _CELL_ERROR.match(cell):
        raise DomainError(
            _("The cell shows %(error)s: correct the formula.") % {"error": cell}, code="cell.error"
        )
    if column.kind == "code" and _has_lost_digits(cell):
        raise DomainError(
            _(
                "The code stands in a number cell and its last digits may be lost: enter it as text."
            ),
            code="cell.digits_lost",
        )
    return cell if column.kind == "value" else text_of(cell)


def is_count(value: Value) -> bool:
    """A running number; a word in its column ("Total", a note) says something about the row."""
    return re.fullmatch(r"[\d０-９]+(?:\.0*)?[.、]?", text_of(value)) is not None


def _has_lost_digits(cell: Value) -> bool:
    if isinstance(cell, str):
        # The same number cell, saved as text: "9.13304E+17".
        return re.fullmatch(r"\d(?:\.\d+)?[eE]\+\d{2}", cell) is not None
    return isinstance(cell, int | float) and abs(cell) >= _LOSES_DIGITS


def text_of(value: Value) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LOSES_DIGITS else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


def one_line(text: str) -> str:
    return " ".join(text.split())


def letter(place: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
