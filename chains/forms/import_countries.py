"""Countries and regions by what people write: a name in Chinese or English, two or three letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale
from babel.core import get_global

from chains.conditions import COUNTRIES
from chains.searchtext import fold
from chains.templatetags.page import territories

# Names that stand in lists and in no table of countries.
_ALSO = {
    "CN": ("中华人民共和国", "中国大陆", "中国内地", "内地", "prc", "p.r. china", "mainland china"),
    "HK": ("香港", "香港特别行政区", "hong kong", "hongkong"),
    "MO": ("澳门", "澳门特别行政区", "macao", "macau"),
    "TW": ("台湾", "台湾省", "台湾地区", "taiwan"),
    "US": ("美利坚合众国", "u.s.", "u.s.a.", "united states of america"),
    "GB": ("大不列颠", "england", "scotland", "great britain"),
    "KR": ("大韩民国", "republic of korea", "korea (south)"),
    "KP": ("朝鲜", "dprk"),
    "RU": ("俄国", "俄罗斯联邦", "russian federation"),
    "CZ": ("捷克共和国", "czech republic"),
    "TR": ("turkey",),
    "NL": ("尼德兰", "holland", "the netherlands"),
    "AE": ("阿联酋", "uae"),
    "VN": ("viet nam",),
    "CI": ("ivory coast",),
    # As they are written at home.
    "BR": ("brasil",),
    "DE": ("deutschland", "federal republic of germany"),
    "ES": ("españa", "espana"),
    "IT": ("italia",),
    "FR": ("la france",),
    "AT": ("österreich", "oesterreich"),
    "CH": ("schweiz", "suisse", "svizzera"),
    "PL": ("polska",),
    "BE": ("belgië", "belgique"),
    "MX": ("méxico",),
    "PE": ("perú",),
    "IN": ("bharat", "republic of india"),
    "SE": ("sverige",),
    "NO": ("norge",),
    "DK": ("danmark",),
    "FI": ("suomi",),
    "HU": ("magyarország",),
    "RO": ("românia",),
    "IR": ("islamic republic of iran",),
    "SA": ("ksa", "kingdom of saudi arabia"),
}  # fmt: skip
# Words about what a thing is, which are no name of a country where one is asked for.
_ADJECTIVES = frozenset(("国产", "境内", "大陆", "domestic", "made in china"))


def country_of(typed: str) -> str | None:
    """Its two letters; None for what names no country.

    >>> [country_of(word) for word in ("德国", " Germany", "de", "DEU", "中国香港", "South Korea", "嘉兴")]
    ['DE', 'DE', 'DE', 'DE', 'HK', 'KR', None]
    """
    return _by_word().get(_plain(typed))


def _plain(word: str) -> str:
    return re.sub(r"^the |\.$", "", fold(word).replace("’", "'"))


@lru_cache(maxsize=1)
def _by_word() -> dict[str, str]:
    found: dict[str, str] = {}
    for word, code in (*_shipped(), *_aliases()):
        found.setdefault(_plain(word), code)
    for table in (COUNTRIES, _ALSO):
        for code, words in table.items():
            found |= {_plain(word): code for word in words if word not in _ADJECTIVES}
    return found


def _shipped() -> Iterator[tuple[str, str]]:
    """The names that pages show, and those of the table they come from."""
    for language in ("en", "zh"):
        for names in (dict(Locale(language).territories), territories(language)):
            for code, name in names.items():
                if re.fullmatch("[A-Z]{2}", str(code)):
                    yield from ((code, code), (name, code), (name.replace("&", "and"), code))


def _aliases() -> Iterator[tuple[str, str]]:
    """Three letters, and codes of before."""
    for old, new in get_global("territory_aliases").items():
        if len(new) == 1 and str(old).isalpha():
            yield str(old), str(new[0])
