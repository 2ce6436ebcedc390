from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from matchmaking.engine import quantities
from matchmaking.engine.pairs import Pairs
from matchmaking.engine.quantities import Figures, contradiction, distance, may_contradict

LINES = (
    "9 微米隔膜",
    "月需求300吨钛白粉",
    "压力 1.6MPa，功率 90 kW",
    "轴承",
    "不低于 20 kW",
    "DC 1500 V",
)
TEXTS = (
    "0.009 mm", "年产300吨", "年产2万吨", "0–16bar", "0–1.6kPa, 30–120kW", "铜箔，卷长6000米",
    "up to 15 kW", "UL 9540A", "3 t/h", "EPC 2GW", "50 V/150 V", "",
)  # fmt: skip


def told(line, text):
    asked, offered = Figures.of([line]), Figures.of([text])
    found = contradiction(asked, 0, offered, 0)
    return found and (asked.written(found[0], line), offered.written(found[1], text))


def off(line, text):
    one = Pairs(np.zeros(1, np.int64), np.zeros(1, np.int64))
    return round(float(distance(Figures.of([line]), Figures.of([text]), one)[0]), 2)


@pytest.mark.parametrize(
    ("line", "text", "far"),
    [
        ("9 微米隔膜", "0.009 mm", 0),
        ("9 微米隔膜", "Separator of 90 μm", 1),
        ("9 微米隔膜", "5–12μm", 0),
        # A thickness is no way.
        ("9 微米隔膜", "卷长6000米", 0),
        # Who makes more than is needed, can; who makes a twelfth, cannot.
        ("月需求300吨", "年产2万吨", 0),
        ("月需求300吨", "年产300吨", 1),
        ("每天 20 吨", "年产 7300 吨", 0),
        # Bounds reach as far as they say.
        ("90 kW", "30 kW 以上", 0),
        ("90 kW", "up to 45 kW", 0.3),
        ("不低于 20 kW", "120 kW", 0),
        ("压力 45MPa", "45/90MPa", 0),
        # Flows, powers, pressures, areas and speeds in the units of the trade.
        ("流量 30 m³/h", "500 L/min", 0),
        ("6000立方米每小时", "100 m3/min", 0),
        ("抽速 4 升/秒", "24 L/min", 1),
        ("170 m³/h", "100 CFM", 0),
        ("1.5 kW", "2 hp", 0),
        ("110kW", "150 PS", 0),
        ("制冷量 35 kW", "冷水机 10 RT", 0),
        ("10 MPa", "1450 psi", 0),
        ("50 N·m", "50Nm torque", 0),
        ("50 nm", "50 Nm", 0),
        ("2公顷", "20,000 m²", 0),
        ("0.5 m/s", "30 m/min", 0),
        ("40 gsm", "400克/平方米", 1),
        # Sizes by name, parts of an inch, and stretches in which each end has its unit.
        ("法兰 DN50", "flanges DN15-DN600", 0),
        ("法兰 DN100", "法兰 DN15-600", 0),
        ("阀门 DN80", "DN50/80/100", 0),
        ("10 mm", "厚2mm，25%-30mm", 0.48),
        ("valve DN50 PN16", "阀门 DN500，PN16", 0.5),
        ("1 1/2 inch", "38.1 mm", 0),
        ('3/4" pipe', "管 190.5 毫米", 1),
        ("30 mm", "20mm至50mm", 0),
        ("30 mm", "300mm x 3mm", 1),
        ("PN 12345", "DN 50", 0),
        # The mean of what the text says anything of.
        ("1.6MPa, 90 kW, 3 L", "160 kPa, 90 kW", 0.5),
        # Names of standards, flows and plants put together of many units are no measures.
        ("25 A", "UL 9540A", 0),
        ("100 t", "3 t/h", 0),
        ("5 kW", "EPC 2GW", 0),
        ("蒸汽减压站，流量8吨时", "泵重 800 kg", 0),
        # Nor what lies in store, the least that is sold, or what is used up.
        ("H型钢 10吨", "现货6吨", 0),
        ("10 t of H-beams", "6 t in stock", 0),
        ("隔膜 50平方米", "最小起订5平方米", 0),
        ("隔膜 50 m2", "min. order 5 m2", 0),
        ("百公里氢耗4.5公斤", "49 kg", 0),
        ("300吨/月", "产能 360 吨/年", 1),
        # Who has more tons or more land than is asked for has them, but not as well as who has just that.
        ("寻地20亩", "熟地200亩", 0.25),
        ("寻地200亩", "熟地20亩", 1),
        ("电缆 4平方毫米", "cable 40 mm2", 1),
        # How exactly something is made is no size of it.
        ("叠片对位0.1毫米", "0.4至3毫米带钢", 0),
        ("公差±0.1mm", "tolerance ±1 mm", 1),
        ("公差±0.1mm", "tolerance ±0.01 mm", 0),
        ("运动精度 0.02 mm", "accuracy of 0.02 mm, 2 mm plates", 0),
        ("误差5毫伏以内", "5 V", 0),
        ("150,000 a year", "3 A", 0),
        ("轴承", "90 kW", 0),
    ],
)
def test_numbers_are_as_far_apart_as_their_factor(line, text, far):
    assert off(line, text) == far


def test_rows_are_taken_and_joined_as_if_they_had_been_read_together():
    whole, rows = Figures.of(TEXTS), np.array([4, 1, 11, 10])
    parts = Figures.of(TEXTS[:5]).with_more(Figures.of(TEXTS[5:]))
    taken = whole.taken(rows)

    for name in ("bounds", "kind", "low", "high", "start", "end"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
        again = Figures.of([TEXTS[row] for row in rows])
        assert getattr(taken, name).tolist() == getattr(again, name).tolist()


NUMBER = st.sampled_from(["9", "90", "1.5–3", "0.2", "不低于5", "up to 70"])
UNIT = st.sampled_from(["mm", "μm", "kW", "V", "t/月", "吨", "kPa"])
SAID = st.lists(st.tuples(NUMBER, UNIT).map("".join), max_size=3).map("，".join)


@settings(max_examples=60, deadline=None)
@example(["9mm"], ["90μm"])
@example(["9mm，90kW"], ["4mm，90kW"])
@given(st.lists(SAID, min_size=1, max_size=3), st.lists(SAID, min_size=1, max_size=3))
def test_columns_say_what_pair_by_pair_is_told(lines, texts):
    asked, offered = Figures.of(lines), Figures.of(texts)
    line, row = (grid.ravel() for grid in np.indices((len(lines), len(texts))))
    together = distance(asked, offered, Pairs(line, row))

    for far, one, other in zip(together.tolist(), line, row, strict=True):
        alone = distance(
            Figures.of([lines[one]]), Figures.of([texts[other]]), Pairs(*np.zeros((2, 1), np.int64))
        )
        found = contradiction(asked, one, offered, other)
        assert alone[0] == pytest.approx(far)
        assert may_contradict(asked, one, np.float32([far])) or found is None
        assert told(lines[one], texts[other]) == (
            found
            and (
                asked.written(found[0], lines[one]),
                offered.written(found[1], texts[other]),
            )
        )


def test_a_contradiction_is_told_as_it_is_written():
    assert told("0.1mm 镍片，10 kg", "Nickel strip 1 mm") == ("0.1mm", "1 mm")
    assert told("１０ＭＰａ 泵", "pump, 1,450 psi and 0.4 MPa") is None
    assert told("泵，１０ＭＰａ", "1,000 pumps  of 0.4  MPa") == ("10MPa", "0.4 MPa")
    assert told("0.1mm 镍片", "Nickel strip 0.15 mm") is None
    assert told("9μm", "0.009–0.02 mm") is None
    # Both are ten times off: the first is told, however floats round.
    assert told("0.2MPa，40mm，10cm", "1.5–3MPa，40μm，100cm") == ("40mm", "100cm")


@pytest.mark.parametrize(
    ("line", "text", "held"),
    [
        ("低压柜 进线2500A，分断能力65kA", "incomers up to 6,300 A", None),
        ("Busbar trunking 4000 A, 50 kA", "母线槽 250A", ("4000 A", "250A")),
        # Who does not tell what the board withstands has not told otherwise by what it carries.
        ("低压柜 65千安", "LV switchboards up to 6,300 A", None),
        ("low-voltage switchboard 100 kA", "低压柜 6300A，短时耐受 25 kA", ("100 kA", "25 kA")),
        ("输入380V，输出24V", "24 V output", None),
        ("线芯 4 mm，外径 60 mm", "4 mm", None),
        ("Tank 500 L with a 2 L sampler", "取样瓶 2升，罐 50升", ("500 L", "50升")),
        ("电源 380V", "24 V output", ("380V", "24 V")),
        ("储罐 40立方", "316L stainless, 304L on request", None),
        ("储罐 40立方", "tanks of 300 L", ("40立方", "300 L")),
    ],
)
def test_what_answers_one_number_is_not_held_against_another(line, text, held):
    assert told(line, text) == held


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(NUMBER, UNIT).map("".join), max_size=6),
    st.lists(st.tuples(NUMBER, UNIT).map("".join), max_size=6),
)
def test_the_nearest_number_is_found_without_looking_at_all(line, text):
    asked, offered = (list(quantities._read("，".join(said))) for said in (line, text))
    numbers = quantities._Told([one[:3] for one in offered])

    for kind, low, high, *_ in asked:
        every = [quantities._off(kind, (low, high), one[1:3]) for one in offered if one[0] == kind]
        near = numbers.nearest(kind, (low, high))
        assert (near and near[0]) == min([off for off in every if off is not None], default=None)


def test_a_thousand_numbers_are_compared_without_looking_at_every_pair(monkeypatch):
    compared = []
    off = quantities._off
    monkeypatch.setattr(quantities, "_off", lambda *of: compared.append(of) or off(*of))
    line, text = (
        "，".join(f"{number} {unit}" for number in range(first, first + 1000))
        for first, unit in ((10, "mm"), (1, "μm"))
    )

    assert told(line, text) == ("10 mm", "1000 um")

    assert len(compared) <= 2 * 1000
