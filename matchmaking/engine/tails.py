"""What a name ends with says what it is: 双极板 of "氢燃料电池双极板", "carton" of "packaging cartons for inverters"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matchmaking.engine.naming import JOINT, OPEN, thing_of
from matchmaking.engine.quantities import without_measures
from matchmaking.engine.reading import LEAD, aim
from matchmaking.engine.text import CLAUSE, asserted, normalise, stem

_CODED = re.compile(r"(?:[\s/]*[^\s\u4e00-\u9fff]*\d[^\s\u4e00-\u9fff]*)+$")
_WORD = re.compile(r"[a-z]+")
_LEAST_SIGNS, _LEAST_LETTERS = 2, 3


@lru_cache(maxsize=4096)
def name_of(text: str) -> tuple[str, ...]:
    """The name with which a text begins, in the signs or stemmed words by which its end is looked up.

    Examples
    --------
    >>> name_of("求购氢燃料电池双极板，石墨"), name_of("Packaging cartons for inverters")
    (('氢', '燃', '料', '电', '池', '双', '极', '板'), ('packaging', 'carton'))
    >>> name_of("182半片组件用 junction box 1500V"), name_of("Bearing 6205, 25 mm bore")
    (('junction', 'box'), ('bearing',))
    """
    asked = normalise(without_measures(aim(asserted(text))[0]))
    clause = next((one for found in CLAUSE.finditer(asked) if (one := found[0].strip())), "")
    clause = _CODED.sub("", clause).strip()
    if not clause:
        return ()
    if "\u4e00" <= clause[-1] <= "\u9fff":
        return tuple(thing_of(clause))
    named: list[str] = []
    for word in _WORD.findall(LEAD.sub("", clause)):
        if word in JOINT:
            break
        named.append(stem(word))
    return tuple(named)


class Tails:
    """The ends of all words of the categories, with the leaves they belong to and the word of each."""

    def __init__(self, leaves: Sequence[Iterable[str]]) -> None:
        self._words: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
        for number, terms in enumerate(leaves):
            for term in terms:
                parts = _parts(normalise(term))
                for start in range(len(parts)):
                    self._words[parts[start:]].setdefault(number, term)
        self._longest = max(map(len, self._words), default=0)

    def of(self, text: str) -> tuple[tuple[str, ...], list[int]]:
        """The longest end of the name of a text that words of the categories share, and the places of their leaves.

        Nothing where it is one sign, or a noun that leaves open what is meant.
        """
        name = name_of(text)
        for size in range(min(len(name), self._longest), 0, -1):
            end = name[-size:]
            if end in self._words:
                is_noun = (
                    (len(end) >= _LEAST_SIGNS)
                    if len(end[0]) == 1
                    else len(end[-1]) >= _LEAST_LETTERS
                )
                is_open = ("" if len(end[0]) == 1 else " ").join(end) in OPEN
                return (end, list(self._words[end])) if is_noun and not is_open else ((), [])
        return (), []

    def term_of(self, leaf: int, end: tuple[str, ...]) -> str:
        """The first word of a leaf that ends so."""
        return self._words[end][leaf]


def _parts(said: str) -> tuple[str, ...]:
    """Chinese by signs, English by words as they are compared."""
    if said and "\u4e00" <= said[-1] <= "\u9fff":
        return tuple(said)
    return tuple(stem(word) for word in _WORD.findall(said))
