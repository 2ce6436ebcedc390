from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from events.forms.leading import LeadingGuestForm, LeadingGuestFormSet
from events.models import Event
from events.services import leading
from events.views.organise import managed


@require_http_methods(["GET", "POST"])
def event_leading(request: MemberRequest, public_id: str) -> HttpResponse:
    """The leading enterprises of an event on one page, each with whether the public reads it, and if not, why."""
    event = managed(request, public_id)
    rows = list(event.leading_guests.select_related("enterprise__region__parent"))
    states = _states(event)
    formset = LeadingGuestFormSet(
        request.POST or None,
        prefix="l",
        initial=[{**LeadingGuestForm.of(row), "state": states[row.enterprise_id]} for row in rows],
    )
    error_text = ""
    if request.method == "POST" and formset.is_valid():
        try:
            leading.set_guests(event=event, guests=_wanted(formset), by=request.user)
        except DomainError as error:
            error_text = str(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("events:event_leading", public_id=public_id)
    return render(
        request,
        "events/event_leading.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "formset": formset,
            "error_text": error_text,
        },
        status=422 if error_text or (request.method == "POST" and any(formset.errors)) else 200,
    )


def _wanted(formset: Any) -> list[dict[str, Any]]:
    rows = [
        form.cleaned_data
        for form in formset
        if (form.has_changed() or form.initial) and not form.cleaned_data.get("DELETE")
    ]
    # One without a number goes to the end, in the order of the page.
    return sorted(rows, key=lambda row: row["order"] or 1000)


def _states(event: Event) -> dict[int, str]:
    """By enterprise: "public", or what is missing for it."""
    public = set(event.leading_guests.public().values_list("enterprise", flat=True))
    named = dict(
        event.registrations.filter(
            enterprise__in=event.leading_guests.values("enterprise")
        ).values_list("enterprise", "status")
    )
    found = {}
    for pk in event.leading_guests.values_list("enterprise", flat=True):
        if pk in public:
            found[pk] = "public"
        else:
            found[pk] = "silent" if named.get(pk) == "confirmed" else "absent"
    return found
