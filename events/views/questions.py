from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from events.forms.questions import QuestionForm, QuestionFormSet
from events.services import questions
from events.views.organise import managed


@require_http_methods(["GET", "POST"])
def event_questions(request: MemberRequest, public_id: str) -> HttpResponse:
    """The form builder: all questions on one page, saved whole or not at all."""
    event = managed(request, public_id)
    asked = event.questions.asked()
    formset = QuestionFormSet(
        request.POST or None, prefix="q", initial=[QuestionForm.of(row) for row in asked]
    )
    error_text = ""
    if request.method == "POST" and formset.is_valid():
        try:
            questions.set_questions(event=event, questions=_wanted(formset), by=request.user)
        except DomainError as error:
            error_text = str(error)
        else:
            messages.success(request, _("The form is saved."))
            return redirect("events:event_questions", public_id=public_id)
    counts = dict(
        event.questions.asked().annotate(n=Count("answers")).values_list("public_id", "n")
    )
    return render(
        request,
        "events/event_questions.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "formset": formset,
            "rows": [(form, counts.get(form["public_id"].value() or "", 0)) for form in formset],
            "retired": event.questions.exclude(retired_at=None),
            "error_text": error_text,
        },
        status=422 if error_text or (request.method == "POST" and any(formset.errors)) else 200,
    )


def _wanted(formset: Any) -> list[dict[str, Any]]:
    """In the order of the places that were typed; those without one stay where they stand."""
    rows = [
        (form.cleaned_data.get("order") or number, number, form.cleaned_data)
        for number, form in enumerate(formset, 1)
        if (form.has_changed() or form.initial) and not form.cleaned_data.get("DELETE")
    ]
    return [data for _order, _number, data in sorted(rows, key=lambda row: row[:2])]
