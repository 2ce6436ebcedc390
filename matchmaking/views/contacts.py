"""Contacts leave the database here only: after a click, with a line in the log, into a page that nobody keeps."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Contact
from chains.views.posted import posted
from chains.views.refusals import refusal
from matchmaking import permissions
from matchmaking.models import Interest
from matchmaking.services import contacts


@never_cache
@posted("matchmaking:requirement_detail", "public_id")
def contact_reveal(request: MemberRequest, public_id: str) -> HttpResponse:
    """The buyer's contact, for those entitled."""
    requirement = get_object_or_404(
        permissions.requirements_visible_to(request.user).select_related(
            "enterprise__region", "posted_by", "contact"
        ),
        public_id=public_id,
    )
    context = {"requirement": requirement, "of": requirement.enterprise}
    try:
        contact = contacts.reveal(
            requirement=requirement, by=request.user, purpose=request.POST.get("purpose", "")
        )
    except DomainError as error:
        return _refused(request, error, context)
    return _shown(request, contact, context)


@never_cache
@require_http_methods(["GET", "POST"])
def interest_contact(request: MemberRequest, public_id: str) -> HttpResponse:
    """The supplier's contact, for the buyer to whom the interest was sent."""
    interest = get_object_or_404(
        Interest.objects.select_related(
            "contact", "enterprise", "requirement__enterprise__region", "requirement__posted_by"
        ),
        public_id=public_id,
    )
    user, requirement = request.user, interest.requirement
    is_refused = contacts.right_to_supplier(user, interest) is None
    # Who is suspended finds the interest in its table and is told why; to others there is none.
    if is_refused and (
        permissions.can_open_as_buyer(user, requirement)
        or not permissions.can_read_as_buyer(user, requirement)
    ):
        raise Http404
    if request.method == "GET":  # after a switch of language on the page below: nothing is opened
        return redirect("matchmaking:requirement_interests", public_id=requirement.public_id)
    context = {"requirement": requirement, "of": interest.enterprise}
    try:
        contact = contacts.reveal_supplier(
            interest=interest, by=request.user, purpose=request.POST.get("purpose", "")
        )
    except DomainError as error:
        return _refused(request, error, context)
    return _shown(request, contact, context)


def _shown(request: MemberRequest, contact: Contact, context: dict[str, Any]) -> HttpResponse:
    name = "contact_card" if request.htmx else "contact_page"
    return render(request, f"matchmaking/{name}.html", {**context, "contact": contact})


def _refused(request: MemberRequest, error: DomainError, context: dict[str, Any]) -> HttpResponse:
    if error.is_refusal:
        return refusal(request, error)
    name = "contact_card" if request.htmx else "contact_page"
    context = {**context, "fault": str(error), "address": request.path}
    context["needs_purpose"] = error.code == "contact.purpose_missing"
    return render(request, f"matchmaking/{name}.html", context, status=422)
