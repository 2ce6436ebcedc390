"""Where the header of a sheet stands, under titles and over notes, in one row or in two."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets.cells import text_of
from chains.spreadsheets.columns import Column, assign, fit, may_count
from chains.spreadsheets.grid import Grid, Value, refusal

_HEADER_WITHIN = 30  # rows that may stand above the header
MOST_SHEETS = 20  # among which it is looked for
# Of cells, a long one for several, that are held against the names of the fields: of more and wider sheets fewer rows
# are looked at, of each sheet as many.
_MOST_READ = 6_000
_FEWEST_ROWS = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows of a file stand and what its columns become: proposed, then confirmed by a person."""

    sheet: int
    first: int  # the header's first row, 0-based
    depth: int  # its rows; 0 when the file has none
    fields: Mapping[int, str]  # place of a column → field


@dataclass(frozen=True, slots=True)
class Header:
    grid: Grid
    first: int  # 0-based
    depth: int
    titles: list[str]
    fields: dict[str, list[int]]

    @property
    def data_starts(self) -> int:
        return self.first + self.depth


def laid_out(grids: Sequence[Grid], layout: Layout, *, max_rows: int) -> Header:
    grid = grids[layout.sheet]
    if grid.too_large:
        raise refusal(grid.too_large, max_rows=max_rows)
    head = [
        [text_of(value) for value in row]
        for row in grid.rows[layout.first : layout.first + layout.depth]
    ]
    titles: list[str] = _joined(*head) if len(head) == 2 else head[0] if head else []
    fields: dict[str, list[int]] = {}
    for place, name in sorted(layout.fields.items()):
        fields.setdefault(name, []).append(place)
    width = max([len(titles), *(place + 1 for place in layout.fields)])
    return Header(grid, layout.first, layout.depth, titles + [""] * (width - len(titles)), fields)


def find_header(
    grids: Sequence[Grid], columns: Sequence[Column], *, max_rows: int, row: int | None = None
) -> Header:
    return chosen(headers(grids, columns, row=row), grids, columns, max_rows=max_rows)


def headers(
    grids: Sequence[Grid], columns: Sequence[Column], *, row: int | None = None
) -> list[Header]:
    """What could be a header, in the order of the file."""
    return [
        Header(grid, first, depth, titles, _assigned(grid, first + depth, titles, columns))
        for grid, first in _looked_at(grids, row)
        for depth, titles in _titles(grid, first, columns, given=row is not None)
    ]


def _looked_at(grids: Sequence[Grid], row: int | None) -> Iterator[tuple[Grid, int]]:
    among = grids[:MOST_SHEETS]
    within = _rows_within(among) if row is None else _HEADER_WITHIN
    for grid in among:
        for first in range(min(within, len(grid.rows))):
            if row is None or first == row - 1:
                yield grid, first


def _rows_within(grids: Sequence[Grid]) -> int:
    """How many rows of each sheet are looked at."""
    read = 0
    spans = [{up for up, left, _down, right in grid.merged if right > left} for grid in grids]
    for at in range(_HEADER_WITHIN):
        for grid, wide in zip(grids, spans, strict=True):
            if at < len(grid.rows):
                cells = sum(
                    1 + (min(len(value), 1000) // 40 if isinstance(value, str) else 0)
                    for value in grid.rows[at]
                    if value is not None
                )
                # With the row below it once more.
                read += 2 * cells if at in wide else cells
        if read > _MOST_READ:
            return max(at, _FEWEST_ROWS)
    return _HEADER_WITHIN


def best_of(found: Sequence[Header], columns: Sequence[Column]) -> Header | None:
    required = {column.field for column in columns if column.required}

    widths = {id(grid): _usual_width(grid) for grid in {id(h.grid): h.grid for h in found}.values()}

    def quality(header: Header) -> tuple[int, ...]:
        # Most required columns, then most columns; then the plainer reading, then the sheet that comes first. Where no
        # name is known: the cut into most columns, and the first row that fills them.
        fields = header.fields.keys()
        width = 0 if fields else widths[id(header.grid)]
        return (
            len(required & fields),
            len(fields),
            sum(map(len, header.fields.values())),
            -header.depth,
            width,
            10 * sum(map(bool, header.titles)) >= 6 * width,
        )

    return max(found, key=quality, default=None)


def chosen(
    found: Sequence[Header], grids: Sequence[Grid], columns: Sequence[Column], *, max_rows: int
) -> Header:
    best = best_of(found, columns)
    required = {column.field for column in columns if column.required}
    too_large = [g.too_large for g in grids if g.too_large]
    if too_large and (best is None or best.grid.too_large or not required <= best.fields.keys()):
        raise refusal(too_large[0], max_rows=max_rows)
    if best is None or not any(text_of(value) for row in best.grid.rows for value in row):
        raise DomainError(_("The file holds no rows."), code="spreadsheet.empty")
    return best


def _assigned(
    grid: Grid, start: int, titles: list[str], columns: Sequence[Column]
) -> dict[str, list[int]]:
    """Where it can be, a column that only numbers the rows or their products names none: "Item" over 10, 20, 30."""
    if any(map(may_count, titles)):
        below = grid.rows[start : start + _HEADER_WITHIN]
        named = [
            "" if may_count(title) and _only_counts(below, place) else title
            for place, title in enumerate(titles)
        ]
        fields = assign(named, columns)
        if all(column.field in fields for column in columns if column.required):
            return fields
    return assign(titles, columns)


_WORD = re.compile(r"[^\W\d_]{2}")


def _only_counts(rows: Sequence[Sequence[Value]], place: int) -> bool:
    said = [text_of(row[place]) for row in rows if place < len(row) and len(row) > 1]
    words = [bool(_WORD.search(text)) for text in said if text]
    return bool(words) and sum(words) * 2 < len(words)


def _usual_width(grid: Grid) -> int:
    """As many cells as a row in the middle of the sheet's beginning has."""
    filled = sorted(sum(map(bool, map(text_of, row))) for row in grid.rows[: 2 * _HEADER_WITHIN])
    return filled[len(filled) // 2] if filled else 0


def _titles(
    grid: Grid, first: int, columns: Sequence[Column], *, given: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The header row alone, and joined with the row under it; only joined where that row can be nothing else."""
    top = [text_of(value) for value in grid.rows[first]]
    if sum(map(bool, top)) < 2 and not given and not _is_one_column(grid):
        if _spans(grid, first) and any(top[1:]) and first + 1 < len(grid.rows):
            # The middle of three rows: one of its groups is divided further.
            yield 2, _joined(top, [text_of(value) for value in grid.rows[first + 1]])
        return
    below = grid.rows[first + 1] if first + 1 < len(grid.rows) else []
    if _counts(top, below):
        yield 2, top
        return
    if _explains(top, below, columns) or _divides(grid, first, top, below, columns):
        yield 2, _joined(top, [text_of(value) for value in below])
        return
    yield 1, top
    if below:
        under = [text_of(value) for value in below]
        if any(u and not (top[at : at + 1] or [""])[0] for at, u in enumerate(under)) or _spans(
            grid, first
        ):
            yield 2, _joined(top, under)


_COUNT = re.compile(r"[(]?(?:\d{1,2}|[甲乙丙丁戊]|[A-Z])[)]?")


def _counts(top: list[str], below: Sequence[Value]) -> bool:
    """Whether the row under a header only numbers its columns: 甲, 乙, 1, 2, 3."""
    texts = [unicodedata.normalize("NFKC", text_of(value)[:20]) for value in below]
    marks = [text.strip("()") for text in texts if text]
    if len(marks) < max(3, sum(map(bool, top)) - 1) or not all(map(_COUNT.fullmatch, marks)):
        return False
    figures = [int(mark) for mark in marks if mark.isdigit()]
    letters = [mark for mark in marks if not mark.isdigit()]
    return figures == list(range(1, len(figures) + 1)) and (
        letters == list("甲乙丙丁戊"[: len(letters)]) or letters == list(_LETTERS[: len(letters)])
    )


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _explains(top: list[str], below: Sequence[Value], columns: Sequence[Column]) -> bool:
    """Whether the row under a header says the units of its columns: nothing stands below what each row must have."""
    said = {at: text for at, value in enumerate(below) if (text := text_of(value))}
    if (
        not said
        or len(said) * 2 > sum(map(bool, top)) + 1
        or not said.keys() <= set(range(len(top)))
    ):
        return False
    if not all(isinstance(below[at], str) and top[at] and _UNIT.fullmatch(said[at]) for at in said):
        return False
    names = [column.names for column in columns]
    if any(fit(text, some) is not None for text in said.values() for some in names):
        return False  # the lower half of a header of two rows
    required = [column.names for column in columns if column.required]
    needed = {
        at for at, title in enumerate(top) for some in required if fit(title, some) is not None
    }
    return bool(needed) and min(said) > min(needed) and not needed & said.keys()


# "吨", "(万件)", "(年-月-日)", "(yyyy-mm-dd)" – no word of a row of data, which has a figure in it or is longer.
_UNIT = re.compile(r"[(（\[【][^\d()（）]{1,16}[)）\]】]|[^\d\s()（）]{1,4}")


def _divides(
    grid: Grid, first: int, top: list[str], below: Sequence[Value], columns: Sequence[Column]
) -> bool:
    """Whether the row under a header only names the parts of its groups: "需求量" over "数量(吨)" and "金额"."""
    width = max(len(top), len(below))
    titles = top + [""] * (width - len(top))
    filled = {at for at, value in enumerate(below) if text_of(value)}
    if len(filled) < 2 or not all(isinstance(below[at], str) for at in filled):
        return False
    merged = {
        at
        for up, left, _down, right in grid.merged
        if up == first and right > left
        for at in range(left, right + 1)
    }
    if filled <= merged:
        return True
    # Without merged cells a group's name stands over its first column, and the next has no name of its own.
    grouped = {at for at in range(width) if not all(titles[at : at + 2]) and any(titles[: at + 1])}
    names = frozenset().union(*(column.names for column in columns))
    known = {at for at in filled if fit(text_of(below[at]), names) is not None}
    return filled <= grouped and bool(known) and not all(titles[at] for at in filled)


def _is_one_column(grid: Grid) -> bool:
    return max(map(len, grid.rows[:_HEADER_WITHIN])) <= 1


def _spans(grid: Grid, first: int) -> bool:
    return any(area[0] == first and area[3] > area[1] for area in grid.merged)


def _joined(top: list[str], under: list[str]) -> list[str]:
    width = max(len(top), len(under))
    top, under = top + [""] * (width - len(top)), under + [""] * (width - len(under))
    titles: list[str] = []
    group = ""
    for above, below in zip(top, under, strict=True):
        # A group's name stands over its first column only, whether the cells are merged or not.
        group = above or group
        titles.append(f"{group}/{below}" if below and group and below != group else below or above)
    return titles
