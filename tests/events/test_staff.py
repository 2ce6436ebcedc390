"""Who works at an event without working for its hosts."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.errors import DomainError
from chains.models import AuditEntry, Notification
from events import permissions
from events.services import staff
from tests.factories.chains import OrganiserRoleFactory, UserFactory, region
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db


def test_staff_is_appointed_told_and_released_on_one_page(client):
    event, person = EventFactory(), UserFactory(email="desk@demo.example")
    client.force_login(organiser_of(event))
    address = reverse("events:event_staff", args=[event.public_id])

    unknown = client.post(address, {"email": "nobody@demo.example", "role": "desk"})
    assertContains(unknown, "No account has this address.", status_code=422)
    for _twice in range(2):
        answer = client.post(address, {"email": "Desk@demo.example", "role": "manager"})
        assertRedirects(answer, address)

    row = event.staff.get()
    assert (row.user, row.role, permissions.can_manage(person, event)) == (person, "manager", True)
    assert set(person.notifications.values_list("kind", "channel")) == {
        ("staff_appointed", "in_app"),
        ("staff_appointed", "email"),
    }
    assert person.notifications.count() == 2
    assertContains(client.get(address), "desk@demo.example")

    client.post(reverse("events:staff_release", args=[event.public_id]), {"staff": row.public_id})

    assertNotContains(client.get(address), "desk@demo.example")
    assert permissions.can_manage(person, event) is False
    actions = AuditEntry.objects.filter(action__startswith="eventstaff.").order_by("pk")
    assert [(one.action, one.data) for one in actions] == [
        ("eventstaff.added", {"event": event.public_id, "role": "manager"}),
        ("eventstaff.removed", {"event": event.public_id, "role": "manager"}),
    ]


def test_only_organisers_appoint_and_release_and_only_their_own_staff(client):
    event, other = EventFactory(), EventFactory()
    row = staff.appoint(event=event, email=UserFactory().email, role="desk", by=organiser_of(event))
    stranger = OrganiserRoleFactory(region=region("330424")).user

    with pytest.raises(DomainError, match="Only organisers"):
        staff.appoint(event=event, email=stranger.email, role="manager", by=stranger)
    with pytest.raises(DomainError, match="Only organisers"):
        staff.release(staff=row, by=row.user)  # the desk is no organiser
    client.force_login(organiser_of(other))
    away = reverse("events:staff_release", args=[other.public_id])

    assert client.post(away, {"staff": row.public_id}).status_code == 404
    assert event.staff.get() == row
    assert Notification.objects.filter(to=stranger).count() == 0
