"""The first whole path, in Chinese, in a real browser: a need is posted, checked, scored, reviewed; both sides meet.

Between the pages stands only the worker: its tasks are run here as the broker would have them run.
"""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains.models import AuditEntry, Capability, Requirement
from matchmaking import tasks
from matchmaking.models import Interest, Match, RunShard
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
)
from tests.factories.matchmaking import weighting_1

pytestmark = [pytest.mark.story, pytest.mark.browser]


@pytest.fixture
def as_user(page, live_server):
    """Go on as somebody else, in Chinese."""

    def switch(user):
        client = Client()
        client.force_login(user)
        page.context.clear_cookies()
        for name, value in (
            ("sessionid", client.cookies["sessionid"].value),
            ("django_language", "zh-hans"),
        ):
            page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return switch


def let_the_worker_work():
    tasks.read_changes()
    while shards := list(RunShard.objects.overdue().values_list("pk", flat=True)):
        for pk in shards:
            tasks.score_shard(pk)


def test_a_need_finds_its_supplier(committed, live_server, page, as_user):
    weighting_1()
    buyer = MembershipFactory(enterprise__name="示例北湖光伏组件有限公司")
    ContactFactory(enterprise=buyer.enterprise)
    seller = MembershipFactory(enterprise__name="示例港联电气有限公司")
    ContactFactory(enterprise=seller.enterprise, phone="000-0000-4242")
    CapabilityFactory(enterprise=seller.enterprise, categories=[])
    stranger = EnterpriseFactory(name="示例无关印染有限公司")
    CapabilityFactory(enterprise=stranger, title_zh="涤纶面料染整", text_zh="活性染料,幅宽 150 cm")
    desk = OrganiserRoleFactory().user
    site, today = live_server.url, timezone.localdate()

    as_user(buyer.user)
    page.goto(site + reverse("chains:requirement_create"))
    page.fill("#id_title", "182 半片组件用接线盒")
    page.fill("#id_closes_on", (today + datetime.timedelta(days=9)).isoformat())
    page.fill("#id_answer_by_on", (today + datetime.timedelta(days=16)).isoformat())
    page.fill("#id_line-0-text", "三分体接线盒,1500 V,25 A,IP68")
    page.fill("#id_line-0-quantity", "90万")
    page.fill("#id_line-0-unit", "套")
    with page.expect_event("load"):
        page.get_by_role("button", name="提交审核").first.click()
    assert not page.url.endswith("/new/"), page.locator("main").inner_text()
    requirement = Requirement.objects.get()
    assert requirement.status == "submitted", page.locator("main").inner_text()[:800]
    assert requirement.lines.get().quantity == 900000

    as_user(desk)
    page.goto(site + reverse("chains:moderation_case", args=[requirement.public_id]))
    with page.expect_event("load"):
        page.get_by_role("button", name="通过").first.click()
    requirement.refresh_from_db()
    assert requirement.status == "published"

    let_the_worker_work()
    page.goto(site + reverse("matchmaking:review_queue"))
    with page.expect_event("load"):
        page.get_by_role("link", name="从第一项开始").click()
    page.keyboard.press("a")
    page.locator(".cand .tag", has_text="已通过").wait_for()
    best = Match.objects.get(status="approved")
    assert best.supplier == seller.enterprise

    as_user(seller.user)
    page.goto(site + reverse("matchmaking:for_you"))
    assert page.get_by_role("link", name="182 半片组件用接线盒", exact=True).is_visible()
    page.goto(site + reverse("matchmaking:requirement_detail", args=[requirement.public_id]))
    page.get_by_label("给采购方的留言").fill("第 1 项已供两家组件厂。")
    with page.expect_event("load"):
        page.get_by_role("button", name="表达意向").click()
    interest = Interest.objects.get()
    assert interest.status == "sent"

    as_user(buyer.user)
    page.goto(site + reverse("matchmaking:requirement_interests", args=[requirement.public_id]))
    assert "示例港联电气有限公司" in page.locator("main").inner_text()
    assert "000-0000-4242" not in page.content()
    with page.expect_event("load"):
        page.get_by_role("button", name="接受").first.click()

    interest.refresh_from_db()
    assert interest.status == "accepted"
    assert Capability.objects.filter(enterprise=stranger).exists()
    assert list(
        AuditEntry.objects.filter(target__contains=requirement.public_id).values_list(
            "action", flat=True
        )
    )[:3] == ["requirement.created", "requirement.submitted", "requirement.approved"]
    assert page.complaints == []
