from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from events.forms.agenda import AgendaForm, AgendaFormSet, ChecklistForm, checklist_formset
from events.models import Event
from events.services import agenda
from events.views.organise import managed


@require_http_methods(["GET", "POST"])
def event_agenda(request: MemberRequest, public_id: str) -> HttpResponse:
    """The parts of the day on one page."""
    event = managed(request, public_id)
    initial = [AgendaForm.of(row) for row in event.agenda.all()]
    formset = AgendaFormSet(request.POST or None, prefix="a", initial=initial)
    return _page(
        request,
        event,
        formset,
        "event_agenda",
        lambda rows: agenda.set_agenda(event=event, parts=rows, by=request.user),
    )


@require_http_methods(["GET", "POST"])
def event_checklist(request: MemberRequest, public_id: str) -> HttpResponse:
    """What is to be done, on one page."""
    event = managed(request, public_id)
    initial = [ChecklistForm.of(row) for row in event.checklist.select_related("owner")]
    formset = checklist_formset(agenda.colleagues(event))(
        request.POST or None, prefix="c", initial=initial
    )
    return _page(
        request,
        event,
        formset,
        "event_checklist",
        lambda rows: agenda.set_checklist(event=event, items=rows, by=request.user),
    )


def _page(
    request: MemberRequest,
    event: Event,
    formset: Any,
    name: str,
    save: Callable[[list[dict[str, Any]]], object],
) -> HttpResponse:
    error_text = ""
    if request.method == "POST" and formset.is_valid():
        rows = [
            form.cleaned_data
            for form in formset
            if (form.has_changed() or form.initial) and not form.cleaned_data.get("DELETE")
        ]
        try:
            save(rows)
        except DomainError as error:
            error_text = str(error)
        else:
            messages.success(request, _("Saved."))
            return redirect(f"events:{name}", public_id=event.public_id)
    return render(
        request,
        f"events/{name}.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "formset": formset,
            "error_text": error_text,
            "today": timezone.localdate(),
        },
        status=422 if error_text or (request.method == "POST" and any(formset.errors)) else 200,
    )
