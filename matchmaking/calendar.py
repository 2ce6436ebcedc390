"""What a person must not miss, for their own calendar (RFC 5545)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar
from icalendar import Event as Entry

from chains.models import Requirement, User
from chains.services.requirements import RETURNED_DAYS
from events.calendar import component_of
from events.models import Event, Registration
from matchmaking.models import Alert, Interest

# What is over stays so long: a calendar that forgot yesterday at once would look broken.
KEPT = datetime.timedelta(days=30)
MOST = 300  # of each sort


def deadlines_of(user: User) -> str:
    """Own requirements, interests sent, what the person was told of and has not dealt with, events applied for."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//ChainDock//Deadlines//EN")
    calendar.add("x-wr-calname", _("ChainDock deadlines"))
    calendar.add("refresh-interval", datetime.timedelta(hours=6), {"VALUE": "DURATION"})
    for entry in (*_as_buyer(user), *_as_supplier(user), *_told(user), *_at_events(user)):
        calendar.add_component(entry)
    return bytes(calendar.to_ical()).decode()


def _as_buyer(user: User) -> Iterator[Entry]:
    """Interests that wait are owed an answer when the requirement has closed too."""
    own = Requirement.objects.own(user).filter(answer_by_on__gte=_oldest())
    waiting = {
        pk: (number, first)
        for pk, number, first in Interest.objects.filter(
            status=Interest.Status.SENT, requirement__in=own.values("pk")
        )
        .annotate(due_day=Interest.DUE_DAY)
        .order_by()
        .values_list("requirement")
        .annotate(n=Count("pk"), first=Min("due_day"))
    }
    for row in _returned(user):
        assert row.returned_at is not None
        lapses = row.returned_at + datetime.timedelta(days=RETURNED_DAYS)
        mend = _("Correct and submit again, or it closes: %(title)s") % {"title": row.title}
        page = reverse("chains:requirement_edit", args=[row.public_id])
        yield _moment(row, "returned", lapses, mend, page)
    rows = own.filter(Q(status=Requirement.Status.PUBLISHED) | Q(pk__in=waiting))
    for row in rows.order_by("answer_by_on", "pk")[:MOST]:
        page = reverse("matchmaking:requirement_interests", args=[row.public_id])
        if row.is_published:
            closes = _("Interests close: %(title)s") % {"title": row.title}
            yield from _day(row, "closes", row.closes_on, closes, page)
        number, first = waiting.get(row.pk, (0, row.answer_by_on))
        due = _("Answers due, %(waiting)d waiting: %(title)s") % {
            "waiting": number,
            "title": row.title,
        }
        yield from _day(row, "answers", first, due, page)


def _returned(user: User) -> QuerySet[Requirement]:
    rows = Requirement.objects.own(user).filter(
        status=Requirement.Status.RETURNED, returned_at__isnull=False
    )
    return rows.order_by("returned_at", "pk")[:MOST]


def _as_supplier(user: User) -> Iterator[Entry]:
    rows = (
        Interest.objects.waiting()
        .annotate(due_day=Interest.DUE_DAY)
        .filter(enterprise__in=user.enterprise_ids, due_day__gte=_oldest())
        .select_related("requirement")
        .order_by("due_day", "pk")[:MOST]
    )
    for interest in rows:
        row = interest.requirement
        page = reverse("matchmaking:my_interests")
        promised = _("The buyer answers by today: %(title)s") % {"title": row.title}
        yield from _day(row, "answer", interest.due_on, promised, page)


def _told(user: User) -> Iterator[Entry]:
    rows = (
        Alert.objects.for_letters()
        .filter(user=user, requirement__in=Requirement.objects.open().values("pk"))
        .exclude(requirement__closes_on=None)[:MOST]
    )
    for alert in rows:
        row = alert.requirement
        page = reverse("matchmaking:requirement_detail", args=[row.public_id])
        last = _("Last day for an interest: %(title)s") % {"title": row.title}
        yield from _day(row, "last-day", row.closes_on, last, page)


def _at_events(user: User) -> Iterator[Entry]:
    status = Registration.Status
    rows: QuerySet[Any] = (
        Registration.objects.filter(
            enterprise__in=user.enterprise_ids,
            status__in=[status.CONFIRMED, status.WAITLISTED, status.OFFERED, status.SUBMITTED],
            event__ends_at__gte=timezone.now() - KEPT,
        )
        .exclude(event__status=Event.Status.DRAFT)
        .select_related("event")
        .annotate(named=Count("delegates", filter=Q(delegates__status="active")))
        .order_by("event__starts_at", "pk")[:MOST]
    )
    # One entry an event, whoever of one's enterprises comes: certain as soon as one is.
    seen: dict[int, Entry] = {}
    for row in rows:
        if row.event_id not in seen:
            seen[row.event_id] = component_of(row.event, row.event.updated_at)
            if row.event.status != Event.Status.CANCELLED:
                seen[row.event_id]["status"] = "TENTATIVE"
        entry = seen[row.event_id]
        if row.status == status.CONFIRMED and entry["status"] == "TENTATIVE":
            entry["status"] = "CONFIRMED"
        if row.status == status.OFFERED and row.offer_expires_at is not None:
            page = reverse("events:register", args=[row.event.public_id])
            lapses = _("An offer of seats lapses")
            yield _moment(row, "offer", row.offer_expires_at, lapses, page)
        if row.seats_held > row.named and row.event.takes_delegates:
            page = reverse("events:delegate_list", args=[row.public_id])
            until = row.event.delegates_until or row.event.starts_at
            yield _moment(row, "delegates", until, _("Delegates are to be named"), page)
    yield from seen.values()


def _moment(
    row: Requirement | Registration, sort: str, at: datetime.datetime, summary: str, page: str
) -> Entry:
    entry = Entry()
    entry.add("uid", f"{row.public_id}-{sort}@{_host()}")
    entry.add("dtstamp", row.updated_at)
    entry.add("dtstart", at.astimezone(datetime.UTC))
    entry.add("summary", summary)
    entry.add("url", settings.SITE_URL + page)
    return entry


def _day(
    row: Requirement, sort: str, day: datetime.date | None, summary: str, page: str
) -> Iterator[Entry]:
    """A whole day: deadlines end with it."""
    if day is None or day < _oldest():
        return
    entry = Entry()
    entry.add("uid", f"{row.public_id}-{sort}@{_host()}")
    entry.add("dtstamp", row.updated_at)
    entry.add("dtstart", day)
    entry.add("summary", summary)
    entry.add("transp", "TRANSPARENT")
    entry.add("url", settings.SITE_URL + page)
    yield entry


def _oldest() -> datetime.date:
    return timezone.localdate() - KEPT


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or ""
