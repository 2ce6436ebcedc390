"""J2: a title is claimed with its paper, refused with the reason or verified, gives a seat of its tier, ends – and what
was held on a day stays. In Chinese on a phone until its end, in English through a refusal."""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from chains.models import Qualification
from events import tasks
from events.services import registration
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

pytestmark = [pytest.mark.story, pytest.mark.browser]

DAY = datetime.timedelta(days=1)
PAPER = {
    "name": "小巨人证书.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
}
TITLES = {"en": "National specialised and sophisticated “little giant”", "zh-hans": "国家专精特新“小巨人”企业"}  # fmt: skip


@dataclass
class Telling:
    """Who does what at the browser, in one language."""

    page: Any
    site: str
    as_user: Any
    words: Any
    language: str
    width: int

    def __post_init__(self):
        self.member, self.desk = MembershipFactory(), OrganiserRoleFactory().user
        self.enterprise, self.title = self.member.enterprise, TITLES[self.language]

    def say(self, text, context=None):
        return self.words(self.language, text, context)

    def open(self, name, *args):
        self.page.goto(self.site + reverse(name, args=args))
        reached = self.page.evaluate("document.documentElement.scrollWidth")
        assert reached == self.page.viewport_size["width"]

    def press(self, text, context=None):
        with self.page.expect_event("load"):
            self.page.get_by_role("button", name=self.say(text, context), exact=True).click()

    def own(self):
        """What the enterprise reads of its titles."""
        return self.page.get_by_role("region", name=self.say("Qualifications")).inner_text()

    def claim(self, valid_from):
        self.as_user(self.member.user, self.language, self.width)
        self.open("chains:qualification_claim", self.enterprise.public_id)
        self.page.locator("#id_kind").select_option("little_giant")
        self.page.locator("#id_batch").fill("8")
        self.page.locator("#id_valid_from").fill(valid_from.isoformat())
        self.page.locator("#id_evidence").set_input_files(PAPER)
        self.press("Send to the desk")
        assert self.title in self.own()
        return Qualification.objects.get(status="claimed")

    def open_case(self, claimed):
        """The desk, with the paper before it."""
        self.as_user(self.desk, self.language, 1440)
        self.open("chains:proof_decide", claimed.public_id)
        assert self.page.get_by_role("link", name=PAPER["name"]).is_visible()

    def verify(self, claimed, until):
        self.page.locator("#id_issuer").fill("MIIT")
        self.page.locator("#id_valid_until_on").fill(until.isoformat())
        self.press("Verify", "decision")
        claimed.refresh_from_db()
        said = (claimed.status, claimed.issuer, claimed.valid_until_on)
        assert said == ("verified", "MIIT", until)

    def is_shown(self):
        """To a visitor."""
        self.page.context.clear_cookies()
        self.page.context.add_cookies(
            [{"name": "django_language", "value": self.language, "url": self.site}]
        )
        self.open("matchmaking:enterprise_detail", self.enterprise.public_id)
        return self.title in self.page.locator("main").inner_text()

    def tier_at(self, event):
        """Of its new registration."""
        row = registration.register(
            event=event, enterprise=self.enterprise, seats=1, by=self.member.user, purposes=["buy"]
        )
        return row.tier.name_en


def event_with_a_tier():
    event = EventFactory(seats=5)
    TierFactory(event=event, seats=2)
    return event


def test_title_from_claim_to_expiry(committed, live_server, page, as_user, words):
    story = Telling(page, live_server.url, as_user, words, "zh-hans", 390)
    today = timezone.localdate()
    until = today + 30 * DAY

    claimed = story.claim(today - 400 * DAY)
    assert not story.is_shown()
    assert story.tier_at(event_with_a_tier()) == "General"
    as_user(story.desk, "zh-hans", 1440)
    story.open("matchmaking:inbox")
    case = reverse("chains:proof_decide", args=[claimed.public_id])
    assert page.locator(f"main a[href='{case}']").is_visible()
    story.open_case(claimed)
    story.verify(claimed, until)
    assert story.is_shown()
    event = event_with_a_tier()
    assert story.tier_at(event) == "Little giants"
    with time_machine.travel(event.ends_at + DAY):
        tasks.mark_events_held()

    # It has ended: no badge and no tier; with what it came then is told for ever, and of any day what was held on it.
    with time_machine.travel(timezone.now() + 31 * DAY):
        assert not story.is_shown()
        assert story.tier_at(event_with_a_tier()) == "General"
        as_user(story.member.user, "zh-hans", 390)
        story.open("chains:enterprise_status", story.enterprise.public_id)
        assert story.say("Expired") in story.own()
        as_user(organiser_of(event), "zh-hans", 1440)
        story.open("events:guest_list", event.public_id)
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        guest = next(csv.DictReader(taken.value.path().read_text("utf-8-sig").splitlines()))
        assert guest[story.say("Qualifications on the day")] == story.title
        days = [today - 401 * DAY, today - 400 * DAY, today, until, until + DAY]
        held = [story.enterprise.qualifications.in_force(day).count() for day in days]
        assert held == [0, 1, 1, 1, 0]
    assert page.complaints == []


def test_paper_is_refused_with_the_reason_and_sent_again(
    committed, live_server, page, as_user, words
):
    story = Telling(page, live_server.url, as_user, words, "en", 1440)
    today = timezone.localdate()
    why = "Page 2 is missing."

    first = story.claim(today - DAY)
    story.open_case(first)
    story.press("Refuse", "request")
    assert page.get_by_role("alert").is_visible()  # without a reason nothing is refused
    first.refresh_from_db()
    assert first.status == "claimed"
    page.locator("#id_reason").fill(why)
    story.press("Refuse", "request")
    first.refresh_from_db()
    assert (first.status, first.reason) == ("refused", why)

    # The enterprise reads the reason beside what it sends now.
    second = story.claim(today - DAY)
    assert second != first
    assert "Not verified" in story.own()
    assert why in story.own()
    story.open_case(second)
    story.verify(second, today + 30 * DAY)
    assert story.is_shown()
    assert page.complaints == []
