from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from matchmaking import engine
from matchmaking.engine.encoder import UniversalSentenceEncoder
from matchmaking.engine.evaluation import read_benchmark
from matchmaking.engine.pairs import Pairs
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.management.commands.evaluate_engine import read_taxonomy

GOLDEN = Path(engine.__file__).parent / "golden"
CATEGORIES = Path(engine.__file__).parents[2] / "chains" / "reference" / "categories.json"

SMALL = [
    CategoryRow("LB", None, 1, "锂电池", "Lithium batteries"),
    CategoryRow("LB01", "LB", 2, "电池材料", "Battery materials"),
    CategoryRow(
        "LB0101",
        "LB01",
        3,
        "隔膜",
        "Separators",
        ("湿法隔膜", "涂覆隔膜"),
        ("wet-process separator", "coated separator"),
        "电芯正负极之间的微孔膜，不含电解液",
        "Microporous film between the electrodes; not electrolyte",
    ),
    CategoryRow(
        "LB0102", "LB01", 3, "电解液", "Electrolyte", ("六氟磷酸锂电解液",), ("LiPF6 electrolyte",)
    ),
    CategoryRow("PV", None, 1, "光伏", "Photovoltaics"),
    CategoryRow("PV01", "PV", 2, "电站设备", "Plant equipment"),
    CategoryRow("PV0101", "PV01", 3, "逆变器", "Inverters", ("组串逆变器",), ("string inverter",)),
    CategoryRow("PV0102", "PV01", 3, "支架", "Mounting", ("光伏支架",), ("mounting structure",)),
]


def objections(index, lines, line, rows):
    """As a run asks for them: with what was lost by the features of these pairs."""
    found = index.features(lines, Pairs(np.full(len(rows), line), rows))
    return index.objections(lines, line, rows, found.unnamed, found.apart)


@pytest.fixture(scope="session")
def encoder():
    return UniversalSentenceEncoder()


@pytest.fixture(scope="session")
def small(encoder):
    return Taxonomy(SMALL)


@pytest.fixture(scope="session")
def trees():
    return cache(read_taxonomy)


@pytest.fixture(scope="session")
def shipped(encoder, trees):
    return trees(CATEGORIES)


@pytest.fixture(scope="session")
def golden():
    return read_benchmark(GOLDEN)
