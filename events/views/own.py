"""What one's own enterprises are registered for, over all events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chains.http import MemberRequest
from chains.templatetags.localised import localised
from chains.views.sheets import sheet_asked_for, sheet_response
from events.models import Registration
from events.services import waiting_list

PER_PAGE = 25


@require_safe
def registration_list(request: MemberRequest) -> HttpResponseBase:
    """The newest event first; ended registrations too, so that whoever was declined finds why."""
    rows = (
        Registration.objects.filter(enterprise__in=request.user.enterprise_ids)
        .select_related("event__region__parent", "enterprise", "tier")
        .annotate(named=Count("delegates", filter=Q(delegates__status="active")))
        .order_by("-event__starts_at", "-pk")
    )
    if extension := sheet_asked_for(request):
        return _sheet_of(rows, extension)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    ranks = waiting_list.ranks_of(page.object_list)
    context = {
        "nav": "events",
        "page_obj": page,
        "rows": [(row, ranks.get(row.pk)) for row in page.object_list],
        "several": len(request.user.enterprise_ids) > 1,
        "now": timezone.now(),
    }
    return render(request, "events/registration_list.html", context)


def _sheet_of(rows: QuerySet[Any], extension: str) -> HttpResponseBase:
    """Numbers of delegates, no names: those leave in the host's sheet of guests only."""
    header = [
        _("Event"), _("Enterprise"), _("Starts"), _("Ends"), _("Place"), _("State"), _("Seats asked for"),
        _("Seats held"), _("Delegates named"), _("Delegates by"), _("Offer stands until"), _("Arrived"),
        _("Reason"), _("Address"),
    ]  # fmt: skip
    return sheet_response(extension, "registrations", header, _cells(rows))


def _cells(rows: QuerySet[Any]) -> Iterable[list[object]]:
    for row in rows:
        event = row.event
        yield [
            localised(event), localised(row.enterprise), timezone.localtime(event.starts_at),
            timezone.localtime(event.ends_at), localised(event, "place"), row.get_status_display(),
            row.seats_asked, row.seats_held, row.named,
            timezone.localtime(event.delegates_until) if event.delegates_until else None,
            timezone.localtime(row.offer_expires_at) if row.offer_expires_at else None,
            row.attended, row.decline_reason,
            settings.SITE_URL + reverse("events:register", args=[event.public_id]),
        ]  # fmt: skip
