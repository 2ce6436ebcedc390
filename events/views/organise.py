from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Enterprise, Notification, User
from chains.views.posted import posted
from chains.views.refusals import refusal
from events import permissions, statistics
from events.forms.events import CopyForm, EventForm, TierFormSet, default_times, tiers_of
from events.models import Event, EventStaff, Series, Tier
from events.services import copies, events
from events.views import figures

GENERAL = {"name_zh": "普通席", "name_en": "General", "is_general": True}


def managed(request: MemberRequest, public_id: str) -> Event:
    """The event for those who may manage it; for all others it is not there."""
    return get_object_or_404(
        Event.objects.organised_by(request.user).select_related("level", "region__parent", "host"),
        public_id=public_id,
    )


EARLIER_SHOWN = 50


def _earlier(user: User) -> list[Event]:
    """Events a new one can start from, the latest first."""
    return list(Event.objects.organised_by(user).order_by("-starts_at", "pk")[:EARLIER_SHOWN])


def _hosts(user: User) -> list[Enterprise]:
    return list({role.body_id: role.body for role in user.organiser_roles}.values())


@require_http_methods(["GET", "POST"])
def event_create(request: MemberRequest) -> HttpResponse:
    hosts = _hosts(request.user)
    if not hosts:
        raise Http404
    if source := request.GET.get("from"):
        return redirect("events:event_copy", public_id=managed(request, source).public_id)
    form = EventForm(
        request.POST or None,
        hosts=hosts,
        series=Series.objects.visible_to(request.user),
        initial=default_times(),
    )
    tiers = TierFormSet(request.POST or None, prefix="t")
    if request.method == "POST" and form.is_valid() and tiers.is_valid():
        data = dict(form.cleaned_data)
        wanted = _wanted(tiers, data.pop("general_seats"))
        try:
            event = events.create(by=request.user, tiers=wanted, **data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Draft saved. Check it, then publish it."))
            return redirect("events:event_overview", public_id=event.public_id)
    return _form_page(request, form, tiers, None)


@require_http_methods(["GET", "POST"])
def event_copy(request: MemberRequest, public_id: str) -> HttpResponse:
    """A new draft from this event: what was prepared comes along, people do not."""
    event = managed(request, public_id)
    hosts = _hosts(request.user)
    if not hosts:
        raise Http404
    form = CopyForm(request.POST or None, hosts=hosts, initial=CopyForm.of(event))
    if request.method == "POST" and form.is_valid():
        try:
            new = copies.copy(event=event, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Draft saved. Check it, then publish it."))
            return redirect("events:event_overview", public_id=new.public_id)
    return render(
        request,
        "events/event_copy.html",
        {"nav": "events", "tab": "overview", "event": event, "form": form},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def event_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    hosts = list({event.host_id: event.host}.values())
    form = EventForm(
        request.POST or None,
        hosts=hosts,
        series=Series.objects.known_to(request.user, event),
        initial=EventForm.of(event),
    )
    tiers = TierFormSet(request.POST or None, prefix="t", initial=tiers_of(event))
    if request.method == "POST" and form.is_valid() and tiers.is_valid():
        data = dict(form.cleaned_data)
        data.pop("host")
        general = event.tiers.filter(is_general=True).first()
        wanted = _wanted(tiers, data.pop("general_seats"))
        if general is not None:
            wanted[-1]["public_id"] = general.public_id
        try:
            with transaction.atomic():  # the page is saved whole or not at all
                events.edit(event=event, by=request.user, **data)
                events.set_tiers(event=event, tiers=wanted, by=request.user)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("events:event_overview", public_id=public_id)
    return _form_page(request, form, tiers, event)


def _wanted(tiers: Any, general_seats: int) -> list[dict[str, Any]]:
    rows = [
        form.as_wanted()
        for form in tiers
        if form.has_changed() or form.initial
        if not form.cleaned_data.get("DELETE")
    ]
    return [*rows, {**GENERAL, "seats": general_seats}]


def _form_page(
    request: MemberRequest, form: EventForm, tiers: Any, event: Event | None
) -> HttpResponse:
    has_errors = request.method == "POST" and bool(form.errors or any(tiers.errors))
    return render(
        request,
        "events/event_edit.html" if event else "events/event_create.html",
        {
            "nav": "events",
            "form": form,
            "tiers": tiers,
            "event": event,
            "tab": "edit",
            "earlier": [] if event else _earlier(request.user),
        },
        status=422 if has_errors else 200,
    )


@posted("events:event_overview", "public_id")
def event_publish(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    try:
        events.publish(event=event, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Published. Registration opens at its time."))
    return redirect("events:event_overview", public_id=public_id)


@require_http_methods(["GET", "POST"])
def event_cancel(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    error_text = ""
    if request.method == "POST":
        try:
            events.cancel(event=event, reason=request.POST.get("reason", ""), by=request.user)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            error_text = str(error)
        else:
            messages.success(request, _("Cancelled. Everyone who had registered is told."))
            return redirect("events:event_overview", public_id=public_id)
    return render(
        request,
        "events/event_cancel.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "guests": statistics.guests(event),
            "error_text": error_text,
        },
        status=422 if error_text else 200,
    )


def _heads(event: Event) -> dict[str, Any]:
    """Who is in: asked again every few seconds while the doors are open."""
    return {
        "heads": statistics.heads(event),
        "gates": statistics.by_gate(event),
        "duplicates": statistics.duplicates(event),
        "as_of": timezone.now(),
        "doors_open": event.starts_at - permissions.DESK_MARGIN <= timezone.now() <= event.ends_at,
    }


def _prepared(event: Event) -> dict[str, int]:
    """How far the pages are that one prepares an event on."""
    checklist = event.checklist.aggregate(
        items=Count("pk"),
        done=Count("pk", filter=Q(done_at__isnull=False)),
        late=Count("pk", filter=Q(done_at=None, due_on__lt=timezone.localdate())),
    )
    return {
        **checklist,
        "questions": event.questions.asked().count() if event.asks_questions else 0,
        "parts": event.agenda.count(),
        "staff": event.staff.count(),
        "documents": event.documents.count(),
        "leading": event.leading_guests.count(),
        "own_letters": event.letter_templates.count(),
    }


def _unready(event: Event, guests: statistics.Guests) -> dict[str, Any] | None:
    """What is still open before the doors are; nothing for an event that is not to come."""
    if event.status != Event.Status.PUBLISHED or event.starts_at <= timezone.now():
        return None
    letters = Notification.objects.about(event=event.public_id).filter(
        channel=Notification.Channel.EMAIL, status=Notification.Status.FAILED
    )
    open_points = {
        "seats": max(0, guests.seats - guests.named),
        "letters": letters.count(),
        "draw": event.draws_at is not None
        and event.draws_at <= timezone.now()
        and event.awaits_draw,
        "lacks_desk": not event.staff.filter(role=EventStaff.Role.DESK).exists(),
    }
    return open_points if any(open_points.values()) else None


def _late(event: Event, tiers: list[statistics.TierState]) -> list[Tier]:
    """Reserved until after the event begins, as when it was moved: their seats would flow on to nobody."""
    if event.status not in (Event.Status.DRAFT, Event.Status.PUBLISHED):
        return []
    return [
        one.tier
        for one in tiers
        if one.tier.reserved_until is not None
        and one.tier.released_at is None
        and one.tier.reserved_until >= event.starts_at
    ]


@require_safe
def event_overview(request: MemberRequest, public_id: str) -> HttpResponseBase:
    event = managed(request, public_id)
    if request.htmx:
        return render(request, "events/heads.html", {"event": event, **_heads(event)})
    if file := figures.of_event(request, event):
        return file
    cities = statistics.guests_by_city(event)
    tiers = statistics.tier_states(event)
    guests = statistics.guests(event)
    return render(
        request,
        "events/event_overview.html",
        {
            "nav": "events",
            "tab": "overview",
            "event": event,
            "guests": guests,
            "unready": _unready(event, guests),
            "seats": sum(one.tier.seats for one in tiers),
            "tiers": tiers,
            "late_tiers": _late(event, tiers),
            "kinds": statistics.guests_by_kind(event),
            "chains": statistics.guests_by_chain(event),
            "provinces": statistics.guests_by_province(event),
            "funnel": statistics.funnel(event),
            "course": (course := statistics.registrations_over_time(event)),
            "busiest": max((span.registrations for span in course), default=0),
            "cities": cities,
            "most": cities[0][1] if cities else 0,
            "elsewhere": event.registrations.confirmed().count() - sum(n for _region, n in cities),
            "listed": event.listings.count(),
            "invited": statistics.invited(event),
            "left_out": statistics.list_state(event.listings.select_related("requirement")).out
            if event.keeps_list_back
            else [],
            "prepared": _prepared(event),
            "missing": events.missing_of(event) if event.status == Event.Status.DRAFT else [],
            "came": statistics.totals(statistics.came_by_kind(event))
            if event.status in statistics.HELD
            else None,
            "tables": figures.OF_EVENT,
            **_heads(event),
            "may_export_delegates": permissions.is_host(request.user, event),
        },
    )
