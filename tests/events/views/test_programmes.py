"""Pages of programmes and series: kept by their body, and every number leads to as many rows."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from chains.models import Region
from events import statistics
from events.models import Programme, Series
from events.views.figures import OF_SERIES
from tests.events.test_statistics import market
from tests.factories.chains import OrganiserRoleFactory
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def test_every_number_of_the_page_leads_to_a_list_of_as_many_events():
    _before, series, _other = market(2, events=25)
    client = Client()
    page = unescape(
        client.get(reverse("events:series_detail", args=[series.public_id])).content.decode()
    )
    links = re.findall(r'href="(/events/\?series=[^"]+)">([\d,]+)', page)

    wrong = {
        address: (number, found)
        for address, number in links
        if str(found := client.get(address).content.decode().count("<article")) != number
    }

    covered = re.findall(r'href="(/series/\w+/counties/\?show=covered[^"]+)">(\d+)', page)
    assert len(links) > 20
    assert wrong == {}
    assert covered != []
    assert [(len(client.get(address).context["rows"]), int(n)) for address, n in covered] == [
        (int(n), int(n)) for _address, n in covered
    ]


def test_numbers_of_participants_lead_to_as_many_bodies():
    _before, series, _other = market(2, events=25)
    client = Client()
    client.force_login(OrganiserRoleFactory(region=Region.objects.get(code="000000")).user)
    page = unescape(
        client.get(reverse("events:series_detail", args=[series.public_id])).content.decode()
    )
    links = re.findall(r'href="(/series/\w+/participants/\?kind=(\w+)[^"]*)">(\d+)</a>', page)

    answers = [(client.get(address).context, int(number)) for address, _kind, number in links]

    assert len(links) > 8
    # Those of both years too: eight figures, two of them of persons.
    year_before = re.findall(
        r'href="(/series/\w+/participants/\?[^"]*)">(\d+)<span class="sr"> \d{4}<', page
    )
    found = [
        (client.get(address).context, int(number), "kind=" in address)
        for address, number in year_before
    ]
    assert len(found) == 8
    for context, number, counts_bodies in found:
        paginator = context["page_obj"].paginator
        persons = sum(row["persons"] for row in paginator.object_list)
        assert number in ((paginator.count, context["visits"]) if counts_bodies else (persons,))
    assert all(number in (c["page_obj"].paginator.count, c["visits"]) for c, number in answers)
    # The workbook says the same.
    address = reverse("events:series_detail", args=[series.public_id])
    file = io.BytesIO(client.get(f"{address}?export=xlsx").getvalue())
    book = CalamineWorkbook.from_filelike(file)
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    figures, measures = statistics.figures(series), ("held", "enterprises", "visits", "bodies")
    assert [row[1] for row in sheets["Figures"][1:5]] == [figures[name] for name in measures]
    assert sum(row[2] for row in sheets["Events by county"][1:]) == sum(
        row["events"] for row in statistics.counties(series)
    )
    for key, title in OF_SERIES.items():
        table = client.get(f"{address}?export=csv&table={key}")
        lines = b"".join(table.streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0].split(",")[0] == sheets[str(title)][0][0]
    assert {"Year on year", "Participants by province", "Against targets"} <= set(sheets)
    assert (
        "participants/?kind"
        not in Client()
        .get(reverse("events:series_detail", args=[series.public_id]))
        .content.decode()
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_body_makes_a_programme_a_year_targets_and_puts_an_event_in(language):
    role = OrganiserRoleFactory()
    event = EventFactory()
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(role.user)

    names = {"owner": role.body.public_id, "name_zh": "百场万企", "name_en": "Hundred Fields"}
    client.post(reverse("events:programme_create"), names)
    programme = Programme.objects.get()
    empty = client.get(reverse("events:programme_detail", args=[programme.public_id]))
    client.post(
        reverse("events:series_create", args=[programme.public_id]), {"year": event.starts_at.year}
    )
    series = Series.objects.get()
    client.post(
        reverse("events:series_edit", args=[series.public_id]),
        {"events": "12", "level_county": "3", "r-TOTAL_FORMS": "1", "r-INITIAL_FORMS": "0",
         "r-0-region": event.region.code, "r-0-value": "2"},
    )  # fmt: skip
    address = reverse("events:series_events", args=[series.public_id])
    offered = client.get(address, {"show": "out"})
    client.post(address, {"event": event.public_id, "action": "add"})

    assert empty.status_code == 200
    assert offered.context["page_obj"].paginator.count == 1
    assert list(series.events.all()) == [event]
    assert {(t.level_id, t.region, t.value) for t in series.targets.all()} == {
        (None, None, 12), ("county", None, 3), (None, event.region, 2),
    }  # fmt: skip
    assert (
        client.get(reverse("events:series_detail", args=[series.public_id])).context["levels"][0][
            "short"
        ]
        == 2
    )

    client.post(address, {"event": event.public_id, "action": "remove"})

    assert list(series.events.all()) == []
    assert Client().get(reverse("events:series_detail", args=[series.public_id])).status_code == 404
