"""Who works for the counties below one's own region."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms.roles import RoleForm
from chains.http import MemberRequest
from chains.models import OrganiserRole, lies_within
from chains.models.people import OrganiserRoleQuerySet
from chains.services import accounts
from chains.views.posted import posted
from chains.views.refusals import refusal

PER_PAGE = 50


def _roles(request: MemberRequest) -> OrganiserRoleQuerySet:
    """Those in force where the person decides; where nobody is asked, the page is not there."""
    if not permissions.grants_roles(request.user):
        raise Http404
    rows = OrganiserRole.objects.current().select_related("user", "body", "region")
    own = [region.pk for region in request.user.organiser_regions]
    return rows.filter(
        lies_within("region", request.user.organiser_regions),
        region__level__in=permissions.COUNTIES,
    ).exclude(region__in=own)


@require_http_methods(["GET", "POST"])
def role_list(request: MemberRequest) -> HttpResponse:
    rows = _roles(request)
    form = RoleForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            accounts.grant_role(
                user=data["email"],
                body=data["body"],
                region=data["region"],
                role=data["role"],
                valid_until_on=data["valid_until_on"],
                by=request.user,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The person works there from now on."))
            return redirect("chains:role_list")
    page = Paginator(rows.order_by("region__code", "pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "chains/role_list.html",
        {"nav": "inbox", "form": form, "page_obj": page},
        status=422 if form.errors else 200,
    )


@posted("chains:role_list")
def role_end(request: MemberRequest, public_id: str) -> HttpResponse:
    granted = get_object_or_404(_roles(request), public_id=public_id)
    try:
        accounts.end_role(granted=granted, by=request.user)
    except DomainError as error:
        return refusal(request, error)
    messages.success(request, _("The role has ended; the person no longer sees the desk."))
    return redirect("chains:role_list")
