from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import IO, Any

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets.cells import letter, one_line, text_of
from chains.spreadsheets.columns import Column, Finding
from chains.spreadsheets.container import MAX_BYTES
from chains.spreadsheets.forms import refuse_unread, unfolded
from chains.spreadsheets.grid import refusal
from chains.spreadsheets.header import Header, Layout, best_of, chosen, headers, laid_out
from chains.spreadsheets.rows import Reading, Row, RowError, Skipped
from chains.spreadsheets.sheets import MAX_ROWS, Sheets, open_sheets


@dataclass(slots=True)
class Table:
    kind: str
    encoding: str
    sheet: str
    header_rows: list[int]
    columns: list[str]
    letters: dict[str, list[str]]  # field → columns it was read from
    titles: dict[str, str]  # field → what the file calls it
    places: dict[str, list[int]]
    heads: dict[int, str]  # place → what the file calls it
    rows: list[Row]
    skipped: list[Skipped]
    other_sheets: list[str] = field(default_factory=list)  # that hold such a list too
    is_form: bool = False  # its rows were forms, counted in the order of the file

    @property
    def unread(self) -> list[str]:
        """Columns that become nothing; one that has the name of a read one by its letter."""
        read = {place for places in self.places.values() for place in places}
        names = {self.heads.get(place) for place in read}
        return [
            f"{letter(place)} {title}" if title in names else title
            for place, title in self.heads.items()
            if place not in read
        ]

    @property
    def good(self) -> list[Row]:
        return [row for row in self.rows if not row.errors]

    @property
    def errors(self) -> list[RowError]:
        return [error for row in self.rows for error in row.errors]

    @property
    def warnings(self) -> list[RowError]:
        return [warning for row in self.rows for warning in row.warnings]


def read_table(
    file: bytes | IO[bytes] | Sheets,
    columns: Sequence[Column],
    *,
    check: Callable[[dict[str, Any]], Iterable[Finding]] | None = None,
    layout: Layout | None = None,
    limit: int | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> Table:
    """The rows of an uploaded .xlsx, .xls or .csv as people keep them.

    Finds the sheet and its header (one row or two, under titles), reads each cell by its column, and says
    which rows are none. `check` sees the values of one row when all its cells could be read, may change
    them, and yields findings. `layout` is what a person has confirmed; `limit` rows are enough for a look.
    Refuses, with DomainError, only what is wrong with the whole file.
    """
    if not isinstance(file, Sheets):
        file = open_sheets(file, max_bytes=max_bytes, max_rows=max_rows)
    file = unfolded(file, columns)
    kind, grids = file.kind, file.grids
    found: list[Header] = []
    if layout is None:
        found = headers(grids, columns)
        header = chosen(found, grids, columns, max_rows=max_rows)
        refuse_unread(header.grid, header.data_starts, columns)
    else:
        header = laid_out(grids, layout, max_rows=max_rows)
    missing = [
        column for column in columns if column.required and column.field not in header.fields
    ]
    if missing:
        raise DomainError(
            _(
                "These columns were not found: %(columns)s. Name them in the row above the data; the template shows how."
            )
            % {"columns": ", ".join(column.header.removesuffix(" *") for column in missing)},
            code="spreadsheet.columns_missing",
            columns=[column.field for column in missing],
        )
    reading = Reading(header, columns, check)
    rows = list(islice(reading.rows(), limit))
    if len(rows) > max_rows:
        raise refusal("too_long", max_rows=max_rows)
    table = _table(kind, header, rows, reading.skipped)
    if layout is None and kind != "csv":
        by_sheet = (list(of_one) for _id, of_one in groupby(found, key=lambda one: id(one.grid)))
        others = (best_of(of_one, columns) for of_one in by_sheet)
        table.other_sheets = [
            other.grid.name
            for other in others
            if other is not None and other.grid is not header.grid and _holds(other, columns)
        ]
    return table


def _table(kind: str, header: Header, rows: list[Row], skipped: list[Skipped]) -> Table:
    return Table(
        kind=kind,
        encoding=header.grid.encoding,
        sheet=header.grid.name,
        header_rows=list(range(header.first + 1, header.data_starts + 1)),
        columns=[one_line(title) for title in header.titles if title],
        letters={
            name: [letter(place) for place in places] for name, places in header.fields.items()
        },
        titles={name: one_line(header.titles[places[0]]) for name, places in header.fields.items()},
        places=header.fields,
        heads={at: one_line(title) for at, title in enumerate(header.titles) if title},
        rows=rows,
        skipped=skipped,
        is_form=header.grid.is_form,
    )


def _holds(header: Header, columns: Sequence[Column]) -> bool:
    """Whether a list of the same kind stands below it."""
    required = {column.field for column in columns if column.required}
    # One name alone may be a word of an instruction.
    is_list = required <= header.fields.keys() and len(header.fields) > 1
    return is_list and any(any(map(text_of, row)) for row in header.grid.rows[header.data_starts :])


def duplicates(rows: Iterable[Row], key: Callable[[Row], Hashable | None]) -> list[tuple[Row, Row]]:
    """Each row whose key an earlier one has, with that earlier one. None and "" never agree with anything."""
    seen: dict[Hashable, Row] = {}
    found: list[tuple[Row, Row]] = []
    for row in rows:
        value = key(row)
        if value is None or value == "":
            continue
        if value in seen:
            found.append((row, seen[value]))
        else:
            seen[value] = row
    return found
