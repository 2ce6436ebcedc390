from __future__ import annotations

import datetime
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.models import Category
from events import statistics
from events.models import Registration
from tests.factories.chains import CapabilityFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

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
    assert "Did not come" not in text
