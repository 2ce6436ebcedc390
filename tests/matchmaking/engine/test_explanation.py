from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from matchmaking.engine.constraints import Case, judge
from matchmaking.engine.explanation import (
    CODES,
    KEPT,
    Agreement,
    Answer,
    Bridge,
    Shore,
    Telling,
    Wording,
    _objection,
    _of_text,
    bridgeable,
    kept,
    shared_terms,
    shortlist,
)
from matchmaking.engine.features import Objections
from matchmaking.engine.highlight import Edges
from matchmaking.engine.locality import Nearness
from matchmaking.engine.scoring import outcome_of, stakes_of
from matchmaking.engine.types import (
    Capacity,
    Condition,
    Held,
    Need,
    Offer,
    OfferText,
    Part,
    Place,
    Reason,
    reason,
)
from matchmaking.engine.units import Units
from matchmaking.engine.weights import WEIGHTING_1

JIASHAN = Place(("000000", "330000", "330400", "330421"))
PINGHU = Place(("000000", "330000", "330400", "330482"))
NEAR = Nearness(share=0.75, level="city", region="330400", km=19.1, about=True)

NOTHING_SHARED = Agreement()
EDGES = Edges(["减压阀", "液压阀", "止回阀", "光伏组件", "接线盒", "接头"])


def parts(text=300, category=250, conditions=0, locality=75):
    return (
        Part("text", text, 450),
        Part("category", category, 250),
        Part("conditions", conditions, 200),
        Part("locality", locality, 100),
    )


def told(
    *,
    agreement=NOTHING_SHARED,
    near=NEAR,
    points=None,
    conditions=(),
    need=None,
    offer=None,
    **facts,
):
    need = need or Need(1, "接线盒", "zh", conditions=tuple(conditions), place=JIASHAN)
    text = OfferText(1, "接线盒", "zh", **facts)
    offer = offer or Offer(7, "enterprise", (text,), place=PINGHU)
    case = Case(offer, text, Units(), near.km, near.about)
    stakes = stakes_of(need.conditions, 200, WEIGHTING_1)
    outcomes = tuple(
        outcome_of(condition, *stake, judge(condition, case))
        for condition, stake in zip(need.conditions, stakes, strict=True)
    )
    return Telling(need).explain(offer, text, points or parts(), outcomes, near, agreement)


def codes(reasons, tone=None):
    return [reason.code for reason in reasons if tone in (None, reason.tone)]


@pytest.mark.parametrize(
    ("need", "offer", "expected"),
    [
        ("采购三分体接线盒 IP68", "ip68 接线盒，三分体", ("三分体", "接线盒", "IP68")),
        ("split junction boxes", "Junction Box, split type", ("junction", "split", "boxes")),
        ("急需采购", "采购供应", ()),
        ("需要 1500 V", "另有 1500 V", ()),
        ("鋰電池隔膜", "锂电池隔膜", ("锂电池隔膜",)),
        ("", "接线盒", ()),
        ("glass fibre batteries", "Battery of fiber", ("batteries", "fibre")),
        ("fiber tray for a battery", "batteries, fibres and TRAYS", ("battery", "fiber", "tray")),
        ("NU2210E 轴承", "承轴 nu2210e", ("NU2210E",)),
    ],
)
def test_shared_terms_are_words_about_the_product(need, offer, expected):
    assert shared_terms(Wording.of(need), Answer(offer), EDGES) == expected


@pytest.mark.parametrize(
    ("need", "offer", "expected"),
    [
        ("护栏120公里，两台打桩机", "护栏30公里，两台打桩机", ("打桩机", "护栏")),
        ("月需8万件", "年产90万件", ()),
        ("Cable, 200 meters, 16 bar, 5 sets", "Hose, 300 meters, 16 bar, 9 sets", ()),
        ("Water meter, 5 tonnes", "Water meters, 16 tonnes", ("Water", "meter")),
    ],
)
def test_measures_numbers_and_counts_are_no_reason(need, offer, expected):
    assert shared_terms(Wording.of(need), Answer(offer), EDGES) == expected


@pytest.mark.parametrize(
    ("need", "offer", "expected"),
    [
        ("减压阀", "液压阀", ()),
        ("安全阀和止回阀", "减压阀和止回阀", ("止回阀",)),
        ("光伏接线盒", "光伏接头", ("光伏",)),
        ("婚纱摄影", "儿童摄影", ("摄影",)),
        ("采购灌胶接线盒", "IP68接线盒", ("接线盒",)),
        ("Platinum plus mesh, 40 cm2, ISO", "mesh plus frame, 60 cm2, ISO", ("mesh",)),
        ("ISO 9001 IEC bearings", "ISO 14001, IEC motors", ()),
        ("两台，20天送样，6个月交货", "三台，15天送样，9个月交货", ()),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_parts_of_words_and_fillers_are_no_reason(need, offer, expected, turn):
    one, other = (need, offer)[::turn]

    assert shared_terms(Wording.of(one), Answer(other), EDGES) == expected


def bridge(need, offer, words, same=()):
    return Shore.of(Wording.of(need), words, same).bridge(Answer(offer))


def test_bridge_joins_words_of_one_category_across_languages():
    words = bridgeable(
        {"zh": ("接线盒", "分体接线盒"), "en": ("Junction box", "split junction box")}
    )
    chinese, english = "三分体接线盒", "Split Junction Boxes, IP68"

    assert bridge(chinese, english, words) == Bridge("分体接线盒", "split junction box", same=False)
    assert bridge(english, chinese, words) == Bridge("split junction box", "分体接线盒", same=False)
    assert bridge(chinese, chinese, words) is None


def test_words_that_mean_the_same_are_taken_before_longer_ones_of_the_same_kind():
    words = bridgeable({"zh": ("丁苯橡胶", "耐油丁腈橡胶"), "en": ("SBR", "NBR")})
    same = {("丁苯橡胶", "sbr")}
    both, other = "SBR, NBR in bales", "NBR in bales"

    need = "丁苯橡胶、耐油丁腈橡胶"
    assert bridge(need, both, words, same) == Bridge("丁苯橡胶", "sbr", same=True)
    assert bridge(both, need, words, same) == Bridge("sbr", "丁苯橡胶", same=True)
    assert bridge(need, other, words, same) == Bridge("耐油丁腈橡胶", "nbr", same=False)


def test_only_words_that_mean_the_same_are_said_to():
    def told(**found):
        told = _of_text((), Bridge("SBR", "丁腈橡胶", **found), "A", (), is_alike=True)
        return [(one.code, one.params) for one in told]

    both = {"asked": "SBR", "offered": "丁腈橡胶"}
    assert told(same=True) == [("text.bridged", both)]
    assert told(same=False) == [("text.akin", {**both, "category": "A"})]


def test_what_speaks_against_the_product_itself_is_told_first():
    found = Objections(
        "安装",
        "光伏组件用",
        "machine",
        "buyer",
        numbers=("0.1mm", "1 mm"),
        beside="轴承",
        unnamed="滑轨",
    )

    fields = ("ruled_out", "party", "form", "beside", "unnamed", "purpose", "numbers")
    less = [replace(found, **dict.fromkeys(fields[:count], "")) for count in range(8)]

    told = [_objection(one) for one in less]

    assert [one.code for one in told[:-1]] == [
        "text.ruled_out", "text.buyer", "text.machine", "text.beside", "text.unnamed", "text.purpose", "text.number",
    ]  # fmt: skip
    assert told[-2].params == {"asked": "0.1mm", "offered": "1 mm"}
    assert told[-1] is None
    # A page is too long to be named as a purpose.
    page = _objection(Objections(purpose="我公司成立于2006年", profile=True))
    assert page.code == "text.profile"


def test_bridge_does_not_find_an_abbreviation_inside_a_word():
    words = bridgeable({"zh": ("原料药",), "en": ("API",)})
    assert bridge("原料药", "rapid shutdown", words) is None


@pytest.mark.parametrize(
    ("agreement", "points", "expected"),
    [
        (Agreement(need_leaf="A", offer_leaf="A", level="leaf"), 250, [("category.same", "for")]),
        (Agreement(need_leaf="A", offer_leaf="B", parent="P", level="parent"), 170, [("category.near", "for")]),
        (Agreement(need_leaf="A", offer_leaf="B", parent="P", level="parent"), 120, [("category.parent", "against")]),
        (Agreement(need_leaf="A", offer_leaf="B", level="chain"), 60, [("category.chain", "against")]),
        (Agreement(need_leaf="A", offer_leaf="B"), 10, [("category.other", "against")]),
        (Agreement(need_leaf="A", offer_leaf="B"), 170, [("category.also", "for")]),
        (Agreement(need_leaf="A", offer_leaf="B", level="chain"), 100, [("category.also", "for")]),
        (Agreement(need_leaf="A"), 10, []),
    ],
)  # fmt: skip
def test_category_speaks_for_or_against(agreement, points, expected):
    """Named by its author it was asked for; read by the engine it says so."""
    named = Need(1, "接线盒", "zh", category="A", place=JIASHAN)

    asked = told(agreement=agreement, points=parts(category=points), need=named)
    read = told(agreement=agreement, points=parts(category=points))

    assert [(r.code, r.tone) for r in asked if r.code.startswith("category.")] == expected
    assert [(r.code, r.tone) for r in read if r.code.startswith("category.")] == [
        (f"{code}_read", tone) for code, tone in expected
    ]


def test_meaning_alone_is_named_only_when_no_word_is_shared():
    assert "text.meaning" in codes(told(points=parts(text=225)))
    assert "text.meaning" not in codes(told(points=parts(text=224)))
    assert "text.meaning" not in codes(told(agreement=Agreement(terms=("接线盒",))))


def test_unproven_condition_is_open_and_says_what_it_would_give():
    asked = (
        Condition(1, "certification", "must", ("CQC",)),
        Condition(2, "sample_time", "prefer", value=20),
    )

    found = told(conditions=asked)

    assert codes(found, "open") == ["certification.unknown", "sample_time.unknown"]
    assert [dict(r.params) for r in found if r.tone == "raise"] == [
        {"codes": ["CQC"], "tenths": 133},
        {"asked": 20, "tenths": 67},
    ]
    assert codes(found, "against") == []


def test_stated_certificate_is_advised_to_be_verified():
    offer = Offer(7, "enterprise", (), certifications=(Held("CQC", False),), place=PINGHU)

    found = told(conditions=(Condition(1, "certification", "must", ("CQC",)),), offer=offer)

    assert codes(found, "raise")[0] == "raise.verify_certification"


def test_missed_condition_is_against_and_musts_come_first():
    asked = (
        Condition(1, "sample_time", "prefer", value=20),
        Condition(2, "lead_time", "must", value=30),
    )

    found = told(conditions=asked, lead_time_days=45, sample_days=21)

    assert codes(found, "against") == ["lead_time.missed", "sample_time.missed"]


def test_a_missed_must_is_told_beside_what_speaks_against_the_product():
    asked = (Condition(2, "lead_time", "must", value=30),)
    agreement = Agreement(
        need_leaf="A", offer_leaf="B", objections=Objections("安装", "", "machine", "buyer")
    )

    found = told(conditions=asked, lead_time_days=45, agreement=agreement, points=parts(category=0))
    plain = told(
        conditions=asked,
        lead_time_days=45,
        agreement=Agreement(need_leaf="A", offer_leaf="B"),
        points=parts(category=0),
    )

    assert codes(found, "against") == ["text.ruled_out", "lead_time.missed"]
    assert codes(plain, "against") == ["category.other_read", "lead_time.missed"]


def test_a_must_that_is_missed_stands_first_among_what_would_help():
    asked = (
        Condition(1, "certification", "prefer", codes=("CQC",)),
        Condition(2, "capacity", "must", value=500, unit="t"),
        Condition(3, "lead_time", "prefer", value=30),
        Condition(4, "origin", "must", codes=("DE",)),
    )

    found = told(conditions=asked, capacity=Capacity(100, "t"), lead_time_days=45)
    met = told(conditions=asked[1:2], capacity=Capacity(900, "t"))

    assert codes(found, "raise")[0] == "raise.meet_capacity"
    assert len(codes(found, "raise")) == 2
    assert not [code for code in codes(met, "raise") if "meet" in code]
    # Nobody moves to another country for a line.
    assert codes(told(conditions=asked[3:]), "raise") == ["raise.stock"]


@pytest.mark.parametrize(("kind", "told_to_store"), [("enterprise", True), ("university", False)])
def test_who_lends_or_teaches_has_nothing_to_store(kind, told_to_store):
    other = Offer(7, kind, (OfferText(1, "接线盒", "zh"),), place=PINGHU)

    assert ("raise.stock" in codes(told(offer=other))) is told_to_store


def test_distance_asked_for_is_told_once():
    asked = (Condition(1, "distance", "prefer", value=80),)

    found = told(conditions=asked)

    assert [
        (r.code, dict(r.params)) for r in found if r.tone == "for" and r.code != "text.meaning"
    ] == [
        ("distance.met", {"strength": "prefer", "km": 19.1, "asked": 80, "about": True}),
        ("locality.city", {"region": "330400"}),
    ]


def test_place_not_known_is_open_with_the_advice_to_state_it():
    offer = Offer(7, "enterprise", (), place=Place())

    found = told(offer=offer, near=Nearness(), points=parts(locality=0))

    assert codes(found, "open") == ["locality.unknown"]
    assert "raise.place" in codes(found, "raise")


def test_stock_nearby_is_advised_only_for_a_point_or_more():
    assert "raise.stock" in codes(told(points=parts(locality=90)))
    assert "raise.stock" not in codes(told(points=parts(locality=91)))


def test_language_of_the_line_is_advised_when_no_text_speaks_it():
    need = Need(1, "junction box", "en", place=JIASHAN)

    chinese = Offer(7, "enterprise", (OfferText(1, "接线盒", "zh"),), place=PINGHU)
    both = Offer(
        7, "enterprise", (*chinese.texts, OfferText(2, "junction box", "en")), place=PINGHU
    )

    assert "raise.language" in codes(told(need=need, offer=chinese))
    assert "raise.language" not in codes(told(need=need, offer=both))


def test_kept_are_a_few_of_each_tone():
    many = [[Reason("text.meaning", tone)] * 9 for tone in ("for", "open", "against", "raise")]

    tones = [reason.tone for reason in kept(*many)]

    assert tones == ["for"] * 4 + ["open"] * 2 + ["against"] * 2 + ["raise"] * 2
    assert sum(KEPT.values()) == 10


def test_shortlist_has_something_of_every_tone():
    reasons = [
        *(
            Reason(code, "for")
            for code in ("category.same", "text.terms", "certification.met", "capacity.met")
        ),
        *(Reason(code, "open") for code in ("sample_time.unknown", "lead_time.unknown")),
        Reason("distance.missed", "against"),
        Reason("raise.sample_time", "raise"),
    ]

    assert codes(shortlist(reasons)) == [
        "category.same",
        "text.terms",
        "sample_time.unknown",
        "distance.missed",
    ]
    assert codes(shortlist(reasons, advice=True)) == [
        "category.same",
        "sample_time.unknown",
        "distance.missed",
        "raise.sample_time",
    ]
    assert codes(shortlist(reasons, shown=8)) == codes(reasons)[:-1]


def test_codes_are_listed_once():
    assert len(CODES) == len(set(CODES))


def test_reasons_and_outcomes_are_written_by_the_names_of_their_fields():
    asked = Condition(3, "certification", "must", codes=("CQC", "TÜV"))
    case = Case(Offer(7, "enterprise", ()), OfferText(1, "接线盒", "zh"), Units())
    both = [asked, Condition(4, "other", "prefer", text="寄售")]
    stakes = stakes_of(both, 200, WEIGHTING_1)
    outcomes = [
        outcome_of(one, *own, judge(one, case)) for one, own in zip(both, stakes, strict=True)
    ]

    assert [json.loads(one.json) for one in outcomes] == [asdict(one) for one in outcomes]
    assert [one.verdict for one in outcomes] == ["unproven", None]
    assert json.loads(outcomes[0].fact.json) == asdict(outcomes[0].fact)
    assert json.loads(Part("text", 3, 4).json) == {"name": "text", "tenths": 3, "max_tenths": 4}


def test_reasons_that_are_equal_are_one():
    same = reason("text.terms", "for", terms=("接线盒", "IP68"))

    assert same is reason("text.terms", "for", terms=("接线盒", "IP68"))
    assert same == Reason("text.terms", "for", {"terms": ["接线盒", "IP68"]})
    assert {same, Reason("text.terms", "for", {"terms": ["接线盒", "IP68"]})} == {same}
    # A number that is equal but written otherwise is told as it is.
    one, other = reason("distance.met", "for", km=1.0), reason("distance.met", "for", km=1)
    assert (one.json, other.json) == (
        '{"code": "distance.met", "tone": "for", "params": {"km": 1.0}}',
        '{"code": "distance.met", "tone": "for", "params": {"km": 1}}',
    )
