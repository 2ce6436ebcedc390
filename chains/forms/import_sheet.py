"""Lists as people keep them: the rows of a file, good and bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from chains.forms import requirement_sheet
from chains.forms.import_capabilities import CapabilityRows
from chains.forms.import_cells import Say
from chains.forms.import_columns import columns_of
from chains.forms.import_enterprises import EnterpriseRows
from chains.forms.register import Register
from chains.models import Import, User
from chains.services.import_rows import CapabilityDraft, EnterpriseDraft, ReadRow
from chains.spreadsheets import Layout, Row, Sheets, Table, read_table


def read_rows(
    kind: str, file: bytes | Sheets, layout: Layout, by: User, *, limit: int | None = None
) -> tuple[Table, list[ReadRow]]:
    """The rows of the file, good and bad, in their order. Refuses only what is wrong with the whole file."""
    table = read_table(file, columns_of(kind), layout=layout, limit=limit)
    if kind == Import.Kind.LINES:
        return table, _lines(table)
    reader: _Reader = (
        EnterpriseRows(table, by) if kind == Import.Kind.ENTERPRISES else CapabilityRows(table)
    )
    rows = [_read(row, table, reader) for row in table.rows]
    reader.compare(rows)
    return table, rows


def _lines(table: Table) -> list[ReadRow]:
    """A look at lines; they become a draft on the page of the requirement."""
    cells = {row.number: row.cells for row in table.rows}
    return [
        ReadRow(
            row.number,
            row.draft,
            {str(place): text for place, text in cells[row.number].items()},
            [
                {"column": note.column, "header": note.header, "sentence": note.sentence}
                for note in (*row.errors, *row.warnings)
            ],
        )
        for row in requirement_sheet.sheet_of(table, Register()).rows
    ]


class _Reader(Protocol):
    def draft(self, row: Row, say: Say) -> EnterpriseDraft | CapabilityDraft: ...

    def compare(self, rows: Sequence[ReadRow]) -> None: ...


def _read(row: Row, table: Table, reader: _Reader) -> ReadRow:
    say = Say(table)
    for found in (*row.errors, *row.warnings):
        say.known(found)
    draft = reader.draft(row, say)
    is_good = not row.errors and not say.has_errors
    cells = {str(place): text for place, text in row.cells.items()}
    return ReadRow(row.number, draft if is_good else None, cells, say.notes)


def pieces(rows: Sequence[ReadRow], size: int) -> Iterator[Sequence[ReadRow]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]
