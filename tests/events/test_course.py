from __future__ import annotations

import csv
import datetime
import io
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains
from python_calamine import CalamineWorkbook

from chains.models import Category
from events import statistics
from events.models import Registration
from events.views.figures import OF_EVENT
from tests.factories.chains import CapabilityFactory, region
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory, organiser_of

pytestmark = pytest.mark.django_db


def came_in(event, days_ago, **fields):
    row = RegistrationFactory(event=event, **fields)
    at = timezone.now() - datetime.timedelta(days=days_ago)
    Registration.objects.filter(pk=row.pk).update(created_at=at)
    return row


def test_registrations_are_counted_by_day_and_empty_days_stay():
    event = EventFactory()
    for days_ago, seats in ((3, 1), (3, 2), (0, 1)):
        came_in(event, days_ago, seats_asked=seats)

    spans = statistics.registrations_over_time(event)

    today = timezone.localdate()
    assert [(today - span.first).days for span in spans] == [3, 2, 1, 0]
    assert [(span.registrations, span.seats) for span in spans] == [(2, 3), (0, 0), (0, 0), (1, 1)]


def test_long_time_is_counted_by_several_days_together_and_loses_none():
    event = EventFactory(seats=50)
    for days_ago in (100, 57, 56, 1):
        came_in(event, days_ago)

    spans = statistics.registrations_over_time(event)

    assert len(spans) <= statistics.SPANS
    assert sum(span.registrations for span in spans) == 4
    assert all(
        one.last + datetime.timedelta(days=1) == other.first for one, other in pairwise(spans)
    )


def test_funnel_tells_who_came_only_once_the_event_is_held():
    ahead, over = EventFactory(), EventFactory(held=True)
    RegistrationFactory(event=ahead)
    RegistrationFactory(event=ahead, status="waitlisted")
    RegistrationFactory(event=over, seats_asked=2)
    RegistrationFactory(event=over, attended=0)

    assert statistics.funnel(ahead) == (0, 2, 1, None, None)
    found = statistics.funnel(over)
    assert (found, found.absent) == ((0, 2, 2, 1, 2), 1)


def test_overview_shows_the_course_with_chains_of_those_confirmed(client):
    event = EventFactory()
    guest = came_in(event, 1)
    leaf = Category.objects.filter(segment__chain__code="PV").first()
    CapabilityFactory(enterprise=guest.enterprise, categories=[leaf.code])
    client.force_login(organiser_of(event))

    page = client.get(reverse("events:event_overview", args=[event.public_id]))

    assert [(chain.code, count) for chain, count in page.context["chains"]] == [("PV", 1)]
    text = page.content.decode()
    assert all(words in text for words in ("From asked to present", "Registrations over time"))
    # What is open before the doors are.
    assert page.context["unready"] == {"seats": 1, "letters": 0, "draw": False, "lacks_desk": True}
    assert "1 confirmed seat has no name yet" in text
    # Moved without its tiers: reserved seats would flow on to nobody.
    assert page.context["late_tiers"] == []
    tier = TierFactory(event=event, reserved_until=event.starts_at)
    late = client.get(reverse("events:event_overview", args=[event.public_id]))
    assert late.context["late_tiers"] == [tier]
    assertContains(late, "They would never become general.")
    assert "Did not come" not in text


def test_figures_of_the_overview_come_as_a_workbook_with_a_sheet_for_each_table(client):
    event = EventFactory(name_en="=Docking")
    came_in(event, 3, seats_asked=2, enterprise__region=region("320505"))
    came_in(event, 1, status="waitlisted", seats_asked=4)
    client.force_login(organiser_of(event))
    address = reverse("events:event_overview", args=[event.public_id])
    page = client.get(address)
    assertContains(page, 'href="?export=xlsx"')

    answer = client.get(f"{address}?export=xlsx")

    assert f"figures-{event.public_id}.xlsx" in answer["Content-Disposition"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.getvalue()))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    figures = dict(map(tuple, sheets["Figures"]))
    assert (figures["Registered"], figures["Confirmed"], figures["Seats confirmed"]) == (2, 1, 2)
    assert figures["Seats asked on the waiting list"] == 4
    assert figures["Did not come"] == ""  # not known before the event is over
    assert sheets["Confirmed by province"][1:] == [["Jiangsu", 1, 2]]
    assert [row[1:] for row in sheets["Registrations by day"][1:]] == [[1, 2], [1, 4]]
    assert sheets["Seats by tier"][1][:6] == ["General", 10, 2, 0, 8, ""]
    # Each table by itself, beside the workbook: the same cells.
    for key, title in OF_EVENT.items():
        assertContains(
            page,
            f'<a href="?export=csv&amp;table={key}">{title} <span class="muted small">CSV</span></a>',
            html=True,
        )
        file = client.get(f"{address}?export=csv&table={key}")
        assert f"figures-{event.public_id}-{key}.csv" in file["Content-Disposition"]
        text = b"".join(file.streaming_content).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        wanted = [
            [f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in sheets[str(title)]
        ]
        assert rows[: len(wanted)] == wanted
    assert client.get(f"{address}?export=csv&table=nothing").status_code == 404
    client.force_login(organiser_of(EventFactory()))
    assert client.get(f"{address}?export=xlsx").status_code == 404


def test_overview_of_one_that_was_held_leads_with_who_came(client):
    event = EventFactory(held=True, seats=9)
    RegistrationFactory(event=event, seats_asked=3)
    RegistrationFactory(event=event, enterprise__kind_id="university", seats_asked=1)
    RegistrationFactory(event=event, seats_asked=2, attended=0)
    client.force_login(organiser_of(event))

    page = client.get(reverse("events:event_overview", args=[event.public_id]))

    assert page.context["came"] == {"enterprises": 1, "bodies": 1, "persons": 4}
    text = page.content.decode()
    assert text.index("Persons who came") < text.index("From asked to present")
    assert "Seats taken" not in text
    assert "of 6 confirmed" in text
