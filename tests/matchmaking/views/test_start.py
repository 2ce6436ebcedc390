from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from chains.models import Mandate, OrganiserRole
from events.models import EventStaff
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def staff(role, starts_in=datetime.timedelta(days=9)):
    at = timezone.now() + starts_in
    event = EventFactory(status="published", starts_at=at, ends_at=at + datetime.timedelta(hours=8))
    return EventStaff.objects.create(event=event, user=UserFactory(), role=role)


def links_of(client, path="/events/"):
    page = client.get(path).content.decode()
    nav = page[page.index('<nav class="nav-main"') : page.index("</nav>")]
    return [part.split('"')[0] for part in nav.split('href="')[1:]]


def test_a_moderator_starts_at_the_matches_of_the_event(client):
    client.force_login(staff("moderator").user)

    assert client.get("/start/").headers["Location"] == "/inbox/"
    assert links_of(client) == ["/inbox/", "/events/", "/requirements/", "/review/", "/chains/"]
    assert client.get("/review/").status_code == 200


@pytest.mark.parametrize(
    ("starts_in", "page"),
    [(datetime.timedelta(days=9), ""), (datetime.timedelta(hours=3), "guests/")],
)
def test_desk_staff_start_at_their_event_and_on_its_days_at_the_guest_list(client, starts_in, page):
    post = staff("desk", starts_in)
    client.force_login(post.user)

    address = client.get("/start/").headers["Location"]

    assert address == f"/events/{post.event.public_id}/{page}"
    assert client.get(address).status_code == 200
    assert links_of(client) == ["/events/", "/requirements/", "/chains/"]


def test_an_analyst_starts_at_the_chain_map(client):
    role = OrganiserRoleFactory(role=OrganiserRole.Role.ANALYST)
    client.force_login(role.user)

    assert client.get("/start/").headers["Location"] == "/chains/"
    assert links_of(client) == ["/events/", "/requirements/", "/chains/"]


def test_a_member_and_a_stranger_start_as_before(client):
    client.force_login(MembershipFactory().user)
    assert client.get("/start/").headers["Location"] == "/for-you/"

    client.force_login(UserFactory())
    assert client.get("/start/").headers["Location"] == "/join/"


def test_a_buyer_who_offers_nothing_starts_at_its_requirements(client):
    buyer = MembershipFactory()
    RequirementFactory(enterprise=buyer.enterprise)
    client.force_login(buyer.user)
    assert client.get("/start/").headers["Location"] == "/my/requirements/"

    CapabilityFactory(enterprise=buyer.enterprise)
    assert client.get("/start/").headers["Location"] == "/for-you/"


def test_an_association_that_posts_for_a_member_starts_at_what_it_has_posted(client):
    association, member = MembershipFactory(enterprise__kind_id="association"), EnterpriseFactory()
    Mandate.objects.create(association=association.enterprise, member=member, status="active")
    RequirementFactory(enterprise=member, posted_by=association.enterprise)
    client.force_login(association.user)

    assert client.get("/start/").headers["Location"] == "/my/requirements/"


def test_an_administrator_is_offered_no_page_that_refuses_them(client):
    client.force_login(AdministratorFactory())

    assert "/review/" not in links_of(client)
    assert "/events/new/" not in client.get("/inbox/").content.decode()
