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
    ],
)
def test_align_does_not_take_one_quantity_for_another(need, offer):
    assert [how for *_, how in pairs(need, offer)] == []


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
