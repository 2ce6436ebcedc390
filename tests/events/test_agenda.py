"""The day as guests see it, and what is to be done until then."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry
from events.models import Event, EventStaff
from events.services import agenda, events
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, UserFactory, region
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


def one_day(**fields):
    start = (timezone.localtime() + datetime.timedelta(days=14)).replace(
        hour=8, minute=30, second=0, microsecond=0
    )
    return EventFactory(starts_at=start, ends_at=start + 8 * HOUR, **fields)


def part(event, after=0, **fields):
    return {
        "starts_at": event.starts_at + after * HOUR, "ends_at": event.starts_at + (after + 1) * HOUR,
        "title_zh": "签到", "title_en": "Check-in", "room_zh": "A 厅", "room_en": "Hall A", "note_zh": "", "note_en": "",
        **fields,
    }  # fmt: skip


def test_agenda_stands_on_the_page_in_the_order_of_time(client):
    event = one_day()
    later = part(
        event,
        2,
        title_en="Pitches",
        title_zh="路演",
        note_en="Junction boxes",
        room_en="",
        room_zh="",
    )

    agenda.set_agenda(event=event, parts=[later, part(event)], by=organiser_of(event))

    page = client.get(reverse("events:event_detail", args=[event.public_id])).content.decode()
    first, second = page.index("08:30 – 09:30"), page.index("10:30 – 11:30")
    assert first < page.index("Hall A") < second < page.index("Junction boxes")
    shown = client.get(f"/api/v1/events/{event.public_id}/").json()["agenda"]
    assert [(one["title_en"], one["room_zh"]) for one in shown] == [
        ("Check-in", "A 厅"),
        ("Pitches", ""),
    ]
    assert AuditEntry.objects.get(action="event.agenda_set").data == {"parts": 2, "removed": 0}


def test_agenda_goes_along_to_another_day_and_keeps_its_hours():
    event = one_day()
    by = organiser_of(event)
    [row] = agenda.set_agenda(event=event, parts=[part(event)], by=by)
    later = datetime.timedelta(days=3)

    events.edit(
        event=event, by=by, starts_at=event.starts_at + later + HOUR, ends_at=event.ends_at + later
    )

    before = row.starts_at
    row.refresh_from_db()
    assert row.starts_at == before + later


def test_part_that_ends_before_it_starts_or_lies_on_another_day_is_refused():
    event = one_day()
    by = organiser_of(event)

    for changed, said in (
        ({"ends_at": event.starts_at}, "Check-in: A part of the day ends after it starts."),
        ({"ends_at": event.ends_at + 24 * HOUR}, "lies outside the days of the event"),
    ):
        with pytest.raises(DomainError, match=said):
            agenda.set_agenda(event=event, parts=[part(event), part(event, **changed)], by=by)
    with pytest.raises(DomainError, match="Only organisers"):
        agenda.set_agenda(event=event, parts=[], by=MembershipFactory().user)

    assert event.agenda.count() == 0


def test_agenda_is_built_changed_and_taken_down_on_its_page(client):
    event = one_day()
    by = organiser_of(event)
    kept, gone = agenda.set_agenda(event=event, parts=[part(event), part(event, 1)], by=by)
    client.force_login(by)
    address = reverse("events:event_agenda", args=[event.public_id])
    rows = {0: kept, 1: gone}
    data = {"a-TOTAL_FORMS": "3", "a-INITIAL_FORMS": "2", "a-1-DELETE": "on"}
    for n, row in rows.items():
        data |= {
            f"a-{n}-{name}": getattr(row, name) for name in ("public_id", "title_zh", "title_en")
        }
        data |= {f"a-{n}-{name}": timezone.localtime(getattr(row, name)).strftime("%Y-%m-%dT%H:%M") for name in ("starts_at", "ends_at")}  # fmt: skip
    assertContains(client.get(address), "08:30 – 09:30")

    answer = client.post(address, {**data, "a-0-title_en": "Registration"})

    assertRedirects(answer, address)
    assert list(event.agenda.values_list("pk", "title_en")) == [(kept.pk, "Registration")]
    bad = client.post(address, {**data, "a-0-ends_at": data["a-0-starts_at"]})
    assertContains(bad, "A part of the day ends after it starts.", status_code=422)
    bad = client.post(address, {**data, "a-0-title_en": "", "a-2-title_zh": "茶歇"})
    assertContains(bad, '<a href="#id_a-0-title_en">1. Title in English: ', status_code=422)
    assertContains(bad, '<a href="#id_a-2-starts_at">3. From: ', status_code=422)


def test_checklist_names_who_until_when_and_what_is_late(client):
    event = one_day()
    by = organiser_of(event)
    helper = UserFactory(email="helper@demo.example")
    EventStaff.objects.create(event=event, user=helper, role="desk")
    client.force_login(by)
    address = reverse("events:event_checklist", args=[event.public_id])
    data = {
        "c-TOTAL_FORMS": "1", "c-INITIAL_FORMS": "0", "c-0-text": "订桌签", "c-0-owner": helper.public_id,
        "c-0-due_on": str(timezone.localdate() - datetime.timedelta(days=1)),
    }  # fmt: skip

    assertRedirects(client.post(address, data), address)

    row = event.checklist.get()
    assert (row.text, row.owner, row.done_at) == ("订桌签", helper, None)
    assertContains(client.get(address), "Overdue")
    overview = reverse("events:event_overview", args=[event.public_id])
    assertContains(client.get(overview), "0 of 1 done")
    assertContains(client.get(overview), "1 overdue")
    client.post(address, {**data, "c-TOTAL_FORMS": "2", "c-INITIAL_FORMS": "1", "c-0-public_id": row.public_id, "c-0-is_done": "on"})  # fmt: skip
    row.refresh_from_db()
    assert row.done_at is not None
    assertContains(client.get(overview), "1 of 1 done")
    assertNotContains(client.get(overview), "overdue")


def test_only_colleagues_are_given_something_to_do(client):
    event = one_day()
    by = organiser_of(event)
    stranger = OrganiserRoleFactory(region=region("330424")).user
    item = {"text": "x", "owner": stranger, "due_on": None}

    with pytest.raises(DomainError, match="works for a host"):
        agenda.set_checklist(event=event, items=[item], by=by)
    with pytest.raises(DomainError, match="Only organisers"):
        agenda.set_checklist(event=event, items=[], by=stranger)
    client.force_login(by)
    assertNotContains(
        client.get(reverse("events:event_checklist", args=[event.public_id])), stranger.email
    )


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_dates_no_calendar_can_shift_are_refused_where_they_are_typed(client, day):
    """Kept once, such a day would break each page that adds to it, as a copy of the event does."""
    event = one_day()
    client.force_login(organiser_of(event))
    todo = {"c-TOTAL_FORMS": 1, "c-INITIAL_FORMS": 0, "c-0-text": "x", "c-0-due_on": day}
    new = {
        "host": event.host.public_id, "name_zh": "x", "name_en": "y", "starts_at": f"{day}T12:00",
    }  # fmt: skip

    late = client.post(reverse("events:event_checklist", args=[event.public_id]), todo)
    moved = client.post(reverse("events:event_copy", args=[event.public_id]), new)

    for answer in (late, moved):
        assertContains(answer, "between the years 2000 and 2100", status_code=422)
    assert (event.checklist.count(), Event.objects.count()) == (0, 1)
