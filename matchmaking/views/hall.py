"""Requirements in the hall: on the screen, behind the code beside them, and the answers as they come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, F, Max, Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.models import Requirement
from chains.permissions import is_signed_in
from events import statistics
from events.models import Delegate, Event, Listing
from events.permissions import (
    HALL_PATH,
    PHONE_COOKIE,
    by_pass,
    can_manage,
    can_show,
    why_not_in_hall,
)
from matchmaking.forms import InterestForm
from matchmaking.models import Interest, Match
from matchmaking.services import interests
from matchmaking.views.panels import interest_panel

LINES_ON_A_SLIDE = 8
WIDE = 36
# The slide of the leading enterprises; codes of requirements have no vowels.
LEADING = "leading"
SECONDS = (5, 120)
USUAL_SECONDS = 15
# How often the screen asks; around the moment of the list more often, so that it opens with everything else.
ASKS_EVERY, ASKS_AT_THE_MOMENT = 4000, 1000
AROUND = 30


# -- the screen -----------------------------------------------------------------------------------


@never_cache
@require_safe
def hall_screen(request: MemberRequest, public_id: str) -> HttpResponse:
    """One requirement at a time, in both languages; before the moment of the list no word of any.

    The script on it asks for `part` and shows the answer; without it the page leads on by links.
    """
    event = get_object_or_404(
        Event.objects.visible_to(request.user).select_related("region__parent"), public_id=public_id
    )
    if not can_show(request.user, event):
        raise Http404
    context = {"event": event, "now": timezone.now(), "seconds": _seconds(request)}
    context["inside"] = statistics.heads(event).inside
    context |= _before(event) if event.keeps_list_back else _slide(event, request.GET.get("at", ""))
    template = "matchmaking/hall_screen.html"
    return render(request, f"{template}#slide" if "part" in request.GET else template, context)


def _seconds(request: HttpRequest) -> int:
    typed = request.GET.get("seconds", "")[:4]
    least, most = SECONDS
    return min(most, max(least, int(typed))) if typed.isdecimal() else USUAL_SECONDS


def _before(event: Event) -> dict[str, Any]:
    """How many will open, and when; nothing of what they say."""
    opens_at = event.list_published_at
    is_near = opens_at is not None and (opens_at - timezone.now()).total_seconds() < AROUND
    return {
        "phase": "before",
        "opens_at": opens_at,
        "listed": event.listings.filter(requirement__status__in=Requirement.ACCEPTED).count(),
        "guests": event.leading_guests.public(),
        "asks_every": ASKS_AT_THE_MOMENT if is_near else ASKS_EVERY,
    }


def _slide(event: Event, at: str) -> dict[str, Any]:
    guests = list(event.leading_guests.public())
    listed = list(_shown(event).values_list("code", flat=True))
    codes = [
        *listed,
        *([LEADING] if guests else []),
    ]  # when the list opens, the first of it stands there
    if not codes:
        return {"phase": "empty", "asks_every": ASKS_EVERY}
    place = codes.index(at) if at in codes else 0
    turn = {
        "asks_every": ASKS_EVERY,
        "at": codes[place],
        "suppliers": _suppliers(event),
        "number": place + 1,
        "count": len(codes),
        "previous": codes[place - 1],
        "next": codes[(place + 1) % len(codes)],
    }
    if codes[place] == LEADING:
        return {"phase": "leading", "guests": guests, **turn}
    listing = (
        _shown(event)
        .select_related(
            "requirement__enterprise__region__parent",
            "requirement__chain",
            "requirement__project",
        )
        .get(code=codes[place])
    )
    lines = list(listing.requirement.lines.open().select_related("unit").order_by("number"))
    # One that is left over has room where "and 1 more" would stand.
    shown = lines if len(lines) <= LINES_ON_A_SLIDE else lines[: LINES_ON_A_SLIDE - 1]
    # Those after it; the leading enterprises come in between and are no requirement.
    own = listed.index(codes[place])
    following = [listed[(own + step) % len(listed)] for step in (1, 2)]
    named = {
        row.code: row
        for row in _shown(event)
        .filter(code__in=following)
        .select_related("requirement__enterprise")
    }
    return {
        "phase": "slide",
        **turn,
        "listing": listing,
        "requirement": listing.requirement,
        "size": _size(listing.requirement.title),
        "lines": shown,
        "more": len(lines) - len(shown),
        "answered": _answered(listing.requirement),
        "address": listing.address,
        "following": [named[code] for code in following[: len(listed) - 1]],
    }


def _size(title: str) -> str:
    """Two lines of the largest type it fits into; a Chinese character is as wide as two Latin ones."""
    width = sum(1 if character.isascii() else 2 for character in title)
    return "" if width <= WIDE else "long" if width <= 2 * WIDE else "longest"


def _shown(event: Event) -> QuerySet[Listing]:
    return event.listings.filter(requirement__status=Requirement.Status.PUBLISHED).featured_first()


def _answered(requirement: Requirement) -> int:
    return Interest.objects.standing().filter(requirement=requirement).count()


def _suppliers(event: Event) -> int:
    """Who has answered anything on the list, each once."""
    answers = Interest.objects.standing().filter(requirement__listings__in=_shown(event))
    return answers.values("enterprise").distinct().count()


# -- behind the code ------------------------------------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_call(request: HttpRequest, code: str) -> HttpResponse:
    """A requirement for a phone in the hall. Members answer as on its page, delegates by the badge their phone knows."""
    listing = get_object_or_404(
        Listing.objects.filter(requirement__status=Requirement.Status.PUBLISHED)
        .exclude(event__status=Event.Status.DRAFT)
        .select_related(
            "event", "requirement__enterprise__region__parent", "requirement__posted_by"
        ),
        code=code.replace("-", "").lower(),
    )
    delegate = None if is_signed_in(request.user) else _delegate(request)
    if request.method == "POST" and "forget" in request.POST:
        answer = redirect("matchmaking:open_call", listing.code)
        answer.delete_cookie(PHONE_COOKIE, path=HALL_PATH, samesite="Lax")
        return answer
    requirement = listing.requirement
    lines = list(requirement.lines.select_related("unit"))
    context: dict[str, Any] = {
        "nav": "requirements",
        "listing": listing,
        "requirement": requirement,
        "lines": [line for line in lines if line.status == line.Status.OPEN],
        "delegate": delegate,
        "show_badge_hint": delegate is None and not is_signed_in(request.user),
    }
    if delegate is None:
        context["answer"] = interest_panel(request, requirement, lines, ())
        return render(request, "matchmaking/open_call.html", context)
    return _by_badge(request, listing, delegate, context)


def _delegate(request: HttpRequest) -> Delegate | None:
    return by_pass(request.COOKIES.get(PHONE_COOKIE, ""))


def _by_badge(
    request: HttpRequest, listing: Listing, delegate: Delegate, context: dict[str, Any]
) -> HttpResponse:
    """What a phone that knows a badge can do: send once. It reads nothing of the enterprise's but its name."""
    requirement, enterprise = listing.requirement, delegate.registration.enterprise
    why = why_not_in_hall(delegate, listing.event)
    context |= {"enterprise": enterprise, "refusal": interests.no_badge(why) if why else ""}
    if why:
        return render(request, "matchmaking/open_call.html", context)
    form = InterestForm(
        request.POST if request.method == "POST" else None,
        lines=context["lines"],
        enterprise=enterprise,
        asked=interests.asked(requirement, None),
        by_badge=True,
    )
    if form.is_valid():
        try:
            interests.answer_from_hall(
                listing=listing,
                delegate=delegate,
                lines=list(form.cleaned_data["lines"]),
                message=form.cleaned_data["message"],
                answers=form.answers,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            # Told by the address: what the enterprise has sent otherwise is not for whoever holds a badge.
            return redirect(f"{request.path}?sent=1")
    context |= {
        "form": form,
        "is_own": requirement.enterprise_id == enterprise.pk,
        "is_sent": "sent" in request.GET
        or delegate.interests.filter(requirement=requirement).exists(),
    }
    status = 422 if form.errors else 200
    return render(request, "matchmaking/open_call.html", context, status=status)


# -- for those who hold the event -----------------------------------------------------------------


class MatchCounts(NamedTuple):
    approved: int
    proposed: int


_NONE = MatchCounts(0, 0)


def _matches(listings: Iterable[Listing]) -> dict[int, MatchCounts]:
    """Of the requirements on the list: suppliers approved for any of their lines, and pairs that wait for review."""
    rows: Any = (
        Match.objects.filter(line__requirement__in=[one.requirement_id for one in listings])
        .values("line__requirement")
        .annotate(
            approved=Count("supplier", filter=Q(status=Match.Status.APPROVED), distinct=True),
            proposed=Count("pk", filter=Q(status=Match.Status.PROPOSED)),
        )
        .order_by()
    )
    return {row["line__requirement"]: MatchCounts(row["approved"], row["proposed"]) for row in rows}


@never_cache
@require_safe
def event_answers(request: MemberRequest, public_id: str) -> HttpResponse:
    """What became of each requirement on the list: who has answered, and how many suppliers are matched.

    The table asks again every few seconds.
    """
    event = get_object_or_404(Event.objects.visible_to(request.user), public_id=public_id)
    if not can_manage(request.user, event):
        raise Http404
    standing = Interest.objects.standing().select_related("enterprise").order_by("-pk")
    ended = Q(requirement__interests__status=Interest.Status.WITHDRAWN)
    listings = (
        event.listings.filter(requirement__published_at__isnull=False)
        .featured_first()
        .select_related("requirement__enterprise")
        .prefetch_related(Prefetch("requirement__interests", standing, "standing"))
        .annotate(
            answered=Count("requirement__interests", filter=~ended, distinct=True),
            from_hall=Count(
                "requirement__interests",
                filter=~ended & Q(requirement__interests__event=F("event")),
                distinct=True,
            ),
            last_at=Max("requirement__interests__created_at", filter=~ended),
        )
    )
    rows: list[Any] = list(listings)
    matches = _matches(rows)
    for row in rows:
        row.matches = matches.get(row.requirement_id, _NONE)
    template = "matchmaking/event_answers.html"
    return render(
        request,
        f"{template}#answers" if request.htmx else template,
        {
            "nav": "events",
            "tab": "list",
            "event": event,
            "listings": rows,
            "answered": sum(row.answered for row in rows),
            "matches": MatchCounts(
                sum(row.matches.approved for row in rows), sum(row.matches.proposed for row in rows)
            ),
            "from_hall": sum(row.from_hall for row in rows),
            "suppliers": len(
                {one.enterprise_id for row in rows for one in row.requirement.standing}
            ),
            "heads": statistics.heads(event),
            "as_of": timezone.now(),
        },
    )
