"""What a condition asks, read from the words a buyer types. What is not understood is refused with a sentence:
a condition that is compared with suppliers must mean one thing."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.utils.translation import gettext as _

from chains import search
from chains.errors import DomainError
from chains.models import (
    CertificationKind,
    Condition,
    CooperationKind,
    QualificationKind,
    Region,
    RegionGroup,
    Unit,
)
from chains.quantities import Units, parse_quantity

Parameter = dict[str, Any]
Kind = Condition.Kind

LONGEST_KM, LONGEST_DAYS = 5000, 1000

# Countries that goods of these chains come from; any other is written as its two letters.
COUNTRIES: dict[str, tuple[str, ...]] = {
    "CN": ("中国", "国产", "境内", "大陆", "china", "chinese", "domestic", "made in china"),
    "DE": ("德国", "germany", "german"),
    "JP": ("日本", "japan", "japanese"),
    "KR": ("韩国", "korea", "south korea", "korean"),
    "US": ("美国", "usa", "united states", "american"),
    "FR": ("法国", "france", "french"),
    "IT": ("意大利", "italy", "italian"),
    "GB": ("英国", "uk", "united kingdom", "britain", "british"),
    "CH": ("瑞士", "switzerland", "swiss"),
    "AT": ("奥地利", "austria", "austrian"),
    "NL": ("荷兰", "netherlands", "dutch"),
    "BE": ("比利时", "belgium", "belgian"),
    "SE": ("瑞典", "sweden", "swedish"),
    "FI": ("芬兰", "finland", "finnish"),
    "DK": ("丹麦", "denmark", "danish"),
    "NO": ("挪威", "norway", "norwegian"),
    "ES": ("西班牙", "spain", "spanish"),
    "PL": ("波兰", "poland", "polish"),
    "CZ": ("捷克", "czechia", "czech republic", "czech"),
    "HU": ("匈牙利", "hungary", "hungarian"),
    "IL": ("以色列", "israel", "israeli"),
    "CA": ("加拿大", "canada", "canadian"),
    "MX": ("墨西哥", "mexico", "mexican"),
    "BR": ("巴西", "brazil", "brazilian"),
    "AU": ("澳大利亚", "australia", "australian"),
    "SG": ("新加坡", "singapore"),
    "MY": ("马来西亚", "malaysia", "malaysian"),
    "TH": ("泰国", "thailand", "thai"),
    "VN": ("越南", "vietnam", "vietnamese"),
    "ID": ("印度尼西亚", "印尼", "indonesia", "indonesian"),
    "IN": ("印度", "india", "indian"),
    "RU": ("俄罗斯", "russia", "russian"),
    "TR": ("土耳其", "turkey", "türkiye", "turkish"),
    "SA": ("沙特", "沙特阿拉伯", "saudi arabia"),
    "AE": ("阿联酋", "united arab emirates", "uae"),
    "ZA": ("南非", "south africa"),
}

_ALTERNATIVE = re.compile(r"^\s*(?:或者?|/|\bor\b|\|)\s*$")
_BETWEEN_REGIONS = re.compile(r"[,，、;；/|]|或者?|以及|和|及|\bor\b|\band\b", re.IGNORECASE)
_AROUND_REGION = re.compile(
    r"^(?:located |based |only )?(?:in|within|inside|仅限|限|在|位于|须在)?\s*|\s*(?:境内|范围内|以内|之内|内|地区)$",
    re.IGNORECASE,
)
_KM = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>km|公里|千米|kilomet(?:re|er)s?|里|mi|miles?|m|米)?(?![a-z])"
)
_DAYS = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|[一二两三四五六七八九十]+|半)\s*(?:个)?\s*(?P<working>工作)?(?:working |business )?"
    r"(?P<unit>天|日|days?|d|周|星期|weeks?|wk|月|months?|mo)(?![a-z])"
)
_IN_DAYS = {"天": 1, "日": 1, "d": 1, "周": 7, "星期": 7, "w": 7, "月": 30, "m": 30}
_CHINESE = {
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}


class _Named(Protocol):
    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    code: str


def read(kind: str, text: str, *, units: Units | None = None) -> Parameter:
    """The parameter of a condition of this kind, or DomainError with a sentence on what to enter.

    Codes mean "any of them". Free text ("other") has none: it is shown, never computed.
    """
    text = text.strip()
    if not text:
        raise DomainError(_("Enter what is asked for."), code="condition.empty")
    if kind == Kind.CAPACITY:
        return _capacity(text, units or all_units())
    return _READERS[kind](text)


def all_units() -> Units:
    return Units(Unit.objects.filter(is_active=True))


# --- Words that name rows -----------------------------------------------------------------------------


def _folded(text: str) -> str:
    wide = unicodedata.normalize("NFKD", text)
    return "".join(c for c in wide if not unicodedata.combining(c)).lower()


@lru_cache(maxsize=4000)
def _pattern(word: str) -> re.Pattern[str]:
    """The word however its letters, digits and Chinese are spaced: "ISO9001", "iso-9001", "ISO 9001"."""
    chunks = re.findall(r"[a-z]+|\d+|[^\W\d_a-z]+", _folded(word))
    loose = r"[\s\-/.,&]*".join(map(re.escape, chunks))
    before = r"(?<![a-z0-9])" if chunks and chunks[0].isascii() else ""
    after = r"(?![a-z0-9])" if chunks and chunks[-1].isascii() else ""
    return re.compile(before + loose + after)


def _words(row: Any) -> Iterator[str]:
    yield row.code.replace("_", " ")
    yield row.name_zh
    yield row.name_en
    # "ISO 9001 质量管理体系": people write the first part.
    leading = re.match(r"[A-Za-z][A-Za-z0-9 ./\-]+(?= [\u3400-\u9fff])", row.name_zh)
    if leading:
        yield leading[0]
    yield from getattr(row, "synonyms_zh", ())
    yield from getattr(row, "synonyms_en", ())
    # "联合研发合作" is 联合研发; "TÜV certificate" is TÜV.
    short = re.sub(
        r"(?:认证|企业|合同|协议| certification| mark(?:ing)?| agreement| enterprise)$",
        "",
        row.name_zh,
    )
    if short != row.name_zh and len(short) >= 2:
        yield short


def _mentions(text: str, rows: Iterable[Any]) -> list[_Mention]:
    """Which rows the text names, in its order; the longest reading wins ("UL 9540" is not "UL")."""
    folded = _folded(text)
    found = [
        _Mention(hit.start(), hit.end(), row.code)
        for row in rows
        for word in _words(row)
        if re.search(r"\w\w", word)
        for hit in _pattern(word).finditer(folded)
        if hit.end() - hit.start() >= 2
    ]
    kept: list[_Mention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if all(mention.end <= other.start or mention.start >= other.end for other in kept):
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def _papers(text: str, rows: Iterable[Any]) -> Parameter:
    named = _mentions(text, rows)
    if not named:
        raise DomainError(
            _(
                "Nothing on the list is called “%(text)s”. Enter its usual name, or choose the kind “Other” to show it as text."
            )
            % {"text": text},
            code="condition.unknown",
        )
    folded = _folded(text)
    for one, next_one in itertools.pairwise(named):
        if not _ALTERNATIVE.match(folded[one.end : next_one.start]):
            raise DomainError(
                _(
                    "Is one of these enough? Then write “or” between them; if all are asked for, enter each as its own condition."
                ),
                code="condition.all_or_any",
            )
    return {"codes": _once(m.code for m in named)}


def _cooperation(text: str) -> Parameter:
    named = _mentions(text, CooperationKind.objects.filter(is_active=True))
    if not named:
        raise DomainError(
            _(
                "“%(text)s” is no form of cooperation on the list, such as joint R&D or long-term supply."
            )
            % {"text": text},
            code="condition.unknown",
        )
    return {"codes": _once(m.code for m in named)}


def _once(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))


def _regions(text: str) -> Parameter:
    parts = [_AROUND_REGION.sub("", part.strip()).strip() for part in _BETWEEN_REGIONS.split(text)]
    codes = [_region_code(part) for part in parts if part]
    if not codes:
        raise _no_region(text)
    return {"codes": _once(codes)}


def _region_code(text: str) -> str:
    for group in RegionGroup.objects.filter(is_active=True):
        if _folded(text) in {_folded(group.code), _folded(group.name_zh), _folded(group.name_en)}:
            return group.code
    found = search.regions(text, 6)
    folded = _folded(text)
    exact = [r for r in found if folded in _region_names(r)]
    if len(exact) == 1 or len(found) == 1:
        return (exact or found)[0].code
    if not found:
        raise _no_region(text)
    # "嘉兴" is the city, not one of its counties: what holds all others is meant.
    first = (exact or found)[0]
    if all(first.contains(other) for other in exact or found):
        return first.code
    raise DomainError(
        _("Several regions are called “%(text)s”: %(names)s. Enter the code of one of them.")
        % {
            "text": text,
            "names": ", ".join(f"{r.name_zh} {r.name_en} {r.code}" for r in (exact or found)[:4]),
        },
        code="condition.several_regions",
    )


def _region_names(region: Region) -> set[str]:
    short = re.sub(r"(?:省|市|自治区|自治州|区|县)$", "", region.name_zh)
    names = {region.name_zh, region.name_en, region.code}
    return {_folded(name) for name in (names | {short} if len(short) >= 2 else names)}


def _no_region(text: str) -> DomainError:
    return DomainError(
        _(
            "No region is called “%(text)s”. Enter its name in Chinese, pinyin or English, or its code."
        )
        % {"text": text},
        code="condition.unknown",
    )


def _origin(text: str) -> Parameter:
    folded = _folded(text)
    codes = re.findall(r"\b[A-Z]{2}\b", text)
    found: list[tuple[int, str]] = [(text.index(code), code) for code in codes]
    taken = [False] * len(folded)
    words = sorted(
        ((w, code) for code, ws in COUNTRIES.items() for w in ws), key=lambda p: -len(p[0])
    )
    for word, code in words:
        for hit in _pattern(word).finditer(folded):
            if not any(taken[hit.start() : hit.end()]):
                taken[hit.start() : hit.end()] = [True] * (hit.end() - hit.start())
                found.append((hit.start(), code))
    if not found:
        raise DomainError(
            _(
                "“%(text)s” names no country. Enter its name or its two letters, for example China or DE."
            )
            % {"text": text},
            code="condition.unknown",
        )
    return {"codes": _once(code for _at, code in sorted(found))}


# --- Figures ------------------------------------------------------------------------------------------


def _distance(text: str) -> Parameter:
    hits = list(_KM.finditer(_folded(text)))
    if len(hits) != 1:
        raise DomainError(
            _("Enter one distance in kilometres, for example 80 km."), code="condition.figure"
        )
    value = float(hits[0]["number"].replace(",", ""))
    unit = hits[0]["unit"] or "km"
    if unit.startswith("mi"):
        value *= 1.609344
    elif unit in {"m", "米"}:
        value /= 1000
    elif unit == "里":
        value /= 2
    value = round(value, 1)
    if not 0 < value <= LONGEST_KM:
        raise DomainError(
            _("Enter a distance between 1 and %(most)d km.") % {"most": LONGEST_KM},
            code="condition.figure",
        )
    return {"value": _plain(value), "unit": "km"}


def _capacity(text: str, units: Units) -> Parameter:
    """A yearly amount; what is stated a month counts twelve times."""
    stripped = re.sub(
        r"^(?:不低于|不少于|至少|大于|≥|>=?|at least|min(?:imum)?\.?|no less than)\s*",
        "",
        text.strip(),
        flags=re.IGNORECASE,
    )
    amount = parse_quantity(stripped, units)
    if amount.value is None or amount.unit is None:
        raise DomainError(
            _("Enter an amount with its unit, for example 500,000 sets a year."),
            code="condition.figure",
        )
    value = float(amount.value) * (12 if amount.period == "month" else 1)
    return {"value": _plain(value), "unit": amount.unit}


def _days(text: str) -> Parameter:
    hits = list(_DAYS.finditer(_folded(text)))
    if len(hits) == 1:
        unit = hits[0]["unit"]
        days = _figure(hits[0]["number"]) * _IN_DAYS[unit if unit in _IN_DAYS else unit[0]]
        if hits[0]["working"] or re.search(r"working|business", _folded(text)):
            days = days * 7 / 5
    elif not hits and re.fullmatch(r"\s*\d{1,4}\s*", text):
        days = float(text)
    else:
        raise DomainError(
            _("Enter one time in days, weeks or months, for example 20 days."),
            code="condition.figure",
        )
    whole = int(-(-days // 1))
    if not 0 < whole <= LONGEST_DAYS:
        raise DomainError(
            _("Enter a time between 1 and %(most)d days.") % {"most": LONGEST_DAYS},
            code="condition.figure",
        )
    return {"value": whole, "unit": "day"}


def _figure(text: str) -> float:
    if text == "半":
        return 0.5
    if text[0].isdigit():
        return float(text)
    if "十" in text:
        tens, ones = text.split("十", 1)
        return _CHINESE.get(tens, 1) * 10 + _CHINESE.get(ones, 0)
    return float(_CHINESE[text[0]])


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


_READERS: dict[str, Callable[[str], Parameter]] = {
    Kind.CERTIFICATION: lambda text: _papers(
        text, CertificationKind.objects.filter(is_active=True)
    ),
    Kind.QUALIFICATION: lambda text: _papers(
        text, QualificationKind.objects.filter(is_active=True)
    ),
    Kind.COOPERATION: _cooperation,
    Kind.REGION: _regions,
    Kind.ORIGIN: _origin,
    Kind.DISTANCE: _distance,
    Kind.LEAD_TIME: _days,
    Kind.SAMPLE_TIME: _days,
    Kind.OTHER: lambda _text: {},
}


# --- Back into words ----------------------------------------------------------------------------------


def named(kind: str, codes: Sequence[str]) -> list[_Named]:
    """The rows that codes of this kind stand for, in the order of the codes."""
    models: dict[str, list[Any]] = {
        Kind.CERTIFICATION: [CertificationKind],
        Kind.QUALIFICATION: [QualificationKind],
        Kind.COOPERATION: [CooperationKind],
        Kind.REGION: [Region, RegionGroup],
    }
    rows = {
        row.code: row
        for model in models.get(kind, [])
        for row in model.objects.filter(code__in=list(codes))
    }
    return [rows[code] for code in codes if code in rows]
