"""Amounts and days as people write them. What cannot be read for certain is never guessed in silence: it
comes back as a refusal with a sentence, or as a reading with a warning to be confirmed."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.searchtext import simplify

Period = Literal["once", "month", "year"]
Cell = str | int | float | Decimal | bool | date | datetime | None

# Words for "not said" in a cell, folded.
PLACEHOLDERS = frozenset({
    "-", "--", "---", "—", "——", "–", "/", "//", "\\", ".", "…", "...", "无", "暂无", "没有", "空",
    "待补全", "待补充", "待补", "待填", "待填写", "待完善", "n/a", "na", "none", "nil", "null", "#n/a",
})  # fmt: skip
_OPEN = frozenset({
    "面议", "待定", "另议", "详谈", "待议", "协商", "双方协商", "按需", "按需采购", "按实际需求", "按实际需要", "视情况", "视情况而定", "不限", "不定", "若干", "tbd", "tba", "tbc", "open",
    "negotiable", "长期", "长期有效", "尽快", "越快越好", "急", "急需", "加急", "即日起", "随时", "现货", "分批", "分批交货",
    "asap", "urgent", "immediately", "as soon as possible", "ex stock",
})  # fmt: skip

_MOST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as understood: `factor` is what the figure before it is multiplied by ("万片" – 10,000 片)."""

    code: str | None
    period: Period | None = None
    factor: int = 1


@dataclass(frozen=True, slots=True)
class Amount:
    value: Decimal | None
    unit: str | None = None
    period: Period | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """`proposed` is a day the text does not name (the end of a quarter): to be confirmed, not stored."""

    value: date | None
    proposed: date | None = None
    warning: str = ""


def fold_cell(raw: object) -> str:
    text = "" if raw is None else str(raw)
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        text = str(int(raw))
    return " ".join(simplify(unicodedata.normalize("NFKC", text)).split()).lower()


_LONGEST_PLACEHOLDER = 200


def is_placeholder(raw: object) -> bool:
    if isinstance(raw, str) and len(raw) > _LONGEST_PLACEHOLDER:
        return not raw.strip()
    folded = fold_cell(raw)
    return not folded or folded in PLACEHOLDERS


# --- Units --------------------------------------------------------------------------------------------

_PERIODS: dict[str, Period] = {
    "年": "year", "每年": "year", "year": "year", "yr": "year", "a": "year", "y": "year", "annum": "year",
    "p.a.": "year", "pa": "year", "annual": "year", "annually": "year", "yearly": "year", "年度": "year",
    "月": "month", "每月": "month", "month": "month", "mo": "month", "mth": "month", "monthly": "month",
    "个月": "month", "一次": "once", "一次性": "once", "once": "once", "single": "once", "次": "once",
}  # fmt: skip
_OTHER_PERIODS = frozenset({
    "天", "日", "每天", "每日", "周", "每周", "季", "季度", "每季", "每季度", "day", "d", "week", "wk",
    "quarter", "daily", "weekly", "quarterly",
})  # fmt: skip
_PER = re.compile(
    r"^(?P<unit>.*?)\s*(?:/|每|\bper\b|\ba\b(?= (?:year|month|day|week|quarter)))\s*(?P<period>[^/]+)$"
)
_SCALES = {
    "亿": 10**8,
    "千万": 10**7,
    "百万": 10**6,
    "十万": 10**5,
    "万": 10**4,
    "千": 10**3,
    "百": 100,
}
_SCALES_EN = {
    "k": 10**3,
    "thousand": 10**3,
    "million": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "lakh": 10**5,
    "lakhs": 10**5,
    "lac": 10**5,
    "crore": 10**7,
    "crores": 10**7,
}


class Units:
    """The known units: rows of units.json or model rows, read once.

    A word that stands for two units ("枚") means the one with the lower order.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any] | Any]) -> None:
        self._codes: dict[str, str] = {}
        fields = [_unit_words(row) for row in rows]
        for _order, code, words in sorted(fields, key=lambda one: one[0]):
            for word in words:
                self._codes.setdefault(fold_cell(word).replace(" ", ""), code)

    def find(self, word: str) -> str | None:
        return self._codes.get(fold_cell(word).replace(" ", "").rstrip("."))


def _unit_words(row: Mapping[str, Any] | Any) -> tuple[int, str, list[str]]:
    get: Callable[[str], Any] = (
        row.get if isinstance(row, Mapping) else (lambda name: getattr(row, name, None))
    )
    words = [
        get("code"),
        get("name_zh"),
        get("name_en"),
        *(get("synonyms_zh") or ()),
        *(get("synonyms_en") or ()),
    ]
    return int(get("order") or 0), str(get("code")), [word for word in words if word]


def parse_unit(raw: Cell, units: Units) -> Unit:
    """ "片/年" → sheet a year; "万片" → sheet, ten thousand of them; "" → nothing known.

    Refuses a word that is no known unit, and periods that are neither month nor year.
    """
    text = fold_cell(raw)
    if is_placeholder(text):
        return Unit(None)
    text = _in_brackets(text)
    found = _scaled(text, units) or _named_twice(text, units)
    if found is not None:
        return found
    per = _PER.match(text)
    if per is None:
        return _leading_period(text, units)
    period = _period(per["period"])
    if not per["unit"]:
        return Unit(None, period)
    found = _scaled(per["unit"], units) or _named_twice(per["unit"], units)
    if found is None:
        raise _unknown_unit(per["unit"])
    return Unit(found.code, period, found.factor)


def _in_brackets(text: str) -> str:
    """Without brackets that stand around all of it: "500(台/月)"."""
    inner = re.fullmatch(r"\(([^()]+)\)", text)
    return inner[1].strip() if inner else text


def _named_twice(text: str, units: Units) -> Unit | None:
    """One unit in two languages ("套 / set", "pcs(件)"), or with its like in brackets ("台(套)")."""
    words = [word for word in re.split(r"\s*[/|()]\s*|\s+", text) if word]
    codes = [units.find(word) for word in words]
    if len(codes) != 2 or None in codes:
        return None
    return Unit(codes[0]) if codes[0] == codes[1] or text.endswith(")") else None


def _leading_period(text: str, units: Units) -> Unit:
    if text in _PERIODS or text in _OTHER_PERIODS:
        return Unit(None, _period(text))
    for word in sorted(_PERIODS, key=len, reverse=True):
        end = text.removesuffix(word).strip() if word.isascii() else ""
        if end and end != text and text[len(end) :].startswith(" "):
            found = _scaled(end, units)
            if found is not None:
                return Unit(found.code, _PERIODS[word], found.factor)
    raise _unknown_unit(text)


def _period(text: str) -> Period:
    word = text.strip(" ()")
    if word in _PERIODS:
        return _PERIODS[word]
    raise _other_period(word)


def _other_period(text: str) -> DomainError:
    return DomainError(
        _("“%(text)s”: state the amount per month or per year.") % {"text": text},
        code="quantity.period",
    )


def _scaled(text: str, units: Units) -> Unit | None:
    code = units.find(text)
    if code is not None:
        return Unit(code)
    for word, factor in _SCALES.items():
        if text == word:
            return Unit(None, None, factor)
        code = units.find(text.removeprefix(word)) if text.startswith(word) else None
        if code is not None:
            return Unit(code, None, factor)
    return None


def _unknown_unit(text: str) -> DomainError:
    return DomainError(
        _("“%(text)s” is no known unit. Choose one from the list.") % {"text": text},
        code="quantity.unit",
    )


# --- Quantities ---------------------------------------------------------------------------------------

_ABOUT = re.compile(
    r"^(?:约为?|大约|大概|近|预计|估计|不少于|至少|不低于|不超过|最多|≥|>=|>|≤|<=|<|~|≈|about|approx\.?|approximately|ca\.?|circa|around|at least|min\.?|max\.?|up to)\s*"
)
_ABOUT_END = re.compile(r"\s*(?:左右|上下|以上|以内|以下|余|\+)$")
# "300余台", "十多吨".
_ABOUT_WITHIN = re.compile(r"(?<=[\d百千万亿十])[余多](?=[^\d\s]|$)")
# "数量:200", "共12台": words before a figure that say nothing about it.
_SAYS_AMOUNT = re.compile(
    r"^(?:需求|采购)?(?:数量|用量|总量)\s*[:为]?\s*(?=[\d约])|^(?:共计?|总计|合计|总共|(?:设计|现有|最大|额定)?(?:产能|能力))\s*[:为达]*\s*(?=[\d约])|^(?:设计|现有|最大|额定)(?=[年月]产)"
)
# "两三百", "三五台": two figures side by side are neither.
_VAGUE = re.compile(
    r"(?:[一二两三四五六七八九](?=[一二三四五六七八九][十百千万亿\D])|几|数(?=[十百千万]))"
)
_YEARLY = re.compile(
    r"^(?P<word>年产能?|年均|年耗|每年|年供应?量?|年需求?量?|年用量|年|月产能?|月均|月耗|每月|月供应?量?|月需求?量?|月用量|月)(?=[约\d\s:])[约\s:]*"
)
_FIGURE = re.compile(
    r"^(?P<number>[+\-−]?(?:\d[\d,.' ]*\d|\d|\.\d+))\s*(?P<scale>亿|千万|百万|十万|万|千|百|(?:k|thousand|million|mn|billion|bn|lakhs?|lac|crores?)(?![a-z]))?\s*(?P<rest>.*)$"
)
_THREE_DECIMALS = re.compile(r"^[1-9]\d{0,2}\.\d{3}(?!\d)")
# "1万5千" and "1万5": the figure behind counts thousands.
_MIXED = re.compile(r"^(?P<head>\d+)万(?P<tail>\d)千?(?=\D|$)")
# "半吨", and no "半年".
_HALF = re.compile(r"^半(?=[^\s\d年月天日])")
_DAILY = re.compile(r"^(?:日均?产?能?|每[天日周]|周产能?|班产)(?=[约\d])")
_REMARK = re.compile(r"\s*\([^()]*\)$")
_RANGE = re.compile(r"\d\s*[十百千万亿]*\s*(?:[~—–]|-|至|到|\bto\b)\s*\d")
# "500、600", "500±10", "3×20箱", "1/2", "2吨 3吨" – but "m2" is a unit.
_ANOTHER_FIGURE = re.compile(r"(?:^|[^a-z\d])[\d±×⁄]")
# As on cheques.
_FORMAL = str.maketrans("壹贰弐叁肆伍陆柒捌玖拾佰仟萬", "一二二三四五六七八九十百千万")
_CHINESE_FIGURE = re.compile(r"^[零〇一二两三四五六七八九十百千万亿]+")
_CHINESE_DIGITS = {
    c: n
    for n, cs in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for c in cs
}
_CHINESE_PLACES = {"十": 10, "百": 100, "千": 1000}


# "1.2M" beside a column that names the unit is no length.
_MILLIONS = re.compile(r"(\d[\d.,]*)\s?MM?")


def parse_quantity(raw: Cell, units: Units, *, unit: Cell = None) -> Amount:
    """A cell with a figure, its unit beside the figure or in a cell of its own.

    "1.2万" with "片/年" → 12,000 sheets a year; "约150" → 150 with a warning; "1200 t/月"; "三百套". Refuses
    ranges, figures that can be read in two ways, and what is not more than 0.
    """
    if isinstance(raw, bool | date):
        raise _no_figure(raw)
    beside = parse_unit(unit, units)
    text = fold_cell(raw)
    if is_placeholder(text):
        return Amount(None, beside.code, beside.period)
    if text in _OPEN:
        return Amount(
            None, beside.code, beside.period, _("“%(text)s”: no quantity") % {"text": raw}
        )
    millions = _MILLIONS.fullmatch(str(raw).strip()) if beside.code else None
    if millions:
        text = f"{millions[1]} million"
    text = _SAYS_AMOUNT.sub("", text.rstrip(" ;,、。."))
    value, own, is_about = _read_figure(text, raw, units)
    is_about = is_about or millions is not None
    joined = _join(own, beside, raw)
    if names_scale(raw) and beside.factor != 1:
        # "8.5万吨" under "万吨" says the same twice, and is no 850,000,000.
        joined = Unit(joined.code, joined.period, own.factor)
        is_about = is_about or own.code is None
    value *= joined.factor
    if value <= 0:
        raise DomainError(_("The quantity must be more than 0."), code="quantity.not_positive")
    value = (
        value.quantize(Decimal(1))
        if value == value.to_integral_value() and value < _MOST
        else value
    )
    if value >= _MOST:
        raise DomainError(_("“%(text)s” is too large.") % {"text": raw}, code="quantity.too_large")
    warning = (
        _("“%(text)s” read as %(value)s") % {"text": raw, "value": _plain(value)}
        if is_about
        else ""
    )
    return Amount(value, joined.code, joined.period, warning)


# Patterns that look for the end of a figure take long for one that goes on and on.
_LONGEST_FIGURE = 40


def parse_figure(raw: str) -> Decimal | None:
    """A figure alone, its unit and period in fields of their own: "1,200", "20万"; nothing typed is none.

    Refuses what `parse_quantity` would have confirmed, for here nobody is asked – but "1.200", which is how figures
    are shown again.
    """
    text = raw.strip()
    if not text:
        return None
    if len(text) > _LONGEST_FIGURE:
        raise _no_figure(f"{text[:_LONGEST_FIGURE]}…")
    try:
        amount = parse_quantity(text, Units([]))
    except DomainError as refused:
        if refused.code == "quantity.unit":
            raise _no_figure(text) from None
        raise
    is_about = bool(amount.warning) and _THREE_DECIMALS.match(text) is None
    if amount.value is None or amount.period or is_about:
        raise _no_figure(text)
    return amount.value


def names_scale(raw: Cell) -> bool:
    """Whether a figure says by itself that it counts in thousands or more: "1.2万", "3千吨"."""
    text = fold_cell(raw)
    found = _FIGURE.match(_ABOUT_END.sub("", _ABOUT.sub("", _YEARLY.sub("", text))))
    if found is None:
        return re.search(r"[万亿]", text) is not None
    return bool(found["scale"]) or found["rest"].startswith(tuple(_SCALES))


def _join(own: Unit, beside: Unit, raw: Cell) -> Unit:
    if own.code and beside.code and own.code != beside.code:
        raise DomainError(
            _("“%(text)s” names another unit than the unit column.") % {"text": raw},
            code="quantity.two_units",
        )
    if own.period and beside.period and own.period != beside.period:
        raise DomainError(
            _("“%(text)s” names another period than the unit column.") % {"text": raw},
            code="quantity.two_units",
        )
    return Unit(own.code or beside.code, own.period or beside.period, own.factor * beside.factor)


def _read_figure(text: str, raw: Cell, units: Units) -> tuple[Decimal, Unit, bool]:
    leading: Period | None = None
    yearly = _YEARLY.match(text)
    if yearly:
        leading = "year" if "年" in yearly["word"] else "month"
        text = text[yearly.end() :]
    elif daily := _DAILY.match(text):
        raise _other_period(daily[0])
    bare = _ABOUT_WITHIN.sub("", _ABOUT_END.sub("", _ABOUT.sub("", text)))
    # "1.200" is a thousand and two hundred to some readers: read, and pointed out.
    is_about = bare != text or (isinstance(raw, str) and _THREE_DECIMALS.match(bare) is not None)
    if _RANGE.search(bare) or _VAGUE.match(bare):
        raise DomainError(
            _("“%(text)s” is a range. Enter one figure.") % {"text": raw}, code="quantity.range"
        )
    value, rest = _split_figure(bare, raw)
    trimmed = _ABOUT_END.sub("", _without_remark(rest, units))
    # Capitals mean millions to some.
    is_about = (
        is_about or trimmed != rest or re.fullmatch(r"\s*[\d.,]+\s?M\s*", str(raw)) is not None
    )
    try:
        own = parse_unit(trimmed, units)
    except DomainError:
        if not _ANOTHER_FIGURE.search(trimmed):
            raise
        raise DomainError(
            _("“%(text)s” holds more than one figure. Enter one; several products need a row each.")
            % {"text": raw},
            code="quantity.several",
        ) from None
    if own.factor != 1 and not own.code:
        value, own = value * own.factor, Unit(None, own.period)
    return value, Unit(own.code, own.period or leading, own.factor), is_about


def _without_remark(rest: str, units: Units) -> str:
    """ "台(首批)", "sets (1 spare)": the unit, where brackets behind it hold none."""
    bare = _REMARK.sub("", rest)
    is_unit = bool(bare) and _scaled(bare, units) is not None
    return bare if is_unit and _named_twice(rest, units) is None else rest


def _split_figure(text: str, raw: Cell) -> tuple[Decimal, str]:
    if _HALF.match(text):
        return Decimal("0.5"), text[1:].strip()
    mixed = _MIXED.match(text)
    if mixed:
        value = int(mixed["head"]) * 10**4 + int(mixed["tail"]) * 10**3
        return Decimal(value), text[mixed.end() :].strip()
    text = text.translate(_FORMAL)
    chinese = _CHINESE_FIGURE.match(text)
    if chinese:
        return _chinese(chinese[0], raw), text[chinese.end() :].strip()
    # A float in scientific notation is a figure, not "2e" with a unit.
    if re.fullmatch(r"\d+(?:\.\d+)?e[+-]?\d{1,3}", text):
        return Decimal(text), ""
    found = _FIGURE.match(text)
    if found is None:
        raise _no_figure(raw)
    scale = found["scale"] or ""
    factor = _SCALES.get(scale) or _SCALES_EN.get(scale) or 1
    return _number(found["number"].strip(), raw) * factor, found["rest"].strip()


def _number(text: str, raw: Cell) -> Decimal:
    text = text.replace("−", "-")
    grouped = re.fullmatch(
        # 1,234.5 and 1 234.5; in lakhs 1,00,000
        r"[+\-]?(?:\d{1,3}(?:([, '])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3})(?:\.\d+)?",
        text,
    )
    plain = re.sub(r"[, ']", "", text) if grouped else text
    if re.fullmatch(r"[+\-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,}|(?: \d{3})+,\d+)", text):
        # 1.234,56 and 1.234.567 have one reading only.
        plain = re.sub(r"[. ]", "", text).replace(",", ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise DomainError(
            _("“%(text)s” can be read in more than one way. Enter the figure without commas.")
            % {"text": raw},
            code="quantity.ambiguous",
        ) from None
    if not value.is_finite():
        raise _no_figure(raw)
    return value


def _chinese(text: str, raw: Cell) -> Decimal:
    total, section, digit = 0, 0, 0
    for character in text:
        if character in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[character]
        elif character in _CHINESE_PLACES:
            section += (digit or 1) * _CHINESE_PLACES[character]
            digit = 0
        else:
            total = (total + section + digit) * (10**4 if character == "万" else 10**8)
            section = digit = 0
    value = total + section + digit
    if not value and text not in {"零", "〇"}:
        raise _no_figure(raw)
    return Decimal(value)


def _no_figure(raw: Cell) -> DomainError:
    return DomainError(
        _("“%(text)s” is no quantity. Enter a figure.") % {"text": raw}, code="quantity.unreadable"
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


# --- Days ---------------------------------------------------------------------------------------------

_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
           "oct": 10, "nov": 11, "dec": 12,
           # German ones that begin otherwise
           "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_TIME = r"(?:[ t]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?"
_BETWEEN = r"\s*[-/.,·—–~ ]\s*"
_YEAR_FIRST = re.compile(
    rf"^(?P<y>\d{{4}})(?:{_BETWEEN}|\s*年\s*)(?P<m>\d{{1,2}})(?:{_BETWEEN}|\s*月\s*)(?P<d>\d{{1,2}})\s*[日号]?{_TIME}$"
)
# "26年12月26日": the character says which figure is the year.
_SHORT_YEAR = re.compile(r"^(?P<y>\d{2})(?=年)")
_ROC_YEAR = re.compile(r"^民国\s*(?P<y>\d{2,3})(?=\s*年)")
_CHINESE_YEAR = re.compile(r"^[零〇○一二三四五六七八九]{4}(?=年)")
_SOLID = re.compile(r"^(?P<y>(?:19|20|21)\d{2})(?P<m>\d{2})(?P<d>\d{2})$")
_YEAR_LAST = re.compile(rf"^(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<y>\d{{4}}){_TIME}$")
_WORDS = [
    re.compile(
        rf"^(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[ \-/]*(?:of )?{_MONTH}[ \-,/]*(?P<y>\d{{4}})$"
    ),
    re.compile(rf"^{_MONTH}[ \-]+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?[ \-]+(?P<y>\d{{4}})$"),
    re.compile(rf"^(?P<y>\d{{4}})[ \-/]+{_MONTH}[ \-/]+(?P<d>\d{{1,2}})$"),
]
_QUARTER = {"一": 1, "二": 2, "三": 3, "四": 4}
_QUARTERS = [
    re.compile(r"^(?P<y>\d{4})\s*年?[\s\-/]*q(?P<q>[1-4])$"),
    re.compile(r"^(?:end of )?q(?P<q>[1-4])[\s\-/,]*(?:of )?(?P<y>\d{4})\s*年?$"),
    re.compile(r"^(?P<y>\d{4})\s*年\s*第?\s*(?P<q>[1-4一二三四])\s*季度?末?底?$"),
]
_HALVES = [
    re.compile(r"^(?P<y>\d{4})\s*年?[\s\-/]*(?P<h>h[12]|上半年|下半年)$"),
    re.compile(r"^(?P<h>h[12])[\s\-/]*(?P<y>\d{4})$"),
]
_MONTH_ONLY = [
    re.compile(
        r"^(?P<y>\d{4})\s*(?:[-/.]|年)\s*(?P<m>\d{1,2})\s*月?\s*(?:份|底|末|前|底前|末前)?$"
    ),
    re.compile(rf"^(?:end of |ende |by )?{_MONTH}[ \-,]+(?P<y>\d{{4}})$"),
    re.compile(r"^(?P<m>\d{1,2})[-/.](?P<y>\d{4})$"),
]
_THIRDS = re.compile(
    r"^(?P<y>\d{4})\s*(?:[-/.]|年)\s*(?P<m>\d{1,2})\s*月?\s*(?P<third>[上中下])旬$"
)
_WEEKS = [
    re.compile(r"^(?P<y>\d{4})\s*年\s*第\s*(?P<w>\d{1,2})\s*周$"),
    re.compile(r"^(?P<y>\d{4})[\s\-/]*(?:kw|cw|wk|week|w)\s*(?P<w>\d{1,2})$"),
    re.compile(r"^(?:kw|cw|wk|week|w)\s*(?P<w>\d{1,2})[\s\-/,]+(?:of )?(?P<y>\d{4})$"),
]
# What a spreadsheet in English makes of a day; nobody puts a year of two figures first there.
_SHORT_WORDS = re.compile(rf"^(?P<d>\d{{1,2}})[ \-]{_MONTH}[ \-'’](?P<y>\d{{2}})$")
# Counted from something that is no day: an order, a contract, the payment.
_RELATIVE = re.compile(
    r"^(?:.{0,12}[后起内]的?)?\s*\d+\s*(?:[-~至到]\s*\d+\s*)?(?:个?工作日|自然日|天|周|个月|[日月](?=[之以]?内)|(?<=后\d)日|(?<=后\d\d)日)\s*(?:[之以]?内|左右)?(?:交货|到货|交付|供货)?$|"
    r"^(?:within |aro |after receipt of order |after order )?\d+(?:\s*(?:-|~|to)\s*\d+)?\s*(?:working |business |calendar )?(?:days?|weeks?|wks?|months?)\b.*$"
)
_YEAR_ONLY = re.compile(r"^(?:end of |by )?(?P<y>\d{4})\s*(?:年|年底|年末|年内|年底前|年末前)?$")
# Days that a spreadsheet counts from the end of 1899; between them 2000 and 2100.
_SERIAL_START, _SERIALS = date(1899, 12, 30), (36526, 73415)


# Patterns that look for the end of a text take minutes for one that goes on and on.
_LONGEST_DAY = 200


def parse_date(raw: Cell) -> Day:
    """A day in the spellings people use, a spreadsheet's serial number included.

    Month, quarter, half or year alone give no day but propose their last one. A day and a month that could
    be either way round are refused, and so is a date that no calendar has.
    """
    if isinstance(raw, datetime):
        return _checked(raw.date(), raw)
    if isinstance(raw, date):
        return _checked(raw, raw)
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        return _serial(float(raw), raw)
    text = fold_cell(raw)
    if len(text) > _LONGEST_DAY:
        raise _no_date(raw)
    text = re.sub(r"\s*\(?(?:周|星期|礼拜)[一二三四五六日天]\)?$|\s*(?:上午|下午|中午)$", "", text)
    text = re.sub(
        r"(?<=[\d年月日号底末旬度])\s*(?:之|以)?前?(?:到货|交货|交付|供货|完成|到位|送达)$",
        "前",
        text,
    )
    text = re.sub(r"\s*(?:之前|以前|前|止|截止|\(含\)|\(前\))+$", "", text)
    text = re.sub(r"^(?:by |before |not later than |no later than |latest )+", "", text)
    if is_placeholder(text):
        return Day(None)
    text = _in_figures(text)
    if text in _OPEN or _RELATIVE.match(text):
        return Day(None, None, _("“%(text)s”: no date") % {"text": raw})
    return _by_words(text, raw)


def _in_figures(text: str) -> str:
    """The year as four figures, where it is written otherwise but for certain: "二〇二六年", "26年", "民国116年"."""
    if _CHINESE_YEAR.match(text):
        year = "".join(str(_CHINESE_DIGITS.get(c, 0)) for c in text[:4])
        rest = re.sub(r"[一二三四五六七八九十]+(?=[月日号])", _figures, text[4:])
        return year + rest
    roc = _ROC_YEAR.match(text)
    if roc:
        return f"{int(roc['y']) + 1911}{text[roc.end() :]}"
    return _SHORT_YEAR.sub(r"20\g<y>", text)


def _figures(found: re.Match[str]) -> str:
    return str(_chinese(found[0], found[0]))


def _by_words(text: str, raw: Cell) -> Day:
    for pattern in (_YEAR_FIRST, _SOLID, *_WORDS):
        found = pattern.match(text)
        if found:
            month = _MONTHS[found["month"]] if "month" in pattern.groupindex else int(found["m"])
            return _day(int(found["y"]), month, int(found["d"]), raw)
    found = _YEAR_LAST.match(text)
    if found and text.count(".") > 1:
        # Who puts the year last and dots between puts the day first.
        return _day(int(found["y"]), int(found["b"]), int(found["a"]), raw)
    if found:
        return _either_way(int(found["a"]), int(found["b"]), int(found["y"]), raw)
    if re.fullmatch(r"\d{5}(?:\.\d+)?", text):
        return _serial(float(text), raw)
    span = _short_year(text, raw) or _end_of_week_or_third(text, raw)
    if span is not None:
        return span
    end = _end_of_span(text)
    if end is not None:
        return _proposal(*end, raw)
    raise _why_no_day(text, raw)


def _short_year(text: str, raw: Cell) -> Day | None:
    found = _SHORT_WORDS.match(text)
    if found is None:
        return None
    day = _day(2000 + int(found["y"]), _MONTHS[found["month"]], int(found["d"]), raw)
    read = {"text": raw, "value": day.value.isoformat() if day.value else ""}
    return Day(day.value, None, _("“%(text)s” read as %(value)s") % read)


def _why_no_day(text: str, raw: Cell) -> DomainError:
    if re.fullmatch(
        r"\d{1,2}\s*(?:月|[-/.])\s*\d{1,2}\s*[日号]?|\d{1,2}月[底末初份]?|年[底末]?|第?[一二三四1-4]季度?[末底]?|[上下]半年",
        text,
    ):
        return DomainError(
            _("“%(text)s” has no year. Enter year, month and day.") % {"text": raw},
            code="date.no_year",
        )
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{1,2}", text):
        return _two_ways(raw)
    return _no_date(raw)


def _end_of_week_or_third(text: str, raw: Cell) -> Day | None:
    third = _THIRDS.match(text)
    if third and third["third"] != "下":
        day = _day(int(third["y"]), int(third["m"]), 10 if third["third"] == "上" else 20, raw)
        return _proposed(day.value, raw)
    if third:
        return _proposal(int(third["y"]), int(third["m"]), raw)
    for pattern in _WEEKS:
        if found := pattern.match(text):
            try:
                sunday = date.fromisocalendar(int(found["y"]), int(found["w"]), 7)
            except ValueError:
                raise _no_date(raw) from None
            return _proposed(_checked(sunday, raw).value, raw)
    return None


def _end_of_span(text: str) -> tuple[int, int] | None:
    """Year and last month of a span that is no day."""
    for pattern in _QUARTERS:
        if found := pattern.match(text):
            return int(found["y"]), 3 * (_QUARTER.get(found["q"]) or int(found["q"]))
    for pattern in _HALVES:
        if found := pattern.match(text):
            return int(found["y"]), 6 if found["h"] in {"h1", "上半年"} else 12
    for pattern in _MONTH_ONLY:
        if found := pattern.match(text):
            named = "month" in pattern.groupindex
            return int(found["y"]), _MONTHS[found["month"]] if named else int(found["m"])
    found = _YEAR_ONLY.match(text)
    return (int(found["y"]), 12) if found else None


def _proposal(year: int, month: int, raw: Cell) -> Day:
    if not 1 <= month <= 12:
        raise _no_date(raw)
    proposed = (
        _checked(date(year, month, calendar.monthrange(year, month)[1]), raw).value
        if year
        else None
    )
    return _proposed(proposed, raw)


def _proposed(proposed: date | None, raw: Cell) -> Day:
    if proposed is None:
        raise _no_date(raw)
    return Day(
        None,
        proposed,
        _("“%(text)s”: no day; %(day)s proposed") % {"text": raw, "day": proposed.isoformat()},
    )


def _either_way(first: int, second: int, year: int, raw: Cell) -> Day:
    # One of them is more than 12, or both are equal: then there is one reading only.
    readings = {
        (m, d) for m, d in ((first, second), (second, first)) if 1 <= m <= 12 and 1 <= d <= 31
    }
    if len(readings) > 1:
        raise _two_ways(raw)
    if not readings:
        raise _no_date(raw)
    month, day = readings.pop()
    return _day(year, month, day, raw)


def _serial(number: float, raw: Cell) -> Day:
    if number.is_integer() and 1900 < number < 2200:
        return _proposal(int(number), 12, raw)
    text = str(int(number)) if number.is_integer() else ""
    if _SOLID.match(text):
        return _by_words(text, raw)
    if not _SERIALS[0] <= number < _SERIALS[1]:
        raise _no_date(raw)
    return Day(_SERIAL_START + timedelta(days=int(number)))


def _day(year: int, month: int, day: int, raw: Cell) -> Day:
    try:
        return _checked(date(year, month, day), raw)
    except ValueError:
        raise _no_date(raw) from None


def _checked(value: date, raw: Cell) -> Day:
    if not 2000 <= value.year <= 2100:
        raise DomainError(
            _("“%(text)s” lies outside the years 2000 to 2100.") % {"text": raw},
            code="date.out_of_range",
        )
    return Day(value)


def _no_date(raw: Cell) -> DomainError:
    return DomainError(
        _("“%(text)s” is no date. Enter year, month and day.") % {"text": raw},
        code="date.unreadable",
    )


def _two_ways(raw: Cell) -> DomainError:
    return DomainError(
        _("“%(text)s” can be read as two dates. Enter year, month and day in this order.")
        % {"text": raw},
        code="date.ambiguous",
    )
