"""Who has opened a contact, when and by what right: for the enterprise whose contact it is, never the contact itself."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from chains.http import MemberRequest
from chains.models import ContactReveal, Enterprise
from chains.templatetags.localised import localised
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import permissions
from matchmaking.services import contacts
from matchmaking.views.requirements import about, interest_counts, own_requirements

PER_PAGE = 50


@require_GET
def contact_log(request: MemberRequest, public_id: str) -> HttpResponse:
    """Who opened the buyer's contact of this requirement."""
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    looks = ContactReveal.objects.of_requirement(requirement).in_full()
    page = Paginator(looks, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **about(request, requirement, interest_counts(requirement)),
        "page_obj": page,
        "rows": _with_desks(page.object_list),
        "openings": contacts.openings(requirement),
        "tab": "contacts",
    }
    return render(request, "matchmaking/contact_log.html", context)


@require_GET
def contact_log_export(request: MemberRequest, public_id: str, extension: str) -> HttpResponseBase:
    """The same as a sheet: bodies, never the persons who looked."""
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    return _sheet_of(ContactReveal.objects.of_requirement(requirement).in_full(), extension)


@require_GET
def enterprise_contact_log(request: MemberRequest, public_id: str) -> HttpResponseBase:
    """Who opened any contact of the enterprise's: as a buyer's, a supplier's or an association's."""
    enterprise = get_object_or_404(Enterprise.objects.own(request.user), public_id=public_id)
    looks = ContactReveal.objects.of_enterprise(enterprise).in_full()
    if extension := sheet_asked_for(request):
        return _sheet_of(looks, extension)
    page = Paginator(looks, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "profile",
        "enterprise": enterprise,
        "page_obj": page,
        "rows": _with_desks(page.object_list),
        "month": ContactReveal.objects.of_enterprise(enterprise).this_month().figures(),
        # What was taken down, or was posted under a mandate that has ended, has no page any more.
        "readable": set(
            permissions.requirements_visible_to(request.user)
            .filter(pk__in=[row.requirement_id for row in page.object_list])
            .values_list("pk", flat=True)
        ),
    }
    return render(request, "matchmaking/enterprise_contact_log.html", context)


def _with_desks(rows: Iterable[ContactReveal]) -> list[tuple[ContactReveal, Enterprise | None]]:
    """Each look with the body whose desk has looked."""
    desks = contacts.desks_of(rows)
    return [(row, desks.get(row.user_id)) for row in rows]


def _sheet_of(looks: Iterable[ContactReveal], extension: str) -> HttpResponseBase:
    header = [_("Who"), _("When"), _("Requirement"), _("By what right"), _("Purpose")]
    table = (
        [
            _who(row, body),
            timezone.localtime(row.at).replace(tzinfo=None),
            row.requirement.title if row.requirement else "",
            row.get_right_display(),
            row.purpose,
        ]
        for row, body in _with_desks(list(looks))
    )
    return sheet_response(extension, "contact-openings", header, table)


def _who(row: ContactReveal, body: Enterprise | None) -> str:
    if row.right == ContactReveal.Right.DESK:
        return localised(body) or pgettext("office", "Desk")
    return localised(row.enterprise) or _("A member without an enterprise")
