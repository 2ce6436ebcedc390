"""What is printed for the hall: a poster for each requirement on the list, cards for the tables."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chains import audit
from chains.http import MemberRequest
from chains.models import Requirement, RequirementLine
from events import papers
from events.models import Delegate, Listing
from events.views.organise import managed

POSTERS = 40
CARDS = 40


def pdf(file: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(file, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
def posters(request: MemberRequest, public_id: str) -> HttpResponse:
    """One on a sheet of A4, in the order of the list. Before its moment they are for whoever prints them only."""
    event = managed(request, public_id)
    status = Requirement.Status
    listings = (
        event.listings.exclude(requirement__status__in=(status.DRAFT, status.CLOSED))
        .select_related(
            "requirement__enterprise__region__parent",
            "requirement__chain",
            "requirement__posted_by",
        )
        .prefetch_related(
            Prefetch("requirement__lines", RequirementLine.objects.open().select_related("unit"))
        )
        .featured_first()
    )
    page = Paginator(listings, POSTERS).get_page(request.GET.get("page"))
    shown = [_poster(one) for one in page]
    if request.GET.get("file") == "pdf":
        return pdf(papers.posters(event=event, posters=shown), f"posters-{public_id}-{page.number}")
    return render(
        request,
        "events/posters.html",
        {
            "nav": "events",
            "event": event,
            "page_obj": page,
            "posters": shown,
        },
    )


def _poster(listing: Listing) -> papers.Poster:
    lines = list(listing.requirement.lines.all())
    return papers.Poster(listing, lines[: papers.LINES], max(0, len(lines) - papers.LINES))


@require_safe
def table_cards(request: MemberRequest, public_id: str) -> HttpResponse:
    """A card for each enterprise with a seat, folded once and read from both sides of the table."""
    event = managed(request, public_id)
    people = Delegate.objects.filter(status=Delegate.Status.ACTIVE).order_by("pk")
    rows = (
        event.registrations.confirmed()
        .select_related("enterprise__kind")
        .prefetch_related(Prefetch("delegates", people, "named"))
        .order_by("enterprise__sort_key", "pk")
    )
    page = Paginator(rows, CARDS).get_page(request.GET.get("page"))
    audit.record(
        request.user,
        "delegate.printed",
        event,
        rows=people.filter(registration__in=[row.pk for row in page]).count(),
    )
    if request.GET.get("file") == "pdf":
        cards = [papers.Card(row, row.named) for row in page]  # type: ignore[attr-defined]  # prefetched above
        return pdf(papers.table_cards(event=event, cards=cards), f"cards-{public_id}-{page.number}")
    return render(
        request,
        "events/table_cards.html",
        {
            "nav": "events",
            "event": event,
            "page_obj": page,
            "cards": page,
            "sides": ("back", "front"),
        },
    )
