"""Which words of two texts mean the same, with positions, so that a page can mark them with the same number."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Literal, Protocol

from rapidfuzz import fuzz

from matchmaking.engine.quantities import Quantity, in_full, quantities
from matchmaking.engine.text import han_runs, simplified, stem
from matchmaking.engine.units import PHYSICAL, Units

How = Literal["number", "number_bare", "term", "glossary", "spelling"]
HOW: tuple[How, ...] = ("number", "number_bare", "term", "glossary", "spelling")

LONGEST_TEXT = 4000  # characters looked at; beyond that nobody follows numbers on a page
MOST_PAIRS = 20
LONGEST_TERM = 12  # tokens of a taxonomy term
SPELLING_RATIO = 88.0
SHORTEST_MISSPELT = 5
LEAST_FIGURE = 100  # smaller ones without a unit count anything
# The end of a term says what the thing is: so many terms of a leaf end with it, and it is a name of that leaf.
_TERMS_OF_NAME = 2
# Words of two languages that name a thing stand for about the same leaves, or the narrower one for several of the wider's.
_SAME_LEAVES, _INNER_LEAVES = 0.5, 0.8
_WITHIN, _LEAST_WITHIN = 0.75, 3
_CLEARLY = 1.5
# Of all places where the terms of the tree have a word, how many at the least are their ends.
_ENDS = 0.5

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_WORD = r"[a-zà-öø-ÿ]+(?:\d[a-z0-9]*)?|\d+(?:[a-z]+\d[a-z0-9]*|(?:[.,]\d+)*)"
_TOKEN = re.compile(rf"[{_HAN}]|{_WORD}")
_WORDS = re.compile(_WORD)
_GAP = re.compile(r"[\s\-/·]*")
# Standards and models by letters and digits, however they are joined: "GB/T 36276-2023", "6204 2RS".
_PIECE = re.compile(r"[a-z]+(?:/[a-z](?![a-z]))?|\d+(?:\.\d+)?")
_CODE_GAP = re.compile(r"[ \-/:.]?")
# A number that names no model: short, a year, or as round as what is counted.
_NO_MODEL = re.compile(r"\d{1,3}|(?:19|20)\d\d|\d+000")
_STANDARD = re.compile(
    r"(?<![a-z])(?:ul|gb|gb/t|en|bs|iec|iso|din|astm|ieee|ansi|asme|sae|jis)[ -]$"
)
_LONGEST_LETTERS = 4
_SHORTEST_CODE = 4
# What is counted without a unit of the list: people, years, firms, "1,500 engineers".
_COUNTS = re.compile(r"\s*(?:[人名家年余多所项国户期届版号]|[a-z]+s\b|years?\b|people\b|staff\b)")
# Words that say nothing about a product: never marked on their own.
_FILLERS = (
    "a an the of for and or with to in on at by from as is are be we our you your it its per via into up than "
    "can will need needs needed want wanted looking seeking source supply supplies supplier suppliers supplied require "
    "requires required requirement year years month months day days no not only must may should have has all any each "
    "other more less over under about within plus one two three four five six seven eight nine ten first cny rmb usd eur"
)
# Who makes standards: which one is said by its number.
_BODIES = frozenset(["iso", "iec", "din", "jis", "astm", "ansi", "asme", "ieee"])
_FILLERS_HAN = (
    "采购 供应 需要 需求 要求 提供 用于 可用 产品 公司 企业 我们 具有 具备 以及 或者 以上 以下 不低于 不低 低于 长期 急需 寻求 寻找 "
    "支持 可以 能够 进行 使用 适用 相关 及其 年产 月产 每年 每月 生产 专业 左右 之间 以内 之内 不含 包括 含有 配套 定制 批量 优先 "
    "交期 交货 发货 送样 个月 万元"
)
_PLAIN = frozenset(_FILLERS.split()) | _BODIES
_PLAIN_HAN = frozenset(_FILLERS_HAN.split())
_JOINS = frozenset("和与及或")
_PLAIN_RUN = re.compile("|".join(_FILLERS_HAN.split()))
_UNIT_NAMES = frozenset(name.lower() for unit in PHYSICAL for name in unit.names)
# Units that are names of goods too: only right after a number do they measure.
_ALSO_GOODS = frozenset(["bar", "meter", "metre", "piece", "set", "sheet", "unit"])
_UNITS = frozenset(stem(name) for name in _UNIT_NAMES if name.isascii() and name.isalnum())
_ONLY_UNITS = _UNITS - _ALSO_GOODS
_UNITS_HAN = sorted(filter(re.compile(f"[{_HAN}]+").fullmatch, _UNIT_NAMES), key=len, reverse=True)
_LONG_UNITS = [name for name in _UNITS_HAN if len(name) > 1]
# "公里", "万件", "两台": a measure and how many of it, in Chinese figures or none.
_MEASURE = re.compile(
    rf"(?:[一二两三四五六七八九十百千万亿几数每多余约]+(?:{'|'.join(_UNITS_HAN)})|{'|'.join(_LONG_UNITS)}|[万亿])+"
)
_COUNTED = re.compile(
    rf"[一二两三四五六七八九十百千万亿每]+(?:{'|'.join(_UNITS_HAN)})(?![式型装级头阶])(?=..)"
)


class Terms(Protocol):
    """What highlighting needs of a taxonomy: its leaves and, of each, all words for it in both languages."""

    @property
    def codes(self) -> Sequence[str]: ...
    def terms(self, code: str) -> Mapping[str, Sequence[str]]: ...
    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Span:
    """Characters start to end (exclusive) of the original string."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two passages that mean the same, by number, and how that was found."""

    number: int
    need: Span
    offer: Span
    how: How
    category: str = ""  # the leaf whose words they are, where words of two languages were joined


@dataclass(frozen=True, slots=True)
class Token:
    """A Chinese character, a word or a number; `start` and `end` count in the folded text."""

    key: str
    start: int
    end: int
    joined: bool  # nothing but a space or hyphen before it

    @property
    def is_han(self) -> bool:
        return len(self.key) == 1 and self.key > "\u33ff"


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in one spelling that still knows where each character came from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    original: str = field(repr=False)

    @classmethod
    def of(cls, original: str) -> Folded:
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for start, end in _clusters(original[:LONGEST_TEXT]):
            folded = simplified(original[start:end]).lower()
            chars.append(folded)
            starts += [start] * len(folded)
            ends += [end] * len(folded)
        return cls("".join(chars), tuple(starts), tuple(ends), original)

    def span(self, start: int, end: int) -> Span:
        return Span(self.starts[start], self.ends[end - 1])

    def written(self, start: int, end: int) -> str:
        """The original characters, in their case, compatibility forms replaced."""
        span = self.span(start, end)
        return simplified(self.original[span.start : span.end])


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """A character with the combining marks after it: what compatibility folding may merge."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not unicodedata.combining(text[index]):
            yield start, index
            start = index


def tokenise(folded: str) -> list[Token]:
    """Tokens of a text that is already in one spelling."""
    found: list[Token] = []
    before = 0
    for match in _TOKEN.finditer(folded):
        key = _key(match.group())
        gap = folded[before : match.start()]
        found.append(
            Token(key, match.start(), match.end(), bool(found) and _GAP.fullmatch(gap) is not None)
        )
        before = match.end()
    return found


def telling_words(folded: str) -> Iterator[tuple[str, int, int]]:
    """Words of a text in one spelling that say something alone: key, start, end. Chinese and numbers are passed over."""
    for match in _WORDS.finditer(folded):
        key = _telling_key(match.group())
        if key and not (key in _ALSO_GOODS and folded[: match.start()].rstrip()[-1:].isdigit()):
            yield key, match.start(), match.end()


def telling_keys(folded: str) -> frozenset[str]:
    """The keys alone, for texts that are looked in and never shown."""
    found = set(map(_telling_key, _WORDS.findall(folded)))
    if not found.isdisjoint(_ALSO_GOODS):
        return frozenset(key for key, _, _ in telling_words(folded))
    found.discard("")
    return frozenset(found)


def _key(word: str) -> str:
    return stem(word) if word.isascii() and word.isalpha() else word


# One line meets the same words in text after text.
@lru_cache(maxsize=32768)
def _telling_key(word: str) -> str:
    """Empty for a word that says nothing alone."""
    key = _key(word)
    return key if _is_telling(key) else ""


# The words of a trade are few; each is asked for in text after text.
@lru_cache(maxsize=16384)
def _is_telling(key: str) -> bool:
    if key in _PLAIN or key in _ONLY_UNITS or key.replace(".", "").isdigit():
        return False
    return len(key) >= (2 if any(c.isdigit() for c in key) else 3)


@dataclass(slots=True, eq=False)
class Name:
    """What a word of the tree stands for: the leaves that have it as a term, and all of which several terms end with it
    ("split junction box", "smart junction box"), with how many do."""

    terms_of: set[str] = field(default_factory=set)
    leaves: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a text, by its first token and the one after its last; `inner` when it stands in a longer name."""

    first: int
    last: int
    key: tuple[str, ...]
    name: Name
    inner: bool

    @property
    def is_chinese(self) -> bool:
        return any(len(part) == 1 and part > "\u33ff" for part in self.key)

    def leaves_shared_with(self, other: Found) -> Set[str]:
        """The leaves for which both stand, in whatever language. Ends of terms are wide ("box"): two of them, or one
        and a term, have to stand for about the same leaves, the more so in a longer name ("foil" in "aluminium foil")."""
        mine, theirs = self.name, other.name
        if both := mine.terms_of & theirs.terms_of:
            return both
        shared = mine.leaves.keys() & theirs.leaves.keys()
        narrow, wide = sorted((self, other), key=lambda one: len(one.name.leaves))
        sizes = len(narrow.name.leaves), len(wide.name.leaves)
        least = _INNER_LEAVES if self.inner or other.inner else _SAME_LEAVES
        if 2 * len(shared) >= least * sum(sizes):
            return shared
        within = len(shared) >= max(_LEAST_WITHIN, _WITHIN * sizes[0])
        return shared if within and not wide.inner else set()


class Glossary:
    """Every word of the taxonomy by its tokens, with the leaves it stands for."""

    def __init__(self, leaves: Mapping[str, Sequence[str]]) -> None:
        terms = [
            (code, tokens)
            for code, words in leaves.items()
            for tokens in (tokenise(simplified(word).lower()) for word in words)
            if 0 < len(tokens) <= LONGEST_TERM and says_something(tokens)
        ]
        self.names: dict[tuple[str, ...], Name] = defaultdict(Name)
        for code, tokens in terms:
            self.names[_keys(tokens)].terms_of.add(code)
        for key, ends in _ends_of_terms(terms).items():
            self.names[key].leaves.update(ends)
        for name in self.names.values():
            name.leaves.update(name.terms_of - name.leaves.keys())
        self.longest = max(map(len, self.names), default=0)
        self.edges = Edges(word for words in leaves.values() for word in words)

    @classmethod
    def of(cls, taxonomy: Terms) -> Glossary:
        return cls(
            {
                code: [term for terms in taxonomy.terms(code).values() for term in terms]
                for code in taxonomy.codes
            }
        )

    def find(self, tokens: Sequence[Token]) -> list[Found]:
        """Names in a text, the longest at each place."""
        found: list[Found] = []
        reached = 0
        for first in range(len(tokens)):
            key: list[str] = []
            best: Found | None = None
            for last in range(first, min(first + self.longest, len(tokens))):
                if last > first and not tokens[last].joined:
                    break
                key.append(tokens[last].key)
                name = self.names.get(tuple(key))
                if name is not None:
                    best = Found(first, last + 1, tuple(key), name, inner=last < reached)
            if best is not None:
                found.append(best)
                reached = max(reached, best.last)
        return found


def _keys(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(token.key for token in tokens)


def _ends_of_terms(
    terms: Sequence[tuple[str, Sequence[Token]]],
) -> dict[tuple[str, ...], Counter[str]]:
    """What several terms of a leaf end with, by leaf: in both languages the end of a name says what the thing is.

    An end is a word when some term begins with it too (no part of one is left, as 感器 of 传感器 and 互感器), and when
    it is mostly an end (no part of names of other things, as 复合).
    """
    ends: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    spelled = [_keys(tokens) for _, tokens in terms]
    for keys, (code, _) in zip(spelled, terms, strict=True):
        for begin in range(len(keys)):
            ends[keys[begin:]][code] += 1
    several = {
        key: Counter({code: count for code, count in counts.items() if count >= _TERMS_OF_NAME})
        for key, counts in ends.items()
        if max(counts.values()) >= _TERMS_OF_NAME
    }
    everywhere: Counter[tuple[str, ...]] = Counter()
    words: dict[tuple[str, ...], Sequence[Token]] = {}
    for keys, (_, tokens) in zip(spelled, terms, strict=True):
        for begin, end in combinations(range(len(keys) + 1), 2):
            part = keys[begin:end]
            if part in several:
                everywhere[part] += 1
                if not (begin and tokens[begin].is_han and tokens[begin - 1].is_han):
                    words[part] = tokens[begin:end]
    return {
        key: several[key]
        for key, tokens in words.items()
        if ends[key].total() >= _ENDS * everywhere[key] and says_something(tokens)
    }


def _han_at(text: str, place: int) -> str:
    """The Chinese character there; empty for none."""
    one = text[place] if 0 <= place < len(text) else ""
    return one if one > "\u33ff" else ""


class Edges:
    """With which two characters Chinese words of the trade begin, and with which they end or are over.

    What two texts have in common need not be words: of 减压阀 and 液压阀 it is 压阀.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        runs = [run for term in terms for run in han_runs(simplified(term))]
        begin = {run[:2] for run in runs}
        # Nothing begins with 型材, but it stands behind whole words oftener than behind the first half of one (铝型).
        apart: dict[str, set[str]] = defaultdict(set)
        torn: dict[str, set[str]] = defaultdict(set)
        for run in runs:
            if len(run) > 2:
                (torn if run[-3:-1] in begin else apart)[run[-2:]].add(run[-3])
        self.begin = begin | {end for end in apart if len(apart[end]) > len(torn[end])}
        self.end = self.begin | {run[-2:] for run in runs}

    @classmethod
    def of(cls, taxonomy: Terms) -> Edges:
        codes = taxonomy.codes
        return cls(word for code in codes for word in taxonomy.terms(code)["zh"])

    def has(self, phrase: str) -> bool:
        """Whether it begins and ends as words do, so that nothing is to be cut."""
        return phrase[:2] in self.begin and phrase[-2:] in self.end

    def cut(self, mine: tuple[str, int, int], theirs: tuple[str, int, int]) -> tuple[int, int]:
        """How many characters of a passage that both texts have, each text with its place, belong to other words:
        before and behind.

        >>> Edges(["减压", "液压", "止回阀"]).cut(("减压阀和止回阀", 1, 7), ("液压阀和止回阀", 1, 7))
        (3, 0)
        """
        text, start, end = mine
        phrase = text[start:end]
        before = _han_at(text, start - 1), _han_at(theirs[0], theirs[1] - 1)
        after = _han_at(text, end), _han_at(theirs[0], theirs[2])
        left, right = 0, len(phrase)
        while left < right and phrase[left : left + 2] not in self.begin:
            first, then = phrase[left], phrase[left + 1 : left + 2]
            torn = all(one + first in self.begin for one in before)
            if not (torn or first in _JOINS or (then in _JOINS and all(before))):
                break
            before = first, first
            left += 1
        while left < right and phrase[max(left, right - 2) : right] not in self.end:
            last = phrase[right - 1]
            if last not in _JOINS and not all(last + one in self.end for one in after):
                break
            after = last, last
            right -= 1
        return left, len(phrase) - right


@lru_cache(maxsize=2)
def edges(taxonomy: Terms) -> Edges:
    return Edges.of(taxonomy)


@lru_cache(maxsize=2)
def _glossary(taxonomy: Terms) -> Glossary:
    return Glossary.of(taxonomy)


def without_count(phrase: str) -> str:
    """A Chinese phrase without how many of it stand before.

    Examples
    --------
    >>> without_count("两台打桩机"), without_count("三片式球阀"), without_count("两台")
    ('打桩机', '三片式球阀', '两台')
    """
    return _COUNTED.sub("", phrase, count=1) if _COUNTED.match(phrase) else phrase


def says_something(tokens: Sequence[Token]) -> bool:
    """Two Chinese characters or a word of its own; a number, a unit or a filler word alone is no match."""
    han = _PLAIN_RUN.sub("", "".join(token.key for token in tokens if token.is_han))
    if len(han) >= 2 and not _MEASURE.fullmatch(han):
        return True
    return any(not token.is_han and _is_telling(token.key) for token in tokens)


class _Pairing:
    """Collects aligned passages; a passage once taken is not taken again."""

    def __init__(self, need: Folded, offer: Folded) -> None:
        self.need, self.offer = need, offer
        self.need_taken = bytearray(len(need.text))
        self.offer_taken = bytearray(len(offer.text))
        self.found: list[tuple[Span, Span, How, str]] = []

    def is_free(self, need: tuple[int, int], offer: tuple[int, int]) -> bool:
        return not any(self.need_taken[slice(*need)]) and not any(self.offer_taken[slice(*offer)])

    def take(
        self, need: tuple[int, int], offer: tuple[int, int], how: How, category: str = ""
    ) -> bool:
        if not self.is_free(need, offer):
            return False
        spans = self.need.span(*need), self.offer.span(*offer)
        self._mark(self.need, self.need_taken, spans[0])
        self._mark(self.offer, self.offer_taken, spans[1])
        self.found.append((*spans, how, category))
        return True

    @staticmethod
    def _mark(folded: Folded, taken: bytearray, span: Span) -> None:
        # By the original positions: one character may fold into several ("㎡"), and half of it is not free.
        for index, start in enumerate(folded.starts):
            if span.start <= start < span.end:
                taken[index] = 1


def align(
    need_text: str,
    offer_text: str,
    taxonomy: Terms | Glossary | None = None,
    units: Units | None = None,
) -> list[Aligned]:
    """Passages of the two texts that mean the same, numbered in the order of the need.

    Spans never overlap and count in the strings as given. The same texts give the same list.

    >>> [(need_text[a.need.start:a.need.end], a.how) for need_text in ["隔膜 9μm"] for a in align(need_text, "9 微米隔膜")]
    [('隔膜', 'term'), ('9μm', 'number')]
    """
    need, offer = Folded.of(need_text), Folded.of(offer_text)
    known = units or Units()
    asked, offered = _measured(need, known), _measured(offer, known)
    pairing = _Pairing(need, offer)
    need_tokens = _outside(tokenise(need.text), asked)
    offer_tokens = _outside(tokenise(offer.text), offered)

    _align_quantities(pairing, asked, offered)
    _align_codes(pairing, asked, offered)
    _align_figures(pairing, asked, offered)
    known_edges = None
    if taxonomy is not None:
        glossary = taxonomy if isinstance(taxonomy, Glossary) else _glossary(taxonomy)
        known_edges = glossary.edges
        _align_glossary(pairing, glossary, need_tokens, offer_tokens)
    _align_terms(pairing, need_tokens, offer_tokens, known_edges)
    _align_spelling(pairing, need_tokens, offer_tokens)

    pairing.found.sort(key=lambda pair: (pair[0].start, pair[1].start))
    return [Aligned(number, *one) for number, one in enumerate(pairing.found[:MOST_PAIRS], start=1)]


def _outside(tokens: Sequence[Token], measured: Sequence[Quantity]) -> list[Token]:
    """Tokens that are no part of a number with a unit: those are compared as quantities or not at all."""
    taken = [(quantity.start, quantity.end) for quantity in measured if quantity.dimension]
    kept: list[Token] = []
    cut = False
    for token in tokens:
        if any(start <= token.start < end for start, end in taken):
            cut = True
            continue
        kept.append(replace(token, joined=token.joined and not cut))
        cut = False
    return kept


def _measured(text: Folded, units: Units) -> list[Quantity]:
    """Numbers of a text, each with the unit of the stretch it begins; none that is the name of a standard ("UL 9540A")."""
    found = in_full(quantities(text, units), text.text)
    return [one for one in found if not _is_name(text, one)]


def _is_name(text: Folded, one: Quantity) -> bool:
    return text.text[one.end - 2].isdigit() and bool(
        _STANDARD.search(text.text[max(0, one.start - 6) : one.start])
    )


def _align_quantities(
    pairing: _Pairing, needs: Sequence[Quantity], offers: Sequence[Quantity]
) -> None:
    for asked in needs:
        for offered in offers:
            if _same_quantity(asked, offered) and pairing.take(
                (asked.start, asked.end), (offered.start, offered.end), "number"
            ):
                break


def _align_figures(
    pairing: _Pairing, needs: Sequence[Quantity], offers: Sequence[Quantity]
) -> None:
    asked_for, told = _without_counts(pairing.need, needs), _without_counts(pairing.offer, offers)
    for asked in asked_for:
        for offered in told:
            if _same_figure(asked, offered) and pairing.take(
                (asked.start, asked.end), (offered.start, offered.end), "number_bare"
            ):
                break


def _same_quantity(asked: Quantity, offered: Quantity) -> bool:
    return (
        bool(asked.dimension)
        and asked.dimension == offered.dimension
        and asked.a_year == offered.a_year
        and abs(asked.value - offered.value) <= 1e-9 * max(abs(asked.value), abs(offered.value))
    )


def _same_figure(asked: Quantity, offered: Quantity) -> bool:
    """One side left its unit out. A small figure is too common to say anything."""
    one_is_bare = bool(asked.dimension) != bool(offered.dimension)
    return one_is_bare and asked.figure == offered.figure and asked.figure >= LEAST_FIGURE


def _without_counts(text: Folded, found: Sequence[Quantity]) -> list[Quantity]:
    return [one for one in found if one.dimension or not _COUNTS.match(text.text, one.end)]


def _align_codes(pairing: _Pairing, needs: Sequence[Quantity], offers: Sequence[Quantity]) -> None:
    """Standards and models, the longest first; one may go on where the other ends, with a year or a variant."""
    asked = _outside(_pieces(pairing.need.text), needs)
    offered = _outside(_pieces(pairing.offer.text), offers)
    runs = sorted(_common_runs(asked, offered, _has_digits), key=lambda run: (-run[2], run[:2]))
    for first, start, length in runs:
        for size, begin in ((n, at) for n in range(length, 0, -1) for at in range(length - n + 1)):
            sides = [
                (pairing.need.text, asked[first + begin : first + begin + size]),
                (pairing.offer.text, offered[start + begin : start + begin + size]),
            ]
            if _is_code(sides[0][1]) and all(_stands_alone(*side) for side in sides):
                mine, theirs = ((own[0].start, own[-1].end) for _, own in sides)
                pairing.take(mine, theirs, "term")
                break


def _pieces(folded: str) -> list[Token]:
    """Letters and digits by themselves; a space joins only what goes on with a digit."""
    found: list[Token] = []
    before = 0
    for match in _PIECE.finditer(folded):
        gap, piece = folded[before : match.start()], match.group()
        joined = _CODE_GAP.fullmatch(gap) is not None and (gap != " " or piece[0].isdigit())
        key = piece.replace("/", "")
        found.append(Token(key, match.start(), match.end(), bool(found) and joined))
        before = match.end()
    return found


def _has_digits(pieces: Sequence[Token]) -> bool:
    return not all(piece.key.isalpha() for piece in pieces)


def _is_code(pieces: Sequence[Token]) -> bool:
    """Letters and digits that name something; of digits alone a number of four that is no year."""
    keys = _keys(pieces)
    letters = [key for key in keys if key.isalpha()]
    digits = "".join(key for key in keys if not key.isalpha())
    if not letters:
        return len(keys) == 1 and digits.isdigit() and not _NO_MODEL.fullmatch(digits)
    return (
        bool(digits)
        and sum(map(len, keys)) >= _SHORTEST_CODE
        and all(len(key) == 1 or _may_name(key) for key in letters)
    )


def _may_name(letters: str) -> bool:
    return len(letters) <= _LONGEST_LETTERS and (letters in _BODIES or letters not in _PLAIN)


def _stands_alone(text: str, pieces: Sequence[Token]) -> bool:
    """No letter or digit runs on over its edges."""
    around = text[max(0, pieces[0].start - 1) : pieces[0].start], text[pieces[-1].end :][:1]
    return not any(one.isascii() and one.isalnum() for one in around)


def _align_glossary(
    pairing: _Pairing, glossary: Glossary, needs: Sequence[Token], offers: Sequence[Token]
) -> None:
    """Words for one leaf in two languages. Two words of one language are often two variants, so they are left alone."""
    asked, offered = glossary.find(needs), glossary.find(offers)
    spoken_of = Counter(leaf for one in (*asked, *offered) for leaf in one.name.leaves)
    by_leaf: dict[str, list[int]] = defaultdict(list)
    for place, other in enumerate(offered):
        for leaf in other.name.leaves:
            by_leaf[leaf].append(place)
    possible = []
    for one in asked:
        for place in {place for leaf in one.name.leaves for place in by_leaf.get(leaf, ())}:
            other = offered[place]
            same = one.key == other.key and bool(one.name.terms_of)
            crosses = one.is_chinese != other.is_chinese
            leaves = one.leaves_shared_with(other) if crosses else set()
            if same or leaves:
                ends = one.first, other.first, one.last, other.last
                weight = _length(needs[one.first : one.last])
                weight += _length(offers[other.first : other.last])
                leaf = _one_of(leaves, spoken_of, one.name.leaves + other.name.leaves)
                possible.append((not same, -weight, *ends, leaf))
    for crosses, _, first, start, last, end, leaf in sorted(possible):
        pairing.take(
            (needs[first].start, needs[last - 1].end),
            (offers[start].start, offers[end - 1].end),
            "glossary" if crosses else "term",
            leaf,
        )


def _one_of(leaves: Set[str], spoken_of: Counter[str], terms: Counter[str]) -> str:
    """Of several leaves the one of which both texts have more words, else of which clearly more terms; or none."""
    best = sorted(leaves, key=lambda code: (-spoken_of[code], -terms[code], code))[:2]
    if len(best) == 2 and spoken_of[best[0]] == spoken_of[best[1]]:
        best = best[: terms[best[0]] >= _CLEARLY * terms[best[1]]]
    return best[0] if best else ""


def _length(tokens: Sequence[Token]) -> int:
    return sum(token.end - token.start for token in tokens)


def _align_terms(
    pairing: _Pairing, needs: Sequence[Token], offers: Sequence[Token], edges: Edges | None
) -> None:
    """The longest common runs of tokens first; what is left of a run that is partly taken gets its turn later."""
    heap = [(-(length), first, start) for first, start, length in _common_runs(needs, offers)]
    heapq.heapify(heap)
    while heap:
        negative, first, start = heapq.heappop(heap)
        length = -negative
        free = [
            pairing.is_free(
                (needs[first + step].start, needs[first + step].end),
                (offers[start + step].start, offers[start + step].end),
            )
            for step in range(length)
        ]
        if all(free):
            begin, end = _trim(needs, first, first + length)
            shift = start - first
            if begin < end and edges is not None:
                places = [
                    (side.text, own[0].start, own[-1].end)
                    for side, own in (
                        (pairing.need, needs[begin:end]),
                        (pairing.offer, offers[begin + shift : end + shift]),
                    )
                ]
                left, right = edges.cut(places[0], places[1])
                # Only Chinese is cut, and there a token is a character.
                begin, end = begin + left, end - right
            if begin < end and says_something(needs[begin:end]):
                pairing.take(
                    (needs[begin].start, needs[end - 1].end),
                    (offers[begin + shift].start, offers[end - 1 + shift].end),
                    "term",
                )
            continue
        for begin, end in _stretches(free):
            heapq.heappush(heap, (-(end - begin), first + begin, start + begin))


def _common_runs(
    needs: Sequence[Token],
    offers: Sequence[Token],
    tells: Callable[[Sequence[Token]], bool] = says_something,
) -> Iterator[tuple[int, int, int]]:
    """Maximal runs of equal tokens without punctuation inside."""
    where: dict[str, list[int]] = defaultdict(list)
    for index, token in enumerate(offers):
        where[token.key].append(index)
    for first, token in enumerate(needs):
        for start in where.get(token.key, ()):
            goes_on_left = (
                first > 0
                and start > 0
                and token.joined
                and offers[start].joined
                and needs[first - 1].key == offers[start - 1].key
            )
            if goes_on_left:
                continue
            length = 1
            while (
                first + length < len(needs)
                and start + length < len(offers)
                and needs[first + length].joined
                and offers[start + length].joined
                and needs[first + length].key == offers[start + length].key
            ):
                length += 1
            if tells(needs[first : first + length]):
                yield first, start, length


def _trim(tokens: Sequence[Token], begin: int, end: int) -> tuple[int, int]:
    """Filler words at the edges of a run are not what is meant."""
    while begin < end:
        if tokens[begin].key in _PLAIN:
            begin += 1
        elif _pair(tokens, begin, end) in _PLAIN_HAN:
            begin += 2
        else:
            break
    while begin < end:
        if tokens[end - 1].key in _PLAIN:
            end -= 1
        elif _pair(tokens, max(begin, end - 2), end) in _PLAIN_HAN:
            end -= 2
        else:
            break
    return begin, end


def _pair(tokens: Sequence[Token], begin: int, end: int) -> str:
    return "".join(token.key for token in tokens[begin : min(begin + 2, end)])


def _stretches(free: Sequence[bool]) -> Iterator[tuple[int, int]]:
    edges = [index for index, (a, b) in enumerate(pairwise((False, *free, False))) if a != b]
    yield from zip(edges[::2], edges[1::2], strict=True)


def _align_spelling(pairing: _Pairing, needs: Sequence[Token], offers: Sequence[Token]) -> None:
    """Words one slip apart. Chinese is left out: one other character (正极, 负极) is another product."""

    def candidates(tokens: Sequence[Token], taken: bytearray) -> list[Token]:
        return [
            token
            for token in tokens
            if len(token.key) >= SHORTEST_MISSPELT
            and token.key.isalpha()
            and token.key not in _PLAIN
            and not any(taken[token.start : token.end])
        ]

    offered = candidates(offers, pairing.offer_taken)
    possible = []
    for asked in candidates(needs, pairing.need_taken):
        for other in offered:
            if asked.key[0] != other.key[0]:
                continue
            ratio = fuzz.ratio(asked.key, other.key, score_cutoff=SPELLING_RATIO)
            if ratio:
                possible.append((-ratio, asked.start, other.start, asked.end, other.end))
    for _, start, other_start, end, other_end in sorted(possible):
        pairing.take((start, end), (other_start, other_end), "spelling")
