"""What one row of a list of products and services says."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.forms.import_cells import Say, words
from chains.forms.register import Register
from chains.forms.requirement_sheet import Stated, gap, proposal, shown, stated_in_header
from chains.models import Capability, CapabilityReference, Category
from chains.quantities import Amount, Units, names_scale, parse_date, parse_quantity, parse_unit
from chains.searchtext import CHINESE, fold
from chains.services.capabilities import FIRST_YEAR
from chains.services.import_rows import CapabilityDraft, ReadRow
from chains.spreadsheets import Row, Table

_Kind = TypeVar("_Kind")

_TITLES = {"title_zh": 120, "title_en": 160, "text_zh": 2000, "text_en": 3000}
_DAYS = re.compile(
    r"^(?:约|<=|≤|小于)?\s*(\d+(?:\.\d+)?)\s*(?:[-~至到]\s*(\d+(?:\.\d+)?)\s*)?(个?工作日|天|日|周|星期|个?月|(?:working |business )?days?|weeks?|wks?|months?|mths?|d|w)?(?:内|以内|左右)?$"
)

_DAYS_OF = {
    "周": 7,
    "星期": 7,
    "week": 7,
    "wk": 7,
    "wks": 7,
    "weeks": 7,
    "w": 7,
    "月": 30,
    "个月": 30,
    "month": 30,
    "months": 30,
    "mth": 30,
    "mths": 30,
}
_NUMERALS = {c: str(n) for n, cs in enumerate(("", "一", "二两", "三", "四", "五", "六", "七", "八", "九")) for c in cs} | {"十": "10"}  # fmt: skip

_YES = frozenset(("是", "有", "y", "yes", "true", "1", "√", "✓", "新", "新品", "新产品", "new"))
_NO = frozenset(("否", "无", "不是", "n", "no", "false", "0", "×", "x", "-"))


@dataclass(slots=True)
class CapabilityRows:
    table: Table
    register: Register = field(default_factory=Register)
    stated: Stated = field(init=False)

    def __post_init__(self) -> None:
        title = self.table.titles.get("capacity", "")
        self.stated = stated_in_header(title, self.register.units)

    def draft(self, row: Row, say: Say) -> CapabilityDraft:
        values = row.values
        draft = CapabilityDraft(titles=self._titles(values, say))
        draft.cooperation_kinds = _kinds(
            values.get("cooperation_kinds"),
            self.register.cooperation_kind,
            lambda word: say.warn(
                "cooperation_kinds",
                _("“%(text)s” is no kind of cooperation of the list: left out.") % {"text": word},
            ),
        )
        draft.certificates = _kinds(
            values.get("certificates"),
            self.register.certificate,
            lambda word: say.warn(
                "certificates",
                _("“%(text)s” is no certificate of the list: left out.") % {"text": word},
            ),
        )
        draft.references = _references(values.get("references") or [], say)
        amount = self._capacity(values, say)
        if amount is not None and amount.value is not None:
            draft.yearly_capacity = amount.value * (12 if amount.period == "month" else 1)
            draft.unit = self.register.unit(amount.unit)
        for name in ("lead_time_days", "sample_days"):
            said = _DAYS_IN_HEADER.search(self.table.titles.get(name, "").lower())
            draft.facts[name] = _days(values.get(name), name, said[1] if said else "", say)
        draft.facts["is_new"] = _yes(values.get("is_new"), say)
        draft.facts["valid_until_on"] = _day(values.get("valid_until_on"), say)
        # Last: a row that is not kept is put right in the file, and has no draft to tick anything in.
        draft.categories = self._categories(
            values.get("categories"), " ".join(draft.titles.values()), say
        )
        return draft

    def _titles(self, values: Mapping[str, Any], say: Say) -> dict[str, str]:
        title = words(values.get("title"), 1000)
        in_chinese = CHINESE.search(title) is not None
        texts = {"title_zh" if in_chinese else "title_en": title}
        if values.get("title_en"):
            texts["title_en"] = words(values["title_en"], 1000)
        for text in filter(None, (str(said).strip() for said in values.get("text") or [])):
            name = "text_zh" if CHINESE.search(text) else "text_en"
            texts[name] = "\n".join(filter(None, [texts.get(name), text]))
        for name, value in texts.items():
            most = _TITLES[name]
            if len(value) > most:
                say.error(
                    "title" if name.startswith("title") else "text",
                    _("Longer than %(most)d characters. Shorten it.") % {"most": most},
                )
        return {name: value for name, value in texts.items() if value}

    def _categories(self, typed: str | None, text: str, say: Say) -> list[Category]:
        found: list[Category] = []
        unknown: list[str] = []
        whole = self.register.category(typed) if typed else None
        words = re.split(r"[、;；,，/\n]", typed or "") if whole is None else []
        for word in filter(None, (word.strip() for word in words)):
            category = self.register.category(word)
            if category is None:
                unknown.append(word)
            elif category not in found:
                found.append(category)
        for word in unknown:
            said = _("“%(text)s” is no category of the list: left out.") % {"text": word}
            # What other words of the cell have named needs no proposal.
            say.warn("categories", said if found else f"{said}{gap()}{proposal(text)}")
        if not typed and not say.has_errors:
            said = _("No category is named.")
            say.warn("categories", f"{said}{gap()}{proposal(text)}")
        if len(found) > Capability.MAX_CATEGORIES:
            say.warn("categories", _("More than five categories: the first five are kept."))
        return [whole] if whole else found[: Capability.MAX_CATEGORIES]

    def _capacity(self, values: Mapping[str, Any], say: Say) -> Amount | None:
        figure, unit = values.get("capacity"), values.get("unit") or self.stated.unit
        if figure is None:
            return None
        if not unit and self.stated.scale and not names_scale(figure):
            figure = f"{shown(figure)}{self.stated.scale}"
        try:
            amount = parse_quantity(figure, self.register.units, unit=unit)
            period = amount.period or self._period(values.get("period"))
        except DomainError as refused:
            say.error("capacity", str(refused))
            return None
        if amount.warning:
            say.warn("capacity", amount.warning)
        if amount.value is not None and amount.unit is None:
            say.error("unit", _("No unit is stated. Enter one, for example sets."))
        return Amount(amount.value, amount.unit, period, amount.warning)

    def _period(self, typed: str | None) -> Any:
        return parse_unit(typed, Units([])).period if typed else self.stated.period or None

    def compare(self, rows: Sequence[ReadRow]) -> None:
        """A title twice is said where it is kept: drafts of before count too."""
        del rows


def _kinds(
    typed: str | None, known: Callable[[str], _Kind | None], unknown: Callable[[str], None]
) -> list[_Kind]:
    """What the words of a cell name; the whole cell first, for names with a separator in them."""
    whole = known(typed) if typed else None
    if whole is not None:
        return [whole]
    found: list[_Kind] = []
    for word in filter(None, (word.strip() for word in re.split(r"[、;；,，/\n]", typed or ""))):
        kind = known(word)
        if kind is None:
            unknown(word)
        elif kind not in found:
            found.append(kind)
    return found


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_LONGEST_REFERENCE = 200


def _references(cells: Sequence[Any], say: Say) -> list[dict[str, Any]]:
    """One a line. The only year of a line is the year; who had it and where stands in the words as it was typed."""
    lines = [words(line, 1000) for cell in cells for line in re.split(r"[\n;；]", str(cell))]
    found = list(dict.fromkeys(filter(None, lines)))
    if any(len(line) > _LONGEST_REFERENCE for line in found):
        say.error(
            "references",
            _("A reference is longer than %(most)d characters. Shorten it.")
            % {"most": _LONGEST_REFERENCE},
        )
    if len(found) > CapabilityReference.MOST:
        say.warn(
            "references",
            _("More than %(most)d references: the first %(most)d are kept.")
            % {"most": CapabilityReference.MOST},
        )
    return [{"text": line, "year": _year(line)} for line in found[: CapabilityReference.MOST]]


def _year(line: str) -> int | None:
    named = {int(year) for year in _YEAR.findall(line)}
    year = named.pop() if len(named) == 1 else None
    return year if year and FIRST_YEAR <= year <= timezone.localdate().year else None


_AT_ONCE = frozenset(
    ("现货", "即时", "当天", "当日", "有现货", "ex stock", "in stock", "stock", "immediate")
)

# The weeks of "Lead time (weeks)", the months of "交货周期(月)".
_DAYS_IN_HEADER = re.compile(r"[（(,，/]\s*(周|星期|个?月|weeks?|wks?|months?)\s*[)）]?\s*$")


def _days(raw: Any, name: str, unit_of_all: str, say: Say) -> int | None:
    """`unit_of_all` is what the header says, for a figure that says nothing."""
    if raw is None:
        return None
    text = unicodedata.normalize("NFKC", shown(raw)).strip().lower()
    if text in _AT_ONCE:
        return 0
    text = text.replace("半个月", "15天")
    text = re.sub(r"^[一二两三四五六七八九十](?=\D)", lambda one: _NUMERALS[one[0]], text)
    found = _DAYS.match(text)
    if found is None:
        say.error(
            name,
            _("“%(text)s” is no number of days. Enter one, for example 30.") % {"text": shown(raw)},
        )
        return None
    unit = found[3] or unit_of_all
    days = Decimal(found[2] or found[1]) * _DAYS_OF.get(unit, 1)
    if days > 3650:
        say.error(name, _("More than ten years. Enter the days."))
        return None
    if found[2]:
        say.warn(name, _("“%(text)s”: the longer time is taken.") % {"text": shown(raw)})
    return int(days)


def _yes(raw: Any, say: Say) -> bool | None:
    word = fold(shown(raw)).strip() if raw is not None else ""
    if not word or word in _NO:
        return None
    if word not in _YES:
        say.warn("is_new", _("“%(text)s” is neither yes nor no: left out.") % {"text": shown(raw)})
        return None
    return True


def _day(raw: Any, say: Say) -> datetime.date | None:
    if isinstance(raw, str) and raw.strip() in ("长期", "长期有效", "永久"):
        return None
    try:
        day = parse_date(raw)
    except DomainError as refused:
        say.error("valid_until_on", str(refused))
        return None
    if day.warning:
        say.warn("valid_until_on", day.warning)
    return day.value
