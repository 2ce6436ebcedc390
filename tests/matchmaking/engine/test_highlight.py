from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchmaking.engine.highlight import HOW, LONGEST_TEXT, MOST_PAIRS, Glossary, align
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.units import Unit, Units

GLOSSARY = Glossary(
    {
        "PV0306": ("接线盒", "Junction boxes", "分体接线盒", "split junction box"),
        "PV0301": ("光伏玻璃", "Solar glass", "双玻", "bifacial module"),
        "LB0101": ("湿法隔膜", "wet separator", "隔膜", "separator"),
        "XX": ("API中间体", "API intermediate", "不用", "of the"),
    }
)


def pairs(need, offer, glossary=GLOSSARY, units=None):
    return [
        (need[a.need.start : a.need.end], offer[a.offer.start : a.offer.end], a.how)
        for a in align(need, offer, glossary, units)
    ]


def test_align_numbers_two_languages_as_a_reader_would():
    need = (
        "Split junction box, 3 diodes, 1500 V, 25 A, IP68, for 182 mm half-cut modules. TÜV or CQC."
    )
    offer = (
        "1500 V 分体接线盒：三分体灌封，20–30 A，IP68，适配 182 与 210 半片组件，TÜV、CQC 认证。"
    )

    assert pairs(need, offer) == [
        ("Split junction box", "分体接线盒", "glossary"),
        ("1500 V", "1500 V", "number"),
        ("IP68", "IP68", "term"),
        ("182 mm", "182", "number_bare"),
        ("TÜV", "TÜV", "term"),
        ("CQC", "CQC", "term"),
    ]
    assert [a.number for a in align(need, offer, GLOSSARY)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("9μm", "9 微米"),
        ("9μm", "0.009 mm"),
        ("９µm", "9 um"),
        ("1,200 t/月", "14,400 t/y"),
        ("月产 1200 吨", "14,400 tonnes a year"),
        ("500,000 sets a year", "年产能50万套"),
        ("1.2 million pcs", "120万件"),
        ("5 MPa", "50 bar"),
        ("250㎡", "250 m2"),
        ("3.6 kWh", "3600 Wh"),
        ("1500V", "1.5 kV"),
        ("90 %", "90%"),
    ],
)
def test_align_understands_units(need, offer):
    assert pairs(need, offer) == [
        (need.removeprefix("月产 "), offer.removeprefix("年产能"), "number")
    ]


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("9 μm", "9 mm"),
        ("1200 t/月", "1200 t/年"),
        ("1200 t", "1200 t/年"),
        ("5 MPa", "5 mPa"),
        ("5 kg", "5 V"),
        ("2 mm", "2 与 3"),
        ("IP68", "68"),
        ("182 mm", "1820"),
        ("25 mm", "25"),
    ],
)
def test_align_does_not_take_one_quantity_for_another(need, offer):
    assert [how for *_, how in pairs(need, offer)] == []


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("GB/T 36276", "GB/T 36276-2023"),
        ("IEC 61215", "iec61215:2021"),
        ("6204-2RS", "6204 2RS"),
        ("ISO 9001:2015", "ISO9001"),
        ("EN 50618", "EN50618-2014"),
        ("UL 9540A", "UL9540A"),
        ("SUS304", "SUS 304"),
        ("IP 67", "ip67"),
        ("6204", "6204-ZZ"),
        ("DIN EN 10305", "EN10305"),
        ("316L", "316L"),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_standards_and_models_are_one_however_they_are_spelled(need, offer, turn):
    texts = f"按 {need} 供货", f"certified to {offer}."
    ((asked, offered, how),) = pairs(*texts[::turn])

    def spelled(code):
        return "".join(filter(str.isalnum, code)).lower()

    assert how == "term"
    assert spelled(asked) == spelled(offered)
    assert spelled(asked) in spelled(need)
    assert spelled(asked) in spelled(offer)


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("GB/T 36276", "GB/T 36558"),
        ("ISO 9001", "ISO 14001"),
        ("IEC 61215", "IEC 61730"),
        ("6204-2RS", "6205-2RS"),
        ("UL 1973", "1973 established"),
        ("产能5000", "5000 buyers"),
        ("M12", "M120"),
        ("6204", "NU6204"),
        ("EN 50618", "EN50618A"),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_another_standard_or_model_is_not_the_same(need, offer, turn):
    assert pairs(*(need, offer)[::turn]) == []


@pytest.mark.parametrize(
    ("need", "offer", "same"),
    [
        ("2,500 kVA", "from 30 to 2500 kVA", ("2,500 kVA", "2500 kVA")),
        ("30 kVA", "30 to 2500kVA", ("30 kVA", "30")),
        ("25 A", "20–25 A", ("25 A", "25 A")),
        ("20 A", "20–25 A", ("20 A", "20")),
        ("1000V", "1000/1500 V", ("1000V", "1000")),
        ("30公里", "from 30 to 2500 kVA", None),
        ("20 mm", "20–25 A", None),
        ("30公里", "30 years of experience", None),
        ("120 kW", "120 employees", None),
        ("350 MPa", "350家客户", None),
        ("15 kg", "适配 15 与 20", None),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_number_is_the_same_only_with_a_unit_of_its_dimension(need, offer, same, turn):
    expected = [(*same[::turn], "number")] if same else []

    assert pairs(*(need, offer)[::turn]) == expected


def test_align_takes_units_of_the_reference_data():
    units = Units.of([Unit("dan", "mass", 50, ("担",))])

    assert pairs("2 担", "0.1 t", units=units) == [("2 担", "0.1 t", "number")]
    assert pairs("2 担", "0.1 t") == []


def test_align_marks_the_longest_common_words():
    assert pairs("采购双层镀膜光伏玻璃，透光率", "透光率高的双层镀膜玻璃", Glossary({})) == [
        ("双层镀膜", "双层镀膜", "term"),
        ("玻璃", "玻璃", "term"),
        ("透光率", "透光率", "term"),
    ]


def test_align_finds_traditional_characters_plurals_and_british_spelling():
    assert pairs("負極材料 carbon fibres", "负极材料 Carbon Fiber") == [
        ("負極材料 carbon fibres", "负极材料 Carbon Fiber", "term")
    ]


def test_align_leaves_filler_words_and_lone_numbers_alone():
    assert pairs("We need a supplier of the part, 3 years", "supplier of the year, 3 pieces") == []
    assert pairs("长期采购 3 种", "长期采购 3 类") == []


def test_align_near_spelling_of_latin_words_only():
    assert pairs("seperators coating", "separator coatings") == [
        ("seperators", "separator", "spelling"),
        ("coating", "coatings", "term"),
    ]
    assert pairs("cathode", "anode") == []
    assert pairs("hydrophobic", "hydrophilic") == []
    assert pairs("正极", "负极") == []


def test_align_does_not_bridge_two_words_of_one_language():
    assert pairs("双玻", "光伏玻璃") == []


@pytest.mark.parametrize(
    ("need", "offer", "same", "category"),
    [
        (
            "182半片组件用 junction box 1500V",
            "光伏接线盒 三分体30A接线盒, IP68",
            ("junction box", "光伏接线盒"),
            "PV0306",
        ),
        ("9μm 铜箔", "copper foil in rolls", ("铜箔", "copper foil"), "LB0201"),
        (
            "采购金属双极板",
            "metal bipolar plates",
            ("金属双极板", "metal bipolar plates"),
            "H20207",
        ),
        ("7bar 空气压缩机", "air compressors", ("压缩机", "compressors"), "GS0209"),
        ("储能电芯 314Ah", "cells for storage", ("电芯", "cells"), "LB0301"),
        ("滚珠丝杠 C5", "ball screws", ("丝杠", "ball screws"), "IE0102"),
        ("無縫鋼管", "seamless steel pipe", ("鋼管", "steel pipe"), "GS0202"),
        ("齿轮箱轴承", "gearbox bearings", ("轴承", "bearings"), "IE0101"),
        ("半片组件", "half-cut modules", ("组件", "modules"), ""),
        # Part of a word, part of another thing, what another thing is made for, a word that is wide.
        ("电流互感器", "pressure sensor", None, ""),
        ("电解铜箔", "aluminium foil", None, ""),
        ("复合材料", "turning center", None, ""),
        ("接线盒", "corrugated boxes", None, ""),
        ("水泵", "hydraulic pump", None, ""),
        ("阀门", "water pump", None, ""),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_thing_is_found_across_languages_by_what_its_names_end_with(
    shipped, need, offer, same, category, turn
):
    need, offer = (need, offer)[::turn]
    found = [one for one in align(need, offer, shipped) if one.how == "glossary"]

    marked = [
        (need[one.need.start : one.need.end], offer[one.offer.start : one.offer.end], one.category)
        for one in found
    ]
    assert marked == ([(*same[::turn], category)] if same else [])


@pytest.mark.parametrize(
    ("need", "offer", "same"),
    [
        ("减压阀", "液压阀", []),
        ("安全阀和止回阀", "减压阀和止回阀", ["止回阀"]),
        ("光伏接线盒", "光伏接头", ["光伏"]),
        ("压力变送器", "压力变压器", ["压力"]),
        ("铝型材", "钢型材", ["型材"]),
        ("石墨垫片", "橡胶垫片", ["垫片"]),
        ("婚纱摄影", "儿童摄影", ["摄影"]),
        ("不饱和聚酯", "饱和聚酯", ["饱和聚酯"]),
        ("灌胶接线盒", "IP68接线盒", ["接线盒"]),
        ("带旁路二极管", "含旁路二极管", ["旁路二极管"]),
        ("30 cm2 plus, ISO", "50 cm2 plus, ISO", []),
        ("20天送样，三个月交货，500万元", "15天送样，两个月交货，800万元", []),
        ("two sites, CNY", "two shifts, CNY", []),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_parts_of_words_and_fillers_are_not_marked(shipped, need, offer, same, turn):
    texts = (need, offer)[::turn]

    assert [mark for mark, _, how in pairs(*texts, shipped) if how == "term"] == same


def test_align_glossary_ignores_terms_that_say_nothing():
    assert pairs("不用", "of the") == []


def test_align_takes_a_taxonomy_as_it_is():
    taxonomy = Taxonomy(
        [
            CategoryRow("PV", None, 1, "光伏", "Photovoltaics"),
            CategoryRow("PV03", "PV", 2, "组件", "Modules"),
            CategoryRow("PV0306", "PV03", 3, "接线盒", "Junction boxes"),
        ]
    )

    assert pairs("接线盒", "junction box", taxonomy) == [("接线盒", "junction box", "glossary")]


def test_align_repeats_itself():
    need, offer = "双玻组件 2.0mm 玻璃 玻璃 2mm", "玻璃 2 mm 双玻 玻璃 2mm"

    assert align(need, offer, GLOSSARY) == align(need, offer, GLOSSARY)


def test_align_long_texts_end_and_stay_within_limits():
    need, offer = "接线盒，玻璃 12 V。" * 600, "玻璃、接线盒 12 V，" * 600

    found = align(need, offer, GLOSSARY)

    assert len(found) == MOST_PAIRS
    assert max(a.need.end for a in found) <= LONGEST_TEXT


alphabet = st.one_of(
    st.sampled_from(
        [
            "接线盒", "junction box", "9μm", "9 微米", "1,200 t/月", "㎡", "ﬁlm", "é", "e\u0301", "İ", "IP68", "，", " ", "-",
            "年产", "50万套", "500000 sets", "½", "seperator", "separator", "双玻", "隔膜", "Å", "①", "\u0301", "\n", "<b>", "&",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)  # fmt: skip
mixed = st.lists(alphabet, max_size=12).map("".join)


@settings(deadline=None, max_examples=100)
@given(mixed, mixed)
def test_spans_slice_the_original_and_never_overlap(need, offer):
    found = align(need, offer, GLOSSARY)

    assert [a.number for a in found] == list(range(1, len(found) + 1))
    assert all(a.how in HOW for a in found)
    for text, own in ((need, [a.need for a in found]), (offer, [a.offer for a in found])):
        spans = sorted(own, key=lambda span: span.start)
        assert all(
            0 <= s.start < s.end <= len(text) and text[s.start : s.end].strip() for s in spans
        )
        assert all(a.end <= b.start for a, b in pairwise(spans))


@settings(deadline=None)
@given(mixed)
def test_a_text_beside_itself_pairs_equal_passages(text):
    for one in align(text, text, GLOSSARY):
        if one.how == "term":
            assert (
                text[one.need.start : one.need.end].casefold()
                == text[one.offer.start : one.offer.end].casefold()
            )
