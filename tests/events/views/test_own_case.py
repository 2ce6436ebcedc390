"""A host's own registration: nobody decides on their own body's case, the next desk up does."""

from __future__ import annotations

import pytest
from django.urls import reverse

from events import permissions
from events.models import EventStaff, Registration
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def case():
    """A reviewed event in Jiashan whose host and one other enterprise have applied."""
    co_host = EnterpriseFactory(kind_id="association")
    event = EventFactory(admission="reviewed", co_hosts=[co_host])
    hosts = RegistrationFactory(event=event, enterprise=event.host, status="submitted")
    other = RegistrationFactory(event=event, status="submitted")
    return event, hosts, other


def people(event):
    host, co_host = event.host, event.co_hosts.get()
    manager = UserFactory()
    EventStaff.objects.create(event=event, user=manager, role="manager")
    desk = UserFactory()
    EventStaff.objects.create(event=event, user=desk, role="desk")
    return {
        "host": OrganiserRoleFactory(body=host, region=region("330421")).user,
        "co_host": OrganiserRoleFactory(body=co_host, region=region("330421")).user,
        "manager": manager,
        "desk": desk,
        "same region": OrganiserRoleFactory(region=region("330421")).user,
        "city": OrganiserRoleFactory(region=region("330400")).user,
        "host in the city": OrganiserRoleFactory(body=host, region=region("330400")).user,
        "another city": OrganiserRoleFactory(region=region("330500")).user,
        "analyst": OrganiserRoleFactory(region=region("330400"), role="analyst").user,
        "administrator": AdministratorFactory(),
        "stranger": UserFactory(),
    }


def test_who_decides_on_the_hosts_own_and_on_anothers(case):
    event, hosts, other = case
    who = people(event)

    assert {name for name, user in who.items() if permissions.can_decide(user, hosts)} == {
        "co_host", "manager", "city", "administrator",
    }  # fmt: skip
    assert {name for name, user in who.items() if permissions.can_decide(user, other)} == {
        "host", "co_host", "manager", "host in the city",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("city", 302),
        ("co_host", 302),
        ("administrator", 302),
        ("host", 403),
        ("same region", 404),
        ("analyst", 404),
        ("stranger", 404),
    ],
)
def test_page_decides_for_whoever_may(client, case, name, status):
    event, hosts, _other = case
    client.force_login(people(event)[name])

    answer = client.post(
        reverse("events:registration_decide", args=[hosts.public_id]), {"action": "approve"}
    )

    assert answer.status_code == status
    hosts.refresh_from_db()
    assert hosts.status == ("confirmed" if status == 302 else "submitted")


def test_next_desk_up_finds_the_hosts_own_and_nobody_else_in_inbox_and_guest_list(client, case):
    event, hosts, other = case
    client.force_login(people(event)["city"])
    guests = reverse("events:guest_list", args=[event.public_id])

    inbox = client.get(reverse("matchmaking:inbox"))
    page = client.get(guests)

    (queue,) = [one for one in inbox.context["queues"] if one.href == guests]
    assert queue.count == 1
    assert [(row["row"], row["may_decide"]) for row in page.context["rows"]] == [(hosts, True)]
    assert not page.context["may_manage"]
    assert client.get(guests, {"export": "csv"}).status_code == 404

    decide = reverse("events:registration_decide", args=[hosts.public_id])
    client.post(decide, {"action": "approve"})
    assert [one.href for one in client.get(reverse("matchmaking:inbox")).context["queues"]] == []
    assert client.get(guests).status_code == 200
    assert Registration.objects.get(pk=other.pk).status == "submitted"


def test_host_counts_the_others_only(client, case):
    event, hosts, other = case
    client.force_login(organiser_of(event))
    guests = reverse("events:guest_list", args=[event.public_id])

    (queue,) = client.get(reverse("matchmaking:inbox")).context["queues"]
    rows = client.get(guests).context["rows"]

    assert (queue.href, queue.count) == (guests, 1)
    assert {row["row"].pk: row["may_decide"] for row in rows} == {hosts.pk: False, other.pk: True}
