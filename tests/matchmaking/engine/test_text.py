from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaking.engine.text import (
    _spelling,
    asserted,
    language_of,
    long_tokens,
    normalise,
    roots,
    ruled_out,
    short_tokens,
    simplified,
    stem,
    tokens,
)

TEXTS = st.text(alphabet="电池隔膜鋰電９µμ,. -abXY1234é\n", max_size=40)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("鋰電池隔膜", "锂电池隔膜"),
        ("９ µm", "9 μm"),
        ("1,200 t", "1200 t"),
        ("PVDF（粘結劑）", "pvdf(粘结剂)"),
        ("wet–process", "wet-process"),
    ],
)
def test_normalise_gives_one_spelling(one, other):
    assert normalise(one) == normalise(other)


def test_normalise_leaves_a_list_of_numbers_apart():
    assert normalise("3,5 and 1,234,567") == "3,5 and 1234567"


@pytest.mark.parametrize("spelling", ["9微米", "9 μm", "9µm", "9um", "9.0 微米"])
def test_units_and_numbers_share_tokens_across_spellings(spelling):
    assert [token for token in short_tokens(spelling) if token.isascii()] == ["9", "um"]


def test_short_tokens_are_characters_pairs_and_words():
    assert short_tokens("湿法隔膜 coated separators") == [
        *("湿", "法", "隔", "膜", "湿法", "法隔", "隔膜"),
        *("coated", "separator"),
    ]


@pytest.mark.parametrize(
    ("joined", "spaced"),
    [
        ("tested to IEC61215", "IEC 61215"),
        ("符合GB/T9535-1998", "GB/T 9535"),
        ("NU2210E", "NU 2210"),
        ("ＩＳＯ２８１", "iso 281"),
    ],
)
def test_a_standard_or_model_is_the_same_with_and_without_a_space(joined, spaced):
    assert {*tokens(spaced)} - {"gb t"} <= {*tokens(joined)}
    assert not {*tokens("IEC 61730")} <= {*tokens(joined)}


def test_measures_written_together_are_no_model():
    assert {"v", "100", "v 100"}.isdisjoint(tokens("48V100Ah"))


def test_long_tokens_are_triples_and_pairs_of_words():
    assert long_tokens("湿法隔膜 for coated separators") == ["湿法隔", "法隔膜", "coated separator"]


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [
        ("fibres", "fiber"),
        ("batteries", "battery"),
        ("bus", "bus"),
        ("glass", "glass"),
        ("switches", "switch"),
    ],
)
def test_stem_is_singular_and_american(word, stemmed):
    assert stem(word) == stemmed


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("PVDF粘结剂", "zh"),
        ("Binder for 隔膜 coating lines in Europe", "en"),
        ("", "en"),
        ("9μm", "en"),
    ],
)
def test_language_is_that_of_most_of_the_text(text, language):
    assert language_of(text) == language


@given(TEXTS)
def test_normalise_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


MARKS = "\u0301\u0308\u0338\u3099"  # join what stands before them


@given(st.text(alphabet=f"鋰電９，ｅµμ–×㎡①ﬁｶか가\uf900\u3000eA1{MARKS}", max_size=12))
def test_one_spelling_is_that_of_compatibility_and_then_of_simplified_signs(text):
    assert simplified(text) == unicodedata.normalize("NFKC", text).translate(_spelling())


def test_signs_of_another_spelling_have_no_other_form_by_themselves():
    assert all(unicodedata.is_normalized("NFKC", chr(sign)) for sign in _spelling())


@given(TEXTS)
def test_tokens_are_the_short_and_the_long_ones(text):
    assert tokens(text) == short_tokens(text) + long_tokens(text)
    assert tokens(text) == tokens(normalise(text))


@pytest.mark.parametrize(
    ("text", "said", "out"),
    [
        ("输送线供货，不含安装，含图纸", "输送线供货，    ，含图纸", "安装"),
        ("代理记账不需要，只找退税咨询", "       ，只找退税咨询", "代理记账"),
        ("圆钢直供，贸易商勿扰", "圆钢直供，     ", "贸易商"),
        ("Cartons without printing, plain", "Cartons                 , plain", "printing"),
        ("no dealers: yarn 40S", "          : yarn 40S", "dealers"),
        ("PVC pipe SDR 17, not SDR 26", "PVC pipe SDR 17,           ", "SDR 26"),
        ("包装袋，非食品", "包装袋，   ", "食品"),
        ("PE film, non-food grade", "PE film,               ", "food grade"),
        ("除铝芯外的电力电缆", "     电力电缆", "铝芯"),
        ("托盘，除了塑料以外均可", "托盘，      均可", "塑料"),
        ("10kV电缆 非铝芯 100米", "10kV电缆     100米", "铝芯"),
        ("电池片（非PERC）", "电池片（     ）", "PERC"),
        ("非PERC的电池片", "      电池片", "PERC"),
        ("非铝芯电缆", "   电缆", "铝芯"),
        ("Non-PVC sheathing compound", "        sheathing compound", "PVC"),
        ("轴承，进口的除外", "轴承，     ", "进口"),
        ("机器人，但焊接机器人除外", "机器人，        ", "焊接机器人"),
        ("Solar cells other than PERC", "Solar cells                ", "PERC"),
        ("Forklifts, anything but diesel", "Forklifts,                    ", "diesel"),
        ("Film rather than trays", "Film                  ", "trays"),
        ("Freight, excludes customs", "Freight,                 ", "customs"),
        ("Pumps excepting gear pumps", "Pumps                     ", "gear pumps"),
    ],
)
def test_what_a_clause_rules_out_is_told_from_what_it_says(text, said, out):
    assert (asserted(text), ruled_out(text)) == (said, out)


@pytest.mark.parametrize(
    "text",
    [
        "capacity not less than 5 t, no more than 9 mm",
        "Stainless sheet, No. 8",
        "不锈钢板，厚度不低于3mm",
        "非金属门铃，无氟背板",
        "周转箱，非标定制，非金属",
        "norm parts, notebooks",
        "Bags, non-woven, non-toxic",
        "no",
        "不要铝",
        "除尘外壳，不锈钢",
        "除发动机外，还需变速箱",
        "除锈外的其他工序",
        "非金属垫片",
        "减速机 非标定制 配电机",
        "非晶硅薄膜电池",
        "Non-GMO soy protein",
        "each other than",
    ],
)
def test_bounds_names_and_words_that_only_look_like_it_rule_nothing_out(text):
    assert (asserted(text), ruled_out(text)) == (text, "")


@pytest.mark.parametrize(
    "word",
    [
        "battery",
        "batteries",
        "fibre",
        "fibers",
        "grey",
        "grays",
        "boxes",
        "glass",
        "moulds",
        "tyres",
    ],
)
def test_a_word_begins_with_a_root_of_its_stem(word):
    assert word.startswith(tuple(roots(stem(word))))
