"""Where in a text the words of a search stand, so that a page can mark them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from chains import searchtext

Span = tuple[int, int]


@lru_cache(maxsize=20_000)
def _folded(sign: str) -> str:
    if sign.isspace():
        return " "
    plain = searchtext.unaccented(unicodedata.normalize("NFKC", searchtext.visible(sign)))
    return searchtext.simplify(plain).replace("μ", "u").lower()


class _Text:
    """A text as the search reads it, each sign with its place in what was written."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def folded(self) -> tuple[str, list[Span]]:
        if self.text.isascii() and self.text.isprintable():
            return self.text.lower(), [(at, at + 1) for at in range(len(self.text))]
        signs: list[str] = []
        places: list[Span] = []
        for at, sign in enumerate(self.text):
            for one in _folded(sign):
                if one == " " and signs and signs[-1] == " ":
                    continue
                signs.append(one)
                places.append((at, at + 1))
        return "".join(signs), places

    @cached_property
    def squeezed(self) -> tuple[str, list[Span]]:
        """With sizes, standards and units pulled together, as in `searchtext.squeeze`."""
        signs, places = self.folded
        for pattern, instead in searchtext.SQUEEZING:
            signs, places = _replaced(signs, places, pattern, instead)
        return signs, places

    @cached_property
    def pinyin(self) -> tuple[str, list[Span]]:
        """Marked syllables, each letter with the place of its character."""
        letters: list[str] = []
        places: list[Span] = []
        for at, syllable in self.syllables:
            if places and places[-1][0] != at - 1:  # not read across what is not Chinese
                letters.append(" ")
                places.append((at, at))
            for letter in searchtext.marked([syllable]):
                letters.append(letter)
                places.append((at, at + 1))
        return "".join(letters), places

    @cached_property
    def initials(self) -> tuple[str, list[Span]]:
        places = [(at, at + 1) for at, _syllable in self.syllables]
        return searchtext.wide("".join(one[0] for _at, one in self.syllables)), places

    @cached_property
    def syllables(self) -> list[tuple[int, str]]:
        return list(searchtext.placed_syllables(self.text))


def _replaced(
    signs: str, places: list[Span], pattern: re.Pattern[str], instead: Callable[[str], str]
) -> tuple[str, list[Span]]:
    out: list[str] = []
    kept: list[Span] = []
    at = 0
    for match in pattern.finditer(signs):
        out.append(signs[at : match.start()])
        kept += places[at : match.start()]
        new = instead(match[0])
        whole = (places[match.start()][0], places[match.end() - 1][1])
        out.append(new)
        kept += [whole] * len(new)
        at = match.end()
    out.append(signs[at:])
    return "".join(out), kept + places[at:]


class Marker:
    """Marks the words of one search in many texts; what is one slip away only where the search itself had to look for it."""

    def __init__(self, query: str, *, typos: bool = False) -> None:
        self.terms = searchtext.query_terms(query)
        self._near = [searchtext.near_pattern(term) if typos else None for term in self.terms]

    def __bool__(self) -> bool:
        return bool(self.terms)

    def spans(self, text: str) -> dict[int, list[Span]]:
        """Of each word that stands in the text, by its number, where: as typed, by its reading, or with a slip."""
        read = _Text(text)
        found = {}
        for number, term in enumerate(self.terms):
            places = (
                _places(read.folded, term.folded)
                or _places(read.squeezed, term.squeezed)
                or _places(read.folded, term.parted)
                or [place for one in term.pinyin for place in _by_reading(read, one)]
                or self._nearly(read, number)
            )
            if places:
                found[number] = places
        return found

    def _nearly(self, read: _Text, number: int) -> list[Span]:
        pattern = self._near[number]
        if pattern is None:
            return []
        signs, places = read.folded
        return [
            (places[m.start()][0], places[m.end() - 1][1])
            for m in pattern.finditer(signs)
            if m.end() > m.start()
        ]

    def words_in(self, *texts: str) -> set[int]:
        """Which words stand there, without asking where: for the many texts of which a page shows few."""
        found: set[int] = set()
        for text in filter(None, texts):
            found |= self._words_in(searchtext.fold(text), text)
        return found

    def _words_in(self, folded: str, text: str) -> set[int]:
        found = {number for number, term in enumerate(self.terms) if term.folded in folded}
        missing = [number for number in range(len(self.terms)) if number not in found]
        if not missing:
            return found
        tight = searchtext.squeeze(folded)
        for number in missing:
            term, near = self.terms[number], self._near[number]
            if (
                term.squeezed in tight
                or term.parted in folded
                or (term.pinyin and _reads(text, term.pinyin))
                or (near is not None and near.search(folded))
            ):
                found.add(number)
        return found

    def hidden(self, shown: Iterable[tuple[int, Iterable[str]]]) -> dict[int, set[int]]:
        """By row, the words that stand in none of the texts a page shows of it; rows without such words are left out."""
        words = set(range(len(self.terms)))
        missing = {row: words - self.words_in(*texts) for row, texts in shown}
        return {row: left for row, left in missing.items() if left}

    def marked(self, text: str) -> SafeString:
        return _markup(text, _joined(self.spans(text)))

    def snippet(self, text: str, around: int = 40) -> SafeString:
        """The words with what stands around the first of them."""
        spans = _joined(self.spans(text))
        if not spans:
            return _markup(text[: 2 * around], [])
        begin = max(0, spans[0][0] - around)
        end = min(len(text), spans[0][1] + around)
        inside = [(max(a, begin) - begin, min(b, end) - begin) for a, b in spans if a < end]
        body = _markup(text[begin:end], [(a, b) for a, b in inside if a < b])
        return mark_safe(f"{'… ' if begin else ''}{body}{' …' if end < len(text) else ''}")  # noqa: S308 -- escaped


def _reads(text: str, spellings: tuple[str, ...]) -> bool:
    if not searchtext.CHINESE.search(text):
        return False
    read = f"{searchtext.pinyin_text(text)}\n{searchtext.initials_text(text)}"
    return any(spelling in read for spelling in spellings)


def _places(read: tuple[str, list[Span]], word: str) -> list[Span]:
    signs, places = read
    return [(places[at][0], places[at + len(word) - 1][1]) for at in _all(signs, word) if word]


def _by_reading(read: _Text, spelling: str) -> list[Span]:
    return _places(read.initials if spelling[0] > "\uff00" else read.pinyin, spelling)


def _all(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))


def _joined(found: dict[int, list[Span]]) -> list[Span]:
    """In order, those that touch as one."""
    joined: list[Span] = []
    for begin, end in sorted(span for spans in found.values() for span in spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _markup(text: str, spans: list[Span]) -> SafeString:
    parts, at = [], 0
    for begin, end in spans:
        parts += [escape(text[at:begin]), f"<mark>{escape(text[begin:end])}</mark>"]
        at = end
    return mark_safe("".join([*parts, escape(text[at:])]))  # noqa: S308 -- every piece is escaped
