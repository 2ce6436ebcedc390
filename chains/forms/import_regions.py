"""Regions by what people write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from chains import identity
from chains.forms.import_cells import Say
from chains.models import Region, User
from chains.searchtext import CHINESE

_SUFFIX = re.compile(r"(?:特别行政区|自治区|自治州|自治县|地区|省|市|县|区|盟|旗)$")
_SUFFIX_EN = re.compile(
    r" (?:county|city|district|province|prefecture|municipality|banner|league)$"
)

# 延边朝鲜族自治州 is written 延边州, and 浦东新区 often 浦东.
_PEOPLE = re.compile(
    r"(?P<place>.{2,}?)(?:(?:[\u3400-\u9fff]{1,4}族)+|蒙古|哈萨克|柯尔克孜|各族)(?:自治(?P<kind>[州县旗区]))$"
)

_BETWEEN = re.compile(r"[\s/\\\-—–·,，、|>]+")

# Longer text names no region: each piece of it would be looked for.
_LONGEST = 200


def _spoken(name: str) -> set[str]:
    """How the long names of autonomous places and of new districts are shortened.

    >>> _spoken("昌吉回族自治州") == {"昌吉州", "昌吉"}, _spoken("浦东新区"), _spoken("海盐县")
    (True, {'浦东'}, set())
    """
    people = _PEOPLE.match(name)
    if people:
        return {people["place"], people["place"] + people["kind"]}
    new = name.removesuffix("新区")
    return {new} if new != name and len(new) > 1 else set()


class Regions:
    """Regions by what people write: a name, a chain of names, a code; the number says where nothing does."""

    def __init__(self, by: User) -> None:
        self.scope = by.organiser_regions
        self.by_word: dict[str, list[Region]] = {}
        self.by_code: dict[str, Region] = {}
        self.words: dict[str, set[str]] = {}  # code → its names
        for region in Region.objects.filter(is_active=True).exclude(level=Region.Level.COUNTRY):
            self.by_code[region.code] = region
            short = _SUFFIX.sub("", region.name_zh)
            spoken = _spoken(region.name_zh)
            names = {
                region.name_zh,
                region.name_en.lower(),
                _SUFFIX_EN.sub("", region.name_en.lower()),
                short if len(short) > 1 else region.name_zh,
                *spoken,
            }
            self.words[region.code] = names
            for name in names:
                self.by_word.setdefault(name, []).append(region)

    def of(self, typed: Any, number: str | None, say: Say) -> Region | None:
        by_number = self.by_code.get(identity.region_code_of(number) or "")
        text = unicodedata.normalize("NFKC", str(typed or ""))
        text = _BETWEEN.sub("" if CHINESE.search(text) else " ", text).strip()
        if text:
            is_name = len(text) <= _LONGEST
            found = self._written(text, by_number) if is_name else None
            if found is not None:
                return found
            said = text if is_name else f"{text[:_LONGEST]}…"
            say.warn("region", self._doubt(said, by_number))
        if by_number is not None:
            return by_number
        return self.scope[0] if self.scope else None

    def knows(self, text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        return text in self.by_code or bool(self._tail(text) or self._tail(text.lower()))

    def _doubt(self, text: str, by_number: Region | None) -> str:
        instead = by_number or (self.scope[0] if self.scope else None)
        known = len(self._tail(text)) > 1
        words = {"text": text, "region": instead.name_zh if instead else ""}
        if known:
            return (
                _(
                    "“%(text)s” is the name of several regions; %(region)s is taken until somebody says which."
                )
                % words
            )
        return (
            _("“%(text)s” is no region of the list; %(region)s is taken until somebody says which.")
            % words
        )

    def _written(self, text: str, by_number: Region | None) -> Region | None:
        if text in self.by_code:
            return self.by_code[text]
        if re.fullmatch(r"\d{9}(?:\d{3})?", text) and text[:6] in self.by_code:
            return self.by_code[text[:6]]  # the code of a town or village below it
        found = self._tail(text) or self._tail(text.lower()) or self._before_the_rest(text)
        if len(found) > 1:
            found = self._named_above(found, text) or found
        for narrower in (self.scope, [by_number] if by_number else []):
            inside = [one for one in found if any(region.contains(one) for region in narrower)]
            found = inside if len(found) > 1 and inside else found
        return found[0] if len(found) == 1 else None

    def _tail(self, text: str) -> list[Region]:
        """Those that the end of the text names, by its longest piece. "Jiashan" does not end in "Shan"."""
        pieces = (
            text[at:]
            for at in range(len(text))
            if not (text[at].isascii() and text[at].isalpha()) or not text[at - 1 : at].isalpha()
        )
        return next((self.by_word[piece] for piece in pieces if piece in self.by_word), [])

    def _before_the_rest(self, text: str) -> list[Region]:
        """Those that stand before a town, a street or a zone: "海盐县武原街道", "嘉兴经济技术开发区"."""
        for end in range(len(text) - 1, 1, -1):
            is_whole = _SUFFIX.search(text[:end]) is not None
            if (is_whole or text.endswith("区")) and (found := self._tail(text[:end])):
                return found
        return []

    def _named_above(self, found: Sequence[Region], text: str) -> list[Region]:
        """Those whose city or province stands in the text too. A city and its county of one name: the city."""

        def said(region: Region) -> int:
            # "朝阳" names no city above the county of 朝阳: what is said above stands before it.
            own = max((w for w in self.words[region.code] if text.endswith(w)), key=len, default="")
            before = text.removesuffix(own)
            above = region.codes[1:-1]
            return sum(any(word in before for word in self.words.get(code, ())) for code in above)

        most = max(map(said, found))
        best = [one for one in found if said(one) == most]
        top = [one for one in best if not any(o is not one and o.contains(one) for o in best)]
        return top if most or len(top) < len(best) else []
