from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.views.downloads import download
from chains.views.posted import posted
from events.forms.documents import DocumentForm
from events.models import Event, EventDocument
from events.services import documents
from events.views.organise import managed


@require_http_methods(["GET", "POST"])
def event_documents(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            documents.add(event=event, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Everybody who sees the event can read it now."))
            return redirect("events:event_documents", public_id=public_id)
    return render(
        request,
        "events/event_documents.html",
        {
            "nav": "events",
            "tab": "edit",
            "event": event,
            "form": form,
            "documents": event.documents.all(),
        },
        status=422 if form.errors else 200,
    )


@posted("events:event_documents", "public_id")
def document_remove(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    row = get_object_or_404(event.documents, public_id=request.POST.get("document", ""))
    try:
        documents.remove(document=row, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Removed."))
    return redirect("events:event_documents", public_id=public_id)


@login_not_required
@require_safe
def document(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """For everybody who sees the event it belongs to."""
    row = get_object_or_404(
        EventDocument.objects.filter(event__in=Event.objects.visible_to(request.user).values("pk")),
        public_id=public_id,
    )
    return download(row)
