from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Enterprise, Requirement, RequirementLine
from chains.templatetags.localised import localised
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import permissions
from matchmaking.models import MatchRun
from matchmaking.services import runs

PER_PAGE = 25
OFFERED = 50
EXPORTED = 10_000


@require_GET
def run_list(request: MemberRequest) -> HttpResponseBase:
    rows = (
        permissions.runs_visible_to(request.user)
        .select_related("requirement", "line", "enterprise", "asked_by")
        .order_by("-pk")
    )
    if extension := sheet_asked_for(request):
        return _sheet_of(rows, extension)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "matchmaking/run_list.html",
        {
            "nav": "review",
            "page_obj": page,
            "requirements": _startable(request)[:OFFERED],
            "may_start_all": permissions.can_start_run(request.user),
        },
    )


def _sheet_of(rows: QuerySet[MatchRun], extension: str) -> HttpResponseBase:
    """Who asked is no part of it: what was compared, and what came of it."""
    header = [
        _("About"), _("Scope"), _("State"), _("Lines compared"), _("Lines"), _("Started"), _("Ended"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            _about(row), row.get_scope_display(), row.get_status_display(), row.lines_done, row.lines_total,
            timezone.localtime(row.created_at), timezone.localtime(row.finished_at) if row.finished_at else None,
            settings.SITE_URL + reverse("matchmaking:run_detail", args=[row.public_id]),
        ]
        for row in rows[:EXPORTED]
    )  # fmt: skip
    return sheet_response(extension, "runs", header, table)


def _about(run: MatchRun) -> str:
    if run.requirement is not None:
        return run.requirement.title
    if run.line is not None:
        return run.line.text
    return localised(run.enterprise) or _("All open lines")


def _startable(request: MemberRequest) -> list[Requirement]:
    """What the user's desks look after, newest first; their own cases are left out."""
    rows = (
        Requirement.objects.scored()
        .filter(pk__in=permissions.requirements_visible_to(request.user).values("pk"))
        .select_related("enterprise__region", "posted_by")
        .order_by("-pk")
    )
    if not request.user.is_organiser and not request.user.is_administrator:
        return []
    return [
        row
        for row in rows[: 2 * OFFERED]
        if permissions.can_start_run(request.user, requirement=row)
    ]


@require_http_methods(["GET", "POST"])
def run_start(request: MemberRequest) -> HttpResponse:
    """Starts a run over the one scope that is posted; a plain visit leads to the list with its forms."""
    if request.method == "GET":
        return redirect("matchmaking:run_list")
    wanted = {
        name: request.POST[name]
        for name in ("requirement", "line", "enterprise")
        if request.POST.get(name)
    }
    try:
        run = _start(request, wanted)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
        return redirect("matchmaking:run_list")
    return redirect("matchmaking:run_detail", public_id=run.public_id)


def _start(request: MemberRequest, wanted: dict[str, str]) -> MatchRun:
    user = request.user
    visible = permissions.requirements_visible_to(user)
    if "line" in wanted:
        lines = RequirementLine.objects.filter(requirement__in=visible).select_related(
            "requirement__enterprise__region", "requirement__posted_by"
        )
        return runs.start(line=get_object_or_404(lines, public_id=wanted["line"]), by=user)
    if "requirement" in wanted:
        requirement = get_object_or_404(visible, public_id=wanted["requirement"])
        return runs.start(requirement=requirement, by=user)
    if "enterprise" in wanted:
        enterprises = Enterprise.objects.visible_to(user)
        enterprise = get_object_or_404(enterprises, public_id=wanted["enterprise"])
        return runs.start(enterprise=enterprise, by=user)
    if request.POST.get("everything"):
        return runs.start(everything=True, by=user)
    raise DomainError(_("Choose what is to be matched."), code="run.no_scope")


@require_GET
def run_detail(request: MemberRequest, public_id: str) -> HttpResponse:
    run = get_object_or_404(
        permissions.runs_visible_to(request.user).select_related(
            "requirement__enterprise", "line__requirement__enterprise", "enterprise", "weighting"
        ),
        public_id=public_id,
    )
    template = "matchmaking/run_detail.html"
    return render(
        request,
        f"{template}#panel" if request.htmx else template,
        {
            "nav": "review",
            "run": run,
            "shards": dict(run.shards.order_by().values_list("status").annotate(n=Count("pk"))),
            "shard_count": run.shards.count(),
            "may_cancel": not run.is_finished and permissions.can_cancel_run(request.user, run),
        },
    )


@posted("matchmaking:run_detail", "public_id")
def run_cancel(request: MemberRequest, public_id: str) -> HttpResponse:
    run = get_object_or_404(permissions.runs_visible_to(request.user), public_id=public_id)
    try:
        runs.cancel(run=run, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The run was cancelled. What it had scored stays."))
    return redirect("matchmaking:run_detail", public_id=public_id)
