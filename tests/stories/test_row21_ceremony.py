"""Rows 21 and 47: a list opens with everything in one moment, and nothing of it before; it is answered in the hall."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains import searchtext
from chains.models import Chain, Change, Notification
from chains.services import requirements
from events.models import Delegate, LeadingGuest
from events.services import events
from matchmaking.models import Interest
from matchmaking.services import following
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    RequirementLineFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of
from tests.factories.matchmaking import MatchFactory

HOUR = datetime.timedelta(hours=1)
WORD = "接线盒"
SECRETS = ("Qtitle", "Qline", "Qtext")


def canaries(page):
    body = b"".join(page.streaming_content) if page.streaming else page.content
    text = f"{page.headers}{body.decode('utf-8', 'replace')}"
    return {word for word in SECRETS if word in text}


def hear(since):
    """What the reader of the feed does; in one transaction with the test it would wait for it to end."""
    facts = list(Change.objects.filter(pk__gt=since).order_by("pk"))
    following.react(facts=facts)
    return facts[-1].pk


def signed_in(user=None):
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


@pytest.mark.django_db
def test_row21_no_channel_tells_a_word_before_the_moment_and_all_do_after_it(silent_doorbell):
    event = EventFactory(chains=["PV"])
    by = organiser_of(event)
    title, line, text = (f"{WORD} {secret}" for secret in SECRETS)
    requirement = RequirementFactory(
        submitted=True, chain_id=Chain.objects.get(code="PV").pk, title=title, text=text, summary=line,
        search_text=searchtext.document(f"{title}\n{text}\n{line}"), contact_policy="members",
    )  # fmt: skip
    row = RequirementLineFactory(requirement=requirement, number=1, text=line)
    supplier = EnterpriseFactory()
    member = MembershipFactory(enterprise=supplier).user
    CapabilityFactory(enterprise=supplier, title_zh=WORD, text_zh=f"三分体{WORD}")
    listing = events.list_requirement(event=event, requirement=requirement, by=by)
    events.set_list_moment(event=event, at=timezone.now() + HOUR, by=by)
    requirements.approve(requirement=requirement, by=by)
    # The desk reviews ahead of the moment: the match that it approves waits with the requirement.
    MatchFactory(line=row, supplier=supplier, status="approved", decided_at=timezone.now())
    heard = hear(0)

    def at(name, *args, **asked):
        query = "&".join(f"{key}={value}" for key, value in asked.items())
        return f"{reverse(name, args=args)}?{query}"

    visitor, matched, organiser = signed_in(), signed_in(member), signed_in(by)
    tell_all = [
        (visitor, at("matchmaking:requirement_list")),
        (visitor, at("matchmaking:requirement_list", q=WORD)),
        (visitor, at("matchmaking:requirement_list", chain="PV")),
        (visitor, at("matchmaking:requirement_export", "csv")),
        (visitor, at("matchmaking:requirement_feed")),
        (visitor, at("matchmaking:requirement_detail", requirement.public_id)),
        (visitor, at("matchmaking:search", q=WORD)),
        (visitor, at("matchmaking:enterprise_detail", requirement.enterprise.public_id)),
        (visitor, at("events:event_detail", event.public_id)),
        (visitor, at("matchmaking:open_call", listing.code)),
        (visitor, at("api-requirements-list", q=WORD)),
        (visitor, at("api-requirements-detail", requirement.public_id)),
        (matched, at("matchmaking:for_you")),
        (matched, at("matchmaking:requirement_detail", requirement.public_id)),
        (matched, at("chains:notification_list")),
        (organiser, at("matchmaking:hall_screen", event.public_id)),
        (organiser, at("matchmaking:hall_screen", event.public_id, part=1, at=listing.code)),
    ]  # fmt: skip
    tell_figures = [
        (visitor, at("home")),
        (visitor, at("matchmaking:chain_map", "PV")),
        (visitor, at("api-events-detail", event.public_id)),
        (visitor, at("api-enterprises-detail", requirement.enterprise.public_id)),
        (matched, at("api-matches-list")),
        (matched, at("matchmaking:category_suggest", q=WORD)),
    ]

    kept = {}

    def told(channels):
        found = {}
        for client, address in channels:
            page = client.get(address)
            found[address], kept[address] = canaries(page), page.headers.get("Cache-Control", "")
        return found

    everything = tell_all + tell_figures
    silent = {address: set() for _client, address in everything}
    # Asked twice: what is kept from the first time is what the second one gets.
    assert (told(everything), told(tell_all)) == (silent, {a: set() for _c, a in tell_all})
    assert not Notification.objects.filter(to=member).exists()
    # Nothing of it may be kept on the way to the reader past the moment either.
    assert {a for a, c in kept.items() if "public" in c or "s-maxage" in c} == set()
    assert {a for a, c in kept.items() if "max-age=" in c and "max-age=0" not in c} == set()

    with time_machine.travel(timezone.now() + HOUR):
        # Its time has come and nobody has opened it yet: still not a word, and at once all of it.
        assert not any(told(tell_all[:1] + tell_all[-2:]).values())
        assert events.release_due_lists() == 1
        hear(heard)

        after = told(tell_all)
        assert {address for address, words in after.items() if "Qtitle" not in words} == set()
        assert Notification.objects.filter(to=member, kind="recommended").count() == 2


@pytest.mark.django_db(transaction=True)
def test_row47_a_delegate_known_by_the_badge_answers_in_two_taps_and_the_stage_sees_it(
    live_server, browser, page, client, settings
):
    settings.SITE_URL = live_server.url
    now = timezone.now()
    event = EventFactory(
        starts_at=now - HOUR, ends_at=now + HOUR, registration_closes_at=now - 2 * HOUR
    )
    by = organiser_of(event)
    requirement = RequirementFactory(submitted=True, title="Parts for a line")
    for number in (1, 2):
        RequirementLineFactory(requirement=requirement, number=number, text=f"Part {number}")
    listing = events.list_requirement(event=event, requirement=requirement, by=by)
    events.set_list_moment(event=event, at=timezone.now() + HOUR / 150, by=by)  # in 24 seconds
    requirements.approve(requirement=requirement, by=by)
    supplier = EnterpriseFactory(name_en="Junction Works")
    ContactFactory(enterprise=supplier)
    place = RegistrationFactory(event=event, enterprise=supplier)
    leader = EnterpriseFactory(name="Leader")
    RegistrationFactory(event=event, enterprise=leader, may_be_named=True)
    LeadingGuest.objects.create(event=event, enterprise=leader, order=1)
    delegate = Delegate.objects.create(registration=place, event=event, name="Delegate")
    client.force_login(by)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([{**session, "url": live_server.url}])

    # The wall counts down, and opens by itself.
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(live_server.url + reverse("matchmaking:hall_screen", args=[event.public_id]))
    assert "Parts for a line" not in page.content()
    far = """() => {
        document.getElementById("slide").dataset.opens = new Date(Date.now() + 97200500).toISOString();
        return document.querySelector("[data-countdown]").innerText;
    }"""  # nobody counts 27 hours
    page.wait_for_function(
        f"() => ({far})().replace(/\\s/g, '') === '1天3小时1day3hours'", polling=200
    )
    room = """() => {
        const edge = (what, side) => Math.round(document.querySelector(what).getBoundingClientRect()[side]);
        return edge(".top", "bottom") <= edge(".wait", "top") && edge(".wait", "bottom") <= edge(".desk", "top");
    }"""
    assert page.inner_text(".leads").endswith("Leader")
    assert page.evaluate(room)
    LeadingGuest.objects.all().delete()
    events.release_list(event=event, by=by)
    page.wait_for_selector("#slide[data-phase=slide]", timeout=5000)
    assert page.inner_text("h1") == "Parts for a line"
    assert page.inner_text("[data-answered]") == "0"

    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    hand = phone.new_page()
    hand.goto(live_server.url + reverse("events:badge", args=[delegate.token]))
    hand.tap("main form button")  # once a day
    hand.wait_for_selector("text=This phone knows your badge now.")
    address = page.get_attribute("svg.qr", "aria-label")
    assert address == live_server.url + reverse("matchmaking:open_call", args=[listing.code])
    hand.goto(address)  # what scanning the code does: the form is there, without a tap
    hand.tap("text=2. Part 2")
    hand.tap("text=Send the answer")
    hand.wait_for_selector("text=Answered")

    page.wait_for_selector("[data-answered]:text-is('1')", timeout=5000)
    assert page.complaints == []
    interest = Interest.objects.get()
    assert (interest.origin, interest.delegate, [one.number for one in interest.lines.all()]) == (
        "hall",
        delegate,
        [2],
    )
    phone.close()
