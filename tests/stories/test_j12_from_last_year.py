"""J12: last year's event becomes this year's; an enterprise answers its questions and its calendar follows the event."""

from __future__ import annotations

import datetime

import pytest
import vobject
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains

from chains.tasks import deliver_notifications
from events import tasks
from events.models import Event
from events.services import agenda, copies, letters, questions
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

pytestmark = [
    pytest.mark.story,
    pytest.mark.django_db,
    pytest.mark.usefixtures("settled_feed"),
]


def last_year():
    event = EventFactory(held=True, name_zh="光伏对接会", name_en="PV docking", chains=["PV"])
    TierFactory(event=event, seats=4, reserved_until=event.starts_at - datetime.timedelta(days=3))
    by = organiser_of(event, user__language="en")
    # As it stood before the event was held.
    Event.objects.filter(pk=event.pk).update(status="published")
    questions.set_questions(
        event=event, by=by,
        questions=[{"kind": "choice", "text_zh": "午餐", "text_en": "Lunch", "is_required": True,
                    "choices": [("素食", "Vegetarian"), ("普通", "Standard")]}],
    )  # fmt: skip
    letters.save_template(
        event=event, by=by, kind="confirmed", subject_zh="欢迎来到{event}", subject_en="Welcome to {event}",
        body_zh="{seats} 个席位，{starts}。", body_en="{seats} seats, {starts}.",
    )  # fmt: skip
    part = {"starts_at": event.starts_at, "ends_at": event.starts_at + datetime.timedelta(hours=1)}
    words = dict.fromkeys(("room_zh", "room_en", "note_zh", "note_en"), "")
    agenda.set_agenda(
        event=event, by=by, parts=[{**part, **words, "title_zh": "签到", "title_en": "Check-in"}]
    )
    Event.objects.filter(pk=event.pk).update(status="held")
    return event, by


def letters_of(person):
    """Subject, first line and calendar entry of each letter that has come since."""
    tasks.read_changes()
    deliver_notifications()
    found = []
    for letter in mail.outbox:
        entries = [
            vobject.readOne(part.get_payload(decode=True).decode())
            for part in letter.message().walk()
            if part.get_content_type() == "text/calendar"
        ]
        assert letter.to == [person.email]
        found.append((letter.subject, letter.body.splitlines()[0], entries))
    mail.outbox.clear()
    return found


def test_from_last_years_event_to_a_calendar_that_follows_this_years():
    old, organiser = last_year()
    office, guest = Client(), Client()
    office.force_login(organiser)
    who = MembershipFactory(user__language="en")
    guest.force_login(who.user)
    starts = (timezone.localtime() + datetime.timedelta(days=20)).replace(
        hour=9, minute=0, second=0, microsecond=0
    )

    # The organiser starts from last year's event and publishes the new one.
    office.post(
        reverse("events:event_copy", args=[old.public_id]),
        {"host": old.host.public_id, "name_zh": "光伏对接会", "name_en": "PV docking",
         "starts_at": starts.strftime("%Y-%m-%dT%H:%M"), "parts": list(copies.USUAL)},
    )  # fmt: skip
    event = Event.objects.exclude(pk=old.pk).get()
    address = [event.public_id]
    office.post(reverse("events:event_publish", args=address))
    event.refresh_from_db()
    Event.objects.filter(pk=event.pk).update(registration_opens_at=timezone.now())
    assert (event.status, sorted(event.tiers.values_list("seats", flat=True))) == (
        "published",
        [4, 10],
    )

    # The enterprise registers; without an answer to what is asked it is told what is missing.
    page = guest.get(reverse("events:event_detail", args=address))
    assertContains(page, "09:00 – 10:00")
    lunch = event.questions.get()
    form = {"enterprise": who.enterprise.public_id, "seats": "2"}
    register = reverse("events:register", args=address)
    assertContains(guest.post(register, form), "Lunch", status_code=422)
    guest.post(register, {**form, f"q_{lunch.public_id}": "1"})
    assert event.registrations.get().answers.get().chosen == ["1"]

    [(subject, first_line, [entry])] = letters_of(who.user)
    assert subject == "Welcome to PV docking"
    assert first_line.startswith("2 seats, ")
    assert (entry.method.value, entry.vevent.dtstart.value) == ("PUBLISH", starts)

    # It is put off by a week, by the form that organisers use; then called off.
    form = office.get(reverse("events:event_edit", args=address)).context["form"]
    later = starts + datetime.timedelta(days=7)
    sent = {name: form[name].value() for name in form.fields}
    typed = {
        name: value.strftime("%Y-%m-%dT%H:%M")
        if isinstance(value, datetime.datetime)
        else getattr(value, "code", value)
        for name, value in sent.items()
        if value is not None
    }
    typed |= {
        "starts_at": later.strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (later + datetime.timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M"),
    }
    tier = event.tiers.get(is_general=False)
    typed |= {
        "t-TOTAL_FORMS": "1", "t-INITIAL_FORMS": "1", "t-0-public_id": tier.public_id, "t-0-name_zh": tier.name_zh,
        "t-0-name_en": tier.name_en, "t-0-seats": "4", "t-0-qualifications": ["little_giant"],
    }  # fmt: skip
    saved = office.post(reverse("events:event_edit", args=address), typed)
    assert saved.status_code == 302, saved.context["form"].errors

    [(subject, _line, [moved])] = letters_of(who.user)
    assert subject == "New time or place: PV docking"
    assert (moved.vevent.uid.value, moved.vevent.sequence.value) == (entry.vevent.uid.value, "1")
    assert moved.vevent.dtstart.value == later
    assert timezone.localtime(event.agenda.get().starts_at) == later

    office.post(reverse("events:event_cancel", args=address), {"reason": "Storm warning"})

    [(subject, line, [gone])] = letters_of(who.user)
    assert subject == "Cancelled: PV docking"
    assert (
        line
        == f"PV docking will not take place: Storm warning. The registration of {who.enterprise.name_en} has ended with it."
    )
    assert (gone.method.value, gone.vevent.status.value, gone.vevent.sequence.value) == (
        "CANCEL", "CANCELLED", "2",
    )  # fmt: skip
    event.refresh_from_db()
    assert sum(event.tiers.values_list("taken", flat=True)) == 0
    assert not event.registrations.exclude(status="cancelled").exists()
