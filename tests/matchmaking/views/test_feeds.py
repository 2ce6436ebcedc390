"""The catalogue as a feed and a person's deadlines as a calendar: read back by other parsers than wrote them."""

from __future__ import annotations

import datetime
from xml.etree import ElementTree

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from chains import changes, searchtext
from chains.models import AuditEntry, Requirement
from chains.services import requirements
from matchmaking.models import Alert, DeadlineFeed, Digest
from matchmaking.services import alerts
from tests.factories.chains import MembershipFactory, RequirementFactory
from tests.factories.events import EventFactory, RegistrationFactory
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def titles(answer):
    feed = ElementTree.fromstring(answer.content)
    return [one.text for one in feed.findall("a:entry/a:title", ATOM)]


def post(title, **fields):
    return RequirementFactory(
        title=title, search_text=searchtext.document(title), lines=["a"], **fields
    )


def test_feed_holds_what_its_page_lists_newest_first(client):
    old = post("接线盒 old", published_at=timezone.now() - datetime.timedelta(days=2))
    post("接线盒 new")
    post("背板")
    address = reverse("matchmaking:requirement_feed")

    answer = client.get(address, {"q": "接线盒", "page": "3"})

    assert titles(answer) == ["接线盒 new", "接线盒 old"]
    feed = ElementTree.fromstring(answer.content)
    ids = [one.text for one in feed.findall("a:entry/a:id", ATOM)]
    page = reverse("matchmaking:requirement_detail", args=[old.public_id])
    assert ids[1] == f"http://testserver{page}"
    listed = client.get(reverse("matchmaking:requirement_list"), {"q": "接线盒"}).content.decode()
    assert f'href="{address}?q=%E6%8E%A5%E7%BA%BF%E7%9B%92"' in listed


def test_a_sign_that_xml_refuses_ends_no_feed(client):
    post("接线\x01盒")
    address = reverse("matchmaking:requirement_feed")

    everything = client.get(address)
    searched = client.get(f"{address}?q=%01接线&chain=%0c")

    assert titles(everything) == ["接线盒"]
    assert titles(searched) == ["接线盒"]


def test_feed_shows_nothing_under_an_embargo_even_to_those_who_may_read_it(client):
    row = RequirementFactory(
        approved=True, title="Qcanary", lines=["Qcanary"],
        embargoed_until=timezone.now() + datetime.timedelta(hours=1),
    )  # fmt: skip
    client.force_login(MembershipFactory(enterprise=row.enterprise).user)
    address = reverse("matchmaking:requirement_feed")
    assert b"Qcanary" not in client.get(address).content

    with time_machine.travel(timezone.now() + datetime.timedelta(hours=2)):
        requirements.publish_due()
        assert titles(client.get(address)) == ["Qcanary"]


def test_feed_that_has_not_changed_is_not_sent_again(client):
    row = post("接线盒")
    changes.record("requirement", row, "published")
    address = reverse("matchmaking:requirement_feed")
    first = client.get(address)

    same = client.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})

    assert (same.status_code, same.content, by_date.status_code) == (304, b"", 304)
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=5), tick=False):
        requirements.withdraw(requirement=row, by=MembershipFactory(enterprise=row.enterprise).user)
        gone = client.get(address, headers={"If-None-Match": first["ETag"]})
        by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (gone.status_code, titles(gone), by_date.status_code) == (200, [], 200)


def entries(answer):
    calendar = Calendar.from_ical(answer.content)
    return {str(e["summary"]): e for e in calendar.walk("VEVENT")}


def test_calendar_holds_deadlines_of_both_sides_and_events(client):
    today = timezone.localdate()
    member = MembershipFactory()
    own = post("own", enterprise=member.enterprise)
    InterestFactory(requirement=own)
    answered = InterestFactory(enterprise=member.enterprise, requirement=post("asked"))
    followed = post("followed")
    Alert.objects.create(
        user=member.user, requirement=followed, cause="search", digest=Digest.objects.create(user=member.user)
    )  # fmt: skip
    event = EventFactory(name_en="A day of docking")
    RegistrationFactory(event=event, enterprise=member.enterprise, status="waitlisted", queue_no=0)
    confirmed = RegistrationFactory(enterprise=member.enterprise, seats_asked=2)
    back = post("back", enterprise=member.enterprise, status="returned", published_at=None)
    Requirement.objects.filter(pk=back.pk).update(returned_at=timezone.now())
    post("of nobody here")
    feed = alerts.renew_calendar(by=member.user)

    found = entries(client.get(feed.path))

    assert set(found) == {
        "Interests close: own",
        "Answers due, 1 waiting: own",
        "The buyer answers by today: asked",
        "Last day for an interest: followed",
        "A day of docking",
        confirmed.event.name_en,
        "Delegates are to be named",
        "Correct and submit again, or it closes: back",
    }
    named_by = found["Delegates are to be named"]["dtstart"].dt
    assert named_by == confirmed.event.starts_at.replace(microsecond=0)
    lapses = found["Correct and submit again, or it closes: back"]["dtstart"].dt
    assert timezone.localdate(lapses) == today + datetime.timedelta(days=10)
    assert found["Interests close: own"]["dtstart"].dt == today + datetime.timedelta(days=10)
    assert found["Answers due, 1 waiting: own"]["dtstart"].dt == today + datetime.timedelta(days=17)
    assert found["A day of docking"]["status"] == "TENTATIVE"
    assert found["A day of docking"]["dtstart"].dt == event.starts_at.replace(microsecond=0)
    assert len({str(e["uid"]) for e in found.values()}) == 8
    body = client.get(feed.path).content.decode()
    for secret in (answered.message, answered.contact.name, answered.contact.phone):
        assert secret not in body


def test_calendar_speaks_its_owners_language_and_is_not_sent_again(client):
    member = MembershipFactory(user__language="zh")
    post("接线盒", enterprise=member.enterprise)
    feed = alerts.renew_calendar(by=member.user)

    answer = client.get(feed.path)

    assert "意向截止：接线盒" in entries(answer)
    again = client.get(feed.path, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_address_of_a_calendar_is_private_and_can_be_renewed(client):
    member = MembershipFactory()
    client.force_login(member.user)
    page = reverse("matchmaking:alert_list")
    assert "deadlines/" not in client.get(page).content.decode()
    client.post(reverse("matchmaking:calendar_renew"))
    first = DeadlineFeed.objects.get(user=member.user).path
    assert f"http://testserver{first}" in client.get(page).content.decode()
    client.logout()
    assert client.get(first).status_code == 200

    alerts.renew_calendar(by=member.user)

    second = DeadlineFeed.objects.get(user=member.user).path
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    assert client.get(second[:-6] + "x.ics").status_code == 404
    done = AuditEntry.objects.filter(action="calendar.renewed").values_list("actor", flat=True)
    assert list(done) == [member.user.pk] * 2
    member.user.is_active = False
    member.user.save()
    assert client.get(second).status_code == 404


def test_cancelled_event_leaves_the_calendar_as_cancelled(client):
    event = EventFactory(name_en="A day of docking")
    member = MembershipFactory()
    RegistrationFactory(event=event, enterprise=member.enterprise)
    feed = alerts.renew_calendar(by=member.user)
    assert entries(client.get(feed.path))["A day of docking"]["status"] == "CONFIRMED"

    event.status = "cancelled"
    event.cancel_reason = "rain"
    event.save()

    assert entries(client.get(feed.path))["A day of docking"]["status"] == "CANCELLED"
