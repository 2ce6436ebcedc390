from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chains import calendar, identity, permissions, search, versions
from chains.errors import DomainError
from chains.forms import region_choices, stored_sentences
from chains.forms.enterprises import (
    CertificationForm,
    ContactForm,
    DecisionForm,
    HeldOnForm,
    ProfileForm,
    ProofDecisionForm,
    QualificationForm,
)
from chains.http import MemberRequest
from chains.models import (
    Certification,
    ContactReveal,
    Enterprise,
    Evidence,
    Membership,
    Proof,
    Qualification,
)
from chains.services import accounts, contacts, enterprises
from chains.views.downloads import download
from chains.views.refusals import refusal

# --- What its members keep up -------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def enterprise_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    enterprise = get_object_or_404(
        Enterprise.objects.own(request.user).select_related("region"), public_id=public_id
    )
    if not enterprise.is_verified and not enterprise.is_suspended:
        return redirect("chains:enterprise_status", public_id=public_id)
    fields = ("name_en", "address", "summary", "website")
    form = ProfileForm(
        request.POST or None, initial={name: getattr(enterprise, name) for name in fields}
    )
    seen = request.POST.get("seen", "")
    if request.method == "POST" and form.is_valid():
        try:
            enterprises.edit_profile(
                enterprise=enterprise, by=request.user, seen=seen, **form.cleaned_data
            )
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(None, str(error))
            if error.code == "enterprise.stale":
                enterprise.refresh_from_db(fields=fields)
                stored = ProfileForm(initial={name: getattr(enterprise, name) for name in fields})
                for sentence in stored_sentences(form, stored, error.params["changed"]):
                    form.add_error(None, sentence)
                seen = ""
        else:
            messages.success(request, _("Saved."))
            return redirect("chains:enterprise_status", public_id=public_id)
    seen = seen or versions.seal(versions.of_profile(enterprise))
    return render(
        request,
        "chains/enterprise_edit.html",
        {"nav": "profile", "enterprise": enterprise, "form": form, "seen": seen},
    )


@require_http_methods(["GET", "POST"])
def contact_edit(request: MemberRequest, public_id: str) -> HttpResponse:
    """The contacts of one's own enterprise; `?contact=` names the one to change."""
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    if not permissions.can_edit(request.user, enterprise):
        error = DomainError(
            _("Only the owner and the editors of the enterprise can do this."),
            code="contact.forbidden",
        )
        return refusal(request, error)
    rows = enterprise.contacts.filter(is_active=True).order_by("pk")
    named = request.GET.get("contact", "")
    contact = get_object_or_404(rows, public_id=named) if named else None
    if request.method == "POST" and "retire" in request.POST:
        leaving = get_object_or_404(rows, public_id=request.POST["retire"])
        contacts.retire_contact(contact=leaving, by=request.user)
        messages.success(request, _("The contact is no longer offered."))
        return redirect("chains:contact_edit", public_id=public_id)
    form = ContactForm(request.POST or None, instance=contact)
    if request.method == "POST" and form.is_valid():
        try:
            contacts.save_contact(
                enterprise=enterprise, contact=contact, by=request.user, **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("chains:contact_edit", public_id=public_id)
    return render(
        request,
        "chains/contact_edit.html",
        {
            "nav": "profile",
            "enterprise": enterprise,
            "form": form,
            "contact": contact,
            "contacts": rows,
            "month": ContactReveal.objects.of_enterprise(enterprise).this_month().figures(),
        },
    )


@require_http_methods(["GET", "POST"])
def qualification_claim(request: MemberRequest, public_id: str) -> HttpResponse:
    return _claim(request, public_id, is_title=True)


@require_http_methods(["GET", "POST"])
def certification_claim(request: MemberRequest, public_id: str) -> HttpResponse:
    return _claim(request, public_id, is_title=False)


def _claim(request: MemberRequest, public_id: str, *, is_title: bool) -> HttpResponse:
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    form_class = QualificationForm if is_title else CertificationForm
    form = form_class(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        claim: Any = (
            enterprises.claim_qualification if is_title else enterprises.claim_certification
        )
        try:
            claim(enterprise=enterprise, by=request.user, **form.cleaned_data)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error("evidence" if error.code.startswith("file.") else None, str(error))
        else:
            messages.success(
                request, _("Sent to the desk. It is shown as stated until it is verified.")
            )
            return redirect("chains:enterprise_status", public_id=public_id)
    return render(
        request,
        "chains/proof_claim.html",
        {"nav": "profile", "enterprise": enterprise, "form": form, "is_title": is_title},
    )


# --- Files and regions --------------------------------------------------------------------------------


@require_GET
def evidence_download(
    request: MemberRequest, public_id: str, desk: permissions.Desk
) -> HttpResponseBase:
    """To those entitled, never shown inside a page; a desk that opens one is logged."""
    evidence = get_object_or_404(
        Evidence.objects.exclude(purpose=Evidence.Purpose.REGISTRATION).select_related(
            "enterprise__region"
        ),
        public_id=public_id,
    )
    if not desk.may_see_evidence(request.user, evidence.enterprise):
        raise Http404
    enterprises.record_view(evidence=evidence, by=request.user)
    return download(evidence)


@require_GET
def region_search(request: MemberRequest) -> HttpResponse:
    """Regions that answer what is typed, as radios for the field `name`."""
    name = request.GET.get("name", "region")
    if not name.replace("-", "_").isidentifier() or len(name) > 40:
        raise Http404
    typed = request.GET.get(f"{name}_q") or request.GET.get("q", "")
    selected = request.GET.get(name) or request.GET.get("selected", "")
    return render(
        request,
        "components/region_choices.html",
        {
            "name": name,
            "typed": typed[:60],
            "selected": selected[:12],
            "regions": region_choices(typed[:60], selected[:12]),
        },
    )


# --- The desk -----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def enterprise_case(request: MemberRequest, public_id: str, desk: permissions.Desk) -> HttpResponse:
    enterprise = get_object_or_404(
        desk.enterprises(request.user).select_related("region__parent__parent", "kind", "group"),
        public_id=public_id,
    )
    if not desk.may_verify(request.user, enterprise):
        if not permissions.is_own_case(request.user, enterprise):  # an analyst looks after it only
            raise Http404
        error = DomainError(
            _("This is your own enterprise or body. The next desk up decides."),
            code="enterprise.forbidden",
        )
        return refusal(request, error)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        following = _next_of(desk.pending(request.user), enterprise)
        try:
            messages.success(request, _decide(request, enterprise, form, desk))
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            if following is None:
                return redirect("matchmaking:inbox")
            return redirect("chains:enterprise_case", public_id=following.public_id)
    context = _case_context(request, enterprise, form, desk)
    return render(request, "chains/enterprise_case.html", context)


def _next_of(cases: list[Enterprise], enterprise: Enterprise) -> Enterprise | None:
    """The case after this one, else the oldest other one."""
    ids = [case.pk for case in cases]
    if enterprise.pk not in ids:
        return None
    place = ids.index(enterprise.pk)
    others = cases[place + 1 :] + cases[:place]
    return others[0] if others else None


def _decide(
    request: MemberRequest, enterprise: Enterprise, form: DecisionForm, desk: permissions.Desk
) -> str:
    action, by, may = request.POST.get("do", ""), request.user, desk.may_verify
    name = enterprise.name
    if action == "verify":
        try:
            seen = datetime.datetime.fromisoformat(request.POST.get("seen", ""))
        except ValueError as error:
            raise DomainError(_("Load the form again."), code="enterprise.not_seen") from error
        enterprises.verify(enterprise=enterprise, by=by, seen=seen, may=may)
        return _("%(name)s is verified.") % {"name": name}
    if action == "return":
        enterprises.return_(enterprise=enterprise, reason=form.text(), by=by, may=may)
        return _("%(name)s has been returned with your reason.") % {"name": name}
    if action == "suspend":
        enterprises.suspend(enterprise=enterprise, reason=form.text(), by=by, may=may)
        return _("%(name)s is suspended.") % {"name": name}
    if action == "reinstate":
        enterprises.reinstate(enterprise=enterprise, by=by, may=may)
        return _("%(name)s is reinstated.") % {"name": name}
    raise DomainError(_("Choose what to do."), code="enterprise.no_action")


def _case_context(
    request: MemberRequest, enterprise: Enterprise, form: DecisionForm, desk: permissions.Desk
) -> dict[str, Any]:
    cases = desk.pending(request.user)
    ids = [case.pk for case in cases]
    place = ids.index(enterprise.pk) if enterprise.pk in ids else None
    served = calendar.provinces()
    today = timezone.localdate()
    first = enterprise.memberships.active().select_related("user").order_by("pk").first()
    days = None
    if enterprise.submitted_at is not None:
        province = served.get(enterprise.province_id or 0)
        days = calendar.working_days_between(
            timezone.localtime(enterprise.submitted_at).date(),
            today,
            frozenset(province.holidays) if province else (),
        )
    verdict = identity.check_number(enterprise.scheme, enterprise.number)
    code = identity.region_code_of(enterprise.number) if enterprise.scheme == "uscc" else None
    return {
        "nav": "inbox",
        "enterprise": enterprise,
        "form": form,
        "place": None if place is None else place + 1,
        "total": len(cases),
        "previous": cases[place - 1] if place else None,
        "next": cases[place + 1] if place is not None and place + 1 < len(cases) else None,
        "due_today": sum(calendar.promised_on(case, served) == today for case in cases),
        "late": sum((calendar.promised_on(case, served) or today) < today for case in cases),
        "promised_on": calendar.promised_on(enterprise, served),
        "days": days,
        # The part behind the @: whose mailbox it is, never whose person.
        "mailbox": first.user.email.rpartition("@")[2] if first else "",
        "verdict": verdict,
        "number_region": code,
        "region_fits": code is not None
        and enterprise.region is not None
        and (code in enterprise.region.codes or enterprise.region.code[:4] == code[:4]),
        "near": search.near_names(
            [enterprise.name, enterprise.name_en],
            Enterprise.objects.visible_to(request.user).exclude(pk=enterprise.pk),
        ),
        "licences": enterprise.evidence.filter(purpose=Evidence.Purpose.LICENCE).order_by("-pk"),
        "proofs": _proofs(enterprise),
        **_held_on(request, enterprise),
        "today": today,
        "affiliates": enterprise.affiliates,
        "requests": [
            (row, accounts.desk_may_decide(row))
            for row in enterprise.memberships.requested().select_related("enterprise")
        ],
        "heirs": _heirs(enterprise),
    }


def _heirs(enterprise: Enterprise) -> list[tuple[Membership, str]]:
    """Where no owner is left: the members one of whom the desk can make one, each with the part behind the @."""
    if enterprise.memberships.acting_owners().exists():
        return []
    members = enterprise.memberships.active().filter(user__is_active=True)
    return [
        (row, row.user.email.rpartition("@")[2])
        for row in members.select_related("user").order_by("pk")
    ]


def _proofs(enterprise: Enterprise) -> list[tuple[str, Qualification | Certification]]:
    """What it states, undecided first."""
    rows: list[Qualification | Certification] = [
        *enterprise.qualifications.select_related("kind", "evidence"),
        *enterprise.certifications.select_related("kind", "evidence"),
    ]
    rows.sort(key=lambda row: (row.status != Proof.Status.CLAIMED, row.created_at))
    return [(enterprises.noun(row), row) for row in rows]


def _held_on(request: MemberRequest, enterprise: Enterprise) -> dict[str, Any]:
    """What was in force on the day of `?on=`."""
    form = HeldOnForm(request.GET if "on" in request.GET else None)
    if not form.is_valid():
        return {"held_form": form}
    day = form.cleaned_data["on"]
    held = [
        *enterprise.qualifications.in_force(day).select_related("kind").order_by("kind__order"),
        *enterprise.certifications.in_force(day).select_related("kind").order_by("kind__order"),
    ]
    return {"held_form": form, "held": held, "held_on": day}


@require_http_methods(["GET", "POST"])
def proof_decide(request: MemberRequest, public_id: str, desk: permissions.Desk) -> HttpResponse:
    """One title or certificate: the paper, what it says, verified or refused."""
    proof = _proof(public_id)
    enterprise = proof.enterprise
    if not desk.enterprises(request.user).filter(pk=enterprise.pk).exists():
        raise Http404
    if not desk.may_verify(request.user, enterprise):
        error = DomainError(
            _("This is your own enterprise or body. The next desk up decides."),
            code="proof.forbidden",
        )
        return refusal(request, error)
    form = ProofDecisionForm(
        request.POST or None,
        initial={"issuer": proof.issuer, "valid_until_on": proof.valid_until_on},
    )
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _decide_proof(request, proof, form, desk))
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            return redirect("chains:enterprise_case", public_id=enterprise.public_id)
    return render(
        request,
        "chains/proof_decide.html",
        {
            "nav": "inbox",
            "proof": proof,
            "enterprise": enterprise,
            "form": form,
            "today": timezone.localdate(),
        },
    )


def _proof(public_id: str) -> Qualification | Certification:
    along = ("enterprise__region__parent", "kind", "evidence")
    title = Qualification.objects.select_related(*along).filter(public_id=public_id).first()
    if title is not None:
        return title
    return get_object_or_404(Certification.objects.select_related(*along), public_id=public_id)


def _decide_proof(
    request: MemberRequest,
    proof: Qualification | Certification,
    form: ProofDecisionForm,
    desk: permissions.Desk,
) -> str:
    action, data = request.POST.get("do", ""), form.cleaned_data
    if action == "revoke":
        enterprises.revoke_proof(
            proof=proof, reason=data["reason"], by=request.user, may=desk.may_verify
        )
        return _("Revoked.")
    enterprises.decide_proof(
        proof=proof,
        accept=action == "verify",
        reason=data["reason"],
        issuer=data["issuer"],
        valid_until_on=data["valid_until_on"],
        by=request.user,
        may=desk.may_verify,
    )
    return _("Verified.") if action == "verify" else _("Refused.")
