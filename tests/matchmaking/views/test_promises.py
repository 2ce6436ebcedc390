"""What a waiting requirement shows to both sides: by when its desk decides, and what it asked for."""

from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.models import Remark
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
)

pytestmark = pytest.mark.django_db

THURSDAY = datetime.datetime(2026, 11, 26, 3, tzinfo=datetime.UTC)
PROMISED = "2026-12-01"  # three working days later


@pytest.fixture
def buyer():
    return EnterpriseFactory()


@pytest.fixture
def desk(client, buyer):
    client.force_login(OrganiserRoleFactory(region=buyer.region).user)
    return client


def _page(client, name, *args, **query):
    answer = client.get(reverse(name, args=args), query, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer


def _queue(desk):
    queues = _page(desk, "matchmaking:inbox").context["queues"]
    return next(queue for queue in queues if queue and queue.name == "Requirements to moderate")


def test_desk_sees_its_promise_and_when_it_is_late(desk, buyer, time_machine):
    time_machine.move_to(THURSDAY, tick=False)
    row = RequirementFactory(enterprise=buyer, submitted=True, submitted_at=timezone.now())

    queue = _queue(desk)
    assert "oldest is due 1 Dec 2026" in queue.due
    assert not queue.is_late
    assert "promised by" in _page(desk, "chains:moderation_case", row.public_id).content.decode()
    sheet = _page(desk, "matchmaking:inbox", export="csv")
    assert PROMISED in b"".join(sheet.streaming_content).decode()

    time_machine.move_to(THURSDAY + datetime.timedelta(days=6), tick=False)
    assert _queue(desk).is_late


@pytest.mark.parametrize("waits", [1, 3])
def test_queue_whose_case_waits_longest_stands_first(desk, buyer, time_machine, waits):
    time_machine.move_to(THURSDAY, tick=False)
    now = timezone.now()
    day = datetime.timedelta(days=1)
    RequirementFactory(enterprise=buyer, submitted=True, submitted_at=now - waits * day)
    EnterpriseFactory(region=buyer.region, pending=True, submitted_at=now - 2 * day)

    found = [queue.name for queue in _page(desk, "matchmaking:inbox").context["queues"]]

    assert (found[0] == "Requirements to moderate") == (waits == 3)
    assert len(found) == 2


def test_amendment_is_promised_from_the_day_of_its_change(desk, buyer, time_machine):
    time_machine.move_to(THURSDAY, tick=False)
    long_ago = timezone.now() - datetime.timedelta(days=60)
    RequirementFactory(enterprise=buyer, submitted_at=long_ago, amended_at=timezone.now())

    assert not _queue(desk).is_late


def test_owner_is_told_by_when_it_hears(client, buyer):
    row = RequirementFactory(enterprise=buyer, submitted=True, submitted_at=timezone.now())
    client.force_login(MembershipFactory(enterprise=buyer).user)

    page = _page(client, "matchmaking:requirement_desk", row.public_id).content.decode()

    assert "You hear from us by" in page


@pytest.mark.parametrize(("role", "may_correct"), [("owner", True), ("viewer", False)])
def test_owner_reads_on_its_page_what_is_to_be_changed(client, buyer, role, may_correct):
    membership = MembershipFactory(enterprise=buyer, role=role)
    row = RequirementFactory(
        enterprise=buyer, status="returned", published_at=None, approved_at=None
    )
    line = RequirementLineFactory(requirement=row, number=1)
    Remark.objects.create(requirement=row, line=line, text="Which voltage?", by=membership.user)
    client.force_login(membership.user)

    page = _page(client, "matchmaking:requirement_desk", row.public_id).content.decode()

    assert "Which voltage?" in page
    assert "You hear from us by" not in page
    assert (reverse("chains:requirement_edit", args=[row.public_id]) in page) is may_correct
