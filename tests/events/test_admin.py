from __future__ import annotations

import pytest
from django.urls import reverse

from chains.models import AuditEntry, Change
from events.models import EventStaff
from tests.factories.chains import AdministratorFactory, UserFactory
from tests.factories.events import EventFactory

pytestmark = pytest.mark.django_db


def test_staff_of_an_event_come_and_go_on_record(client):
    client.force_login(AdministratorFactory(is_superuser=False))
    event, user = EventFactory(), UserFactory()

    client.post(
        reverse("admin:events_eventstaff_add"),
        {"event": event.pk, "user": user.pk, "role": "moderator"},
    )
    staff = EventStaff.objects.get()
    client.post(reverse("admin:events_eventstaff_delete", args=[staff.pk]), {"post": "yes"})

    assert not EventStaff.objects.exists()
    assert list(AuditEntry.objects.values_list("action", "target")) == [
        ("eventstaff.added", f"events.EventStaff:{staff.public_id}"),
        ("eventstaff.removed", f"events.EventStaff:{staff.public_id}"),
    ]
    assert list(Change.objects.values_list("noun", "verb")) == [
        ("eventstaff", "added"),
        ("eventstaff", "removed"),
    ]


@pytest.mark.parametrize("page", ["event_changelist", "series_add", "programme_add"])
def test_pages_open_to_every_administrator(client, page):
    client.force_login(AdministratorFactory(is_superuser=False))

    assert client.get(reverse(f"admin:events_{page}")).status_code == 200
