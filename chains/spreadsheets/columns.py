"""What a field is called in a file: names as people write them, exact ones before looser ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from chains.searchtext import simplify


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
    # Another field whose cell is taken where this one has none: a name in the other language.
    instead: str = ""
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


_NOISE = re.compile(r"[\s*:：_'\"“”·]|\((?:必填|选填|可选|required|optional)\)")


# Of a longer one its end is read: there the name stands when a form's instructions stand over it.
_LONGEST_TITLE = 1000


def fold_header(text: str) -> str:
    return _fold(text[-_LONGEST_TITLE:])


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    return _NOISE.sub("", simplify(_compatible(text)).lower())


def _compatible(text: str) -> str:
    """Letters of one width. Of some signs it makes eighteen."""
    return unicodedata.normalize("NFKC", text)[-_LONGEST_TITLE:]


# Names of products, or of their numbers and of those of their lines.
_COUNTING = frozenset(("item", "line", "material", "part", "article", "物料", "存货"))


def may_count(title: str) -> bool:
    """Whether a column of such a name may hold numbers."""
    return fold_header(title).rstrip(".") in _COUNTING


def assign(titles: Sequence[str], columns: Sequence[Column]) -> dict[str, list[int]]:
    """Which columns of the file each field is read from: exact names go before parts of names."""
    called = _called(*(column.names for column in columns))
    signs = _signs_of(frozenset(called))
    fits = [
        (rank, place, nth)
        for place, title in enumerate(titles)
        if _could_be(title[-_LONGEST_TITLE:], signs)
        for nth, rank in _ranks(title[-_LONGEST_TITLE:], called).items()
    ]
    taken: set[int] = set()
    fields: dict[str, list[int]] = {}
    for _rank, place, nth in sorted(fits):
        column = columns[nth]
        if place not in taken and (column.many or column.field not in fields):
            taken.add(place)
            fields.setdefault(column.field, []).append(place)
    return {name: sorted(places) for name, places in fields.items()}


@lru_cache(maxsize=16)
def _called(*columns: frozenset[str]) -> dict[str, list[int]]:
    """Each name with the columns that bear it, by their number."""
    called: dict[str, list[int]] = {}
    for nth, names in enumerate(columns):
        for name in names:
            called.setdefault(name, []).append(nth)
    return called


def _ranks(title: str, called: Mapping[str, Sequence[int]]) -> dict[int, int]:
    """Which columns a title names, and how loosely it has to be read for each."""
    ranks: dict[int, int] = {}
    for rank, spellings in enumerate(_read_as(title)):
        for spelling in spellings:
            for nth in called.get(spelling, ()):
                ranks.setdefault(nth, rank)
    return ranks


def fit(title: str, names: frozenset[str]) -> int | None:
    title = title[-_LONGEST_TITLE:]
    if not _could_be(title, _signs_of(names)):
        return None
    for rank, spellings in enumerate(_read_as(title)):
        if not names.isdisjoint(spellings):
            return rank
    return None


def _could_be(title: str, by_first: Mapping[str, Sequence[frozenset[str]]]) -> bool:
    """Whether all signs of a name stand in it: every reading only leaves some out. Most cells are held against names
    in vain."""
    signs = _signs(title)
    return any(name <= signs for first in signs if first in by_first for name in by_first[first])


@lru_cache(maxsize=4096)
def _signs(title: str) -> frozenset[str]:
    return frozenset(simplify(_compatible(title)).lower())


@lru_cache(maxsize=256)
def _signs_of(names: frozenset[str]) -> dict[str, list[frozenset[str]]]:
    """By the first sign of each name, which may be in few others."""
    found: dict[str, list[frozenset[str]]] = {}
    for name in sorted(names):
        found.setdefault(name[:1], []).append(frozenset(name))
    return found


# Each title of a header is held against each field.
@lru_cache(maxsize=512)
def _read_as(title: str) -> list[list[str]]:
    read: list[list[str]] = []
    known: set[str] = set()
    for some in _spellings(title):
        # Most looser readings of most titles are what closer ones were.
        new = [spelling for spelling in some if spelling not in known]
        known.update(new)
        read.append([fold_header(spelling) for spelling in new])
    return read


def _spellings(title: str) -> Iterator[list[str]]:
    """Ever looser readings: "Item / 产品名称", "规格要求 Spec", "主要产品(服务)", "联系人/手机"."""
    # Of a thousand blanks in a row each pattern below would try every part.
    text = re.sub(r"\s+", _one_blank, _compatible(unnumbered(title)))
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
    # "贵公司名称是？": what surveys ask.
    yield [_ASKED_END.sub("", _ASKED.sub("", without.strip(" *＊:")))]


def _one_blank(run: re.Match[str]) -> str:
    return "\n" if "\n" in run[0] else " "


_ASKED = re.compile(r"^(?:请(?:填写|输入|选择|注明|问)?|贵|您的?)+(?=..)")
_ASKED_END = re.compile(r"\s*(?:是什么|有哪些|是|为)?[?:]*$")
# Numbers of questions, and of the points of a form.
_POINT = re.compile(
    r"^\s*(?:\*\s*)?(?:[①-⑳⑴-⒇㈠-㈩]|[(（](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]|(?:\d{1,2}|[Qq]\d{1,2}|[一二三四五六七八九十]{1,3})\s*[、.．:：])\s*(?=\D)"
)


def unnumbered(title: str) -> str:
    return _POINT.sub("", title)


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
