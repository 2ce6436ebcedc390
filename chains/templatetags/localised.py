"""Names, numbers and dates in the reader's language (DESIGN.md section 7)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chains import searchtext

register = template.Library()


def is_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


@register.filter
def localised(row: Any, field: str = "name") -> str:
    """The row's `field`_zh or `field`_en; the other language where one is empty.

    For an enterprise: its name, or its English name for an English reader.
    """
    if row is None or row == "":
        return ""
    if hasattr(row, f"{field}_zh"):
        first, second = getattr(row, f"{field}_zh"), getattr(row, f"{field}_en")
    else:
        first, second = getattr(row, field), getattr(row, f"{field}_en", "")
    return str((first or second) if is_chinese() else (second or first))


@register.filter
def legal_name(enterprise: Any) -> str:
    """The name on its licence where `localised` shows another one, else nothing."""
    return "" if localised(enterprise) == enterprise.name else str(enterprise.name)


@register.filter
def lang(code: str) -> str:
    """The HTML `lang` of a stored language code."""
    return "zh-Hans" if code == "zh" else "en"


@register.filter
def lang_in(text: str) -> str:
    """The HTML `lang` of what somebody typed where no language is stored with it."""
    return lang(searchtext.language_of(text))


@register.filter
def lang_of(row: Any, field: str) -> str:
    """The HTML `lang` of what `localised` shows: the other language stands in for an empty one."""
    own, other = ("zh", "en") if is_chinese() else ("en", "zh")
    return lang(own if getattr(row, f"{field}_{own}") else other)


@register.filter
def place(region: Any, levels: int = 2) -> str:
    """ "Jiashan, Jiaxing" or "嘉兴市嘉善县": a region with what it lies in (prefetch `parent`)."""
    names: list[str] = []
    while region is not None and region.level != "country":
        names.append(localised(region))
        if len(names) == levels:
            break  # before the next parent is asked for: it may cost a query
        region = region.parent
    return joined_place(names)


def joined_place(names: Iterable[str]) -> str:
    """Names of regions, the smallest first, as the language writes them."""
    return "".join(reversed([*names])) if is_chinese() else ", ".join(names)


@register.filter
def day(value: datetime.date | datetime.datetime | None) -> str:
    """9 Dec 2026 · 2026 年 12 月 9 日"""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    if is_chinese():
        return f"{value.year} 年 {value.month} 月 {value.day} 日"
    return f"{value.day} {value:%b} {value.year}"


@register.filter
def moment(value: datetime.datetime | None) -> str:
    """9 Dec 2026, 14:05 · 2026 年 12 月 9 日 14:05"""
    if value is None:
        return ""
    local = timezone.localtime(value)
    joint = " " if is_chinese() else ", "
    return f"{day(local)}{joint}{local:%H:%M}"


@register.filter
def deadline(value: datetime.date | None) -> str:
    """The end of the day: 9 Dec 2026, 24:00"""
    if value is None:
        return ""
    return day(value) + (" 24:00" if is_chinese() else ", 24:00")


@register.filter
def weekday(value: datetime.datetime | datetime.date) -> str:
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    return ("周" + "一二三四五六日"[value.weekday()]) if is_chinese() else f"{value:%a}"


@register.filter
def month(value: datetime.datetime | datetime.date) -> str:
    if isinstance(value, datetime.datetime):
        value = timezone.localtime(value).date()
    return f"{value.month} 月" if is_chinese() else f"{value:%b}"


@register.filter
def days_left(value: datetime.date | None) -> int | None:
    return None if value is None else (value - timezone.localdate()).days


@register.filter
def number(value: Any) -> str:
    """1,616 · 1.5; no trailing zeros"""
    if value is None or value == "":
        return ""
    amount = Decimal(str(value)).normalize()
    return f"{amount:,f}"


@register.filter
def money(cents: int | None, currency: str = "CNY") -> str:
    """CNY 412 m · 4.12 亿元; other currencies with their code in both languages"""
    if cents is None:
        return ""
    amount = cents / 100
    if is_chinese():
        unit = _("yuan") if currency == "CNY" else f" {currency}"
        for size, word in ((1e8, "亿"), (1e4, "万")):
            if amount >= size:
                return f"{_short(amount / size)} {word}{unit}"
        return f"{_short(amount)} {unit}"
    for size, word in ((1e9, " bn"), (1e6, " m")):
        if amount >= size:
            return f"{currency} {_short(amount / size)}{word}"
    return f"{currency} {_short(amount)}"


def _short(amount: float) -> str:
    return f"{amount:,.2f}".rstrip("0").rstrip(".")


@register.filter
def points(tenths: int | None) -> str:
    """Tenths of a point as "87.2"; whole numbers without the point"""
    return "" if tenths is None else f"{tenths / 10:g}"


@register.filter
def whole(tenths: int | None) -> str:
    """Tenths as whole points for lists; never rounded up into the band above"""
    return "" if tenths is None else str(tenths // 10)


@register.filter
def band(tenths: int | None) -> str:
    """The score's class: "" from 75, mid from 60, low below"""
    if tenths is None or tenths < 600:
        return "low"
    return "" if tenths >= 750 else "mid"


@register.filter
def quantity(row: Any) -> str:
    """ "900,000 sets a year": quantity, unit and period of a line"""
    if row.quantity is None:
        return ""
    unit = localised(row.unit) if row.unit else ""
    period = {"month": _("a month"), "year": _("a year"), "once": ""}[row.period]
    if is_chinese():
        # 90 万套: a space beside digits only, never between two Chinese words.
        amount = f"{number(row.quantity)} "
        if row.quantity >= 10000 and row.quantity % 100 == 0:
            amount = f"{number(row.quantity / 10000)} 万" + (" " if unit.isascii() else "")
        return f"{amount}{unit}".rstrip() + {"month": "/月", "year": "/年", "once": ""}[row.period]
    return " ".join(
        part for part in (number(row.quantity), _plural(unit, row.quantity), period) if part
    )


def _plural(unit: str, amount: Decimal) -> str:
    """ "14 units"; signs such as kg and m² have no plural."""
    is_word = unit in ("set", "box", "lot", "day") or (
        len(unit) > 3 and unit.isalpha() and unit.islower()
    )
    if not is_word or amount == 1 or unit == "each" or unit.endswith("s"):
        return unit
    return f"{unit}es" if unit.endswith("x") else f"{unit}s"
