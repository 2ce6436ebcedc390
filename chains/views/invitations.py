"""Colleagues invited to act for an enterprise: from both sides."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms.enterprises import InviteForm
from chains.http import MemberRequest
from chains.models import Enterprise, MemberInvitation
from chains.services import invitations
from chains.views.posted import posted
from chains.views.refusals import refusal


@require_http_methods(["GET", "POST"])
def member_invite(request: MemberRequest, public_id: str) -> HttpResponse:
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    if not permissions.is_owner(request.user, enterprise):
        sentence = _("Only an owner of the enterprise decides who joins.")
        return refusal(request, DomainError(sentence, code="invitation.forbidden"))
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitations.invite(enterprise=enterprise, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _("The invitation is on its way to %(email)s; it stands for %(days)d days.")
                % {"email": form.cleaned_data["email"], "days": invitations.DAYS},
            )
            return redirect("chains:member_list", public_id=public_id)
    return render(
        request,
        "chains/member_invite.html",
        {"nav": "profile", "enterprise": enterprise, "form": form, "days": invitations.DAYS},
        status=422 if form.errors else 200,
    )


@posted("start")
def invitation_withdraw(request: MemberRequest, public_id: str) -> HttpResponse:
    invitation = get_object_or_404(
        MemberInvitation.objects.filter(enterprise__in=request.user.enterprise_ids).select_related(
            "enterprise"
        ),
        public_id=public_id,
    )
    try:
        invitations.withdraw(invitation=invitation, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("The invitation is withdrawn."))
    return redirect("chains:member_list", public_id=invitation.enterprise.public_id)


@require_http_methods(["GET", "POST"])
def invitation_answer(request: MemberRequest, public_id: str) -> HttpResponse:
    """The page a letter leads to: for whoever reads the address it was sent to, and nobody else."""
    invitation = get_object_or_404(
        MemberInvitation.objects.select_related("enterprise__region__parent"), public_id=public_id
    )
    if not invitations.is_for(invitation=invitation, by=request.user):
        raise Http404
    if request.method == "POST":
        accept = request.POST.get("do") == "accept"
        try:
            invitations.answer(invitation=invitation, accept=accept, by=request.user)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            messages.error(request, str(error))
            return redirect("start")
        if not accept:
            messages.success(request, _("You have declined the invitation."))
            return redirect("start")
        messages.success(request, _("Welcome. You act for the enterprise from now on."))
        return redirect("chains:enterprise_status", public_id=invitation.enterprise.public_id)
    return render(
        request,
        "chains/invitation_answer.html",
        {"nav": "profile", "invitation": invitation, "enterprise": invitation.enterprise},
    )
