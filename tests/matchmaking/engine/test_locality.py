from __future__ import annotations

from math import asin, cos, exp, isclose, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaking.engine.locality import Places, ancestors, distances, is_known, nearness, steps
from matchmaking.engine.types import Place
from matchmaking.engine.weights import WEIGHTING_1

YRD = frozenset({"YRD"})
JIASHAN = Place(("000000", "330000", "330400", "330421"), YRD)
PINGHU = Place(("000000", "330000", "330400", "330482"), YRD)
NINGBO = Place(("000000", "330000", "330200", "330203"), YRD)
SUZHOU = Place(("000000", "320000", "320500", "320506"), YRD)
GUANGZHOU = Place(("000000", "440000", "440100", "440106"))
XIANTAO = Place(("000000", "420000", "429004"))


def at(place, longitude, latitude, *, about=False):
    return Place(place.regions, place.groups, longitude, latitude, about)


@pytest.mark.parametrize(
    ("other", "level", "region", "share"),
    [
        (JIASHAN, "county", "330421", 1.0),
        (PINGHU, "city", "330400", 0.75),
        (NINGBO, "province", "330000", 0.4),
        (SUZHOU, "group", "YRD", 0.2),
        (GUANGZHOU, "", "", 0.0),
    ],
)
def test_nearness_by_the_closest_region_both_share(other, level, region, share):
    found = nearness(JIASHAN, other, WEIGHTING_1)

    assert (found.level, found.region, found.share, found.km) == (level, region, share, None)


def test_nearness_zone_of_the_same_county_is_the_same_county():
    zone = Place((*JIASHAN.regions, "330421-01"), YRD)

    assert nearness(JIASHAN, zone, WEIGHTING_1).level == "county"


def test_nearness_districts_of_a_municipality_share_a_city():
    pudong = Place(("000000", "310000", "310115"), YRD)
    minhang = Place(("000000", "310000", "310112"), YRD)

    assert nearness(pudong, minhang, WEIGHTING_1).share == 0.75


def test_nearness_counties_directly_under_a_province_share_only_it():
    qianjiang = Place(("000000", "420000", "429005"))

    assert nearness(XIANTAO, qianjiang, WEIGHTING_1).level == "province"


def test_nearness_takes_the_better_of_region_and_distance():
    # Across a provincial border, but 5 km away.
    here, there = at(JIASHAN, 120.926, 30.8309), at(SUZHOU, 120.926, 30.8309 + 5 / 111.195)

    found = nearness(here, there, WEIGHTING_1)

    assert found.level == "group"
    assert found.km == pytest.approx(5, abs=0.001)
    assert found.share == pytest.approx(exp(-5 / 80), abs=1e-4)


def test_nearness_far_apart_in_one_city_keeps_the_points_of_the_city():
    found = nearness(at(JIASHAN, 120.926, 30.8309), at(PINGHU, 121.9, 30.8309), WEIGHTING_1)

    assert found.km == pytest.approx(93.0, abs=0.5)
    assert found.share == 0.75


def test_nearness_says_when_a_centre_stood_in_for_an_address():
    here, exact, about = (at(p, 120.9, 30.8) for p in (JIASHAN, PINGHU, NINGBO))
    about = at(about, 121.5, 29.9, about=True)

    assert nearness(here, exact, WEIGHTING_1).about is False
    assert nearness(here, about, WEIGHTING_1).about is True
    assert nearness(about, exact, WEIGHTING_1).about is True


@pytest.mark.parametrize("unknown", [Place(), Place(("000000",))])
def test_nearness_of_an_unknown_place_cannot_be_known(unknown):
    assert not is_known(unknown)
    assert nearness(JIASHAN, unknown, WEIGHTING_1).share is None
    assert nearness(unknown, JIASHAN, WEIGHTING_1).share is None


def test_nearness_abroad_is_known_to_be_far():
    assert nearness(JIASHAN, Place(), WEIGHTING_1, abroad=True).share == 0.0


def test_steps_of_a_place_known_to_its_city_only():
    assert steps(Place(("000000", "330000", "330400"))) == ("330000", "330400", "")


def test_ancestors_end_above_the_code_itself():
    assert ancestors("330400") == ("000000", "330000")
    assert ancestors("000000") == ()


degrees = st.tuples(st.floats(-180, 180), st.floats(-89, 89))


@given(degrees, degrees)
def test_kilometres_agree_with_the_textbook(a, b):
    (lon1, lat1), (lon2, lat2) = a, b
    h = (
        sin(radians(lat2 - lat1) / 2) ** 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    )
    expected = 2 * 6371.0088 * asin(sqrt(min(1.0, h)))

    found = nearness(at(JIASHAN, lon1, lat1), at(PINGHU, lon2, lat2), WEIGHTING_1)

    assert isclose(found.km, expected, abs_tol=0.002)


places = st.builds(
    Place,
    st.sampled_from(
        [p.regions for p in (JIASHAN, PINGHU, NINGBO, SUZHOU, GUANGZHOU, XIANTAO, Place())]
    ),
    st.sampled_from([YRD, frozenset()]),
    st.one_of(st.none(), st.floats(73, 135)),
    st.one_of(st.none(), st.floats(18, 53)),
    st.booleans(),
)


@given(places, st.lists(places, max_size=8))
def test_many_at_once_equal_one_by_one(place, others):
    columns = distances(Places.of([place] * len(others)), Places.of(others), WEIGHTING_1)

    assert [columns.nearness(row) for row in range(len(others))] == [
        nearness(place, other, WEIGHTING_1) for other in others
    ]


@given(places, st.lists(places, min_size=1, max_size=8))
def test_share_is_between_nothing_and_all_or_unknown(place, others):
    share = distances(Places.of([place] * len(others)), Places.of(others), WEIGHTING_1).share

    assert np.all(np.isnan(share) | ((share >= 0) & (share <= 1)))


def test_taken_rows_are_the_rows_asked_for():
    columns = Places.of([JIASHAN, at(SUZHOU, 120.5, 31.3), GUANGZHOU])

    taken = distances(Places.of([JIASHAN] * 2), columns.take(np.array([2, 0])), WEIGHTING_1)

    assert [taken.nearness(row).level for row in range(2)] == ["", "county"]


@given(st.lists(places, max_size=5), st.lists(places, max_size=5))
def test_places_added_later_are_compared_as_if_they_had_been_there(first, more):
    grown, whole = Places.of(first).with_more(Places.of(more)), Places.of([*first, *more])
    here = Places.of([JIASHAN] * len(whole))

    assert len(grown) == len(first) + len(more)
    found = distances(here, grown, WEIGHTING_1).each()
    assert found == distances(here, whole, WEIGHTING_1).each()
