"""What the event writes to its guests, and what has become of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chains import notifications
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import Notification
from chains.views.posted import posted
from events.services import letters
from events.views.organise import managed

PER_PAGE = 25
Status = Notification.Status


@require_safe
def event_letters(request: MemberRequest, public_id: str) -> HttpResponse:
    event = managed(request, public_id)
    everything = Notification.objects.about(event=public_id).filter(
        channel=Notification.Channel.EMAIL
    )
    counts = dict(everything.values_list("status").annotate(n=Count("pk")).order_by())
    state = request.GET.get("state", "")
    rows = everything.filter(status=state) if state in Status.values else everything
    page = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "events/event_letters.html",
        {
            "nav": "events",
            "tab": "letters",
            "event": event,
            "page_obj": page,
            "letters": _in_words(list(page)),
            "state": state,
            "states": [(one, counts.get(one.value, 0)) for one in Status],
            "all_letters": sum(counts.values()),
            "failed": counts.get(Status.FAILED.value, 0),
        },
    )


def _in_words(rows: list[Notification]) -> list[dict[str, Any]]:
    """Each by its subject and whom it is about; never to which address."""
    found = notifications.rows_of(rows)
    language = "zh" if (get_language() or "zh").startswith("zh") else "en"
    told = []
    for row in rows:
        about: Any = found.get(("registration", str(row.context.get("registration"))))
        try:
            subject = notifications.render(row, found, language).subject
        except notifications.GoneError:
            subject = ""
        told.append(
            {"row": row, "subject": subject, "enterprise": getattr(about, "enterprise", None)}
        )
    return told


@posted("events:event_letters", "public_id")
def letters_again(request: MemberRequest, public_id: str) -> HttpResponse:
    """Those that are named, else all that failed."""
    event = managed(request, public_id)
    named = request.POST.getlist("letter")
    try:
        count = letters.send_again(event=event, by=request.user, letters=named or None)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        said = ngettext(
            "%(count)d letter goes out again.", "%(count)d letters go out again.", count
        )
        messages.success(request, said % {"count": count} if count else _("Nothing had failed."))
    return redirect("events:event_letters", public_id=public_id)
