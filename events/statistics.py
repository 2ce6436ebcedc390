"""Read-only figures of events and series. Each number is the count of rows that a page can show."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from chains.models import (
    Capability,
    Chain,
    Cluster,
    DockingDirection,
    Enterprise,
    OrganiserRole,
    ParticipantKind,
    Region,
    RegionGroup,
    Requirement,
)
from events.models import (
    CheckIn,
    Delegate,
    Event,
    EventLevel,
    Invitation,
    Listing,
    Registration,
    Series,
    Target,
    Tier,
)

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
    offered: int
    offered_seats: int
    submitted: int


class Invited(NamedTuple):
    """From asked to seated: how many were, and what they answered."""

    sent: int
    registered: int
    declined: int
    waiting: int


def invited(event: Event) -> Invited:
    status = Invitation.Status
    return Invited(
        **event.invitations.aggregate(
            sent=Count("pk"),
            registered=Count("pk", filter=Q(status=status.REGISTERED)),
            declined=Count("pk", filter=Q(status=status.DECLINED)),
            waiting=Count("pk", filter=Q(status=status.SENT)),
        )
    )


class ListState(NamedTuple):
    """What of a list is public, what opens at its moment and what would stay out, as things stand."""

    public: int
    ready: int
    out: list[Requirement]

    @property
    def listed(self) -> int:
        return self.public + self.ready + len(self.out)


def list_state(listings: Iterable[Listing]) -> ListState:
    """Of listings with their requirements; closed ones are on no list any more."""
    rows = [one.requirement for one in listings]
    status = Requirement.Status
    return ListState(
        sum(row.status == status.PUBLISHED for row in rows),
        sum(row.status == status.APPROVED for row in rows),
        [row for row in rows if row.status in (status.SUBMITTED, status.RETURNED)],
    )


def guests(event: Event) -> Guests:
    counted = Q(enterprise__kind__counts_as_enterprise=True)
    confirmed = Q(status=Registration.Status.CONFIRMED)
    waiting = Q(status=Registration.Status.WAITLISTED)
    offered = Q(status=Registration.Status.OFFERED)
    row = event.registrations.aggregate(
        enterprises=Count("pk", filter=confirmed & counted),
        bodies=Count("pk", filter=confirmed & ~counted),
        seats=Sum("seats_held", filter=confirmed, default=0),
        waiting=Count("pk", filter=waiting),
        waiting_seats=Sum("seats_asked", filter=waiting, default=0),
        offered=Count("pk", filter=offered),
        offered_seats=Sum("seats_held", filter=offered, default=0),
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
    return _by_kind(event.registrations.confirmed(), "seats_held")


def came_by_kind(event: Event) -> list[dict[str, Any]]:
    """The same of those who came, as it was frozen when the event was held; persons stand as seats."""
    return _by_kind(event.registrations.came(), "attended")


def totals(kinds: list[dict[str, Any]]) -> dict[str, int]:
    """Enterprises apart from other bodies, both apart from persons."""
    counted = [row["kind"].counts_as_enterprise for row in kinds]
    bodies = [row["bodies"] for row in kinds]
    enterprises = sum(count for count, is_one in zip(bodies, counted, strict=True) if is_one)
    return {
        "enterprises": enterprises,
        "bodies": sum(bodies) - enterprises,
        "persons": sum(row["seats"] for row in kinds),
    }


def _by_kind(registrations: QuerySet[Registration], persons: str) -> list[dict[str, Any]]:
    found: dict[Any, Any] = {
        row["enterprise__kind"]: row
        for row in registrations.values("enterprise__kind").annotate(
            bodies=Count("pk"), seats=Sum(persons)
        )
    }
    return [
        {"kind": kind, "bodies": found[kind.code]["bodies"], "seats": found[kind.code]["seats"]}
        for kind in ParticipantKind.objects.all()
        if kind.code in found
    ]


def guests_by_city(event: Event, limit: int | None = 8) -> list[tuple[Region, int]]:
    """Confirmed bodies by prefecture (a municipality or a foreign body by what there is), most first."""
    paths = event.registrations.confirmed().values_list("enterprise__region__path", flat=True)
    codes = Counter(path.split("/")[min(2, path.count("/"))] for path in paths if path)
    regions = Region.objects.select_related("parent").in_bulk(codes, field_name="code")
    most = sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return [(regions[code], count) for code, count in most]


def guests_by_province(event: Event) -> list[dict[str, Any]]:
    """Confirmed bodies and their seats by province, those from abroad by country, most first."""
    found: list[Any] = list(
        event.registrations.confirmed()
        .values("enterprise__province", "enterprise__country")
        .annotate(bodies=Count("pk"), seats=Sum("seats_held"))
        .order_by()
    )
    provinces = Region.objects.in_bulk({row["enterprise__province"] for row in found} - {None})
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    for row in found:
        province = provinces.get(row["enterprise__province"])
        country = "" if province else row["enterprise__country"]
        place = {"region": province, "country": country, "bodies": 0, "seats": 0}
        total = rows.setdefault((row["enterprise__province"], country), place)
        total["bodies"] += row["bodies"]
        total["seats"] += row["seats"]
    return sorted(
        rows.values(),
        key=lambda row: (-row["bodies"], row["region"].code if row["region"] else row["country"]),
    )


def guests_by_chain(event: Event) -> list[tuple[Chain, int]]:
    """Confirmed bodies by the chains that their published capabilities lie in, most first; one may lie in several."""
    bodies = event.registrations.confirmed().values("enterprise")
    pairs = set(
        Capability.objects.published()
        .filter(enterprise__in=bodies, categories__segment__isnull=False)
        .values_list("enterprise", "categories__segment__chain")
    )
    counts = Counter(chain for _enterprise, chain in pairs)
    chains = Chain.objects.in_bulk(counts)
    return sorted(
        ((chains[pk], count) for pk, count in counts.items()),
        key=lambda pair: (-pair[1], pair[0].code),
    )


class Span(NamedTuple):
    """Registrations that came in from one day to another, both counted."""

    first: datetime.date
    last: datetime.date
    registrations: int
    seats: int


SPANS = 14


def registrations_by_day(event: Event) -> list[tuple[datetime.date, int, int]]:
    """The days on which any came in, with how many and the seats they asked for."""
    rows: Any = (
        event.registrations.values(day=TruncDate("created_at"))
        .annotate(count=Count("pk"), seats=Sum("seats_asked"))
        .order_by("day")
    )
    return [(row["day"], row["count"], row["seats"]) for row in rows]


def registrations_over_time(event: Event) -> list[Span]:
    """By days, or by as many days together as make at most fourteen rows, from the first registration to the last."""
    found = {day: (count, seats) for day, count, seats in registrations_by_day(event)}
    if not found:
        return []
    first, last = min(found), max(found)
    step = -(-((last - first).days + 1) // SPANS)
    spans = []
    for start in range(0, (last - first).days + 1, step):
        begin = first + datetime.timedelta(days=start)
        days = [begin + datetime.timedelta(days=number) for number in range(step)]
        counts = [found.get(day, (0, 0)) for day in days]
        spans.append(
            Span(begin, min(days[-1], last), sum(n for n, _s in counts), sum(s for _n, s in counts))
        )
    return spans


class Funnel(NamedTuple):
    """Bodies from asked to present. Who came is known once the event is held."""

    invited: int
    registered: int
    confirmed: int
    came: int | None
    persons: int | None

    @property
    def absent(self) -> int | None:
        return None if self.came is None else self.confirmed - self.came


def funnel(event: Event) -> Funnel:
    row = event.registrations.aggregate(
        registered=Count("pk"),
        confirmed=Count("pk", filter=Q(status=Registration.Status.CONFIRMED)),
        came=Count("pk", filter=Q(status=Registration.Status.CONFIRMED, attended__gt=0)),
        persons=Sum("attended", default=0),
    )
    if event.status not in HELD:
        row |= {"came": None, "persons": None}
    return Funnel(invited=event.invitations.count(), **row)


class TierState(NamedTuple):
    """What is taken includes what is offered: those seats are held until the offer lapses."""

    tier: Tier
    waiting: int
    offered: int

    @property
    def confirmed(self) -> int:
        return self.tier.taken - self.offered


def tier_states(event: Event) -> list[TierState]:
    counts = {
        tier: (waiting, offered)
        for tier, waiting, offered in event.registrations.order_by()
        .values_list("tier")
        .annotate(
            waiting=Count("pk", filter=Q(status=Registration.Status.WAITLISTED)),
            offered=Sum("seats_held", filter=Q(status=Registration.Status.OFFERED), default=0),
        )
    }
    return [TierState(tier, *counts.get(tier.pk, (0, 0))) for tier in event.tiers.all()]


# ---- at the doors ----


class Heads(NamedTuple):
    """Persons who are in, each once over all doors; seats confirmed; bodies of which somebody is in."""

    inside: int
    expected: int
    bodies: int
    bodies_expected: int


def heads(event: Event) -> Heads:
    inside = event.check_ins.inside().aggregate(
        persons=Count("pk"), bodies=Count("delegate__registration", distinct=True)
    )
    confirmed = event.registrations.confirmed().aggregate(
        seats=Sum("seats_held", default=0), bodies=Count("pk")
    )
    return Heads(inside["persons"], confirmed["seats"], inside["bodies"], confirmed["bodies"])


def by_gate(event: Event) -> list[dict[str, Any]]:
    """The scans of each door: doors are counted apart, heads are not."""
    scans: Any = (
        event.check_ins.values("gate")
        .annotate(
            scans=Count("pk", filter=Q(kind__in=("in", "walk_in"))),
            again=Count("pk", filter=Q(answer="again")),
            refused=Count("pk", filter=Q(kind="refused")),
        )
        .order_by("gate")
    )
    return list(scans)


class Duplicate(NamedTuple):
    again: CheckIn
    first: CheckIn


def duplicates(event: Event, limit: int = 10) -> list[Duplicate]:
    """Badges shown a second time, the latest first, each with the scan that let the person in."""
    rows = list(
        event.check_ins.filter(answer=CheckIn.Answer.AGAIN)
        .select_related("delegate__registration__enterprise")
        .order_by("-pk")[:limit]
    )
    firsts: dict[int | None, CheckIn] = {}
    people = [row.delegate_id for row in rows]
    for row in event.check_ins.counting().filter(delegate__in=people).in_order():
        if row.kind == CheckIn.Kind.UNDO:
            firsts.pop(row.delegate_id, None)
        else:
            firsts.setdefault(row.delegate_id, row)
    return [Duplicate(row, firsts[row.delegate_id]) for row in rows if row.delegate_id in firsts]


def with_seats_to_name(event: Event) -> QuerySet[Registration]:
    """Confirmed ones with a seat that nobody is named for, and those whose offer a person at the door would take."""
    return event.registrations.annotate(
        named_count=Count("delegates", filter=Q(delegates__status="active"))
    ).filter(
        Q(status=Registration.Status.CONFIRMED, named_count__lt=F("seats_held"))
        | Q(status=Registration.Status.OFFERED)
    )


class Expected(NamedTuple):
    registration: Registration
    named: list[Delegate]
    unnamed: range
    inside: set[int]

    @property
    def missing(self) -> int:
        return self.registration.seats_held - len(self.inside)


def expected_by_enterprise(event: Event) -> list[Expected]:
    """Each confirmed body with its persons, the seats nobody is named for, and who of them is in."""
    rows = (
        event.registrations.confirmed()
        .select_related("enterprise")
        .prefetch_related(
            Prefetch(
                "delegates",
                Delegate.objects.filter(status=Delegate.Status.ACTIVE).order_by("pk"),
                to_attr="active",
            )
        )
        .order_by("enterprise__sort_key", "pk")
    )
    inside = set(event.check_ins.inside().values_list("delegate", flat=True))
    return [
        Expected(
            row,
            row.active,  # type: ignore[attr-defined]  # prefetched above
            range(row.seats_held - len(row.active)),  # type: ignore[attr-defined]
            {one.pk for one in row.active if one.pk in inside},  # type: ignore[attr-defined]
        )
        for row in rows
    ]


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
    """City and county events of the series by the quarters of its year (row 4)."""
    start, end = year_range(series.year)
    rows = counting(Event.objects.filter(series=series, level__code__in=CITY_AND_COUNTY))
    counts = Counter(
        (timezone.localtime(begin).month + 2) // 3
        for begin in rows.filter(starts_at__gte=start, starts_at__lt=end).values_list(
            "starts_at", flat=True
        )
    )
    return [{"quarter": quarter, "count": counts[quarter]} for quarter in (1, 2, 3, 4)]


def by_region_target(series: Series) -> list[dict[str, Any]]:
    """Targets of single regions, each with what was held and is planned in the region and below it."""
    targets = list(
        series.targets.filter(measure=Target.Measure.EVENTS)
        .exclude(region=None)
        .select_related("region__parent", "level")
        .order_by("region__code", "pk")
    )
    found: list[Any] = []
    if targets:
        found = list(
            counting(Event.objects.filter(series=series)).values_list(
                "level_id", "status", "region__path"
            )
        )
    rows = []
    for target in targets:
        assert target.region is not None
        inside = [
            status in HELD
            for level, status, path in found
            if f"{path}/".startswith(f"{target.region.path}/") and target.level_id in (None, level)
        ]
        held = sum(inside)
        rows.append(
            {
                "target": target,
                "held": held,
                "planned": len(inside) - held,
                "is_met": held >= target.value,
                "short": max(0, target.value - len(inside)),
            }
        )
    return rows


def places_held(series: Series, until: datetime.date | None = None) -> QuerySet[Registration]:
    """Participation: bodies that came to events that were held, as it was frozen then."""
    return Registration.objects.came().filter(event__in=_held(series, until).values("pk"))


_COUNTED = Q(enterprise__kind__counts_as_enterprise=True)
# Enterprises once (家), their visits (家次) and persons (人次) are three measures and never one word; bodies that are
# no enterprises – universities, banks – are counted apart, their persons are persons.
_PARTICIPANTS: dict[str, Any] = {
    "enterprises": Count("enterprise", distinct=True, filter=_COUNTED),
    "visits": Count("pk", filter=_COUNTED),
    "bodies": Count("enterprise", distinct=True, filter=~_COUNTED),
    "persons": Sum("attended", default=0),
}


def figures(series: Series, until: datetime.date | None = None) -> dict[str, int]:
    """Events held with their distinct enterprises, visits, other bodies and persons, up to a day of the year."""
    first = Registration.objects.came().filter(_COUNTED, event__in=first_held(series, until))
    return {
        "held": _held(series, until).count(),
        **places_held(series, until).aggregate(**_PARTICIPANTS),
        "first_event": first.count(),
    }


def _held(series: Series, until: datetime.date | None) -> QuerySet[Event]:
    held = Event.objects.filter(series=series, status__in=HELD)
    return held.filter(starts_at__lt=year_range(series.year, until)[1]) if until else held


def first_held(series: Series, until: datetime.date | None = None) -> QuerySet[Any, Any]:
    """The key of the event that opened the series; nothing while none was held."""
    return _held(series, until).order_by("starts_at", "pk").values("pk")[:1]


def figures_of(rows: Sequence[Series]) -> dict[int, dict[str, int]]:
    """Participants of several series beside each other, in one query."""
    found: dict[int, dict[str, int]] = {row.pk: dict.fromkeys(_PARTICIPANTS, 0) for row in rows}
    counts = (
        Registration.objects.came()
        .filter(event__status__in=HELD, event__series__in=list(found))
        .values("event__series")
        .annotate(**_PARTICIPANTS)
        .order_by()
    )
    row: Any  # annotated
    for row in counts:
        found[row["event__series"]] = {name: row[name] for name in _PARTICIPANTS}
    return found


def year_on_year(series: Series) -> dict[str, Any] | None:
    """This series beside the programme's series of the year before, both up to the same day (row 15).

    None without such a series, and for a year that has not begun.
    """
    today = timezone.localdate()
    before = Series.objects.filter(programme=series.programme, year=series.year - 1).first()
    if before is None or series.year > today.year:
        return None
    until = today if today.year == series.year else None
    now, then = figures(series, until), figures(before, until)
    return {
        "before": before,
        # The last day that counts in each of the two years.
        "until": until,
        "until_before": year_range(before.year, until)[1].date() - datetime.timedelta(days=1)
        if until
        else None,
        "rows": [
            {
                "measure": name,
                "before": then[name],
                "now": now[name],
                "factor": round(now[name] / then[name], 1) if then[name] else None,
            }
            for name in ("held", "enterprises", "visits", "persons", "first_event")
        ],
    }


def participants_by_province(series: Series) -> dict[str, Any]:
    """Who took part, by province and from abroad, with the groups of provinces beside (row 11).

    A body stands in one province, so the distinct ones of all provinces add up to those of the series.
    """
    found: list[Any] = list(
        places_held(series)
        .values("enterprise__province", "enterprise__country")
        .annotate(**_PARTICIPANTS)
        .order_by()
    )
    provinces = Region.objects.in_bulk({row["enterprise__province"] for row in found} - {None})
    rows: dict[tuple[Any, str], dict[str, Any]] = {}
    for row in found:
        province = provinces.get(row["enterprise__province"])
        country = "" if province else row["enterprise__country"]
        _add(
            rows.setdefault(
                (row["enterprise__province"], country), {"region": province, "country": country}
            ),
            row,
        )
    groups = []
    if rows:
        for group in RegionGroup.objects.filter(is_active=True).prefetch_related("regions"):
            members = {region.pk for region in group.regions.all()}
            total: dict[str, Any] = {"group": group, "regions": list(group.regions.all())}
            for row in rows.values():
                if row["region"] is not None and row["region"].pk in members:
                    _add(total, row)
            if "persons" in total:
                groups.append(total)
    everything: dict[str, Any] = {}
    for row in rows.values():
        _add(everything, row)
    order = sorted(
        rows.values(),
        key=lambda row: (
            -row["enterprises"], -row["persons"], row["region"].code if row["region"] else row["country"],
        ),
    )  # fmt: skip
    return {"rows": order, "groups": groups, "total": everything}


def _add(total: dict[str, Any], row: dict[str, Any]) -> None:
    for name in _PARTICIPANTS:
        total[name] = total.get(name, 0) + row[name]


def participants(places: QuerySet[Registration]) -> QuerySet[Any, Any]:
    """The rows behind a figure: each body once, with its visits and persons."""
    return (
        places.values("enterprise")
        .annotate(visits=Count("pk"), persons=Sum("attended"))
        .order_by("-visits", "-persons", "enterprise")
    )


def territory(body: Enterprise) -> Region | None:
    """What a body looks after: the widest region of its organisers. Its seat lies in one city of that."""
    roles = OrganiserRole.objects.current().filter(body=body, role=OrganiserRole.Role.ORGANISER)
    regions = [role.region for role in roles.select_related("region")]
    return min(regions, key=lambda region: (len(region.codes), region.code), default=body.region)


def counties(series: Series) -> list[dict[str, Any]]:
    """Counties of the owner's territory, each with the events of the series in it and below (row 3)."""
    region = territory(series.programme.owner)
    if region is None:
        return []
    visits = Counter(
        code
        for path in counting(Event.objects.filter(series=series)).values_list(
            "region__path", flat=True
        )
        for code in path.split("/")
    )
    rows = (
        Region.objects.within(region)
        .filter(level=Region.Level.COUNTY, is_active=True)
        .select_related("parent")
        .order_by("code")
    )
    return [{"county": county, "events": visits[county.code]} for county in rows]


def counties_without(series: Series) -> list[dict[str, Any]]:
    """Cities of the owner's territory with their counties that have no event of this series yet (row 3)."""
    cities: dict[str, dict[str, Any]] = {}
    for row in counties(series):
        county = row["county"]
        city = county.parent if county.parent_id else county
        found = cities.setdefault(city.code, {"city": city, "without": [], "covered": 0, "all": 0})
        found["all"] += 1
        if row["events"]:
            found["covered"] += 1
        else:
            found["without"].append(county)
    return list(cities.values())


def by_chain_and_place(series: Series) -> dict[str, Any]:
    """Events by chain and by the regions one step below the owner's territory: its cities, or the counties of a city.

    An event may serve several chains, so columns do not add up to the events.
    """
    owner = territory(series.programme.owner)
    events = counting(Event.objects.filter(series=series))
    pairs = Event.chains.through.objects.filter(event__in=events.values("pk")).values_list(
        "chain", "event__region__path"
    )
    depth = len(owner.codes) if owner else 1
    counts: Counter[tuple[int, str]] = Counter()
    for chain, path in pairs:
        codes = path.split("/")
        inside = owner is None or f"{path}/".startswith(f"{owner.path}/")
        if inside and len(codes) > depth:
            counts[chain, codes[depth]] += 1
    chains = list(Chain.objects.filter(pk__in={chain for chain, _code in counts}).order_by("pk"))
    wanted = Region.objects.filter(code__in={code for _chain, code in counts})
    if owner is not None and owner.level != Region.Level.COUNTRY:
        wanted = (
            Region.objects.filter(parent=owner, is_active=True).exclude(level=Region.Level.ZONE)
            | wanted
        )
    return {
        "chains": chains,
        "rows": [
            {
                "place": place,
                "cells": [
                    {"chain": chain, "count": count, "shade": _shade(count)}
                    for chain in chains
                    for count in [counts[chain.pk, place.code]]
                ],
            }
            for place in wanted.select_related("parent").order_by("code")
        ]
        if chains
        else [],
    }


def _shade(count: int) -> int:
    return next(step for step, least in ((3, 6), (2, 3), (1, 1), (0, 0)) if count >= least)


def by_direction(series: Series) -> list[dict[str, Any]]:
    """Events by the direction of their docking kinds (row 9); one of two directions counts in both."""
    counts: dict[Any, int] = dict(
        counting(Event.objects.filter(series=series))
        .values_list("docking_kinds__direction")
        .annotate(count=Count("pk", distinct=True))
        .order_by()
        .values_list("docking_kinds__direction", "count")
    )
    return [
        {"direction": direction, "count": counts.get(direction.code, 0)}
        for direction in DockingDirection.objects.all()
    ]


def by_cluster(series: Series) -> list[dict[str, Any]]:
    """Events held and planned for each industrial cluster that any is held for (row 5)."""
    rows = (
        Cluster.objects.filter(events__in=counting(Event.objects.filter(series=series)))
        .annotate(
            held=Count(
                "events", filter=Q(events__series=series, events__status__in=HELD), distinct=True
            ),
            planned=Count(
                "events",
                filter=Q(events__series=series, events__status=Event.Status.PUBLISHED),
                distinct=True,
            ),
        )
        .select_related("region", "chain")
        .order_by("-held", "-planned", "code")
    )
    return [{"cluster": row, "held": row.held, "planned": row.planned} for row in rows]


def series_progress(rows: QuerySet[Series]) -> QuerySet[Series]:
    """Adds events held, planned and the target: the one over all levels, or else the sum of the levels'."""
    dead = Q(events__status__in=(Event.Status.DRAFT, Event.Status.CANCELLED))
    targets = Target.objects.filter(
        series=OuterRef("pk"), measure=Target.Measure.EVENTS, region=None
    ).order_by()
    of_levels = targets.exclude(level=None).values("series").annotate(sum=Sum("value"))
    return rows.annotate(
        held=Count("events", filter=Q(events__status__in=HELD), distinct=True),
        all_events=Count("events", filter=~dead & Q(events__isnull=False), distinct=True),
        planned=F("all_events") - F("held"),
        target=Coalesce(
            Subquery(targets.filter(level=None).values("value")[:1]),
            Subquery(of_levels.values("sum")[:1]),
        ),
    )
