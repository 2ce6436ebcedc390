"""Lines of one bare name, and texts that say it only of something else: "轴承" in "轴承钢管", "gearbox" in "gearbox housings"."""

from __future__ import annotations

import re
from functools import lru_cache

from matchmaking.engine.reading import gist
from matchmaking.engine.text import CLAUSE, asserted, language_of, normalise, stem

_MOST_HAN, _MOST_WORDS = 6, 2
_HAN_NAME = re.compile(r"(?:求购|采购|需要|需|买|找)?([\u4e00-\u9fff]{2,})")
_LATIN_NAME = re.compile(
    r"(?:wanted|needed|looking for|we need|need|buying)?:?\s*([a-z][a-z\s-]*[a-z])", re.IGNORECASE
)
# What a firm does with its product, and how it sells it, makes no other product of it.
_GOES_ON = re.compile(
    r"厂家?|公司|企业|工厂|制造商?|生产|供应商?|销售|批发|零售|系列|成品|产品|定制|研发|供货|出口|建造|养殖|种植|酿造|冶炼|开采|代工|现货|专业|总成|整机|业务|服务|直[销供营]|加工(?![\u4e00-\u9fff])|的(?=生产|制造|研发|销售)"
)
_NEXT = re.compile(r"[及和与或等、，为是有可按]")
_MADE = frozenset(
    re.findall(
        r"\w+",
        "assembly company dealer distributor exporter factory foundry kit maker making manufacture manufacturer manufacturing"
        " mill module plant producer production range series set specialist stockist supplier supply system trader unit"
        " wholesaler",
    )
)
# Between these stand the names of things.
_JOINT = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can for from in into is made make makes not of on or our per than that the to up used via"
        " we which with",
    )
)
# What follows these is what the thing named before them is for.
_FOR = frozenset(["for", "from", "into", "to"])
_WORD = re.compile(r"[a-z]+|\d[\d.,]*")


@lru_cache(maxsize=4096)
def bare_name(text: str) -> str:
    """The name that is all a line says, normalised; "" where it says more.

    Examples
    --------
    >>> [bare_name(text) for text in ("求购轴承", "Gearboxes", "轴承，6204", "gear oil for turbines", "hose")]
    ['轴承', 'gearboxes', '', '', 'hose']
    """
    said = normalise(text).strip(" .。!！")
    if language_of(said) == "zh":
        found = _HAN_NAME.fullmatch(said)
        return found[1] if found and len(found[1]) <= _MOST_HAN else ""
    found = _LATIN_NAME.fullmatch(said)
    spoken = found[1].split() if found else []
    fits = 0 < len(spoken) <= _MOST_WORDS and not {*spoken} & _JOINT
    return " ".join(spoken) if fits else ""


@lru_cache(maxsize=50_000)
def names_another(text: str, name: str) -> bool:
    """Whether a text has the name, and each time only as what something else is of or for.

    Examples
    --------
    >>> [names_another(text, "轴承") for text in ("轴承钢管", "轴承厂家直销", "深沟球轴承、轴承座", "齿轮")]
    [True, False, False, False]
    >>> [names_another(text, "hoses") for text in ("Hose clamps", "Rubber hose assemblies", "Reels for hoses", "Hoses, cut to length")]
    [True, False, True, False]
    """
    said = normalise(gist(asserted(text))[0])
    if not name[0].isascii():
        tails = [said[found.end() :] for found in re.finditer(re.escape(name), said)]
        return bool(tails) and all(map(_is_of_another, tails))
    wanted = [stem(word) for word in name.split()]
    if wanted[-1] not in said and wanted[-1][:-1] not in said:
        return False
    places = [
        _is_beside(read, place, len(wanted))
        for clause in CLAUSE.finditer(said)
        for read in [[stem(word) for word in _WORD.findall(clause[0])]]
        for place in range(len(read) - len(wanted) + 1)
        if read[place : place + len(wanted)] == wanted
    ]
    return bool(places) and all(places)


def _is_of_another(tail: str) -> bool:
    while found := _GOES_ON.match(tail):
        tail = tail[found.end() :]
    return bool(tail) and "\u4e00" <= tail[0] <= "\u9fff" and _NEXT.match(tail) is None


def _is_beside(read: list[str], place: int, length: int) -> bool:
    after = read[place + length] if place + length < len(read) else ""
    if after and after not in _JOINT and after not in _MADE and after[0].isalpha():
        # "Hoses cut to length", "Flour milling": what is done to a thing is not another thing.
        ends = read[place + length + 1 : place + length + 2]
        alone = not ends or ends[0] in _JOINT - {"and", "or"}
        return not (after.endswith("ed") or after == "cut" or (after.endswith("ing") and alone))
    before = read[:place]
    return any(word in _FOR for word in before) and not {*before} & _MADE
