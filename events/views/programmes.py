from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chains import search
from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.models import Enterprise, OrganiserRole, Region, RegionGroup, User, lies_within
from chains.permissions import holds_a_role
from chains.templatetags.localised import localised
from chains.views.sheets import sheet_asked_for, sheet_response
from events import permissions, statistics
from events.forms.programmes import (
    ProgrammeForm,
    RegionTargetFormSet,
    SeriesEventFilterForm,
    SeriesForm,
    TargetsForm,
    region_targets_of,
)
from events.models import Event, Programme, Registration, Series
from events.services import programmes
from events.views import figures

PER_PAGE = 25


def _owners(user: User) -> list[Enterprise]:
    """Bodies for which the user may keep programmes."""
    if user.is_administrator:
        roles = OrganiserRole.objects.current().filter(role=OrganiserRole.Role.ORGANISER)
        return list(Enterprise.objects.filter(pk__in=roles.values("body")).order_by("pk"))
    return list({role.body_id: role.body for role in user.organiser_roles}.values())


# ---- to read ----


@login_not_required
@require_safe
def series_list(request: HttpRequest) -> HttpResponseBase:
    seen = Series.objects.visible_to(request.user)
    years = sorted(set(seen.order_by().values_list("year", flat=True)), reverse=True)
    asked = request.GET.get("year", "")
    chosen = int(asked) if asked.isdecimal() and int(asked) in years else None
    if chosen is not None:
        seen = seen.filter(year=chosen)
    rows = statistics.series_progress(seen.select_related("programme__owner"))
    rows = rows.order_by("-year", "pk")
    if extension := sheet_asked_for(request):
        return _sheet_of(rows, extension)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    user = request.user
    empty = Programme.objects.owned_by(user).filter(series=None).select_related("owner")
    return render(
        request,
        "events/series_list.html",
        {
            "nav": "events",
            "page_obj": page,
            "years": years,
            "chosen": chosen,
            "totals": [
                {"year": year, "count": statistics.grand_total(year)}
                for year in ([chosen] if chosen else years[:3])
            ],
            "empty_programmes": empty,
            "may_create": user.is_authenticated and (user.is_organiser or user.is_administrator),
        },
    )


def _sheet_of(rows: QuerySet[Series], extension: str) -> HttpResponseBase:
    header = [
        _("Series"), _("Year"), _("Body"), _("Held"), _("Planned"), _("Target"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            localised(row), row.year, localised(row.programme.owner), row.held, row.planned, row.target,  # type: ignore[attr-defined]  # annotated
            settings.SITE_URL + reverse("events:series_detail", args=[row.public_id]),
        ]
        for row in rows
    )  # fmt: skip
    return sheet_response(extension, "series", header, table)


@login_not_required
@require_safe
def programme_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    programme = get_object_or_404(
        Programme.objects.visible_to(request.user).select_related("owner__region__parent"),
        public_id=public_id,
    )
    series = Series.objects.visible_to(request.user).filter(programme=programme)
    rows = list(statistics.series_progress(series.select_related("programme")).order_by("-year"))
    figures = statistics.figures_of(rows)
    return render(
        request,
        "events/programme_detail.html",
        {
            "nav": "events",
            "programme": programme,
            "rows": [{"series": row, **figures[row.pk]} for row in rows],
            "may_edit": permissions.can_own_programme(request.user, programme.owner),
        },
    )


def _seen(request: HttpRequest, public_id: str) -> Series:
    rows = Series.objects.visible_to(request.user).select_related("programme__owner__region")
    return get_object_or_404(statistics.series_progress(rows), public_id=public_id)


@login_not_required
@require_safe
def series_detail(request: HttpRequest, public_id: str) -> HttpResponseBase:
    series = _seen(request, public_id)
    if file := figures.of_series(request, series):
        return file
    quarters = statistics.by_quarter(series)
    cities = statistics.counties_without(series)
    today = timezone.localdate()
    return render(
        request,
        "events/series_detail.html",
        {
            "nav": "events",
            "series": series,
            "as_of": timezone.now(),
            "tables": figures.OF_SERIES,
            "figures": statistics.figures(series),
            "enterprise_target": series.targets.filter(
                measure="enterprises", level=None, region=None
            ).first(),
            "levels": statistics.by_level(series),
            "region_targets": statistics.by_region_target(series),
            "quarters": quarters,
            "most": max((row["count"] for row in quarters), default=0),
            "city_and_county": sum(row["count"] for row in quarters),
            "this_quarter": (today.month + 2) // 3 if today.year == series.year else None,
            "directions": statistics.by_direction(series),
            "clusters": statistics.by_cluster(series),
            "year_on_year": _with_rows(statistics.year_on_year(series)),
            "with_gaps": [row for row in cities if row["without"]],
            "covered_cities": _together([row for row in cities if not row["without"]]),
            "without": sum(len(row["without"]) for row in cities),
            "counties": sum(row["all"] for row in cities),
            "participants": statistics.participants_by_province(series),
            "heat": statistics.by_chain_and_place(series),
            "others": Series.objects.visible_to(request.user)
            .filter(programme=series.programme)
            .order_by("-year"),
            "events_address": f"{reverse('events:event_list')}?series={series.public_id}",
            "rows_address": reverse("events:series_participants", args=[public_id])
            if holds_a_role(request.user)
            else "",
            "may_edit": permissions.can_own_programme(request.user, series.programme.owner),
        },
    )


def _with_rows(compared: dict[str, Any] | None) -> dict[str, Any] | None:
    """Each figure of participants with what narrows the list behind it, in either year."""
    for row in compared["rows"] if compared else ():
        asked = {} if row["measure"] == "persons" else {"kind": "enterprises"}
        if row["measure"] == "first_event":
            asked["first"] = "1"
        for name, until in (("rows_before", "until_before"), ("rows_now", "until")):
            day = compared[until] if compared else None
            row[name] = urlencode({**asked, "until": day.isoformat()} if day else asked)
    return compared


def _together(cities: list[dict[str, Any]]) -> dict[str, int]:
    return {"cities": len(cities), "all": sum(row["all"] for row in cities)}


@login_not_required
@require_safe
def series_counties(request: HttpRequest, public_id: str) -> HttpResponse:
    """The rows behind "counties with zero events": each county with its events."""
    series = _seen(request, public_id)
    rows = statistics.counties(series)
    without = [row for row in rows if not row["events"]]
    show, city = request.GET.get("show", ""), request.GET.get("city", "")
    wanted = {"all": rows, "covered": [row for row in rows if row["events"]]}.get(show, without)
    everything = show in ("all", "covered")
    return render(
        request,
        "events/series_counties.html",
        {
            "nav": "events",
            "series": series,
            "rows": [row for row in wanted if not city or city in row["county"].codes],
            "everything": everything,
            "without": len(without),
            "counties": len(rows),
        },
    )


@require_safe
def series_participants(request: MemberRequest, public_id: str) -> HttpResponse:
    """The rows behind the figures of participants, as far as the reader's desks reach."""
    if not holds_a_role(request.user):
        raise Http404
    series = _seen(request, public_id)
    until = _day(request.GET.get("until", ""))
    wanted, label = _narrowed(request, statistics.places_held(series, until))
    if request.GET.get("first"):
        wanted = wanted.filter(event__in=statistics.first_held(series, until))
    mine = wanted.filter(pk__in=permissions.registrations_to_read(request.user).values("pk"))
    page = Paginator(statistics.participants(mine), PER_PAGE).get_page(request.GET.get("page"))
    bodies = Enterprise.objects.select_related("region__parent", "kind").in_bulk(
        [row["enterprise"] for row in page]
    )
    return render(
        request,
        "events/series_participants.html",
        {
            "nav": "events",
            "series": series,
            "label": label,
            "page_obj": page,
            "rows": [{**row, "body": bodies[row["enterprise"]]} for row in page],
            "visits": mine.count(),
            "elsewhere": wanted.count() - mine.count(),
            "kind": request.GET.get("kind", ""),
            "until": until,
            "is_first": bool(request.GET.get("first")),
        },
    )


def _day(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _narrowed(
    request: MemberRequest, places: QuerySet[Registration]
) -> tuple[QuerySet[Registration], Any]:
    """By what stands in the address: a province, a country abroad, a group of provinces; enterprises or other bodies."""
    asked = request.GET
    label: Any = None
    if asked.get("kind") in ("enterprises", "bodies"):
        places = places.filter(
            enterprise__kind__counts_as_enterprise=asked["kind"] == "enterprises"
        )
    if asked.get("province"):
        label = get_object_or_404(Region.objects.provinces(), code=asked["province"])
        places = places.filter(enterprise__province=label)
    elif asked.get("country"):
        label = asked["country"]
        places = places.filter(enterprise__province=None, enterprise__country=label)
    elif asked.get("group"):
        label = get_object_or_404(RegionGroup, code=asked["group"])
        places = places.filter(enterprise__province__in=label.regions.values("pk"))
    return places, label


# ---- to keep ----


def _answer(
    request: HttpRequest, template: str, context: dict[str, Any], bad: bool
) -> HttpResponse:
    return render(request, template, {"nav": "events", **context}, status=422 if bad else 200)


@require_http_methods(["GET", "POST"])
def programme_create(request: MemberRequest) -> HttpResponse:
    owners = _owners(request.user)
    if not owners:
        raise Http404
    form = ProgrammeForm(request.POST or None, owners=owners)
    if request.method == "POST" and form.is_valid():
        try:
            programme = programmes.create_programme(by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Programme saved. Now add its series of a year."))
            return redirect("events:programme_detail", public_id=programme.public_id)
    bad = request.method == "POST"
    return _answer(request, "events/programme_form.html", {"form": form, "programme": None}, bad)


@require_http_methods(["GET", "POST"])
def programme_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    programme = get_object_or_404(
        Programme.objects.owned_by(request.user).select_related("owner"), public_id=public_id
    )
    form = ProgrammeForm(
        request.POST or None,
        owners=[programme.owner],
        initial={"name_zh": programme.name_zh, "name_en": programme.name_en},
    )
    del form.fields["owner"]
    if request.method == "POST" and form.is_valid():
        try:
            programmes.edit_programme(programme=programme, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("events:programme_detail", public_id=public_id)
    context = {"form": form, "programme": programme}
    return _answer(request, "events/programme_form.html", context, request.method == "POST")


@require_http_methods(["GET", "POST"])
def series_create(request: MemberRequest, public_id: str) -> HttpResponse:
    programme = get_object_or_404(
        Programme.objects.owned_by(request.user).select_related("owner"), public_id=public_id
    )
    latest = programme.series.order_by("-year").first()
    year = latest.year + 1 if latest else timezone.localdate().year
    form = SeriesForm(request.POST or None, initial={"year": year})
    if request.method == "POST" and form.is_valid():
        try:
            series = programmes.create_series(
                programme=programme, by=request.user, **form.cleaned_data
            )
        except DomainError as error:
            form.add_error("year", str(error))
        else:
            messages.success(request, _("Series saved. Set its targets, then put events in."))
            return redirect("events:series_edit", public_id=series.public_id)
    context = {"form": form, "programme": programme}
    return _answer(request, "events/series_create.html", context, request.method == "POST")


def _owned(request: MemberRequest, public_id: str) -> Series:
    rows = Series.objects.owned_by(request.user).select_related("programme__owner__region")
    return get_object_or_404(rows, public_id=public_id)


@require_http_methods(["GET", "POST"])
def series_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    """The targets of a series: over all, by level, by region."""
    series = _owned(request, public_id)
    form = TargetsForm(request.POST or None, initial=TargetsForm.of(series))
    regions = RegionTargetFormSet(
        request.POST or None, prefix="r", initial=region_targets_of(series)
    )
    if request.method == "POST" and form.is_valid() and regions.is_valid():
        rows = [row for one in regions if (row := one.as_target()) is not None]
        try:
            programmes.set_targets(
                series=series, targets=[*form.as_targets(), *rows], by=request.user
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Targets saved."))
            return redirect("events:series_detail", public_id=public_id)
    context = {"form": form, "regions": regions, "series": series}
    return _answer(request, "events/series_edit.html", context, request.method == "POST")


@require_http_methods(["GET", "POST"])
def series_events(request: MemberRequest, public_id: str) -> HttpResponse:
    series = _owned(request, public_id)
    if request.method == "POST":
        return _move(request, series)
    form = SeriesEventFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    inside = wanted.get("show") != "out"
    rows = _inside(request.user, series) if inside else _to_put_in(request.user, series)
    if text := search.typed("search_text", wanted.get("q", "")):
        rows = rows.filter(text)
    rows = rows.select_related("level", "region__parent", "host").order_by("starts_at", "pk")
    rows = rows.prefetch_related(
        Prefetch("series", Series.objects.visible_to(request.user).select_related("programme"))
    )
    return render(
        request,
        "events/series_events.html",
        {
            "nav": "events",
            "series": series,
            "form": form,
            "inside": inside,
            "page_obj": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        },
    )


def _inside(user: User, series: Series) -> QuerySet[Event]:
    return Event.objects.visible_to(user).filter(pk__in=series.events.values("pk"))


def _to_put_in(user: User, series: Series) -> QuerySet[Event]:
    """Events of the year that the user may put in and that are not in yet."""
    start, end = statistics.year_range(series.year)
    near = Q(pk__in=Event.objects.organised_by(user).values("pk"))
    if user.is_administrator:
        near |= Q(pk__in=Event.objects.public().values("pk"))
    else:
        near |= lies_within("region", user.organiser_regions) & ~Q(status=Event.Status.DRAFT)
    return (
        Event.objects.filter(near, starts_at__gte=start, starts_at__lt=end)
        .exclude(status=Event.Status.CANCELLED)
        .exclude(pk__in=series.events.values("pk"))
    )


def _move(request: MemberRequest, series: Series) -> HttpResponse:
    out = request.POST.get("action") == "remove"
    event = get_object_or_404(
        Event.objects.visible_to(request.user), public_id=request.POST.get("event", "")
    )
    try:
        if out:
            programmes.take_event(series=series, event=event, by=request.user)
        else:
            programmes.put_event(series=series, event=event, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Taken out.") if out else _("Put in."))
    kept = {
        key: value for key in ("q", "show", "page") if (value := request.POST.get(key, "").strip())
    }
    address = reverse("events:series_events", args=[series.public_id])
    return redirect(f"{address}?{urlencode(kept)}" if kept else address)
