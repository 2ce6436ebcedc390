"""J7 and J8: a supplier answers on a phone, in English; the buyer compares and answers all, in both languages; who is not answered sees it."""

from __future__ import annotations

import datetime

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from chains.models import Notification, Requirement
from chains.tasks import deliver_notifications
from matchmaking import tasks
from matchmaking.models import Interest
from tests.factories.chains import (
    ContactFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
)
from tests.factories.matchmaking import InterestFactory

pytestmark = [pytest.mark.story, pytest.mark.browser]
QUESTIONS = ("首批何时交货？", "年产能多少？", "能否做 1500 V？")


def test_suppliers_answer_and_the_buyer_answers_everyone(committed, live_server, page, as_user):
    desk = OrganiserRoleFactory()
    buyer, supplier, other = (
        MembershipFactory(
            enterprise__name=f"示例{name}有限公司", enterprise__name_en=f"Demo {name_en}"
        )
        for name, name_en in (("北湖组件", "Beihu"), ("港联电气", "Ganglian"), ("晚到的", "Late"))
    )
    contact = ContactFactory(enterprise=supplier.enterprise, phone="000-0000-4343")
    today = timezone.localdate()
    requirement = RequirementFactory(
        enterprise=buyer.enterprise,
        title="半片组件接线盒采购",
        lines=["三分体接线盒，1500 V"],
        closes_on=today + datetime.timedelta(days=1),
        answer_by_on=today + datetime.timedelta(days=2),
    )
    for order, text in enumerate(QUESTIONS, 1):
        requirement.questions.create(order=order, text=text)
    for _nth in range(9):  # of ten a week
        InterestFactory(enterprise=supplier.enterprise, contact=contact)
    waiting = InterestFactory(requirement=requirement, enterprise=other.enterprise, message="")
    address = live_server.url + reverse(
        "matchmaking:requirement_detail", args=[requirement.public_id]
    )

    # J7: three questions on a phone.
    as_user(supplier.user, "en", 390)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for text, answer in zip(QUESTIONS, ("20 days", "500,000 sets", "Yes"), strict=True):
        page.get_by_label(text).fill(answer)
    page.get_by_label("Message to the buyer").fill("Two module makers use it.")
    with page.expect_event("load"):
        page.get_by_role("button", name="Express interest").click()
    assert page.get_by_role("heading", name="Interest sent").is_visible()
    interest = Interest.objects.get(requirement=requirement, enterprise=supplier.enterprise)
    assert [one["answer"] for one in interest.answers] == ["20 days", "500,000 sets", "Yes"]

    # The eleventh of the week is refused with the day of the next.
    eleventh = RequirementFactory(lines=["接线盒"])
    monday = today + datetime.timedelta(days=7 - today.weekday())
    page.goto(
        live_server.url + reverse("matchmaking:requirement_detail", args=[eleventh.public_id])
    )
    with page.expect_event("load"):
        page.get_by_role("button", name="Express interest").click()
    refused = page.locator("main").inner_text()
    assert f"{monday.day} {monday:%b} {monday.year}" in refused
    assert not Interest.objects.filter(requirement=eleventh).exists()

    # J8: two days before, buyer and desk are reminded; the buyer compares.
    tasks.keep_answers_due()
    tasks.keep_answers_due()
    nudged = Notification.objects.filter(kind__startswith="answers_due", channel="in_app")
    assert set(nudged.values_list("to", "kind")) == {
        (buyer.user.pk, "answers_due"),
        (desk.user.pk, "answers_due_desk"),
    }
    assert nudged.count() == 2
    as_user(buyer.user, "zh-hans", 1440)
    table = live_server.url + reverse(
        "matchmaking:requirement_interests", args=[requirement.public_id]
    )
    page.goto(table)
    row = page.get_by_role("row").filter(has_text=QUESTIONS[1])
    assert sorted(row.get_by_role("cell").all_inner_texts()) == ["500,000 sets", "未回答"]
    column = page.get_by_role("columnheader", name="示例港联电气有限公司")
    assert column.is_visible()
    assert contact.phone not in page.content()
    answer = page.locator("details", has=page.locator(f"#why-{interest.public_id}"))
    answer.locator("summary").click()
    page.locator(f"#why-{interest.public_id}").select_option(index=1)
    page.locator(f"#say-{interest.public_id}").fill("本批需要国内库存。")
    # The answer leads back to the table: read in English this time.
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    with page.expect_event("load"):
        answer.locator("button[value=decline]").click()
    interest.refresh_from_db()
    assert (interest.status, bool(interest.decline_reason)) == ("declined", True)
    assert sorted(row.get_by_role("cell").all_inner_texts()) == ["500,000 sets", "Not answered"]
    column = page.get_by_role("columnheader", name="Demo Ganglian")
    assert supplier.enterprise.name in column.inner_text()
    near = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Distance"))
    assert near.get_by_role("cell").all_inner_texts() == ["about 0 km away"] * 2
    assert page.get_by_text(f"Declined: {interest.get_decline_reason_display()}").is_visible()

    # The day passes: one supplier reads the reason, the other that no answer came.
    Requirement.objects.filter(pk=requirement.pk).update(
        closes_on=today - datetime.timedelta(days=2),
        answer_by_on=today - datetime.timedelta(days=1),
    )
    tasks.keep_answers_due()
    waiting.refresh_from_db()
    assert waiting.status == "no_answer"
    as_user(supplier.user, "en", 390)
    page.goto(address)
    assert interest.decline_note in page.locator("main").inner_text()
    as_user(other.user, "zh-hans", 390)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("main").get_by_text("逾期未答复").is_visible()
    deliver_notifications()
    told = {letter.to[0] for letter in mail.outbox}
    assert {supplier.user.email, other.user.email, buyer.user.email} <= told
    assert contact.phone not in "".join(letter.body for letter in mail.outbox)
    # The refusal of the eleventh is an answer of 422, which the console names.
    assert [text for text in page.complaints if "422" not in text] == []
