"""The words of offers and needs: written phrases first, patterns over a leaf's terms for the rest."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from chains.management.commands import import_reference
from matchmaking.demo.names import Words

_FOLDER = Path(__file__).parent / "phrases"


_HAN = r"[\u4e00-\u9fff]"
_BESIDE = re.compile(f"(?<={_HAN})(?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?={_HAN})")


def typeset(text: str) -> str:
    """A half space between Chinese and Latin letters or digits, as an editor sets a title.

    >>> typeset("采购燃料电池DCDC等6项配套产品")
    '采购燃料电池 DCDC 等 6 项配套产品'
    """
    return _BESIDE.sub(" ", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A category of the third level with what people write about it."""

    code: str
    name: Words
    chain: str
    segment: str
    terms: tuple[Words, ...]
    capabilities: tuple[Words, ...] = ()
    requirements: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    value: Decimal
    unit: str
    period: str = "once"


def dice(seed: int, purpose: str) -> random.Random:
    """One stream for each purpose: a change in one place leaves the others as they are."""
    return random.Random(f"{seed}:{purpose}")  # noqa: S311 -- repeatable on purpose, guards nothing


def phrases(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return rows


@cache
def leaves() -> dict[str, Leaf]:
    """All leaves of the shipped register, by code."""
    written = {row["category"]: row for row in phrases("demo_phrases")}
    chain_of = {row["code"]: row["chain"] for row in import_reference.read("segments")}
    found = {}
    for row in import_reference.read("categories"):
        if row["level"] != 3:
            continue
        said = written.get(row["code"], {"capability": [], "requirement": []})
        name = Words(row["name_zh"], row["name_en"])
        zh, en = [name.zh, *row["synonyms_zh"]], [name.en, *row["synonyms_en"]]
        found[row["code"]] = Leaf(
            code=row["code"],
            name=name,
            chain=chain_of[row["segments"][0]],
            segment=row["segments"][0],
            # Synonyms of the two languages are not translations of each other: pairs only say "this leaf".
            terms=tuple(
                Words(zh[i % len(zh)], en[i % len(en)]) for i in range(max(len(zh), len(en)))
            ),
            capabilities=tuple(Words(p["zh"], p["en"]) for p in said["capability"]),
            requirements=tuple(Words(p["zh"], p["en"]) for p in said["requirement"]),
        )
    return found


@cache
def by_segment() -> dict[str, tuple[Leaf, ...]]:
    found: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves().values():
        found[leaf.segment].append(leaf)
    return {segment: tuple(rows) for segment, rows in found.items()}


def sibling(leaf: Leaf, roll: random.Random) -> Leaf | None:
    """Another leaf of the same segment that has something written about it, if there is one."""
    others = [one for one in by_segment()[leaf.segment] if one.code != leaf.code]
    told = [one for one in others if one.capabilities] or others
    return roll.choice(told) if told else None


# --- Patterns ---------------------------------------------------------------------------------------------

_OFFERED = (
    ("{t}年产{n}{u}，{s}，{c}", "{t}, {n} {v} a year, {s}, {c}"),
    ("专做{t}，产能{n}{u}，{s}，{c}", "Specialised in {t}: {n} {v} yearly, {s}, {c}"),
    ("供应{t}，最小起订{m}{u}，{s}，{c}", "Supply of {t} from {m} {v}, {s}, {c}"),
    ("{t}批量交付，{s}，月交{m}{u}，{c}", "{t} in volume, {s}, {m} {v} a month, {c}"),
    ("{s}级{t}，已供{k}家客户，年供{n}{u}，{c}", "{t} to {s} for {k} customers, {n} {v} a year, {c}"),
    ("{t}及定制开发，{k}条产线，{s}，{c}", "{t} and custom development on {k} lines, {s}, {c}"),
)  # fmt: skip
_ASKED = (
    ("求购{t}{n}{u}，{s}，{c}", "Seeking {n} {v} of {t}, {s}, {c}"),
    ("新线需{t}，首批{m}{u}，{s}，{c}", "New line needs {t}, first lot {m} {v}, {s}, {c}"),
    ("长期采购{t}，月用量{m}{u}，{c}，{s}", "Long-term purchase of {t}, {m} {v} a month, {c}, {s}"),
    ("寻{t}第二供应商，年需{n}{u}，{s}，{c}", "Second source for {t}, {n} {v} a year, {s}, {c}"),
    ("招标{t}{n}{u}，要求{s}，{c}", "Tender for {n} {v} of {t} to {s}, {c}"),
    ("技改项目配套{t}{m}{u}，{c}，{s}", "Retrofit needs {m} {v} of {t}, {c}, {s}"),
)  # fmt: skip
# How a product is counted, by a sign in its name; the last serves what nothing else fits.
_UNITS = (
    (re.compile("软件|服务|检测|认证|设计|咨询|运维|培训|物流|报关|评价|代理|保险|租赁|平台"), "项", "projects", "item", 1),
    (re.compile("机$|炉|设备|机器人|装置|系统|站|车$|柜|仪|台$|产线|装备|电源$|电解槽"), "台", "units", "unit", 2),
    (re.compile("膜|布$|板$|玻璃|背板|纸"), "平方米", "m²", "m2", 4),
    (re.compile("粉|料$|剂|液|胶|树脂|酸|盐|砂|硅$|钢|铝|铜|浆|油|纤维|涂料|材料|箔"), "吨", "t", "t", 3),
    (re.compile("线$|缆|管$"), "米", "m", "m", 4),
    (re.compile("硅片|电池片|晶圆"), "片", "wafers", "sheet", 4),
    (re.compile(""), "件", "pieces", "pcs", 4),
)  # fmt: skip
_STANDARDS = (
    ("精度0.{d}级", "accuracy class 0.{d}"), ("耐温{e}℃", "rated {e} °C"), ("公差±0.0{d}mm", "tolerance ±0.0{d} mm"),
    ("寿命{e}0小时", "{e}0 h service life"), ("防护等级IP6{f}", "IP6{f}"), ("合格率99.{d}%", "99.{d}% yield"),
    ("按国标逐批检验", "tested lot by lot to national standard"), ("交期可控，{e}小时老化", "{e} h burn-in"), ("纯度99.9{d}%", "99.9{d}% purity"),
    ("符合RoHS", "RoHS compliant"), ("{e}小时盐雾", "{e} h salt spray"), ("厚度偏差{f}%以内", "thickness within {f}%"),
)  # fmt: skip
_TERMS = (
    ("交期{x}天", "delivery in {x} days"), ("{x}天送样", "samples in {x} days"), ("支持驻厂服务", "on-site service"),
    ("账期{x}天", "{x} days net"), ("按周交货", "weekly delivery"), ("可联合开发", "open to joint development"),
    ("质保{x}个月", "{x} months warranty"), ("长三角{x}小时到货", "within {x} h in the delta"), ("寄售库存{x}天", "{x} days of consignment stock"),
    ("先试后订，试用{x}天", "{x}-day trial before the order"), ("含安装调试", "with installation"), ("提供第三方报告", "third-party report enclosed"),
)  # fmt: skip


def _pattern(leaf: Leaf, patterns: Sequence[tuple[str, str]], roll: random.Random) -> tuple[Words, str, int]:  # fmt: skip
    term = roll.choice(leaf.terms)
    zh, en = roll.choice(patterns)
    _sign, unit_zh, unit_en, unit, size = next(u for u in _UNITS if u[0].search(leaf.name.zh))
    digits = {
        "d": roll.randint(1, 9),
        "e": roll.choice((80, 105, 125, 150, 200, 480, 500, 720, 800, 1000)),
        "f": roll.randint(4, 9),
    }
    days = roll.choice((3, 5, 7, 10, 12, 15, 18, 20, 24, 30, 36, 45, 60, 75, 90))
    much, little = _figure(roll, size), _figure(roll, size - 1)
    standard, condition = roll.choice(_STANDARDS), roll.choice(_TERMS)
    shared = {"n": much, "m": little, "k": roll.randint(2, 60)}
    return (
        Words(
            zh.format(t=term.zh, u=unit_zh, s=standard[0].format(**digits), c=condition[0].format(x=days), **shared),
            en.format(t=term.en, v=unit_en, s=standard[1].format(**digits), c=condition[1].format(x=days), **shared),
        ),
        unit,
        much,
    )  # fmt: skip


def _figure(roll: random.Random, size: int) -> int:
    """One or two digits that count, then zeros."""
    zeros: int = max(0, size - roll.randint(0, 1))
    return int(roll.randint(2, 99) * 10**zeros)


def offered(leaf: Leaf, roll: random.Random) -> tuple[Words, Amount]:
    """A capability's text by a pattern, with the yearly amount it rests on."""
    words, unit, much = _pattern(leaf, _OFFERED, roll)
    return words, Amount(Decimal(much), unit, "year")


def asked(leaf: Leaf, roll: random.Random) -> Words:
    return _pattern(leaf, _ASKED, roll)[0]


def endless(leaf: Leaf, roll: random.Random) -> Iterator[Words]:
    """What is written about what the leaf offers, then patterns without end."""
    yield from leaf.capabilities
    while True:
        yield offered(leaf, roll)[0]


# --- Figures in a text ------------------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"(?P<period>(?<!\d)(?:每|一个)?[年月](?:[需采用供购产出处]\w{0,2}?)?)?[约各共]*(?P<value>\d+(?:\.\d+)?)(?P<wan>万)?"
    r"(?P<unit>吨|平方米|千米|公里|套|台|片|件|只|米|对|卷)(?![/每·]|时)"
)  # fmt: skip
_CODES = {
    "吨": "t", "平方米": "m2", "千米": "km", "公里": "km", "套": "set", "台": "unit", "片": "sheet", "件": "pcs",
    "只": "only", "米": "m", "对": "pair", "卷": "roll",
}  # fmt: skip


def amount_in(text: str) -> Amount | None:
    """The quantity a Chinese text names, when it names just one with a unit of count, mass or length."""
    hits = list(_AMOUNT.finditer(text))
    if len(hits) != 1:
        return None
    hit = hits[0]
    value = Decimal(hit["value"]) * (10_000 if hit["wan"] else 1)
    period = hit["period"] or ""
    return Amount(
        value,
        _CODES[hit["unit"]],
        "month" if "月" in period else "year" if "年" in period else "once",
    )
