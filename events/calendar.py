"""Events as other people's calendars read them (RFC 5545)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar
from icalendar import Event as Entry

from chains import audit
from chains.models import AuditEntry
from chains.templatetags.localised import localised
from events.models import Event, Registration

# Nobody answers to these entries: they are published, and taken back.
PUBLISH, CANCEL = "PUBLISH", "CANCEL"
REFRESH = datetime.timedelta(hours=6)


def entry_of(event: Event) -> str:
    """The event for anybody's calendar, in the language of the reader."""
    return _written(event, CANCEL if event.status == Event.Status.CANCELLED else PUBLISH)


def entry_for(registration: Registration, reader: int) -> str:
    """What a letter about the registration puts into the reader's calendar, or takes out; nothing if neither.

    It is told as it stands when the letter goes out, so a letter that was held up says nothing that is over. All
    registrations of an event are one entry: who comes for two enterprises keeps it until both have left.
    """
    event = registration.event
    if event.status == Event.Status.CANCELLED:
        return _written(event, CANCEL) if _was_confirmed(registration) else ""
    if registration.status == Registration.Status.CONFIRMED:
        return _written(event, PUBLISH)
    return _written(event, CANCEL) if _has_left(registration, reader) else ""


def _has_left(registration: Registration, reader: int) -> bool:
    if not registration.has_ended or not _was_confirmed(registration):
        return False
    others = registration.event.registrations.confirmed().filter(
        enterprise__memberships__user=reader, enterprise__memberships__status="active"
    )
    return not others.exists()


def _was_confirmed(registration: Registration) -> bool:
    """Whether a calendar may know of it: the trail tells."""
    return AuditEntry.objects.filter(
        target=audit.label(registration), action="registration.confirmed"
    ).exists()


def feed_of(rows: Iterable[Event], name: str) -> str:
    """Events for a calendar that asks again by itself. Nothing in it depends on when it is asked."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//ChainDock//Events//EN")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
    for event in rows:
        calendar.add_component(component_of(event, event.updated_at))
    return bytes(calendar.to_ical()).decode()


def component_of(event: Event, stamp: datetime.datetime) -> Entry:
    """The event as an entry of any calendar, as it stood at `stamp`."""
    site = settings.SITE_URL
    entry = Entry()
    entry.add("uid", f"{event.public_id}@{urlsplit(settings.SITE_URL).hostname}")
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", stamp)
    entry.add("dtstart", event.starts_at.astimezone(datetime.UTC))
    entry.add("dtend", event.ends_at.astimezone(datetime.UTC))
    entry.add("summary", localised(event))
    is_cancelled = event.status == Event.Status.CANCELLED
    entry.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    if place := localised(event, "place"):
        entry.add("location", place)
    entry.add("url", site + reverse("events:event_detail", args=[event.public_id]))
    return entry


def _written(event: Event, method: str) -> str:
    entry = component_of(event, timezone.now())
    # A guest who left takes the entry out, though the event stands.
    entry["status"] = "CANCELLED" if method == CANCEL else "CONFIRMED"
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//ChainDock//Events//EN")
    calendar.add("method", method)
    calendar.add_component(entry)
    return bytes(calendar.to_ical()).decode()
