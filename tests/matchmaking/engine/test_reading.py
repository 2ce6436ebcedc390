from __future__ import annotations

import pytest

from matchmaking.engine.reading import aim, gist, party_of, rivals_of

PAGE = (
    "我公司成立于2006年，占地120亩，员工480人，主营集装箱门式起重机，产品出口三十多个国家，先后获高新技术企业称号，建有省级研究院。"
    "为缩短交期，现寻找起升机构用的盘式制动器供应商，年约600台。有意者请附资质。"
)


def squeezed(text):
    return " ".join(text.split())


def test_of_a_page_what_it_asks_for_is_read_apart_from_what_it_tells_of_its_author():
    asked, rest = gist(PAGE)

    assert asked.strip() == "为缩短交期，现寻找起升机构用的盘式制动器供应商，年约600台。"
    assert rest.startswith("我公司成立于2006年")
    assert "起重机" in rest
    assert len(asked) == len(PAGE)
    assert rest in aim(PAGE)[1]


@pytest.mark.parametrize(
    "text",
    [
        "采购盘式制动器，年约600台",
        # A page that asks for nothing, or for one thing from beginning to end, is read as a whole.
        PAGE.replace("现寻找", "装有"),
        "采购"
        + "盘式制动器、液压站、联轴器、减速器、卷筒、滑轮组、钢丝绳、吊钩、车轮组、缓冲器" * 2,
    ],
)
def test_what_is_short_or_no_page_stays_whole(text):
    assert gist(text) == (text, "")


@pytest.mark.parametrize(
    ("line", "asked", "given"),
    [
        ("推广我们的水处理药剂，找造纸厂客户", "，找造纸厂客户", "推广我们的水处理药剂"),
        ("我们有万吨级码头，找散货货主", "，找散货货主", "我们有万吨级码头"),
        ("Looking for carriers to buy our used trailers", "Looking for carriers", "to buy our used trailers"),
        # Who buys has a plant of his own as well.
        ("我们有三台压机，找模具维修", "我们有三台压机，找模具维修", ""),
    ],
)  # fmt: skip
def test_what_a_line_has_to_give_is_not_what_it_seeks(line, asked, given):
    found = aim(line)

    assert (squeezed(found[0]), found[1]) == (asked, given)
    assert ("" in rivals_of(line)) == bool(given)


def test_numbers_are_not_cut_at_their_commas():
    assert aim("Tenant for 8,000 m² of clean rooms")[1] == "for 8,000 m² of clean rooms"


def test_who_says_what_is_used_up_buys():
    assert [party_of(text) for text in ("机加工厂，年耗刀片30万片", "机加工厂，年产刀片30万片", "Brand, outsources sewing")] == [
        "buyer", "", "buyer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "rivals"),
    [
        ("不锈钢螺栓，中间商勿扰", ["buyer", "taker"]),
        ("Stainless fasteners, manufacturers only", ["buyer", "taker"]),
        ("Stainless fasteners, no painting", ["buyer"]),
    ],
)
def test_who_wants_no_dealer_has_no_use_for_one(line, rivals):
    assert sorted(rivals_of(line)) == rivals


def test_blanks_between_words_change_nothing_and_hold_up_nothing():
    assert aim("valve" + " " * 20_000 + "for pumps")[1] == "for pumps"
    assert aim("valve" + " " * 20_000 + "x")[1] == ""
