from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from events.models import Registration
from events.services import registration
from tests.factories.chains import MembershipFactory, UserFactory
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory

pytestmark = pytest.mark.django_db


def sent(who, **changed):
    return {"enterprise": who.enterprise.public_id, "purposes": ["supply"], "seats": "2", **changed}


def test_register_gives_seats_and_shows_them(client):
    event, who = EventFactory(), MembershipFactory()
    client.force_login(who.user)
    url = reverse("events:register", args=[event.public_id])

    response = client.post(url, sent(who), follow=True)

    assertRedirects(response, url)
    assertContains(response, "Confirmed. Seats: 2.")
    row = Registration.objects.get()
    assert (row.status, row.seats_held, row.purposes) == ("confirmed", 2, ["supply"])
    assert response.context["form"] is None


def test_register_twice_answers_the_same(client):
    event, who = EventFactory(), MembershipFactory()
    client.force_login(who.user)
    url = reverse("events:register", args=[event.public_id])

    said = [client.post(url, sent(who), follow=True) for _ in range(2)]

    for response in said:
        assertContains(response, "Confirmed. Seats: 2.")
    assert Registration.objects.count() == 1


def test_register_on_the_waiting_list_shows_ones_place(client):
    event, who = EventFactory(seats=1), MembershipFactory()
    RegistrationFactory(event=event)
    other = MembershipFactory()
    registration.register(event=event, enterprise=other.enterprise, seats=1, by=other.user)
    client.force_login(who.user)

    response = client.post(
        reverse("events:register", args=[event.public_id]), sent(who), follow=True
    )

    assertContains(response, "You are on the waiting list. Your place stands below.")
    assertContains(response, "Your place: 2")


def test_register_keeps_what_was_typed_when_it_is_refused(client):
    event, who = EventFactory(), MembershipFactory()
    client.force_login(who.user)

    response = client.post(
        reverse("events:register", args=[event.public_id]),
        sent(who, seats="9", accepts_partial="on"),
    )

    assert response.status_code == 422
    assert response.context["form"]["accepts_partial"].value() is True
    assertContains(response, "Please check the following", status_code=422)


def test_register_for_another_enterprise_is_not_a_choice(client):
    event, who, other = EventFactory(), MembershipFactory(), MembershipFactory()
    client.force_login(who.user)

    response = client.post(reverse("events:register", args=[event.public_id]), sent(other))

    assert response.status_code == 422
    assert not Registration.objects.exists()


def test_cancel_is_one_click_and_for_ones_own_only(client):
    event, who = EventFactory(), MembershipFactory()
    row = registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    url = reverse("events:registration_cancel", args=[row.public_id])
    client.force_login(UserFactory())
    assert client.post(url).status_code == 404

    client.force_login(who.user)
    response = client.post(url, follow=True)

    assertContains(response, "its seats are free again")
    row.refresh_from_db()
    assert row.status == "cancelled"
    assert response.context["form"] is not None


def test_delegates_are_named_seat_by_seat_and_seen_by_nobody_else(client):
    event, who = EventFactory(), MembershipFactory()
    row = registration.register(event=event, enterprise=who.enterprise, seats=2, by=who.user)
    url = reverse("events:delegate_list", args=[row.public_id])
    client.force_login(who.user)
    data = {
        "d-TOTAL_FORMS": 2,
        "d-INITIAL_FORMS": 0,
        "d-0-name": "Delegate A",
        "d-0-job_title": "Sales",
        "d-1-name": "",
    }

    response = client.post(url, data, follow=True)

    assertContains(response, "Delegate A")
    assert list(row.delegates.values_list("name", "job_title")) == [("Delegate A", "Sales")]
    public = client.get(reverse("events:event_detail", args=[event.public_id]))
    assertNotContains(public, "Delegate A")
    client.force_login(MembershipFactory().user)
    assert client.get(url).status_code == 404


def test_a_viewer_sees_delegates_but_cannot_change_them(client):
    row = RegistrationFactory()
    viewer = MembershipFactory(enterprise=row.enterprise, role="viewer")
    client.force_login(viewer.user)
    url = reverse("events:delegate_list", args=[row.public_id])
    data = {"d-TOTAL_FORMS": 1, "d-INITIAL_FORMS": 0, "d-0-name": "Delegate A"}

    assertNotContains(client.get(url), "Save delegates")
    assert client.post(url, data).status_code == 403
    assert not row.delegates.exists()


def test_panel_tells_of_reserved_seats_that_may_come_free(client):
    event = EventFactory(seats=1)
    TierFactory(event=event, seats=3)
    RegistrationFactory(event=event)

    response = client.get(reverse("events:event_detail", args=[event.public_id]))

    assertContains(response, "General seats are full.")
    assertContains(response, "3 reserved seats may come free")
