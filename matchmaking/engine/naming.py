"""What a short line names: its one bare name, that texts may say only of something else ("轴承" in "轴承钢管", "gearbox" in
"gearbox housings"), and of a longer name the noun that says what it is ("滑轨" of "汽车座椅滑轨")."""

from __future__ import annotations

import re
from functools import lru_cache

from matchmaking.engine.quantities import without_measures
from matchmaking.engine.reading import LEAD, aim, gist
from matchmaking.engine.text import (
    CLAUSE,
    asserted,
    han_runs,
    language_of,
    normalise,
    ruled_out,
    stem,
    words,
)

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
# Things, though they end as work does.
_THINGS = frozenset(
    re.findall(
        r"\w+", "bearing bushing casing fitting housing lining ring spring string tubing wiring"
    )
)
# "Calibration of scales", "hire of scaffolds"; who makes, sells or develops a thing has it.
_WORK = re.compile(
    r"(?:calibration|inspection|installation|maintenance|rental|hire|leasing|repairs?|servicing|testing|cleaning|recycling"
    r"|refurbishment|overhaul|transport|storage|disposal)$"
)
# Between these stand the names of things.
JOINT = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can for from in into is made make makes not of on or our per than that the to up used via"
        " we which with",
    )
)
# What follows these is what the thing named before them is for.
_FOR = frozenset(["for", "from", "into", "to"])
_WORD = re.compile(r"[a-z]+|\d[\d.,]*")
# A line that says more tells of a project, and its first noun is not what is asked for.
_SHORT_HAN, _SHORT_WORDS, _SHORT_CLAUSES = 14, 8, 2
# A name in English with its numbers is longer by these.
_MEASURED_WORDS = 10
_HAN_THING = re.compile(
    r"(?:长期|大量|急需|现|批量|我[司厂]|想|要|需要|需|求购|采购|寻找|寻|找|求|购买|买|一[台批套]|能做)*"
    r"([\u4e00-\u9fff]{2,16}?)"
    r"(?:的?(?:厂家|公司|供应商|厂商|工厂|单位|企业|制造商|生产商|厂)|[一两]?[台条批]|[一两]套|采购|供应|现货|定制|批发|招标|项目|外包|委外|外协|外发|服务)*"
)
_LATIN_THING = re.compile(r"(?:[a-z]+[ -]){0,4}([a-z]+)")
_HEAD = 2
# What stands before this sign is what the machine makes or works on, unless the two are one word.
_MACHINE = "机"
_ONE_WORD = frozenset(
    re.findall(r"\w+", "手机 飞机 主机 相机 耳机 电机 风机 司机 整机 样机 单机 客机 动机")
)
MACHINES_EN = ("machine", "machinery", "line", "plant", "equipment", "press")
MACHINES = (_MACHINE, "器", "设备", "装备", "产线", "装置")
_DERIVED = re.compile(r"(?<=...)(?:e|er|ing)$")
# Of such nouns what stands before them is the thing itself, and this is how it comes.
MATTER = frozenset(
    re.findall(
        r"\w+",
        "气体 粉末 颗粒 液体 板材 卷材 棒材 线材 片材 型材 bar coil gas granule liquid pellet powder resin rod sheet",
    )
)
# Nouns that leave open what is meant: a text about just that has others for it.
OPEN = frozenset(
    re.findall(
        r"\w+",
        "配套 服务 设备 系统 工程 项目 加工 材料 产品 装置 方案 资源 扩产 合作 供货 装修"
        " company contractor cooperation design equipment facility factory goods item licence license line maker manufacturer"
        " material offtake one package part partner piece plant procurement product project purchase reduction replacement"
        " retrofit service set solution sourcing stock supplier supply system tender unit use",
    )
)


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
    fits = 0 < len(spoken) <= _MOST_WORDS and not {*spoken} & JOINT
    return " ".join(spoken) if fits else ""


@lru_cache(maxsize=4096)
def head_of(text: str) -> str:
    """The noun that says what a short line asks for, as tokens are written; "" where it is not plain.

    Examples
    --------
    >>> [head_of(text) for text in ("求购汽车座椅滑轨", "风机叶轮，铝合金", "二期扩产，采购玻璃，2毫米", "污水处理设备", "口罩机")]
    ['滑轨', '叶轮', '', '', '机']
    >>> [head_of(text) for text in ("Zippers for sleeping bags", "Wheel hub bearings", "Cells and packs", "EPC partner")]
    ['zipper', 'bearing', '', '']
    """
    return _named(text)[1]


def head_told(text: str, beside: str) -> str:
    """The noun of a line as it is told of a text that stands `beside` it: of a machine with what it makes or works on,
    in Chinese with all before it that the text says nothing of either, or where it says the noun, with what it says.

    Examples
    --------
    >>> [head_told("智能门锁装配线", text) for text in ("智能门锁外壳", "门锁装配线用工装", "电机")]
    ['装配线', '门锁装配线', '智能门锁装配线']
    """
    before, head = _named(text)
    if head == _MACHINE:
        return before + head
    said, thing, start = normalise(beside), before + head, len(before)
    if head in said:
        while start and thing[start - 1 :] in said:
            start -= 1
    else:
        while start and not any(
            thing[place : place + 2] in said for place in (start - 1, start - 2) if place >= 0
        ):
            start -= 1
    return thing[start:]


def _named(text: str) -> tuple[str, str]:
    """In Chinese what stands before the noun in the name, and the noun."""
    said = normalise(text)
    chinese = language_of(said) == "zh"
    long = (
        sum(map(len, han_runs(said))) > _SHORT_HAN if chinese else len(words(said)) > _SHORT_WORDS
    )
    if long or len(_clauses(said)) > _SHORT_CLAUSES or ruled_out(text):
        return "", ""
    asked = next(iter(_clauses(normalise(aim(text)[0]))), "")
    before = ""
    if chinese:
        thing = _HAN_THING.fullmatch(asked)
        head = thing[1][-_HEAD:] if thing else ""
        if head.endswith(_MACHINE) and head not in _ONE_WORD:
            head = _MACHINE
        before = thing[1].removesuffix(head) if thing else ""
    else:
        thing = _LATIN_THING.fullmatch(LEAD.sub("", asked).split(" of ")[0])
        head = stem(thing[1]) if thing and not {*thing[0].split()} & JOINT else ""
    return ("", "") if head in OPEN else (before, head)


@lru_cache(maxsize=4096)
def name_beside_measures(text: str) -> str:
    """What a short line of one clause names before or after its numbers with units; "" where it says none, or in its midst.

    Examples
    --------
    >>> [name_beside_measures(text) for text in ("junction box 1500V", "9μm 铜箔", "轴承 6204", "truck 1 MWh for crews")]
    ['junction box', '铜箔', '', '']
    """
    said = normalise(text)
    runs = han_runs(said)
    long = sum(map(len, runs)) > _SHORT_HAN if runs else len(words(said)) > _MEASURED_WORDS
    if long or len(_clauses(said)) > 1:
        return ""
    whole = asserted(text)
    name = without_measures(whole).strip()
    # A phrase with a hole in it means something else.
    whole_name = name != whole.strip() and name in whole and any(map(str.isalpha, name))
    return name if whole_name else ""


def _clauses(said: str) -> list[str]:
    return [found[0].strip() for found in CLAUSE.finditer(said) if found[0].strip()]


def thing_of(clause: str) -> str:
    """The Chinese name that a clause ends with, without the words of buying and selling around it."""
    thing = _HAN_THING.fullmatch(han_runs(clause)[-1])
    return thing[1] if thing else han_runs(clause)[-1]


def said_as(text: str) -> list[str]:
    """The tokens by any of which another text says the noun of a line, in Chinese one of its characters (减速器 is a 减速机
    too) that does not stand before it as well: the oil of 柴油机 is none of 柴油机喷油嘴.

    Examples
    --------
    >>> said_as("汽车座椅滑轨"), said_as("柴油机喷油嘴"), said_as("口罩机")[:3]
    (['滑', '轨'], ['嘴'], ['机', '器', '设备'])
    >>> said_as("powder coating")
    ['coat', 'coate', 'coater', 'coating', 'coated', 'coatise', 'coatize']
    """
    before, head = _named(text)
    if head == _MACHINE:
        return [*MACHINES]
    if not head.isascii():
        return [sign for sign in head if sign not in before] or [head]
    if head == MACHINES_EN[0]:
        return [*MACHINES_EN]
    root = _DERIVED.sub("", head)
    return [root + ending for ending in ("", "e", "er", "ing", "ed", "ise", "ize")]


@lru_cache(maxsize=50_000)
def names_another(text: str, name: str) -> bool:
    """Whether a text has the name, and each time only as what something else is of or for.

    Examples
    --------
    >>> [names_another(text, "轴承") for text in ("轴承钢管", "轴承厂家直销", "深沟球轴承、轴承座", "齿轮")]
    [True, False, False, False]
    >>> [names_another(text, "hoses") for text in ("Hose clamps", "Rubber hose assemblies", "Reels for hoses", "Hoses, cut to length")]
    [True, False, True, False]
    >>> [names_another(text, "sensors") for text in ("Sensor housings", "Sensor tubing", "Sensor testing")]
    [True, True, False]
    >>> [names_another(text, "scales") for text in ("Calibration of bench scales", "Calibration of scales", "Production of scales")]
    [True, True, False]
    >>> names_another("Manufacture and repair of scales", "scales")
    False
    """
    said = normalise(gist(asserted(text))[0])
    if not name[0].isascii():
        tails = [said[found.end() :] for found in re.finditer(re.escape(name), said)]
        return bool(tails) and all(map(_is_of_another, tails))
    wanted = [stem(word) for word in name.split()]
    if wanted[-1] not in said and wanted[-1][:-1] not in said:
        return False
    places = [
        _is_beside(spoken, read, place, len(wanted))
        for clause in CLAUSE.finditer(said)
        for spoken in [_WORD.findall(clause[0])]
        for read in [[*map(stem, spoken)]]
        for place in range(len(read) - len(wanted) + 1)
        if read[place : place + len(wanted)] == wanted
    ]
    return bool(places) and all(places)


def _is_of_another(tail: str) -> bool:
    while found := _GOES_ON.match(tail):
        tail = tail[found.end() :]
    return bool(tail) and "\u4e00" <= tail[0] <= "\u9fff" and _NEXT.match(tail) is None


def _is_beside(spoken: list[str], read: list[str], place: int, length: int) -> bool:
    after = read[place + length] if place + length < len(read) else ""
    if after and after not in JOINT and after not in _MADE and after[0].isalpha():
        # "Hoses cut to length", "Flour milling": what is done to a thing is not another thing.
        ends = read[place + length + 1 : place + length + 2]
        alone = not ends or ends[0] in JOINT - {"and", "or"}
        is_thing = after in _THINGS or spoken[place + length].endswith("s")
        is_work = after.endswith("ing") and alone and not is_thing
        return not (after.endswith("ed") or after == "cut" or is_work)
    before = read[:place]
    if {*before} & _MADE:
        return False
    if "of" in before[1:] and _WORK.search(spoken[before.index("of", 1) - 1]):
        return True
    return any(word in _FOR for word in before)
