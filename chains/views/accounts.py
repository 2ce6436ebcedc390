from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from chains import calendar, identity, notifications, permissions, search, statistics
from chains.errors import DomainError
from chains.forms.enterprises import JoinForm, MandateForm, NumberForm, RegisterForm, ResubmitForm
from chains.http import MemberRequest
from chains.models import (
    ContactReveal,
    Enterprise,
    Evidence,
    GroupProposal,
    Mandate,
    Membership,
    Notification,
    OrganiserRole,
    Region,
)
from chains.services import accounts, enterprises, invitations, notices
from chains.templatetags.localised import is_chinese, localised
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_response

# The field at which a refusal of the service is shown.
_FIELDS = {
    "enterprise.number_taken": "number",
    "enterprise.number_unclear": "number",
    "enterprise.number_long": "number",
    "enterprise.region_missing": "region",
    "enterprise.region_too_wide": "region",
    "enterprise.licence_missing": "licence",
    "file.kind": "licence",
    "file.too_big": "licence",
    "file.empty": "licence",
}

# --- Joining ------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def enterprise_join(request: MemberRequest) -> HttpResponse:
    """The number first, so that one body stands on the register once."""
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        found = (
            search.by_number(data["scheme"], data["country"], data["number"]).first()
            if data["number"]
            else None
        )
        if found is not None and permissions.is_member(request.user, found):
            return _already_yours(request, found.public_id)
        if found is not None and found.status != Enterprise.Status.UNCLAIMED:
            return redirect("chains:join_request", public_id=found.public_id)
        query = {key: data[key] for key in ("scheme", "country", "number")}
        if data["number_confirmed"]:
            query["confirmed"] = "1"
        return redirect(f"{reverse('chains:enterprise_register')}?{urlencode(query)}")
    return render(
        request,
        "chains/enterprise_join.html",
        {
            "form": form,
            "days": calendar.DAYS,
            "invited": invitations.waiting_for(by=request.user),
        },
    )


@require_http_methods(["GET", "POST"])
def enterprise_register(request: MemberRequest) -> HttpResponse:
    number = _number_of(request)
    if number is None:
        return redirect("chains:enterprise_join")
    abroad = number["country"] != "CN"
    form = RegisterForm(
        request.POST or None,
        request.FILES or None,
        abroad=abroad,
        letter=number["scheme"] == Enterprise.Scheme.OTHER,
        initial={"kind": "enterprise", "region": _proposed_region(number)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            enterprise = enterprises.register(by=request.user, **number, **form.cleaned_data)
        except DomainError as error:
            if error.code == "enterprise.on_register":
                own = Enterprise.objects.own(request.user)
                if own.filter(public_id=error.params["public_id"]).exists():  # in another tab
                    return _already_yours(request, error.params["public_id"])
                messages.warning(request, str(error))
                return redirect("chains:join_request", public_id=error.params["public_id"])
            form.add_error(_FIELDS.get(error.code), str(error))
        else:
            return redirect("chains:enterprise_status", public_id=enterprise.public_id)
    visible = Enterprise.objects.visible_to(request.user)
    near = search.near_names([request.POST.get("name", "")], visible) if form.errors else []
    return render(
        request,
        "chains/enterprise_register.html",
        {"form": form, "number": number, "near": near, "abroad": abroad, "days": calendar.DAYS},
    )


def _already_yours(request: MemberRequest, public_id: str) -> HttpResponse:
    messages.info(request, _("You have registered this enterprise already. Here is how it stands."))
    return redirect("chains:enterprise_status", public_id=public_id)


def _number_of(request: MemberRequest) -> dict[str, Any] | None:
    """The number answered on the page before, out of the address; None sends back to that page."""
    scheme, country = request.GET.get("scheme", ""), request.GET.get("country", "CN")
    number, confirmed = request.GET.get("number", ""), request.GET.get("confirmed") == "1"
    if scheme not in Enterprise.Scheme.values or len(country) != 2:
        return None
    if scheme == Enterprise.Scheme.FOREIGN and country == "CN":
        return None
    if scheme != Enterprise.Scheme.OTHER:
        verdict = identity.check_number(scheme, number)
        if verdict.verdict != "valid" and not confirmed:
            return None
        number = verdict.number
    return {
        "scheme": scheme,
        "country": country,
        "number": number or None,
        "number_confirmed": confirmed,
    }


def _proposed_region(number: dict[str, Any]) -> Region | None:
    """The county whose code stands in the number, to be confirmed and never assumed."""
    code = identity.region_code_of(number["number"]) if number["scheme"] == "uscc" else None
    if code is None:
        return None
    region = Region.objects.filter(code=code, is_active=True).first()
    if region is None:
        # A county that was merged since: its city is still the right neighbourhood.
        region = Region.objects.filter(code=f"{code[:4]}00", is_active=True).first()
    if region is None or region.level in (Region.Level.COUNTRY, Region.Level.PROVINCE):
        return None
    return region


@require_GET
def name_check(request: MemberRequest) -> HttpResponse:
    """Similar names on the register, as a warning while typing: never a refusal."""
    visible = Enterprise.objects.visible_to(request.user)
    near = search.near_names([request.GET.get("name", "")[:200]], visible)
    return render(request, "components/near_names.html", {"near": near})


@require_http_methods(["GET", "POST"])
def join_request(request: MemberRequest, public_id: str) -> HttpResponse:
    """The body stands on the register: its owners decide who joins."""
    kept = _merged_into(public_id)
    if kept is not None:
        return redirect("chains:join_request", public_id=kept.public_id)
    enterprise = get_object_or_404(
        Enterprise.objects.select_related("region__parent__parent").exclude(
            status__in=[Enterprise.Status.UNCLAIMED, Enterprise.Status.MERGED]
        ),
        public_id=public_id,
    )
    mine = Membership.objects.filter(
        user=request.user, enterprise=enterprise, status__in=["requested", "active"]
    ).first()
    if mine is not None and mine.status == Membership.Status.ACTIVE:
        return redirect("chains:enterprise_status", public_id=public_id)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            mine = accounts.request_join(
                enterprise=enterprise, role=form.cleaned_data["role"], by=request.user
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Your request has been sent."))
            return redirect("chains:join_request", public_id=public_id)
    return render(
        request,
        "chains/join_request.html",
        {
            "enterprise": enterprise,
            "form": form,
            "mine": mine,
            "desk": _desk(enterprise),
            "member_count": enterprise.memberships.active().count(),
            "days": accounts.ANSWER_DAYS,
        },
    )


def _merged_into(public_id: str) -> Enterprise | None:
    """The row that was kept, for addresses of one that was given up."""
    return Enterprise.objects.filter(absorbed__public_id=public_id).first()


def _desk(enterprise: Enterprise) -> OrganiserRole | None:
    return next(iter(OrganiserRole.objects.desks_of(enterprise)), None)


# --- One's own enterprise -----------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def enterprise_status(request: MemberRequest, public_id: str) -> HttpResponse:
    """What stands with one's enterprise: it waits, it was returned, or its profile as the owner sees it."""
    own = Enterprise.objects.own(request.user)
    enterprise = (
        own.filter(public_id=public_id)
        .select_related("region__parent__parent", "kind", "group")
        .first()
    )
    if enterprise is None:  # nobody's own any more, or never theirs
        kept = _merged_into(public_id)
        if kept is None or not permissions.is_member(request.user, kept):
            raise Http404
        return redirect("chains:enterprise_status", public_id=kept.public_id)
    if enterprise.status in (Enterprise.Status.VERIFIED, Enterprise.Status.SUSPENDED):
        return render(request, "chains/enterprise_owner.html", _owner_context(request, enterprise))
    form = _resubmit_form(request, enterprise)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            enterprises.resubmit(enterprise=enterprise, by=request.user, **fields)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(_FIELDS.get(error.code), str(error))
        else:
            messages.success(request, _("Sent to the desk."))
            return redirect("chains:enterprise_status", public_id=public_id)
    return render(
        request,
        "chains/enterprise_status.html",
        {
            "nav": "profile",
            "enterprise": enterprise,
            "form": form,
            "correcting": "correct" in request.GET or bool(form.errors),
            "desk": _desk(enterprise),
            "promised_on": calendar.promised_on(enterprise),
            "licences": list(
                enterprise.evidence.filter(purpose=Evidence.Purpose.LICENCE).order_by("pk")
            ),
            "near": search.near_names(
                [enterprise.name, enterprise.name_en],
                Enterprise.objects.visible_to(request.user).exclude(pk=enterprise.pk),
            ),
            "drafts": enterprise.capabilities.order_by("pk"),
            "may_edit": permissions.can_edit(request.user, enterprise),
        },
    )


def _resubmit_form(request: MemberRequest, enterprise: Enterprise) -> ResubmitForm:
    fields = (
        "number",
        "number_confirmed",
        "name",
        "name_en",
        "region",
        "address",
        "summary",
        "website",
    )
    return ResubmitForm(
        request.POST or None,
        request.FILES or None,
        abroad=enterprise.country != "CN",
        initial={name: getattr(enterprise, name) for name in fields} | {"kind": enterprise.kind_id},
    )


@require_GET
def proof_export(request: MemberRequest, public_id: str, extension: str) -> HttpResponseBase:
    """The titles and certificates of one's own enterprise, whatever their state."""
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    header = [
        _("Kind"), pgettext("hit", "Name"), _("Number"), _("Batch"), _("Scope"), _("Issuer"), _("Valid from"),
        _("Valid until"), _("State"), _("Reason"),
    ]  # fmt: skip
    titles = enterprise.qualifications.select_related("kind").order_by("-valid_from", "-pk")
    certificates = enterprise.certifications.select_related("kind").order_by("-valid_from", "-pk")
    rows = [
        [
            _("Qualification"), localised(row.kind), "", row.batch, "", row.issuer, row.valid_from,
            row.valid_until_on, row.get_status_display(), row.reason,
        ]
        for row in titles
    ] + [
        [
            _("Certificate"), localised(row.kind), row.number, "", row.scope, row.issuer, row.valid_from,
            row.valid_until_on, row.get_status_display(), row.reason,
        ]
        for row in certificates
    ]  # fmt: skip
    return sheet_response(extension, f"titles-{enterprise.public_id}", header, rows)


def _owner_context(request: MemberRequest, enterprise: Enterprise) -> dict[str, Any]:
    capabilities = list(
        enterprise.capabilities.select_related("unit")
        .prefetch_related(
            "categories", "certifications__kind", "cooperation_kinds", "photos", "references"
        )
        .order_by("-pk")
    )
    qualifications = list(
        enterprise.qualifications.select_related("kind", "evidence").order_by("-valid_from", "-pk")
    )
    certifications = list(
        enterprise.certifications.select_related("kind", "evidence").order_by("-valid_from", "-pk")
    )
    contacts = list(enterprise.contacts.filter(is_active=True).order_by("pk"))
    hints = statistics.completeness(
        enterprise,
        capabilities=capabilities,
        certifications=certifications,
        qualifications=qualifications,
        has_contact=bool(contacts),
    )
    membership = permissions.membership_of(request.user, enterprise)
    return {
        "nav": "profile",
        "enterprise": enterprise,
        "membership": membership,
        "may_edit": permissions.can_edit(request.user, enterprise),
        "capabilities": capabilities,
        "qualifications": qualifications,
        "certifications": certifications,
        # Phone numbers stand on the page of the contacts, for those who edit them.
        "contacts": contacts,
        "month": ContactReveal.objects.of_enterprise(enterprise).this_month().figures(),
        "hints": [hint for hint in hints if not hint.is_met],
        "asked": statistics.asked_certificates(enterprise, certifications),
        "unanswered": statistics.asked_of_profile(enterprise, capabilities, qualifications),
        "met": sum(hint.is_met for hint in hints),
        "total": len(hints),
        "aliases": enterprise.aliases.order_by("pk"),
        "member_count": enterprise.memberships.active().count(),
        "request_count": enterprise.memberships.requested().count(),
        "desk": _desk(enterprise),
        "group_waits": enterprise.group_proposals_received.filter(
            status=GroupProposal.Status.PROPOSED
        ).exists(),
        "today": timezone.localdate(),
    }


# --- Members and mandates -----------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def member_list(request: MemberRequest, public_id: str) -> HttpResponse:
    """Who acts for the enterprise; for its owners the requests; for associations the mandates."""
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    form = MandateForm(request.POST if "mandate" in request.POST else None)
    if request.method == "POST":
        try:
            if "mandate" not in request.POST:
                _decide_mandate(request, enterprise)
                return redirect("chains:member_list", public_id=public_id)
            if form.is_valid():
                accounts.offer_mandate(
                    association=enterprise, member=form.cleaned_data["number"], by=request.user
                )
                messages.success(request, _("The offer has been sent to the owners of the member."))
                return redirect("chains:member_list", public_id=public_id)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
            return redirect("chains:member_list", public_id=public_id)
    memberships = enterprise.memberships.select_related("user").order_by("pk")
    mandates = Mandate.objects.exclude(status=Mandate.Status.ENDED).order_by("pk")
    return render(
        request,
        "chains/member_list.html",
        {
            "nav": "profile",
            "enterprise": enterprise,
            "form": form,
            "members": memberships.active(),
            "requests": memberships.requested(),
            "invited": enterprise.invited.open().order_by("pk"),
            "roles": Membership.Role.choices,
            "is_owner": permissions.is_owner(request.user, enterprise),
            "may_edit": permissions.can_edit(request.user, enterprise),
            "is_association": enterprise.kind_id == "association" and enterprise.is_verified,
            "given": mandates.filter(association=enterprise).select_related("member"),
            "received": mandates.filter(member=enterprise).select_related("association"),
        },
    )


def _decide_mandate(request: MemberRequest, enterprise: Enterprise) -> None:
    rows: QuerySet[Mandate] = Mandate.objects.filter(
        association=enterprise
    ) | Mandate.objects.filter(member=enterprise)
    if "accept_mandate" in request.POST:
        mandate = get_object_or_404(rows, public_id=request.POST["accept_mandate"])
        accounts.accept_mandate(mandate=mandate, by=request.user)
        messages.success(request, _("The association may now post requirements for you."))
    else:
        mandate = get_object_or_404(rows, public_id=request.POST.get("end_mandate", ""))
        accounts.end_mandate(mandate=mandate, by=request.user)
        messages.success(request, _("The mandate has ended."))


@posted("start")
def membership_decide(
    request: MemberRequest, public_id: str, desk: permissions.Desk
) -> HttpResponse:
    """Accept, refuse, change the role, end: one button each. Strangers are told nothing."""
    membership = get_object_or_404(
        Membership.objects.select_related("enterprise__region"), public_id=public_id
    )
    user = request.user
    own = membership.user_id == user.pk
    if not (
        own
        or permissions.is_member(user, membership.enterprise)
        or desk.may_verify(user, membership.enterprise)
    ):
        return get_object_or_404(Membership.objects.none())  # type: ignore[return-value]
    try:
        messages.success(request, _decide(request, membership, desk))
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    user.forget_memberships()
    if permissions.is_member(user, membership.enterprise):
        return redirect("chains:member_list", public_id=membership.enterprise.public_id)
    if desk.may_verify(user, membership.enterprise):
        return redirect("chains:enterprise_case", public_id=membership.enterprise.public_id)
    return redirect("start")


def _decide(request: MemberRequest, membership: Membership, desk: permissions.Desk) -> str:
    action, by = request.POST.get("do", ""), request.user
    if action in ("accept", "refuse"):
        accounts.decide_membership(
            membership=membership, accept=action == "accept", by=by, may=desk.may_verify
        )
        return _("Accepted.") if action == "accept" else _("Refused.")
    if action == "end":
        accounts.end_membership(membership=membership, by=by)
        return _("The membership has ended.")
    role = request.POST.get("role", "")
    accounts.change_role(membership=membership, role=role, by=by, may=desk.may_verify)
    return _("The role has been changed.")


# --- Notices ------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def notification_list(request: MemberRequest) -> HttpResponse:
    rows = Notification.objects.in_app(request.user).order_by("-created_at", "-pk")
    if request.method == "POST":
        notices.mark_read(by=request.user)
        return redirect("chains:notification_list")
    page = Paginator(rows, 30).get_page(request.GET.get("page"))
    return render(
        request,
        "chains/notification_list.html",
        {
            "page_obj": page,
            "notices": notifications.told(page, "zh" if is_chinese() else "en"),
            "unread": rows.filter(read_at=None).count(),
        },
    )
