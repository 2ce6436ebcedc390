from __future__ import annotations

import numpy as np
import pytest

from matchmaking.engine.index import OfferIndex
from matchmaking.engine.naming import bare_name, names_another
from matchmaking.engine.types import Need, Offer, OfferText


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
    assert [found.beside for found in index.objections(lines, 0, both)] == ["变压器", ""]
    assert index.objections(lines, 1, both[:1])[0].beside == ""
