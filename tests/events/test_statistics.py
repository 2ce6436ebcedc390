"""The figures of series against the slow, obvious count over all rows, on random gatherings."""

from __future__ import annotations

import datetime
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.models import Chain, DockingKind, Region, RegionGroup
from events import statistics
from events.models import Event, Registration, Series
from tests.factories.chains import EnterpriseFactory, region
from tests.factories.events import (
    EventFactory,
    ProgrammeFactory,
    RegistrationFactory,
    SeriesFactory,
)

pytestmark = pytest.mark.django_db

YEAR = 2025
PLACES = ("330000", "330100", "330102", "330400", "330421", "330424", "330482", "340100")
HOMES = ("330421", "330102", "340100", "310000", "440300", None)
CALLED = ("enterprise", "service_provider", "university", "financial_institution")
STATUSES = ("held", "held", "held", "archived", "published", "draft", "cancelled")
KINDS = ("supply_sales", "rd_collab", "project_landing", "talent")


def market(seed, events=14, bodies=9):
    """Two programmes, one with two years; events in none, one or several of their series; guests in every state."""
    roll = random.Random(seed)
    owner = EnterpriseFactory(kind_id="government", scheme="other", number=None, region=region("330000"))  # fmt: skip
    programme = ProgrammeFactory(owner=owner)
    series = [
        SeriesFactory(programme=programme, year=YEAR - 1),
        SeriesFactory(programme=programme, year=YEAR),
        SeriesFactory(year=YEAR),
    ]
    guests = [_body(roll) for _ in range(bodies)]
    for _ in range(events):
        status = roll.choice(STATUSES)
        start = datetime.datetime(
            roll.choice((YEAR - 1, YEAR)), roll.randint(1, 12), roll.randint(1, 28), 9,
            tzinfo=timezone.get_current_timezone(),
        )  # fmt: skip
        event = EventFactory(
            status=status,
            cancel_reason="R" if status == "cancelled" else "",
            level_id=roll.choice(("provincial", "city", "county", "industry")),
            region=region(roll.choice(PLACES)),
            starts_at=start,
            ends_at=start + datetime.timedelta(hours=8),
            registration_opens_at=start - datetime.timedelta(days=30),
            registration_closes_at=start - datetime.timedelta(days=5),
            series=roll.sample(series, roll.randint(0, 3)),
            chains=roll.sample(["PV", "LB", "IC"], roll.randint(0, 2)),
            docking_kinds=roll.sample(KINDS, roll.randint(0, 3)),
            seats=200,
        )
        for guest in roll.sample(guests, roll.randint(0, bodies)):
            state = roll.choice(("confirmed", "confirmed", "confirmed", "waitlisted", "cancelled"))
            seats = roll.randint(1, 3)
            frozen = {"attended": roll.randint(0, seats)} if is_held(event) else {}
            RegistrationFactory(
                event=event, enterprise=guest, status=state, seats_asked=seats, **frozen
            )
    for measure, level, place in (
        ("events", None, None), ("events", "county", None), ("events", "city", "330400"),
        ("events", None, "330421"), ("enterprises", None, None),
    ):  # fmt: skip
        series[1].targets.create(
            measure=measure, level_id=level, region=region(place) if place else None, value=4
        )
    return series


def _body(roll):
    home = roll.choice(HOMES)
    if home is None:
        return EnterpriseFactory(region=None, country="DE", scheme="foreign")
    return EnterpriseFactory(kind_id=roll.choice(CALLED), region=region(home))


# ---- the slow count: every row in Python ----


def events_of(series):
    return [e for e in Event.objects.all() if series in e.series.all() and counts(e)]


def counts(event):
    return event.status not in ("draft", "cancelled")


def is_held(event):
    return event.status in ("held", "archived")


def places_of(events):
    return [
        r
        for r in Registration.objects.select_related("enterprise__kind", "enterprise__province")
        if r.status == "confirmed"
        and r.attended
        and r.event_id in {e.pk for e in events if is_held(e)}
    ]


def slow_participants(places):
    firms = [r for r in places if r.enterprise.kind.counts_as_enterprise]
    others = [r for r in places if not r.enterprise.kind.counts_as_enterprise]
    return {
        "enterprises": len({r.enterprise_id for r in firms}),
        "visits": len(firms),
        "bodies": len({r.enterprise_id for r in others}),
        "persons": sum(r.attended for r in places),
    }


def slow_figures(events):
    held = sorted((e for e in events if is_held(e)), key=lambda e: (e.starts_at, e.pk))
    first = [r for r in places_of(held[:1]) if r.enterprise.kind.counts_as_enterprise]
    return {"held": len(held), **slow_participants(places_of(held)), "first_event": len(first)}


def day_of(event):
    return timezone.localtime(event.starts_at).date()


@pytest.mark.parametrize("seed", range(6))
def test_figures_are_those_of_the_obvious_count(seed):
    before, series, other = market(seed)

    for one in (before, series, other):
        events = events_of(one)
        assert statistics.figures(one) == slow_figures(events)
        assert {row["direction"].code: row["count"] for row in statistics.by_direction(one)} == {
            code: sum(code in {k.direction_id for k in e.docking_kinds.all()} for e in events)
            for code in set(DockingKind.objects.values_list("direction", flat=True))
        }
        assert {row["level"].code: (row["held"], row["planned"]) for row in statistics.by_level(one)
                if row["held"] or row["planned"]} == {
            level: (sum(map(is_held, same)), len(same) - sum(map(is_held, same)))
            for level in {e.level_id for e in events}
            for same in [[e for e in events if e.level_id == level]]
        }  # fmt: skip
        local = [
            e for e in events if e.level_id in ("city", "county") and day_of(e).year == one.year
        ]
        assert [row["count"] for row in statistics.by_quarter(one)] == [
            sum((day_of(e).month - 1) // 3 + 1 == quarter for e in local)
            for quarter in (1, 2, 3, 4)
        ]
        (listed,) = statistics.series_progress(Series.objects.filter(pk=one.pk))
        held = sum(map(is_held, events))
        assert (listed.held, listed.planned) == (held, len(events) - held)
        assert listed.target == (4 if one == series else None)
    of_year = [
        e for e in Event.objects.all() if counts(e) and any(s.year == YEAR for s in e.series.all())
    ]
    assert statistics.grand_total(YEAR) == len(of_year)


@pytest.mark.parametrize("seed", range(6))
def test_participants_by_province_and_group_are_those_of_the_obvious_count(seed):
    _before, series, _other = market(seed)
    places = places_of(events_of(series))

    found = statistics.participants_by_province(series)

    def only(row):
        return {name: row[name] for name in ("enterprises", "visits", "bodies", "persons")}

    homes = {
        (r.enterprise.province, "" if r.enterprise.province else r.enterprise.country)
        for r in places
    }
    assert {(row["region"], row["country"]): only(row) for row in found["rows"]} == {
        home: slow_participants(
            [
                r
                for r in places
                if r.enterprise.province == home[0] and (home[0] or r.enterprise.country == home[1])
            ]
        )
        for home in homes
    }
    if places:
        assert only(found["total"]) == slow_participants(places)
    delta = {r.pk for r in RegionGroup.objects.get(code="YRD").regions.all()}
    assert {r.code for r in Region.objects.filter(pk__in=delta)} == {
        "310000",
        "320000",
        "330000",
        "340000",
    }
    inside = [r for r in places if r.enterprise.province_id in delta]
    assert [only(row) for row in found["groups"]] == ([slow_participants(inside)] if inside else [])


@pytest.mark.parametrize("seed", range(4))
def test_coverage_targets_of_regions_and_chains_are_those_of_the_obvious_count(seed):
    _before, series, _other = market(seed)
    events = events_of(series)

    found = statistics.counties(series)
    heat = statistics.by_chain_and_place(series)

    def inside(place):
        return [e for e in events if place.code in e.region.codes]

    assert {row["county"].code: row["events"] for row in found} == {
        county.code: len(inside(county))
        for county in Region.objects.filter(level="county", is_active=True)
        if "330000" in county.codes
    }
    assert {
        (row["target"].region.code, row["target"].level_id): (row["held"], row["planned"])
        for row in statistics.by_region_target(series)
    } == {
        (code, level): (sum(map(is_held, rows)), len(rows) - sum(map(is_held, rows)))
        for code, level in (("330400", "city"), ("330421", None))
        for rows in [[e for e in inside(region(code)) if level in (None, e.level_id)]]
    }
    cells = {
        (row["place"].code, cell["chain"].code): cell["count"]
        for row in heat["rows"]
        for cell in row["cells"]
    }
    cities = Region.objects.filter(parent__code="330000", is_active=True).exclude(level="zone")
    shown = {c.code for c in heat["chains"]}
    assert cells == {
        (city.code, chain.code): sum(chain in e.chains.all() for e in inside(city))
        for city in cities
        for chain in Chain.objects.filter(code__in=shown)
    }


@pytest.mark.parametrize("today", [datetime.date(YEAR, 6, 15), datetime.date(YEAR, 2, 28)])
def test_row_15_both_years_are_compared_up_to_the_same_day(today, monkeypatch):
    before, series, _other = market(1, events=20)
    monkeypatch.setattr(timezone, "localdate", lambda: today)

    found = statistics.year_on_year(series)

    def until(one, year):
        last = today.replace(year=year)
        return slow_figures([e for e in events_of(one) if day_of(e) <= last])

    then, now = until(before, YEAR - 1), until(series, YEAR)
    assert {row["measure"]: (row["before"], row["now"]) for row in found["rows"]} == {
        name: (then[name], now[name]) for name in now if name != "bodies"
    }
    assert (found["until"], found["until_before"]) == (today, today.replace(year=YEAR - 1))
    assert statistics.year_on_year(before) is None


def test_figures_ask_as_many_queries_for_a_large_series_as_for_a_small_one():
    def asked(events):
        _before, series, _other = market(3, events=events)
        with CaptureQueriesContext(connection) as queries:
            statistics.figures(series)
            statistics.by_level(series)
            statistics.by_region_target(series)
            statistics.by_quarter(series)
            statistics.by_direction(series)
            statistics.year_on_year(series)
            statistics.participants_by_province(series)
            statistics.counties_without(series)
            statistics.by_chain_and_place(series)
        return len(queries)

    assert asked(12) == asked(30)
