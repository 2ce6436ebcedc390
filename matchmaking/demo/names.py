"""Names and numbers of invented bodies. Every one says that it is an example."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from chains import identity


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    zh: str
    en: str


STEMS = [
    Words(*pair)
    for pair in (
        ("青禾", "Qinghe"), ("云岫", "Yunxiu"), ("启澜", "Qilan"), ("明砚", "Mingyan"), ("北辰岭", "Beichenling"),
        ("松涧", "Songjian"), ("瀚屿", "Hanyu"), ("晴川里", "Qingchuanli"), ("星畴", "Xingchou"), ("木槿", "Mujin"),
        ("玉衡台", "Yuhengtai"), ("知夏", "Zhixia"), ("丹枫渡", "Danfengdu"), ("沐野", "Muye"), ("溪桥", "Xiqiao"),
        ("朗润坡", "Langrunpo"), ("远黛", "Yuandai"), ("广陌", "Guangmo"), ("清和湾", "Qinghewan"), ("初晴", "Chuqing"),
        ("若谷", "Ruogu"), ("望舒", "Wangshu"), ("霁月", "Jiyue"), ("长庚", "Changgeng"), ("听澜", "Tinglan"),
        ("疏影", "Shuying"), ("归雁", "Guiyan"), ("临溪", "Linxi"), ("半山", "Banshan"), ("新叶", "Xinye"),
    )
]  # fmt: skip

_COMMON = (
    ("科技", "Technology"),
    ("实业", "Industries"),
    ("精工", "Precision"),
    ("工程", "Engineering"),
)
_PRODUCTS: dict[str, tuple[tuple[str, str], ...]] = {
    "PV": (("光伏材料", "PV Materials"), ("光伏设备", "PV Equipment"), ("光伏组件", "PV Modules"), ("光伏科技", "PV Technology"), ("太阳能", "Solar"), ("硅材料", "Silicon Materials")),
    "LB": (("储能科技", "Energy Storage"), ("电池材料", "Battery Materials"), ("锂电设备", "Battery Equipment"), ("动力电池", "Traction Battery"), ("新能源材料", "New Energy Materials"), ("电源系统", "Power Systems")),
    "NV": (("汽车零部件", "Auto Parts"), ("汽车电子", "Auto Electronics"), ("智能驾驶", "Driving Systems"), ("热管理", "Thermal Systems"), ("底盘系统", "Chassis Systems"), ("车身结构", "Body Structures")),
    "H2": (("氢能科技", "Hydrogen Technology"), ("氢能装备", "Hydrogen Equipment"), ("燃料电池", "Fuel Cells"), ("储氢装备", "Hydrogen Storage"), ("电解装备", "Electrolysers")),
    "IC": (("半导体材料", "Semiconductor Materials"), ("半导体设备", "Semiconductor Equipment"), ("微电子", "Microelectronics"), ("芯片设计", "Chip Design"), ("功率器件", "Power Devices")),
    "IE": (("智能装备", "Smart Equipment"), ("机器人", "Robotics"), ("数控机床", "Machine Tools"), ("传感技术", "Sensing"), ("精密传动", "Precision Drives")),
    "GS": (("电气设备", "Electrical Equipment"), ("管阀科技", "Pipes & Valves"), ("工业软件", "Industrial Software"), ("自动化", "Automation"), ("包装", "Packaging"), ("检测技术", "Testing"), ("工业服务", "Industrial Services")),
    "DS": (("安防设备", "Security Equipment"), ("视觉技术", "Vision Technology")),
    "NT": (("通信设备", "Communications"), ("光电子", "Optoelectronics")),
    "CP": (("计算技术", "Computing"), ("云服务", "Cloud Services")),
    "BM": (("生物医药", "Biopharma"), ("医药包材", "Pharma Packaging")),
    "RC": (("新材料", "Advanced Materials"), ("石化科技", "Petrochemicals")),
    "HA": (("智能家居", "Smart Home"), ("家电部件", "Appliance Parts")),
    "TX": (("纺织科技", "Textile Technology"), ("服饰", "Garments")),
}  # fmt: skip

_OTHERS: dict[str, tuple[str, str]] = {
    "university": ("示例{}学院", "Demo {} College"),
    "research_institute": ("示例{}技术研究院", "Demo {} Technology Institute"),
    "financial_institution": ("示例{}银行股份有限公司", "Demo {} Bank Co., Ltd."),
    "association": ("示例{}产业协会", "Demo {} Industry Association"),
    "government": ("示例{}产业园管理委员会", "Demo {} Industrial Park Committee"),
}
# The first two signs of a social credit code: who registered the body, and as what.
_REGISTRAR = {
    "enterprise": "91",
    "service_provider": "91",
    "financial_institution": "91",
    "government": "11",
    "university": "12",
    "research_institute": "12",
    "association": "51",
}


def of_companies(chain: str, dice: random.Random) -> Iterator[Words]:
    """Names for companies of a chain, none twice: first each stem once with each word, then two stems."""
    words = [*_PRODUCTS[chain], *_common(*_PRODUCTS[chain][0])]
    singles = [(stem, word) for stem in STEMS for word in words]
    dice.shuffle(singles)
    for stem, (zh, en) in singles:
        yield Words(f"示例{stem.zh}{zh}有限公司", f"Demo {stem.en} {en} Co., Ltd.")
    doubles = [(one, two) for one in STEMS for two in STEMS if one is not two]
    dice.shuffle(doubles)
    for zh, en in words:
        for one, two in doubles:
            yield Words(
                f"示例{one.zh}{two.zh}{zh}有限公司", f"Demo {one.en} {two.en} {en} Co., Ltd."
            )


def _common(zh: str, en: str) -> Iterator[tuple[str, str]]:
    """The chain's first word with each that fits every trade, and no word twice.

    >>> list(_common("氢能科技", "Hydrogen Technology"))[0]
    ('氢能实业', 'Hydrogen Industries')
    """
    for more_zh, more_en in _COMMON:
        if not (zh.endswith(more_zh) or en.endswith(more_en)):
            yield zh.removesuffix("科技") + more_zh, f"{en.removesuffix(' Technology')} {more_en}"


# Whoever sells to every chain is called by what it makes: a packer does not build switchboards.
SERVICES = {
    "GS-EE": ("电气设备", "Electrical Equipment"), "GS-PV": ("管阀科技", "Pipes & Valves"), "GS-SW": ("工业软件", "Industrial Software"),
    "GS-AU": ("自动化", "Automation"), "GS-PK": ("包装", "Packaging"), "GS-TC": ("检测技术", "Testing"),
    "GS-MT": ("金属材料", "Metals"), "GS-MA": ("机械加工", "Machining"),
}  # fmt: skip


def of_makers(segment: str, dice: random.Random) -> Iterator[Words]:
    zh, en = SERVICES.get(segment, ("工业服务", "Industrial Services"))
    stems = [
        *STEMS,
        *(Words(a.zh + b.zh, f"{a.en} {b.en}") for a in STEMS for b in STEMS if a is not b),
    ]
    head, tail = stems[: len(STEMS)], stems[len(STEMS) :]
    dice.shuffle(head)
    dice.shuffle(tail)
    for stem in [*head, *tail]:
        yield Words(f"示例{stem.zh}{zh}有限公司", f"Demo {stem.en} {en} Co., Ltd.")


def of_others(kind: str, dice: random.Random) -> Iterator[Words]:
    """Names for universities, institutes, banks, associations and parks."""
    zh, en = _OTHERS[kind]
    stems = list(STEMS)
    dice.shuffle(stems)
    for stem in stems:
        yield Words(zh.format(stem.zh), en.format(stem.en))
    for one in stems:
        for two in stems:
            if one is not two:
                yield Words(zh.format(one.zh + two.zh), en.format(f"{one.en} {two.en}"))


def number(kind: str, region: str, serial: int) -> str:
    """A social credit code with the right check character that belongs to nobody."""
    first_17 = f"{_REGISTRAR[kind]}{region}MADM{serial:05d}"
    return first_17 + identity.check_character(first_17)
