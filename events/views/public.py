from __future__ import annotations

import datetime
import hashlib
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from chains import fragments, search
from chains.http import HttpRequest
from chains.models import Chain, DockingDirection, Requirement, lies_within
from chains.templatetags.localised import localised, place
from chains.views.sheets import sheet_asked_for, sheet_response
from events import calendar, permissions, statistics
from events.forms.events import EventFilterForm
from events.models import Event, EventLevel, Series
from events.views.registration import panel

PER_PAGE = 25
EXPORTED = 10_000
FEED_KEEPS, FEED_MOST = datetime.timedelta(days=30), 300
PAST = (Event.Status.HELD, Event.Status.ARCHIVED)


@login_not_required
@require_safe
def event_calendar(request: HttpRequest, public_id: str) -> HttpResponse:
    """The event for the reader's own calendar."""
    event = get_object_or_404(Event.objects.visible_to(request.user), public_id=public_id)
    answer = HttpResponse(calendar.entry_of(event), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="event-{public_id}.ics"'
    return answer


@login_not_required
@require_safe
@conditional_page
def event_feed(request: HttpRequest) -> HttpResponse:
    """The events of any state of the list for calendars that subscribe. They cannot sign in: the same for everybody."""
    asked = hashlib.sha256(request.GET.urlencode().encode()).hexdigest()
    key = f"events:ics:{get_language()}:{asked}"
    text = fragments.since_last_fact(key, lambda: _feed(request))
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="events.ics"'
    return answer


def _feed(request: HttpRequest) -> str:
    form = EventFilterForm(request.GET)
    form.full_clean()
    wanted = form.cleaned_data
    conditions = _conditions(wanted)
    if not wanted.get("status"):
        # One that was called off stays in, and says so: a calendar would keep it otherwise.
        conditions["status"] = Q(ends_at__gte=timezone.now() - FEED_KEEPS)
    rows = _narrowed(Event.objects.public(), conditions).order_by("starts_at", "pk")
    return calendar.feed_of(rows[:FEED_MOST], f"{_('ChainDock')} · {_('Docking events')}")


@login_not_required
@require_safe
def event_list(request: HttpRequest) -> HttpResponseBase:
    if extension := sheet_asked_for(request):
        _form, _wanted, rows = _listed(request)
        return _sheet_of(rows, extension)
    body = fragments.kept(request, "events", lambda: _event_results(request))
    return render(request, "events/event_list.html", {"nav": "events", "body": body})


def _listed(request: HttpRequest) -> tuple[EventFilterForm, dict[str, Any], QuerySet[Event]]:
    """What is asked for, and the events that answer it."""
    form = EventFilterForm(request.GET)
    form.full_clean()  # what cannot be read is left out, and the page says so
    wanted = form.cleaned_data
    everything = Event.objects.visible_to(request.user)
    rows = _narrowed(everything, _conditions(wanted))
    rows = rows.select_related("level", "region__parent", "host")
    rows = rows.with_seats().prefetch_related("chains", "docking_kinds__direction")
    # What is to come first and soonest first; then what is over, latest first.
    rows = rows.annotate(
        over=Case(
            When(status__in=PAST, then=Value(1)), default=Value(0), output_field=IntegerField()
        )
    ).order_by(
        "over",
        Case(When(over=0, then=F("starts_at"))),
        Case(When(over=1, then=F("starts_at"))).desc(),
        "pk",
    )
    return form, wanted, rows


def _sheet_of(rows: QuerySet[Event], extension: str) -> HttpResponseBase:
    header = [
        _("Event"), _("Level"), _("Region"), _("Host"), _("Starts"), _("Ends"), _("Place"), _("State"),
        _("Chains"), _("Kinds of docking"), _("Seats"), _("Seats held"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            localised(event), localised(event.level), place(event.region), localised(event.host),
            timezone.localtime(event.starts_at), timezone.localtime(event.ends_at), localised(event, "place"),
            event.get_status_display(), "; ".join(map(localised, event.chains.all())),
            "; ".join(map(localised, event.docking_kinds.all())), event.seats, event.seats_taken,  # type: ignore[attr-defined]  # annotated
            settings.SITE_URL + reverse("events:event_detail", args=[event.public_id]),
        ]
        for event in rows[:EXPORTED]
    )  # fmt: skip
    return sheet_response(extension, "events", header, table)


def _event_results(request: HttpRequest) -> str:
    form, wanted, rows = _listed(request)
    everything = Event.objects.visible_to(request.user)
    conditions = _conditions(wanted)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render_to_string(
        "events/event_list.html#body",
        {
            "form": form,
            "page_obj": page,
            "facets": _facets(everything, conditions, wanted),
            "chosen": _chosen(request, wanted),
            "series": _series_named(request, wanted),
            "until": wanted.get("until"),
            "years": _years(),
            "left_out": [
                (form[name].label, ", ".join(request.GET.getlist(name))[:40])
                for name in form.errors
            ],
            "may_create": bool(getattr(request.user, "organiser_roles", ())),
        },
        request,
    )


def _conditions(wanted: dict[str, Any]) -> dict[str, Q]:
    """One condition for each filter, so that a facet can be counted without its own."""
    found: dict[str, Q] = {"status": _status(wanted), "when": _period(wanted)}
    if text := search.typed("search_text", wanted.get("q", "")):
        found["q"] = text
    if wanted.get("level"):
        found["level"] = Q(level__in=wanted["level"])
    if wanted.get("chain"):
        found["chain"] = Q(
            pk__in=Event.chains.through.objects.filter(chain__in=wanted["chain"]).values("event")
        )
    if wanted.get("direction"):
        found["direction"] = Q(
            pk__in=Event.docking_kinds.through.objects.filter(
                dockingkind__direction__in=wanted["direction"]
            ).values("event")
        )
    if region := wanted.get("region"):
        found["region"] = lies_within("region", [region])
    if until := wanted.get("until"):
        found["until"] = Q(starts_at__lt=statistics.year_range(until.year, until)[1])
    return {**found, **_belonging(wanted)}


def _belonging(wanted: dict[str, Any]) -> dict[str, Q]:
    """Where a figure of a series or a cluster leads."""
    found: dict[str, Q] = {}
    if series := wanted.get("series"):
        found["series"] = Q(pk__in=series.events.values("pk"))
    if cluster := wanted.get("cluster"):
        found["cluster"] = Q(cluster=cluster)
    return found


def _status(wanted: dict[str, Any]) -> Q:
    """Upcoming ones, unless a time is asked for: a quarter that is over has no upcoming events."""
    status = wanted.get("status") or (
        "all" if wanted.get("year") or wanted.get("series") else "upcoming"
    )
    if status == "upcoming":
        return Q(status=Event.Status.PUBLISHED) | Q(status=Event.Status.DRAFT)
    if status == "planned":
        return Q(status=Event.Status.PUBLISHED)
    if status == "held":
        return Q(status__in=PAST)
    if status == "cancelled":
        return Q(status=Event.Status.CANCELLED)
    return ~Q(status__in=(Event.Status.DRAFT, Event.Status.CANCELLED))


def _period(wanted: dict[str, Any]) -> Q:
    year, quarter = wanted.get("year"), wanted.get("quarter")
    if not year and not quarter:
        return Q()
    start, end = statistics.year_range(year or timezone.localdate().year)
    if quarter:
        first = 3 * int(quarter) - 2
        start = start.replace(month=first)
        end = start.replace(month=first + 3) if first < 10 else end
    return Q(starts_at__gte=start, starts_at__lt=end)


def _narrowed(rows: QuerySet[Event], conditions: dict[str, Q], without: str = "") -> Any:
    for name, condition in conditions.items():
        if name != without:
            rows = rows.filter(condition)
    return rows


def _facets(
    everything: QuerySet[Event], conditions: dict[str, Q], wanted: dict[str, Any]
) -> list[dict[str, Any]]:
    """Each choice with the number of events it would show beside the other filters."""
    kinds: list[tuple[str, Any, str]] = [
        ("level", EventLevel.objects.all(), "level"),
        ("direction", DockingDirection.objects.all(), "docking_kinds__direction"),
        ("chain", Chain.objects.filter(is_active=True), "chains__code"),
    ]
    facets = []
    for name, rows, path in kinds:
        # In a sub-query: the joins of a count must not multiply what the filters let through.
        inside = _narrowed(everything, conditions, without=name).order_by().values("pk")
        counts = dict(
            Event.objects.filter(pk__in=inside)
            .values_list(path)
            .annotate(count=Count("pk", distinct=True))
            .order_by()
            .values_list(path, "count")
        )
        chosen = {row.code for row in wanted.get(name) or ()}
        facets.append(
            {
                "name": name,
                "choices": [
                    {"row": row, "count": counts.get(row.code, 0), "is_chosen": row.code in chosen}
                    for row in rows
                    if counts.get(row.code) or row.code in chosen
                ],
            }
        )
    return facets


def _chosen(request: HttpRequest, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters that are on, each with the address of the list without it."""
    tags = []
    for name in ("level", "direction", "chain"):
        for row in wanted.get(name) or ():
            rest = request.GET.copy()
            rest.setlist(name, [code for code in rest.getlist(name) if code != row.code])
            rest.pop("page", None)
            tags.append({"row": row, "href": f"?{rest.urlencode()}"})
    if wanted.get("cluster"):
        rest = request.GET.copy()
        for key in ("cluster", "page"):
            rest.pop(key, None)
        tags.append({"row": wanted["cluster"], "href": f"?{rest.urlencode()}"})
    if wanted.get("region"):
        rest = request.GET.copy()
        for key in ("region", "region_q", "page"):
            rest.pop(key, None)
        tags.append({"row": wanted["region"], "href": f"?{rest.urlencode()}"})
    return tags


def _series_named(request: HttpRequest, wanted: dict[str, Any]) -> Series | None:
    """One that is being prepared is named to nobody who may not see it."""
    series: Series | None = wanted.get("series")
    if series is None or not Series.objects.visible_to(request.user).filter(pk=series.pk).exists():
        return None
    return series


def _years() -> list[int]:
    today = timezone.localdate().year
    return [today + 1, today, today - 1, today - 2, today - 3]


@login_not_required
@require_safe
def event_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    event = get_object_or_404(
        Event.objects.visible_to(request.user)
        .select_related("level", "region__parent", "host", "cluster")
        .prefetch_related("chains", "docking_kinds__direction", "co_hosts", "series__programme"),
        public_id=public_id,
    )
    requirements = list(listed_requirements(event))
    is_over = event.status in statistics.HELD
    kinds = statistics.came_by_kind(event) if is_over else statistics.guests_by_kind(event)
    return render(
        request,
        "events/event_detail.html",
        {
            "nav": "events",
            "event": event,
            "directions": _directions(event),
            "agenda": _agenda(event),
            "documents": event.documents.all(),
            "leading": ()
            if event.status == Event.Status.CANCELLED
            else event.leading_guests.public(),
            "requirements": requirements,
            "line_count": sum(row.line_count for row in requirements),  # type: ignore[attr-defined]  # annotated
            "kinds": kinds,
            "came": statistics.totals(kinds) if is_over else None,
            "may_manage": permissions.can_manage(request.user, event),
            "desk_opens_at": permissions.desk_opens_at(request.user, event),
            "is_door_staff": permissions.works_at_doors(request.user, event),
            "is_moderator": permissions.moderated_by(request.user).filter(pk=event.pk).exists(),
            **panel(request, event),
        },
    )


def _agenda(event: Event) -> list[dict[str, Any]]:
    """The parts of each day."""
    days = groupby(event.agenda.all(), key=lambda part: timezone.localdate(part.starts_at))
    return [{"day": day, "parts": list(parts)} for day, parts in days]


def _directions(event: Event) -> list[DockingDirection]:
    """Read from the kinds, each once (row 9)."""
    return list({kind.direction_id: kind.direction for kind in event.docking_kinds.all()}.values())


def listed_requirements(event: Event) -> QuerySet[Requirement]:
    """What the public sees of the list: only what is published, in the order of the list."""
    return (
        Requirement.objects.published()
        .filter(listings__event=event)
        .select_related("enterprise", "chain")
        .with_line_count()
        .annotate(is_featured=F("listings__is_featured"), place_on_list=F("listings__order"))
        .order_by("-is_featured", "place_on_list", "pk")
    )
