"""Numbers with their units as texts write them, and how far what is offered lies from what is asked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, groupby
from math import inf, log10
from typing import Protocol

import numpy as np
import numpy.typing as npt

from matchmaking.engine.pairs import Pairs, ranges
from matchmaking.engine.sparse import Floats, Ints
from matchmaking.engine.text import as_written, simplified
from matchmaking.engine.units import PHYSICAL, Unit, Units

# Sizes by name ("DN 50", "PN16"), inches by parts ("1 1/2 inch"), and all other numbers.
_NUMBER = re.compile(
    r"(?<![a-z0-9.])(?:(?P<name>dn|pn)\s?(?P<size>\d{1,4})(?![a-z0-9])"
    r"|(?:(?P<whole>\d+)[ -])?(?P<parts>\d+)/(?P<of>2|4|8|16|32|64)\s*(?:\"|inch(?:es)?|in(?![a-z])|英寸|寸)"
    r"|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
)
_SIZES = {"dn": "nominal size", "pn": "nominal pressure"}
_SIZE_NAMES = frozenset(_SIZES.values())
_INCH = 0.0254
# Steels of low carbon, not litres: nobody asks for just 316 of them.
_STEEL = re.compile(r"(?:30[1-9]|31[0-9]|904)l(?![a-z0-9])")
_TIMES = re.compile(r"\s*(万|亿|million\b|thousand\b|billion\b)")
_FACTOR = {"万": 1e4, "亿": 1e8, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_PER = re.compile(
    r"\s*(?:/|per\s+|an?\s+|each\s+|每)\s*(年|月|季度|季|天|日|year|yr|annum|month|mo|quarter|day|y|a|d)(?![a-z])"
)
_BEFORE = re.compile(
    r"(?:(年|月|日|每天)(?:产能|处理量?|加工量?|产量|产|需求量|需求|需|用量|用|供应量|供应|供)?[约达为:]?|(annual|yearly|monthly|daily)(?:\s+[a-z]+){0,2})\s*$"
)
_PER_YEAR = {
    "年": 1, "year": 1, "yr": 1, "annum": 1, "y": 1, "a": 1, "annual": 1, "yearly": 1,
    "月": 12, "month": 12, "mo": 12, "monthly": 12, "季": 4, "季度": 4, "quarter": 4,
    "日": 365, "天": 365, "每天": 365, "day": 365, "d": 365, "daily": 365,
}  # fmt: skip


class Spelled(Protocol):
    """A text in one spelling, lower case, that can tell how a part of it was written."""

    @property
    def text(self) -> str: ...

    def written(self, start: int, end: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit in the base of its dimension, a year when it is a rate."""

    value: float
    dimension: str  # empty: no unit written
    a_year: bool
    figure: float  # as written, without unit
    start: int
    end: int


class _UnitNames:
    """Spellings of units, longest first. A name that means two units by case alone is looked up as written."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.exact: dict[str, Unit] = {}
        self.folded: dict[str, Unit] = {}
        for unit in units:
            for name in unit.names:
                written = simplified(name)
                self.exact.setdefault(written, unit)
                self.folded.setdefault(written.lower(), unit)
        names = sorted(self.folded, key=lambda name: (-len(name), name))
        either = "|".join(
            re.escape(name) + (r"(?![a-z0-9])" if name[-1].isascii() and name[-1] != "%" else "")
            for name in names
        )
        self.pattern = re.compile(rf"\s*-?({either})")

    def find(self, folded: Spelled, at: int) -> tuple[Unit, int] | None:
        match = self.pattern.match(folded.text, at)
        if match is None:
            return None
        written = folded.written(match.start(1), match.end(1))
        return self.exact.get(written) or self.folded[match.group(1)], match.end()


@lru_cache(maxsize=4)
def _unit_names(units: tuple[Unit, ...]) -> _UnitNames:
    return _UnitNames((*PHYSICAL, *units))


def quantities(folded: Spelled, units: Units) -> list[Quantity]:
    """Numbers with their units, 万 and a year or month understood."""
    names = _unit_names(tuple(units.by_code.values()))
    found: list[Quantity] = []
    for match in _NUMBER.finditer(folded.text):
        if _STEEL.match(folded.text, match.start()):
            continue
        if one := _named_size(match) or _inches(match):
            found.append(one)
            continue
        figure = float(match.group().replace(",", ""))
        end = match.end()
        if times := _TIMES.match(folded.text, end):
            figure *= _FACTOR[times.group(1)]
            end = times.end()
        # "300,000 a year" are no amperes.
        unit = None if _PER.match(folded.text, end) else names.find(folded, end)
        if unit is None:
            if not folded.text[end : end + 1].isalpha() or folded.text[end] > "\u33ff":
                found.append(Quantity(figure, "", False, figure, match.start(), end))
            continue
        end = unit[1]
        rate = _rate(folded.text, match.start(), end)
        a_year, end = rate or (0, end)
        value = figure * unit[0].factor * (a_year or 1)
        found.append(Quantity(value, unit[0].dimension, bool(a_year), figure, match.start(), end))
    return found


def _named_size(match: re.Match[str]) -> Quantity | None:
    if match["name"] is None:
        return None
    figure = float(match["size"])
    return Quantity(figure, _SIZES[match["name"]], False, figure, *match.span())


def _inches(match: re.Match[str]) -> Quantity | None:
    if match["of"] is None:
        return None
    figure = float(match["whole"] or 0) + float(match["parts"]) / float(match["of"])
    return Quantity(figure * _INCH, "length", False, figure, *match.span())


def _rate(text: str, start: int, end: int) -> tuple[int, int] | None:
    if after := _PER.match(text, end):
        return _PER_YEAR[after.group(1)], after.end()
    if before := _BEFORE.search(text[max(0, start - 24) : start]):
        return _PER_YEAR[before.group(1) or before.group(2)], end
    return None


# -- how far what is offered lies from what is asked ----------------------------------------------

# Of days and pieces texts speak in too many senses for one number to contradict another.
_COMPARED = tuple(
    sorted({unit.dimension for unit in PHYSICAL} - {"count", "percent", "time", "temperature"})
)
_SHORT_CIRCUIT, _PRECISION, _SECTION = "short circuit", "precision", "cross-section"
_KIND = {
    name: 2 * number
    for number, name in enumerate(
        (*_COMPARED, *_SIZES.values(), _SHORT_CIRCUIT, _PRECISION, _SECTION)
    )
}


def _by_kind(of_rates: float, **others: float) -> Floats:
    return np.array([share for name in _KIND for share in (others.get(name, 1), of_rates)])


# By kind, how much too much counts, and too little: who can make more a year than is needed can, who has more tons or
# more land than is asked for has them, and who works more exactly than is asked for does.
_ABOVE = _by_kind(0, mass=0.25, area=0.25)
_BELOW = _by_kind(1, precision=0)
# From so many amperes on a current is what a switchboard withstands or breaks: it says nothing of what it carries.
_WITHSTOOD = 10_000.0
# From so many square metres on it is ground or goods.
_GROUND = 1.0
_SPAN = re.compile(r"\s*(?:-|~|至|到|to|and)\s*")
# Between two numbers that have their unit each, "and" tells of both.
_STRETCH = re.compile(r"\s*(?:-|~|至|到|to)\s*")
_EITHER = re.compile(r"\s*(?:/|、|,|or|或|和)\s*")
_SIDES = re.compile(r"\s*(?:[x*/~、-]|至|到|to|and|or|或)\s*")
_OR_MORE = re.compile(r"\s*(?:及?以上|起|or more|and (?:above|up|over)|\+)")
_OR_LESS = re.compile(r"\s*(?:及?以下|以内|之内|内|or less)")
_AT_LEAST = re.compile(
    r"(?:≥|>=?|不低于|不少于|不小于|大于|超过|高于|at least|min\.?|minimum|over|above|from|more than)\s*$"
)
_AT_MOST = re.compile(
    r"(?:≤|<=?|不高于|不超过|不大于|小于|低于|最大|至|到|可达|达|up to|max\.?|maximum|under|below|less than)\s*$"
)
_PER_ELSE = re.compile(r"\s*(?:/|per |每)\s*[^\W\d]|时(?![间效])")
# What lies in store, and the least that is sold, is no property of a thing; nor is what it uses up.
_IN_STORE = re.compile(
    r"(?:产能|现货|库存|存货|备货|起订量?|起批|最小订单|耗|stock|moq|min(?:imum|\.)? order(?: quantity)?)"
    r"(?: of|[:为约达有])?\s*$"
)
_STORED = re.compile(r"\s*(?:现货|库存|起订|起批|moq|minimum order|(?:always )?in stock)")
# How exactly something is made or measured.
_EXACT = re.compile(
    r"(?:±|精度|公差|误差|偏差|对齐|对位|跳动|圆度|平面度|粗糙度|tolerance|accuracy|precision|alignment|deviation|run-?out)"
    r"(?: of|[:为达])?\s*±?\s*$"
)
_FOR_EACH = re.compile(r"\s*/\s*(?:[a-z]{1,3}(?![a-z])|[米个根条片台套只件])")
_NAME = re.compile(r"[A-Z]{2,}[ -]?$")
_LARGEST = {"power": 1000.0, "energy": 1000.0}
# A length is a thickness or a way: more than a hundredfold apart, however floats round, they are not of one thing.
_ONE_LENGTH, _LENGTH = 2.001, _KIND["length"]
_LEAST = 1e-12
# Ten times too much or too little is as wrong as a thousand times.
_WORST = 1.0
# Beyond that a float's noise: of two numbers ten times off the first is told, whatever they are in metres.
_DECIMALS = 6
_ROUNDING = 1e-3
# Twice as much, and it is worth a sentence.
_TOLD = 0.3


class _Plain:
    """A text in one spelling: enough of it to find units in it."""

    def __init__(self, spelled: str) -> None:
        self._written = spelled
        self.text = spelled.lower()

    def written(self, start: int, end: int) -> str:
        return self._written[start:end]


@lru_cache(maxsize=4096)
def without_measures(text: str) -> str:
    """A text with blanks in place of its numbers that have a unit, and of those joined to them: sides, stretches.

    Examples
    --------
    >>> without_measures("junction box 1500V"), without_measures("300 × 100 mm 桥架"), without_measures("轴承 6205")
    ('junction box      ', '             桥架', '轴承 6205')
    """
    spelled = _Plain(simplified(text))
    if len(spelled.text) != len(text) or not any(map(str.isdigit, text)):
        return text
    kept, begin = text, len(text)
    for one in reversed(quantities(spelled, _NO_UNITS)):
        joined = begin < len(text) and _SIDES.fullmatch(spelled.text[one.end : begin])
        if one.dimension or joined:
            each = _FOR_EACH.match(spelled.text, one.end)
            end = begin if joined else each.end() if each else one.end
            kept = kept[: one.start] + " " * (end - one.start) + kept[end:]
            begin = one.start
        else:
            begin = len(text)
    return kept


def in_full(found: Sequence[Quantity], text: str) -> list[Quantity]:
    """The same, where of a stretch or a choice only the last number has its unit: "30 to 2,500 kVA", "182/210 mm"."""
    whole = list(found)
    for place in range(len(whole) - 1, 0, -1):
        before, one = whole[place - 1 : place + 1]
        between = text[before.end : one.start]
        if not one.dimension or before.dimension or not one.figure:
            continue
        if _SPAN.fullmatch(between) or _EITHER.fullmatch(between):
            value = before.figure * one.value / one.figure
            whole[place - 1] = replace(
                before, value=value, dimension=one.dimension, a_year=one.a_year
            )
    return whole


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Quantities of many texts as columns: what each is of (twice the dimension, one more for a rate), from and to, and
    where in its text it stands."""

    bounds: Ints
    kind: Ints
    low: Floats
    high: Floats
    start: Ints
    end: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> Figures:
        rows = [list(_read(text)) for text in texts]
        flat = [figure for row in rows for figure in row]
        kinds, lows, highs, starts, ends = zip(*flat, strict=True) if flat else ((),) * 5
        return cls(
            np.cumsum([0, *map(len, rows)]),
            np.array(kinds, np.int64),
            np.array(lows, np.float32),
            np.array(highs, np.float32),
            np.array(starts, np.int64),
            np.array(ends, np.int64),
        )

    def taken(self, rows: Ints) -> Figures:
        lengths = np.diff(self.bounds)[rows]
        flat = ranges(self.bounds[rows], lengths)
        bounds = np.append(0, np.cumsum(lengths))
        return Figures(
            bounds,
            self.kind[flat],
            self.low[flat],
            self.high[flat],
            self.start[flat],
            self.end[flat],
        )

    def with_more(self, more: Figures) -> Figures:
        return Figures(
            np.append(self.bounds, self.bounds[-1] + more.bounds[1:]),
            np.append(self.kind, more.kind),
            np.append(self.low, more.low),
            np.append(self.high, more.high),
            np.append(self.start, more.start),
            np.append(self.end, more.end),
        )

    def written(self, place: int, text: str) -> str:
        """A quantity as the text that it is of writes it."""
        return as_written(text)[self.start[place] : self.end[place]]


def _read(text: str) -> Iterator[tuple[int, float, float, int, int]]:
    """What each number is of, from and to, and where it stands."""
    if not any(map(str.isdigit, text)):
        return
    spelled = _Plain(as_written(text))
    told: list[tuple[int, float, float, int, int]] = []
    before: Quantity | None = None
    for one in _named_on(quantities(spelled, _NO_UNITS), spelled.text):
        if one.dimension in _KIND and _is_measure(spelled, one):
            kind, low, high = _kind(spelled.text, one), *_reach(spelled.text, one)
            begin = one.start
            between = spelled.text[before.end : one.start] if before is not None else ""
            if before is not None and not before.dimension and one.figure:
                first = before.figure * one.value / one.figure
                if _SPAN.fullmatch(between):
                    low, high, begin = min(first, one.value), max(first, high), before.start
                elif _EITHER.fullmatch(between):
                    told.append((kind, *_positive(first, first), before.start, before.end))
            elif (
                before is not None
                and told
                and told[-1][0] == kind
                and told[-1][4] == before.end
                and _STRETCH.fullmatch(between)
            ):
                _, least, most, *_ = told.pop()
                low, high, begin = min(least, one.value), max(most, high), before.start
            told.append((kind, *_positive(low, high), begin, one.end))
        before = one
    yield from told


def _named_on(found: Sequence[Quantity], text: str) -> Iterator[Quantity]:
    """The same, where of sizes only the first has its name: "DN15-600", "PN16/25"."""
    name, end = "", 0
    for one in found:
        between = text[end : one.start]
        goes_on = name and not one.dimension
        if goes_on and (_SPAN.fullmatch(between) or _EITHER.fullmatch(between)):
            yield replace(one, dimension=name)
        else:
            name = one.dimension if one.dimension in _SIZE_NAMES else ""
            yield one
        end = one.end


def _kind(text: str, one: Quantity) -> int:
    name = one.dimension
    if name == "current" and one.value >= _WITHSTOOD:
        name = _SHORT_CIRCUIT
    elif name == "length" and _EXACT.search(text[max(0, one.start - 14) : one.start]):
        name = _PRECISION
    elif name == "area" and one.value < _GROUND:
        name = _SECTION
    return _KIND[name] + one.a_year


def _off(kind: int, asked: tuple[float, float], offered: tuple[float, float]) -> float | None:
    """The decimal logarithm of the factor between two stretches, None where they are not of one thing."""
    above = _ABOVE[kind] * log10(max(offered[0] / asked[1], 1))
    off = max(above, _BELOW[kind] * log10(max(asked[0] / offered[1], 1)))
    return None if kind == _LENGTH and off > _ONE_LENGTH else min(round(off, _DECIMALS), _WORST)


def contradiction(lines: Figures, line: int, texts: Figures, row: int) -> tuple[int, int] | None:
    """The number of a line that a text comes least near to, and the nearest that the text says, if it is far off: their
    places among all.

    Examples
    --------
    >>> said, text = "镍片 0.1mm，月需求300吨", "Nickel strip 1 mm, 90 t a year"
    >>> asked, offered = Figures.of([said]), Figures.of([text])
    >>> place, other = contradiction(asked, 0, offered, 0)
    >>> asked.written(place, said), offered.written(other, text)
    ('0.1mm', '1 mm')
    """
    asked = _rows(lines, line)
    offered = _rows(texts, row) if asked else []
    # Most texts say nothing of the kind.
    if {figure[0] for figure in asked}.isdisjoint([figure[0] for figure in offered]):
        return None
    worst, found = _TOLD, None
    for off, number, place in _Told(offered).answers(asked):
        if off > worst:
            worst, found = off, (int(lines.bounds[line]) + number, int(texts.bounds[row]) + place)
    return found


def may_contradict(lines: Figures, line: int, apart: Floats) -> npt.NDArray[np.bool_]:
    """Whether `contradiction` can find one, by the `distance` of texts: a mean over no more numbers than the line has."""
    most = lines.bounds[line + 1] - lines.bounds[line]
    found: npt.NDArray[np.bool_] = apart * most > _TOLD - _ROUNDING
    return found


class _Told:
    """Numbers of a text, sorted so that the nearest to one that is asked for is found without looking at all."""

    def __init__(self, figures: Sequence[tuple[int, float, float]]) -> None:
        self._figures = figures
        places = sorted(range(len(figures)), key=lambda place: figures[place][:2])
        self._by_kind = {
            kind: list(own) for kind, own in groupby(places, lambda place: figures[place][0])
        }
        self._lows = {
            kind: [figures[place][1] for place in own] for kind, own in self._by_kind.items()
        }
        # Of the first so many of a kind, the one that reaches highest.
        self._highest = {kind: self._reaching(own) for kind, own in self._by_kind.items()}

    def _reaching(self, own: list[int]) -> list[int]:
        def higher(one: int, other: int) -> int:
            return one if self._figures[one][2] >= self._figures[other][2] else other

        return list(accumulate(own, higher))

    def nearest(self, kind: int, asked: tuple[float, float]) -> tuple[float, int] | None:
        """How far off the nearest is, and its place; None where the text says nothing of the kind."""
        if kind not in self._by_kind:
            return None
        own, highest = self._by_kind[kind], self._highest[kind]
        # Those that begin above what is asked: the lowest of them. Of the others the one that reaches highest.
        begins_above = bisect_right(self._lows[kind], asked[1])
        near = [own[begins_above]] if begins_above < len(own) else []
        near += [highest[-1 if kind % 2 else begins_above - 1]] if begins_above or kind % 2 else []
        found = [(_off(kind, asked, self._figures[place][1:]), place) for place in near]
        return min([(off, place) for off, place in found if off is not None], default=None)

    def answers(self, asked: Sequence[tuple[int, float, float]]) -> list[tuple[float, int, int]]:
        """How far off the nearest to each number asked for is, with the places of both. What answers one number is not
        held against another: the current of a switchboard says nothing of its breaking capacity."""
        near = [
            (self.nearest(kind, (low, high)), number)
            for number, (kind, low, high) in enumerate(asked)
        ]
        found = [(*one, number) for one, number in near if one is not None]
        least: dict[int, float] = {}
        for off, place, _ in found:
            least[place] = min(off, least.get(place, off))
        return [(off, number, place) for off, place, number in found if off == least[place]]


def _is_measure(spelled: _Plain, one: Quantity) -> bool:
    # "t/h" is no weight, and the A of UL 9540A no current. What is as large as a plant is put together of many units.
    if _PER_ELSE.match(spelled.text, one.end) or one.value > _LARGEST.get(one.dimension, inf):
        return False
    before = spelled.text[max(0, one.start - 24) : one.start]
    if not one.a_year and (_IN_STORE.search(before) or _STORED.match(spelled.text, one.end)):
        return False
    # Of errors only those of sizes are many enough to be compared.
    if one.dimension != "length" and _EXACT.search(before):
        return False
    return _NAME.search(spelled.written(max(0, one.start - 8), one.start)) is None


def _reach(text: str, one: Quantity) -> tuple[float, float]:
    """From and to: a bound that is written reaches beyond its number."""
    if _OR_MORE.match(text, one.end) or _AT_LEAST.search(text[max(0, one.start - 12) : one.start]):
        return one.value, inf
    if _OR_LESS.match(text, one.end) or _AT_MOST.search(text[max(0, one.start - 12) : one.start]):
        return _LEAST, one.value
    return one.value, one.value


def _positive(low: float, high: float) -> tuple[float, float]:
    return max(low, _LEAST), max(high, _LEAST)


_NO_UNITS = Units()


def _rows(figures: Figures, row: int) -> list[tuple[int, float, float]]:
    start, end = figures.bounds[row : row + 2].tolist()
    if start == end:
        return []
    own = slice(start, end)
    columns = figures.kind[own], figures.low[own], figures.high[own]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def distance(lines: Figures, texts: Figures, pairs: Pairs) -> Floats:
    """How far each text's numbers lie from those that its line asks for, 0 to 1: the decimal logarithm of the factor,
    the mean over the line's numbers of which the text says anything."""
    out = np.zeros(len(pairs), np.float32)
    asked, offered = np.diff(lines.bounds)[pairs.line], np.diff(texts.bounds)[pairs.row]
    both = np.flatnonzero((asked > 0) & (offered > 0))
    if not len(both):
        return out
    # Every number of the line beside every number of the text.
    owner = np.repeat(both, asked[both])
    figure = ranges(lines.bounds[pairs.line[both]], asked[both])
    count = offered[owner]
    beside = ranges(texts.bounds[pairs.row[owner]], count)
    number = np.repeat(np.arange(len(owner)), count)
    mine = figure[number]
    same = np.flatnonzero(lines.kind[mine] == texts.kind[beside])
    if not len(same):
        return out
    number, mine, beside = number[same], mine[same], beside[same]
    kind = texts.kind[beside]
    above = np.maximum(texts.low[beside] / np.maximum(lines.high[mine], _LEAST), 1)
    below = np.maximum(lines.low[mine] / np.maximum(texts.high[beside], _LEAST), 1)
    off = np.maximum(_ABOVE[kind] * np.log10(above), _BELOW[kind] * np.log10(below))
    off[(lines.kind[mine] == _LENGTH) & (off > _ONE_LENGTH)] = inf
    off = np.where(off < inf, np.minimum(off, _WORST), inf)
    nearest = np.full(len(owner), inf)
    np.minimum.at(nearest, number, off)
    told = np.flatnonzero(nearest < inf)
    sums = np.bincount(owner[told], weights=nearest[told], minlength=len(pairs))
    counts = np.bincount(owner[told], minlength=len(pairs))
    mean: Floats = (sums / np.maximum(counts, 1)).astype(np.float32)
    return mean
