from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.views.posted import posted
from events.forms.staff import StaffForm
from events.services import staff
from events.views.organise import managed


@require_http_methods(["GET", "POST"])
def event_staff(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    form = StaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            staff.appoint(event=event, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The person can work at the event from now on."))
            return redirect("events:event_staff", public_id=public_id)
    return render(
        request,
        "events/event_staff.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "form": form,
            "people": event.staff.select_related("user").order_by("role", "pk"),
        },
        status=422 if form.errors else 200,
    )


@posted("events:event_staff", "public_id")
def staff_release(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    row = get_object_or_404(event.staff, public_id=request.POST.get("staff", ""))
    try:
        staff.release(staff=row, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The person no longer works at this event."))
    return redirect("events:event_staff", public_id=public_id)
