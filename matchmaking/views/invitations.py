"""Whom an event asks to come: suppliers that fit its list, and enterprises chosen by hand."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from chains import search
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Enterprise
from chains.views.refusals import refusal
from events import statistics
from events.models import Event, Invitation
from events.permissions import can_manage
from events.services import invitations
from matchmaking import permissions
from matchmaking.models import Match

PER_PAGE = 50
FOUND = 25


@require_http_methods(["GET", "POST"])
def event_invitations(request: MemberRequest, public_id: str) -> HttpResponse:
    event = get_object_or_404(
        Event.objects.visible_to(request.user).filter(
            pk__in=Event.objects.organised_by(request.user).values("pk")
        ),
        public_id=public_id,
    )
    error_text = ""
    if request.method == "POST":
        try:
            count = _invite(request, event)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            error_text = str(error)
        else:
            said = ngettext(
                "%(count)d enterprise invited.", "%(count)d enterprises invited.", count
            )
            messages.success(request, said % {"count": count})
            return redirect("matchmaking:event_invitations", public_id=event.public_id)
    typed = request.POST or request.GET
    query = typed.get("q", "")[:100]
    rows = event.invitations.select_related("enterprise__region__parent").order_by("-pk")
    return render(
        request,
        "matchmaking/event_invitations.html",
        {
            "nav": "events",
            "tab": "guests",
            "event": event,
            "page_obj": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
            "counts": statistics.invited(event),
            "fitting": _fitting(event).count(),
            "query": query,
            "found": _found(request, event, query) if query else [],
            "typed": typed,
            "chosen": typed.getlist("enterprise"),
            "error_text": error_text,
            "may_invite": event.status == Event.Status.PUBLISHED
            and can_manage(request.user, event),
        },
        status=422 if error_text else 200,
    )


def _invite(request: MemberRequest, event: Event) -> int:
    posted = request.POST
    by_match = posted.get("who") == "fitting"
    wanted: QuerySet[Enterprise] = (
        _fitting(event)
        if by_match
        else permissions.enterprises_visible_to(request.user).filter(
            public_id__in=posted.getlist("enterprise")[: invitations.MOST]
        )
    )
    rows = invitations.invite(
        event=event,
        enterprises=list(wanted[: invitations.MOST]),
        cause=Invitation.Cause.MATCH if by_match else Invitation.Cause.BY_HAND,
        reason=posted.get("reason", ""),
        admits_always="admits_always" in posted,
        by=request.user,
    )
    return len(rows)


def _fitting(event: Event) -> QuerySet[Enterprise]:
    """Suppliers of a match with what is listed: approved, or good enough to be suggested."""
    matches = (
        Match.objects.live()
        .filter(line__requirement__listings__event=event, line__status="open")
        .exclude(status=Match.Status.REJECTED)
        .filter(Q(status=Match.Status.APPROVED) | Match.fits())
    )
    return invitations.invitable(event).filter(pk__in=matches.values("supplier")).order_by("pk")


def _found(request: MemberRequest, event: Event, query: str) -> list[Enterprise]:
    """Known ones too, that nobody has claimed yet: they are invited, never matched."""
    text = search.typed("search_text", query)
    if text is None:
        return []
    visible = permissions.enterprises_visible_to(request.user).filter(text)
    rows = invitations.invitable(event).filter(pk__in=visible.values("pk"))
    return list(rows.select_related("region__parent", "kind").order_by("sort_key", "pk")[:FOUND])
