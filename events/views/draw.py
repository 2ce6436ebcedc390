"""The draw of an event: what was announced, how it ended, and how anybody checks it."""

from __future__ import annotations

import shlex

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import HttpRequest
from chains.permissions import is_signed_in
from chains.views.sheets import csv_response
from events import permissions
from events.models import Draw, Event, Registration
from events.services import draws
from events.services.draws import Lot

PER_PAGE = 100


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_draw(request: HttpRequest, public_id: str) -> HttpResponseBase:
    event = get_object_or_404(
        Event.objects.visible_to(request.user)
        .filter(waiting_rule=Event.WaitingRule.SEEDED_DRAW)
        .select_related("region__parent"),
        public_id=public_id,
    )
    may_hold = permissions.can_manage(request.user, event)
    if request.method == "POST":
        if not may_hold:
            raise Http404
        return _hold(request, event)
    draw = Draw.objects.filter(event=event).first()
    lots = draws.lots(draw) if draw is not None else []
    if draw is not None and request.GET.get("export") == "csv":
        return _file(event, lots)
    mine = list(_own(request, event))
    drawn = {lot.number: lot for lot in lots}
    return render(
        request,
        "events/event_draw.html",
        {
            "nav": "events",
            "event": event,
            "draw": draw,
            "page_obj": Paginator(lots, PER_PAGE).get_page(request.GET.get("page")),
            "lots": lots,
            "checks": _checks(event, draw) if draw is not None else {},
            "mine": [(row, drawn.get(row.public_id)) for row in mine],
            "own_numbers": {row.public_id for row in mine},
            "waiting": 0 if draw else event.registrations.in_the_pool().count(),
            "may_hold": may_hold and draw is None and event.status == Event.Status.PUBLISHED,
            "is_due": event.draws_at is not None and event.draws_at <= timezone.now(),
            "may_manage": may_hold,
        },
    )


def _checks(event: Event, draw: Draw) -> dict[str, str]:
    """Commands for a shell, whatever the seed is made of: whoever copies them runs nothing else."""
    found = {}
    if event.draw_commitment:
        end = draws.line_end(event.draw_commitment, draw.seed) or ""
        end = end.replace("\r", "\\r").replace("\n", "\\n")
        found["seed"] = f"printf '%s{end}' {shlex.quote(draw.seed)} | sha256sum"
    if draw.numbers:
        first = shlex.quote(f"{draw.seed}:{draw.numbers[0]}")
        found["lot"] = f"printf '%s' {first} | sha256sum"
    return found


def _own(request: HttpRequest, event: Event) -> list[Registration]:
    if not is_signed_in(request.user):
        return []
    rows = event.registrations.filter(enterprise__in=request.user.enterprise_ids)
    return list(rows.select_related("enterprise").order_by("pk"))


def _hold(request: HttpRequest, event: Event) -> HttpResponse:
    assert is_signed_in(request.user)  # whoever may hold it has signed in
    try:
        row = draws.hold(event=event, seed=request.POST.get("seed", ""), by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            _("Drawn: %(count)d numbers. Seats are offered in this order.")
            % {"count": len(row.numbers)},
        )
    return redirect("events:event_draw", public_id=event.public_id)


def _file(event: Event, lots: list[Lot]) -> HttpResponseBase:
    headers = [pgettext("queue", "Position"), _("Number"), "SHA-256"]
    return csv_response(f"draw-{event.public_id}.csv", headers, lots)
