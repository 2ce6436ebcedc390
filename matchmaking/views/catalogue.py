"""Requirements and enterprises as readers see them."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import caches
from django.core.paginator import Paginator
from django.db.models import Count, F, OrderBy, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from chains import search as register
from chains.http import HttpRequest
from chains.models import (
    Capability,
    Certification,
    Chain,
    CooperationKind,
    DockingKind,
    Enterprise,
    ParticipantKind,
    Qualification,
    QualificationKind,
    Region,
    Requirement,
    RequirementLine,
    Segment,
)
from chains.templatetags.localised import localised
from chains.views.sheets import sheet_response
from events.models import Event
from matchmaking import gaps, permissions
from matchmaking import search as finding
from matchmaking.forms import InterestForm
from matchmaking.models import Interest, Match
from matchmaking.views.panels import contact_panel, interest_panel

PER_PAGE = 25
EXPORT_LIMIT = 20_000
FRAGMENT_SECONDS = 20
SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "closing": ("closes_on", "pk"),
    "needed": (F("needed_by_on").asc(nulls_last=True), "pk"),
    "newest": ("-published_at", "-pk"),
}


@dataclass(slots=True)
class Choice:
    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(slots=True)
class Facet:
    name: str
    title: str
    choices: list[Choice]


def _chosen(request: HttpRequest, name: str) -> list[str]:
    return [value for value in request.GET.getlist(name) if value][:20]


class RequirementFilters:
    """The filters of the catalogue, each with its condition; every state has an address."""

    NAMES = ("chain", "segment", "cooperation", "kind", "region")

    def __init__(self, request: HttpRequest) -> None:
        self.query = request.GET.get("q", "").strip()[:200]
        self.chosen = {name: _chosen(request, name) for name in self.NAMES}
        self.closing = request.GET.get("closing", "")
        self.sort = request.GET.get("sort", "closing")
        if self.sort not in SORTS:
            self.sort = "closing"

    @property
    def is_filtered(self) -> bool:
        return bool(self.closing or any(self.chosen.values()))

    def base(self) -> QuerySet[Requirement]:
        rows = finding.found(Requirement.objects.open(), self.query)
        if self.closing in ("7", "30"):
            last = timezone.localdate() + datetime.timedelta(days=int(self.closing))
            rows = rows.filter(closes_on__lte=last)
        return rows

    def condition(self, *, without: str = "") -> Q:
        conditions = {
            "chain": Q(chain__code__in=self.chosen["chain"]),
            "segment": Q(
                pk__in=RequirementLine.objects.filter(
                    segment__code__in=self.chosen["segment"]
                ).values("requirement")
            ),
            "cooperation": Q(
                pk__in=Requirement.cooperation_kinds.through.objects.filter(
                    cooperationkind__code__in=self.chosen["cooperation"]
                ).values("requirement")
            ),
            "kind": Q(docking_kind__in=self.chosen["kind"]),
            "region": _in_regions("region__path", self.chosen["region"]),
        }
        condition = Q()
        for name, part in conditions.items():
            if self.chosen[name] and name != without:
                condition &= part
        return condition

    def results(self) -> QuerySet[Requirement]:
        return self.base().filter(self.condition()).order_by(*SORTS[self.sort])

    def facets(self) -> list[Facet]:
        """Counts of each choice over what all *other* filters leave: choosing it shows that many."""
        base = self.base()

        def count(name: str, field: str) -> dict[Any, int]:
            rows = base.filter(self.condition(without=name)).order_by()
            return dict(
                rows.exclude(**{field: None})
                .values_list(field)
                .annotate(n=Count("pk", distinct=True))
                .order_by("-n")
            )

        return [
            _facet("chain", _("Chain"), count("chain", "chain"), Chain, self.chosen),
            _facet(
                "segment",
                _("Segment"),
                count("segment", "lines__segment"),
                Segment,
                self.chosen,
                12,
            ),
            _facet(
                "cooperation",
                _("Cooperation"),
                count("cooperation", "cooperation_kinds"),
                CooperationKind,
                self.chosen,
            ),
            _facet(
                "kind", _("Docking kind"), count("kind", "docking_kind"), DockingKind, self.chosen
            ),
            self._regions(count("region", "region__path")),
        ]

    def _regions(self, by_path: dict[str, int]) -> Facet:
        """Counts by prefecture: counties are too many to choose from."""
        by_code: dict[str, int] = {}
        for path, number in by_path.items():
            codes = path.split("/")
            code = codes[min(2, len(codes) - 1)]
            by_code[code] = by_code.get(code, 0) + number
        for code in self.chosen["region"]:
            by_code.setdefault(code, 0)
        names = Region.objects.in_bulk(list(by_code), field_name="code")
        choices = [
            Choice(code, localised(names[code]), number, code in self.chosen["region"])
            for code, number in sorted(by_code.items(), key=lambda item: (-item[1], item[0]))
            if code in names
        ]
        return Facet("region", _("Delivered to"), choices[:12])


def _chips(request: HttpRequest, facets: list[Facet]) -> list[tuple[str, str]]:
    """The chosen filters, each with the address of the page without it."""
    chips = []
    for facet in facets:
        for choice in facet.choices:
            if choice.is_chosen:
                params = request.GET.copy()
                params.pop("page", None)
                params.setlist(
                    facet.name, [v for v in params.getlist(facet.name) if v != choice.value]
                )
                chips.append((choice.label, f"?{params.urlencode()}"))
    return chips


def _in_regions(field: str, codes: list[str]) -> Q:
    condition = Q()
    for path in Region.objects.filter(code__in=codes).values_list("path", flat=True):
        condition |= Q(**{field: path}) | Q(**{f"{field}__startswith": f"{path}/"})
    return condition or Q(pk__in=())


def _facet(
    name: str,
    title: str,
    counts: dict[Any, int],
    model: type[
        Chain | Segment | CooperationKind | DockingKind | ParticipantKind | QualificationKind
    ],
    chosen: dict[str, list[str]],
    limit: int = 30,
) -> Facet:
    key = "code" if counts and isinstance(next(iter(counts)), str) else "pk"
    rows = model._default_manager.filter(
        Q(**{f"{key}__in": list(counts)}) | Q(code__in=chosen[name])
    )
    choices = [
        Choice(row.code, localised(row), counts.get(getattr(row, key), 0), row.code in chosen[name])
        for row in rows
    ]
    choices.sort(key=lambda choice: (not choice.is_chosen, -choice.count, choice.value))
    return Facet(name, title, choices[:limit])


def requirement_rows(ids: list[int]) -> list[dict[str, Any]]:
    """What one row of the list shows, as plain values: the page is the hottest of all (R18)."""
    first = RequirementLine.objects.filter(requirement=OuterRef("pk")).order_by("number")
    lines = (
        RequirementLine.objects.filter(requirement=OuterRef("pk"))
        .order_by()
        .values("requirement")
        .annotate(n=Count("pk"))
        .values("n")
    )
    interests = (
        Interest.objects.standing()
        .filter(requirement=OuterRef("pk"))
        .order_by()
        .values("requirement")
        .annotate(n=Count("pk"))
        .values("n")
    )
    suffix = "zh" if (translation.get_language() or "zh").startswith("zh") else "en"
    rows = (
        Requirement.objects.filter(pk__in=ids)
        .annotate(
            line_count=Subquery(lines),
            interest_count=Subquery(interests),
            segment_name=Subquery(first.values(f"segment__name_{suffix}")[:1]),
        )
        .values(
            "pk", "public_id", "title", "language", "closes_on", "is_urgent", "amended_at",
            "enterprise__name", "enterprise__name_en", "line_count", "interest_count", "segment_name",
            chain_name=F(f"chain__name_{suffix}"),
            kind_name=F(f"docking_kind__name_{suffix}"),
            region_name=F(f"region__name_{suffix}"),
            above_name=F(f"region__parent__name_{suffix}"),
        )
    )  # fmt: skip
    by_id: dict[int, dict[str, Any]] = {row["pk"]: {**row} for row in rows}
    today = timezone.localdate()
    for row in by_id.values():
        row["enterprise_name"] = (
            row["enterprise__name_en"] or row["enterprise__name"]
            if suffix == "en"
            else row["enterprise__name"]
        )
        names = [row["region_name"], row["above_name"]]
        row["place"] = (
            "".join(name for name in reversed(names) if name)
            if suffix == "zh"
            else ", ".join(name for name in names if name)
        )
        row["days_left"] = (row["closes_on"] - today).days if row["closes_on"] else None
    return [by_id[pk] for pk in ids]


@login_not_required
@require_GET
def requirement_list(request: HttpRequest) -> HttpResponse:
    filters = RequirementFilters(request)
    if request.user.is_authenticated:
        body = _requirement_results(request, filters)
    else:
        # Strangers all see the same: kept until the next fact, at most some seconds.
        asked = hashlib.sha256(request.GET.urlencode().encode()).hexdigest()
        key = f"catalogue:{translation.get_language()}:{gaps.version()}:{asked}"
        body = caches["pages"].get(key)
        if body is None:
            body = _requirement_results(request, filters)
            caches["pages"].set(key, body, FRAGMENT_SECONDS)
    context = {"body": body, "nav": "requirements", "query": filters.query}
    return render(request, "matchmaking/requirement_list.html", context)


def _requirement_results(request: HttpRequest, filters: RequirementFilters) -> str:
    page = Paginator(filters.results().only("pk"), PER_PAGE).get_page(request.GET.get("page"))
    facets = filters.facets()
    rows = requirement_rows([row.pk for row in page.object_list])
    own = _own_scores(request, [row["pk"] for row in rows])
    for row in rows:
        row["own_tenths"] = own.get(row["pk"])
    return render_to_string(
        "matchmaking/requirement_results.html",
        {
            "page_obj": page,
            "rows": rows,
            "facets": facets,
            "chips": _chips(request, facets),
            "filters": filters,
            "heading": _heading(page.paginator.count, filters.query),
        },
        request=request,
    )


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
        "nav": "requirements",
    }
    return render(
        request,
        "matchmaking/requirement_detail.html",
        context,
        status=422 if form is not None and form.errors else 200,
    )


def _own_matches(request: HttpRequest, requirement: Requirement) -> list[Match]:
    """The reader's own pairs with this requirement, best first: never another supplier's."""
    return list(
        Match.objects.live()
        .filter(
            line__requirement=requirement,
            supplier__in=getattr(request.user, "enterprise_ids", ()),
            misses_must=False,
            tenths__gte=Match.FITS_FROM,
        )
        .exclude(status=Match.Status.REJECTED)
        .select_related("line", "score", "supplier")
        .by_score()
    )


def _gap_code(request: HttpRequest, lines: list[RequirementLine], requirement: Requirement) -> str:
    category = next((line.category for line in lines if line.category), None)
    region = requirement.region or requirement.enterprise.region
    if category is None or category.level != category.LEAF or region is None:
        return ""
    if not gaps.is_open_to(request.user, region):
        return ""
    above = region.parent if region.level == Region.Level.COUNTY and region.parent else region
    return gaps.gap_of(category, above).code


@login_not_required
@require_GET
def requirement_export(request: HttpRequest, extension: str) -> HttpResponseBase:
    """The filtered list as a sheet, one row a line; contacts are never in it (row 20)."""
    filters = RequirementFilters(request)
    found = filters.base().filter(filters.condition()).values("pk")
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
        _("Requirement"), _("Enterprise"), _("Chain"), _("Delivered to"), _("Line"), _("What"),
        _("Category"), _("Quantity"), _("Unit"), _("Period"), _("Specification"), _("Needed by"),
        _("Interests until"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            line.requirement.title, localised(line.requirement.enterprise),
            localised(line.requirement.chain), localised(line.requirement.region), line.number,
            line.text, localised(line.category), line.quantity, localised(line.unit),
            line.get_period_display(), line.specification,
            line.needed_by_on or line.requirement.needed_by_on, line.requirement.closes_on,
            settings.SITE_URL + reverse("matchmaking:requirement_detail", args=[line.requirement.public_id]),
        ]
        for line in rows
    )  # fmt: skip
    return sheet_response(extension, "requirements", header, table)


@login_not_required
@require_GET
def enterprise_list(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:200]
    chosen = {name: _chosen(request, name) for name in ("kind", "qualification", "region", "chain")}
    titled = chosen["qualification"]
    verified = Enterprise.objects.verified()
    rows = finding.found(verified.with_qualification(titled) if titled else verified, query)
    if chosen["kind"]:
        rows = rows.filter(kind__code__in=chosen["kind"])
    if chosen["region"]:
        rows = rows.filter(_in_regions("region__path", chosen["region"]))
    if chosen["chain"]:
        rows = rows.filter(
            pk__in=Capability.objects.published()
            .filter(categories__chain__code__in=chosen["chain"])
            .values("enterprise")
        )
    page = Paginator(rows.order_by("sort_key", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    ids = [row.pk for row in page.object_list]
    shown = (
        Enterprise.objects.filter(pk__in=ids)
        .select_related("kind", "region__parent")
        .prefetch_related(*_proofs(), _published_capabilities())
        .order_by("sort_key", "pk")
    )
    facets = [
        _facet(
            "chain",
            _("Chain"),
            dict.fromkeys(Chain.objects.filter(is_active=True).values_list("pk", flat=True), 0),
            Chain,
            chosen,
        ),
        _facet(
            "qualification",
            _("Qualification"),
            dict(
                Qualification.objects.in_force()
                .filter(enterprise__status=Enterprise.Status.VERIFIED)
                .values_list("kind")
                .annotate(n=Count("enterprise", distinct=True))
            ),
            QualificationKind,
            chosen,
            12,
        ),
        _facet(
            "kind",
            _("Kind"),
            dict(
                Enterprise.objects.verified().order_by().values_list("kind").annotate(n=Count("pk"))
            ),
            ParticipantKind,
            chosen,
        ),
    ]
    context = {
        "page_obj": page,
        "enterprises": shown,
        "facets": facets,
        "chips": _chips(request, facets),
        "query": query,
        "nav": "enterprises",
    }
    return render(request, "matchmaking/enterprise_list.html", context)


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
        .prefetch_related("categories", "cooperation_kinds", "certifications__kind")
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
    segments = (
        Segment.objects.filter(
            categories__capabilities__in=Capability.objects.published().filter(
                enterprise=enterprise
            )
        )
        .select_related("chain")
        .distinct()
        .order_by("chain__order", "order")[:8]
    )
    region = enterprise.region
    found = []
    for segment in segments:
        code = ""
        if region is not None and gaps.is_open_to(request.user, region):
            above = (
                region.parent if region.level == Region.Level.COUNTY and region.parent else region
            )
            state = gaps.segment_states(segment.chain, above).get(segment.pk)
            code = state.code if state else ""
        found.append({"segment": segment, "gap": code})
    return found


@login_not_required
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """One box over requirements, enterprises, events, segments and categories."""
    query = request.GET.get("q", "").strip()[:200]
    requirements = finding.found(
        Requirement.objects.open().with_line_count(), query
    ).select_related("enterprise", "chain", "region__parent")
    enterprises = finding.found(Enterprise.objects.verified(), query).select_related(
        "region__parent", "kind"
    )
    events = finding.found(Event.objects.public(), query).select_related("region__parent")
    context = {
        "query": query,
        "requirements": requirements.order_by("closes_on", "pk")[:8] if query else [],
        "enterprises": enterprises.order_by("sort_key", "pk")[:8] if query else [],
        "events": events.order_by("-starts_at")[:5] if query else [],
        "segments": _segments_named(query),
    }
    return render(request, "matchmaking/search.html", context)


def _segments_named(query: str) -> list[Segment]:
    """Segments whose categories answer the query, each once, best first."""
    found: dict[int, Segment] = {}
    for category in register.categories(query):
        if category.segment_id is not None and category.segment is not None:
            found.setdefault(category.segment_id, category.segment)
    return list(found.values())
