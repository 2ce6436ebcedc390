"""The buyer's desk: own requirements, their lines with recommended suppliers, and the interests that came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, Min, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chains import calendar
from chains import permissions as register
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import (
    Condition,
    Qualification,
    Requirement,
    RequirementLine,
)
from chains.services import requirements
from chains.templatetags.localised import localised, points
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_asked_for, sheet_response
from matchmaking import adapters, permissions, statistics
from matchmaking.models import Interest, InterestAttachment, InterestNote, Match
from matchmaking.services import contacts, runs, waking
from matchmaking.services.interests import Asked
from matchmaking.templatetags.reasons import fact, heading, question

PER_PAGE = 20
# More do not fit side by side.
COMPARED = 5
GROUPS = {
    "draft": ["draft", "returned"],
    "submitted": ["submitted", "approved"],
    "published": ["published"],
    "closed": ["closed"],
}


def own_requirements(request: MemberRequest) -> QuerySet[Requirement]:
    return Requirement.objects.own(request.user).select_related(
        "enterprise__region", "posted_by", "project", "region__parent", "chain"
    )


@require_GET
def my_requirements(request: MemberRequest) -> HttpResponseBase:
    own = Requirement.objects.own(request.user)
    by_status = dict(own.order_by().values_list("status").annotate(n=Count("pk")))
    counts = {name: sum(by_status.get(s, 0) for s in group) for name, group in GROUPS.items()}
    state = request.GET.get("state", "")
    shown = own.filter(status__in=GROUPS[state]) if state in GROUPS else own
    shown = shown.order_by("-updated_at", "-pk")
    if extension := sheet_asked_for(request):
        return _sheet_of_own(request, list(shown.values_list("pk", flat=True)), extension)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    ids = [row.pk for row in page.object_list]
    figures = _figures(ids)
    listed = own_requirements(request).filter(pk__in=ids).order_by("-updated_at", "-pk")
    context = {
        "page_obj": page,
        "rows": [(row, figures[row.pk]) for row in listed],
        "counts": counts,
        "total": sum(counts.values()),
        "state": state,
        "may_post": any(m.may_edit for m in request.user.active_memberships),
        "nav": "my_requirements",
    }
    return render(request, "matchmaking/my_requirements.html", context)


def _sheet_of_own(request: MemberRequest, ids: list[int], extension: str) -> HttpResponseBase:
    """One row a requirement; its lines have a sheet of their own, at the desk of each."""
    figures = _figures(ids)
    header = [
        _("Requirement"), _("Enterprise"), _("Legal name"), _("Chain"), _("State"), _("Lines"), _("Filled"),
        _("Recommended"), _("Interests"), _("To answer"), _("Interests until"), _("Answers by"),
        _("Needed by"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            row.title, localised(row.enterprise), row.enterprise.name, localised(row.chain), row.get_status_display(),
            *(figures[row.pk].get(name, 0) for name in ("lines", "filled", "recommended", "interests", "waiting")),
            row.closes_on, row.answer_by_on, row.needed_by_on,
            settings.SITE_URL + reverse("matchmaking:requirement_desk", args=[row.public_id]),
        ]
        for row in own_requirements(request).filter(pk__in=ids).order_by("-updated_at", "-pk")
    )  # fmt: skip
    return sheet_response(extension, "my-requirements", header, table)


def _figures(ids: list[int]) -> dict[int, dict[str, int]]:
    """Of each requirement how many lines there are, filled, recommended somebody for; and how many interests."""
    recommended = Match.objects.approved().filter(line=OuterRef("pk"))
    figures: dict[int, dict[str, int]] = defaultdict(dict)
    lines = (
        RequirementLine.objects.filter(requirement__in=ids)
        .order_by()
        .annotate(is_recommended=Exists(recommended))
        .values("requirement")
        .annotate(
            lines=Count("pk"),
            filled=Count("pk", filter=Q(status=RequirementLine.Status.FILLED)),
            recommended=Count("pk", filter=Q(is_recommended=True)),
        )
    )
    received = (
        Interest.objects.standing()
        .filter(requirement__in=ids)
        .order_by()
        .values("requirement")
        .annotate(interests=Count("pk"), waiting=Count("pk", filter=Q(status__in=Interest.WAITING)))
    )
    for pk, *numbers in lines.values_list("requirement", "lines", "filled", "recommended"):
        figures[pk].update(zip(("lines", "filled", "recommended"), numbers, strict=True))
    for pk, *numbers in received.values_list("requirement", "interests", "waiting"):
        figures[pk].update(zip(("interests", "waiting"), numbers, strict=True))
    return figures


# -- one requirement ------------------------------------------------------------------------------


@require_GET
def requirement_desk(request: MemberRequest, public_id: str) -> HttpResponse:
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    rows = _desk_rows(requirement)
    counts = interest_counts(requirement)
    show = request.GET.get("show", "")
    nobody = [
        row for row in rows if row["is_open"] and not row["recommended"] and not row["interests"]
    ]
    shown = {"answer": [row for row in rows if row["waiting"]], "nobody": nobody}.get(show, rows)
    context = {
        **about(request, requirement, counts),
        "rows": shown,
        "show": show,
        "remarks": requirement.open_remarks,
        "promised_on": calendar.promised_on(requirement) if _waits(requirement) else None,
        # What becomes of a line that was not filled here.
        "withdrawals": [
            (one.value, one.label)
            for one in (Requirement.Outcome.ELSEWHERE, Requirement.Outcome.NOT_NEEDED)
        ],
        "filled": sum(row["line"].status == RequirementLine.Status.FILLED for row in rows),
        "line_total": len(rows),
        "recommended": sum(bool(row["recommended"]) for row in rows),
        "nobody": [row["line"] for row in nobody],
        "comparison": runs.standing(requirement),
        "openings": contacts.openings(requirement),
        "rate": statistics.answer_rate(requirement.enterprise),
        "tab": "lines",
    }
    return render(request, "matchmaking/requirement_desk.html", context)


def _waits(requirement: Requirement) -> bool:
    # An amendment waits for its desk as well, but nothing waits for the desk: it is shown at once.
    return requirement.status == Requirement.Status.SUBMITTED


def about(
    request: MemberRequest, requirement: Requirement, counts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "requirement": requirement,
        "counts": counts,
        "waking": waking.standing_of(requirement),
        "may_submit": register.can_submit(request.user, requirement),
        "may_edit": register.can_post_for(request.user, requirement.enterprise),
        "is_late": counts["owed_on"] is not None and counts["owed_on"] < timezone.localdate(),
        "nav": "my_requirements",
    }


def interest_counts(requirement: Requirement) -> dict[str, Any]:
    """How many came, how many wait, and by which day the first of those is owed its answer."""
    waiting = Q(status__in=Interest.WAITING)
    return (
        Interest.objects.standing()
        .annotate(due_day=Interest.DUE_DAY)
        .filter(requirement=requirement)
        .aggregate(
            all=Count("pk"),
            waiting=Count("pk", filter=waiting),
            owed_on=Min("due_day", filter=waiting),
        )
    )


def _desk_rows(requirement: Requirement) -> list[dict[str, Any]]:
    """The lines with whom the desk recommends and who has come by itself: five queries for any number of lines."""
    lines = list(requirement.lines.select_related("unit", "category").order_by("number"))
    recommended: dict[int, list[Match]] = defaultdict(list)
    # Before publication nobody but the desk knows whom it approved.
    if requirement.published_at is not None:
        approved = Match.objects.approved().filter(line__in=lines).select_related("supplier")
        for match in approved.by_score():
            recommended[match.line_id].append(match)
    through = Interest.lines.through.objects.filter(requirementline__in=lines).exclude(
        interest__status=Interest.Status.WITHDRAWN
    )
    counted = {
        line: (number, waiting)
        for line, number, waiting in through.order_by()
        .values_list("requirementline")
        .annotate(
            n=Count("interest"),
            w=Count("interest", filter=Q(interest__status__in=Interest.WAITING)),
        )
    }
    return [
        {
            "line": line,
            "recommended": recommended[line.pk],
            "interests": counted.get(line.pk, (0, 0))[0],
            "waiting": counted.get(line.pk, (0, 0))[1],
            "is_open": line.status == RequirementLine.Status.OPEN,
        }
        for line in lines
    ]


@require_GET
def requirement_desk_export(
    request: MemberRequest, public_id: str, extension: str
) -> HttpResponseBase:
    """The desk as a sheet: one row a line and recommended supplier; contacts are never in it."""
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    header = [
        _("Line"), _("What"), _("Category"), _("Quantity"), _("Unit"), _("Period"),
        _("Specification"), _("State"), _("Recommended"), _("Score"), _("Interests"),
        _("To answer"),
    ]  # fmt: skip

    def table() -> Iterator[list[Any]]:
        for row in _desk_rows(requirement):
            line = row["line"]
            for match in row["recommended"] or [None]:
                yield [
                    line.number, line.text, localised(line.category), line.quantity,
                    localised(line.unit), line.get_period_display(), line.specification,
                    line.get_status_display(), localised(match.supplier) if match else "",
                    points(match.tenths) if match else "", row["interests"], row["waiting"],
                ]  # fmt: skip

    return sheet_response(extension, f"requirement-{requirement.public_id}", header, table())


def _own_line(request: MemberRequest, public_id: str) -> RequirementLine:
    return get_object_or_404(
        RequirementLine.objects.filter(
            requirement__in=Requirement.objects.own(request.user).values("pk")
        ).select_related("requirement__enterprise__region", "requirement__posted_by"),
        public_id=public_id,
    )


def _to_line(line: RequirementLine) -> HttpResponse:
    address = reverse("matchmaking:requirement_desk", args=[line.requirement.public_id])
    return redirect(f"{address}#line-{line.number}")


@posted("matchmaking:my_requirements")
def line_match(request: MemberRequest, public_id: str) -> HttpResponse:
    """The owner's own right to a run: one line, once an hour."""
    line = _own_line(request, public_id)
    try:
        runs.start(line=line, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Line %(n)d is being matched again.") % {"n": line.number})
    return _to_line(line)


@posted("matchmaking:my_requirements")
def line_filled(request: MemberRequest, public_id: str) -> HttpResponse:
    line = _own_line(request, public_id)
    try:
        requirements.fill_line(line=line, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Line %(n)d is filled.") % {"n": line.number})
    return _to_line(line)


@posted("matchmaking:my_requirements")
def line_withdrawn(request: MemberRequest, public_id: str) -> HttpResponse:
    line = _own_line(request, public_id)
    try:
        requirements.withdraw_line(
            line=line, by=request.user, outcome=request.POST.get("outcome", "")
        )
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Line %(n)d is withdrawn.") % {"n": line.number})
    return _to_line(line)


@posted("matchmaking:requirement_desk", "public_id")
def requirement_want(request: MemberRequest, public_id: str) -> HttpResponse:
    """How many interests the buyer wants; an empty field takes the limit off."""
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    typed = request.POST.get("wanted", "").strip()
    try:
        # What is no number is refused like one that is out of bounds.
        number = (int(typed) if typed.isdecimal() and len(typed) < 4 else 0) if typed else None
        waking.want(requirement=requirement, number=number, by=request.user)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    address = reverse("matchmaking:requirement_desk", args=[requirement.public_id])
    return redirect(f"{address}#wanted")


# -- interests side by side -----------------------------------------------------------------------


@require_GET
def requirement_interests(request: MemberRequest, public_id: str) -> HttpResponseBase:
    """The interests in a requirement or one of its lines, five side by side, best score first."""
    requirement = get_object_or_404(own_requirements(request), public_id=public_id)
    counts = interest_counts(requirement)
    if request.htmx:
        # While answers come in from a hall the page says how many are not on it yet.
        return render(
            request,
            "matchmaking/requirement_interests.html#news",
            {"requirement": requirement, **_news(request, counts["all"])},
        )
    lines = list(
        requirement.lines.select_related("unit")
        .annotate(
            received=Count("interests", filter=~Q(interests__status=Interest.Status.WITHDRAWN)),
            waiting=Count("interests", filter=Q(interests__status__in=Interest.WAITING)),
        )
        .order_by("number")
    )
    wanted = request.GET.get("line", "")
    line = next((one for one in lines if str(one.number) == wanted), None)
    places = _places(requirement, line)
    is_short = request.GET.get("show") == "short"
    listed = [place for place in places if place.is_shortlisted or not is_short]
    if extension := sheet_asked_for(request):
        return _sheet_of_interests(requirement, line, _columns(requirement, listed), extension)
    page = Paginator(listed, COMPARED).get_page(request.GET.get("page"))
    shown = _columns(requirement, list(page.object_list))
    context = {
        **about(request, requirement, counts),
        "lines": [one for one in lines if one.received],  # type: ignore[attr-defined]  # annotated above
        "line": line,
        "page_obj": page,
        "columns": shown,
        "conditions": _condition_rows(requirement, line, shown),
        "questions": _question_rows(requirement, shown),
        "has_files": any(column["interest"].files for column in shown),
        "is_short": is_short,
        "shortlisted": sum(place.is_shortlisted for place in places),
        "rate": statistics.answer_rate(requirement.enterprise),
        "reasons": Interest.DeclineReason.choices,
        "may_answer": permissions.can_answer(request.user, requirement),
        "may_open": permissions.can_open_as_buyer(request.user, requirement),
        "days_left": (counts["owed_on"] - timezone.localdate()).days if counts["owed_on"] else None,
        "tab": "interests",
        "seen": counts["all"],
    }
    return render(request, "matchmaking/requirement_interests.html", context)


def _sheet_of_interests(
    requirement: Requirement,
    line: RequirementLine | None,
    columns: list[dict[str, Any]],
    extension: str,
) -> HttpResponseBase:
    """One row an interest, with what each condition and each question got; contacts are never in it."""
    conditions = _condition_rows(requirement, line, columns)
    questions = _question_rows(requirement, columns)
    header = [
        _("Enterprise"), _("Legal name"), _("Number"), _("Region"), _("Distance, km"), _("Titles"), _("Score"),
        _("Lines"), _("Message"), _("State"), _("Short list"),
        *(heading(condition, requirement.language) for condition, _outcomes in conditions),
        *(question(one) for one, _answers in questions),
        _("Files"), _("Sent"), _("Answered"), _("Reason"),
    ]  # fmt: skip

    def table() -> Iterator[list[Any]]:
        for place, column in enumerate(columns):
            row, match = column["interest"], column["match"]
            outcomes = [found[place] for _condition, found in conditions]
            yield [
                localised(row.enterprise),
                row.enterprise.name,
                row.enterprise.number,
                localised(row.enterprise.region) if row.enterprise.region else "",
                column["km"],
                "; ".join(localised(title.kind) for title in row.enterprise.titles),
                points(match.tenths) if match else "",
                ", ".join(str(one.number) for one in row.lines.all()),
                row.message,
                row.get_status_display(),
                _("yes") if row.is_shortlisted else "",
                *(_outcome_in_words(outcome) for outcome in outcomes),
                *(answers[place] for _one, answers in questions),
                len(row.files),
                timezone.localdate(row.created_at),
                timezone.localdate(row.answered_at) if row.answered_at else None,
                row.get_decline_reason_display() if row.decline_reason else "",
            ]

    return sheet_response(extension, f"interests-{requirement.public_id}", header, table())


def _outcome_in_words(outcome: dict[str, Any] | None) -> str:
    """How a condition fared and what is known of it; empty where no score has asked."""
    if outcome is None:
        return ""
    verdicts = {"met": _("Met"), "unproven": _("Unproven"), "missed": _("Missed")}
    said = [verdicts.get(outcome["verdict"], ""), fact(outcome) if outcome.get("fact") else ""]
    return " · ".join(filter(None, said))


def _news(request: MemberRequest, received: int) -> dict[str, int]:
    typed = request.GET.get("seen", "")
    seen = int(typed) if typed.isdecimal() else received
    return {"seen": seen, "new": max(0, received - seen)}


class _Place(NamedTuple):
    """Where an interest stands among the others; its match is the best of its lines."""

    interest: int
    match: int | None
    is_shortlisted: bool


def _places(requirement: Requirement, line: RequirementLine | None) -> list[_Place]:
    """All interests, best score first, with no more than their order takes: a page shows a few of them.

    Those that no run has scored stand behind all others.
    """
    interests = Interest.objects.standing().filter(requirement=requirement)
    if line is not None:
        interests = interests.filter(lines=line)
    rows: dict[int, tuple[int, bool]] = {}
    asked: dict[int, list[int]] = defaultdict(list)
    for pk, supplier, is_shortlisted, about in interests.order_by(
        "pk", "lines__number"
    ).values_list("pk", "enterprise_id", "is_shortlisted", "lines"):
        rows[pk] = supplier, is_shortlisted
        asked[pk].append(about)
    matches = Match.objects.filter(
        line__requirement=requirement,
        supplier__in=[supplier for supplier, _short in rows.values()],
        score__isnull=False,
    ).values_list("supplier_id", "line_id", "misses_must", "tenths", "pk")
    scored = {(supplier, at): (misses, -tenths, pk) for supplier, at, misses, tenths, pk in matches}
    found = []
    for pk, (supplier, is_shortlisted) in rows.items():
        pairs = [scored[supplier, at] for at in asked[pk] if (supplier, at) in scored]
        best = min(pairs, key=lambda pair: pair[:2], default=None)
        order = (True, False, 0) if best is None else (False, *best[:2])
        found.append((order, _Place(pk, best and best[2], is_shortlisted)))
    found.sort(key=lambda one: one[0])
    return [place for _order, place in found]


def _columns(requirement: Requirement, places: Sequence[_Place]) -> list[dict[str, Any]]:
    """What stands in the columns of a page."""
    interests = (
        Interest.objects.select_related("enterprise__region__parent")
        .prefetch_related(
            Prefetch("lines", RequirementLine.objects.order_by("number")),
            "thread",
            Prefetch("attachments", InterestAttachment.objects.standing(), "files"),
            Prefetch("notes", InterestNote.objects.select_related("by")),
            Prefetch(
                "enterprise__qualifications",
                Qualification.objects.in_force()
                .select_related("kind")
                .order_by("kind__order", "pk"),
                "titles",
            ),
        )
        .in_bulk([place.interest for place in places])
    )
    matches = (
        Match.objects.select_related("score")
        .defer("score__parts")
        .in_bulk([place.match for place in places if place.match is not None])
    )
    listed = [interests[place.interest] for place in places]
    ways = adapters.ways(requirement, [interest.enterprise for interest in listed])
    columns: list[dict[str, Any]] = []
    for place, interest, (km, is_rough) in zip(places, listed, ways, strict=True):
        match = matches[place.match] if place.match is not None else None
        columns.append(
            {"interest": interest, "match": match, "km": km, "near": _near(match, km, is_rough)}
        )
    return columns


def _near(match: Match | None, km: float | None, is_rough: bool) -> dict[str, Any] | None:
    """How near the two are: the region the score names, and the way, which no score says of all of them."""
    reasons = match.score.reasons if match is not None and match.score is not None else []
    said = next((reason for reason in reasons if reason["code"].startswith("locality.")), None)
    if km is None:
        return said
    if said is None or said["code"] == "locality.unknown":
        said = {"code": "locality.distance", "tone": "for", "params": {}}
    return {**said, "params": {**said["params"], "km": km, "about": is_rough}}


def _question_rows(
    requirement: Requirement, columns: list[dict[str, Any]]
) -> list[tuple[Asked, list[str]]]:
    """Each question with what each supplier answered; one that was put differently then has a row of its own."""
    asked = {(one.key, one.text): one for one in Asked.by_buyer(requirement)}
    said: list[dict[tuple[str, str], str]] = []
    for column in columns:
        answers = {(a["key"], a["question"]): a for a in column["interest"].answers}
        said.append({key: one["answer"] for key, one in answers.items()})
        for key, one in answers.items():
            # An old answer keeps the bare words; a newer one says what they mean.
            if key not in asked or "kind" in one:
                asked[key] = Asked.answered(one)
    return [(one, [answers.get(key, "") for answers in said]) for key, one in asked.items()]


def _condition_rows(
    requirement: Requirement, line: RequirementLine | None, columns: list[dict[str, Any]]
) -> list[tuple[Condition, list[dict[str, Any] | None]]]:
    """Each condition with how it fared in each column, as the score keeps it."""
    conditions = requirement.conditions.all()
    if line is not None:
        conditions = conditions.filter(Q(line=None) | Q(line=line))
    outcomes = [
        {outcome["condition"]: outcome for outcome in column["match"].score.outcomes}
        if column["match"]
        else {}
        for column in columns
    ]
    rows = [
        (condition, [found.get(condition.pk) for found in outcomes]) for condition in conditions
    ]
    # A condition of another line says nothing about those whose best line is shown.
    return [row for row in rows if line is not None or any(row[1])]
