from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import search
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Requirement
from chains.views.refusals import refusal
from events import permissions, statistics
from events.forms import MomentField
from events.models import Event, Listing
from events.services import events
from events.views.organise import managed

FOUND = 25


@require_http_methods(["GET", "POST"])
def event_listing(request: MemberRequest, public_id: str) -> HttpResponse:
    """The list of an event: order, featured ones, its moment, and what can be added."""
    event = managed(request, public_id)
    if request.method == "POST":
        act = _ACTS.get(request.POST.get("action", ""))
        if act is None:
            raise Http404
        try:
            act(request, event)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved."))
        return redirect(request.get_full_path())
    query = request.GET.get("q", "")[:100]
    listings = list(
        event.listings.select_related("requirement__enterprise", "requirement__chain").order_by(
            "order", "pk"
        )
    )
    return render(
        request,
        "events/event_listing.html",
        {
            "nav": "events",
            "tab": "list",
            "event": event,
            "listings": listings,
            "state": statistics.list_state(listings),
            "may_release": event.status == Event.Status.PUBLISHED
            and event.list_released_at is None,
            "query": query,
            "found": _addable(request, event, query)[:FOUND],
        },
    )


def _addable(request: MemberRequest, event: Event, query: str) -> QuerySet[Requirement]:
    """What is public or lies on one's own desk and is not on the list yet."""
    rows = (
        permissions.requirements_to_list(request.user)
        .filter(status__in=events.LISTABLE)
        .exclude(listings__event=event)
        .select_related("enterprise", "chain")
        .with_line_count()
    )
    if text := search.typed("search_text", query):
        return rows.filter(text).order_by("-pk")
    # Without a word: those of the event's own chains first of all.
    chains = list(event.chains.values_list("pk", flat=True))
    return (rows.filter(chain__in=chains) if chains else rows).order_by("-pk")


def _listing(request: MemberRequest, event: Event) -> Listing:
    return get_object_or_404(
        event.listings.select_related("event", "requirement"), public_id=request.POST.get("listing")
    )


def _add(request: MemberRequest, event: Event) -> None:
    requirement = get_object_or_404(
        permissions.requirements_to_list(request.user), public_id=request.POST.get("requirement")
    )
    events.list_requirement(event=event, requirement=requirement, by=request.user)


def _remove(request: MemberRequest, event: Event) -> None:
    events.unlist(listing=_listing(request, event), by=request.user)


def _feature(request: MemberRequest, event: Event) -> None:
    listing = _listing(request, event)
    events.list_requirement(
        event=event,
        requirement=listing.requirement,
        by=request.user,
        is_featured=not listing.is_featured,
    )


def _order(request: MemberRequest, event: Event) -> None:
    """Numbers as typed, one for each row; equal ones keep their order."""
    typed = [
        (int(value) if value.isascii() and value.isdigit() else 10_000, code)
        for code, value in (
            (row.code, request.POST.get(f"order_{row.code}", "")[:6])
            for row in event.listings.all()
        )
    ]
    events.order_listings(
        event=event,
        codes=[code for _place, code in sorted(typed, key=lambda pair: pair[0])],
        by=request.user,
    )


def _moment(request: MemberRequest, event: Event) -> None:
    try:
        at = MomentField(required=False).clean(request.POST.get("at", ""))
    except forms.ValidationError as found:
        raise DomainError(" ".join(found.messages), code="event.list_moment") from found
    events.set_list_moment(event=event, at=at, by=request.user)


def _release(request: MemberRequest, event: Event) -> None:
    events.release_list(event=event, by=request.user)


_ACTS: dict[str, Callable[[MemberRequest, Event], None]] = {
    "add": _add,
    "remove": _remove,
    "feature": _feature,
    "order": _order,
    "moment": _moment,
    "release": _release,
}
