"""The hall: the screen on the wall, the code beside a requirement, and what a badge can do (row 47)."""

from __future__ import annotations

import datetime
import html
import re
import uuid
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.models import AuditEntry, Change, Enterprise, EnterpriseGroup, Notification
from events import permissions
from events.models import Delegate, EventStaff, Listing
from events.services import checkin, events
from events.services import registration as registrations
from matchmaking.models import Interest
from matchmaking.services import interests
from tests.chains.views.conftest import PASSWORD
from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of
from tests.factories.matchmaking import InterestFactory, MatchFactory

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def event():
    now = timezone.now()
    return EventFactory(
        starts_at=now - HOUR, ends_at=now + 5 * HOUR, registration_closes_at=now - 2 * HOUR
    )


def listed(event, title, code, *, lines=("Junction box", "Back sheet"), featured=False, **fields):
    row = RequirementFactory(title=title, **fields)
    for number, text in enumerate(lines, 1):
        RequirementLineFactory(requirement=row, number=number, text=text)
    return Listing.objects.create(
        event=event, requirement=row, code=code, order=len(code), is_featured=featured
    )


@pytest.fixture
def listing(event):
    return listed(event, "Parts for a line", "k7qm4d")


@pytest.fixture
def delegate(event):
    """Of an enterprise with one editor and a contact that no badge may show."""
    enterprise = EnterpriseFactory(name_en="Junction Works")
    MembershipFactory(enterprise=enterprise)
    ContactFactory(enterprise=enterprise, name="Qname", phone="000-7")
    row = RegistrationFactory(event=event, enterprise=enterprise)
    return Delegate.objects.create(registration=row, event=event, name="Delegate A")


def call(listing):
    return reverse("matchmaking:open_call", args=[listing.code])


def known(client, delegate):
    client.cookies[permissions.PHONE_COOKIE] = permissions.pass_of(delegate)
    return client


def answer(client, listing, **data):
    lines = [listing.requirement.lines.get(number=1).public_id]
    return client.post(call(listing), {"interest-lines": lines, **data})


# -- signed out -----------------------------------------------------------------------------------


def links(page):
    return [html.unescape(one) for one in re.findall(r'href="([^"]*)"', page.content.decode())]


def forms(page):
    """What a browser would send of each form of a page, without a tap in it: address → pairs."""
    found = {}
    for form in re.findall(r"<form\b.*?</form>", page.content.decode(), re.DOTALL):
        address = re.search(r'\baction="([^"]*)"', form)
        name, values = "", {}
        for tag in re.findall(r"<(?:select|textarea|input|option)\b[^>]*>", form):
            of = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            value, kind = html.unescape(of.get("value", "")), of.get("type", "")
            name = of.get("name", name)
            if tag.startswith("<option"):
                if " selected" in tag or name not in values:  # a browser sends the first
                    values[name] = [value]
            elif " checked" in tag or kind not in ("checkbox", "radio", "file", ""):
                values.setdefault(name, []).append(value)
        found[html.unescape(address[1]) if address else page.request["PATH_INFO"]] = values
    return found


def by_password(client, page, user):
    values = forms(page)["/accounts/login/"]
    return client.post(
        "/accounts/login/", {**values, "login": user.email, "password": PASSWORD}, follow=True
    )


def by_code(client, page, user):
    other = next(one for one in links(page) if "/login/code/" in one)
    asked = client.get(other)
    values = forms(asked)["/accounts/login/code/"]
    told = client.post("/accounts/login/code/", {**values, "email": user.email}, follow=True)
    code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)[0]
    address = next(one for one in forms(told) if one.endswith("/confirm/"))
    return client.post(address, {**forms(told)[address], "code": code}, follow=True)


@pytest.mark.parametrize("way", [by_password, by_code])
def test_member_who_is_signed_out_is_back_at_the_form_and_done_in_two_taps(client, listing, way):
    """Row 47 without a badge: a line and the button, after whatever way of signing in."""
    membership = MembershipFactory()
    user, _contact = membership.user, ContactFactory(enterprise=membership.enterprise)
    user.set_password(PASSWORD)
    user.save()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    scanned = client.get(call(listing))
    door = next(one for one in links(scanned) if one.startswith("/accounts/login/?next="))

    inside = way(client, client.get(door), user)
    assert inside.request["PATH_INFO"] == call(listing)
    send = reverse("matchmaking:interest_send", args=[listing.requirement.public_id])
    lines = [listing.requirement.lines.get(number=1).public_id]
    sent = client.post(send, {**forms(inside)[send], "interest-lines": lines}, follow=True)

    interest = Interest.objects.get()
    assert (interest.enterprise, interest.origin) == (membership.enterprise, "hall")
    assertContains(sent, "Interest sent")


# -- the badge ------------------------------------------------------------------------------------


def test_phone_knows_the_badge_after_a_press_of_the_button_and_not_by_opening_it(
    client, event, delegate
):
    address = reverse("events:badge", args=[delegate.token])

    opened = client.get(address)
    assertContains(opened, "It is mine: answer from this phone")
    assert permissions.PHONE_COOKIE not in opened.cookies
    # The token of the form is refused by a browser that hides where it comes from; others learn the site only.
    assert opened["Referrer-Policy"] == "strict-origin"
    pressed = client.post(address)

    assertRedirects(pressed, f"{address}?known=1")
    cookie = pressed.cookies[permissions.PHONE_COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/l/", True, "Lax")
    last_day = timezone.localtime(event.ends_at).date()
    until = timezone.localtime(parsedate_to_datetime(cookie["expires"]))
    assert (until.date(), until.time()) == (
        last_day + datetime.timedelta(days=1),
        datetime.time(),
    )
    # It holds neither the key of the badge nor a name.
    assert delegate.token not in cookie.value
    assert delegate.name not in cookie.value
    client.post(address)  # pressed again, it is the same
    line = AuditEntry.objects.get(action="delegate.recognised")
    assert (line.actor, line.data) == (None, {"event": event.public_id})


def test_delegate_by_the_badge_answers_in_the_enterprises_name(client, event, listing, delegate):
    page = known(client, delegate).get(call(listing))
    assertContains(page, "In the name of Junction Works, by the badge.")
    for secret in ("Qname", "000-7", delegate.name):
        assertNotContains(page, secret)

    sent = answer(client, listing, **{"interest-message": "We make these."})

    assertRedirects(sent, f"{call(listing)}?sent=1")
    interest = Interest.objects.get()
    enterprise = delegate.registration.enterprise
    assert (interest.origin, interest.event, interest.delegate, interest.sent_by) == (
        "hall",
        event,
        delegate,
        None,
    )
    assert (interest.enterprise, interest.contact.name, interest.message) == (
        enterprise,
        "Qname",
        "We make these.",
    )
    line = AuditEntry.objects.get(action="interest.sent")
    assert (line.actor, line.data["delegate"], line.data["event"], line.data["lines"]) == (
        None,
        delegate.public_id,
        event.public_id,
        [1],
    )
    assert Change.objects.filter(noun="interest", verb="sent").count() == 1
    editor = enterprise.memberships.get().user
    told = Notification.objects.filter(channel="in_app").values_list("kind", "to")
    assert ("interest_from_hall", editor.pk) in told
    # It sends once: what stands is the enterprise's to read and to change.
    again = client.get(call(listing))
    assertContains(again, "The buyer has your enterprise's answer.")
    assertNotContains(again, "We make these.")
    assert answer(client, listing, **{"interest-message": "Better."}).status_code == 302
    assert Interest.objects.get().message == "We make these."


def test_holder_of_a_badge_learns_nothing_of_what_the_enterprise_has_sent(
    client, listing, delegate
):
    sent = InterestFactory(
        requirement=listing.requirement,
        enterprise=delegate.registration.enterprise,
        message="Qmessage",
        status="declined",
        decline_reason="price",
    )
    known(client, delegate)

    before = client.get(call(listing))
    after = answer(client, listing, **{"interest-message": "We can."})

    assertContains(before, "Send the answer")
    assertNotContains(before, "Qmessage")
    assertRedirects(after, f"{call(listing)}?sent=1")
    shown = client.get(after["Location"])
    assertContains(shown, "The buyer has your enterprise's answer.")
    assertNotContains(shown, "Qmessage")
    sent.refresh_from_db()
    assert (sent.message, sent.status, sent.origin) == ("Qmessage", "declined", "site")
    answer(client, listing)  # and again: the trail does not grow by it
    line = AuditEntry.objects.get(action="interest.repeated")
    assert line.data["delegate"] == delegate.public_id


def replaced(_event, delegate):
    Delegate.objects.filter(pk=delegate.pk).update(status="replaced")


def new_key(_event, delegate):
    Delegate.objects.filter(pk=delegate.pk).update(token="another")


def cancelled(_event, delegate):
    registrations.cancel(
        registration=delegate.registration,
        by=delegate.registration.enterprise.memberships.get().user,
    )


def other_event(event, delegate):
    Delegate.objects.filter(pk=delegate.pk).update(
        event=EventFactory(starts_at=event.starts_at, ends_at=event.ends_at)
    )


def called_off(event, _delegate):
    type(event).objects.filter(pk=event.pk).update(status="cancelled", cancel_reason="Storm")


def suspended(_event, delegate):
    enterprise = delegate.registration.enterprise
    type(enterprise).objects.filter(pk=enterprise.pk).update(status="suspended")


def without_contact(_event, delegate):
    delegate.registration.enterprise.contacts.update(is_active=False)


def week_is_spent(_event, delegate):
    for _ in range(interests.WEEKLY):
        InterestFactory(enterprise=delegate.registration.enterprise, status="withdrawn")


def own_house(_event, delegate):
    Listing.objects.get().requirement.__class__.objects.update(
        enterprise=delegate.registration.enterprise
    )


def same_group(_event, _delegate):
    Enterprise.objects.update(group=EnterpriseGroup.objects.create(name="Group"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replaced, "was replaced"),
        (new_key, "Sign in to tell the buyer"),
        (cancelled, "holds no seat"),
        (other_event, "for another event"),
        (called_off, "does not take place"),
        (suspended, "cannot answer by the badge"),
        (without_contact, "cannot answer by the badge"),
        (week_is_spent, "cannot answer by the badge"),
        (own_house, "of your own house"),
        (same_group, "cannot answer by the badge"),
    ],
)
def test_badge_that_does_not_hold_answers_nothing(client, event, listing, delegate, change, said):
    known(client, delegate)
    change(event, delegate)

    page = answer(client, listing)

    assertContains(page, said, status_code=page.status_code)
    assert not Interest.objects.filter(origin="hall").exists()


def test_badge_answers_on_the_days_of_the_event_only(client, event, listing, delegate):
    known(client, delegate)
    first, end = permissions.hall_days(event)
    second = datetime.timedelta(seconds=1)

    for moment in (first - second, end):
        with time_machine.travel(moment, tick=False):
            assertContains(answer(client, listing), "on the days of the event only")
    assert not Interest.objects.exists()
    with time_machine.travel(end - second, tick=False):
        assert answer(client, listing).status_code == 302


def test_pass_that_was_tampered_with_is_none(client, listing, delegate):
    good = permissions.pass_of(delegate)
    for bad in ("x", good[:-1], good.replace(delegate.public_id, "2" * 12), f"{good}x", ":"):
        client.cookies[permissions.PHONE_COOKIE] = bad

        assertContains(client.get(call(listing)), "Sign in to tell the buyer")


def test_pass_opens_nothing_but_the_open_call(client, event, listing, delegate):
    """Sent to every page, as no browser would: nobody has signed in by it."""
    known(client, delegate)
    enterprise = delegate.registration.enterprise
    for name, *args in (
        ("start",),
        ("matchmaking:for_you",),
        ("matchmaking:my_interests",),
        ("matchmaking:hall_screen", event.public_id),
        ("chains:enterprise_status", enterprise.public_id),
        ("events:delegate_list", delegate.registration.public_id),
        ("events:registration_badges", delegate.registration.public_id),
    ):
        page = client.get(reverse(name, args=args))
        assert (page.status_code, "/accounts/login/" in page["Location"]) == (302, True), name
    # Not another requirement either, public though it is.
    other = RequirementFactory()
    refused = client.post(reverse("matchmaking:interest_send", args=[other.public_id]))
    assert "/accounts/login/" in refused["Location"]
    assert client.get("/l/zzzzzz/").status_code == 404


def test_badge_can_be_forgotten(client, listing, delegate):
    page = known(client, delegate).post(call(listing), {"forget": "1"})

    cookie = page.cookies[permissions.PHONE_COOKIE]
    assert (cookie.value, cookie["path"], cookie["max-age"]) == ("", "/l/", 0)


def test_member_signed_in_answers_from_the_hall_by_the_own_account(client, event, listing):
    member = MembershipFactory()
    contact = ContactFactory(enterprise=member.enterprise)
    client.force_login(member.user)
    assertContains(client.get(call(listing)), 'name="hall" value="k7qm4d"')
    data = {
        "interest-lines": [listing.requirement.lines.get(number=2).public_id],
        "interest-contact": contact.public_id,
        "hall": listing.code,
    }

    address = reverse("matchmaking:interest_send", args=[listing.requirement.public_id])
    sent = client.post(address, data)

    assert sent["Location"].startswith(call(listing))
    interest = Interest.objects.get()
    assert (interest.origin, interest.event, interest.sent_by, interest.delegate) == (
        "hall",
        event,
        member.user,
        None,
    )
    # The buyer sees where it comes from; a code of another list makes no hall.
    owner = MembershipFactory(enterprise=listing.requirement.enterprise, role="owner").user
    client.force_login(owner)
    page = reverse("matchmaking:requirement_interests", args=[listing.requirement.public_id])
    assertContains(client.get(page), "From the hall")
    # Its page says how many have come meanwhile, without being loaded again.
    InterestFactory(requirement=listing.requirement)
    asked = {"headers": {"HX-Request": "true"}}
    assertContains(client.get(f"{page}?seen=1", **asked), "1 new answer: show it")
    assertNotContains(client.get(f"{page}?seen=2", **asked), "show it")


def test_page_behind_the_code_is_public_only_once_the_requirement_is(client, listing):
    assertContains(client.get("/l/K7Q-M4D/"), "Parts for a line")

    for state in ("approved", "submitted"):
        type(listing.requirement).objects.update(status=state)
        assert client.get(call(listing)).status_code == 404


# -- the screen -----------------------------------------------------------------------------------


def screen(event, **asked):
    address = reverse("matchmaking:hall_screen", args=[event.public_id])
    return address + "?" + "&".join(f"{key}={value}" for key, value in asked.items())


def test_screen_tells_nothing_before_the_moment_and_everything_after_it(client):
    event = EventFactory()
    by = organiser_of(event)
    hidden = RequirementFactory(submitted=True, title="Qhidden")
    public = RequirementFactory(title="Qpublic")
    for row in (hidden, public):
        RequirementLineFactory(requirement=row, number=1, text=f"{row.title}line")
        events.list_requirement(event=event, requirement=row, by=by)
    events.set_list_moment(event=event, at=timezone.now() + HOUR, by=by)
    type(hidden).objects.filter(pk=hidden.pk).update(status="approved")
    client.force_login(by)

    for asked in ({}, {"part": 1}, {"part": 1, "at": event.listings.first().code}):
        page = client.get(screen(event, **asked))
        assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")
        # Not of the one that is public already either: on the wall they appear together.
        for word in ("Qhidden", "Qpublic", hidden.enterprise.name, public.enterprise.name):
            assertNotContains(page, word)
        assertContains(page, '<b class="tnum">2</b>')
        assertContains(page, 'data-phase="before"')
    events.release_list(event=event, by=by)

    shown = client.get(screen(event, part=1))
    assertContains(shown, "Qhidden")
    assertContains(shown, "Qhiddenline")
    following = client.get(screen(event, part=1, at=event.listings.last().code))
    assertContains(following, "Qpublicline")


def test_screen_shows_featured_first_both_languages_and_the_answers(client, event, settings):
    settings.SITE_URL = "https://dock.example"
    first = listed(event, "Second one", "aaaaaa")
    star = listed(
        event,
        "氢能产线",
        "bbbbbb",
        featured=True,
        lines=[f"L{n}" for n in range(11)],
        language="zh",
    )
    once = InterestFactory(requirement=star.requirement)
    InterestFactory(requirement=first.requirement, enterprise=once.enterprise)
    InterestFactory(requirement=first.requirement)
    InterestFactory(requirement=star.requirement, status="withdrawn")
    by = organiser_of(event)
    seats = RegistrationFactory(event=event, seats_asked=3)
    for name in "AB":
        person = Delegate.objects.create(registration=seats, event=event, name=name)
        checkin.check_in(event=event, delegate=person, by=by, nonce=uuid.uuid4(), gate="1")
    client.force_login(by)

    page = client.get(screen(event))

    assertContains(page, "氢能产线")
    assertContains(page, 'data-at="bbbbbb" data-next="aaaaaa" data-previous="aaaaaa"')
    assertContains(page, "https://dock.example/l/bbbbbb/")
    assertContains(page, "BBBBBB")
    assertContains(page, '<b class="tnum" data-answered>1</b>')
    # Heads once, suppliers once, on the part that is asked for every four seconds.
    part = client.get(screen(event, part=1))
    assertContains(part, '<b class="tnum" data-inside>2</b>')
    assertContains(part, '<b class="tnum" data-suppliers>2</b>')
    assertContains(part, 'data-every="4000"')
    assertContains(page, "and 4 more lines")
    assertContains(page, event.name_zh)
    assertContains(page, event.name_en)
    assertContains(page, "1 / 2")
    # Without a script it is turned by links.
    assertContains(page, 'href="?at=aaaaaa&amp;seconds=15"')
    assertContains(client.get(screen(event, at=first.code, seconds=999)), 'data-seconds="120"')


def test_screen_is_for_those_who_work_at_the_event(client, event, listing):
    soon = EventFactory()
    for role, found in (("desk", 200), ("moderator", 200), ("manager", 200)):
        user = EventStaff.objects.create(event=event, user=UserFactory(), role=role).user
        client.force_login(user)
        assert client.get(screen(event)).status_code == found, role
        # Its way there, for whom no page of organisers is open.
        if role != "manager":
            page = client.get(reverse("events:event_detail", args=[event.public_id]))
            assertContains(page, screen(event).partition("?")[0])
        assert client.get(screen(soon)).status_code == 404
    for stranger in (UserFactory(), MembershipFactory().user, organiser_of(soon)):
        client.force_login(stranger)
        assert client.get(screen(event)).status_code == 404


# -- the answers ----------------------------------------------------------------------------------


def test_answers_are_counted_for_organisers_with_who_and_from_where(
    client, event, listing, delegate, django_assert_max_num_queries
):
    other = listed(event, "Another", "zzzzzzz")
    answer(known(client, delegate), listing)
    InterestFactory(requirement=listing.requirement, enterprise__name_en="Desk Works")
    InterestFactory(requirement=other.requirement, status="withdrawn")
    line = listing.requirement.lines.first()
    for status in ("approved", "proposed", "proposed", "rejected"):
        MatchFactory(line=line, status=status)
    client.force_login(organiser_of(event))
    address = reverse("matchmaking:event_answers", args=[event.public_id])

    with django_assert_max_num_queries(17):
        page = client.get(address)

    rows = [(row.answered, row.from_hall) for row in page.context["listings"]]
    assert (page.context["answered"], page.context["from_hall"], rows) == (2, 1, [(2, 1), (0, 0)])
    assert [row.matches for row in page.context["listings"]] == [(1, 2), (0, 0)]
    assert page.context["matches"] == (1, 2)
    assertContains(page, "2 suppliers · 0 of 1 person came through the door")
    assertContains(page, "Junction Works")
    assertContains(page, "Desk Works")
    assertNotContains(page, "Qname")
    part = client.get(address, headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith("<section")
    # The desk shows the screen, but does not read who answered.
    desk = EventStaff.objects.create(event=event, user=UserFactory(), role="desk").user
    client.force_login(desk)
    assert client.get(address).status_code == 404
