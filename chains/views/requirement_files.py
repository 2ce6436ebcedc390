"""Drawings and data sheets of one's own requirement."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.forms.requirement_files import RequirementFileForm
from chains.http import MemberRequest
from chains.models import Requirement, RequirementFile
from chains.services import requirement_files
from chains.views.refusals import refusal
from chains.views.requirements import own_requirement


@require_http_methods(["GET", "POST"])
def requirement_file_list(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = own_requirement(request, public_id)
    form = RequirementFileForm()
    if request.method == "POST":
        form = RequirementFileForm(request.POST, request.FILES)
        try:
            if "do" in request.POST:
                messages.success(request, _change(request, requirement))
                return redirect("chains:requirement_file_list", public_id=public_id)
            if form.is_valid():
                requirement_files.attach(
                    requirement=requirement,
                    upload=form.cleaned_data["upload"],
                    visibility=form.cleaned_data["visibility"],
                    by=request.user,
                )
                messages.success(request, _("The file is kept with the requirement."))
                return redirect("chains:requirement_file_list", public_id=public_id)
        except DomainError as error:
            if error.is_refusal:
                return refusal(request, error)
            form.add_error("upload", str(error))
    return render(
        request,
        "chains/requirement_files.html",
        {
            "nav": "my_requirements",
            "requirement": requirement,
            "files": requirement.files.standing(),
            "form": form,
            "choices": RequirementFile.Visibility.choices,
            "may_edit": requirement_files.may_change(requirement=requirement, by=request.user),
        },
        status=422 if form.errors else 200,
    )


def _change(request: MemberRequest, requirement: Requirement) -> str:
    row = get_object_or_404(
        requirement.files.standing(), public_id=request.POST.get("attachment", "")
    )
    if request.POST["do"] == "remove":
        requirement_files.detach(attachment=row, by=request.user)
        return _("The file is taken off.")
    visibility = request.POST.get("visibility", "")
    requirement_files.open_to(attachment=row, visibility=visibility, by=request.user)
    return _("Changed. Who has opened it already keeps what was opened.")
