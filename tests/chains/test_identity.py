from __future__ import annotations

import csv
import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import identity
from chains.identity import (
    check_character,
    check_number,
    compare_names,
    normalise_name,
    phones_of,
    pinyin_of,
    region_code_of,
    sort_key,
    split_former,
)

CASES = Path(__file__).parents[1] / "cases"


def rows(name):
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("case", rows("numbers.tsv"), ids=lambda c: c["why"][:30])
def test_number_cases_have_their_verdict(case):
    assert check_number("uscc", case["number"]).verdict == case["verdict"]


def test_doctests_hold():
    assert doctest.testmod(identity).failed == 0


@pytest.mark.parametrize(
    ("scheme", "number", "expected"),
    [
        ("uscc", " 91330421-ma2ayccc-25 ", ("valid", "91330421MA2AYCCC25", "fits")),
        ("uscc", "91330421MA2AYCCC26", ("ask", "91330421MA2AYCCC26", "check")),
        ("uscc", "91330421MA2AYCC*25", ("ask", "91330421MA2AYCC*25", "character")),
        ("uscc", None, ("missing", "", "missing")),
        ("uscc", "  ", ("missing", "", "missing")),
        ("uscc", "３３０４２１０００１２３４５７", ("old", "330421000123457", "old")),
        ("uscc", "统一社会信用代码：91330421MA2AYCCC25", ("valid", "91330421MA2AYCCC25", "fits")),
        (
            "uscc",
            "91330421MA2AYCCC25（副本）(1/1)",
            ("ask", "91330421MA2AYCCC25(副本)(1/1)", "length"),
        ),
        ("uscc", "91330421MA2AYCCC25 (1/1)", ("valid", "91330421MA2AYCCC25", "fits")),
        ("uscc", "“91330421MA2AYCCC25”。", ("valid", "91330421MA2AYCCC25", "fits")),
        ("uscc", '="91330421MA2AYCCC25"', ("valid", "91330421MA2AYCCC25", "fits")),
        ("uscc", "№91330421MA2AYCCC25", ("valid", "91330421MA2AYCCC25", "fits")),
        ("uscc", "000000000000000000", ("missing", "", "missing")),
        ("uscc", "91330421МА2AYCCC25", ("ask", "91330421МА2AYCCC25", "character")),
        ("uscc", "91330421MA2AYCCC25/7", ("ask", "91330421MA2AYCCC25/7", "length")),
        ("uscc", "暂无", ("missing", "", "missing")),
        ("uscc", "\u200b", ("missing", "", "missing")),
        ("foreign", "hrb 12345", ("valid", "HRB12345", "local")),
        ("other", "", ("missing", "", "missing")),
    ],
)
def test_number_is_folded_and_judged(scheme, number, expected):
    assert check_number(scheme, number)[:3] == expected


def test_letter_o_for_zero_is_proposed_back():
    written = "9133O421MA2AYCCC25"

    verdict = check_number("uscc", written)

    assert (verdict.verdict, verdict.number) == ("ask", written)
    assert "91330421MA2AYCCC25" in verdict.sentence


@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=16, max_size=16),
    st.integers(0, 17),
    st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"),
)
def test_one_wrong_character_is_always_noticed(most, place, other):
    first = f"9{most}"  # one figure alone is no number at all
    number = first + check_character(first)
    written = number[:place] + other + number[place + 1 :]
    expected = "valid" if other == number[place] else "ask"

    verdict = check_number("uscc", written).verdict

    assert verdict == ("missing" if len(set(written)) == 1 else expected)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("91330421MA2AYCCC25", "330421"),
        ("330421000123457", "330421"),
        ("91330421MA2AYCCC2", None),
        ("HRB 12345", None),
        ("", None),
        (None, None),
    ],
)
def test_region_is_read_from_the_number(number, code):
    assert region_code_of(number) == code


@pytest.mark.parametrize("case", rows("name_pairs.tsv"), ids=lambda c: c["why"])
def test_name_cases_have_their_verdict_both_ways_round(case):
    verdicts = (
        compare_names(case["left"], case["right"]).verdict,
        compare_names(case["right"], case["left"]).verdict,
    )

    assert verdicts == (case["verdict"], case["verdict"])


@pytest.mark.parametrize(
    ("left", "right", "verdict", "reason"),
    [
        ("", "", "different", "empty"),
        (" ", "示例甲有限公司", "different", "empty"),
        ("示例松澗新材料有限公司", "示例松涧新材料有限公司", "same", "spelling"),
        ("示例A－B（北京）有限公司", "示例a-b(北京)有限公司", "same", "spelling"),
        ("示例南风有限公司", "示例南风有限责任公司", "same", "legal_form"),
        ("Demo Foo Co.,Ltd", "Demo Foo Company Limited", "same", "legal_form"),
        ("Demo Foo GmbH", "Demo Foo Ltd.", "ask", "legal_form"),
        ("Demo Foo GmbH & Co. KG", "Demo Foo GmbH", "ask", "legal_form"),
        ("Demo Foo Pte. Ltd.", "Demo Foo Ltd.", "ask", "legal_form"),
        ("示例南风（集团）有限公司", "示例南风集团有限公司", "ask", "body"),
        ("示例南风集团有限公司", "示例南风有限公司", "ask", "body"),
        ("示例南风阀门厂", "示例南风阀门有限公司", "ask", "body"),
        ("示例南风（湖州）有限公司", "示例南风有限公司", "ask", "place_in_brackets"),
        ("示例南风有限公司（深圳）分公司", "示例南风有限公司", "ask", "branch"),
        ("示例南风有限公司广州分公司", "示例南风有限公司深圳分公司", "different", "other_name"),
        ("Demo Foo Ltd Guangzhou Branch", "Demo Foo Ltd", "ask", "branch"),
        ("示例南风", "示例南风玻璃集团股份有限公司", "ask", "trade_name"),
        ("Solar", "Demo Solar Ltd", "different", "other_name"),
        ("示例新名有限公司（曾用名：示例旧名厂）", "示例旧名厂", "same", "former_name"),
        ("Demo New Ltd (formerly Demo Old Ltd)", "Demo Old Ltd", "same", "former_name"),
        (
            "示例甲有限公司（原示例乙厂）",
            "示例丙有限公司（原示例乙厂）",
            "ask",
            "former_name_shared",
        ),
        ("示例南风一号有限公司", "示例南风二号有限公司", "different", "other_name"),
        ("示例南风一号有限公司", "示例南风1号有限公司", "ask", "numerals"),
        ("Demo Foo FZE", "Demo Foo FZCO", "ask", "legal_form"),
        ("示例（原料药）有限公司", "示例料药有限公司", "different", "other_name"),
        ("浙江示例南风有限公司", "示例南风有限公司", "ask", "place"),
        ("示例南风（浙江）有限公司", "浙江示例南风有限公司", "ask", "place"),
        ("嘉兴市示例南风有限公司", "嘉兴示例南风有限公司", "ask", "place"),
        ("浙江示例南风有限公司", "江苏示例南风有限公司", "different", "other_name"),
        ("浙江电机有限公司", "电机有限公司", "different", "other_name"),
        ("示例银行嘉兴分行", "示例银行股份有限公司嘉兴分行", "ask", "branch"),
        ("示例银行嘉兴分行", "示例银行股份有限公司湖州分行", "different", "other_name"),
        ("示例南风有限公司 原名示例西风有限公司", "示例西风有限公司", "same", "former_name"),
        ("示例南风有限公司 Demo Nanfeng Co., Ltd.", "示例南风有限公司", "ask", "two_languages"),
        (
            "Demo Nanfeng Co Ltd (示例南风有限公司)",
            "Demo Nanfeng Co., Ltd.",
            "ask",
            "two_languages",
        ),
        ("Demo Foo (India) Pvt Ltd", "Demo Foo Pvt. Ltd.", "ask", "place_in_brackets"),
        ("M/s. Demo Foo Pvt Ltd", "Demo Foo Private Limited", "same", "legal_form"),
        ("The Demo Foo Company Ltd", "Demo Foo Company Ltd", "ask", "body"),
        ("Müller Beispiel GmbH", "Mueller Beispiel GmbH", "ask", "accents"),
        ("Société Exemple S.A.R.L.", "Societe Exemple SARL", "ask", "accents"),
        ("无", "无", "different", "empty"),
    ],
)
def test_names_of_one_kind_have_their_verdict(left, right, verdict, reason):
    assert compare_names(left, right) == (verdict, reason)
    assert compare_names(right, left) == (verdict, reason)


names = st.text(st.sampled_from("示例甲乙(（)）原有限公司集团厂Aa .,-&Ltd"), max_size=16)


@given(names, names)
def test_comparing_does_not_depend_on_the_order(left, right):
    assert compare_names(left, right) == compare_names(right, left)


@given(names.filter(normalise_name))
def test_a_name_is_the_same_as_itself_in_full_width(name):
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)

    assert compare_names(name, wide).verdict == "same"


def test_several_former_names_are_taken_apart():
    assert split_former("示例丙有限公司\n（原名：示例甲（嘉兴）有限公司、示例乙厂）") == (
        "示例丙有限公司",
        ["示例甲(嘉兴)有限公司", "示例乙厂"],
    )


def test_a_name_without_a_former_one_is_left_as_written():
    assert split_former("示例甲（嘉兴）有限公司") == ("示例甲（嘉兴）有限公司", [])


def test_pinyin_knows_phrases():
    assert pinyin_of("重庆长安") == ("chongqingchangan", "cqca")


def test_names_sort_by_pinyin_with_digits_first():
    names = ["鑫", "阿", "李", "王", "张", "9号", "Beta"]

    assert sorted(names, key=sort_key) == ["9号", "阿", "Beta", "李", "王", "鑫", "张"]


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("000-0000-0102 / 000-0000-0112", ["000-0000-0102", "000-0000-0112"]),
        ("０００－００００－０１０３", ["000-0000-0103"]),
        ("电话：0000-0000101，手机 13000000000", ["0000-0000101", "13000000000"]),
        ("13000000000 13000000001", ["13000000000", "13000000001"]),
        ("无", []),
    ],
)
def test_phones_are_read_from_a_cell(cell, phones):
    assert phones_of(cell) == phones
