from __future__ import annotations

import dataclasses

import pytest

from matchmaking.engine import typed
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.types import Need, Offer, OfferText
from tests.matchmaking.engine.conftest import SMALL

WORDS = [
    *SMALL,
    CategoryRow(
        "PV0103",
        "PV01",
        3,
        "光伏接线盒",
        "PV junction boxes",
        ("接线盒", "三分体接线盒", "智能接线盒"),
        ("junction box for modules", "gang junction box"),
    ),
    CategoryRow(
        "PV0104", "PV01", 3, "汇流箱", "Combiner boxes", ("汇聚现货",), ("string combiner",)
    ),
    CategoryRow("EL01", "PV", 2, "电机", "Motors"),
    CategoryRow("EL0101", "EL01", 3, "永磁电机", "Permanent magnet motors", ("伺服电机",)),
    CategoryRow("EL0102", "EL01", 3, "石墨电极", "Graphite electrodes", ("负极电极", "针状电极")),
    CategoryRow("EL0103", "EL01", 3, "柴油发电机", "Diesel generators", ("铝箔",), ("milling",)),
    CategoryRow("EL0104", "EL01", 3, "柴油发动机", "Diesel engines", (), ("approval tests",)),
]


@pytest.fixture(scope="module")
def tree():
    return Taxonomy(WORDS)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("jiexianhe 光伏 1500V", "接线盒 光伏 1500V"),
        ("JXH 光伏", "接线盒 光伏"),
        ("ge mo 9um", "隔膜 9um"),
        ("Need ge'mo, 9 um", "Need ge'mo, 9 um"),
        ("dianji 永磁 15kW", "电机 永磁 15kW"),
        ("dianji 石墨", "电极 石墨"),
        ("lvbo 12um", "铝箔 12um"),
        ("fdj", "fdj"),
        ("zhijia for roofs", "支架 for roofs"),
        ("ｊｉｅｘｉａｎｈｅ", "接线盒"),
    ],
)
def test_pinyin_and_initials_are_read_as_words_of_the_categories(tree, line, meant):
    assert tree.as_meant(line) == meant


@pytest.mark.parametrize(
    "line",
    [
        "gang men can sheng",  # words of one syllable
        "gang of combiner boxes",  # the tree knows it
        "string combiner gemo",  # too short to be none beside English
        "jxh for modules",  # initials of Chinese stand in no English line
        "MDR-JXH 1500",  # part of a code
        "铝箔",
    ],
)
def test_what_may_be_english_or_a_code_is_left_as_it_is(tree, line):
    assert tree.as_meant(line) == line


def test_while_somebody_types_a_word_may_be_unfinished_or_one_of_several(tree):
    assert tree.as_meant("jiexianh", typing=True) == "接线盒"
    assert tree.as_meant("jiexianh") == "jiexianh"
    assert tree.as_meant("fdj", typing=True) in {"发电机", "发动机"}
    assert tree.as_meant("jiex", typing=True) == "jiex"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("permanant magnet moter", "permanent magnet motor"),
        ("PV juntion bxes 1500V", "PV junction bxes 1500V"),
        ("seperator wet-proces", "separator wet-process"),
        ("electrolite", "electrolyte"),
        # Another form of a word is no slip, nor is a word that stands beside nothing of its category.
        ("approved diesel tests", "approved diesel tests"),
        ("milking robots for farms", "milking robots for farms"),
    ],
)
def test_slips_are_mended_where_the_words_beside_agree(tree, line, meant):
    assert tree.as_meant(line, lambda _word: False) == meant


def test_what_texts_on_offer_say_is_no_slip_and_without_them_nothing_is(tree):
    assert tree.as_meant("permanant magnets", {"permanant"}.__contains__) == "permanant magnets"
    assert tree.as_meant("permanant magnets") == "permanant magnets"


def test_kept_categories_are_not_spelled_again(tmp_path, encoder, monkeypatch):
    Taxonomy(WORDS).save(tmp_path, encoder)
    monkeypatch.setattr("matchmaking.engine.taxonomy.spell", None)
    kept = Taxonomy(WORDS)

    assert kept.load(tmp_path, encoder)
    assert kept.as_meant("jiexianhe") == "接线盒"


def test_a_line_of_pinyin_is_compared_by_its_words_and_not_by_the_vector_of_what_was_typed(
    tree, encoder
):
    texts = ["三分体接线盒", "光伏组串汇流箱", "jiexianhe"]
    offers = [
        Offer(number, "enterprise", (OfferText(number, text, "zh"),))
        for number, text in enumerate(texts[:2])
    ]
    index = OfferIndex.build(offers, tree, encoder)
    need = Need(1, "jiexianhe", "zh", enterprise=-1, vector=encoder.encode(["jiexianhe"])[0])

    read, spelled = (
        index.read([need]),
        index.read([dataclasses.replace(need, text="接线盒", vector=None)]),
    )

    assert read.needs == spelled.needs
    assert (read.vectors == spelled.vectors).all()


def test_a_word_stands_for_itself_while_a_text_on_offer_says_it(tree, encoder):
    index = OfferIndex.build(
        [Offer(1, "enterprise", (OfferText(1, "jxh parts", "en"),))], tree, encoder
    )
    index.refresh()
    need = Need(1, "jxh", "zh", enterprise=-1)

    assert index.read([need]).needs[0].text == "jxh"
    index.remove(1)
    assert index.read([need]).needs[0].text == "接线盒"


def test_every_run_of_a_term_is_spelled():
    assert typed.spell(["PV 接线盒 A型", "重载连接器"]) == [
        "jie xian he",
        "xing",
        "zhong zai lian jie qi",
    ]
