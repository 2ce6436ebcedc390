"""The rows below a header: which are some, and what their cells say."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.quantities import is_placeholder
from chains.spreadsheets.cells import is_count, letter, one_line, shaped_cell, text_of
from chains.spreadsheets.columns import Column, Finding, fold_header
from chains.spreadsheets.grid import Grid, Value
from chains.spreadsheets.header import Header

Area = tuple[int, int, int, int]


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


_SUM = re.compile(
    r"^(?:本页|本表|本类|以上|全部)?(?:合计|总计|小计|共计|累计|总和|页计|(?:grand|sub-?)?total|sum|summe)(?:[::(].*)?$|"
    # Carried from page to page, and the sum in words.
    r"^(?:承前页|承上页|过次页|过下页|[接续转](?:上|下)页|(?:金额|人民币|合计)?\(?大写\)?(?:金额)?|carried forward|brought forward)[::]?$"
)

_NOTE = re.compile(
    r"^(?:注\d*|备注|说明|填表说明|填写说明|注意|注意事项|附注|notes?|remarks?|n\.b\.)\s*[::.、].*|"
    r"^(?:制表|填表|填报|审核|复核|经办|联系|日期|单位|盖章|数据来源|source|prepared)[^:]{0,12}:.*|"
    # The end of a list.
    r"^\W*(?:以下|以上)(?:空白|无正文|无内容)\W*$|^\W*end of (?:report|list|file|table)\W*$|"
    # The foot of a page.
    r"^\W*page \d+(?: ?(?:of|/) ?\d+)?\W*$|^printed (?:on|at|by)\b.*|"
    r"^共\s*\d+\s*[条页行项]\D.*|^(?:导出|打印|生成|下载|查询|更新)(?:时间|日期|人员?).*|"
    # The last line of our own exports.
    r"^(?:截至 \d|as of \d|incomplete:|文件不完整:).*",
    re.DOTALL,
)

# "审核人：甲", "签字：": who has to do with the list.
_SIGNED = re.compile(
    r"^(?:.{0,8}(?:人|员|方|负责人|主管|领导|部门|单位|制单|审核|复核|批准|会计|经手|电话|日期|时间|盖章|签字|签名|签章)(?:\s*[(（].{1,8}[)）])?|prepared by|checked by|approved by|date|signature)\s*[:：].{0,30}$",
    re.IGNORECASE,
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

_LONGEST_DITTO = 30


def _is_ditto(value: Value) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _LONGEST_DITTO
        and _DITTO.fullmatch(value.strip().lower()) is not None
    )


_LONGEST_NAME = 40

_NUMERAL = re.compile(r"[(（]?[一二三四五六七八九十]{1,3}[)）]?[、.．]?|[IVX]{1,4}[.、]?")
_ASIDE = re.compile(r"^\([^()]*\)$")

# A note goes on in the rows below it.
_GOES_ON = re.compile(r"^\(?\d{1,2}[、.)]\s*\D")

_EXAMPLE = re.compile(
    r"^(?:填写)?(?:示例|样例|范例|例如|举例|例|example|e\.g\.)(?:\s*[::]|(?P<alone>行|row)?$)"
)

_ORDINAL = frozenset(("序号", "编号", "行号", "序", "no", "no.", "#", "s/n", "nr", "sn"))


@dataclass(slots=True)
class Reading:
    header: Header
    columns: Sequence[Column]
    check: Callable[[dict[str, Any]], Iterable[Finding]] | None
    skipped: list[Skipped] = field(default_factory=list)
    # The row of another header further down whose columns stand otherwise.
    other_header: int = 0
    # Columns of figures that have a comma before their decimals.
    commas: frozenset[int] = frozenset()
    # What the columns of amounts come to so far.
    sums: dict[int, float] = field(default_factory=dict)
    _amounts: frozenset[int] = frozenset()
    _fields: dict[str, set[str]] = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        grid, starts = self.header.grid, self.header.data_starts
        fills = _fills(grid, starts)
        wide = {area[0] for area in grid.merged if self._is_across(area)}
        ordinals = {
            at for at, title in enumerate(self.header.titles) if fold_header(title) in _ORDINAL
        }
        ordinals -= {at for places in self.header.fields.values() for at in places}
        ordinal = 0
        above: dict[int, Value] = {}
        self.commas = self._with_commas()
        fields = self.header.fields
        self._amounts = frozenset(
            at
            for column in self.columns
            if not column.fill_down
            for at in fields.get(column.field, ())
        )
        groups = self._groups()
        group: dict[int, Value] = {}
        for at in range(starts, len(grid.rows)):
            own: dict[int, Value] = {
                place: v
                for place, v in enumerate(grid.rows[at])
                if v is not None and v != "" and not (place in ordinals and is_count(v))
            }
            own = {
                place: above.get(place) if _is_ditto(value) else value
                for place, value in own.items()
            }
            texts = {place: text for place, value in own.items() if (text := text_of(value))}
            if not texts:
                continue
            otherwise = self._heads_otherwise(texts)
            if otherwise is not None:
                self.other_header = at + 1 if otherwise else 0
            why = (
                self._why_none(texts, is_wide=at in wide)
                or ("header" if otherwise is not None else "")
                or ("note" if self._goes_on(at, texts) else "")
                or ("sum" if self._is_bare_sum(texts) else "")
                or ("heading" if self._is_chapter(texts, ordinals) else "")
            )
            is_struck = at + 1 in grid.struck
            if why or is_struck:
                said = one_line(" ".join(texts.values()))[:200]
                said = _("%(text)s – struck out") % {"text": said} if is_struck else said
                self.skipped.append(Skipped(at + 1, said, why or "struck"))
                continue
            ordinal += 1
            above = own
            self._add(texts)
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
                    % {"text": one_line(text_of(value))[:80]},
                    place=place,
                    is_error=False,
                )
            yield row

    def _add(self, texts: Mapping[int, str]) -> None:
        for at in self._amounts & texts.keys():
            self.sums[at] = self.sums.get(at, 0) + _figure(texts[at])

    def _is_bare_sum(self, texts: Mapping[int, str]) -> bool:
        """Nothing but what the rows above come to, and no word that says so."""
        read = {at for places in self.header.fields.values() for at in places} & texts.keys()
        return bool(read) and all(
            at in self._amounts and _figure(texts[at]) == round(self.sums.get(at, 0), 6) > 0
            for at in read
        )

    def _is_chapter(self, texts: Mapping[int, str], ordinals: set[int]) -> bool:
        """ "一" among the numbers of the rows, and one word: the rows below belong to it."""
        numbered = [text for at, text in texts.items() if at in ordinals]
        return len(texts) == 2 and bool(numbered) and _NUMERAL.fullmatch(numbered[0]) is not None

    def _with_commas(self) -> frozenset[int]:
        """Columns in which a figure cannot be read otherwise: "1.200,000"; in a file of semicolons also "1,5"."""
        grid = self.header.grid
        plain = _COMMA_HERE if grid.delimiter == ";" else _COMMA_ALWAYS
        places = {
            at
            for column in self.columns
            if column.kind == "value"
            for at in self.header.fields.get(column.field, ())
        }
        return frozenset(
            at
            for at in places
            if any(
                isinstance(cell := row[at], str) and plain.match(cell)
                for row in grid.rows[self.header.data_starts :]
                if at < len(row)
            )
        )

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
        if not self._fields:
            for column in self.columns:
                for name in column.names:
                    self._fields.setdefault(name, set()).add(column.field)
        return self._fields.get(fold_header(text), set())

    def _heads_otherwise(self, texts: Mapping[int, str]) -> bool | None:
        """Whether a row is a header of its own: True where its columns stand otherwise, None where it is no header."""
        if len(texts) < 2:
            return None
        named: dict[int, set[str]] = {}
        others = 0
        for at, text in texts.items():
            if fields := self._known(text):
                named[at] = fields
            else:
                others += 1
            if others * 2 > len(texts):
                return None
        required = {column.field for column in self.columns if column.required}
        if len(named) < 2:
            return None
        if not any(required & fields for fields in named.values()):
            return None
        titles = self.header.titles
        if all(at < len(titles) and titles[at] == text for at, text in texts.items()):
            return False
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
            ("note", not is_alone and all(map(_SIGNED.match, texts.values()))),
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
            places, cells = self._cells(column, own, filled)
            for place, cell in zip(places, cells, strict=True):
                if cell is not None:
                    row.cells[place] = text_of(cell)
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

    def _cells(
        self, column: Column, own: dict[int, Value], filled: dict[int, Value]
    ) -> tuple[list[int], list[Value]]:
        for name in (column.field, column.instead):
            places = self.header.fields.get(name, [])
            cells = [self._cell(column, own, filled, place) for place in places]
            if any(cell is not None for cell in cells):
                return places, cells
        return [], []

    def _cell(
        self, column: Column, own: dict[int, Value], filled: dict[int, Value], place: int
    ) -> Value:
        value = own.get(place)
        if value is None and column.fill_down:
            value = filled.get(place)
        if isinstance(value, str):
            value = value.strip()
            if place in self.commas:
                value = _COMMA.sub(_with_point, value)
        return None if is_placeholder(value) else value

    def _read_field(self, row: Row, column: Column, cells: list[tuple[int, Value]]) -> None:
        read: list[Any] = []
        for place, cell in cells:
            try:
                shaped = shaped_cell(column, cell)
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
            one_line(self.header.titles[places[0]]) if places else column.header.removesuffix(" *")
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
            header="" if at is None else one_line(self.header.titles[at]),
            field=name,
            sentence=sentence,
        )
        (row.errors if is_error else row.warnings).append(error)


def _figure(text: str) -> float:
    plain = text.replace(",", "")
    return float(plain) if re.fullmatch(r"\d{1,15}(?:\.\d{1,6})?", plain) else math.nan


_COMMA_ALWAYS = re.compile(r"\s*\d{1,3}(?:\.\d{3})+,\d|\s*0,\d+\s*(?:[^\d,.]|$)")
_COMMA_HERE = re.compile(rf"{_COMMA_ALWAYS.pattern}|\s*\d+,(?:\d{{1,2}}|\d{{4,}})\s*(?:[^\d,.]|$)")
_COMMA = re.compile(
    r"(?<![\d.,])(?P<whole>\d{1,3}(?:\.\d{3})+(?!\d)|\d+)(?:,(?P<part>\d+))?(?![\d.,])"
)


def _with_point(figure: re.Match[str]) -> str:
    part = figure["part"]
    return figure["whole"].replace(".", "") + (f".{part}" if part else "")


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
