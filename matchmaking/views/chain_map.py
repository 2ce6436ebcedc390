from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chains import fragments
from chains.http import HttpRequest
from chains.models import (
    COUNTRY,
    Category,
    Chain,
    Province,
    Region,
    RegionGroup,
    Segment,
    SegmentLink,
)
from chains.templatetags.localised import localised
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import gaps
from matchmaking.search import without_controls
from matchmaking.views.filters import left_out

COLUMNS = ("upstream", "midstream", "downstream")


@dataclass(slots=True)
class Card:
    segment: Segment
    state: gaps.SegmentState
    feeds: list[Segment] = field(default_factory=list)
    worst: Category | None = None


@dataclass(slots=True)
class Column:
    position: str
    title: str
    cards: list[Card]
    # Links to the next column: (drawing, SVG path in a 100 × 100 box).
    wires: list[tuple[str, str]] = field(default_factory=list)


@login_not_required
@require_GET
def chain_list(request: HttpRequest) -> HttpResponseBase:
    chosen = Chain.objects.filter(code=request.GET.get("chain", ""), is_active=True).first()
    if chosen is not None:  # from the form on a map
        address = reverse("matchmaking:chain_map", args=[chosen.code])
        return redirect(f"{address}?{urlencode({'region': request.GET.get('region', '')})}")
    chains = (
        Chain.objects.filter(is_active=True)
        .annotate(segment_count=Count("segments", distinct=True))
        .order_by("order")
    )
    if extension := sheet_asked_for(request):
        header = [_("Code"), _("Chain"), _("Kind"), _("Segments"), _("Summary"), _("Address")]
        table = (
            [
                row.code, localised(row), row.get_kind_display(), row.segment_count, localised(row, "summary"),
                settings.SITE_URL + reverse("matchmaking:chain_map", args=[row.code]),
            ]
            for row in chains
        )  # fmt: skip
        return sheet_response(extension, "chains", header, table)
    return render(request, "matchmaking/chain_list.html", {"chains": chains, "nav": "map"})


@login_not_required
@require_GET
def chain_map(request: HttpRequest, code: str) -> HttpResponse:
    chain = get_object_or_404(Chain, code=code, is_active=True)
    asked = request.GET.get("region", "")
    area = _area(asked)
    # Nothing on it depends on who reads it but whether the state of supply is shown.
    is_open = gaps.is_open_to(request.user, area)
    body = fragments.kept(
        request,
        "map",
        lambda: _map(request, chain, area, is_open=is_open),
        same_for="state-shown" if is_open else "state-hidden",
    )
    context = {
        "chain": chain,
        "body": body,
        "left_out": left_out({"region": [asked]}) if asked not in ("", area.code) else [],
        "nav": "map",
    }
    return render(request, "matchmaking/chain_map.html", context)


def _area(code: str) -> gaps.Area:
    """Any part of the country, or a group of such; else the first province that is served."""
    area: gaps.Area | None = None
    if code := without_controls(code):
        area = RegionGroup.objects.filter(code=code, is_active=True).first()
        area = area or Region.objects.filter(code=code, is_active=True).first()
    return area or fragments.since_last_fact("map-regions", _served)[0]


def _map(request: HttpRequest, chain: Chain, area: gaps.Area, *, is_open: bool) -> str:
    states = gaps.segment_states(chain, area)
    cards = cards_of(states)
    by_position: dict[str, list[Card]] = defaultdict(list)
    for card in cards.values():
        by_position[card.segment.position].append(card)
    titles = dict(Segment.Position.choices)
    columns = [
        Column(position, str(titles[position]), by_position[position]) for position in COLUMNS
    ]
    for left, right in pairwise(columns):
        left.wires = _wires(left.cards, right.cards)
    codes = [state.code for state in states.values()]
    context = {
        "chain": chain,
        "chains": Chain.objects.filter(is_active=True).order_by("order"),
        "area": area,
        "is_country": area.code == COUNTRY,
        "areas": _areas(area),
        "columns": columns,
        "supporting": by_position["supporting"],
        "cards": list(cards.values()),
        "is_open": is_open,
        "counts": {
            "all": len(codes),
            "none": sum(c in ("no_registered_supplier", "no_local_supplier") for c in codes),
            "single": codes.count("single_source"),
            "tight": codes.count("unmet_demand"),
        },
        "today": timezone.localdate(),
    }
    return render_to_string("matchmaking/chain_map.html#body", context, request)


def _areas(chosen: gaps.Area) -> list[gaps.Area]:
    """What is offered: the served provinces with their prefectures, groups, the country; and around what is chosen the
    regions above it and the next ones below, so that every one can be reached step by step."""
    offered = fragments.since_last_fact("map-regions", _served)
    known = {region.code for region in offered}
    near: list[Region] = []
    if isinstance(chosen, Region) and chosen.code != COUNTRY:
        siblings = Q(parent=chosen) | Q(code__in=chosen.path.split("/"))
        near = list(Region.objects.filter(siblings, is_active=True).exclude(code__in=known))
    regions = sorted([*offered, *near], key=lambda region: (region.code == COUNTRY, region.path))
    groups = RegionGroup.objects.filter(is_active=True).order_by("order", "code")
    return [*regions[:-1], *groups, regions[-1]]


def _served() -> list[Region]:
    """The served provinces with their prefectures, then the whole country."""
    served = list(Province.objects.values_list("region_id", flat=True))
    below = Q(parent__in=served, level=Region.Level.PREFECTURE)
    rows = Region.objects.only("code", "level", "parent_id", "path", "name_zh", "name_en")
    return [
        *rows.filter(Q(pk__in=served) | below).order_by("path"),
        rows.get(code=COUNTRY),
    ]


def cards_of(states: dict[int, gaps.SegmentState]) -> dict[int, Card]:
    segments = {s.pk: s for s in Segment.objects.filter(pk__in=states).order_by("order", "pk")}
    worst = Category.objects.in_bulk([s.worst for s in states.values() if s.worst])
    cards = {
        pk: Card(segment, states[pk], worst=worst.get(states[pk].worst or 0))
        for pk, segment in segments.items()
    }
    links = SegmentLink.objects.filter(source__in=segments).select_related("target__chain")
    for link in links.order_by("target__order"):
        cards[link.source_id].feeds.append(link.target)
    return cards


def _wires(left: list[Card], right: list[Card]) -> list[tuple[str, str]]:
    """One curve for each link from a card of the left column to one of the right.

    Columns are grids of equal rows, so card i of n stands at y = (i + ½) / n; no script lays them out.
    """
    places = {card.segment.pk: (i + 0.5) / len(right) * 100 for i, card in enumerate(right)}
    wires = []
    for i, card in enumerate(left):
        y = (i + 0.5) / len(left) * 100
        for target in card.feeds:
            if target.pk in places:
                end = places[target.pk]
                wires.append(
                    (card.state.drawing, f"M0 {y:.2f}C55 {y:.2f} 45 {end:.2f} 100 {end:.2f}")
                )
    return wires
