from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import IO, Any, Literal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.quantities import is_placeholder
from chains.searchtext import simplify, visible
from chains.spreadsheets.container import MAX_BYTES, read_limited
from chains.spreadsheets.grid import Grid, Value, read_grids, refusal
from chains.spreadsheets.workbook_process import UNSAVED

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
    # To the left of the names it divides the rows into groups, and says once what holds for all of one.
    groups: bool = False
    example: str = ""
    note: str = ""
    # What its cells look like, where no header names the column.
    shape: re.Pattern[str] | None = None

    @property
    def header(self) -> str:
        """The header of the template: both languages."""
        return f"{self.zh} / {self.en}" + (" *" if self.required else "")

    @property
    def names(self) -> frozenset[str]:
        return _folded(self.zh, self.en, *self.aliases)


@lru_cache(maxsize=256)
def _folded(*names: str) -> frozenset[str]:
    return frozenset(map(fold_header, names))


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
    cells: dict[int, str] = field(default_factory=dict)  # what is read of it, as written, by place
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
    places: dict[str, list[int]]
    heads: dict[int, str]  # place → what the file calls it
    rows: list[Row]
    skipped: list[Skipped]
    other_sheets: list[str] = field(default_factory=list)  # that hold such a list too

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


@dataclass(frozen=True, slots=True)
class Sheets:
    """An uploaded file once opened: a workbook is unpacked in a process of its own, and that once."""

    kind: str
    grids: list[Grid]


def open_sheets(
    file: bytes | IO[bytes], *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> Sheets:
    kind, grids = read_grids(read_limited(file, max_bytes=max_bytes), max_rows=max_rows)
    for grid in grids:
        for row in grid.rows:
            row[:] = [_tidy(cell) if isinstance(cell, str) else cell for cell in row]
    return Sheets(kind, grids)


_LINE_END = re.compile("[\x0b\x0c\u2028\u2029]")
# Typed before a figure or a word to keep it as text; where a second one closes, it is a quotation.
_APOSTROPHE = re.compile("^\\s*['`´‘’＇](?=[0-9０-９\u3400-\u9fff+.-])(?!.*['‘’＇])", re.DOTALL)


# How a CSV file keeps a figure as text.
_AS_TEXT = re.compile(r'\s*="([^"]*)"\s*')


def _tidy(cell: str) -> str:
    text = _LINE_END.sub("\n", visible(cell))
    kept = _AS_TEXT.fullmatch(text)
    return kept[1] if kept else _APOSTROPHE.sub("", text)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows of a file stand and what its columns become: proposed, then confirmed by a person."""

    sheet: int
    first: int  # the header's first row, 0-based
    depth: int  # its rows; 0 when the file has none
    fields: Mapping[int, str]  # place of a column → field


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
    kind, grids = sheets.kind, sheets.grids
    names = [grid.name for grid in grids] if kind != "csv" else []
    among = grids if sheet is None or not 0 <= sheet < len(grids) else [grids[sheet]]
    header = _find_header(among, columns, max_rows=max_rows, row=header_row or None)
    if header_row == 0:
        header = _Header(among[0], 0, 0, [], {})
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
    return Proposal(kind, names, layout, proposed, sum(any(map(_text, row)) for row in below))


_SAMPLES = 40


def _samples(header: _Header, place: int) -> list[str]:
    rows = header.grid.rows[header.data_starts : header.data_starts + _SAMPLES]
    texts = (_text(row[place]) for row in rows if place < len(row))
    return [text for text in texts if not is_placeholder(text)]


def _looks_like(column: Column, samples: Sequence[str]) -> bool:
    """Most of what stands there has the shape; two cells prove nothing where there are more."""
    if column.shape is None or not samples:
        return False
    fitting = sum(
        column.shape.search(unicodedata.normalize("NFKC", s)) is not None for s in samples
    )
    return fitting * 10 >= len(samples) * 7


def _without_header(header: _Header, columns: Sequence[Column]) -> _Header | None:
    """A file that begins with its rows: cells of the first one look like what is below them."""
    first = header.grid.rows[header.first]
    bare = _Header(header.grid, header.first, 0, [], {})
    fitting = [
        column
        for column in columns
        for place, value in enumerate(first)
        if _looks_like(column, [_text(value)]) and _looks_like(column, _samples(bare, place))
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
    header: _Header, columns: Sequence[Column], remembered: Mapping[str, str]
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
            shown = _one_line(title) or letter(place)
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
    kind, grids = file.kind, file.grids
    if layout is None:
        header = _find_header(grids, columns, max_rows=max_rows)
    else:
        header = _laid_out(grids, layout, max_rows=max_rows)
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
    table = _Reading(kind, header, columns, check, max_rows, limit).table()
    if layout is None and kind != "csv":
        others = (grid for grid in grids if grid is not header.grid)
        table.other_sheets = [grid.name for grid in others if _holds(grid, columns)]
    return table


def _holds(grid: Grid, columns: Sequence[Column]) -> bool:
    """Whether a list of the same kind stands in it."""
    if not grid.rows:
        return False
    header = _find_header([grid], columns, max_rows=MAX_ROWS)
    required = {column.field for column in columns if column.required}
    # One name alone may be a word of an instruction.
    is_list = required <= header.fields.keys() and len(header.fields) > 1
    return is_list and any(any(map(_text, row)) for row in grid.rows[header.data_starts :])


# --- The header ---------------------------------------------------------------------------------------

_NOISE = re.compile(r"[\s*:：_'\"“”·]|\((?:必填|选填|可选|required|optional)\)")


def _laid_out(grids: Sequence[Grid], layout: Layout, *, max_rows: int) -> _Header:
    grid = grids[layout.sheet]
    if grid.too_large:
        raise refusal(grid.too_large, max_rows=max_rows)
    head = [
        [_text(value) for value in row]
        for row in grid.rows[layout.first : layout.first + layout.depth]
    ]
    titles: list[str] = _joined(*head) if len(head) == 2 else head[0] if head else []
    fields: dict[str, list[int]] = {}
    for place, name in sorted(layout.fields.items()):
        fields.setdefault(name, []).append(place)
    width = max([len(titles), *(place + 1 for place in layout.fields)])
    return _Header(grid, layout.first, layout.depth, titles + [""] * (width - len(titles)), fields)


@lru_cache(maxsize=4096)
def fold_header(text: str) -> str:
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


def _find_header(
    grids: Sequence[Grid], columns: Sequence[Column], *, max_rows: int, row: int | None = None
) -> _Header:
    found = [
        _Header(grid, first, depth, titles, _assign(titles, columns))
        for grid in grids
        if grid.rows
        for first in range(min(_HEADER_WITHIN, len(grid.rows)))
        if row is None or first == row - 1
        for depth, titles in _titles(grid, first, columns, given=row is not None)
    ]
    required = {column.field for column in columns if column.required}

    widths = {id(grid): _usual_width(grid) for grid in grids}

    def quality(header: _Header) -> tuple[int, ...]:
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

    best = max(found, key=quality, default=None)
    too_large = [g.too_large for g in grids if g.too_large]
    if too_large and (best is None or best.grid.too_large or not required <= best.fields.keys()):
        raise refusal(too_large[0], max_rows=max_rows)
    if best is None or not any(_text(value) for row in best.grid.rows for value in row):
        raise DomainError(_("The file holds no rows."), code="spreadsheet.empty")
    return best


def _usual_width(grid: Grid) -> int:
    """As many cells as a row in the middle of the sheet's beginning has."""
    filled = sorted(sum(map(bool, map(_text, row))) for row in grid.rows[: 2 * _HEADER_WITHIN])
    return filled[len(filled) // 2] if filled else 0


def _titles(
    grid: Grid, first: int, columns: Sequence[Column], *, given: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The header row alone, and joined with the row under it; only joined where that row can be nothing else."""
    top = [_text(value) for value in grid.rows[first]]
    if sum(map(bool, top)) < 2 and not given and not _is_one_column(grid):
        if _spans(grid, first) and any(top[1:]) and first + 1 < len(grid.rows):
            # The middle of three rows: one of its groups is divided further.
            yield 2, _joined(top, [_text(value) for value in grid.rows[first + 1]])
        return
    below = grid.rows[first + 1] if first + 1 < len(grid.rows) else []
    if _divides(grid, first, top, below, columns):
        yield 2, _joined(top, [_text(value) for value in below])
        return
    yield 1, top
    if below:
        under = [_text(value) for value in below]
        if any(u and not (top[at : at + 1] or [""])[0] for at, u in enumerate(under)) or _spans(
            grid, first
        ):
            yield 2, _joined(top, under)


def _divides(
    grid: Grid, first: int, top: list[str], below: Sequence[Value], columns: Sequence[Column]
) -> bool:
    """Whether the row under a header only names the parts of its groups: "需求量" over "数量(吨)" and "金额"."""
    width = max(len(top), len(below))
    titles = top + [""] * (width - len(top))
    filled = {at for at, value in enumerate(below) if _text(value)}
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
    known = {at for at in filled if _fit(_text(below[at]), names) is not None}
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


# Of a longer one its end is read: there the name stands when a form's instructions stand over it.
_LONGEST_TITLE = 1000


def _fit(title: str, names: frozenset[str]) -> int | None:
    for rank, spellings in enumerate(_spellings(title[-_LONGEST_TITLE:])):
        if any(fold_header(one) in names for one in spellings):
            return rank
    return None


def _spellings(title: str) -> Iterator[list[str]]:
    """Ever looser readings: "Item / 产品名称", "规格要求 Spec", "主要产品(服务)", "联系人/手机"."""
    # Of a thousand blanks in a row each pattern below would try every part.
    text = re.sub(r"\s+", _one_blank, unicodedata.normalize("NFKC", title))
    yield [text]
    without = re.sub(r"\([^()]*\)", "", text)
    yield [without, *re.findall(r"\(([^()]*)\)", text)]
    parts = re.split(r"[/|\n]", text)
    # Of a joined header the lower part tells more than its group.
    for some in (parts[-1:], parts[-2::-1]):
        yield some
        yield [re.sub(r"\([^()]*\)", "", part) for part in some]
    yield [
        word
        for part in parts
        for word in re.split(
            r"(?<=[\u3400-\u9fff])\s*(?=[A-Za-z])|(?<=[A-Za-z])\s*(?=[\u3400-\u9fff])", part
        )
    ]
    # "到货/日期" of two rows, "Qty. (Nos.)", "要求交货日期", "Reqd. date", "品名及规格".
    bare = ["".join(parts), *(one.replace(".", "") for one in (text, without))]
    yield bare
    # Stars mark what must be filled in.
    yield [_WISH.sub("", one.strip(" *＊:")) for one in (*bare, without)]
    yield [re.split(r"及|和|与|、|&| and ", without, maxsplit=1)[0]]
    # "联系人1", "Quantity required per annum".
    yield [_COUNTED.sub("", without)]
    # "法人单位名称", "单位联系电话", "供应商地址".
    yield [_OWNER.sub("", without.strip(" *＊:"))]


def _one_blank(run: re.Match[str]) -> str:
    return "\n" if "\n" in run[0] else " "


_OWNER = re.compile(
    # "企业名称" is no name of a product.
    r"^(?:法人单位|法人|企业|单位|公司|机构|供应商|供货商|供方|厂家|厂商|客商)的?(?=..)(?!(?:全|简)?[名称]称?$)"
)
_COUNTED = re.compile(
    r"\s*(?:[#_]?\d{1,2}|[一二三四]|(?:required|needed)?\s*(?:per annum|per year|p\.a\.|required|needed))\s*$",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"^(?:要求|期望|希望|计划|预计|预期|拟|最晚|最迟|(?:required|reqd?|requested|target|planned|expected|estimated|est)\b)\s*",
    re.IGNORECASE,
)


# --- The rows -----------------------------------------------------------------------------------------

_SUM = re.compile(
    r"^(?:本页|本表|本类|以上|全部)?(?:合计|总计|小计|共计|累计|总和|页计|(?:grand|sub-?)?total|sum|summe)(?:[::(].*)?$|"
    # Carried from page to page, and the sum in words.
    r"^(?:承前页|承上页|过次页|过下页|[接续转](?:上|下)页|(?:金额|人民币|合计)?\(?大写\)?(?:金额)?|carried forward|brought forward)[::]?$"
)
_NOTE = re.compile(
    r"^(?:注\d*|备注|说明|填表说明|填写说明|注意|注意事项|附注|notes?|remarks?|n\.b\.)\s*[::.、].*|"
    r"^(?:制表|填表|填报|审核|复核|经办|联系|日期|单位|盖章|数据来源|source|prepared)[^:]{0,12}:.*|"
    # The end of a list.
    r"^\W*(?:以下|以上)(?:空白|无正文|无内容)\W*$|"
    # The last line of our own exports.
    r"^(?:截至 \d|as of \d|incomplete:|文件不完整:).*",
    re.DOTALL,
)
_HEADING = re.compile(
    r"^[(]?[一二三四五六七八九十]+[)]?[、.)].*|^第[一二三四五六七八九十\d]+[章节部分批].*|"
    # The name of a group with how many are in it, or with a colon.
    r"^\S{1,30}\((?:共|合计)?\s*\d+\s*[家户个项种条名人件]\)$|^[^:]{1,30}:$",
    re.DOTALL,
)
# As the cell above.
_DITTO = re.compile(
    r"[-—–－ ]*(?:同上?|同前|[〃″\"“”＂↑]{1,2}|''|ditto|idem|do\.|dto\.?|s\. ?o\.|(?:same )?as above)[-—–－ ]*|-+//-+"
)
_LONGEST_NAME = 40
_ASIDE = re.compile(r"^\([^()]*\)$")
# A note goes on in the rows below it.
_GOES_ON = re.compile(r"^\(?\d{1,2}[、.)]\s*\D")
_EXAMPLE = re.compile(
    r"^(?:填写)?(?:示例|样例|范例|例如|举例|例|example|e\.g\.)(?:\s*[::]|(?P<alone>行|row)?$)"
)
_ORDINAL = frozenset(("序号", "编号", "行号", "序", "no", "no.", "#", "s/n", "nr", "sn"))
_CELL_ERROR = re.compile(r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)$")
# Fifteen digits survive in a number cell; of a longer code the rest has become zeros.
_LOSES_DIGITS = 1e15


@dataclass(slots=True)
class _Reading:
    kind: str
    header: _Header
    columns: Sequence[Column]
    check: Callable[[dict[str, Any]], Iterable[Finding]] | None
    max_rows: int
    limit: int | None = None
    skipped: list[Skipped] = field(default_factory=list)
    # The row of another header further down whose columns stand otherwise.
    other_header: int = 0

    def table(self) -> Table:
        header = self.header
        self._refuse_form()
        rows = list(islice(self._rows(), self.limit))
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
            places=header.fields,
            heads={at: _one_line(title) for at, title in enumerate(header.titles) if title},
            rows=rows,
            skipped=self.skipped,
        )

    def _rows(self) -> Iterator[Row]:
        grid, starts = self.header.grid, self.header.data_starts
        fills = _fills(grid, starts)
        wide = {area[0] for area in grid.merged if self._is_across(area)}
        ordinals = {
            at for at, title in enumerate(self.header.titles) if fold_header(title) in _ORDINAL
        }
        ordinals -= {at for places in self.header.fields.values() for at in places}
        ordinal = 0
        above: dict[int, Value] = {}
        groups = self._groups()
        group: dict[int, Value] = {}
        for at in range(starts, len(grid.rows)):
            own: dict[int, Value] = {
                place: v
                for place, v in enumerate(grid.rows[at])
                if v is not None and v != "" and not (place in ordinals and _is_count(v))
            }
            own = {
                place: above.get(place) if _DITTO.fullmatch(_text(value).lower()) else value
                for place, value in own.items()
            }
            texts = {place: text for place, value in own.items() if (text := _text(value))}
            if not texts:
                continue
            otherwise = self._heads_otherwise(texts)
            if otherwise is not None:
                self.other_header = at + 1 if otherwise else 0
            why = (
                self._why_none(texts, is_wide=at in wide)
                or ("header" if otherwise is not None else "")
                or ("note" if self._goes_on(at, texts) else "")
            )
            is_struck = at + 1 in grid.struck
            if why or is_struck:
                said = _one_line(" ".join(texts.values()))[:200]
                said = _("%(text)s – struck out") % {"text": said} if is_struck else said
                self.skipped.append(Skipped(at + 1, said, why or "struck"))
                continue
            ordinal += 1
            above = own
            filled = fills.get(at, {})
            carried = {
                place: value
                for place, value in group.items()
                if place not in own and place not in filled
            }
            group = {place: v for place in groups if (v := own.get(place, group.get(place)))}
            row = self._row(at, ordinal, own, {**carried, **filled})
            for place, value in carried.items():
                self._note(
                    row,
                    groups[place],
                    _("Nothing stands here: “%(text)s” of the rows above is taken.")
                    % {"text": _one_line(_text(value))[:80]},
                    place=place,
                    is_error=False,
                )
            yield row

    def _groups(self) -> dict[int, str]:
        """Columns to the left of the name of a row: what they say once holds for the rows below, where a file has
        no merged cells to say so."""
        fields = self.header.fields
        own = min((fields[c.field][0] for c in self.columns if c.required), default=0)
        return {
            fields[column.field][0]: column.field
            for column in self.columns
            if column.groups and column.field in fields and fields[column.field][0] < own
        }

    def _known(self, text: str) -> set[str]:
        """The fields that bear this name."""
        if len(text) > _LONGEST_NAME or text[:1].isdigit():
            return set()
        folded = fold_header(text)
        return {column.field for column in self.columns if folded in column.names}

    def _refuse_form(self) -> None:
        """Names to the left of what they name: such a sheet holds one record, and no list."""
        header = self.header
        places = [header.fields[c.field][0] for c in self.columns if c.required]
        below = header.grid.rows[header.data_starts : header.data_starts + 12]
        texts = [
            [text for place, value in enumerate(row) if (text := _text(value)) and place in places]
            for row in below
            if any(map(_text, row))
        ]
        named = sum(bool(found) and bool(self._known(found[0])) for found in texts)
        required = {column.field for column in self.columns if column.required}
        other = sum(bool(found) and bool(self._known(found[0]) - required) for found in texts)
        if other > 1 and named * 2 > len(texts):
            raise DomainError(
                _(
                    "The sheet is a form, with the names beside what they name. Make it a list: the names in one row, each record in a row below."
                ),
                code="spreadsheet.form",
            )

    def _heads_otherwise(self, texts: Mapping[int, str]) -> bool | None:
        """Whether a row is a header of its own: True where its columns stand otherwise, None where it is no header."""
        if len(texts) < 2:
            return None
        named = {at: fields for at, text in texts.items() if (fields := self._known(text))}
        required = {column.field for column in self.columns if column.required}
        if len(named) < 2 or len(named) * 2 < len(texts):
            return None
        if not any(required & fields for fields in named.values()):
            return None
        own = {at: name for name, places in self.header.fields.items() for at in places}
        return any(own.get(at) not in fields for at, fields in named.items())

    def _goes_on(self, at: int, texts: Mapping[int, str]) -> bool:
        """Whether it is the next point of the note in the row above."""
        if len(texts) > 1 or not self.skipped or len(self.header.titles) < 2:
            return False
        above = self.skipped[-1]
        text = unicodedata.normalize("NFKC", next(iter(texts.values())))
        return (above.row, above.why) == (at, "note") and _GOES_ON.match(text) is not None

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
            ("note", is_alone and len(titles) > 1 and _ASIDE.match(first)),
            ("heading", is_alone and (is_wide or _HEADING.match(first)) and len(titles) > 1),
            ("placeholder", all(map(is_placeholder, read))),
            (
                "header",
                len(texts) > 1
                and all(at < len(titles) and titles[at] == t for at, t in texts.items()),
            ),
            ("example", self._is_example(texts) or (not is_alone and _EXAMPLE.match(first))),
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
            for place, cell in zip(places, cells, strict=True):
                if cell is not None:
                    row.cells[place] = _text(cell)
            self._read_field(
                row, column, [(p, c) for p, c in zip(places, cells, strict=True) if c is not None]
            )
        if self.other_header:
            self._note(
                row,
                next(column.field for column in self.columns if column.required),
                _(
                    "This row stands below another header, in row %(row)d, whose columns are in another order. Put that table into a file of its own."
                )
                % {"row": self.other_header},
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
            # No cell belongs to two: a file that says so must not cost its rows squared.
            if left in fills.setdefault(row, {}):
                break
            fills[row][left] = grid.rows[top][left]
    return fills


def _shaped(column: Column, cell: Value) -> Value:
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
