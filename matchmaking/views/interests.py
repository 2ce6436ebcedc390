"""Interests as both sides write them: sent from the requirement page, answered from the buyer's desk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Requirement, RequirementLine
from chains.templatetags.localised import localised
from chains.views.downloads import download
from chains.views.posted import page_of_form, posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import permissions
from matchmaking.forms import InterestForm
from matchmaking.models import Interest, InterestAttachment
from matchmaking.services import interests
from matchmaking.views.acting import acting_enterprise
from matchmaking.views.catalogue import render_requirement
from matchmaking.views.panels import own_interest

PER_PAGE = 25


# -- sending --------------------------------------------------------------------------------------


@posted("matchmaking:requirement_detail", "public_id")
def interest_send(request: MemberRequest, public_id: str) -> HttpResponse:
    """Send, or change what was sent; what needs correction comes back on the requirement's page."""
    requirement = get_object_or_404(
        permissions.requirements_visible_to(request.user), public_id=public_id
    )
    enterprise = acting_enterprise(request)
    if enterprise is None:
        error = DomainError(
            _("Register your enterprise first, or ask to join it."), code="interest.forbidden"
        )
        return refusal(request, error)
    lines = list(requirement.lines.open())
    # Sent from the page behind the code on the screen.
    listing = requirement.listings.filter(code=request.POST.get("hall", "")[:8]).first()
    form = InterestForm(
        request.POST,
        request.FILES,
        lines=lines,
        enterprise=enterprise,
        interest=own_interest(requirement, enterprise),
        asked=interests.asked(requirement, enterprise),
    )
    if form.is_valid():
        try:
            interest = interests.express(
                requirement=requirement,
                enterprise=enterprise,
                lines=list(form.cleaned_data["lines"]),
                message=form.cleaned_data["message"],
                contact=form.cleaned_data["contact"],
                answers=form.answers,
                by=request.user,
                hall=listing.event if listing else None,
            )
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Interest sent. The buyer has it now, with your contact."))
            _attach(request, interest, form.cleaned_data["attached"])
            address = reverse("matchmaking:requirement_detail", args=[requirement.public_id])
            if listing is not None:
                address = reverse("matchmaking:open_call", args=[listing.code])
            return redirect(f"{address}?as={enterprise.public_id}#interest")
    return render_requirement(request, requirement, form=form)


def _attach(request: MemberRequest, interest: Interest, files: list[UploadedFile[Any]]) -> None:
    """What was said is sent already; a file that cannot go along is named with the reason."""
    for upload in files:
        try:
            interests.attach(interest=interest, upload=upload, by=request.user)
        except DomainError as error:
            messages.error(request, f"{upload.name}{pgettext('label', ': ')}{error}")


@require_GET
def attachment_download(request: MemberRequest, public_id: str) -> HttpResponseBase:
    attachment = get_object_or_404(
        InterestAttachment.objects.visible_to(request.user).select_related(
            "interest__requirement__enterprise", "interest__requirement__posted_by"
        ),
        public_id=public_id,
    )
    try:
        interests.open_attachment(attachment=attachment, by=request.user)
    except DomainError as error:
        return refusal(request, error)
    return download(attachment)


@posted("matchmaking:my_interests")
def attachment_remove(request: MemberRequest, public_id: str) -> HttpResponse:
    attachment = get_object_or_404(
        InterestAttachment.objects.standing()
        .filter(interest__enterprise__in=request.user.enterprise_ids)
        .select_related("interest__requirement", "interest__enterprise"),
        public_id=public_id,
    )
    try:
        interests.detach(attachment=attachment, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The file is taken off."))
    interest = attachment.interest
    address = reverse("matchmaking:requirement_detail", args=[interest.requirement.public_id])
    return redirect(f"{address}?as={interest.enterprise.public_id}#interest")


# -- the supplier's own ---------------------------------------------------------------------------


@require_GET
def my_interests(request: MemberRequest) -> HttpResponseBase:
    enterprise = acting_enterprise(request)
    rows = Interest.objects.filter(enterprise=enterprise) if enterprise else Interest.objects.none()
    if extension := sheet_asked_for(request):
        return _sheet_of(rows, extension)
    counts = dict(rows.order_by().values_list("status").annotate(n=Count("pk")))
    shown = (
        rows.select_related("requirement__enterprise", "enterprise")
        .prefetch_related(Prefetch("lines", RequirementLine.objects.order_by("number")))
        .with_last_word()
        .order_by("-created_at", "-pk")
    )
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "enterprise": enterprise,
        "page_obj": page,
        # What has closed since the own interest was withdrawn, or was taken down, has no page any more.
        "readable": set(
            permissions.requirements_visible_to(request.user)
            .filter(pk__in=[row.requirement_id for row in page.object_list])
            .values_list("pk", flat=True)
        ),
        "figures": [
            (_("Waiting for an answer"), counts.get(Interest.Status.SENT, 0)),
            (_("Accepted"), counts.get(Interest.Status.ACCEPTED, 0)),
            (_("Declined"), counts.get(Interest.Status.DECLINED, 0)),
            (_("No answer in time"), counts.get(Interest.Status.NO_ANSWER, 0)),
        ],
        "quota": interests.quota(enterprise) if enterprise else None,
        "most": interests.WEEKLY,
        "interest_count": sum(counts.values()) - counts.get(Interest.Status.WITHDRAWN, 0),
        "may_act": enterprise is not None and permissions.can_express(request.user, enterprise),
        "nav": "for_you",
        "tab": "my_interests",
    }
    return render(request, "matchmaking/my_interests.html", context)


def _sheet_of(rows: QuerySet[Interest], extension: str) -> HttpResponseBase:
    sent = rows.select_related("requirement__enterprise").prefetch_related(
        Prefetch("lines", RequirementLine.objects.order_by("number"))
    )
    header = [
        _("Requirement"), _("Enterprise"), _("Legal name"), _("Lines"), _("Message"), _("Sent"), _("State"),
        _("Answered"), _("Reason"), _("Note"), _("Answers by"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            row.requirement.title, localised(row.requirement.enterprise), row.requirement.enterprise.name,
            ", ".join(str(line.number) for line in row.lines.all()), row.message,
            timezone.localdate(row.created_at), row.get_status_display(),
            timezone.localdate(row.answered_at) if row.answered_at else None,
            row.get_decline_reason_display() if row.decline_reason else "", row.decline_note,
            row.due_on,
            settings.SITE_URL + reverse("matchmaking:requirement_detail", args=[row.requirement.public_id]),
        ]
        for row in sent.order_by("-created_at", "-pk")
    )  # fmt: skip
    return sheet_response(extension, "interests", header, table)


@posted("matchmaking:my_interests")
def interest_withdraw(request: MemberRequest, public_id: str) -> HttpResponse:
    interest = get_object_or_404(
        Interest.objects.filter(enterprise__in=request.user.enterprise_ids), public_id=public_id
    )
    try:
        interests.withdraw(interest=interest, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The interest is withdrawn."))
    return HttpResponseRedirect(page_of_form(request, reverse("matchmaking:my_interests")))


# -- the buyer's answer ---------------------------------------------------------------------------


@posted("matchmaking:my_requirements")
def interest_answer(request: MemberRequest, public_id: str) -> HttpResponse:
    """What the buyer does with an interest, from its list: accept, decline with a reason, ask back, mark, note."""
    interest = get_object_or_404(
        Interest.objects.standing()
        .filter(requirement__in=Requirement.objects.own(request.user).values("pk"))
        .select_related("requirement"),
        public_id=public_id,
    )
    try:
        sentence = _act(request, interest)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, sentence)
    address = reverse("matchmaking:requirement_interests", args=[interest.requirement.public_id])
    return HttpResponseRedirect(page_of_form(request, address))


def _act(request: MemberRequest, interest: Interest) -> str:
    posted, by = request.POST, request.user
    match posted.get("answer"):
        case "accept":
            interests.accept(interest=interest, by=by)
            return _("Accepted. The supplier can open your contact now.")
        case "ask":
            interests.ask_back(interest=interest, text=posted.get("text", ""), by=by)
            return _("Sent. The day you answer by stays.")
        case "shortlist" | "unlist" as verb:
            interests.shortlist(interest=interest, on=verb == "shortlist", by=by)
            return _("On your short list.") if verb == "shortlist" else _("Off your short list.")
        case "note":
            interests.note(interest=interest, text=posted.get("text", ""), by=by)
            return _("Noted. Only your colleagues read it.")
    interests.decline(
        interest=interest, reason=posted.get("reason", ""), note=posted.get("note", ""), by=by
    )
    return _("Declined. The supplier sees the reason.")


@posted("matchmaking:my_interests")
def interest_reply(request: MemberRequest, public_id: str) -> HttpResponse:
    """What the supplier says when the buyer has asked back."""
    interest = get_object_or_404(
        Interest.objects.filter(enterprise__in=request.user.enterprise_ids).select_related(
            "requirement", "enterprise"
        ),
        public_id=public_id,
    )
    try:
        interests.reply(interest=interest, text=request.POST.get("text", ""), by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Sent to the buyer."))
    address = reverse("matchmaking:requirement_detail", args=[interest.requirement.public_id])
    return redirect(f"{address}?as={interest.enterprise.public_id}#interest")
