"""The group of one's enterprise: whom it names, who names it, and the way out."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms.groups import GroupForm
from chains.http import MemberRequest
from chains.models import Enterprise, GroupProposal
from chains.services import groups
from chains.views.refusals import refusal


@require_http_methods(["GET", "POST"])
def enterprise_group(request: MemberRequest, public_id: str) -> HttpResponse:
    enterprise = get_object_or_404(
        Enterprise.objects.own(request.user).select_related("group"), public_id=public_id
    )
    form = GroupForm(request.POST if "propose" in request.POST else None, enterprise=enterprise)
    if request.method == "POST":
        try:
            said = _done(request, enterprise, form)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error(None, str(error)) if form.is_bound else messages.error(request, str(error))  # fmt: skip
            if not form.is_bound:
                return redirect("chains:enterprise_group", public_id=public_id)
        else:
            if said:
                messages.success(request, said)
                return redirect("chains:enterprise_group", public_id=public_id)
    waiting = GroupProposal.objects.filter(status=GroupProposal.Status.PROPOSED).order_by("pk")
    return render(
        request,
        "chains/enterprise_group.html",
        {
            "nav": "profile",
            "enterprise": enterprise,
            "form": form,
            "affiliates": enterprise.affiliates,
            "received": waiting.filter(partner=enterprise).select_related("proposer__group"),
            "sent": waiting.filter(proposer=enterprise).select_related("partner"),
            "is_owner": permissions.is_owner(request.user, enterprise),
        },
        status=422 if form.errors else 200,
    )


def _done(request: MemberRequest, enterprise: Enterprise, form: GroupForm) -> str:
    """What was done, in a sentence; empty when the form has to be corrected."""
    by, posted = request.user, request.POST
    if "propose" in posted:
        if not form.is_valid():
            return ""
        partner, name = form.cleaned_data["number"], form.cleaned_data.get("name", "")
        groups.propose(enterprise=enterprise, partner=partner, name=name, by=by)
        return _("Its owners have been asked; it counts once one of them confirms.")
    if "leave" in posted:
        groups.leave(enterprise=enterprise, by=by)
        return _("Your enterprise has left the group.")
    if "withdraw" in posted:
        sent = get_object_or_404(enterprise.group_proposals_sent, public_id=posted["withdraw"])
        groups.withdraw(proposal=sent, by=by)
        return _("The proposal is withdrawn.")
    accept = "accept" in posted
    named = posted.get("accept") or posted.get("decline", "")
    received = get_object_or_404(enterprise.group_proposals_received, public_id=named)
    groups.answer(proposal=received, accept=accept, by=by)
    return _("You are affiliates from now on.") if accept else _("Declined.")
