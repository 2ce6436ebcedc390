"""J6: a junction-box maker opens "For you", reads why, dismisses what it does not want, answers what it wants."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chains import searchtext
from chains.models import (
    Category,
    CertificationKind,
    Change,
    Condition,
    Preference,
    SegmentLink,
    Unit,
)
from chains.services import requirements
from chains.tasks import deliver_notifications
from matchmaking import tasks
from matchmaking.models import MatchRun, SavedSearch
from matchmaking.services import runs
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    MembershipFactory,
    RequirementFactory,
)
from tests.factories.matchmaking import supplier

pytestmark = [pytest.mark.story, pytest.mark.django_db]

FOR_YOU = "/for-you/"
BOX = "1500 V 三分体接线盒，25 A，IP68，适配 182 与 210 组件"


def work(run: MatchRun) -> None:
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)


def titles(page):
    return re.findall(r'<h2 class="h3 mb-1"[^>]*><a[^>]*>([^<]+)', page)


def test_junction_box_maker_finds_dismisses_and_answers(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    contact = ContactFactory(enterprise=maker)
    wanted = RequirementFactory(
        title="半片组件接线盒采购", lines=["采购三分体接线盒，1500 V，25 A，IP68", "组件铝边框"]
    )
    unwanted = RequirementFactory(title="小批接线盒", lines=["三分体接线盒，1500 V，25 A"])
    RequirementFactory(title="办公楼保洁", lines=["办公楼日常保洁，每周五次"])
    client.force_login(member.user)
    assert "Pending" in client.get(FOR_YOU).content.decode()

    work(runs.start(everything=True, by=None))

    page = client.get(FOR_YOU).content.decode()
    assert set(titles(page)) == {wanted.title, unwanted.title}
    assert "Fits 1 of 2 lines" in page
    assert "Both texts say" in page
    line = unwanted.lines.get()
    client.post(
        reverse("matchmaking:dismiss", args=[line.public_id]), {"reason": "quantity", "whole": "1"}
    )
    work(runs.start(everything=True, by=None))  # dismissed lines do not return
    assert titles(client.get(FOR_YOU).content.decode()) == [wanted.title]

    client.post(
        reverse("matchmaking:interest_send", args=[wanted.public_id]),
        {
            "interest-message": "第 1 项可供。",
            "interest-lines": [wanted.lines.get(number=1).public_id],
            "interest-contact": contact.public_id,
        },
    )
    assert "Interest sent" in client.get(FOR_YOU).content.decode()
    buyer = MembershipFactory(enterprise=wanted.enterprise)
    client.force_login(buyer.user)
    desk = client.get(reverse("matchmaking:requirement_interests", args=[wanted.public_id]))
    page = desk.content.decode()
    assert "第 1 项可供。" in page
    assert contact.phone not in page


def test_what_the_neighbours_on_the_chain_ask_for_stands_beside_the_suggestions(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    category = Category.objects.get(name_en="PV junction boxes")
    maker.capabilities.get().categories.set([category])
    own = category.segment
    behind = SegmentLink.objects.filter(source=own).first().target
    near = RequirementFactory(title="组件封装", lines=["组件层压机"])
    near.lines.update(segment=behind)
    far = RequirementFactory(title="办公楼保洁", lines=["日常保洁"])
    far.lines.update(segment=None)
    client.force_login(member.user)

    page = client.get(FOR_YOU)

    assert [line.requirement for line in page.context["next_door"]] == [near]
    line = near.lines.get()
    client.post(reverse("matchmaking:dismiss", args=[line.public_id]), {"reason": "wrong_product"})
    assert client.get(FOR_YOU).context["next_door"] == []


def test_profile_says_which_certificates_open_requirements_of_its_categories_ask_for(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    own = Category.objects.get(name_en="PV junction boxes")
    maker.capabilities.get().categories.set([own])
    asked, stated = CertificationKind.objects.order_by("pk")[:2]
    for codes in ([asked.code, stated.code], [asked.code]):
        wanted = RequirementFactory(lines=["接线盒", "接线盒"])
        wanted.lines.update(category=own)
        Condition.objects.create(
            requirement=wanted, kind="certification", strength="must", parameter={"codes": codes}, text="x"
        )  # fmt: skip
        for line, kind, parameter in (
            (None, "capacity", {"value": 900, "unit": "t"}),
            (wanted.lines.first(), "lead_time", {"value": 30, "unit": "day"}),
            (wanted.lines.first(), "qualification", {"codes": ["high_tech"]}),
            (None, "region", {"codes": ["330000"]}),
        ):
            Condition.objects.create(
                requirement=wanted, line=line, kind=kind, parameter=parameter, text="x"
            )
    maker.certifications.create(kind=stated, valid_from="2026-01-01")
    maker.capabilities.update(yearly_capacity=None, unit=None, lead_time_days=None)
    client.force_login(member.user)
    address = reverse("chains:enterprise_status", args=[maker.public_id])

    with CaptureQueriesContext(connection) as few:
        page = client.get(address)

    assert page.context["asked"] == [(asked, 2)]
    assert "2 open requirements ask for it" in page.content.decode()
    told = {one.kind: one.lines for one in page.context["unanswered"]}
    assert told == {"capacity": 4, "lead_time": 2, "qualification": 2}  # it has a region
    assert "4 open lines ask for a capacity (mostly in t)" in page.content.decode()

    wanted = RequirementFactory(lines=["接线盒"] * 5)
    wanted.lines.update(category=own)
    for line in wanted.lines.all():
        for kind, parameter in (
            ("capacity", {"value": 900, "unit": "set"}),
            ("qualification", {"codes": ["high_tech"]}),
        ):
            Condition.objects.create(
                requirement=wanted, line=line, kind=kind, parameter=parameter, text="x"
            )
    CapabilityFactory.create_batch(3, enterprise=maker, yearly_capacity=None, categories=[own.code])
    with CaptureQueriesContext(connection) as many:
        page = client.get(address)

    told = {one.kind: one.lines for one in page.context["unanswered"]}
    assert told["capacity"] == 9
    assert told["qualification"] == 7
    assert len(many) == len(few)

    maker.capabilities.update(
        lead_time_days=20, yearly_capacity=5000, unit=Unit.objects.get(code="t")
    )
    page = client.get(address)

    assert [one.kind for one in page.context["unanswered"]] == ["qualification"]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "heading", "stopped"),
    [("en", "1 requirement fits what you offer", "Stopped"), ("zh-hans", "1 条需求与您的供应能力匹配", "已停止")],
)  # fmt: skip
def test_supplier_on_a_phone_reads_why_dismisses_saves_a_search_and_stops_its_letters(
    committed, live_server, page, as_user, words, language, heading, stopped
):
    def narrow():
        return page.evaluate("document.documentElement.scrollWidth") == 390

    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    wanted = RequirementFactory(
        title="半片组件接线盒采购", lines=["三分体接线盒，1500 V，25 A，IP68"]
    )
    unwanted = RequirementFactory(title="小批接线盒", lines=["三分体接线盒，1500 V，25 A"])
    work(runs.start(everything=True, by=None))

    # Why it fits; then one is sent away for a reason, and stays away.
    as_user(member.user, language, 390)
    page.goto(live_server.url + FOR_YOU)
    assert narrow()
    card = page.get_by_role("article").filter(has_text=wanted.title)
    why = card.get_by_role("link", name=re.compile(f"^{words(language, 'Why')}"))
    with page.expect_event("load"):
        why.click()
    assert narrow()
    assert "IP68" in page.locator("main").inner_text()
    page.goto(live_server.url + FOR_YOU)
    card = page.get_by_role("article").filter(has_text=unwanted.title)
    card.locator("summary", has_text=words(language, "Not for us")).click()
    card.locator("input[value=quantity]").check()
    with page.expect_event("load"):
        card.get_by_role("button", name=words(language, "Dismiss")).click()
    work(runs.start(everything=True, by=None))
    page.goto(live_server.url + FOR_YOU)
    assert page.get_by_role("heading", level=1).inner_text() == heading
    assert titles(page.content()) == [wanted.title]

    # A search is kept; what comes to it is told, and one click ends that without signing in.
    page.goto(f"{live_server.url}{reverse('matchmaking:requirement_list')}?q=接线盒")
    page.locator("summary", has_text=words(language, "Save this search")).click()
    page.locator("#search-rhythm").select_option("at_once")
    assert narrow()
    with page.expect_event("load"):
        page.get_by_role("button", name=words(language, "Save"), exact=True).click()
    search = SavedSearch.objects.get(user=member.user)
    new = RequirementFactory(
        approved=True, title="新到接线盒", lines=["接线盒"], search_text=searchtext.document("新到接线盒"),
        embargoed_until=timezone.now(),
    )  # fmt: skip
    requirements.publish_due()
    tasks._tell(list(Change.objects.filter(target=new.public_id)))
    deliver_notifications()
    [letter] = [one for one in mail.outbox if new.title in one.body]
    page.context.clear_cookies()
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "url": live_server.url}]
    )
    page.goto(live_server.url + re.search(r"/alerts/stop/[^\s>]+", letter.body)[0])
    assert narrow()
    with page.expect_event("load"):
        page.get_by_role("button", name=words(language, "Stop"), exact=True).click()
    assert page.get_by_role("status").inner_text() == stopped
    rhythm = Preference.objects.get(user=member.user, topic=search.public_id).rhythm
    assert (rhythm, page.complaints) == ("never", [])
