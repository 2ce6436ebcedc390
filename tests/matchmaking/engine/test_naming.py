from __future__ import annotations

import numpy as np
import pytest

from matchmaking.engine.index import OfferIndex
from matchmaking.engine.naming import bare_name, head_of, names_another
from matchmaking.engine.tails import before_head, is_offered, noun_of
from matchmaking.engine.text import language_of
from matchmaking.engine.types import Need, Offer, OfferText
from tests.matchmaking.engine.conftest import objections


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("采购传感器", "传感器"),
        ("Wanted: conveyor belts", "conveyor belts"),
        ("傳感器", "传感器"),
        # Whoever says more is read by more.
        ("传感器外壳冲压件加工", ""),
        ("M8 screws", ""),
        ("pumps for milk", ""),
        ("", ""),
    ],
)
def test_a_line_of_one_name(line, name):
    assert bare_name(line) == name


@pytest.mark.parametrize(
    ("name", "text", "another"),
    [
        ("叉车", "叉车属具、货叉", True),
        ("叉车", "平衡重叉车、叉车货叉", False),
        ("渔船", "玻璃钢渔船建造", False),
        ("阀门", "阀门生产厂家", False),
        ("阀门", "阀门及配件", False),
        ("面粉", "面粉加工", False),
        ("面粉", "面粉加工成套设备", True),
        ("fans", "Fan blades and impellers", True),
        ("fans", "Axial fans, fan blades", False),
        ("sensors", "Cable glands and brackets for sensors", True),
        ("sensors", "Manufacturer for sensors", False),
        ("pcb", "PCB drilling and routing machines", True),
        ("hoses", "Hoses cut to length", False),
        ("pallets", "Company dealing in pallets", False),
        ("pallets", "Crates of wood", False),
    ],
)
def test_a_name_that_is_said_of_something_else(name, text, another):
    assert names_another(text, name) == another


def test_whose_name_is_said_of_something_else_loses_by_it_and_is_told(small, encoder):
    texts = ["变压器油、绝缘油", "油浸式变压器"]
    index = OfferIndex.build(
        [Offer(n, "enterprise", (OfferText(n, text, "zh"),)) for n, text in enumerate(texts)],
        small,
        encoder,
    )

    lines = index.read([Need(0, "求购变压器", "zh", enterprise=-1), Need(1, "变压器油，45号", "zh", enterprise=-1)])  # fmt: skip

    assert index.features(lines, index.all_pairs(lines)).fit.tolist() == pytest.approx(
        [0.6, 1, 1, 1]
    )
    both = np.arange(2)
    assert [found.beside for found in objections(index, lines, 0, both)] == ["变压器", ""]
    assert objections(index, lines, 1, both[:1])[0].beside == ""


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("求购工业机器人减速器", "速器"),
        ("轮胎硫化用的胶囊", "胶囊"),
        ("激光焊接保护镜片，直径30", "镜片"),
        ("轴承清洗外包", "清洗"),
        ("Warp knitting machines", "machine"),
        ("Nozzles for fibre laser cutting heads", "nozzle"),
        ("Calibration of torque wrenches", "calibration"),
        # Of these the noun is not plain, or leaves open what is meant.
        ("升压站配套", ""),
        ("Wafer test service", ""),
        ("LFP or sodium-ion cells", ""),
        ("加氢机单枪35/70MPa双压力", ""),
        ("屋顶光伏，不含安装", ""),
        ("园区二期扩产，长期采购压花玻璃，双层镀膜，月用量120万平方米", ""),
        ("", ""),
    ],
)
def test_the_noun_that_a_short_line_asks_for(line, head):
    assert head_of(line) == head


def test_who_mentions_all_but_the_thing_itself_loses_by_it_and_is_told(small, encoder):
    texts = [
        "挖掘机驾驶室座椅，减震",
        "挖掘机油缸",
        "挖掘机液压缸、活塞杆",
        "Hydraulic cylinders for excavators",
        "白糖、红糖",
    ]
    index = OfferIndex.build(
        [Offer(n, "enterprise", (OfferText(n, text, ""),)) for n, text in enumerate(texts)],
        small,
        encoder,
    )

    lines = index.read([Need(0, "求购挖掘机油缸", "zh", enterprise=-1)])

    # One character of the noun is enough, no text of the other language can have it, and who shares no word gains by none.
    fit = index.features(lines, index.all_pairs(lines)).fit.tolist()
    assert 0.7 <= fit[0] < 0.85
    assert fit[1:] == [1, 1, 1, 1]
    told = [found.unnamed for found in objections(index, lines, 0, np.arange(5))]
    assert told == ["油缸", "", "", "", ""]


def test_a_derived_word_says_the_noun_too(small, encoder):
    texts = ["Custom compounding of rubber", "Rubber seals, moulded", "Rubber compounds"]
    index = OfferIndex.build(
        [Offer(n, "enterprise", (OfferText(n, text, ""),)) for n, text in enumerate(texts)],
        small,
        encoder,
    )

    lines = index.read([Need(0, "Rubber compound", "en", enterprise=-1)])

    fit = index.features(lines, index.all_pairs(lines)).fit
    assert [kept < 1 for kept in fit.tolist()] == [False, True, False]


def test_no_noun_is_asked_for_where_codes_are_learned(small, encoder):
    offers = [
        Offer(n, "enterprise", (OfferText(n, text, "", (code,)),))
        for n, (text, code) in enumerate(
            [("挖掘机座椅", "12"), ("挖掘机油缸", "12"), ("白糖", "30")]
        )
    ]
    index = OfferIndex.build(offers, small, encoder)

    lines = index.read([Need(0, "求购挖掘机油缸", "zh", enterprise=-1)])

    assert lines.heads.nouns == ()


def test_who_sells_asks_for_no_noun(small, encoder):
    index = OfferIndex.build(
        [Offer(0, "enterprise", (OfferText(0, "工程机械厂，采购挖掘机配件", "zh"),))],
        small,
        encoder,
    )

    lines = index.read([Need(0, "出售挖掘机油缸", "zh", enterprise=-1)])

    assert lines.heads.nouns == ()


@pytest.mark.parametrize(
    ("line", "head", "before"),
    [
        ("采购风电叶片模具，80米", "模具", "风电叶片"),
        ("光伏玻璃用纯碱", "纯碱", "光伏玻璃用"),
        ("Zippers for sleeping bags", "zipper", " for sleeping bag "),
        ("server rack fans", "fan", " server rack "),
        # What a thing is like, and what leaves open what it is, are no nouns to ask for.
        ("数控机床防护罩风琴式", "琴式", ""),
        ("Wind turbine tower sections", "section", ""),
    ],
)
def test_what_a_line_says_before_its_noun(line, head, before):
    assert before_head(line, head) == before


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("风电叶片，80米级", "叶片"),
        ("储能集装箱系统 5MWh", "装箱"),
        ("Fuel cell stacks 100 kW", "stack"),
        ("Inverter units for rooftops", "inverter"),
        ("Helical and bevel gears", ""),
        ("6204", ""),
    ],
)
def test_the_noun_that_a_text_begins_with(text, noun):
    assert noun_of(text).strip() == noun


def test_who_offers_what_stands_before_the_noun_loses_most_of_it(small, encoder):
    texts = [
        "风电叶片，80米级",
        "风电塔筒防腐",
        "大型模具制造",
        "Wind turbine blades",
        "风电叶片、叶片模具",
    ]
    index = OfferIndex.build(
        [Offer(n, "enterprise", (OfferText(n, text, ""),)) for n, text in enumerate(texts)],
        small,
        encoder,
    )

    lines = index.read([Need(0, "风电叶片模具", "zh", enterprise=-1)])

    fit = index.features(lines, index.all_pairs(lines)).fit.tolist()
    assert fit[0] < 0.5 < fit[1] < 1
    assert fit[2:] == [1, 1, 1]
    told = [found.unnamed for found in objections(index, lines, 0, np.arange(5))]
    assert told == ["模具", "叶片模具", "", "", ""]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("求购行星减速机", "行星减速器，精密传动"),
        ("采购口罩机", "口罩，口罩生产设备"),
        ("Brick machines", "Bricks, brick presses"),
        ("Scales", "Manufacture and repair of scales"),
        ("卖场货架", "超市货架"),
        ("Gate valves", "Manufacturer of gate valves, seeking suppliers of castings"),
        ("采购阀门", "阀门生产厂家，寻铸件加工厂合作"),
        ("测试间供气空压站", "供应离心式空气压缩机"),
        ("技改项目配套力传感器", "动态力传感器"),
        ("New line needs lithium carbonate", "Lithium carbonate, battery grade"),
    ],
)
def test_who_makes_the_thing_loses_nothing(small, encoder, line, text):
    index = OfferIndex.build([Offer(1, "enterprise", (OfferText(1, text, ""),))], small, encoder)
    lines = index.read([Need(0, line, language_of(line), enterprise=-1)])

    assert index.features(lines, index.all_pairs(lines)).fit.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "head", "offered"),
    [
        ("Flat-pack furniture with screws", "screw", False),
        ("Furniture, screws and fittings", "screw", True),
        ("Furniture and wood screws (M4)", "screw", True),
        # An adjective of two halves is no thing of its own.
        ("PV modules, glass-glass", "glass", False),
        ("葡萄酒，橡木桶陈酿12个月", "木桶", False),
        ("锂电池及电池隔膜，长期供货", "隔膜", True),
        ("", "screw", False),
    ],
)
def test_a_thing_is_offered_where_something_that_is_listed_ends_with_it(text, head, offered):
    assert is_offered(text, head) is offered


def test_who_names_the_thing_only_beside_his_own_loses_by_it_and_is_told(small, encoder):
    texts = ["Flat-pack furniture with screws", "Furniture, screws and fittings", "Wood screws"]
    index = OfferIndex.build(
        [Offer(n, "enterprise", (OfferText(n, text, ""),)) for n, text in enumerate(texts)],
        small,
        encoder,
    )

    lines = index.read([Need(0, "Screws for furniture assembly", "en", enterprise=-1)])

    fit = index.features(lines, index.all_pairs(lines)).fit.tolist()
    assert fit == pytest.approx([0.6, 1, 1])
    told = objections(index, lines, 0, np.arange(3))
    assert [(found.beside, found.unnamed) for found in told] == [("screw", ""), ("", ""), ("", "")]
