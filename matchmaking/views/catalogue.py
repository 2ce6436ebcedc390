"""Requirements and enterprises as readers see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, F, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from chains import fragments
from chains.http import HttpRequest
from chains.marks import Marker
from chains.models import (
    Capability,
    Category,
    Certification,
    Enterprise,
    Preference,
    Qualification,
    Region,
    Requirement,
    RequirementLine,
    Segment,
)
from chains.permissions import Anyone
from chains.prepared import Values, among
from chains.templatetags.localised import is_chinese, joined_place, lang, localised
from chains.templatetags.page import country
from chains.views.sheets import sheet_response
from events.models import Event
from matchmaking import gaps, permissions, statistics
from matchmaking import search as finding
from matchmaking.forms import InterestForm
from matchmaking.models import Interest, Match
from matchmaking.views.filters import (
    CountedRows,
    EnterpriseFilters,
    RequirementFilters,
    chips,
    left_out,
)
from matchmaking.views.panels import contact_panel, interest_panel

PER_PAGE = 25
EXPORT_LIMIT = 20_000


def line_count() -> Subquery:
    lines = RequirementLine.objects.filter(requirement=OuterRef("pk")).order_by()
    return Subquery(lines.values("requirement").annotate(n=Count("pk")).values("n"))


@lru_cache(maxsize=2)
def _requirement_values(suffix: str) -> Values:
    first = RequirementLine.objects.filter(requirement=OuterRef("pk")).order_by("number")
    leaf = first.filter(category__level=Category.LEAF).values("category")[:1]
    interests = (
        Interest.objects.standing()
        .filter(requirement=OuterRef("pk"))
        .order_by()
        .values("requirement")
        .annotate(n=Count("pk"))
        .values("n")
    )
    rows = Requirement.objects.annotate(
        line_count=line_count(),
        interest_count=Subquery(interests),
        segment_name=Subquery(first.values(f"segment__name_{suffix}")[:1]),
        leaf=Subquery(leaf),
        path=Coalesce("region__path", "enterprise__region__path"),
        level=Coalesce("region__level", "enterprise__region__level"),
    )
    return Values(
        lambda ids: rows.filter(pk__in=among(ids)).values(
            "pk", "public_id", "title", "language", "closes_on", "is_urgent", "amended_at",
            "enterprise__name", "enterprise__name_en", "line_count", "interest_count", "segment_name",
            "seeks", "leaf", "path", "level",
            chain_name=F(f"chain__name_{suffix}"),
            kind_name=F(f"docking_kind__name_{suffix}"),
            region_name=F(f"region__name_{suffix}"),
            above_name=F(f"region__parent__name_{suffix}"),
        ),
        list,
    )  # fmt: skip


def enterprise_name(row: dict[str, Any]) -> str:
    name: str = row["enterprise__name"]
    return name if is_chinese() else row["enterprise__name_en"] or name


def requirement_rows(ids: list[int], reader: Anyone) -> list[dict[str, Any]]:
    """What one row of the list shows, as plain values: the page is the hottest of all (R18)."""
    suffix = "zh" if is_chinese() else "en"
    by_id = {row["pk"]: row for row in _requirement_values(suffix)(ids)}
    today = timezone.localdate()
    supply = _gap_codes(
        reader,
        {
            pk: _spot(row.pop("seeks"), row.pop("leaf"), row.pop("path"), row.pop("level"))
            for pk, row in by_id.items()
        },
    )
    for row in by_id.values():
        row["gap"] = supply.get(row["pk"], "")
        row["enterprise_name"] = enterprise_name(row)
        legal = row["enterprise__name"]
        row["legal_name"] = "" if legal == row["enterprise_name"] else legal
        row["place"] = joined_place(filter(None, [row["region_name"], row["above_name"]]))
        row["days_left"] = (row["closes_on"] - today).days if row["closes_on"] else None
    return [by_id[pk] for pk in ids]


@login_not_required
@require_GET
def requirement_list(request: HttpRequest) -> HttpResponse:
    filters = RequirementFilters(request)
    body = fragments.kept(request, "catalogue", lambda: _requirement_results(request, filters))
    context: dict[str, Any] = {"body": body, "nav": "requirements", "query": filters.query}
    if request.user.is_authenticated:
        context.update(suggested_name=filters.name, rhythms=Preference.Rhythm.choices)
    return render(request, "matchmaking/requirement_list.html", context)


def _requirement_results(request: HttpRequest, filters: RequirementFilters) -> str:
    facets, count = filters.facets()
    found = CountedRows(filters.results().values_list("pk", flat=True), count)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = requirement_rows(list(page.object_list), request.user)
    own = _own_scores(request, [row["pk"] for row in rows])
    for row in rows:
        row["own_tenths"] = own.get(row["pk"])
    return render_to_string(
        "matchmaking/requirement_results.html",
        {
            "page_obj": page,
            "rows": _rendered(
                "components/requirement_row.html",
                rows,
                ("title", "enterprise_name", "legal_name"),
                filters.query,
                finding.passages_of_requirements,
            ),
            "facets": facets,
            "chips": chips(request, facets),
            "left_out": left_out(filters.unknown),
            "filters": filters,
            "heading": _heading(count, filters.query),
        },
        request=request,
    )


# Of each row, by its number, where it holds the words that it does not show.
_Why = Callable[[Marker, dict[int, set[int]]], dict[int, finding.Passage]]


def _rendered(
    template: str, rows: list[dict[str, Any]], shown: tuple[str, ...], query: str, why: _Why
) -> list[SafeString]:
    """Each row as it is kept; the words of the search are marked in its heading afterwards, and what it holds elsewhere
    is quoted below: they differ with each search."""
    kept = [fragments.rendered(template, "row", row) for row in rows]
    marker = Marker(query)
    if not marker:
        return kept
    passages = _passages(marker, rows, shown, why)
    if not passages and not marker.words_in(*(row[shown[0]] for row in rows)):
        marker = Marker(query, typos=True)
        passages = _passages(marker, rows, shown, why)
    return [
        mark_safe(  # noqa: S308 -- a rendered template, and a heading that is escaped anew
            html.replace(
                f">{escape(row[shown[0]])}</a></h3>",
                f">{marker.marked(row[shown[0]])}</a></h3>",
                1,
            )
            + _quoted(passages.get(row["pk"]))
        )
        for row, html in zip(rows, kept, strict=True)
    ]


def _passages(
    marker: Marker, rows: list[dict[str, Any]], shown: tuple[str, ...], why: _Why
) -> dict[int, finding.Passage]:
    return why(marker, marker.hidden((row["pk"], [row[key] for key in shown]) for row in rows))


def _quoted(passage: finding.Passage | None) -> str:
    return render_to_string("components/passage.html", {"passage": passage}) if passage else ""


def _heading(count: int, query: str) -> str:
    if query:
        return ngettext(
            "%(count)d requirement for “%(query)s”", "%(count)d requirements for “%(query)s”", count
        ) % {"count": count, "query": query}
    return ngettext("%(count)d requirement", "%(count)d requirements", count) % {"count": count}


def _own_scores(request: HttpRequest, ids: list[int]) -> dict[int, int]:
    if not request.user.is_authenticated:
        return {}
    rows = (
        Match.objects.suggested_to(request.user)
        .filter(line__requirement__in=ids)
        .values_list("line__requirement", "tenths")
        .order_by("tenths")
    )
    return dict(rows)


@login_not_required
@require_GET
def requirement_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """One requirement as readers see it; a supplier also sees why it fits and answers here."""
    requirement = get_object_or_404(
        permissions.requirements_visible_to(request.user).select_related(*_WITH_REQUIREMENT),
        public_id=public_id,
    )
    return render_requirement(request, requirement)


_WITH_REQUIREMENT = (
    "enterprise__region__parent", "enterprise__kind", "posted_by", "project", "chain",
    "docking_kind", "region__parent__parent",
)  # fmt: skip


def render_requirement(
    request: HttpRequest, requirement: Requirement, form: InterestForm | None = None
) -> HttpResponse:
    """The page; with a bound form when an answer was sent that needs correction."""
    lines = list(
        requirement.lines.select_related("category", "segment", "unit", "category_suggested")
    )
    conditions = list(requirement.conditions.select_related("line"))
    matches = _own_matches(request, requirement)
    context = {
        "requirement": requirement,
        "lines": lines,
        "is_specified": any(line.specification or line.needed_by_on for line in lines),
        "musts": [c for c in conditions if c.strength == "must"],
        "preferences": [c for c in conditions if c.strength == "prefer"],
        "segment": next((line.segment for line in lines if line.segment), None),
        "gap": _gap_code(request, lines, requirement),
        "matches": matches,
        "best": matches[0] if matches else None,
        "titles": Qualification.objects.in_force()
        .filter(enterprise=requirement.enterprise)
        .select_related("kind")
        .order_by("kind__order"),
        "events": Event.objects.public()
        .filter(listings__requirement=requirement)
        .order_by("starts_at"),
        "is_own": requirement.enterprise_id in getattr(request.user, "enterprise_ids", ()),
        "answer": interest_panel(request, requirement, lines, matches, form),
        "contact": contact_panel(request, requirement),
        "rate": statistics.answer_rate(requirement.enterprise),
        **_files(request, requirement),
        "nav": "requirements",
    }
    return render(
        request,
        "matchmaking/requirement_detail.html",
        context,
        status=422 if form is not None and form.errors else 200,
    )


def _files(request: HttpRequest, requirement: Requirement) -> dict[str, Any]:
    """What the reader may open, and how many more there are: a name tells as much as a drawing."""
    rows = list(requirement.files.standing())
    for row in rows:
        row.requirement = requirement
    seen = [row for row in rows if permissions.can_open_file(request.user, row)]
    return {"files": seen, "closed_files": len(rows) - len(seen)}


def _own_matches(request: HttpRequest, requirement: Requirement) -> list[Match]:
    """The reader's own pairs with this requirement, best first: never another supplier's."""
    return list(
        Match.objects.live()
        .fitting()
        .filter(
            line__requirement=requirement,
            supplier__in=getattr(request.user, "enterprise_ids", ()),
        )
        .exclude(status=Match.Status.REJECTED)
        .select_related("line", "score", "supplier")
        .by_score()
    )


def _gap_code(request: HttpRequest, lines: list[RequirementLine], requirement: Requirement) -> str:
    categories = [line.category for line in lines if line.category]
    leaf = next((row.pk for row in categories if row.level == Category.LEAF), None)
    region = requirement.region or requirement.enterprise.region
    if region is None:
        return ""
    spot = _spot(requirement.seeks, leaf, region.path, region.level)
    return _gap_codes(request.user, {requirement.pk: spot}).get(requirement.pk, "")


def _spot(seeks: str, leaf: int | None, path: str | None, level: str | None) -> gaps.Spot | None:
    """Where the first leaf that a requirement asks for is looked at; who looks for customers asks for nothing."""
    if leaf is None or path is None or seeks != Requirement.Seeks.SUPPLIER:
        return None
    return leaf, path.rpartition("/")[0] if level == Region.Level.COUNTY else path


def _gap_codes(reader: Anyone, spots: dict[int, gaps.Spot | None]) -> dict[int, str]:
    """By requirement how well what it asks for is supplied, where the reader may see it."""
    asked = {pk: spot for pk, spot in spots.items() if spot is not None}
    shown = gaps.open_to(reader, {path for _leaf, path in asked.values()})
    codes = gaps.codes_at({spot for spot in asked.values() if spot[1] in shown})
    return {pk: codes[spot] for pk, spot in asked.items() if spot in codes}


@login_not_required
@require_GET
def requirement_export(request: HttpRequest, extension: str) -> HttpResponseBase:
    """The filtered list as a sheet, one row a line; contacts are never in it (row 20)."""
    filters = RequirementFilters(request)
    found = filters.filtered().values("pk")
    rows = (
        RequirementLine.objects.filter(requirement__in=found)
        .select_related(
            "requirement__enterprise",
            "requirement__chain",
            "requirement__region",
            "category",
            "unit",
        )
        .order_by("requirement__closes_on", "requirement_id", "number")[:EXPORT_LIMIT]
    )
    header = [
        _("Requirement"), _("Enterprise"), _("Legal name"), _("Chain"), _("Delivered to"), _("Line"), _("What"),
        _("Category"), _("Quantity"), _("Unit"), _("Period"), _("Specification"), _("Needed by"),
        _("Interests until"), _("Replaces an imported product"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            line.requirement.title, localised(line.requirement.enterprise), line.requirement.enterprise.name,
            localised(line.requirement.chain), localised(line.requirement.region), line.number,
            line.text, localised(line.category), line.quantity, localised(line.unit),
            line.get_period_display(), line.specification,
            line.needed_by_on or line.requirement.needed_by_on, line.requirement.closes_on,
            _("yes") if line.requirement.import_substitution else "",
            settings.SITE_URL + reverse("matchmaking:requirement_detail", args=[line.requirement.public_id]),
        ]
        for line in rows
    )  # fmt: skip
    return sheet_response(extension, "requirements", header, table)


@login_not_required
@require_GET
def enterprise_list(request: HttpRequest) -> HttpResponse:
    filters = EnterpriseFilters(request)
    # Nothing on it depends on who reads it.
    body = fragments.kept(
        request, "enterprises", lambda: _enterprise_results(request, filters), same_for="everybody"
    )
    context = {"body": body, "query": filters.query, "nav": "enterprises"}
    return render(request, "matchmaking/enterprise_list.html", context)


@login_not_required
@require_GET
def enterprise_export(request: HttpRequest, extension: str) -> HttpResponseBase:
    """The filtered register as a sheet: what its pages show to everybody, contacts never."""
    filters = EnterpriseFilters(request)
    ids = list(filters.results()[:EXPORT_LIMIT])
    header = [
        _("Enterprise"), _("Legal name"), _("Kind"), _("Region"), _("Titles"), _("Capabilities"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            row["name"], row["legal_name"] or row["name"], row["kind"], row["place"] if row["has_region"] else "",
            "; ".join(row["titles"]), "; ".join(title for _language, title in row["capabilities"]),
            settings.SITE_URL + reverse("matchmaking:enterprise_detail", args=[row["public_id"]]),
        ]
        for first in range(0, len(ids), 500)
        for row in enterprise_rows(ids[first : first + 500])
    )  # fmt: skip
    return sheet_response(extension, "enterprises", header, table)


def _enterprise_results(request: HttpRequest, filters: EnterpriseFilters) -> str:
    page = Paginator(filters.results(), PER_PAGE).get_page(request.GET.get("page"))
    facets = filters.facets()
    rows = enterprise_rows(list(page.object_list))
    return render_to_string(
        "matchmaking/enterprise_results.html",
        {
            "page_obj": page,
            "rows": _rendered(
                "components/enterprise_row.html",
                rows,
                ("name", "legal_name"),
                filters.query,
                finding.passages_of_enterprises,
            ),
            "facets": facets,
            "chips": chips(request, facets),
            "left_out": left_out(filters.unknown),
            "query": filters.query,
        },
        request=request,
    )


@lru_cache(maxsize=2)
def _enterprise_values(own: str, other: str) -> Values:
    return Values(
        lambda ids: Enterprise.objects.filter(pk__in=among(ids)).values(
            "pk", "public_id", "name", "name_en", "country",
            kind_own=F(f"kind__name_{own}"), kind_other=F(f"kind__name_{other}"),
            level=F("region__level"), region_own=F(f"region__name_{own}"),
            region_other=F(f"region__name_{other}"), above=F("region__parent__level"),
            above_own=F(f"region__parent__name_{own}"), above_other=F(f"region__parent__name_{other}"),
        ),
        list,
    )  # fmt: skip


def named_enterprises(ids: list[int]) -> list[dict[str, Any]]:
    """Name, kind and place in the reader's language."""
    own, other = ("zh", "en") if is_chinese() else ("en", "zh")
    found = {}
    for row in _enterprise_values(own, other)(ids):
        regions = (
            (row["level"], row["region_own"] or row["region_other"]),
            (row["above"], row["above_own"] or row["above_other"]),
        )
        # Abroad there are no regions of ours; a country says where.
        place = joined_place(
            name for level, name in regions if level not in (None, Region.Level.COUNTRY)
        )
        if row["country"] != "CN":
            place = country(row["country"])
        name = row["name"] if own == "zh" else row["name_en"] or row["name"]
        found[row["pk"]] = {
            "pk": row["pk"],
            "public_id": row["public_id"],
            "name": name,
            "legal_name": "" if row["name"] == name else row["name"],
            "kind": row["kind_own"] or row["kind_other"],
            "has_region": row["level"] is not None or row["country"] != "CN",
            "place": place,
        }
    return [found[pk] for pk in ids]


def enterprise_rows(ids: list[int]) -> list[dict[str, Any]]:
    """What one row of the list shows, as plain values; three titles and three capabilities at most."""
    own, other = ("zh", "en") if is_chinese() else ("en", "zh")
    titles, offered = defaultdict[int, list[str]](list), defaultdict[int, list[Any]](list)
    held = Qualification.objects.in_force().filter(enterprise__in=ids).order_by("kind__order", "pk")
    for pk, *names in held.values_list("enterprise_id", f"kind__name_{own}", f"kind__name_{other}"):
        titles[pk].append(names[0] or names[1])
    shown = Capability.objects.published().filter(enterprise__in=ids).order_by("pk")
    for pk, *names in shown.values_list("enterprise_id", f"title_{own}", f"title_{other}"):
        title = (lang(own if names[0] else other), names[0] or names[1])
        if title not in offered[pk]:  # two of a kind look like one said twice
            offered[pk].append(title)
    return [
        {**row, "titles": tuple(titles[pk][:3]), "capabilities": tuple(offered[pk][:3])}
        for pk, row in zip(ids, named_enterprises(ids), strict=True)
    ]


def _proofs() -> tuple[Prefetch[Any], Prefetch[Any]]:
    """Only verified titles and certificates in date are shown (row 17)."""
    return (
        Prefetch(
            "qualifications",
            Qualification.objects.in_force().select_related("kind").order_by("kind__order", "pk"),
            "titles",
        ),
        Prefetch(
            "certifications",
            Certification.objects.in_force().select_related("kind").order_by("kind__order", "pk"),
            "certificates",
        ),
    )


def _published_capabilities() -> Prefetch[Any]:
    return Prefetch(
        "capabilities",
        Capability.objects.published()
        .select_related("unit")
        .prefetch_related(
            "categories", "cooperation_kinds", "certifications__kind", "photos", "references"
        )
        .order_by("pk"),
        "published_capabilities",
    )


@login_not_required
@require_GET
def enterprise_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    merged = Enterprise.objects.filter(public_id=public_id, status="merged").first()
    if merged is not None and merged.merged_into is not None:
        return redirect(
            "matchmaking:enterprise_detail", public_id=merged.merged_into.public_id, permanent=True
        )
    enterprise = get_object_or_404(
        permissions.enterprises_visible_to(request.user)
        .select_related("kind", "region__parent__parent")
        .prefetch_related(*_proofs(), _published_capabilities()),
        public_id=public_id,
    )
    requirements = (
        Requirement.objects.open()
        .filter(enterprise=enterprise)
        .with_line_count()
        .order_by("closes_on")
    )
    context = {
        "enterprise": enterprise,
        "requirements": requirements,
        "segments": _place_in_chain(request, enterprise),
        "is_own": enterprise.pk in getattr(request.user, "enterprise_ids", ()),
        "event_count": Event.objects.filter(
            registrations__enterprise=enterprise,
            registrations__status="confirmed",
            status__in=[Event.Status.HELD, Event.Status.ARCHIVED],
        ).count(),
        "nav": "enterprises",
    }
    return render(request, "matchmaking/enterprise_detail.html", context)


def _place_in_chain(request: HttpRequest, enterprise: Enterprise) -> list[dict[str, Any]]:
    """The segments of what it offers; where the reader may see it, how well its own leaves are supplied around it."""
    made: dict[Segment, list[Category]] = defaultdict(list)
    leaves = Category.objects.filter(
        capabilities__in=Capability.objects.published().filter(enterprise=enterprise),
        level=Category.LEAF,
        is_active=True,
    )
    for leaf in (
        leaves.select_related("segment__chain")
        .distinct()
        .order_by("segment__chain__order", "segment__order", "order")
    ):
        if leaf.segment is not None:
            made[leaf.segment].append(leaf)
    around = _around(enterprise.region)
    is_open = around is not None and gaps.is_open_to(request.user, around)
    found = []
    for segment, own in list(made.items())[:8]:
        row: dict[str, Any] = {"segment": segment}
        if around is not None and is_open:
            states = gaps.leaf_states(segment.chain, around)
            worst = min(own, key=lambda leaf: gaps.CODES.index(states[leaf.pk].code))
            row |= {"leaf": worst, "state": states[worst.pk], "around": around}
        found.append(row)
    return found


def _around(region: Region | None) -> Region | None:
    """Where suppliers of a place are counted: its city, or what is larger."""
    if region is None:
        return None
    return region.parent if region.level == Region.Level.COUNTY and region.parent else region
