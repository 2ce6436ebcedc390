from __future__ import annotations

from typing import Any

import psycopg
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from chains import fragments
from chains.http import HttpRequest, MemberRequest
from chains.models import (
    COUNTRY,
    Capability,
    Category,
    Chain,
    Province,
    Region,
    Requirement,
    Segment,
    User,
)
from chains.permissions import holds_a_role
from chains.views.posted import page_of_form
from events.models import Event
from events.permissions import can_see_guests
from matchmaking import gaps, statistics
from matchmaking.permissions import events_of
from matchmaking.views import catalogue, chain_map


@login_not_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    region = _home_region()
    is_open = gaps.is_open_to(request.user, region)
    # Nothing on it depends on who reads it but where the state of supply is shown: everywhere, or where it is open.
    body = fragments.kept(
        request,
        "home",
        lambda: _home(request, region, is_open=is_open),
        same_for=f"role-{holds_a_role(request.user)}-{is_open}",
    )
    return render(request, "matchmaking/home.html", {"body": body})


def _home(request: HttpRequest, region: Region, *, is_open: bool) -> str:
    events = list(
        Event.objects.upcoming()
        .with_seats()
        .select_related("region__parent")
        .prefetch_related("chains")
        .order_by("starts_at")[:3]
    )
    chain, strip = _strip(region) if is_open else (None, [])
    newest = Requirement.objects.open().order_by("-published_at", "-pk")[:4]
    context = {
        "events": events,
        "next": next((event for event in events if event.is_open_for_registration), None),
        "chains": Chain.objects.annotate(
            open_count=Count("requirements", filter=Q(requirements__in=Requirement.objects.open()))
        )
        .filter(open_count__gt=0, is_active=True)
        .order_by("-open_count", "order")[:5],
        "figures": statistics.home_figures(),
        "rows": catalogue.requirement_rows([row.pk for row in newest.only("pk")], request.user),
        "region": region,
        "is_open": is_open,
        "strip": strip,
        "strip_chain": chain,
        "weakest": _weakest(region) if is_open else [],
    }
    return render_to_string("matchmaking/home.html#body", context, request)


def _home_region() -> Region:
    """The first served province; the country where none is served yet."""
    province = Province.objects.select_related("region").order_by("pk").first()
    return province.region if province else Region.objects.get(code=COUNTRY)


def _strip(region: Region) -> tuple[Chain | None, list[chain_map.Card]]:
    """The chain most asked for, as one line of at most seven segments."""
    chain = (
        Chain.objects.filter(is_active=True)
        .annotate(n=Count("requirements", filter=Q(requirements__in=Requirement.objects.open())))
        .order_by("-n", "order")
        .first()
    )
    if chain is None:
        return None, []
    cards = [
        card
        for card in chain_map.cards_of(gaps.segment_states(chain, region)).values()
        if card.segment.position != Segment.Position.SUPPORTING
    ]
    asked = sorted(cards, key=lambda card: -card.state.open_lines)[:7]
    return chain, sorted(asked, key=lambda card: card.segment.order)


def _weakest(region: Region) -> list[dict[str, Any]]:
    rows = gaps.weakest(region)
    categories = Category.objects.select_related("chain", "segment").in_bulk(
        [row.category for row in rows]
    )
    return [{"supply": row, "category": categories[row.category]} for row in rows]


def start(request: MemberRequest) -> HttpResponse:
    """Where a person goes after signing in: to what their role does first."""
    user = request.user
    if user.is_organiser:
        return redirect("matchmaking:inbox")
    if user.is_administrator:
        return redirect("admin:index")
    enterprise = user.enterprise
    if enterprise is None:
        return _start_without_enterprise(user)
    if not enterprise.is_verified:
        return redirect("chains:enterprise_status", public_id=enterprise.public_id)
    # Suggestions are for who offers something; who only asks has matches and interests to look at.
    offers = Capability.objects.published().filter(enterprise__in=user.enterprise_ids)
    if Requirement.objects.own(user).exists() and not offers.exists():
        return redirect("matchmaking:my_requirements")
    return redirect("matchmaking:for_you")


def _start_without_enterprise(user: User) -> HttpResponseRedirect:
    if user.active_roles:  # the organisers have gone to their inbox: an analyst
        return redirect("matchmaking:chain_list")
    if events_of(user).exists():
        return redirect("matchmaking:inbox")
    post = user.event_staff.filter(event__status=Event.Status.PUBLISHED)
    lent = post.select_related("event").order_by("event__starts_at").first()
    if lent is None:
        return redirect("chains:enterprise_join")
    page = "guest_list" if can_see_guests(user, lent.event) else "event_detail"
    return redirect(f"events:{page}", public_id=lent.event.public_id)


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    dark = request.COOKIES.get("theme") == "dark"
    response = HttpResponseRedirect(page_of_form(request, "/"))
    response.set_cookie("theme", "light" if dark else "dark", max_age=31_536_000, samesite="Lax")
    return response


@login_not_required
@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_GET
def readyz(_request: HttpRequest) -> JsonResponse:
    """The process can work: database and cache answer. 503 while the database does not."""
    state = {}
    for name, probe in (("database", _ask_database), ("cache", _ask_cache)):
        try:
            probe()
        except Exception:  # whatever is wrong with it, it is not ready
            state[name] = "down"
        else:
            state[name] = "ok"
    # Without the cache pages still answer and jobs wait, so only the database decides.
    return JsonResponse(state, status=200 if state["database"] == "ok" else 503)


def _ask_database() -> None:
    """Over a connection of its own: one that stands would wait for ever for a database that hangs."""
    asked = {**connection.get_connection_params(), "connect_timeout": 2}
    with psycopg.connect(**asked) as session:
        session.execute("SELECT 1")


def _ask_cache() -> None:
    cache.get("readyz")
