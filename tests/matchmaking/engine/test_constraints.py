from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from matchmaking.engine import constraints
from matchmaking.engine.constraints import (
    _COLUMN,
    RULES,
    VERDICTS,
    Case,
    Precedents,
    counted_in,
    judge,
    stated_by,
    verdicts,
)
from matchmaking.engine.explanation import CONDITION_CODES
from matchmaking.engine.types import Capacity, Condition, Held, Offer, OfferText, Place, Reason
from matchmaking.engine.units import Unit, Units

UNITS = Units.of(
    [
        Unit("kg", "mass", 1),
        Unit("t", "mass", 1000),
        Unit("set", "count", 1),
        Unit("pcs", "count", 1),
        Unit("m2", "area", 1),
    ]
)
JIAXING = Place(regions=("000000", "330000", "330400", "330421"), groups=frozenset({"YRD"}))


def ask(kind, strength="must", number=1, **values):
    return Condition(id=number, kind=kind, strength=strength, **values)


def verdict(condition, case):
    return judge(condition, case)[0]


def case(
    *,
    km=None,
    about=False,
    country="CN",
    place=JIAXING,
    certifications=(),
    qualifications=(),
    **text,
):
    spoken = OfferText(id=1, text="接线盒", language="zh", **text)
    offer = Offer(
        id=7,
        kind="enterprise",
        texts=(spoken,),
        certifications=certifications,
        qualifications=qualifications,
        place=place,
        country=country,
    )
    return Case(offer, spoken, UNITS, km, about)


def test_certification_verified_is_met_by_any_of_the_codes():
    condition = ask("certification", codes=("TUV", "CQC"))
    supplier = case(certifications=(Held("CQC", verified=True),))

    assert judge(condition, supplier) == (
        "met",
        Reason("certification.met", "for", {"strength": "must", "code": "CQC"}),
    )


def test_certification_only_stated_is_unproven_with_that_fact():
    condition = ask("certification", codes=("TUV", "CQC"))
    supplier = case(certifications=(Held("TUV", verified=False),))

    assert judge(condition, supplier) == (
        "unproven",
        Reason("certification.stated", "open", {"strength": "must", "code": "TUV"}),
    )


def test_certification_stated_and_another_verified_is_met():
    supplier = case(certifications=(Held("TUV", verified=False), Held("CQC", verified=True)))

    assert verdict(ask("certification", codes=("TUV", "CQC")), supplier) == "met"


@pytest.mark.parametrize("kind", ["certification", "qualification"])
def test_paper_not_on_file_is_unproven_never_missed(kind):
    papers = {f"{kind}s": (Held("ISO9001", verified=True),)}

    assert judge(ask(kind, "prefer", codes=("IATF16949",)), case(**papers)) == (
        "unproven",
        Reason(f"{kind}.unknown", "open", {"strength": "prefer", "codes": ["IATF16949"]}),
    )


def test_qualification_is_not_looked_for_among_certifications():
    supplier = case(certifications=(Held("little_giant", verified=True),))

    assert verdict(ask("qualification", codes=("little_giant",)), supplier) == "unproven"


@pytest.mark.parametrize(
    ("codes", "place", "country", "expected"),
    [
        (("330421",), JIAXING, "CN", "met"),
        (("320000", "330400"), JIAXING, "CN", "met"),
        (("YRD",), JIAXING, "CN", "met"),
        (("330482",), JIAXING, "CN", "missed"),
        (("330421-01",), JIAXING, "CN", "unproven"),
        (("330482",), Place(regions=("000000", "330000", "330400")), "CN", "unproven"),
        (("320000",), Place(regions=("000000", "330000", "330400")), "CN", "missed"),
        (("330482",), Place(regions=("000000",)), "CN", "unproven"),
        (("YRD",), Place(regions=("000000",)), "CN", "unproven"),
        (("000000",), JIAXING, "CN", "met"),
        (("330482",), Place(), "CN", "unproven"),
        (("330482",), Place(), "", "unproven"),
        (("330482",), Place(), "DE", "missed"),
    ],
)
def test_region_is_missed_only_where_the_place_contradicts(codes, place, country, expected):
    assert verdict(ask("region", codes=codes), case(place=place, country=country)) == expected


@pytest.mark.parametrize(
    ("km", "expected"), [(79.9, "met"), (80.0, "met"), (80.1, "missed"), (None, "unproven")]
)
def test_distance_by_kilometres(km, expected):
    assert verdict(ask("distance", value=80), case(km=km)) == expected


def test_distance_to_the_centre_of_a_region_is_computed_and_flagged():
    assert judge(ask("distance", "prefer", value=80), case(km=42.04, about=True)) == (
        "met",
        Reason(
            "distance.met", "for", {"strength": "prefer", "km": 42.0, "asked": 80, "about": True}
        ),
    )


@pytest.mark.parametrize(
    ("capacity", "value", "unit", "expected", "code"),
    [
        (Capacity(1.2, "t"), 1200, "kg", "met", "capacity.met"),
        (Capacity(0.3, "t"), 300, "kg", "met", "capacity.met"),
        (Capacity(1.199, "t"), 1200, "kg", "missed", "capacity.missed"),
        (Capacity(500_000, "set"), 500_000, "pcs", "met", "capacity.met"),
        (Capacity(500_000, "m2"), 500, "t", "unproven", "capacity.unlike"),
        (Capacity(500_000, "barrel"), 500, "t", "unproven", "capacity.unlike"),
        (Capacity(500, "barrel"), 500, "barrel", "met", "capacity.met"),
        (None, 500, "t", "unproven", "capacity.unknown"),
    ],
)
def test_capacity_compares_like_dimensions_only(capacity, value, unit, expected, code):
    outcome, fact = judge(ask("capacity", value=value, unit=unit), case(capacity=capacity))

    assert (outcome, fact.code) == (expected, code)


@pytest.mark.parametrize(
    ("kind", "field"), [("lead_time", "lead_time_days"), ("sample_time", "sample_days")]
)
@pytest.mark.parametrize(
    ("days", "expected", "code"),
    [
        (20, "met", "met"),
        (0, "met", "met"),
        (21, "missed", "missed"),
        (None, "unproven", "unknown"),
    ],
)
def test_days_at_most(kind, field, days, expected, code):
    outcome, fact = judge(ask(kind, value=20), case(**{field: days}))

    assert (outcome, fact.code) == (expected, f"{kind}.{code}")


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [({"joint_rd", "purchase_order"}, "met"), ({"purchase_order"}, "missed"), (set(), "unproven")],
)
def test_cooperation_by_what_the_text_ticks(kinds, expected):
    condition = ask("cooperation", codes=("joint_rd", "licence"))

    assert verdict(condition, case(cooperation_kinds=frozenset(kinds))) == expected


@pytest.mark.parametrize(
    ("country", "expected"), [("CN", "met"), ("DE", "missed"), ("", "unproven")]
)
def test_origin_by_country(country, expected):
    assert verdict(ask("origin", codes=("CN",)), case(country=country)) == expected


def test_other_is_shown_and_never_computed():
    condition = ask("other", text="寄售库存")

    assert judge(condition, case()) == (None, None)
    assert counted_in(condition) == ""


def test_region_and_distance_count_in_locality_all_others_in_conditions():
    parts = {kind: counted_in(ask(kind)) for kind in RULES}

    assert {kind for kind, part in parts.items() if part == "locality"} == {"region", "distance"}
    assert set(parts.values()) == {"locality", "conditions"}


def test_every_fact_has_a_code_of_the_closed_list():
    named = {code.partition(".")[0] for code in CONDITION_CODES}

    assert named == set(RULES)
    assert {code.partition(".")[2] for code in CONDITION_CODES} == set(VERDICTS)


def test_unit_of_no_known_code_is_compared_with_itself_only():
    assert UNITS.convert(3, "barrel", "barrel") == 3
    assert UNITS.convert(3, "barrel", "kg") is None


@pytest.mark.parametrize(("kind", "judged_alone"), [("origin", 4), ("distance", 0)])
@pytest.mark.parametrize("value", [50, None])
def test_of_many_each_fares_as_alone_and_of_those_that_state_the_same_one_is_judged(
    kind, judged_alone, value
):
    rng = np.random.default_rng(9)
    countries = rng.choice(["CN", "DE", "VN", ""], 40).tolist()
    ways = rng.choice([5.0, 50.0, 50.001, float("nan")], 40)
    offers = [Offer(number, "enterprise", (), country=one) for number, one in enumerate(countries)]
    text = OfferText(1, "hoses", "en")
    stated = np.array([stated_by(offer, text) for offer in offers], np.int64)
    condition = ask(kind, codes=("DE",), value=value)
    judged = []

    def read(place):
        judged.append(place)
        way = float(ways[place])
        return Case(offers[place], text, UNITS, None if isnan(way) else way)

    precedents = Precedents()
    found = verdicts(condition, stated, ways, read, precedents).tolist()

    assert len(judged) == judged_alone
    assert verdicts(condition, stated[::-1], ways[::-1], read, precedents).tolist() == found[::-1]
    assert len(judged) == judged_alone
    assert found == [verdict(condition, read(place)) for place in range(40)]
    assert kind == "distance" or {*found} == {"met", "missed", "unproven"}


def test_a_precedent_is_one_of_the_same_condition_whatever_its_id(monkeypatch):
    monkeypatch.setattr(constraints, "CONDITIONS_KEPT", 3)
    text, precedents = OfferText(1, "hoses", "en"), Precedents()
    offers = [Offer(1, "enterprise", (), country="DE"), Offer(2, "enterprise", (), country="CN")]
    numbers = [stated_by(offer, text)[_COLUMN["origin"]] for offer in offers]
    asked = [
        ask("origin", strength, number, codes=(code,))
        for number, (strength, code) in enumerate(
            [("must", "DE"), ("prefer", "DE"), ("must", "CN"), ("must", "VN"), ("must", "DE")]
        )
    ]
    judged = []

    def read(place):
        judged.append(place)
        return Case(offers[place], text, UNITS)

    for condition in (*asked, *asked[:2]):
        expected = [judge(condition, Case(offer, text, UNITS)) for offer in offers]
        assert [*precedents.judge(condition, numbers, read)] == expected

    # With the fourth all before it are forgotten; the last of all but one is known still.
    assert len(judged) == 2 * (4 + 1 + 0 + 1)
