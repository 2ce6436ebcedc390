"""J10: "why" for any pair, in English, in a real browser: marks, parts that sum, and the same numbers later."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from matchmaking import tasks
from matchmaking.models import Match
from matchmaking.services import runs
from tests.factories.chains import OrganiserRoleFactory, RequirementFactory
from tests.factories.matchmaking import supplier, weighting_1

pytestmark = [pytest.mark.story, pytest.mark.browser]


def test_reviewer_asks_why(committed, live_server, page):
    weighting_1()
    requirement = RequirementFactory(
        lines=["Split junction box, 3 diodes, 1500 V, 25 A, IP68, for 182 mm half-cut modules"]
    )
    requirement.conditions.create(
        kind="distance", strength="must", text="within 80 km", parameter={"value": 80, "unit": "km"}
    )
    requirement.conditions.create(kind="other", strength="prefer", text="Vendor-managed stock")
    supplier("1500 V 三分体接线盒，20–30 A，IP68，适配 182 与 210 半片组件")
    run = runs.start(requirement=requirement, by=None)
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)
    match = Match.objects.get()
    client = Client()
    client.force_login(OrganiserRoleFactory().user)
    page.context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": client.cookies["sessionid"].value,
                "url": live_server.url,
            },
            {"name": "django_language", "value": "en", "url": live_server.url},
        ]
    )
    address = live_server.url + reverse("matchmaking:match_why", args=[match.public_id])

    def figures():
        page.goto(address)
        return page.locator("section[aria-labelledby=pt] p.tnum").last.inner_text()

    first = figures()

    parts, _equals, total = first.partition(" = ")
    assert sum(round(float(part) * 10) for part in parts.split(" + ")) == match.tenths
    assert total == f"{match.tenths / 10:g}"
    asked, offered = (page.locator(".well").nth(place) for place in (0, 1))
    assert asked.locator("mark").count() == offered.locator("mark").count() >= 2
    assert page.get_by_role("row", name="within 80 km").locator(".tag").inner_text() == "Met"
    assert (
        page.get_by_role("row", name="Vendor-managed stock").get_by_text("shown only").is_visible()
    )
    assert page.get_by_text(match.score.engine_version).is_visible()
    run = runs.start(requirement=requirement, by=None)
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)
    assert figures() == first
    assert page.complaints == []
