"""Categories proposed for a text: while its author types it, and for a line that nobody has given one."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from matchmaking.engine.taxonomy import Suggestion, Taxonomy
from matchmaking.engine.text import normalise
from matchmaking.engine.types import Encoder

# Of the golden lines whose best leaf is less probable than the first, two in five are right and nothing is stored;
# from the second on nine in ten lie in the right segment, and a page may show it without anybody having said so.
_WORTH_SAYING = 0.2
_SURE = 0.4
# Below the first probability that any category fits nothing is proposed, below the second only with the warning
# that probably none does. No golden line lies below the first; of goods and services of all kinds one in ten.
_FITS_HARDLY = 0.05
_FITS_PERHAPS = 0.2
# As many leaves as the engine tells apart in one text.
_CONSIDERED = 12
# A shorter Latin word is an abbreviation that stands for many things.
_SHORTEST_LATIN = 4
# An end that more leaves share says little, and so many of its leaves leave room for what is read otherwise.
_ENDINGS_SHARED, _ENDINGS_TAKEN = 5, 2
_CLAUSE_ENDS = re.compile(r"[,;:。(\n]")


@dataclass(frozen=True, slots=True)
class Reading:
    """The category read in a line that nobody has named; sure when the line is called so, or nearly so."""

    code: str
    is_sure: bool


def propose(known: Taxonomy, text: str, reader: Encoder, k: int = 5) -> list[Suggestion]:
    """Categories for a text, best first: those that are called so, then those it names, then those it speaks of. The
    last place is for the one whose word is nearest in meaning alone: where the words mislead, it is another view."""
    text = known.as_meant(text, typing=True)
    read, near = known.views(text, reader, max(k, _CONSIDERED), _FITS_HARDLY)
    likely = {suggestion.code: suggestion.probability for suggestion in read}
    spoken = _beside_each_other(known, read)
    found: dict[str, Suggestion] = {}
    for one in (
        *_called(known, text, likely)[:k],
        *_said(known, text),
        *spoken[:1],
        *_ending(known, text, likely),
        *spoken[1:],
    ):
        found.setdefault(one.code, one)
    ordered = list(found.values())[:k]
    taken = {one.code for one in ordered[:-1]}
    other = next((one for one in near if one.code not in taken), None)
    if other is not None and len(ordered) == k > 1:
        ordered[-1] = found.get(other.code, other)
    return ordered


def read(
    known: Taxonomy, lines: Sequence[tuple[str, str]], reader: Encoder
) -> list[Reading | None]:
    """What each line speaks of, by the same rule: titles, and all of their texts. None where nothing is near enough to
    be worth a word."""
    lines = [(known.as_meant(title), known.as_meant(text)) for title, text in lines]
    likely = known.likely([text for _, text in lines], reader)
    return [
        _read(_said(known, title), found) for (title, _), found in zip(lines, likely, strict=True)
    ]


def _read(said: Sequence[Suggestion], found: Sequence[tuple[str, float]]) -> Reading | None:
    if said:
        likely = dict(found)
        code = max(said, key=lambda one: likely.get(one.code, 0.0)).code
        return Reading(code, is_sure=True)
    if found and found[0][1] >= _WORTH_SAYING:
        return Reading(found[0][0], is_sure=found[0][1] >= _SURE)
    return None


def is_doubtful(found: Collection[Suggestion]) -> bool:
    """Probably no category fits: what was found is only the nearest there is."""
    return all(one.fit < _FITS_PERHAPS for one in found)


def doubted(found: Sequence[Suggestion], chosen: Collection[str]) -> Suggestion | None:
    """What a text clearly speaks of instead of everything that its author chose; nothing is overruled by it."""
    best = max(found, key=lambda one: one.probability, default=None)
    if best is None or best.probability < _SURE or best.fit < _FITS_PERHAPS:
        return None
    return None if not chosen or {one.code for one in found} & {*chosen} else best


def _beside_each_other(known: Taxonomy, read: Sequence[Suggestion]) -> list[Suggestion]:
    """Leaves of one parent stand together: who does not mean the first more probably means its neighbour than a
    stranger that shares a word. All of the probability at one parent multiplies the odds of its leaves by e."""
    share: dict[str | None, float] = defaultdict(float)
    for one in read:
        share[known.by_code[one.code].parent] += one.probability
    return sorted(
        read,
        key=lambda one: -one.probability * math.exp(share[known.by_code[one.code].parent]),
    )


def _called(known: Taxonomy, text: str, likely: Mapping[str, float]) -> list[Suggestion]:
    """Leaves with a word that contains what is being typed: the nearest words first, of those as near the leaf
    that the text most probably speaks of, then the shorter word."""
    typed = normalise(text).strip()
    if len(typed) < 2:
        return []
    best: dict[str, tuple[int, int, str]] = {}
    words = _words(known)
    for folded in words.containing(typed):
        for code, term in words.spelled[folded]:
            place = _distance(typed, folded), len(folded), term
            best[code] = min(best.get(code, place), place)
    order = sorted(
        best.items(), key=lambda item: (item[1][0], -likely.get(item[0], 0.0), item[1], item[0])
    )
    return [Suggestion(code, 0.0, term) for code, (_, _, term) in order]


def _distance(typed: str, word: str) -> int:
    """The word itself, then a kind of it – the last part of a name says what a thing is: a split junction box is
    one, a junction box adhesive is none –, then what begins with it, whole before in part, then what contains it."""
    if word == typed:
        return 0
    if word.endswith(typed) and _is_apart(word, len(word) - len(typed)):
        return 1
    if word.startswith(typed):
        return 2 if _is_apart(word, len(typed)) else 3
    return 4


def _is_apart(text: str, place: int) -> bool:
    """No Latin word or number runs across this place."""
    before, after = text[place - 1 : place], text[place : place + 1]
    return not (before.isascii() and before.isalnum() and after.isascii() and after.isalnum())


def _said(known: Taxonomy, text: str) -> list[Suggestion]:
    """Leaves that a line names: the longest of their words with which its first clause ends, where a name says
    what a thing is. Words elsewhere say what it is for or goes with, and mislead oftener than they help."""
    clause = _CLAUSE_ENDS.split(normalise(text), maxsplit=1)[0].strip()
    words = _words(known)
    for size in range(min(len(clause), words.longest), 1, -1):
        end = clause[-size:]
        if end not in words.spelled or size < (_SHORTEST_LATIN if end.isascii() else 2):
            continue
        if _is_apart(clause, len(clause) - size):
            first: dict[str, str] = {}
            for code, term in words.spelled[end]:
                first.setdefault(code, term)
            return [Suggestion(code, 1 / len(first), term) for code, term in first.items()]
    return []


def _ending(known: Taxonomy, text: str, likely: Mapping[str, float]) -> list[Suggestion]:
    """Leaves with a word that ends as the name does with which a text begins: 双极板 of 氢燃料电池双极板 says what the
    thing is, whatever stands before it. The most probable ones, where few leaves share the end."""
    end, leaves = known.tails.of(text)
    if len(leaves) > _ENDINGS_SHARED:
        return []
    codes = [known.codes[leaf] for leaf in leaves]
    codes.sort(key=lambda code: (-likely.get(code, 0.0), code))
    return [
        Suggestion(code, likely.get(code, 0.0), known.tails.term_of(known.position[code], end))
        for code in codes[:_ENDINGS_TAKEN]
    ]


class _Words:
    """All words of the categories, folded, with the leaves they belong to; looked through at each key typed."""

    def __init__(self, known: Taxonomy) -> None:
        self.spelled: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for leaf in known.leaves:
            for term in leaf.terms:
                self.spelled[normalise(term)].append((leaf.code, term))
        self.longest = max(map(len, self.spelled), default=0)
        # One long text with a line a word: searching it once is much faster than asking each word.
        self._all = "\n".join(self.spelled) + "\n"

    def containing(self, typed: str) -> Iterator[str]:
        at = -1 if "\n" in typed else self._all.find(typed)
        while at >= 0:
            start, end = self._all.rfind("\n", 0, at) + 1, self._all.find("\n", at)
            yield self._all[start:end]
            at = self._all.find(typed, end)


@lru_cache(maxsize=2)
def _words(known: Taxonomy) -> _Words:
    return _Words(known)
