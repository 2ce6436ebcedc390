"""What a supplier is shown without asking: requirements that fit, best first, with its own scores only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import (
    Capability,
    Chain,
    CooperationKind,
    Enterprise,
    Requirement,
    RequirementLine,
    Segment,
    SegmentLink,
)
from chains.prepared import Prepared
from chains.templatetags.localised import localised, points
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import permissions, search, statistics
from matchmaking.models import Dismissal, Interest, Match, MatchRun, Score
from matchmaking.models.matches import MatchQuerySet
from matchmaking.services import interests, suggestions
from matchmaking.views.acting import acting_enterprise
from matchmaking.views.filters import left_out

PER_PAGE = 10
FINDS_SHOWN = 3


@require_GET
def for_you(request: MemberRequest) -> HttpResponseBase:
    enterprise = acting_enterprise(request)
    if extension := sheet_asked_for(request):
        return _sheet_of(_chosen(enterprise, _filters(request)[0]), extension)
    context: dict[str, Any] = {
        "enterprise": enterprise,
        "enterprises": [m.enterprise for m in request.user.active_memberships],
        "nav": "for_you",
        "tab": "for_you",
        "state": _state(enterprise),
    }
    if context["state"] == "no_capability":
        context["open_count"] = Requirement.objects.open().count()
    if enterprise is not None:
        context["interest_count"] = (
            Interest.objects.standing().filter(enterprise=enterprise).count()
        )
    if enterprise is not None and context["state"] in ("", "pending"):
        context.update(_suggested(request, enterprise))
    return render(request, "matchmaking/for_you.html", context)


def _state(enterprise: Enterprise | None) -> str:
    if enterprise is None:
        return "no_enterprise"
    if not enterprise.is_verified:
        return "not_verified"
    published = Capability.objects.published().filter(enterprise=enterprise)
    newest = published.aggregate(at=Max("published_at"))["at"]
    if newest is None and not enterprise.summary:
        return "no_capability"
    return "pending" if _is_pending(enterprise, newest) else ""


def _is_pending(enterprise: Enterprise, newest: Any) -> bool:
    """The worker has not compared what was published last; without an open line there is nothing to compare."""
    runs = MatchRun.objects.filter(scope=MatchRun.Scope.ALL) | MatchRun.objects.filter(
        scope=MatchRun.Scope.ENTERPRISE, enterprise=enterprise
    )
    if runs.unfinished().exists():
        return True
    since = newest or enterprise.verified_at or timezone.now()
    if Match.objects.filter(supplier=enterprise, updated_at__gte=since).exists():
        return False
    # One that failed or was cancelled brings nothing either, however long one waits.
    return (
        not runs.filter(created_at__gte=since).exists()
        and RequirementLine.objects.scored().exists()
    )


def fitting(enterprise: Enterprise) -> MatchQuerySet:
    """Own pairs worth showing: published, open, not dismissed, no must missed, no mere neighbours."""
    return Match.objects.suggested_for(enterprise).filter(
        line__requirement__in=Requirement.objects.open().values("pk")
    )


@require_GET
def capability_finds(request: MemberRequest, public_id: str) -> HttpResponse:
    """What a published text finds as it stands: the best of its lines, for the people of its enterprise."""
    capability = get_object_or_404(
        Capability.objects.published().filter(enterprise__in=Enterprise.objects.own(request.user)),
        public_id=public_id,
    )
    pairs = list(
        fitting(capability.enterprise)
        .filter(score__capability=capability)
        .select_related("line__requirement__enterprise")
        .order_by("-tenths", "pk")[:FINDS_SHOWN]
    )
    written = {"zh": capability.text_zh, "en": capability.text_en}
    template = "matchmaking/capability_finds.html"
    return render(
        request,
        f"{template}#finds" if request.htmx else template,
        {
            "nav": "profile",
            "capability": capability,
            "pairs": pairs,
            "lacks": next((m.line.language for m in pairs if not written[m.line.language]), ""),
        },
    )


def _chosen(enterprise: Enterprise | None, chosen: search.Chosen) -> MatchQuerySet:
    """What fits, within the chain and the kind of cooperation that are asked for."""
    if enterprise is None or not enterprise.is_verified:
        return Match.objects.none()
    pairs = fitting(enterprise)
    if chosen["chain"]:
        pairs = pairs.filter(line__requirement__chain__code__in=chosen["chain"])
    if chosen["cooperation"]:
        pairs = pairs.filter(
            line__requirement__in=Requirement.objects.filter(
                cooperation_kinds__code__in=chosen["cooperation"]
            ).values("pk")
        )
    return pairs


_CHOICES: search.Choices = {"chain": (Chain,), "cooperation": (CooperationKind,)}


def _filters(request: MemberRequest) -> tuple[search.Chosen, search.Chosen]:
    """What is chosen, and what is not known."""
    return search.known_of(search.chosen_of(request.GET, _CHOICES), _CHOICES)


def _sheet_of(pairs: MatchQuerySet, extension: str) -> HttpResponseBase:
    """One row a line that fits, with one's own score; of no other supplier anything."""
    header = [
        _("Requirement"), _("Enterprise"), _("Legal name"), _("Chain"), _("Delivered to"), _("Line"), _("What"),
        _("Quantity"), _("Unit"), _("Period"), _("Score"), _("Interests until"), _("Needed by"), _("Address"),
    ]  # fmt: skip
    rows = pairs.select_related(
        "line__unit", "line__requirement__enterprise", "line__requirement__chain",
        "line__requirement__region",
    )  # fmt: skip
    table = (
        [
            row.line.requirement.title, localised(row.line.requirement.enterprise), row.line.requirement.enterprise.name,
            localised(row.line.requirement.chain), localised(row.line.requirement.region), row.line.number,
            row.line.text, row.line.quantity, localised(row.line.unit), row.line.get_period_display(),
            points(row.tenths), row.line.requirement.closes_on,
            row.line.needed_by_on or row.line.requirement.needed_by_on,
            settings.SITE_URL + reverse("matchmaking:requirement_detail", args=[row.line.requirement.public_id]),
        ]
        for row in rows.order_by("-tenths", "line__requirement", "line__number")
    )  # fmt: skip
    return sheet_response(extension, "for-you", header, table)


def _suggested(request: MemberRequest, enterprise: Enterprise) -> dict[str, Any]:
    chosen, unknown = _filters(request)
    pairs = _chosen(enterprise, chosen)
    chain, cooperation = (next(iter(chosen[name]), "") for name in ("chain", "cooperation"))
    # All at once: what asks for the pairs costs more than what it finds.
    found = list(
        pairs.order_by()
        .values("line__requirement")
        .annotate(best=Max("tenths"), scored=Max("score__created_at"))
        .order_by("-best", "line__requirement")
        .values_list("line__requirement", "scored")
    )
    page = Paginator([pk for pk, _at in found], PER_PAGE).get_page(request.GET.get("page"))
    cards = _cards(enterprise, pairs, list(page.object_list))
    return {
        "page_obj": page,
        "cards": cards,
        "raises": _raises(cards),
        "next_door": _next_door(enterprise, {pk for pk, _at in found}) if page.number == 1 else [],
        "total": len(found),
        "scored_at": max((at for _pk, at in found if at is not None), default=None),
        "capability_count": Capability.objects.published().filter(enterprise=enterprise).count(),
        "chain": chain,
        "cooperation": cooperation,
        "left_out": left_out(unknown),
        "chains": _CHAINS(),
        "cooperation_kinds": _COOPERATION_KINDS(),
        "reasons": Dismissal.Reason.choices,
        "may_act": permissions.can_express(request.user, enterprise),
        "is_filtered": bool(chain or cooperation),
        "quota": interests.quota(enterprise),
        "most": interests.WEEKLY,
    }


_CHAINS = Prepared(lambda: Chain.objects.filter(is_active=True))
_COOPERATION_KINDS = Prepared(lambda: CooperationKind.objects.filter(is_active=True))

NEXT_DOOR = 5


def _next_door(enterprise: Enterprise, fit: Collection[int]) -> list[RequirementLine]:
    """Open lines of the segments before and behind those it serves (row 24): not what it makes, but where it could embed
    itself. Those that close first; none of the requirements that fit."""
    own = set(
        Segment.objects.filter(categories__capabilities__enterprise=enterprise)
        .order_by()
        .values_list("pk", flat=True)
    )
    links = SegmentLink.objects.filter(Q(source__in=own) | Q(target__in=own))
    near = {segment for link in links.values_list("source", "target") for segment in link}
    lines = (
        RequirementLine.objects.in_open_requirements()
        .filter(segment__in=near - own)
        .exclude(requirement__enterprise=enterprise)
        .exclude(requirement__in=fit)
        .exclude(dismissals__enterprise=enterprise)
        .select_related("requirement__enterprise", "segment")
    )
    return list(lines.order_by("requirement__closes_on", "pk")[:NEXT_DOOR])


def _cards(enterprise: Enterprise, pairs: MatchQuerySet, ids: list[int]) -> list[dict[str, Any]]:
    found: dict[int, list[Match]] = {pk: [] for pk in ids}
    rows = (
        pairs.filter(line__requirement__in=ids)
        .select_related("line__unit")
        .order_by("-tenths", "line__number")
    )
    for match in rows:
        found[match.line.requirement_id].append(match)
    # What was written of a pair is long, and only that of the best stands on a card.
    best = [matches[0].score_id or 0 for matches in found.values() if matches]
    reasons = dict(Score.objects.filter(pk__in=best).values_list("pk", "reasons"))
    requirements = (
        Requirement.objects.select_related("enterprise__region__parent", "chain")
        .with_line_count()
        .in_bulk(ids)
    )
    sent = set(
        Interest.objects.standing()
        .filter(enterprise=enterprise, requirement__in=ids)
        .values_list("requirement_id", flat=True)
    )
    rates = statistics.answer_rates({row.enterprise_id for row in requirements.values()})
    return [
        {
            "requirement": requirements[pk],
            "rate": rates.get(requirements[pk].enterprise_id),
            "best": found[pk][0],
            "reasons": reasons.get(found[pk][0].score_id or 0, []),
            "lines": sorted(found[pk], key=lambda match: match.line.number),
            "is_sent": pk in sent,
            "is_recommended": any(m.status == Match.Status.APPROVED for m in found[pk]),
        }
        for pk in ids
        if found[pk]
    ]


def _raises(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The advice that helps in most of the requirements shown, without the points it brings in one of them."""
    counted: Counter[str] = Counter()
    known: dict[str, dict[str, Any]] = {}
    for card in cards:
        for reason in card["reasons"]:
            if reason["tone"] == "raise":
                params = {
                    name: value for name, value in reason["params"].items() if name != "tenths"
                }
                key = f"{reason['code']} {sorted(params.items(), key=str)}"
                counted[key] += 1
                known[key] = {**reason, "params": params}
    return [known[key] for key, _count in counted.most_common(3)]


@posted("matchmaking:for_you")
def dismiss(request: MemberRequest, public_id: str) -> HttpResponse:
    """One line, or with `whole` all lines of its requirement: neither comes back."""
    line = get_object_or_404(
        RequirementLine.objects.filter(requirement__status=Requirement.Status.PUBLISHED),
        public_id=public_id,
    )
    enterprise = acting_enterprise(request)
    if enterprise is None:
        error = DomainError(
            _("Only the owner and the editors of a verified enterprise can do this."),
            code="dismissal.forbidden",
        )
        return refusal(request, error)
    reason = request.POST.get("reason", "")
    try:
        if "whole" in request.POST:
            suggestions.dismiss_requirement(
                requirement=line.requirement, enterprise=enterprise, reason=reason, by=request.user
            )
        else:
            suggestions.dismiss(line=line, enterprise=enterprise, reason=reason, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Dismissed. It will not come back."))
    query = f"?as={enterprise.public_id}" if request.POST.get("as") else ""
    return redirect(reverse("matchmaking:for_you") + query)
