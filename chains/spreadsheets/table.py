from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any, Literal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.quantities import is_placeholder
from chains.searchtext import simplify
from chains.spreadsheets.container import MAX_BYTES, read_limited
from chains.spreadsheets.grid import Grid, Value, read_grids, refusal

MAX_ROWS = 10_000
_HEADER_WITHIN = 30  # rows that may stand above the header

Area = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Column:
    """What a field is called in a file, and how its cells are read.

    `parse` takes the cell and gives the value, or raises DomainError or ValidationError with the sentence;
    a value with a non-empty attribute `warning` is kept and pointed out. `kind` "text" (numbers become text),
    "code" (also text, and digits that a number cell has lost are refused) or "value" (as the cell holds it).
    `many`: all columns that fit are collected into one list. `fill_down=False` for amounts, which a merged
    cell states once for all its rows.
    """

    field: str
    zh: str
    en: str
    aliases: Sequence[str] = ()
    required: bool = False
    parse: Callable[[Any], Any] | None = None
    kind: Literal["text", "code", "value"] = "text"
    many: bool = False
    fill_down: bool = True
    example: str = ""
    note: str = ""

    @property
    def header(self) -> str:
        """The header of the template: both languages."""
        return f"{self.zh} / {self.en}" + (" *" if self.required else "")

    @property
    def names(self) -> frozenset[str]:
        return frozenset(map(_fold_header, (self.zh, self.en, *self.aliases)))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say about one field of a row; an error keeps the row out, a warning does not."""

    field: str
    sentence: str
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class RowError:
    row: int  # as the file counts
    ordinal: int  # 1 is the first row of data
    column: str  # its letter; "" when the column is not in the file
    header: str
    field: str
    sentence: str


@dataclass(slots=True)
class Row:
    number: int
    ordinal: int
    values: dict[str, Any] = field(default_factory=dict)
    is_hidden: bool = False
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is none: a sum, a note, a heading, a repeated header, an example, a placeholder."""

    row: int
    text: str
    why: str


@dataclass(slots=True)
class Table:
    kind: str
    encoding: str
    sheet: str
    header_rows: list[int]
    columns: list[str]
    letters: dict[str, list[str]]  # field → columns it was read from
    titles: dict[str, str]  # field → what the file calls it
    rows: list[Row]
    skipped: list[Skipped]

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
    file: bytes | IO[bytes],
    columns: Sequence[Column],
    *,
    check: Callable[[dict[str, Any]], Iterable[Finding]] | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> Table:
    """The rows of an uploaded .xlsx, .xls or .csv as people keep them.

    Finds the sheet and its header (one row or two, under titles), reads each cell by its column, and says
    which rows are none. `check` sees the values of one row when all its cells could be read, may change
    them, and yields findings. Refuses, with DomainError, only what is wrong with the whole file.
    """
    data = read_limited(file, max_bytes=max_bytes)
    kind, grids = read_grids(data, max_rows=max_rows)
    header = _find_header(grids, columns, max_rows=max_rows)
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
    return _Reading(kind, header, columns, check, max_rows).table()


# --- The header ---------------------------------------------------------------------------------------

_NOISE = re.compile(r"[\s*:：_'\"“”·]|\((?:必填|选填|可选|required|optional)\)")


def _fold_header(text: str) -> str:
    return _NOISE.sub("", simplify(unicodedata.normalize("NFKC", text)).lower())


@dataclass(frozen=True, slots=True)
class _Header:
    grid: Grid
    first: int  # 0-based
    depth: int
    titles: list[str]
    fields: dict[str, list[int]]

    @property
    def data_starts(self) -> int:
        return self.first + self.depth


def _find_header(grids: Sequence[Grid], columns: Sequence[Column], *, max_rows: int) -> _Header:
    found = [
        _Header(grid, first, depth, titles, _assign(titles, columns))
        for grid in grids
        if grid.rows
        for first in range(min(_HEADER_WITHIN, len(grid.rows)))
        for depth, titles in _titles(grid, first)
    ]
    required = {column.field for column in columns if column.required}

    def quality(header: _Header) -> tuple[int, int, int, int]:
        # Most required columns, then most columns; then the plainer reading, then the sheet that comes first.
        fields = header.fields.keys()
        return (
            len(required & fields),
            len(fields),
            sum(map(len, header.fields.values())),
            -header.depth,
        )

    best = max(found, key=quality, default=None)
    too_large = [g.too_large for g in grids if g.too_large]
    if too_large and (best is None or best.grid.too_large or not required <= best.fields.keys()):
        raise refusal(too_large[0], max_rows=max_rows)
    if best is None:
        raise DomainError(_("The file holds no rows."), code="spreadsheet.empty")
    return best


def _titles(grid: Grid, first: int) -> Iterator[tuple[int, list[str]]]:
    """The header row alone, and joined with the row under it."""
    top = [_text(value) for value in grid.rows[first]]
    if sum(map(bool, top)) < 2 and not _is_one_column(grid):
        return
    yield 1, top
    if first + 1 < len(grid.rows):
        under = [_text(value) for value in grid.rows[first + 1]]
        if any(u and not (top[at : at + 1] or [""])[0] for at, u in enumerate(under)) or _spans(
            grid, first
        ):
            yield 2, _joined(top, under)


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


def _assign(titles: Sequence[str], columns: Sequence[Column]) -> dict[str, list[int]]:
    """Which columns of the file each field is read from: exact names go before parts of names."""
    fits = [
        (rank, place, column)
        for column in columns
        for place, title in enumerate(titles)
        if title and (rank := _fit(title, column.names)) is not None
    ]
    taken: set[int] = set()
    fields: dict[str, list[int]] = {}
    for _rank, place, column in sorted(fits, key=lambda fit: (fit[0], fit[1])):
        if place not in taken and (column.many or column.field not in fields):
            taken.add(place)
            fields.setdefault(column.field, []).append(place)
    return {name: sorted(places) for name, places in fields.items()}


def _fit(title: str, names: frozenset[str]) -> int | None:
    for rank, spellings in enumerate(_spellings(title)):
        if any(_fold_header(one) in names for one in spellings):
            return rank
    return None


def _spellings(title: str) -> Iterator[list[str]]:
    """Ever looser readings: "Item / 产品名称", "规格要求 Spec", "主要产品(服务)", "联系人/手机"."""
    text = unicodedata.normalize("NFKC", title)
    yield [text]
    without = re.sub(r"\([^()]*\)", "", text)
    yield [without, *re.findall(r"\(([^()]*)\)", text)]
    parts = re.split(r"[/|\n]", text)
    # Of a joined header the lower part tells more than its group.
    yield parts[::-1]
    yield [re.sub(r"\([^()]*\)", "", part) for part in parts[::-1]]
    yield [
        word
        for part in parts
        for word in re.split(
            r"(?<=[\u3400-\u9fff])\s*(?=[A-Za-z])|(?<=[A-Za-z])\s*(?=[\u3400-\u9fff])", part
        )
    ]


# --- The rows -----------------------------------------------------------------------------------------

_SUM = re.compile(r"^(?:合计|总计|小计|共计|累计|总和|(?:grand |sub-?)?total|sum)(?:[::(].*)?$")
_NOTE = re.compile(
    r"^(?:注\d*|备注|说明|填表说明|填写说明|注意|注意事项|附注|notes?|remarks?|n\.b\.)\s*[::.、].*|"
    r"^(?:制表|填表|填报|审核|复核|经办|联系|日期|单位|盖章|数据来源|source|prepared)[^:]{0,12}:.*|"
    # The last line of our own exports.
    r"^(?:截至 \d|as of \d|incomplete:|文件不完整:).*",
    re.DOTALL,
)
_HEADING = re.compile(
    r"^[(]?[一二三四五六七八九十]+[)]?[、.)].*|^第[一二三四五六七八九十\d]+[章节部分批].*",
    re.DOTALL,
)
_ORDINAL = frozenset(("序号", "编号", "行号", "序", "no", "no.", "#", "s/n", "nr", "sn"))
_CELL_ERROR = re.compile(r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)$")
# Fifteen digits survive in a number cell; of a longer code the rest has become zeros.
_LOSES_DIGITS = 1e15


@dataclass(slots=True)
class _Reading:
    kind: str
    header: _Header
    columns: Sequence[Column]
    check: Callable[[dict[str, Any]], Iterable[Finding]] | None
    max_rows: int
    skipped: list[Skipped] = field(default_factory=list)

    def table(self) -> Table:
        header = self.header
        rows = list(self._rows())
        if len(rows) > self.max_rows:
            raise refusal("too_long", max_rows=self.max_rows)
        return Table(
            kind=self.kind,
            encoding=header.grid.encoding,
            sheet=header.grid.name,
            header_rows=list(range(header.first + 1, header.data_starts + 1)),
            columns=[_one_line(title) for title in header.titles if title],
            letters={
                name: [letter(place) for place in places] for name, places in header.fields.items()
            },
            titles={
                name: _one_line(header.titles[places[0]]) for name, places in header.fields.items()
            },
            rows=rows,
            skipped=self.skipped,
        )

    def _rows(self) -> Iterator[Row]:
        grid, starts = self.header.grid, self.header.data_starts
        fills = _fills(grid, starts)
        wide = {area[0] for area in grid.merged if self._is_across(area)}
        ordinals = {
            at for at, title in enumerate(self.header.titles) if _fold_header(title) in _ORDINAL
        }
        ordinals -= {at for places in self.header.fields.values() for at in places}
        ordinal = 0
        for at in range(starts, len(grid.rows)):
            own: dict[int, Value] = {
                place: v
                for place, v in enumerate(grid.rows[at])
                if v is not None and v != "" and not (place in ordinals and _is_count(v))
            }
            texts = {place: text for place, value in own.items() if (text := _text(value))}
            if not texts:
                continue
            why = self._why_none(texts, is_wide=at in wide)
            if why:
                self.skipped.append(Skipped(at + 1, _one_line(" ".join(texts.values()))[:200], why))
                continue
            ordinal += 1
            yield self._row(at, ordinal, own, fills.get(at, {}))

    def _is_across(self, area: Area) -> bool:
        """Merged over several columns, not only over the cells that one header spans."""
        return sum(map(bool, self.header.titles[area[1] : area[3] + 1])) > 1

    def _why_none(self, texts: Mapping[int, str], *, is_wide: bool) -> str:
        first = unicodedata.normalize("NFKC", next(iter(texts.values()))).lower()
        read = {
            text for name in self.header.fields.values() for at in name if (text := texts.get(at))
        }
        is_alone = len(texts) == 1
        titles = self.header.titles
        reasons = (
            ("sum", _SUM.match(first.replace(" ", ""))),
            ("note", is_alone and _NOTE.match(first)),
            ("heading", is_alone and (is_wide or _HEADING.match(first)) and len(titles) > 1),
            ("placeholder", all(map(is_placeholder, read))),
            (
                "header",
                len(texts) > 1
                and all(at < len(titles) and titles[at] == t for at, t in texts.items()),
            ),
            ("example", self._is_example(texts)),
        )
        return next((why for why, holds in reasons if holds), "")

    def _is_example(self, texts: Mapping[int, str]) -> bool:
        examples = {c.field: c.example for c in self.columns if c.example}
        places = {
            self.header.fields[name][0]: text
            for name, text in examples.items()
            if name in self.header.fields
        }
        return bool(places) and len(places) > 1 and dict(texts) == places

    def _row(self, at: int, ordinal: int, own: dict[int, Value], filled: dict[int, Value]) -> Row:
        row = Row(at + 1, ordinal, is_hidden=at + 1 in self.header.grid.hidden)
        for column in self.columns:
            places = self.header.fields.get(column.field, [])
            cells = [self._cell(column, own, filled, place) for place in places]
            self._read_field(
                row, column, [(p, c) for p, c in zip(places, cells, strict=True) if c is not None]
            )
        if self.check is not None and not row.errors:
            for finding in self.check(row.values):
                self._note(row, finding.field, finding.sentence, is_error=finding.is_error)
        return row

    def _cell(
        self, column: Column, own: dict[int, Value], filled: dict[int, Value], place: int
    ) -> Value:
        value = own.get(place)
        if value is None and column.fill_down:
            value = filled.get(place)
        if isinstance(value, str):
            value = value.strip()
        return None if is_placeholder(value) else value

    def _read_field(self, row: Row, column: Column, cells: list[tuple[int, Value]]) -> None:
        read: list[Any] = []
        for place, cell in cells:
            try:
                shaped = _shaped(column, cell)
                value: Any = column.parse(shaped) if column.parse else shaped
            except (DomainError, ValidationError) as refused:
                sentences = (
                    refused.messages if isinstance(refused, ValidationError) else [str(refused)]
                )
                self._note(row, column.field, " ".join(sentences), place=place)
                continue
            if warning := getattr(value, "warning", ""):
                self._note(row, column.field, warning, place=place, is_error=False)
            read += value if column.many and isinstance(value, list) else [value]
        row.values[column.field] = read if column.many else next(iter(read), None)
        if column.required and not cells:
            self._note(
                row, column.field, _("%(column)s is missing.") % {"column": self._title(column)}
            )

    def _title(self, column: Column) -> str:
        places = self.header.fields.get(column.field)
        return (
            _one_line(self.header.titles[places[0]]) if places else column.header.removesuffix(" *")
        )

    def _note(
        self, row: Row, name: str, sentence: str, *, place: int | None = None, is_error: bool = True
    ) -> None:
        places = self.header.fields.get(name, [])
        at = place if place is not None else next(iter(places), None)
        error = RowError(
            row=row.number,
            ordinal=row.ordinal,
            column="" if at is None else letter(at),
            header="" if at is None else _one_line(self.header.titles[at]),
            field=name,
            sentence=sentence,
        )
        (row.errors if is_error else row.warnings).append(error)


def _fills(grid: Grid, starts: int) -> dict[int, dict[int, Value]]:
    """What cells merged downwards say in the rows below their first."""
    fills: dict[int, dict[int, Value]] = {}
    for top, left, bottom, _right in grid.merged:
        if top < starts or bottom == top or top >= len(grid.rows) or left >= len(grid.rows[top]):
            continue
        for row in range(top + 1, min(bottom, len(grid.rows)) + 1):
            fills.setdefault(row, {})[left] = grid.rows[top][left]
    return fills


def _shaped(column: Column, cell: Value) -> Value:
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
    return cell if column.kind == "value" else _text(cell)


def _is_count(value: Value) -> bool:
    """A running number; a word in its column ("Total", a note) says something about the row."""
    return re.fullmatch(r"[\d０-９]+(?:\.0*)?[.、]?", _text(value)) is not None


def _has_lost_digits(cell: Value) -> bool:
    if isinstance(cell, str):
        # The same number cell, saved as text: "9.13304E+17".
        return re.fullmatch(r"\d(?:\.\d+)?[eE]\+\d{2}", cell) is not None
    return isinstance(cell, int | float) and abs(cell) >= _LOSES_DIGITS


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _LOSES_DIGITS else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def letter(place: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


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
