"""Titles verified from an authority's list: looked at first, then written down."""

from __future__ import annotations

import datetime

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from chains import permissions
from chains.errors import DomainError
from chains.forms import title_list
from chains.forms.title_list import TitleListForm
from chains.http import MemberRequest
from chains.models import Enterprise
from chains.services import awards
from chains.views.posted import posted
from chains.views.sheets import sheet_response

# Rides on the page from the comparison to the sheet.
_KEPT = signing.TimestampSigner(salt="chains.titles.misfits")
_KEPT_FOR = datetime.timedelta(days=1)


@require_http_methods(["GET", "POST"])
def title_list_page(request: MemberRequest, desk: permissions.Desk) -> HttpResponse:
    if not request.user.decides_for_others:
        raise Http404
    form = TitleListForm(request.POST or None, request.FILES or None)
    context = {"nav": "inbox", "form": form}
    if request.method == "POST" and form.is_valid():
        if "confirm" in request.POST:
            return _write_down(request, form, desk)
        upload = form.cleaned_data["upload"]
        try:
            if upload is None:
                raise DomainError(_("Choose a file."), code="titles.no_file")
            found = title_list.read(
                upload.read(), form.cleaned_data["kind"], request.user, desk.may_verify
            )
            misfits = [[row.number, row.text, row.why] for row in found.misfits]
            context |= {"found": found, "kept": _KEPT.sign_object(misfits, compress=True)}
        except DomainError as error:
            form.add_error("upload", str(error))
    return render(request, "chains/title_list.html", context, status=422 if form.errors else 200)


@posted("chains:title_list")
def title_misfits(request: MemberRequest, extension: str) -> HttpResponseBase:
    """The rows to look at as a sheet with the reason: what the page was given is given back, nothing of a list is kept."""
    if not request.user.decides_for_others:
        raise Http404
    try:
        rows = _KEPT.unsign_object(request.POST.get("kept", ""), max_age=_KEPT_FOR)
    except signing.BadSignature:
        messages.error(request, _("Compare the list with the register again."))
        return redirect("chains:title_list")
    header = [_("Row"), _("In the list"), _("Reason")]
    return sheet_response(extension, "rows-to-look-at", header, rows)


def _write_down(
    request: MemberRequest, form: TitleListForm, desk: permissions.Desk
) -> HttpResponse:
    data = form.cleaned_data
    done = awards.award_many(
        public_ids=request.POST.getlist("enterprise")[: title_list.MAX_ROWS],
        kind=data["kind"],
        issuer=data["issuer"],
        batch=data["batch"],
        valid_from=data["valid_from"],
        valid_until_on=data["valid_until_on"],
        by=request.user,
        may=desk.may_verify,
    )
    names = Enterprise.objects.in_bulk([one for one, _why in done.refused], field_name="public_id")
    for public_id, why in done.refused:
        if public_id in names:
            messages.warning(request, f"{names[public_id].name}: {why}")
    messages.success(
        request,
        ngettext(
            "%(n)d title is verified; its enterprise has been told.",
            "%(n)d titles are verified; their enterprises have been told.",
            done.verified,
        )
        % {"n": done.verified},
    )
    return redirect("chains:title_list")
