"""J18: the door of an event, in a browser that loses its network. What a bad one does: tests/faults/test_bad_network.py."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from events.models import CheckIn, Delegate, EventStaff
from tests.factories.chains import UserFactory
from tests.factories.events import EventFactory, RegistrationFactory

HOUR = datetime.timedelta(hours=1)


def doors(persons):
    now = timezone.now()
    event = EventFactory(starts_at=now - HOUR, ends_at=now + 5 * HOUR, seats=500)
    row = RegistrationFactory(
        event=event, seats_asked=persons, enterprise__name_en="Junction Works"
    )
    people = [
        Delegate.objects.create(registration=row, event=event, name=f"Delegate {n:02d}")
        for n in range(persons)
    ]
    staff = EventStaff.objects.create(event=event, user=UserFactory(), role="desk").user
    return event, people, staff


@pytest.mark.django_db(transaction=True)
def test_j18_a_phone_without_a_network_opens_the_page_names_who_it_scans_and_sends_it_later(
    live_server, client, page, until
):
    event, people, staff = doors(3)
    client.force_login(staff)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([{**session, "url": live_server.url}])
    page.goto(live_server.url + reverse("events:check_in", args=[event.public_id]))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.fill("#gate", "North")

    def scan(code):
        page.fill("#code", code)
        page.press("#code", "Enter")

    scan(people[0].short_code)
    page.wait_for_selector(".result >> text=Checked in")
    assert page.inner_text("[data-inside]") == "1"
    assert page.complaints == []

    page.context.set_offline(True)
    page.reload()
    page.fill("#gate", "North")
    scan(f"https://example.com/c/{people[1].token}/")
    page.wait_for_selector(".result >> text=Delegate 01")
    scan("junction")
    page.wait_for_selector("[data-found] >> text=Delegate 02")
    assert page.inner_text("[data-kept]") == "1"
    assert CheckIn.objects.count() == 1

    page.context.set_offline(False)
    row = until(lambda: CheckIn.objects.filter(delegate=people[1]).first())
    page.wait_for_selector("[data-offline]", state="hidden")
    assert (row.gate, row.answer, row.scanned_at < row.received_at) == ("North", "welcome", True)
    assert page.inner_text("[data-inside]") == "2"
