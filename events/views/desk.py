"""The doors of an event: check-in by code or name, badges and the sheet to sign."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chains import audit, search
from chains.errors import DomainError
from chains.http import HttpRequest, MemberRequest
from chains.models import Enterprise
from chains.permissions import is_signed_in
from chains.templatetags.localised import localised
from chains.views.refusals import refusal
from events import badges, papers, permissions, statistics
from events.models import Delegate, Event, Registration
from events.services import checkin
from events.typesetting import lacks
from events.views.paper import pdf

LATEST = 3
CHOICES = 20  # of enterprises called alike
BADGES_PER_PAGE = 40  # five sheets of eight
BADGES_IN_A_FILE = 120  # drawn while the reader waits
GATE = "gate"


def _staffed(request: MemberRequest, public_id: str) -> Event:
    """The event for those who may see its guests; for all others it is not there."""
    event = get_object_or_404(
        Event.objects.select_related("level", "region__parent", "host"), public_id=public_id
    )
    if not permissions.can_see_guests(request.user, event):
        raise Http404
    return event


# ---- check-in ----


@never_cache
@require_http_methods(["GET", "POST"])
def check_in(request: MemberRequest, public_id: str) -> HttpResponse:
    event = _staffed(request, public_id)
    if not permissions.can_check_in(request.user, event):
        return refusal(
            request,
            DomainError(
                _("The doors open on the day of the event, %(day)s.")
                % {"day": timezone.localtime(event.starts_at).date()},
                code="check_in.forbidden",
            ),
        )
    scan: checkin.Scan | None = None
    error = ""
    if request.method == "POST":
        request.session[GATE] = request.POST.get("gate", "").strip()[:40]
        try:
            scan = _scanned(request, event)
        except DomainError as fault:
            if fault.is_refusal:
                return refusal(request, fault)
            error = str(fault)
    if "application/json" in request.headers.get("Accept", ""):
        return _answered(request, event, scan, error)
    return _page(request, event, scan, error)


def _scanned(request: MemberRequest, event: Event) -> checkin.Scan | None:
    """What was posted: a code, a person found by name, an undoing or a walk-in. None where a name is to be looked up."""
    data = request.POST
    about: dict[str, Any] = {
        "event": event,
        "by": request.user,
        "nonce": _nonce(data.get("nonce", "")),
        "gate": data.get("gate", ""),
        "scanned_at": _moment(data.get("scanned_at", "")),
    }
    action = data.get("action", "in")
    if action == "walk_in":
        return checkin.walk_in(
            **about,
            enterprise=_of_walk_in(request),
            name=data.get("name", ""),
            job_title=data.get("job_title", ""),
        )
    if person := data.get("delegate"):
        delegate = get_object_or_404(
            Delegate.objects.select_related("registration__enterprise"),
            event=event,
            public_id=person,
        )
        verb = checkin.undo if action == "undo" else checkin.check_in
        return verb(**about, delegate=delegate)
    code = data.get("code", "")
    if (
        not data.get("scanned_at")
        and checkin.find(event, code) is None
        and any(_found(event, code))
    ):
        return None  # a name or an enterprise: the page shows whom it finds
    return checkin.check_in(**about, code=code)


def _of_walk_in(request: MemberRequest) -> Enterprise:
    """As it was chosen, or as it was typed where the event takes any that is verified."""
    if chosen := request.POST.get("enterprise"):
        return get_object_or_404(Enterprise.objects.all(), public_id=chosen)
    found = _like(request.POST.get("called", ""))
    if len(found) != 1:
        raise DomainError(
            _("Several enterprises are called like this: choose one.")
            if found
            else _("Choose the enterprise, or type its name as it stands on the register."),
            code="check_in.enterprise",
        )
    return found[0]


def _like(text: str) -> list[Enterprise]:
    """Verified ones by name; the one of exactly this name alone."""
    rows = Enterprise.objects.verified()
    named = rows.filter(Q(name=text.strip()) | Q(name_en__iexact=text.strip()))
    if text.strip() and named.count() == 1:
        return list(named)
    wanted = search.typed("search_text", text)
    return list(rows.filter(wanted).order_by("sort_key", "pk")[:CHOICES]) if wanted else []


def _nonce(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as found:
        raise DomainError(
            _("The page is too old. Open it again and scan once more."), code="check_in.nonce"
        ) from found


def _moment(text: str) -> datetime.datetime | None:
    """The time of a scan that was kept on the device; without a zone it says nothing."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return None if moment is None or timezone.is_naive(moment) else moment


class Found(NamedTuple):
    people: list[dict[str, Any]]
    # Whom the doors do not let in as they are: on the waiting list, called off, or a seat without a name.
    others: list[Registration]

    @property
    def is_cut(self) -> bool:
        """There may be more of them."""
        return len(self.people) == checkin.NAMED_MOST


def _found(event: Event, text: str) -> Found:
    if not text.strip():
        return Found([], [])
    people = checkin.named(event, text)
    inside = set(
        event.check_ins.inside()
        .filter(delegate__in=[one.pk for one in people])
        .values_list("delegate", flat=True)
    )
    return Found(
        [{"person": one, "is_in": one.pk in inside, "nonce": uuid.uuid4()} for one in people],
        checkin.without_seat(event, text),
    )


def _shown(request: MemberRequest, event: Event, text: str) -> Found:
    """Names of persons are shown, so the trail keeps who looked."""
    found = _found(event, text)
    if found.people:
        audit.record(request.user, "delegate.searched", event, rows=len(found.people))
    return found


def _about(scan: checkin.Scan | None, error: str) -> dict[str, Any]:
    delegate = scan.row.delegate if scan else None
    return {
        "scan": scan,
        "error": error,
        "delegate": delegate,
        "enterprise": delegate.registration.enterprise if delegate else None,
        "is_welcome": scan is not None and scan.row.answer in ("welcome", "undone"),
        "can_undo": scan is not None and scan.row.answer in ("welcome", "again"),
        "undo_nonce": uuid.uuid4(),
    }


def _answered(
    request: MemberRequest, event: Event, scan: checkin.Scan | None, error: str
) -> HttpResponse:
    """For the script of the page: the same words as on the page, and the count of heads."""
    heads = statistics.heads(event)
    found = _shown(request, event, "" if scan or error else request.POST.get("code", ""))
    context = {
        **_about(scan, error),
        "found": found,
        "typed": not (scan or error),
        "event": event,
        "gate": request.session.get(GATE, ""),
    }
    return JsonResponse(
        {
            "html": render_to_string("events/check_in_answer.html", context, request=request),
            "found": render_to_string("events/check_in_found.html", context, request=request),
            "answer": scan.row.answer if scan else "",
            "inside": heads.inside,
            "expected": heads.expected,
        }
    )


def _page(
    request: MemberRequest, event: Event, scan: checkin.Scan | None, error: str
) -> HttpResponse:
    text = request.POST.get("code", "") or request.GET.get("q", "")
    found = _shown(request, event, "" if scan or error else text)
    # What is kept for hours without a network shows nobody.
    is_shell = "shell" in request.GET
    latest = (
        event.check_ins.filter(staff=request.user)
        .exclude(delegate=None)
        .select_related("delegate__registration__enterprise")
        .order_by("-pk")[:LATEST]
    )
    answer = render(
        request,
        "events/check_in.html",
        {
            "nav": "events",
            "tab": "check_in",
            "event": event,
            "heads": statistics.heads(event),
            **_about(scan, error),
            "typed": "" if scan else text,
            "code": request.GET.get("code", ""),
            "found": found,
            "latest": [] if is_shell else latest,
            "gate": request.session.get(GATE, ""),
            "gates": event.check_ins.exclude(gate="").values_list("gate", flat=True).distinct(),
            "nonce": uuid.uuid4(),
            "walk_in_nonce": uuid.uuid4(),
            "now": timezone.now(),
            "walk_in": _walk_in(request, event, error),
            "may_manage": permissions.can_manage(request.user, event),
        },
        status=422 if error else 200,
    )
    answer["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
    return answer


def _walk_in(request: MemberRequest, event: Event, error: str) -> dict[str, Any] | None:
    """Whom the desk may let in without a badge: enterprises with a seat nobody is named for, and any verified one
    where the event says so and general seats are free. What was typed stays when it is refused."""
    if event.walk_ins == Event.WalkIns.NOBODY:
        return None
    rows = statistics.with_seats_to_name(event).select_related("enterprise")
    enterprises = [row.enterprise for row in rows.order_by("enterprise__sort_key")]
    takes_any = event.walk_ins == Event.WalkIns.FREE_SEATS
    general = event.tiers.filter(is_general=True).first() if takes_any else None
    typed = request.POST if error and request.POST.get("action") == "walk_in" else {}
    alike = _like(typed.get("called", "")) if takes_any else []
    free = general.free if general else 0
    if not enterprises and not free:
        return None
    return {
        "enterprises": alike if len(alike) > 1 else enterprises,
        "free": free,
        "chosen": typed.get("enterprise", ""),
        "called": typed.get("called", ""),
        "name": typed.get("name", ""),
        "job_title": typed.get("job_title", ""),
        "is_open": bool(typed),
    }


@never_cache
@require_safe
def check_in_roll(request: MemberRequest, public_id: str) -> HttpResponse:
    """Who is expected, for a door without a network. Keys of badges come as digests: a lost phone opens no door."""
    event = _staffed(request, public_id)
    if not permissions.can_check_in(request.user, event):
        raise Http404
    inside = set(event.check_ins.inside().values_list("delegate", flat=True))
    people = _badged(event)
    audit.record(request.user, "delegate.listed", event, rows=len(people))
    return JsonResponse(
        {
            # After the last day the device throws the list away.
            "until": permissions.desk_days(event)[1].isoformat(),
            "people": [
                {
                    "id": one.public_id,
                    "name": one.name,
                    "enterprise": localised(one.registration.enterprise),
                    "code": one.short_code,
                    "key": hashlib.sha256(one.token.encode()).hexdigest(),
                    "is_in": one.pk in inside,
                }
                for one in people
            ],
        }
    )


@require_safe
def check_in_worker(request: MemberRequest, public_id: str) -> HttpResponse:
    """The script that opens the page of the doors without a network. Its own address is what it may look after."""
    _staffed(request, public_id)
    answer = render(
        request, "events/check_in_worker.js", {}, content_type="text/javascript; charset=utf-8"
    )
    answer["Cache-Control"] = "no-cache"
    return answer


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def badge(request: HttpRequest, token: str) -> HttpResponse:
    """Where the code of a badge leads: staff to the check-in, strangers to no more than the event's name.

    A press of the button makes this phone answer from the hall in the delegate's name. Opening the page alone does
    not: colleagues scan each other's badges, and programs that preview links open them too.
    """
    person = get_object_or_404(
        Delegate.objects.select_related("event__region__parent", "registration"), token=token
    )
    event = person.event
    if request.method == "POST":
        return _known_by_phone(person)
    if is_signed_in(request.user) and permissions.can_check_in(request.user, event):
        page = reverse("events:check_in", args=[event.public_id])
        return redirect(f"{page}?code={person.token}")
    first, end = permissions.hall_days(event)
    answer = render(
        request,
        "events/badge.html",
        {
            "nav": "events",
            "event": event,
            "is_known": "known" in request.GET,
            "may_answer": first - permissions.DESK_MARGIN <= timezone.now() < end,
        },
    )
    answer["X-Robots-Tag"] = "noindex"
    # The address holds the key of the badge: others learn the site it came from, as the form's own check must.
    answer["Referrer-Policy"] = "strict-origin"
    return answer


def _known_by_phone(person: Delegate) -> HttpResponse:
    """The phone keeps a pass that is sent to the open call alone and ends with the event's last day."""
    answer = redirect(f"{reverse('events:badge', args=[person.token])}?known=1")
    answer.set_cookie(
        permissions.PHONE_COOKIE,
        checkin.recognise_phone(delegate=person),
        expires=permissions.hall_days(person.event)[1],
        path=permissions.HALL_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


# ---- to print ----


def _badged(event: Event) -> QuerySet[Delegate]:
    return (
        Delegate.objects.filter(
            event=event,
            status=Delegate.Status.ACTIVE,
            registration__status=Registration.Status.CONFIRMED,
        )
        .select_related("registration__enterprise__kind")
        .order_by("registration__enterprise__sort_key", "pk")
    )


@require_safe
def badge_sheet(request: MemberRequest, public_id: str) -> HttpResponse:
    event = _staffed(request, public_id)
    page = Paginator(_badged(event), BADGES_PER_PAGE).get_page(request.GET.get("page"))
    audit.record(request.user, "delegate.printed", event, rows=len(page))
    back, file = (
        reverse(f"events:{name}", args=[public_id]) for name in ("guest_list", "badge_file")
    )
    return _badges(request, event, page, back=back, file=file)


@require_safe
def badge_file(request: MemberRequest, public_id: str) -> HttpResponse:
    """The same badges for printers: on sheets, or one on each label."""
    event = _staffed(request, public_id)
    page = Paginator(_badged(event), BADGES_IN_A_FILE).get_page(request.GET.get("page"))
    answer = _file(request, event, page)
    audit.record(request.user, "delegate.printed", event, rows=len(page))
    return answer


@require_safe
def registration_badges(request: MemberRequest, public_id: str) -> HttpResponse:
    """The enterprise's own persons, to print or to show on their phones."""
    row = _own_confirmed(request, public_id)
    page = Paginator(_named(row), BADGES_PER_PAGE).get_page(request.GET.get("page"))
    back = reverse("events:delegate_list", args=[public_id])
    file = reverse("events:registration_badge_file", args=[public_id])
    return _badges(request, row.event, page, back=back, file=file)


@require_safe
def registration_badge_file(request: MemberRequest, public_id: str) -> HttpResponse:
    row = _own_confirmed(request, public_id)
    return _file(request, row.event, _named(row)[:BADGES_IN_A_FILE])


def _own_confirmed(request: MemberRequest, public_id: str) -> Registration:
    return get_object_or_404(
        Registration.objects.confirmed()
        .filter(enterprise__in=request.user.enterprise_ids)
        .select_related("event", "enterprise"),
        public_id=public_id,
    )


def _named(registration: Registration) -> QuerySet[Delegate]:
    return (
        registration.delegates.filter(status=Delegate.Status.ACTIVE)
        .select_related("registration__enterprise__kind")
        .order_by("pk")
    )


def _badges(
    request: MemberRequest, event: Event, page: Any, *, back: str, file: str
) -> HttpResponse:
    people = list(page)
    count = page.paginator.count
    return render(
        request,
        "events/badge_sheet.html",
        {
            "nav": "events",
            "event": event,
            "page_obj": page,
            "badges": [{"person": one, "link": badges.link_of(one)} for one in people],
            "lacking": [
                one for one in people if lacks(one.name) or lacks(one.registration.enterprise.name)
            ],
            "files": range(1, -(-count // BADGES_IN_A_FILE) + 1),
            "back": back,
            "file": file,
        },
    )


def _file(request: MemberRequest, event: Event, people: Any) -> HttpResponse:
    paper = request.GET.get("paper", "a4")
    if paper not in badges.PAPERS:
        raise Http404
    file = badges.draw(event=event, people=people, paper=badges.PAPERS[paper])
    return pdf(file, f"badges-{event.public_id}-{paper}")


@require_safe
def sign_in_sheet(request: MemberRequest, public_id: str) -> HttpResponse:
    event = _staffed(request, public_id)
    rows = statistics.expected_by_enterprise(event)
    is_missing = request.GET.get("show") == "missing"
    if is_missing:
        rows = [row for row in rows if row.missing]
    audit.record(request.user, "delegate.printed", event, rows=sum(len(row.named) for row in rows))
    if request.GET.get("file") == "pdf":
        sheet = papers.sign_in_sheet(event=event, rows=rows, as_of=timezone.now())
        return pdf(sheet, f"sign-in-{event.public_id}")
    return render(
        request,
        "events/sign_in_sheet.html",
        {
            "nav": "events",
            "event": event,
            "rows": rows,
            "is_missing": is_missing,
            "as_of": timezone.now(),
        },
    )
