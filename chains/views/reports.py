"""Reports of abuse, as they are sent and as a desk decides them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms.reports import ReportForm
from chains.http import MemberRequest
from chains.models import Capability, Enterprise, Report, Requirement, User
from chains.services import reports
from chains.views.refusals import refusal


@require_http_methods(["GET", "POST"])
def report_send(request: MemberRequest, public_id: str, thing: str) -> HttpResponse:
    """Only what everybody may see can be reported; the page it stood on comes back afterwards."""
    about: reports.Thing
    if thing == "requirement":
        about = get_object_or_404(
            Requirement.objects.published().select_related("enterprise"), public_id=public_id
        )
        back = reverse("matchmaking:requirement_detail", args=[public_id])
    elif thing == "capability":
        about = get_object_or_404(
            Capability.objects.published().select_related("enterprise"),
            public_id=public_id,
            enterprise__in=Enterprise.objects.verified().values("pk"),
        )
        back = reverse("matchmaking:enterprise_detail", args=[about.enterprise.public_id])
    else:
        about = get_object_or_404(Enterprise.objects.verified(), public_id=public_id)
        back = reverse("matchmaking:enterprise_detail", args=[public_id])
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reports.send(about=about, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _(
                    "Thank you. The desk reads it and tells you; the enterprise never learns who it was."
                ),
            )
            return redirect(back)
    return render(
        request,
        "chains/report_send.html",
        {"form": form, "about": about, "back": back, "thing": thing},
        status=422 if form.errors else 200,
    )


def open_reports(user: User, desk: permissions.Desk) -> list[Report]:
    """Those that wait for one of the user's desks, oldest first, own cases left out."""
    rows = (
        Report.objects.open()
        .filter(
            Q(requirement__in=desk.requirements(user).values("pk"))
            | Q(enterprise__in=desk.enterprises(user).values("pk"))
            | Q(capability__enterprise__in=desk.enterprises(user).values("pk"))
        )
        .with_case()
        .order_by("pk")
    )
    return [row for row in rows if may_decide(desk)(user, row)]


@require_http_methods(["GET", "POST"])
def report_decide(request: MemberRequest, public_id: str, desk: permissions.Desk) -> HttpResponse:
    report = get_object_or_404(Report.objects.with_case(), public_id=public_id)
    if not may_decide(desk)(request.user, report):
        raise Http404
    if request.method == "POST":
        uphold = request.POST.get("do") == "uphold"
        try:
            reports.decide(
                report=report,
                uphold=uphold,
                answer=request.POST.get("answer", ""),
                by=request.user,
                may=may_decide(desk),
            )
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
            return redirect("chains:report_decide", public_id=public_id)
        messages.success(request, _("Decided. Whoever reported it has been told."))
        if uphold:
            return redirect(_case(report))
        waiting = open_reports(request.user, desk)
        if waiting:
            return redirect("chains:report_decide", public_id=waiting[0].public_id)
        return redirect("start")
    return render(
        request,
        "chains/report_decide.html",
        {
            "nav": "inbox",
            "report": report,
            "case": _case(report),
            "others": _others(report),
            "is_open": report.status == Report.Status.OPEN,
        },
    )


def may_decide(desk: permissions.Desk) -> reports.May:
    def may(user: User, report: Report) -> bool:
        if report.requirement is not None:
            return desk.may_take_down(user, report.requirement)
        return desk.may_verify(user, report.reported)

    return may


def _case(report: Report) -> str:
    """Where what follows is decided."""
    if report.requirement is not None:
        return reverse("chains:moderation_case", args=[report.requirement.public_id])
    return reverse("chains:enterprise_case", args=[report.reported.public_id])


def _others(report: Report) -> int:
    """How many more have said so of the same."""
    same = Report.objects.filter(
        requirement=report.requirement, enterprise=report.enterprise, capability=report.capability
    )
    return same.exclude(pk=report.pk).count()
