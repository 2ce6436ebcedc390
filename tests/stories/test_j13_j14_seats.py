"""J13 and J14: more ask than there are seats. Everybody reads where they stand, in the own language, and seats move on."""

from __future__ import annotations

import datetime
import re

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from chains.models import Qualification, QualificationKind
from chains.tasks import deliver_notifications
from events import tasks
from events.models import Event, Tier
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

pytestmark = [
    pytest.mark.story,
    pytest.mark.django_db,
    pytest.mark.usefixtures("settled_feed"),
]
DAY = datetime.timedelta(days=1)


class Guest:
    """An editor of an enterprise at the browser, in the language of the account."""

    def __init__(self, name, language, qualification=""):
        self.who = MembershipFactory(
            user__language=language, enterprise__name=f"{name}制造", enterprise__name_en=f"{name} Works"
        )  # fmt: skip
        if qualification:
            Qualification.objects.create(
                enterprise=self.who.enterprise,
                kind=QualificationKind.objects.get(code=qualification),
                valid_from=datetime.date(2019, 1, 1),
                status="verified",
            )
        self.client = Client(HTTP_ACCEPT_LANGUAGE="zh-hans" if language == "zh" else "en")
        self.client.force_login(self.who.user)

    def apply(self, event, seats, **fields):
        form = {"enterprise": self.who.enterprise.public_id, "seats": seats, **fields}
        return self.client.post(reverse("events:register", args=[event.public_id]), form)

    def reads(self, event, *sentences):
        page = self.client.get(reverse("events:event_detail", args=[event.public_id]))
        for said in sentences:
            assertContains(page, said)

    def letter(self):
        """The last one, with what it says first and the path of the link that answers."""
        tasks.read_changes()
        deliver_notifications()
        [*_before, last] = [one for one in mail.outbox if one.to == [self.who.user.email]]
        link = re.search(r"/registrations/answer/\S+", last.body)
        return last.subject, link and link[0]

    @property
    def state(self):
        row = self.who.enterprise.registrations.get()
        return row.status, row.seats_held


def test_j13_j14_seats_are_given_in_turn_offered_and_flow_on():
    event = EventFactory(
        seats=4, delegates_per_enterprise=3, waiting_rule="tier_then_arrival",
        name_zh="光伏对接会", name_en="PV docking", ends_at=timezone.now() + 15 * DAY,
    )  # fmt: skip
    TierFactory(event=event, seats=3, reserved_until=event.starts_at - 7 * DAY)
    first, second = Guest("A", "zh"), Guest("B", "en")
    partly, waits = Guest("C", "zh"), Guest("D", "en")
    giant, leaves = Guest("E", "en", "little_giant"), Guest("F", "zh")

    # The general seats go to the first who ask; the reserved ones to their tier only, and all of it is public.
    for guest in (first, second):
        guest.apply(event, 2)
    partly.apply(event, 3, accepts_partial="on")
    for guest in (waits, leaves):
        guest.apply(event, 2)
    giant.apply(event, 1)
    assert [one.state for one in (first, second, partly, waits, giant, leaves)] == [
        ("confirmed", 2), ("confirmed", 2), ("waitlisted", 0), ("waitlisted", 0), ("confirmed", 1), ("waitlisted", 0),
    ]  # fmt: skip
    second.reads(event, "2 seats have no name yet.")
    partly.reads(event, "位次：1", "普通席", "席位分配规则", "候补先按档次")
    waits.reads(event, "Your place: 2", "How seats are given", "by tier, then by arrival")
    Guest("X", "en").reads(event, "2 reserved until")

    # Two seats come free: the head asked for three and takes fewer, so it is offered two for a day, by letter.
    row = first.who.enterprise.registrations.get()
    first.client.post(reverse("events:registration_cancel", args=[row.public_id]))
    assert partly.state == ("offered", 2)
    partly.reads(event, "已递补", "确认席位（2 席）")
    subject, _link = partly.letter()
    assert subject == "已为您递补席位：光伏对接会"
    office = Client(HTTP_ACCEPT_LANGUAGE="en")
    office.force_login(organiser_of(event))
    place = waits.who.enterprise.registrations.get()
    decide = reverse("events:registration_decide", args=[place.public_id])
    refused = office.post(decide, {"action": "move", "priority": "9", "reason": ""}, follow=True)
    assertContains(refused, "Say why: the reason is kept and shown.")

    # Nobody answers within the day: the next is asked, and takes the seats by the link, without signing in.
    with time_machine.travel(timezone.now() + 1.01 * DAY):
        tasks.keep_waiting_lists()
        assert (partly.state, waits.state) == (("lapsed", 0), ("offered", 2))
        subject, link = waits.letter()
        assert subject == "A seat is free for you: PV docking"
        Client().post(link, {"action": "accept"})
        assert waits.state == ("confirmed", 2)
        # Whoever leaves the list by its link is asked no more.
        leaves.apply(event, 2)
        _subject, link = leaves.letter()
        Client().post(link, {"action": "leave"})
        assert leaves.state == ("cancelled", 0)
        partly.apply(event, 3, accepts_partial="on")
        partly.reads(event, "位次：1")

    # A week before, what the tier has not used flows on by itself.
    with time_machine.travel(event.starts_at - 6.99 * DAY):
        tasks.release_reserved_seats()
        assert partly.state == ("offered", 2)
        giant.reads(event, "Unused seats have become general.")

    assert sum(Tier.objects.values_list("seats", flat=True)) == 7
    assert sum(Tier.objects.values_list("taken", flat=True)) == 7
    assert Event.objects.get().registrations.confirmed().count() == 3
