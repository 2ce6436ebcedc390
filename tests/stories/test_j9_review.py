"""J9: an organiser works the queue with single keys, in Chinese, in a real browser; a colleague cannot get the same line."""

from __future__ import annotations

import pytest
from django.db.models.functions import Length
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains.models import AuditEntry, Category, Chain, QualificationKind
from matchmaking.models import Decision, Match
from tests.factories.chains import OrganiserRoleFactory, RequirementFactory
from tests.factories.matchmaking import MatchFactory, supplier

pytestmark = [pytest.mark.story, pytest.mark.browser]


def sign_in(page, live_server, user, language):
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [
            {"name": name, "value": value, "url": live_server.url}
            for name, value in (
                ("sessionid", client.cookies["sessionid"].value),
                ("django_language", language),
            )
        ]
    )


def statuses():
    return list(Match.objects.order_by("-tenths").values_list("status", flat=True))


def test_reviewer_decides_with_one_key_each(committed, live_server, page, until):
    requirement = RequirementFactory(lines=["三分体接线盒，1500 V", "组件铝边框"])
    for line in requirement.lines.order_by("number"):
        for tenths in (900, 800, 700):
            maker = supplier("1500 V 三分体接线盒")
            MatchFactory(line=line, supplier=maker, tenths=tenths - line.number)
    sign_in(page, live_server, OrganiserRoleFactory().user, "zh-hans")

    page.goto(live_server.url + reverse("matchmaking:review_queue"))
    with page.expect_event("load"):
        page.get_by_role("link", name="从第一项开始").click()
    assert page.locator("h2", has_text="3 家候选").is_visible()

    page.keyboard.press("a")
    until(lambda: statuses()[0] == "approved")
    page.locator(".cand .tag", has_text="已通过").wait_for()
    page.keyboard.press("r")  # the next card has the focus; its reasons open
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(lambda: Decision.objects.count() == 2)
    page.locator(".cand .tag", has_text="已驳回").wait_for()
    page.keyboard.press("d")
    until(lambda: Decision.objects.count() == 3)
    page.locator(".cand .tag", has_text="暂缓").wait_for()

    decided = Match.objects.filter(line__number=1).order_by("-tenths")
    assert [match.status for match in decided] == ["approved", "rejected", "deferred"]
    assert Decision.objects.get(verdict="rejected").reason == "capacity"

    page.locator(f"#m-{decided[1].public_id}").get_by_role("button", name="撤销").click()
    until(lambda: Decision.objects.count() == 4)
    assert Match.objects.get(pk=decided[1].pk).status == "proposed"
    assert AuditEntry.objects.filter(action__startswith="match.").count() == 4

    colleague = Client(headers={"accept-language": "zh-hans"})
    colleague.force_login(OrganiserRoleFactory().user)
    first, second = requirement.lines.order_by("number")
    answer = colleague.get(reverse("matchmaking:review_line", args=[first.public_id]))
    assert answer.url == reverse("matchmaking:review_line", args=[second.public_id])
    assert page.complaints == []


def test_keys_can_be_switched_off_and_stay_off(committed, live_server, page):
    line = RequirementFactory(lines=["a"]).lines.get()
    match = MatchFactory(line=line)
    sign_in(page, live_server, OrganiserRoleFactory().user, "en")
    address = live_server.url + reverse("matchmaking:review_line", args=[line.public_id])
    page.goto(address)
    page.get_by_role("switch").uncheck()
    page.locator("h1").click()

    page.goto(address)
    assert not page.get_by_role("switch").is_checked()
    page.keyboard.press("x")
    assert page.locator("[data-count]").inner_text() == "0"
    page.get_by_role("switch").check()
    page.locator("h1").click()
    page.keyboard.press("x")

    assert page.locator("[data-count]").inner_text() == "1"
    match.refresh_from_db()
    assert match.status == "proposed"
    assert page.complaints == []


def test_review_works_without_javascript(committed, live_server, browser):
    line = RequirementFactory(lines=["a"]).lines.get()
    first, second = MatchFactory(line=line, tenths=900), MatchFactory(line=line, tenths=800)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, OrganiserRoleFactory().user, "en")
    page.goto(live_server.url + reverse("matchmaking:review_line", args=[line.public_id]))

    with page.expect_event("load"):
        page.locator(f"#m-{first.public_id}").get_by_role("button", name="Approve").click()
    assert page.url.endswith(f"#m-{second.public_id}")
    page.locator(f"#m-{second.public_id}").get_by_role("checkbox").check()
    with page.expect_event("load"):
        page.get_by_role("button", name="Approve selected").click()

    assert statuses() == ["approved", "approved"]
    context.close()


def test_review_fits_a_phone(committed, live_server, page):
    chain = Chain.objects.order_by(Length("name_en").desc()).first()
    line = RequirementFactory(lines=["a" * 40], chain=chain).lines.get()
    line.category = Category.objects.order_by(Length("name_en").desc()).first()
    line.save()
    match = MatchFactory(line=line, supplier=supplier("b" * 60))
    kind = QualificationKind.objects.order_by(Length("name_en").desc()).first()
    match.supplier.qualifications.create(
        kind=kind, issuer="x", status="verified", valid_from=timezone.localdate()
    )
    sign_in(page, live_server, OrganiserRoleFactory().user, "en")
    page.set_viewport_size({"width": 390, "height": 844})

    page.goto(live_server.url + reverse("matchmaking:review_line", args=[line.public_id]))

    assert page.get_by_text(kind.name_en).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
