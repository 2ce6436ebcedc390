"""Which words of two texts mean the same, with positions, so that a page can mark them with the same number."""

from __future__ import annotations

import heapq
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal, Protocol

from rapidfuzz import fuzz

from matchmaking.engine.quantities import Quantity, quantities
from matchmaking.engine.text import simplified, stem
from matchmaking.engine.units import PHYSICAL, Units

How = Literal["number", "number_bare", "term", "glossary", "spelling"]
HOW: tuple[How, ...] = ("number", "number_bare", "term", "glossary", "spelling")

LONGEST_TEXT = 4000  # characters looked at; beyond that nobody follows numbers on a page
MOST_PAIRS = 20
LONGEST_TERM = 12  # tokens of a taxonomy term
SPELLING_RATIO = 88.0
SHORTEST_MISSPELT = 5

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_WORD = r"[a-zà-öø-ÿ]+\d[a-z0-9]*|\d+[a-z]+\d[a-z0-9]*|[a-zà-öø-ÿ]+|\d+(?:[.,]\d+)*"
_TOKEN = re.compile(rf"[{_HAN}]|{_WORD}")
_WORDS = re.compile(_WORD)
_GAP = re.compile(r"[\s\-/·]*")
# Words that say nothing about a product: never marked on their own.
_FILLERS = (
    "a an the of for and or with to in on at by from as is are be we our you your it its per via into up than "
    "can will need needs needed want wanted looking seeking source supply supplies supplier suppliers supplied require "
    "requires required requirement year years month months day days no not only must may should have has all any each "
    "other more less over under about within"
)
_FILLERS_HAN = (
    "采购 供应 需要 需求 要求 提供 用于 可用 产品 公司 企业 我们 具有 具备 以及 或者 以上 以下 不低于 不低 低于 长期 急需 寻求 寻找 "
    "支持 可以 能够 进行 使用 适用 相关 及其 年产 月产 每年 每月 生产 专业 左右 之间 不含 包括 含有 配套 定制 批量 优先"
)
_PLAIN = frozenset(_FILLERS.split())
_PLAIN_HAN = frozenset(_FILLERS_HAN.split())
_PLAIN_RUN = re.compile("|".join(_FILLERS_HAN.split()))
_UNIT_NAMES = frozenset(name.lower() for unit in PHYSICAL for name in unit.names)
# Units that are names of goods too: only right after a number do they measure.
_ALSO_GOODS = frozenset(["bar", "meter", "metre", "piece", "set", "sheet", "unit"])
_UNITS = frozenset(stem(name) for name in _UNIT_NAMES if name.isascii() and name.isalpha())
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


@dataclass(frozen=True, slots=True)
class Aligned:
    """Two passages that mean the same, by number, and how that was found."""

    number: int
    need: Span
    offer: Span
    how: How


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


class Glossary:
    """Every word of the taxonomy by its tokens, with the leaves it stands for."""

    def __init__(self, leaves: Mapping[str, Sequence[str]]) -> None:
        self.leaves_by_term: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for code, terms in leaves.items():
            for term in terms:
                tokens = tokenise(simplified(term).lower())
                key = tuple(token.key for token in tokens)
                if 0 < len(key) <= LONGEST_TERM and says_something(tokens):
                    self.leaves_by_term[key].add(code)
        self.longest = max((len(key) for key in self.leaves_by_term), default=0)

    @classmethod
    def of(cls, taxonomy: Terms) -> Glossary:
        return cls(
            {
                code: [term for terms in taxonomy.terms(code).values() for term in terms]
                for code in taxonomy.codes
            }
        )

    def find(self, tokens: Sequence[Token]) -> list[tuple[int, int, set[str]]]:
        """Terms in a text as token ranges, the longest at each place, with their leaves."""
        found = []
        for first in range(len(tokens)):
            key: list[str] = []
            best: tuple[int, int, set[str]] | None = None
            for last in range(first, min(first + self.longest, len(tokens))):
                if last > first and not tokens[last].joined:
                    break
                key.append(tokens[last].key)
                leaves = self.leaves_by_term.get(tuple(key))
                if leaves:
                    best = (first, last + 1, leaves)
            if best is not None:
                found.append(best)
        return found


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
        self.found: list[tuple[Span, Span, How]] = []

    def is_free(self, need: tuple[int, int], offer: tuple[int, int]) -> bool:
        return not any(self.need_taken[slice(*need)]) and not any(self.offer_taken[slice(*offer)])

    def take(self, need: tuple[int, int], offer: tuple[int, int], how: How) -> bool:
        if not self.is_free(need, offer):
            return False
        spans = self.need.span(*need), self.offer.span(*offer)
        self._mark(self.need, self.need_taken, spans[0])
        self._mark(self.offer, self.offer_taken, spans[1])
        self.found.append((*spans, how))
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
    asked, offered = quantities(need, units or Units()), quantities(offer, units or Units())
    pairing = _Pairing(need, offer)
    need_tokens = _outside(tokenise(need.text), asked)
    offer_tokens = _outside(tokenise(offer.text), offered)

    _align_quantities(pairing, asked, offered)
    if taxonomy is not None:
        glossary = taxonomy if isinstance(taxonomy, Glossary) else _glossary(taxonomy)
        _align_glossary(pairing, glossary, need_tokens, offer_tokens)
    _align_terms(pairing, need_tokens, offer_tokens)
    _align_spelling(pairing, need_tokens, offer_tokens)

    pairing.found.sort(key=lambda pair: (pair[0].start, pair[1].start))
    return [
        Aligned(number, asked, offered, how)
        for number, (asked, offered, how) in enumerate(pairing.found[:MOST_PAIRS], start=1)
    ]


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


def _align_quantities(
    pairing: _Pairing, needs: Sequence[Quantity], offers: Sequence[Quantity]
) -> None:
    for asked in needs:
        for offered in offers:
            if _same_quantity(asked, offered) and pairing.take(
                (asked.start, asked.end), (offered.start, offered.end), "number"
            ):
                break
    for asked in needs:
        for offered in offers:
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
    """One side left its unit out. One digit alone is too common to say anything."""
    one_is_bare = bool(asked.dimension) != bool(offered.dimension)
    return one_is_bare and asked.figure == offered.figure and asked.figure >= 10


def _align_glossary(
    pairing: _Pairing, glossary: Glossary, needs: Sequence[Token], offers: Sequence[Token]
) -> None:
    """Words for one leaf in two languages. Two words of one language are often two variants, so they are left alone."""
    offered = glossary.find(offers)
    possible = []
    for first, last, leaves in glossary.find(needs):
        for start, end, others in offered:
            asked_tokens, offered_tokens = needs[first:last], offers[start:end]
            same = [t.key for t in asked_tokens] == [t.key for t in offered_tokens]
            crosses = _is_chinese(asked_tokens) != _is_chinese(offered_tokens)
            if same or (crosses and leaves & others):
                weight = sum(t.end - t.start for t in (*asked_tokens, *offered_tokens))
                possible.append((not same, -weight, first, start, last, end))
    for crosses, _, first, start, last, end in sorted(possible):
        pairing.take(
            (needs[first].start, needs[last - 1].end),
            (offers[start].start, offers[end - 1].end),
            "glossary" if crosses else "term",
        )


def _is_chinese(tokens: Sequence[Token]) -> bool:
    return any(token.is_han for token in tokens)


def _align_terms(pairing: _Pairing, needs: Sequence[Token], offers: Sequence[Token]) -> None:
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
            if begin < end and says_something(needs[begin:end]):
                shift = start - first
                pairing.take(
                    (needs[begin].start, needs[end - 1].end),
                    (offers[begin + shift].start, offers[end - 1 + shift].end),
                    "term",
                )
            continue
        for begin, end in _stretches(free):
            heapq.heappush(heap, (-(end - begin), first + begin, start + begin))


def _common_runs(needs: Sequence[Token], offers: Sequence[Token]) -> Iterator[tuple[int, int, int]]:
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
            if says_something(needs[first : first + length]):
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
