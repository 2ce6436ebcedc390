"""What people type for a word: its pinyin, the initials of that, or English with slips of the finger.

Only a Latin word that neither the categories nor the texts on offer know is read so. It is read as the word of the
categories that it spells, and then compared like any other.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from rapidfuzz import process
from rapidfuzz.distance import OSA

from matchmaking.engine.text import han_runs, normalise, simplified, stem, words

Knows = Callable[[str], bool]
Found = re.Match[str]

_LATIN = re.compile(r"(?<![^\W_])[A-Za-z]{2,}(?![^\W_])")
_APART = re.compile(r"[ '’]")
_MOST_APART = 6
# One syllable is no word of its own: "men", "can", "gang". Beside English a word has to be longer to be none of it.
_LEAST_SPELLED, _LEAST_BESIDE_ENGLISH, _UNFINISHED = 4, 6, 6
_INITIALS = range(3, 7)
# The end of so many more terms than any other word of the same initials.
_COMMONER = 3
# So many letters a word must have to be one slip away from another, or two, or one where nothing else on the line agrees.
_ONE_SLIP, _TWO_SLIPS, _ALONE = 5, 8, 8
_NEAR = 4
# "Approved" is no slip of "approval", and whoever offers either may say the other.
_ENDING = re.compile(r"(?:ed|ing|al|ly|able|ion|t|d)$")


def spell(terms: Sequence[str]) -> list[str]:
    """The syllables of each Chinese run of the terms.

    Examples
    --------
    >>> spell(["PV 接线盒", "铝箔"])
    ['jie xian he', 'lv bo']
    """
    from pypinyin import lazy_pinyin  # noqa: PLC0415 -- slow import, and kept categories are spelled already

    return [" ".join(lazy_pinyin(run, errors="ignore")) for run in _runs(terms)]


def has_strange_words(text: str, knows: Knows) -> bool:
    return any(not _is_known(found[0], knows) for found in _LATIN.finditer(simplified(text)))


class Spelling:
    """The words of the categories by how they are spelled: the terms of each, and what `spell` makes of them all."""

    def __init__(self, categories: Sequence[Sequence[str]], spelled: Sequence[str]) -> None:
        runs = _runs(term for terms in categories for term in terms)
        read = [(run, said.split()) for run, said in zip(runs, spelled, strict=True)]
        # One long text of each, sign for syllable: searching it is faster than a table of all parts of all terms.
        whole = [(run, said) for run, said in read if len(run) == len(said)]
        self._signs = "\n".join(["", *(run for run, _ in whole), ""])
        syllables = ["\n", *(one for _, said in whole for one in (*said, "\n"))]
        self._letters = "".join(syllables)
        self._initials = "".join(one[0] for one in syllables)
        self._syllables = {*syllables} - {"\n"}
        self._sizes = range(1, 1 + max(map(len, syllables)))
        starts = accumulate(map(len, syllables), initial=0)
        self._sign_at = {start: sign for sign, start in enumerate(starts)}
        self._saying: dict[str, set[int]] = defaultdict(set)
        self._by_letter: dict[str, set[str]] = defaultdict(set)
        for number, terms in enumerate(categories):
            for word in re.findall(r"[a-z]{2,}", normalise(" ".join(terms))):
                self._saying[stem(word)].add(number)
                self._by_letter[word[0]] |= {word, stem(word)}

    def read(self, text: str, knows: Knows, *, mending: bool, typing: bool) -> str:
        """The text with what is meant in place of what is typed; English only with `mending`. While somebody is
        `typing`, the last syllable may be unfinished, and of several words the commonest is meant."""
        line = _Line(simplified(text), knows)
        read, at, place = "", 0, 0
        while place < len(line.found):
            meant, taken = self._spelled(line, place, typing=typing)
            if not meant and line.strange[place]:
                meant = self._abbreviated(line, place, typing=typing)
            if not meant and line.strange[place] and mending:
                meant = self._mended(line, place)
            if meant:
                read += line.text[at : line.found[place].start()] + meant
                at = line.found[place + taken - 1].end()
            place += taken
        return read + line.text[at:] if at else text

    # -- pinyin -----------------------------------------------------------------------------------

    def _spelled(self, line: _Line, place: int, *, typing: bool) -> tuple[str, int]:
        """The word that one or more Latin words from a place on spell together, and how many they are."""
        for taken in range(line.apart_from(place), 0, -1):
            letters = "".join(line.words[place : place + taken])
            least = _LEAST_BESIDE_ENGLISH if line.is_english else _LEAST_SPELLED
            if not any(line.strange[place : place + taken]) or len(letters) < least:
                continue
            found = self._sounding(letters, is_whole=True)
            if not found and typing and len(letters) >= _UNFINISHED:
                found = self._sounding(letters, is_whole=False)
            if found:
                agreed = {word: self._agreement(word, line.pairs) for word in found}
                return max(found, key=lambda word: (agreed[word], found[word], word)), taken
        return "", 1

    def _sounding(self, letters: str, *, is_whole: bool) -> Counter[str]:
        """Words of two signs and more that are read so: parts of several terms, or the end of one."""
        found: Counter[str] = Counter()
        # Most English is made of no syllables, which is sooner known than that no term sounds so.
        if is_whole and not self._is_of_syllables(letters):
            return found
        for start in _places(self._letters, letters):
            first, end = self._sign_at.get(start), start + len(letters)
            while not is_whole and end not in self._sign_at:
                end += 1
            last = self._sign_at.get(end)
            if first is not None and last is not None and last - first > 1:
                found[self._signs[first:last]] += 1
        return Counter(
            {
                word: count
                for word, count in found.items()
                if count > 1 or f"{word}\n" in self._signs
            }
        )

    def _is_of_syllables(self, letters: str) -> bool:
        ends = {0}
        for start in range(len(letters)):
            if start in ends:
                ends.update(
                    start + size
                    for size in self._sizes
                    if letters[start : start + size] in self._syllables
                )
        return len(letters) in ends

    def _abbreviated(self, line: _Line, place: int, *, typing: bool) -> str:
        """The word at the end of terms that has these initials, where only one is likely."""
        letters = line.words[place]
        size = len(letters)
        if line.is_english or size not in _INITIALS or line.is_part(place):
            return ""
        found = Counter(
            self._signs[start : start + size]
            for start in _places(self._initials, letters)
            if self._signs[start + size] == "\n"
        )
        if not found:
            return ""
        agreed = {word: self._agreement(word, line.pairs) for word in found}
        first, *others = sorted(found, key=lambda word: (-agreed[word], -found[word], word))
        is_clear = all(
            agreed[first] > agreed[word] or found[first] >= _COMMONER * found[word]
            for word in others
        )
        return first if is_clear or typing else ""

    def _agreement(self, word: str, pairs: set[str]) -> int:
        """How many pairs of signs of a line stand beside a word in one term."""
        if not pairs:
            return 0
        most = 0
        for start in _places(self._signs, word):
            run = self._signs[self._signs.rfind("\n", 0, start) : self._signs.find("\n", start)]
            most = max(most, sum(pair in run for pair in pairs))
        return most

    # -- slips ------------------------------------------------------------------------------------

    def _mended(self, line: _Line, place: int) -> str:
        """The English word that is a slip away and that a category has beside another word near it."""
        around = range(max(0, place - _NEAR), min(len(line.words), place + _NEAR + 1))
        others = [self._said_by(line, other) for other in around if other != place]
        is_alone = not any(map(words, (line.words[other] for other in around if other != place)))
        found = []
        for slips, word in self._near(line.words[place]):
            own = self._saying[stem(word)]
            shares = Counter(number for other in others for number in other & own)
            agreed = max(shares.values(), default=0)
            if agreed or (is_alone and slips == 1 and len(word) >= _ALONE):
                found.append((slips, -agreed, -len(own), word))
        return min(found)[-1] if found else ""

    def _said_by(self, line: _Line, place: int) -> set[int]:
        word = line.words[place]
        if not line.strange[place]:
            return self._saying.get(stem(word), set()) if words(word) else set()
        return set().union(*(self._saying[stem(near)] for _, near in self._near(word)))

    def _near(self, word: str) -> list[tuple[int, str]]:
        """Words that are one slip away, of a long word two."""
        if len(word) < _ONE_SLIP:
            return []
        most = 2 if len(word) >= _TWO_SLIPS else 1
        slips = process.extract(
            word,
            self._by_letter[word[0]],
            scorer=OSA.distance,
            processor=None,
            score_cutoff=most,
            limit=None,
        )
        return [
            (count, other)
            for other, count, _ in slips
            if abs(len(word) - len(other)) < 2 and _ENDING.sub("", word) != _ENDING.sub("", other)
        ]


class _Line:
    """A line as it is typed: its Latin words, which of them nobody knows, and its pairs of Chinese signs."""

    def __init__(self, text: str, knows: Knows) -> None:
        self.text = text
        self.found = [*_LATIN.finditer(text)]
        self.words = [found[0].lower() for found in self.found]
        self.strange = [not _is_known(word, knows) for word in self.words]
        runs = han_runs(text)
        self.pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
        known = (
            word for word, strange in zip(self.words, self.strange, strict=True) if not strange
        )
        self.is_english = not runs and any(len(word) > 2 for word in known)

    def is_part(self, place: int) -> bool:
        """Whether a word is part of a code, as in "MDR-XD100"."""
        start, end = self.found[place].span()
        return "-" in (self.text[start - 1 : start], self.text[end : end + 1])

    def apart_from(self, place: int) -> int:
        """How many Latin words from a place on have nothing but a space between them."""
        count = 1
        while count < _MOST_APART and place + count < len(self.found):
            before, after = self.found[place + count - 1 : place + count + 1]
            if not _APART.fullmatch(self.text[before.end() : after.start()]):
                break
            count += 1
        return count


def _is_known(word: str, knows: Knows) -> bool:
    word = word.lower()
    return not words(word) or knows(stem(word))


def _runs(terms: Iterable[str]) -> Iterator[str]:
    for term in terms:
        yield from han_runs(normalise(term))


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)
