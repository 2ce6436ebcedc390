from __future__ import annotations

import datetime

import pytest
import vobject
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from events import statistics
from events.models import Event, Registration
from tests.factories.chains import EnterpriseFactory, MembershipFactory, RequirementFactory, region
from tests.factories.events import (
    EventFactory,
    ProgrammeFactory,
    RegistrationFactory,
    SeriesFactory,
    TierFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
LIST = "/events/"


def at(year, month, day):
    return datetime.datetime(year, month, day, 9, tzinfo=timezone.get_current_timezone())


def held(year, month, **fields):
    start = at(year, month, 10)
    return EventFactory(
        **{
            "status": "held",
            "starts_at": start,
            "ends_at": start + datetime.timedelta(hours=8),
            "registration_opens_at": start - datetime.timedelta(days=30),
            "registration_closes_at": start - datetime.timedelta(days=5),
            **fields,
        }
    )


def shown(client, query):
    return [event.pk for event in client.get(f"{LIST}?{query}").context["page_obj"]]


def test_list_shows_upcoming_first_and_never_a_draft(client):
    later = EventFactory(
        starts_at=timezone.now() + datetime.timedelta(days=20),
        ends_at=timezone.now() + datetime.timedelta(days=21),
    )
    sooner, over = EventFactory(), held(2026, 1)
    draft = EventFactory(draft=True)

    assert shown(client, "") == [sooner.pk, later.pk]
    assert shown(client, "status=all") == [sooner.pk, later.pk, over.pk]
    assertNotContains(client.get(LIST), draft.name_en)


def test_list_shows_drafts_to_their_organisers(client):
    draft = EventFactory(draft=True)
    client.force_login(organiser_of(draft))

    assert shown(client, "") == [draft.pk]


def test_row_4_city_and_county_events_of_a_quarter_are_the_rows_below(client):
    city = held(2023, 2, level_id="city", region=region("330400"))
    county = held(2023, 3, level_id="county")
    held(2023, 2, level_id="provincial")
    held(2023, 4, level_id="city")

    response = client.get(f"{LIST}?level=city&level=county&year=2023&quarter=1")

    assert sorted(event.pk for event in response.context["page_obj"]) == [city.pk, county.pk]
    assert response.context["page_obj"].paginator.count == 2
    levels = {
        item["row"].code: item["count"]
        for facet in response.context["facets"]
        if facet["name"] == "level"
        for item in facet["choices"]
    }
    assert levels == {"city": 1, "county": 1, "provincial": 1}


@pytest.mark.parametrize("typed", ["region_q=Jiaxing", "region=330400", "region_q=嘉兴市"])
def test_list_by_a_typed_region_takes_its_subtree(client, typed):
    inside = EventFactory(region=region("330421"))
    EventFactory(region=region("330106"))

    assert shown(client, typed) == [inside.pk]


def test_list_by_chain_direction_and_word(client):
    wanted = EventFactory(chains=["DS"], docking_kinds=["finance"], name_zh="氢能对接会")
    chain = wanted.chains.first()
    EventFactory()

    assert shown(client, "direction=projects") == [wanted.pk]
    assert shown(client, "q=氢能") == [wanted.pk]
    if chain:
        assert shown(client, f"chain={chain.code}") == [wanted.pk]


def test_calendars_subscribe_to_any_state_of_the_list_and_learn_what_was_called_off(client):
    wanted = EventFactory(chains=["DS"], docking_kinds=["finance"], name_zh="氢能对接会")
    off = EventFactory(status="cancelled", cancel_reason="Storm", name_zh="氢能论坛")
    EventFactory()
    EventFactory(draft=True, name_zh="氢能筹备")
    EventFactory(
        name_zh="氢能旧会", status="held", starts_at=wanted.starts_at - 60 * DAY,
        ends_at=wanted.ends_at - 60 * DAY,
    )  # fmt: skip
    address = reverse("events:event_feed") + "?q=氢能"
    assertContains(
        client.get(reverse("events:event_list") + "?q=氢能"), "/events/calendar.ics?q=%E6%B0%A2"
    )

    answer = client.get(address)

    entries = vobject.readOne(answer.content.decode()).vevent_list
    assert {(one.summary.value, one.status.value) for one in entries} == {
        (wanted.name_en, "CONFIRMED"), (off.name_en, "CANCELLED"),
    }  # fmt: skip
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_list_without_a_hit_says_so_in_both_languages(client):
    assertContains(client.get(f"{LIST}?q=nowhere"), "No event fits these filters")
    client.cookies["django_language"] = "zh-hans"
    assertContains(client.get(f"{LIST}?q=nowhere"), "没有符合条件的对接会")
    # A day that no calendar has years behind or before is no filter.
    for day in ("9999-12-31", "0001-01-01"):
        assert client.get(LIST, {"until": day}).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_event_and_for_three(client, django_assert_num_queries, count):
    for _ in range(count):
        event = EventFactory(chains=["DS"])
        TierFactory(event=event)

    with django_assert_num_queries(12):
        assert len(client.get(LIST).context["page_obj"]) == count


@pytest.mark.parametrize("count", [1, 3])
def test_event_page_costs_the_same_whatever_is_listed(client, django_assert_num_queries, count):
    event = EventFactory()
    for number in range(count):
        requirement = RequirementFactory(lines=["a", "b"])
        event.listings.create(requirement=requirement, code=f"c{number}", order=number)
        RegistrationFactory(event=event)

    with django_assert_num_queries(16):
        response = client.get(reverse("events:event_detail", args=[event.public_id]))

    assert (len(response.context["requirements"]), response.context["line_count"]) == (
        count,
        2 * count,
    )


def test_event_page_lists_only_what_is_published(client):
    event = EventFactory()
    public, secret = RequirementFactory(), RequirementFactory(approved=True)
    for number, row in enumerate((public, secret)):
        event.listings.create(requirement=row, code=f"c{number}", order=number)

    response = client.get(reverse("events:event_detail", args=[event.public_id]))

    assertContains(response, public.title)
    assertNotContains(response, secret.title)


def test_row_16_a_bank_is_counted_apart_from_enterprises(client):
    event = EventFactory()
    RegistrationFactory(event=event, seats_asked=2)
    RegistrationFactory(event=event, enterprise=EnterpriseFactory(kind_id="financial_institution"))

    guests = client.get(reverse("events:event_detail", args=[event.public_id])).context["guests"]

    assert (guests.enterprises, guests.bodies, guests.seats) == (1, 1, 3)


def test_visitors_are_asked_to_sign_in_to_register(client):
    event = EventFactory()
    url = reverse("events:register", args=[event.public_id])

    assertContains(
        client.get(reverse("events:event_detail", args=[event.public_id])), "Sign in to register"
    )
    assert client.post(url).status_code == 302
    assert not event.registrations.exists()


@pytest.mark.parametrize("name", ["event_detail", "register"])
def test_a_stranger_finds_no_draft(client, name):
    event = EventFactory(draft=True)
    client.force_login(MembershipFactory().user)

    assert client.get(reverse(f"events:{name}", args=[event.public_id])).status_code == 404


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "cancelled", "cancel_reason": "Storm"},
        {"waiting_rule": "draw", "admission": "reviewed"},
        {"waiting_rule": "tier_then_arrival"},
    ],
)
def test_event_page_in_each_state_and_language(language, fields):
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    event = EventFactory(**fields)
    TierFactory(event=event)

    response = client.get(reverse("events:event_detail", args=[event.public_id]))

    assertContains(response, event.name_zh if language == "zh-hans" else event.name_en)
    # Nothing asks to register for what is over or was called off.
    assert (b"registration-panel" in response.content) == (event.status == "published")


# ---- series ----


def test_row_6_an_event_in_two_series_counts_in_each_and_once_in_the_grand_total(client):
    first, second = SeriesFactory(year=2026), SeriesFactory(year=2026)
    held(2026, 2, series=[first, second])
    held(2026, 3, series=[first])

    rows = {row.pk: row.held for row in client.get("/series/").context["page_obj"]}

    assert rows == {first.pk: 2, second.pk: 1}
    assert client.get("/series/").context["totals"] == [{"year": 2026, "count": 2}]


def test_row_15_the_first_event_beside_that_of_the_year_before(client):
    programme = ProgrammeFactory()
    before, now = (SeriesFactory(programme=programme, year=year) for year in (2022, 2023))
    for series, count in ((before, 2), (now, 4)):
        event = held(series.year, 2, series=[series], seats=20)
        for _ in range(count):
            RegistrationFactory(event=event)
        RegistrationFactory(event=event, enterprise=EnterpriseFactory(kind_id="university"))

    rows = {row["measure"]: row for row in statistics.year_on_year(now)["rows"]}

    assert rows["first_event"] == {"measure": "first_event", "before": 2, "now": 4, "factor": 2.0}
    page = client.get(reverse("events:series_detail", args=[now.public_id]))
    assertContains(page, "×2.0")


def test_row_3_counties_with_zero_events_are_exactly_those_without(client):
    owner = EnterpriseFactory(kind_id="government", region=region("330400"))
    series = SeriesFactory(programme__owner=owner, year=2026)
    held(2026, 2, series=[series], region=region("330421"))
    EventFactory(series=[series], region=region("330424"))
    EventFactory(draft=True, series=[series], region=region("330402"))
    held(2026, 2, region=region("330411"))

    rows = statistics.counties_without(series)

    assert [(row["city"].code, row["covered"]) for row in rows] == [("330400", 2)]
    without = {county.code for county in rows[0]["without"]}
    assert {"330402", "330411"} <= without
    assert not {"330421", "330424"} & without
    assert len(without) == rows[0]["all"] - 2


def test_row_1_progress_against_targets_by_level(client):
    series = SeriesFactory(year=2026)
    series.targets.create(measure="events", level_id="county", value=3)
    held(2026, 2, series=[series])
    EventFactory(series=[series])
    Event.objects.filter(status="published").update(
        starts_at=at(2026, 12, 1), ends_at=at(2026, 12, 2)
    )

    (row,) = statistics.by_level(series)

    assert (row["level"].code, row["held"], row["planned"], row["target"], row["short"]) == (
        "county",
        1,
        1,
        3,
        1,
    )
    assertContains(client.get(reverse("events:series_detail", args=[series.public_id])), "1 short")


def test_page_of_an_event_that_was_held_says_who_came_and_one_called_off_asks_nobody(client):
    event = EventFactory(held=True)
    for attended, kind in ((2, "enterprise"), (0, "enterprise"), (3, "financial_institution")):
        row = RegistrationFactory(event=event, seats_asked=3, enterprise__kind_id=kind)
        Registration.objects.filter(pk=row.pk).update(attended=attended)
    address = reverse("events:event_detail", args=[event.public_id])

    held = client.get(address)

    assert held.context["came"] == {"enterprises": 1, "bodies": 1, "persons": 5}
    assert [(row["bodies"], row["seats"]) for row in held.context["kinds"]] == [(1, 2), (1, 3)]
    assertContains(held, '<h2 id="who">Who came</h2>')
    for present in ("Who is coming", "Confirmed enterprises", 'href="#reg"', "How seats are given"):
        assertNotContains(held, present)
    Event.objects.filter(pk=event.pk).update(status="cancelled", cancel_reason="Flood")
    off = client.get(address)
    for present in ("Who is coming", "Who came", "Confirmed enterprises", 'href="#reg"'):
        assertNotContains(off, present)
    assertContains(off, "No requirement was listed here.")
