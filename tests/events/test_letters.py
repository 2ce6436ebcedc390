"""What guests find in their mail and their calendars; read back with a parser of another make."""

from __future__ import annotations

import datetime

import pytest
import vobject
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from chains.models import AuditEntry, Change, Notification
from chains.tasks import deliver_notifications
from events import tasks
from events.services import events, letters, offers, registration
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, region
from tests.factories.events import EventFactory, organiser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settled_feed")]


def sent():
    """What has come out since last asked: subjects, and the entries of calendars."""
    tasks.read_changes()
    deliver_notifications()
    found = []
    for letter in mail.outbox:
        parts = [
            part for part in letter.message().walk() if part.get_content_type() == "text/calendar"
        ]
        entries = []
        for part in parts:
            calendar = vobject.readOne(part.get_payload(decode=True).decode())
            assert part.get_param("method") == calendar.method.value
            assert part.get_filename() == "event.ics"
            entries.append((calendar.method.value, calendar.vevent))
        found.append((letter.subject, entries))
    mail.outbox.clear()
    return found


def shape(entry):
    method, event = entry
    return method, event.status.value, int(event.sequence.value)


def member(**fields):
    return MembershipFactory(user__language="en", **fields)


def registered(event, who, seats=1):
    return registration.register(event=event, enterprise=who.enterprise, seats=seats, by=who.user)


def test_calendar_follows_the_event_from_confirmation_to_cancellation(settings):
    settings.SITE_URL = "https://chaindock.example"
    event, who = EventFactory(name_en="Docking; with, signs", place_en="Hall A, Jiashan"), member()
    organiser = organiser_of(event)
    registered(event, who)

    [(subject, [first])] = sent()
    later = event.starts_at + datetime.timedelta(days=2)
    events.edit(
        event=event, by=organiser, starts_at=later, ends_at=later + datetime.timedelta(hours=6)
    )
    [(moved_subject, [moved])] = sent()
    events.edit(event=event, by=organiser, text_en="Only the text")
    assert sent() == []
    events.cancel(event=event, reason="Storm warning", by=organiser)
    cancelled = [entry for _subject, entries in sent() for entry in entries]

    entry = first[1]
    assert subject == "Confirmed: Docking; with, signs"
    assert shape(first) == ("PUBLISH", "CONFIRMED", 0)
    assert entry.uid.value == f"{event.public_id}@chaindock.example"
    assert entry.dtstart.value == event.starts_at.replace(microsecond=0)
    assert entry.dtend.value == event.ends_at.replace(microsecond=0)
    assert entry.summary.value == "Docking; with, signs"
    assert entry.location.value == "Hall A, Jiashan"
    assert entry.url.value == f"https://chaindock.example/events/{event.public_id}/"
    assert abs(entry.dtstamp.value - timezone.now()) < datetime.timedelta(minutes=5)
    assert "organizer" not in entry.contents
    assert "attendee" not in entry.contents
    assert moved_subject == "New time or place: Docking; with, signs"
    assert shape(moved) == ("PUBLISH", "CONFIRMED", 1)
    assert moved[1].dtstart.value == later.replace(microsecond=0)
    assert [shape(one) for one in cancelled] == [("CANCEL", "CANCELLED", 2)]
    assert {one[1].uid.value for one in (moved, *cancelled)} == {entry.uid.value}


def test_whoever_waits_has_nothing_in_the_calendar_until_the_seat_is_taken():
    event, first, second = EventFactory(seats=1), member(), member()
    seat = registered(event, first)
    waiting = registered(event, second)
    assert [len(entries) for _subject, entries in sent()] == [1, 0]

    registration.cancel(registration=seat, by=first.user)
    left = sent()
    offers.accept(registration=waiting, by=second.user)
    taken = sent()

    assert [(s.split(":")[0], [shape(e) for e in entries]) for s, entries in left] == [
        ("Registration cancelled", [("CANCEL", "CANCELLED", 0)]),
        ("A seat is free for you", []),
    ]
    assert [[shape(e) for e in entries] for _subject, entries in taken] == [
        [("PUBLISH", "CONFIRMED", 0)]
    ]


def test_who_comes_for_two_enterprises_keeps_the_entry_until_both_have_left():
    event, one = EventFactory(), member()
    other = MembershipFactory(user=one.user)
    rows = [registered(event, one), registered(event, other)]
    sent()

    entries = []
    for row in rows:
        registration.cancel(registration=row, by=one.user)
        [(_subject, found)] = sent()
        entries.append([shape(entry) for entry in found])

    assert entries == [[], [("CANCEL", "CANCELLED", 0)]]


def test_guests_are_reminded_once_and_again_when_the_event_is_put_off():
    event, who, late = EventFactory(seats=1), member(), member()
    registered(event, who)
    registered(event, late)  # waits, and is not reminded
    sent()
    assert events.remind_due() == 0
    soon = timezone.now() + datetime.timedelta(days=2)
    event.starts_at, event.ends_at = soon, soon + datetime.timedelta(hours=6)
    event.save()

    assert (events.remind_due(), events.remind_due()) == (1, 0)
    [(subject, [entry])] = sent()
    events.edit(
        event=event, by=organiser_of(event),
        starts_at=soon + datetime.timedelta(days=9), ends_at=soon + datetime.timedelta(days=10),
    )  # fmt: skip
    event.refresh_from_db()

    assert subject.startswith(f"{event.name_en} begins ")
    assert shape(entry) == ("PUBLISH", "CONFIRMED", 0)
    assert (event.reminded_at, event.sequence) == (None, 1)
    assert AuditEntry.objects.filter(action="event.reminded", actor=None).count() == 1


def test_no_reminder_where_the_organiser_wants_none():
    soon = timezone.now() + datetime.timedelta(days=1)
    EventFactory(reminder_days=0, starts_at=soon, ends_at=soon + datetime.timedelta(hours=2))
    EventFactory(draft=True, starts_at=soon, ends_at=soon + datetime.timedelta(hours=2))

    assert events.remind_due() == 0


def test_a_letter_that_failed_is_seen_and_goes_out_again(client):
    event, who = EventFactory(), member()
    registered(event, who)
    tasks.read_changes()
    Notification.objects.filter(channel="email").update(
        status="failed", attempts=8, error="SMTPServerDisconnected"
    )
    elsewhere = Notification.objects.create(
        to=who.user, kind="registration_confirmed", channel="email", status="failed",
        context={"event": "222222222222"},
    )  # fmt: skip
    client.force_login(organiser_of(event))
    address = reverse("events:event_letters", args=[event.public_id])
    page = client.get(address, {"state": "failed"})
    assertContains(page, "SMTPServerDisconnected", count=1)
    assertContains(page, who.enterprise.name_en)
    assertNotContains(page, who.user.email)

    again = client.post(reverse("events:letters_again", args=[event.public_id]))

    assertRedirects(again, address)
    assert [len(entries) for _subject, entries in sent()] == [1]
    assertNotContains(client.get(address), "SMTPServerDisconnected")
    assert AuditEntry.objects.get(action="event.letters_resent").data == {"letters": 1}
    assert Change.objects.filter(noun="event", verb="letters_resent").count() == 1
    elsewhere.refresh_from_db()
    assert elsewhere.status == "failed"
    assert letters.send_again(event=event, by=organiser_of(event)) == 0


def test_letters_are_there_for_organisers_of_the_event_only(client):
    event = EventFactory()
    client.force_login(OrganiserRoleFactory(region=region("330424")).user)

    for name in ("event_letters", "letters_again"):
        assert client.post(reverse(f"events:{name}", args=[event.public_id])).status_code in (
            404,
            405,
        )
    assert client.get(reverse("events:event_letters", args=[event.public_id])).status_code == 404


def test_anybody_puts_a_published_event_into_the_calendar(client):
    event = EventFactory()
    draft = EventFactory(draft=True)

    answer = client.get(reverse("events:event_calendar", args=[event.public_id]))
    entry = vobject.readOne(answer.content.decode()).vevent

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert entry.summary.value == event.name_en
    assert client.get(reverse("events:event_calendar", args=[draft.public_id])).status_code == 404
