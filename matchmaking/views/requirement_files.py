"""Files of a requirement, handed to those its owner named."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from chains.http import HttpRequest
from chains.models import RequirementFile
from chains.permissions import is_signed_in
from chains.services import requirement_files
from chains.views.downloads import download
from matchmaking import permissions


@login_not_required
@require_GET
def requirement_file(request: HttpRequest, public_id: str) -> HttpResponseBase:
    row = get_object_or_404(
        RequirementFile.objects.standing().select_related(
            "requirement__enterprise__region", "requirement__posted_by"
        ),
        public_id=public_id,
    )
    user = request.user
    if not permissions.can_open_file(user, row):
        raise Http404
    if is_signed_in(user) and not permissions.can_read_as_buyer(user, row.requirement):
        requirement_files.note_look(attachment=row, by=user, may=permissions.can_open_file)
    return download(row)
