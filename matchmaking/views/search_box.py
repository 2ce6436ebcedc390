"""One box over requirements, capabilities, enterprises, events and the chain map, and what it proposes as one types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from chains import fragments
from chains import search as register
from chains.http import HttpRequest
from chains.marks import Marker
from chains.models import Capability, Category, Chain, Enterprise, Requirement, Segment
from chains.prepared import Values, among
from chains.templatetags.localised import is_chinese, lang, localised
from chains.views.sheets import sheet_asked_for, sheet_response
from events.models import Event
from matchmaking import search as finding
from matchmaking.views.catalogue import (
    PER_PAGE,
    enterprise_name,
    line_count,
    named_enterprises,
)

# Of each kind so many are looked for; a page says then that there are more.
MOST = 1000
SHOWN = 8
EXPORTED = 200
SUGGESTED = 8


class Spot(NamedTuple):
    """A place on the chain map: a chain, or a segment of it, by its own name or by a category's."""

    chain: Chain
    segment: Segment | None = None
    category: Category | None = None

    @property
    def address(self) -> str:
        page = reverse("matchmaking:chain_map", args=[self.chain.code])
        return f"{page}#{self.segment.code}" if self.segment else page

    @property
    def named(self) -> Chain | Segment:
        return self.segment or self.chain


def _kinds() -> dict[str, str]:
    return {
        "requirements": _("Requirements"),
        "capabilities": _("Products and services"),
        "enterprises": _("Enterprises"),
        "events": _("Events"),
        "places": _("Chain map"),
    }


@login_not_required
@require_GET
def search(request: HttpRequest) -> HttpResponseBase:
    query = request.GET.get("q", "").strip()[:200]
    if extension := sheet_asked_for(request):
        return _sheet_of_hits(query, extension)
    # Only what everybody may see is looked through.
    body = fragments.kept(request, "search", lambda: _results(request, query), same_for="everybody")
    return render(request, "matchmaking/search.html", {"body": body, "query": query})


def _results(request: HttpRequest, query: str) -> str:
    found = _found(query, MOST)
    is_exact = any(found.values())
    if not is_exact:
        # A slip is looked for where nothing else is found: it costs a hundred times as much.
        found = _nearly_found(query)
    facets = [(name, title, len(found[name])) for name, title in _kinds().items() if found[name]]
    kind, page_obj = request.GET.get("kind", ""), None
    if found.get(kind):
        page_obj = Paginator(found[kind], PER_PAGE).get_page(request.GET.get("page"))
        shown = {name: list(page_obj) if name == kind else [] for name in found}
    else:
        shown = {name: rows[:SHOWN] for name, rows in found.items()}
    context = {
        "query": query,
        "facets": facets,
        "kind": kind if page_obj else "",
        "page_obj": page_obj,
        "most": MOST,
        **_marked(Marker(query, typos=not is_exact), shown),
    }
    return render_to_string("matchmaking/search_results.html", context, request=request)


def _found(query: str, most: int) -> dict[str, list[Any]]:
    return _of_each_kind(query, lambda rows: finding.hits(rows, query, most), typos=False)


def _nearly_found(query: str) -> dict[str, list[Any]]:
    return _of_each_kind(query, lambda rows: finding.near_misses(rows, query, SHOWN), typos=True)


def _of_each_kind(
    query: str, first: Callable[..., list[Any]], *, typos: bool
) -> dict[str, list[Any]]:
    """The ids of requirements, capabilities and enterprises, the events, the spots of the map; each in its order."""
    requirements = Requirement.objects.open().order_by("closes_on", "pk")
    enterprises = Enterprise.objects.verified().order_by("sort_key", "pk")
    events = Event.objects.public().select_related("region__parent").order_by("-starts_at")
    return {
        "requirements": first(requirements.values_list("pk", flat=True)),
        "capabilities": first(_capabilities().values_list("pk", flat=True)),
        "enterprises": first(enterprises.values_list("pk", flat=True)),
        "events": first(events),
        "places": _spots(query, typos=typos),
    }


def _capabilities() -> Any:
    return Capability.objects.on_view().order_by("-published_at", "-pk")


def _spots(query: str, *, typos: bool) -> list[Spot]:
    """Chains, then segments by their own names, then those whose categories answer the query, each once."""
    found = [Spot(chain) for chain in register.chains(query, typos=typos)]
    segments: dict[int, Spot] = {}
    for segment in register.segments(query, typos=typos):
        segments[segment.pk] = Spot(segment.chain, segment)
    for category in register.categories(query, typos=typos):
        if category.segment is not None:
            segments.setdefault(
                category.segment.pk, Spot(category.segment.chain, category.segment, category)
            )
    return [*found, *segments.values()]


def _marked(marker: Marker, found: dict[str, list[Any]]) -> dict[str, Any]:
    return {
        "requirements": _marked_requirements(marker, found["requirements"]),
        "capabilities": _marked_capabilities(marker, found["capabilities"]),
        "enterprises": _marked_enterprises(marker, found["enterprises"]),
        "events": [(row, marker.marked(localised(row))) for row in found["events"]],
        "places": [
            (spot, marker.marked(localised(spot.named)), _why(marker, spot))
            for spot in found["places"]
        ],
    }


def _why(marker: Marker, spot: Spot) -> finding.Passage | None:
    """By which category a segment was found; its own name says it otherwise, or the one in the other language."""
    if spot.category is not None:
        return finding.passage_of_category(marker, spot.category)
    names = spot.named.name_zh, spot.named.name_en
    return finding.passage_of_names(marker, localised(spot.named), names)


_REQUIREMENTS = Values(
    lambda ids: Requirement.objects.filter(pk__in=among(ids))
    .annotate(line_count=line_count())
    .values(
        "pk", "public_id", "title", "language", "closes_on", "enterprise__name",
        "enterprise__name_en", "line_count",
    ),
    list,
)  # fmt: skip


def _requirements(ids: list[int]) -> list[dict[str, Any]]:
    by_id = {row["pk"]: row for row in _REQUIREMENTS(ids)}
    for row in by_id.values():
        row["enterprise_name"] = enterprise_name(row)
    return [by_id[pk] for pk in ids]


def _marked_requirements(marker: Marker, ids: list[int]) -> list[dict[str, Any]]:
    rows = _requirements(ids)
    return _explained(marker, rows, ("title", "enterprise_name"), finding.passages_of_requirements)


_CAPABILITIES = Values(
    lambda ids: Capability.objects.filter(pk__in=among(ids)).values(
        "pk", "public_id", "title_zh", "title_en", "enterprise__public_id", "enterprise__name",
        "enterprise__name_en",
    ),
    list,
)  # fmt: skip


def _capability_rows(ids: list[int]) -> list[dict[str, Any]]:
    own, other = ("zh", "en") if is_chinese() else ("en", "zh")
    by_id = {row["pk"]: row for row in _CAPABILITIES(ids)}
    for row in by_id.values():
        row["language"] = own if row[f"title_{own}"] else other
        row["title"] = row[f"title_{row['language']}"]
        row["enterprise_name"] = enterprise_name(row)
        page = reverse("matchmaking:enterprise_detail", args=[row["enterprise__public_id"]])
        row["address"] = f"{page}#offer-{row['public_id']}"
    return [by_id[pk] for pk in ids]


def _marked_capabilities(marker: Marker, ids: list[int]) -> list[dict[str, Any]]:
    rows = _capability_rows(ids)
    return _explained(marker, rows, ("title", "enterprise_name"), finding.passages_of_capabilities)


def _marked_enterprises(marker: Marker, ids: list[int]) -> list[dict[str, Any]]:
    return _explained(marker, named_enterprises(ids), ("name",), finding.passages_of_enterprises)


def _explained(
    marker: Marker,
    rows: list[dict[str, Any]],
    shown: tuple[str, ...],
    passages: Callable[[Marker, dict[int, set[int]]], dict[int, finding.Passage]],
) -> list[dict[str, Any]]:
    """The words marked in what a row shows; what it holds elsewhere is quoted."""
    hidden = marker.hidden((row["pk"], [row[name] for name in shown]) for row in rows)
    why = passages(marker, hidden)
    for row in rows:
        row.update({name: marker.marked(row[name]) for name in shown})
        row["passage"] = why.get(row["pk"])
    return rows


def _sheet_of_hits(query: str, extension: str) -> HttpResponseBase:
    """What the box finds, of each kind the first two hundred; the lists have sheets of all."""
    found = _found(query, EXPORTED)
    if not any(found.values()):
        found = _nearly_found(query)

    def table() -> Iterator[list[Any]]:
        for row in _requirements(found["requirements"]):
            address = reverse("matchmaking:requirement_detail", args=[row["public_id"]])
            yield [_("Requirement"), row["title"], row["enterprise_name"], row["closes_on"], settings.SITE_URL + address]  # fmt: skip
        for row in _capability_rows(found["capabilities"]):
            yield [_("Product or service"), row["title"], row["enterprise_name"], None, settings.SITE_URL + row["address"]]  # fmt: skip
        for row in named_enterprises(found["enterprises"]):
            address = reverse("matchmaking:enterprise_detail", args=[row["public_id"]])
            yield [_("Enterprise"), row["name"], row["place"], None, settings.SITE_URL + address]
        for event in found["events"]:
            address = reverse("events:event_detail", args=[event.public_id])
            yield [_("Event"), localised(event), localised(event, "place"), timezone.localdate(event.starts_at), settings.SITE_URL + address]  # fmt: skip
        for spot in found["places"]:
            kind = _("Segment") if spot.segment else _("Chain")
            of = localised(spot.category or spot.chain) if spot.segment else ""
            yield [kind, localised(spot.named), of, None, settings.SITE_URL + spot.address]

    header = [_("Kind"), pgettext("hit", "Name"), _("Of"), _("Day"), _("Address")]
    return sheet_response(extension, "search", header, table())


@login_not_required
@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """What the box proposes while one types: at most eight, each a link; the words themselves still search."""
    query = request.GET.get("q", "").strip()[:80]
    body = fragments.kept(request, "suggest", lambda: _suggestions(query), same_for="everybody")
    return HttpResponse(body)


# What is said of each proposal: its kind, where it leads, what it is called, the language of that.
Proposal = tuple[str, str, str, str]


def _suggestions(query: str) -> str:
    if len(query) < 2 and query.isascii():
        return ""
    groups = [_place_proposals(query), *_row_proposals(query)]
    return render_to_string(
        "matchmaking/search_suggest.html", {"rows": _fairly(groups, SUGGESTED), "query": query}
    )


def _place_proposals(query: str) -> list[Proposal]:
    spots = _spots(query, typos=False)
    chains = [spot for spot in spots if spot.segment is None][:2]
    segments = [spot for spot in spots if spot.segment is not None][:2]
    return [
        (_("Segment") if spot.segment else _("Chain"), spot.address, localised(spot.named), "")
        for spot in (*chains, *segments)
    ]


def _row_proposals(query: str) -> Iterator[list[Proposal]]:
    enterprises = Enterprise.objects.verified().order_by("sort_key", "pk")
    yield [
        (_("Enterprise"), reverse("matchmaking:enterprise_detail", args=[row.public_id]), localised(row), "")
        for row in finding.hits(enterprises, query, 3)
    ]  # fmt: skip
    ids = finding.hits(_capabilities().values_list("pk", flat=True), query, 3)
    yield [
        (_("Product or service"), row["address"], row["title"], lang(row["language"]))
        for row in _capability_rows(ids)
    ]
    requirements = Requirement.objects.open().order_by("closes_on", "pk")
    yield [
        (_("Requirement"), reverse("matchmaking:requirement_detail", args=[row.public_id]), row.title, lang(row.language))
        for row in finding.hits(requirements, query, 3)
    ]  # fmt: skip
    events = Event.objects.public().order_by("-starts_at")
    yield [
        (_("Event"), reverse("events:event_detail", args=[row.public_id]), localised(row), "")
        for row in finding.hits(events, query, 2)
    ]


def _fairly(groups: Sequence[Sequence[Proposal]], most: int) -> list[Proposal]:
    """So many in all, one of each group by turns, so that no kind crowds out another; in the order of the groups."""
    taken = [0] * len(groups)
    while sum(taken) < most and any(n < len(g) for n, g in zip(taken, groups, strict=True)):
        for at, group in enumerate(groups):
            if taken[at] < len(group) and sum(taken) < most:
                taken[at] += 1
    return [row for group, n in zip(groups, taken, strict=True) for row in group[:n]]
