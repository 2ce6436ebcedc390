"""What the columns of a file would become, for a person to confirm."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chains.quantities import is_placeholder
from chains.spreadsheets.cells import letter, one_line, text_of
from chains.spreadsheets.columns import Column, fold_header
from chains.spreadsheets.forms import refuse_unread, unfolded
from chains.spreadsheets.header import Header, Layout, find_header
from chains.spreadsheets.sheets import MAX_ROWS, Sheets

_Why = Literal["name", "values", "remembered", ""]


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    place: int
    title: str  # its letter where the file names it not
    samples: list[str]
    field: str
    why: _Why

    @property
    def letter(self) -> str:
        return letter(self.place)

    @property
    def key(self) -> str:
        """By what it is remembered."""
        return fold_header(self.title)


@dataclass(frozen=True, slots=True)
class Proposal:
    kind: str
    sheets: list[str]
    layout: Layout
    columns: list[ProposedColumn]
    row_count: int  # filled ones below the header, sums and notes among them

    @property
    def header_row(self) -> int:
        """As the file counts; 0: it has none."""
        return self.layout.first + self.layout.depth if self.layout.depth else 0


def propose(
    sheets: Sheets,
    columns: Sequence[Column],
    *,
    remembered: Mapping[str, str] | None = None,
    sheet: int | None = None,
    header_row: int | None = None,
    max_rows: int = MAX_ROWS,
) -> Proposal:
    """What the columns of a file would become: by what was chosen before (`remembered`: folded title → field, "" for
    none), by their names, by what stands in them. `sheet` and `header_row` (as the file counts, 0 for none) where a
    person knows better."""
    sheets = unfolded(sheets, columns)
    kind, grids = sheets.kind, sheets.grids
    names = [grid.name for grid in grids] if kind != "csv" else []
    among = grids if sheet is None or not 0 <= sheet < len(grids) else [grids[sheet]]
    header = find_header(among, columns, max_rows=max_rows, row=header_row or None)
    if header_row is None:
        refuse_unread(header.grid, header.data_starts, columns)
    if header_row == 0:
        header = Header(among[0], 0, 0, [], {})
    elif not header.fields and header_row is None:
        header = _without_header(header, columns) or header
    proposed = list(_proposed(header, columns, remembered or {}))
    layout = Layout(
        sheet=next(at for at, grid in enumerate(grids) if grid is header.grid),
        first=header.first,
        depth=header.depth,
        fields={one.place: one.field for one in proposed if one.field},
    )
    below = header.grid.rows[header.data_starts :]
    return Proposal(kind, names, layout, proposed, sum(any(map(text_of, row)) for row in below))


_SAMPLES = 40
# A code, a name, an address.
_LONGEST_SHAPED = 200


def _samples(header: Header, place: int) -> list[str]:
    rows = header.grid.rows[header.data_starts : header.data_starts + _SAMPLES]
    texts = (text_of(row[place]) for row in rows if place < len(row))
    return [text for text in texts if not is_placeholder(text)]


def _looks_like(column: Column, samples: Sequence[str]) -> bool:
    """Most of what stands there has the shape; two cells prove nothing where there are more."""
    if column.shape is None or not samples:
        return False
    fitting = sum(
        len(s) <= _LONGEST_SHAPED
        and column.shape.search(unicodedata.normalize("NFKC", s)) is not None
        for s in samples
    )
    return fitting * 10 >= len(samples) * 7


def _without_header(header: Header, columns: Sequence[Column]) -> Header | None:
    """A file that begins with its rows: cells of the first one look like what is below them."""
    first = header.grid.rows[header.first]
    bare = Header(header.grid, header.first, 0, [], {})
    fitting = [
        column
        for column in columns
        for place, value in enumerate(first)
        if _looks_like(column, [text_of(value)]) and _looks_like(column, _samples(bare, place))
    ]
    return bare if any(column.required for column in fitting) else None


@dataclass(slots=True)
class _Choice:
    """What each column becomes; the first word on a column or a field holds."""

    columns: Mapping[str, Column]
    made: dict[int, tuple[str, _Why]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def choose(self, place: int, name: str, why: _Why) -> None:
        is_free = name not in self.taken or not name or self.columns[name].many
        if place not in self.made and is_free:
            self.made[place] = (name, why)
            self.taken.add(name)


def _proposed(
    header: Header, columns: Sequence[Column], remembered: Mapping[str, str]
) -> Iterator[ProposedColumn]:
    rows = header.grid.rows[header.data_starts : header.data_starts + _SAMPLES]
    width = max([len(header.titles), *map(len, rows)])
    titles = [*header.titles, *[""] * (width - len(header.titles))]
    samples = [_samples(header, place) for place in range(width)]
    choice = _Choice({column.field: column for column in columns})
    for place, title in enumerate(titles):
        name = remembered.get(fold_header(title)) if title else None
        if name is not None and (not name or name in choice.columns):
            choice.choose(place, name, "remembered")
    _by_names_and_values(choice, header.fields, samples)
    for place, title in enumerate(titles):
        if samples[place] or title:
            name, why = choice.made.get(place, ("", ""))
            shown = one_line(title) or letter(place)
            yield ProposedColumn(place, shown, samples[place][:3], name, why)


def _by_names_and_values(
    choice: _Choice, named: Mapping[str, list[int]], samples: Sequence[Sequence[str]]
) -> None:
    for name, places in named.items():
        for place in places:
            choice.choose(place, name, "name")
    for place, found in enumerate(samples):
        for column in choice.columns.values():
            if _looks_like(column, found):
                choice.choose(place, column.field, "values")
