"""The pages by which an offer is answered, a seat given back, and a move by hand seen."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains import notifications
from chains.models import Notification
from events import permissions, tasks
from events.models import Registration
from events.services import registration, waiting_list
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db


def applied(event, seats=1, **fields):
    who = MembershipFactory()
    return registration.register(
        event=event, enterprise=who.enterprise, seats=seats, by=who.user, **fields
    ), who.user


@pytest.fixture
def offer():
    """An offer of one of two seats, and one who waits behind."""
    event = EventFactory(seats=1, name_en="Docking & More")
    seated, first = applied(event)
    row, owner = applied(event, 2, accepts_partial=True)
    applied(event)
    registration.cancel(registration=seated, by=first)
    row.refresh_from_db()
    return row, owner


def test_an_offer_is_taken_on_the_page_of_the_event(client, offer):
    row, owner = offer
    client.force_login(owner)
    page = reverse("events:register", args=[row.event.public_id])
    assertContains(client.get(page), "Take the seat")

    response = client.post(reverse("events:registration_accept", args=[row.public_id]), follow=True)

    assertRedirects(response, page)
    assertContains(response, "The seats are yours")
    assert Registration.objects.get(pk=row.pk).status == "confirmed"


@pytest.mark.parametrize(("action", "status"), [("accept", "confirmed"), ("leave", "cancelled")])
def test_the_link_of_the_letter_answers_without_signing_in_and_never_by_a_mere_visit(
    settled_feed, offer, action, status
):
    row, owner = offer
    tasks.read_changes()
    notice = Notification.objects.get(kind="registration_offered", to=owner, channel="email")
    letter = notifications.render(notice, notifications.rows_of([notice]), "en")
    link = letter.body.split()[-1].split("/", 3)[3]
    assert letter.subject == "A seat is free for you: Docking & More"
    assert letter.href == reverse("events:register", args=[row.event.public_id])
    strangers = Client(enforce_csrf_checks=False)

    shown = strangers.get(f"/{link}")

    assertContains(shown, "1 seat")
    assert shown["Referrer-Policy"] == "no-referrer"
    assert Registration.objects.get(pk=row.pk).status == "offered"
    strangers.post(f"/{link}", {"action": action})
    assert Registration.objects.get(pk=row.pk).status == status


def test_a_link_of_somebody_who_left_the_enterprise_answers_nothing(client, offer):
    row, owner = offer
    link = reverse("events:registration_answer", args=[permissions.link_for(row, owner.pk)])
    owner.memberships.update(status="ended")

    assert client.post(link, {"action": "accept"}).status_code == 403
    assert Registration.objects.get(pk=row.pk).status == "offered"


def test_a_seat_is_given_back_for_the_person_who_stays_away(client):
    event = EventFactory(seats=2)
    row, owner = applied(event, 2, delegates=["Delegate A", "Delegate B"])
    client.force_login(owner)
    page = reverse("events:delegate_list", args=[row.public_id])
    assertContains(client.get(page), "Give this seat back", count=2)
    leaving = row.delegates.get(name="Delegate A")

    response = client.post(
        reverse("events:registration_give_back", args=[row.public_id]),
        {"delegate": leaving.public_id},
        follow=True,
    )

    assertRedirects(response, page)
    assertNotContains(response, "Delegate A")
    assertContains(response, "Delegate B")
    row.refresh_from_db()
    assert (row.seats_held, event.tiers.get().free) == (1, 1)


def test_guests_show_offers_who_holds_up_the_queue_and_moves_by_hand_to_co_hosts(client, offer):
    row, _owner = offer
    event = row.event
    big, _who = applied(event, 2)
    by = organiser_of(event)
    waiting_list.move(registration=big, priority=1, reason="Speaks on stage", by=by)
    co_host = OrganiserRoleFactory()
    event.co_hosts.add(co_host.body)
    client.force_login(co_host.user)

    page = client.get(reverse("events:guest_list", args=[event.public_id]))

    assertContains(page, "1 of 2 seats, until")
    assertContains(page, "from place 2 to 1")
    assertContains(page, "Speaks on stage")
    assertContains(page, event.host.name_en)
    assertNotContains(page, by.email)
    states = [one["row"].status for one in page.context["rows"]]
    assert states == ["offered", "waitlisted", "waitlisted"]
    assert [(one.offered, one.waiting) for one in page.context["tiers"]] == [(1, 2)]
