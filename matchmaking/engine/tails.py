"""What a name ends with says what it is: 双极板 of "氢燃料电池双极板", "carton" of "packaging cartons for inverters"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matchmaking.engine.naming import JOINT, MACHINES, MACHINES_EN, MATTER, OPEN, thing_of
from matchmaking.engine.quantities import without_measures
from matchmaking.engine.reading import LEAD, aim
from matchmaking.engine.text import CLAUSE, asserted, han_runs, normalise, stem

_CODED = re.compile(r"(?:[\s/]*[^\s\u4e00-\u9fff]*\d[^\s\u4e00-\u9fff]*)+$")
_WORD = re.compile(r"[a-z]+")
_LEAST_SIGNS, _LEAST_LETTERS = 2, 3
# So long a name with shorter words behind it says first what it is, then of what: "燃料电池双极板 石墨".
_COMPOUND_SIGNS = 5
_HAN = re.compile(r"[\u4e00-\u9fff\s]+")
# Behind these stands what the thing is: "储能集装箱系统" is a 集装箱, "inverter units" are inverters.
_WHOLE = frozenset(
    map(
        stem,
        OPEN
        | {*re.findall(r"\w+", "代工 总成 整机 整桩 整车 成品 部件 组件 系列 机组 主机 本体")}
        | {
            *re.findall(
                r"\w+",
                "accessories assembly body component equipment kit machine machinery section segment series set type",
            )
        },
    )
)
_NOUN_SIGNS = 2
# Chinese words that end so say what a thing is like.
_LIKE_THAT = frozenset("式型级款用状")
_ITEMS = re.compile(
    r"[、/；;，,。]|(?<=[\u4e00-\u9fff])[和与及](?=[\u4e00-\u9fff])|\s(?:and|or|plus)\s"
)
_HAN_SIGN = re.compile(r"[\u4e00-\u9fff]")
_SPOKEN = re.compile(r"(?<!\w)[a-z]+(?:-[a-z]+)*(?!\w)")
_JOINTS = re.compile(rf"\b(?:{'|'.join(sorted(JOINT))})\b")
_ONE_OF_TWO = re.compile(r"[a-z]+ (?:and|or) ")


@lru_cache(maxsize=4096)
def name_of(text: str) -> tuple[str, ...]:
    """The name with which a text begins, in the signs or stemmed words by which its end is looked up.

    Examples
    --------
    >>> name_of("求购氢燃料电池双极板，石墨"), name_of("Packaging cartons for inverters")
    (('氢', '燃', '料', '电', '池', '双', '极', '板'), ('packaging', 'carton'))
    >>> "".join(name_of("燃料电池双极板 石墨")), "".join(name_of("进口 轴承"))
    ('燃料电池双极板', '轴承')
    >>> name_of("182半片组件用 junction box 1500V"), name_of("Bearing 6205, 25 mm bore")
    (('junction', 'box'), ('bearing',))
    """
    asked = normalise(without_measures(aim(asserted(text))[0]))
    clause = next((one for found in CLAUSE.finditer(asked) if (one := found[0].strip())), "")
    clause = _CODED.sub("", clause).strip()
    if not clause:
        return ()
    if "\u4e00" <= clause[-1] <= "\u9fff":
        first, *others = clause.split()
        spaced = len(first) >= _COMPOUND_SIGNS and all(len(one) < len(first) for one in others)
        return tuple(thing_of(first if spaced and _HAN.fullmatch(clause) else clause))
    named: list[str] = []
    for word in _WORD.findall(LEAD.sub("", clause)):
        if word in JOINT:
            break
        named.append(stem(word))
    return tuple(named)


@lru_cache(maxsize=4096)
def before_head(text: str, head: str) -> str:
    """What a short line says before the noun that it asks for, and what that is for; "" where its name ends otherwise, or what
    stands before is the thing itself, of which the noun says how it comes.

    Examples
    --------
    >>> before_head("风电叶片模具", "模具"), before_head("Battery pack housings for trucks", "housing")
    ('风电叶片', ' battery pack for truck ')
    >>> before_head("Rental of aerial work platforms", "rental")
    ' aerial work platform '
    >>> before_head("Bamboo charcoal powder", "powder")
    ''
    >>> before_head("数控机床防护罩风琴式", "琴式")
    ''
    """
    if head in MATTER:
        return ""
    name, purpose = name_of(text), normalise(aim(asserted(text))[1])
    if name and not head.isascii():
        said = "".join(name)
        ends = said.endswith(head) and head[-1] not in _LIKE_THAT and head not in _WHOLE
        return said.removesuffix(head) + purpose if ends else ""
    # "Rental of platforms": of what it is stands behind it.
    clause = next(CLAUSE.finditer(normalise(asserted(text))), None)
    whole = clause[0].partition(" of ")[2] if clause else ""
    around = [*name[:-1], *map(stem, _WORD.findall(f"{whole} {purpose}"))]
    return (
        f" {' '.join(around)} "
        if name[-1:] == (head,) and (head not in _WHOLE or head == "machine")
        else ""
    )


def noun_of(text: str) -> str:
    """The noun of the name with which a text begins, as `before_head` would hold it; "" where it is not plain.

    Examples
    --------
    >>> [noun_of(text) for text in ("风电叶片，80米级", "热泵系统 5kW", "Gearboxes for wind turbines", "Worm and bevel gears")]
    ['叶片', '热泵', ' gearbox ', '']
    """
    name = name_of(text)
    if not name or _ONE_OF_TWO.match(normalise(text)):
        return ""
    if len(name[-1]) == 1:
        said = "".join(name)
        while len(said) > _NOUN_SIGNS + 1 and said[-_NOUN_SIGNS:] in _WHOLE:
            said = said[:-_NOUN_SIGNS]
        return said[-_NOUN_SIGNS:] if len(said) >= _NOUN_SIGNS else ""
    while len(name) > 1 and name[-1] in _WHOLE:
        name = name[:-1]
    return f" {name[-1]} "


@lru_cache(maxsize=50_000)
def is_offered(text: str, head: str) -> bool:
    """Whether what a text says, one thing beside the other, ends with such a noun anywhere.

    Examples
    --------
    >>> [is_offered("葡萄酒，橡木桶陈酿", "木桶"), is_offered("锂电池、电池隔膜", "隔膜")]
    [False, True]
    >>> [is_offered(text, "zipper") for text in ("Sleeping bags with zippers", "Sleeping bags and zippers", "Zipper-free")]
    [False, True, False]
    >>> is_offered("口罩，口罩生产设备", "机"), is_offered("Bricks, brick presses", "machine")
    (True, True)
    """
    nouns = next((kinds for kinds in (MACHINES, MACHINES_EN) if kinds[0] == head), (head,))
    for one in _ITEMS.split(normalise(without_measures(asserted(text)))):
        if head.isascii():
            spoken = _SPOKEN.findall(_JOINTS.split(one, maxsplit=1)[0])
            # An adjective of two halves ("glass-glass") is no thing.
            if spoken and "-" not in spoken[-1] and stem(spoken[-1]) in nouns:
                return True
        elif _HAN_SIGN.search(one) and thing_of(one).endswith(nouns):
            return True
    return False


@lru_cache(maxsize=50_000)
def is_called(text: str, phrase: str) -> bool:
    """Whether the name with which a text begins ends with a word of the phrase.

    Examples
    --------
    >>> [is_called(text, "installation") for text in ("Installation of carports", "Supply and installation of carports")]
    [True, False]
    >>> is_called("冷库板安装", "安装"), is_called("全新线切割机", "不要全新的")
    (True, False)
    """
    name = name_of(text)
    if not name:
        return False
    if len(name[-1]) == 1:
        said = "".join(name)
        return any(len(run) > 1 and said.endswith(run) for run in han_runs(normalise(phrase)))
    return name[-1] in map(stem, _WORD.findall(normalise(phrase)))


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
