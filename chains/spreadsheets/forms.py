"""Forms – the names beside what they name, or above it – read as the list that they would be."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import NamedTuple

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.spreadsheets.cells import text_of
from chains.spreadsheets.columns import Column, fold_header, unnumbered
from chains.spreadsheets.grid import MAX_COLUMNS, Grid, Value, refusal
from chains.spreadsheets.sheets import MAX_ROWS, Sheets

# Rows of a sheet, and cells of each, that are looked at for being a form.
_LOOKED_AT = 40
_LONGEST_LABEL = 40
_LONGEST_CELL = 10_000  # in which names are looked for
# Of thousands of cards below one another, or of the forms of all sheets.
_MOST_CELLS = 50_000
# Of texts in a file that are held against the names of the fields.
_MOST_READ = 30_000
# Beside one another, that are looked at for names.
_ACROSS = 60
# What a row or two may have among its words by chance.
_MOST_BY_CHANCE = 3
# "企业名称：示例甲有限公司" in one cell. With blanks around it matched by the pattern, a cell of blanks took minutes.
_COLON = re.compile("[:：]")
_IN_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")
# Two such in one cell.
_GAP = re.compile(r"\n+|[ \t\u3000]{2,}")
# Columns of a form that hold neither names nor values.
_ASIDES = frozenset(
    map(fold_header, ("说明", "填写说明", "填表说明", "备注", "要求", "填写要求", "是否必填", "示例", "note", "notes", "remark", "remarks", "instructions", "example", "required"))
)  # fmt: skip

Said = tuple[str, Value]


class _Token(NamedTuple):
    """A filled cell, and which fields its words name: looked up once, since a form is gone through several times."""

    place: int
    value: Value
    text: str
    fields: set[str]
    inside: list[tuple[str, str]]  # names and values that stand in it


@dataclass(slots=True)
class _Form:
    grid: Grid
    records: list[list[Said]]
    fields: int


def unfolded(sheets: Sheets, columns: Sequence[Column]) -> Sheets:
    """All forms of a file as one list, where it holds forms; their names become its columns, each form a row."""
    names = _Names(columns)
    forms: list[_Form] = []
    cells = 0
    for grid in sheets.grids:
        if (form := _form_of(grid, names)) is not None:
            forms.append(form)
            cells += 0 if sheets.kind == "csv" else _filled(grid)
        if cells > _MOST_CELLS or names.is_full:
            if forms and sheets.kind != "csv":
                # Those on the other sheets would be lost, and nobody told.
                raise refusal("too_long", max_rows=MAX_ROWS)
            break
    if not forms:
        return sheets
    if sheets.kind == "csv":
        # Other grids are the same text, cut otherwise.
        forms = [max(forms, key=lambda form: form.fields)]
        return Sheets(sheets.kind, [_as_list(forms)])
    read = [id(form.grid) for form in forms]
    return Sheets(sheets.kind, [_as_list(forms), *(g for g in sheets.grids if id(g) not in read)])


@dataclass(slots=True)
class _Names:
    """What the fields are called."""

    columns: Sequence[Column]
    fields: dict[str, set[str]] = field(default_factory=dict)
    # What has been looked up: a form says the same names over and over.
    _known: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in self.columns:
            for name in column.names:
                self.fields.setdefault(name, set()).add(column.field)

    def of(self, text: str) -> set[str]:
        if not text or len(text) > _LONGEST_LABEL:
            return set()
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._look_up(unnumbered(text))
        return found

    def _look_up(self, text: str) -> set[str]:
        found = self.fields.get(fold_header(text))
        if found is None and (bare := _IN_BRACKETS.sub("", text)) != text:
            found = self.fields.get(fold_header(bare))
        return found or set()

    @property
    def is_full(self) -> bool:
        return len(self._known) > _MOST_READ

    @property
    def required(self) -> set[str]:
        return {column.field for column in self.columns if column.required}


def _tokens(row: Sequence[Value], names: _Names) -> list[_Token]:
    return [
        _Token(
            place,
            value,
            text,
            names.of(text),
            _in_cell(text, names) if isinstance(value, str) else [],
        )
        for place, value in enumerate(row)
        if (text := text_of(value))
    ]


def _form_of(grid: Grid, names: _Names) -> _Form | None:
    if grid.too_large or not _is_labelled(grid, names) or _filled(grid) > _MOST_CELLS:
        return None
    rows = [_tokens(row, names) for row in grid.rows]
    header = max(map(_known_beside, rows[:_LOOKED_AT]), default=0)
    if len(_named(rows, names)) <= max(header, 1):
        return None
    # One more than a list may have is refused like a list.
    cards = islice(_records(_said(rows), names), MAX_ROWS + 1)
    records = _across(rows, names) or list(cards)
    if not records:
        return None
    said = [name for name, value in records[0] if text_of(value)]
    found = set().union(*map(names.of, said))
    is_form = names.required <= found and len(found) > max(header, 1)
    return _Form(grid, records, len(found)) if is_form else None


def _named(rows: Sequence[Sequence[_Token]], names: _Names) -> set[str]:
    """All fields that are named anywhere."""
    return set().union(
        *(token.fields for tokens in rows for token in tokens),
        *(names.of(name) for tokens in rows for token in tokens for name, _v in token.inside),
    )


def _filled_in(row: Sequence[Value]) -> list[Value]:
    return [value for value in row if text_of(value)]


def _filled(grid: Grid) -> int:
    return sum(len(row) - row.count(None) - row.count("") for row in grid.rows)


def refuse_unread(grid: Grid, starts: int, columns: Sequence[Column]) -> None:
    """A form of which no list could be made is no list either: its names would become rows."""
    if grid.is_form or grid.too_large:
        return
    names = _Names(columns)
    rows = [
        said
        for row in islice(grid.rows, starts, starts + _LOOKED_AT)
        if (said := _filled_in(row[:_ACROSS]))
    ]
    named = [set().union(*(_own_names(value, names) for value in said)) for said in rows]
    is_form = sum(map(bool, named)) * 2 > len(rows)
    if is_form and len(set().union(*named)) > _MOST_BY_CHANCE:
        raise DomainError(
            _(
                "This looks like a form, and which of its words are names and which are answers cannot be told. Put it into a list: the names in one row, each enterprise or product in a row of its own below."
            ),
            code="spreadsheet.form",
        )


def _is_labelled(grid: Grid, names: _Names) -> bool:
    """Most of its rows have a name in them; of a list the header has."""
    filled = list(
        islice((said for row in grid.rows if (said := _filled_in(row[:_ACROSS]))), _LOOKED_AT)
    )
    labelled = bare = 0
    for said in filled:
        if any(_own_names(value, names) for value in said):
            labelled += 1
        else:
            bare += 1
        if bare * 2 > len(filled):
            return False
    return labelled > 1


def _own_names(value: Value, names: _Names) -> set[str]:
    """The fields a cell names, alone or before a colon."""
    if not isinstance(value, str):
        return set()
    return names.of(value) or set().union(*(names.of(name) for name, _v in _in_cell(value, names)))


def _known_beside(tokens: Sequence[_Token]) -> int:
    """How many fields a row names with another name beside each, as the header of a list does."""
    known = [token.fields for token in tokens]
    named = [fields for fields in known if fields]
    if len(named) * 2 <= len(known):
        named = [
            fields
            for at, fields in enumerate(known)
            if fields and (any(known[max(at - 1, 0) : at]) or any(known[at + 1 : at + 2]))
        ]
    return len(set().union(*named)) if len(named) > 1 else 0


def _in_cell(text: str, names: _Names) -> list[tuple[str, str]]:
    """The names and values of one cell: "联系人：王丙  电话：139…"."""
    found: list[tuple[str, list[str]]] = []
    if len(text) > _LONGEST_CELL or (":" not in text and "：" not in text):
        return []
    for piece in _GAP.split(text):
        name, *said = map(str.strip, _COLON.split(piece, maxsplit=1))
        if any(said) and names.of(name):
            found.append((name, said))
        elif found and piece.strip():
            found[-1][1].append(piece.strip())
    return [(name, "\n".join(said)) for name, said in found]


def _said(rows: Sequence[list[_Token]]) -> Iterator[Said]:
    """Each name with what stands beside it, in its cell or below it."""
    places = Counter(token.place for tokens in rows for token in tokens if token.fields)
    taken = -1
    for at, tokens in enumerate(rows):
        if at == taken:
            continue
        below = rows[at + 1] if at + 1 < len(rows) else []
        if _stands_over(tokens, below):
            values = {token.place: token.value for token in below}
            yield from ((token.text, values.get(token.place)) for token in tokens)
            taken = at + 1
        else:
            yield from _beside(tokens, places)


def _stands_over(tokens: list[_Token], below: list[_Token]) -> bool:
    """Whether a row only names what the row below it says."""
    if len(tokens) < 2 or not all(token.fields for token in tokens):
        return False
    return {token.place for token in below} <= {token.place for token in tokens} and not any(
        token.fields for token in below
    )


def _beside(tokens: list[_Token], places: Counter[int]) -> Iterator[Said]:
    name = ""
    for nth, token in enumerate(tokens):
        following = tokens[nth + 1] if nth + 1 < len(tokens) else None
        is_answered = following is not None and not following.fields
        if token.inside:
            yield from token.inside
            name = ""
        elif token.fields and not (name and (following is None or not following.fields)):
            if name:
                yield name, None
            name = token.text
        elif name:
            yield name, token.value
            name = ""
        elif is_answered and _is_label(token.text, token.place, places):
            name = token.text
    if name:
        yield name, None


def _is_label(text: str, place: int, places: Counter[int]) -> bool:
    """A name that nothing here knows, among those that are known."""
    return places[place] > 1 and len(text) <= _LONGEST_LABEL and not text[:1].isdigit()


def _records(said: Iterator[Said], names: _Names) -> Iterator[list[Said]]:
    """Cards below one another: the name that leads the first comes again."""
    record: list[Said] = []
    heard: set[str] = set()
    lead = ""
    for name, value in said:
        folded = fold_header(name)
        is_lead = folded == lead or bool(names.of(name) & names.required)
        if is_lead and folded in heard:
            yield record
            record, heard = [], set()
        lead = lead or folded
        heard.add(folded)
        record.append((name, value))
    if record:
        yield record


def _across(rows: Sequence[list[_Token]], names: _Names) -> list[list[Said]]:
    """A list laid on its side: names in one column, in each column to the right of it one record."""
    rows = [tokens for tokens in rows if tokens]
    leads = [tokens for tokens in rows if tokens[0].fields & names.required and len(tokens) > 2]
    if len(leads) != 1 or any(token.fields for token in leads[0][1:]):
        return []
    first, *values = leads[0]
    above = [t for t in takewhile(lambda tokens: tokens is not leads[0], rows) if len(t) > 1]
    titles = {token.place: fold_header(token.text) for t in above[-1:] for token in t}
    places = [token.place for token in values if titles.get(token.place, "") not in _ASIDES]
    records: list[list[Said]] = [[] for _place in places]
    for tokens in rows:
        cells = {token.place: token.value for token in tokens}
        name = tokens[0].text
        if (
            tokens[0].place == first.place
            and len(name) <= _LONGEST_LABEL
            and cells.keys() & set(places)
        ):
            for record, place in zip(records, places, strict=True):
                record.append((name, cells.get(place)))
    return records


def _as_list(forms: Sequence[_Form]) -> Grid:
    titles: dict[tuple[str, int], str] = {}
    rows: list[dict[tuple[str, int], Value]] = []
    for record in (record for form in forms for record in form.records):
        nth: Counter[str] = Counter()
        row: dict[tuple[str, int], Value] = {}
        for name, value in record:
            # Named twice: two people, each with a telephone.
            key = (fold_header(name), nth[fold_header(name)])
            nth[key[0]] += 1
            titles.setdefault(key, name.strip(" :：*"))
            row[key] = value
        rows.append(row)
    places = list(titles)[:MAX_COLUMNS]
    cells: list[list[Value]] = [[titles[key] for key in places]]
    cells += [[row.get(key) for key in places] for row in rows]
    return dataclasses.replace(
        forms[0].grid, rows=cells, merged=[], hidden=frozenset(), struck=frozenset(), is_form=True
    )
