"""Read-only figures of events and series. Each number is the count of rows that a page can show."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from chains.models import ParticipantKind, Region
from events.models import Event, EventLevel, Registration, Series, Target

HELD = (Event.Status.HELD, Event.Status.ARCHIVED)
CITY_AND_COUNTY = ("city", "county")


class Guests(NamedTuple):
    """Bodies counted apart from persons, enterprises apart from other bodies (rows 13 and 16)."""

    enterprises: int
    bodies: int
    seats: int
    named: int
    waiting: int
    waiting_seats: int
    submitted: int


def guests(event: Event) -> Guests:
    counted = Q(enterprise__kind__counts_as_enterprise=True)
    confirmed = Q(status=Registration.Status.CONFIRMED)
    waiting = Q(status=Registration.Status.WAITLISTED)
    row = event.registrations.aggregate(
        enterprises=Count("pk", filter=confirmed & counted),
        bodies=Count("pk", filter=confirmed & ~counted),
        seats=Sum("seats_held", filter=confirmed, default=0),
        waiting=Count("pk", filter=waiting),
        waiting_seats=Sum("seats_asked", filter=waiting, default=0),
        submitted=Count("pk", filter=Q(status=Registration.Status.SUBMITTED)),
    )
    named = (
        event.registrations.confirmed()
        .filter(delegates__status="active")
        .aggregate(named=Count("delegates"))["named"]
    )
    return Guests(named=named, **row)


def guests_by_kind(event: Event) -> list[dict[str, Any]]:
    """Each kind of participant with its bodies and its seats; kinds without any are left out."""
    found: dict[Any, Any] = {
        row["enterprise__kind"]: row
        for row in event.registrations.confirmed()
        .values("enterprise__kind")
        .annotate(bodies=Count("pk"), seats=Sum("seats_held"))
    }
    return [
        {"kind": kind, "bodies": found[kind.code]["bodies"], "seats": found[kind.code]["seats"]}
        for kind in ParticipantKind.objects.all()
        if kind.code in found
    ]


def guests_by_city(event: Event, limit: int = 8) -> list[tuple[Region, int]]:
    """Confirmed bodies by prefecture (a municipality or a foreign body by what there is), most first."""
    paths = event.registrations.confirmed().values_list("enterprise__region__path", flat=True)
    codes = Counter(path.split("/")[min(2, path.count("/"))] for path in paths if path)
    regions = Region.objects.select_related("parent").in_bulk(codes, field_name="code")
    most = sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return [(regions[code], count) for code, count in most]


def waiting_by_tier(event: Event) -> dict[int, int]:
    return dict(
        event.registrations.waiting()
        .values_list("tier")
        .annotate(count=Count("pk"))
        .values_list("tier", "count")
    )


# ---- series ----


def year_range(
    year: int, until: datetime.date | None = None
) -> tuple[datetime.datetime, datetime.datetime]:
    """The year in the time of the place; up to and with the day `until` of that year."""
    zone = timezone.get_current_timezone()
    start = datetime.datetime(year, 1, 1, tzinfo=zone)
    end = datetime.datetime(year + 1, 1, 1, tzinfo=zone)
    if until is not None:
        day = 28 if (until.month, until.day) == (2, 29) else until.day
        end = min(
            end, datetime.datetime(year, until.month, day, tzinfo=zone) + datetime.timedelta(days=1)
        )
    return start, end


def counting(events: QuerySet[Event]) -> QuerySet[Event]:
    """Events that count: what is a draft or called off never does."""
    return events.exclude(status__in=(Event.Status.DRAFT, Event.Status.CANCELLED))


def grand_total(year: int) -> int:
    """Events of all series of a year, an event in several of them once (row 6)."""
    return counting(Event.objects.filter(series__year=year)).distinct().count()


def by_level(series: Series) -> list[dict[str, Any]]:
    """Held, planned and the target of each level; what no target asks for is shown too."""
    found: dict[Any, Any] = {
        row["level"]: row
        for row in counting(Event.objects.filter(series=series))
        .values("level")
        .annotate(
            held=Count("pk", filter=Q(status__in=HELD)),
            planned=Count("pk", filter=Q(status=Event.Status.PUBLISHED)),
        )
        .order_by()
    }
    targets: dict[Any, int] = dict(
        series.targets.filter(measure=Target.Measure.EVENTS, region=None)
        .exclude(level=None)
        .values_list("level", "value")
    )
    rows = []
    for level in EventLevel.objects.all():
        held = found.get(level.code, {}).get("held", 0)
        planned = found.get(level.code, {}).get("planned", 0)
        target = targets.get(level.code)
        if held or planned or target is not None:
            rows.append(
                {
                    "level": level,
                    "held": held,
                    "planned": planned,
                    "target": target,
                    "is_met": target is not None and held >= target,
                    "short": max(0, (target or 0) - held - planned),
                }
            )
    return rows


def by_quarter(series: Series) -> list[dict[str, int]]:
    """City and county events of the series by quarter (row 4)."""
    counts = Counter(
        (timezone.localtime(start).month + 2) // 3
        for start in counting(
            Event.objects.filter(series=series, level__code__in=CITY_AND_COUNTY)
        ).values_list("starts_at", flat=True)
    )
    return [{"quarter": quarter, "count": counts[quarter]} for quarter in (1, 2, 3, 4)]


def figures(series: Series, until: datetime.date | None = None) -> dict[str, int]:
    """Events, distinct enterprises, visits and persons of a series, up to a day of its year.

    Registrations stand for participation until arrivals are recorded: confirmed ones of events that were held.
    """
    start, end = year_range(series.year, until)
    events = counting(Event.objects.filter(series=series, starts_at__gte=start, starts_at__lt=end))
    row = (
        Registration.objects.confirmed()
        .filter(event__in=events.filter(status__in=HELD))
        .filter(enterprise__kind__counts_as_enterprise=True)
        .aggregate(
            enterprises=Count("enterprise", distinct=True),
            visits=Count("pk"),
            persons=Sum("seats_held", default=0),
        )
    )
    first = events.filter(status__in=HELD).order_by("starts_at", "pk").first()
    return {
        "events": events.count(),
        "held": events.filter(status__in=HELD).count(),
        **row,
        "first_event": first.registrations.confirmed()
        .filter(enterprise__kind__counts_as_enterprise=True)
        .count()
        if first
        else 0,
    }


def year_on_year(series: Series) -> list[dict[str, Any]]:
    """This series beside the programme's series of the year before, both up to the same day (row 15)."""
    before = Series.objects.filter(programme=series.programme, year=series.year - 1).first()
    if before is None:
        return []
    today = timezone.localdate()
    until = today if today.year == series.year else None
    now, then = figures(series, until), figures(before, until)
    return [
        {
            "measure": name,
            "before": then[name],
            "now": now[name],
            "factor": round(now[name] / then[name], 1) if then[name] else None,
        }
        for name in ("events", "held", "enterprises", "first_event")
    ]


def counties_without(series: Series) -> list[dict[str, Any]]:
    """Cities of the owner's region with their counties that have no event of this series yet (row 3)."""
    region = series.programme.owner.region
    if region is None:
        return []
    counties = list(
        Region.objects.within(region)
        .filter(level=Region.Level.COUNTY, is_active=True)
        .select_related("parent")
        .order_by("code")
    )
    visited = {
        code
        for path in counting(Event.objects.filter(series=series)).values_list(
            "region__path", flat=True
        )
        for code in path.split("/")
    }
    cities: dict[str, dict[str, Any]] = {}
    for county in counties:
        city = county.parent if county.parent_id else county
        assert city is not None
        row = cities.setdefault(city.code, {"city": city, "without": [], "covered": 0, "all": 0})
        row["all"] += 1
        if county.code in visited:
            row["covered"] += 1
        else:
            row["without"].append(county)
    return list(cities.values())


def series_progress(rows: QuerySet[Series]) -> QuerySet[Series]:
    """Adds events held, planned and the target over all levels to a list of series."""
    dead = Q(events__status__in=(Event.Status.DRAFT, Event.Status.CANCELLED))
    return rows.annotate(
        held=Count("events", filter=Q(events__status__in=HELD), distinct=True),
        all_events=Count("events", filter=~dead & Q(events__isnull=False), distinct=True),
        planned=F("all_events") - F("held"),
    )
