from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chains.http import HttpRequest
from events.models import Event, Invitation
from events.services import invitations


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, code: str) -> HttpResponse:
    """Where an invitation leads: what it is about, the way to register, and no by one button."""
    row = get_object_or_404(
        Invitation.objects.exclude(event__status=Event.Status.DRAFT).select_related(
            "event__region__parent", "event__host", "enterprise"
        ),
        code=code.lower(),
    )
    if request.method == "POST":
        invitations.decline(invitation=row)
        messages.success(request, _("Thank you. The organiser knows that you are not coming."))
        return redirect("events:invitation", row.code)
    answer = render(
        request, "events/invitation.html", {"nav": "events", "event": row.event, "invitation": row}
    )
    answer["X-Robots-Tag"] = "noindex"
    return answer
