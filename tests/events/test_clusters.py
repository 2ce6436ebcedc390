"""Row 5: an event can name an industrial cluster, and figures roll up by it."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains

from chains.models import Chain, Cluster
from events import statistics
from events.services import copies, events
from tests.factories.chains import region
from tests.factories.events import EventFactory, SeriesFactory, organiser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster():
    return Cluster.objects.create(
        code="JS-PV",
        name_zh="嘉善光伏新能源产业集群",
        name_en="Jiashan Photovoltaics",
        region=region("330421"),
        chain=Chain.objects.get(code="PV"),
    )


def test_event_names_its_cluster_and_figures_of_a_series_roll_up_by_it(client, cluster):
    series = SeriesFactory()
    held = EventFactory(held=True, series=[series], cluster=cluster, name_en="Held here")
    planned = EventFactory(series=[series], cluster=cluster, name_en="Planned here")
    EventFactory(series=[series], name_en="No cluster")
    EventFactory(series=[series], cluster=cluster, draft=True)
    EventFactory(cluster=cluster)  # of no series

    assert statistics.by_cluster(series) == [{"cluster": cluster, "held": 1, "planned": 1}]

    page = client.get(reverse("events:series_detail", args=[series.public_id]))
    assertContains(page, "By industrial cluster")
    rows = (
        f"{reverse('events:event_list')}?series={series.public_id}&amp;status=%s&amp;cluster=JS-PV"
    )
    for status, event in (("held", held), ("planned", planned)):
        assertContains(page, rows % status)
        listed = client.get((rows % status).replace("&amp;", "&"))
        assertContains(listed, event.name_en)
        assertContains(listed, "Jiashan Photovoltaics")  # the filter, to be taken off
        assert [name for name in ("Held here", "Planned here", "No cluster") if name in listed.content.decode()] == [event.name_en]  # fmt: skip
    shown = client.get(reverse("events:event_detail", args=[held.public_id]))
    assertContains(shown, "?cluster=JS-PV&amp;status=all")
    found = client.get("/api/v1/events/", {"cluster": "JS-PV"}).json()["results"]
    assert {row["cluster"] for row in found} == {"JS-PV"}
    assert len(found) == 3


def test_organiser_chooses_it_and_a_copy_takes_it_along(client, cluster):
    event = EventFactory()
    by = organiser_of(event)
    client.force_login(by)
    edit = reverse("events:event_edit", args=[event.public_id])

    assertContains(client.get(edit), '<option value="JS-PV">')
    event = events.edit(event=event, by=by, cluster=cluster)
    assertContains(client.get(edit), '<option value="JS-PV" selected>')

    copied = copies.copy(
        event=event,
        host=event.host,
        name_zh="新",
        name_en="New",
        starts_at=event.starts_at + datetime.timedelta(days=60),
        by=by,
    )
    assert copied.cluster == cluster
