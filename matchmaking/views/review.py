"""The reviewer's work: a queue of lines, one line with all its candidates, and why a pair has its score."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import (
    Capability,
    Chain,
    Condition,
    Enterprise,
    OrganiserRole,
    Qualification,
    RequirementLine,
    User,
    lies_within,
)
from chains.templatetags.localised import localised, points
from chains.views.posted import posted
from chains.views.refusals import refusal
from chains.views.sheets import sheet_asked_for, sheet_response
from events.models import Event
from matchmaking import adapters, market, permissions, search
from matchmaking.engine.highlight import Aligned
from matchmaking.engine.text import normalise
from matchmaking.engine.types import OfferText
from matchmaking.forms import AddForm
from matchmaking.models import Decision, Lease, Match
from matchmaking.services import pairs, review, runs
from matchmaking.views.filters import left_out

PER_PAGE = 25
EXPORT_LIMIT = 20_000
# More candidates than this stand behind a link: a page of fifty pairs with marked texts is slow to read and to make.
SHOWN = 12
BANDS = ("high", "mid", "low", "any", "misses")
STATES = ("todo", "deferred", "stale", "all")
OTHERS_SHOWN = 3
DEFER_DAYS = (3, 7, 14, 30)
# Urgent ones first, then those that close soonest.
ORDER = ("-requirement__is_urgent", "requirement__closes_on", "requirement", "number")


# -- the queue ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Filters:
    """What part of one's queue is looked at; stands in the address, so that every state has one."""

    user: User
    event: str = ""
    chain: str = ""
    band: str = ""
    state: str = "todo"
    events: list[Event] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, user: User, data: Any) -> Filters:
        band, state = data.get("band", ""), data.get("state", "")
        event, chain = data.get("event", "")[:40], data.get("chain", "")[:40]
        events = list(
            permissions.events_of(user)
            .exclude(status__in=[Event.Status.CANCELLED, Event.Status.ARCHIVED])
            .order_by("-starts_at")[:50]
        )
        known = {"", "region", *(one.public_id for one in events)}
        unknown = {
            "event": [] if event in known else [event],
            "chain": [] if not chain or Chain.objects.filter(code=chain).exists() else [chain],
        }
        return cls(
            user,
            event="" if unknown["event"] else event,
            chain="" if unknown["chain"] else chain,
            band=band if band in BANDS else "",
            state=state if state in STATES else "todo",
            events=events,
            left_out=left_out(unknown),
        )

    @property
    def query(self) -> str:
        chosen = {name: getattr(self, name) for name in ("event", "chain", "band")}
        if self.state != "todo":
            chosen["state"] = self.state
        return urlencode({name: value for name, value in chosen.items() if value})

    def lines(self) -> QuerySet[RequirementLine]:
        """Lines of the user's desks and events within event and chain; at least one pair in the band."""
        rows = permissions.lines_reviewable_by(self.user)
        if self.event == "region":
            rows = rows.filter(
                lies_within("requirement__enterprise__region", self.user.organiser_regions)
            )
        elif self.event:
            chosen = [event.pk for event in self.events if event.public_id == self.event]
            rows = rows.filter(requirement__listings__event__in=chosen)
        if self.chain:
            rows = rows.filter(
                Q(requirement__chain__code=self.chain) | Q(segment__chain__code=self.chain)
            )
        pairs = Match.objects.live().filter(line=OuterRef("pk")).filter(self.in_band())
        return rows.filter(Exists(pairs))

    def in_band(self, path: str = "") -> Q:
        """Pairs that miss a must stand apart: they never wait for a decision with the others.

        Unless a band is chosen, neither do mere neighbours: every line of a small market has fifty of them.
        """
        if not self.band:
            return Match.fits(path)
        within: dict[str, dict[str, Any]] = {
            "any": {"misses_must": False},
            "high": {"misses_must": False, "tenths__gte": 750},
            "mid": {"misses_must": False, "tenths__gte": 600, "tenths__lt": 750},
            "low": {"misses_must": False, "tenths__lt": 600},
            "misses": {"misses_must": True},
        }
        return Q(**{path + name: value for name, value in within[self.band].items()})

    def queue(self) -> QuerySet[RequirementLine]:
        """The lines in the state looked at, in the order in which they are reviewed."""
        rows = self.lines()
        if self.state != "all":
            pairs = Match.objects.filter(self.in_band(), in_state(self.state), line=OuterRef("pk"))
            rows = rows.filter(Exists(pairs))
        return rows.order_by(*ORDER)

    def counts(self) -> dict[str, int]:
        pairs = Match.objects.live().filter(self.in_band(), line__in=self.lines().values("pk"))
        return pairs.aggregate(
            **{
                state: Count("line", distinct=True, filter=in_state(state))
                for state in ("todo", "deferred", "stale")
            },
            all=Count("line", distinct=True),
        )


def in_state(state: str, path: str = "") -> Q:
    """A deferral whose day has come is to be decided again, without anybody sweeping."""
    waiting = Q(**{f"{path}status": Match.Status.PROPOSED})
    due = Q(
        **{
            f"{path}status": Match.Status.DEFERRED,
            f"{path}deferred_until_on__lte": timezone.localdate(),
        }
    )
    return {
        "todo": waiting | due,
        "deferred": Q(**{f"{path}status": Match.Status.DEFERRED}) & ~due,
        "stale": Q(**{f"{path}is_stale": True}),
        "all": ~Q(**{f"{path}status": Match.Status.ENDED}),
    }[state]


def _is_reviewer(user: User) -> bool:
    return user.is_organiser or permissions.events_of(user).exists()


def _page_of_filters(filters: Filters) -> dict[str, Any]:
    counts = filters.counts()
    return {
        "filters": filters,
        "counts": counts,
        "reviewed": counts["all"] - counts["todo"],
        "chains": Chain.objects.filter(is_active=True),
        "nav": "review",
    }


@require_GET
def review_queue(request: MemberRequest) -> HttpResponseBase:
    if not _is_reviewer(request.user):
        error = DomainError(_("Matches are reviewed by organisers."), code="match.forbidden")
        return refusal(request, error)
    filters = Filters.of(request.user, request.GET)
    if "next" in request.GET:
        return _next_free(request, filters, None)
    rows = filters.queue()
    if extension := sheet_asked_for(request):
        return _sheet_of(filters, list(rows.values_list("pk", flat=True)[:EXPORT_LIMIT]), extension)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **_page_of_filters(filters),
        "page_obj": page,
        "lines": _counted(filters, [line.pk for line in page.object_list]),
        "now": timezone.now(),
    }
    return render(request, "matchmaking/review_queue.html", context)


def _counted(filters: Filters, ids: list[int]) -> list[RequirementLine]:
    """The lines in this order, each with how many of its pairs are in which state."""
    band = filters.in_band("matches__")
    lines = (
        RequirementLine.objects.filter(pk__in=ids)
        .select_related("requirement__enterprise", "requirement__chain", "category", "review_lease")
        .annotate(
            waiting=Count("matches", filter=band & in_state("todo", "matches__")),
            deferred=Count("matches", filter=band & in_state("deferred", "matches__")),
            approved=Count("matches", filter=Q(matches__status=Match.Status.APPROVED)),
            stale=Count("matches", filter=Q(matches__is_stale=True)),
            best=Max("matches__tenths", filter=band & in_state("all", "matches__")),
        )
    )
    order = {pk: place for place, pk in enumerate(ids)}
    return sorted(lines, key=lambda line: order[line.pk])


def _sheet_of(filters: Filters, ids: list[int], extension: str) -> HttpResponseBase:
    header = [
        _("Line"), _("Category"), _("Requirement"), _("Enterprise"), _("Chain"), _("Interests until"), _("Best"),
        _("To decide"), _("Deferred"), _("Approved"), _("Address"),
    ]  # fmt: skip
    table = (
        [
            line.text, localised(line.category), line.requirement.title,
            localised(line.requirement.enterprise), localised(line.requirement.chain),
            line.requirement.closes_on, points(line.best) if line.best is not None else "",  # type: ignore[attr-defined]  # annotated
            line.waiting, line.deferred, line.approved,  # type: ignore[attr-defined]  # annotated
            settings.SITE_URL + reverse("matchmaking:review_line", args=[line.public_id]),
        ]
        for line in _counted(filters, ids)
    )  # fmt: skip
    return sheet_response(extension, "review", header, table)


def _next_free(
    request: MemberRequest, filters: Filters, after: RequirementLine | None
) -> HttpResponseRedirect:
    """To the next line of the queue that nobody else holds; behind the last one it begins again."""
    taken = Lease.objects.current().exclude(by=request.user).values("line")
    free = set(filters.queue().exclude(pk__in=taken).values_list("pk", flat=True))
    # The place of a line that has just left the queue still tells what comes next.
    order = list(filters.lines().order_by(*ORDER).values_list("pk", flat=True))
    place = order.index(after.pk) + 1 if after is not None and after.pk in order else 0
    if after is not None:
        free.discard(after.pk)
    found = next((pk for pk in order[place:] + order[:place] if pk in free), None)
    if found is None:
        messages.info(request, _("No other line waits for you here."))
        return _to(reverse("matchmaking:review_queue"), filters)
    line = RequirementLine.objects.get(pk=found)
    return _to(reverse("matchmaking:review_line", args=[line.public_id]), filters)


def _to(address: str, filters: Filters, anchor: str = "") -> HttpResponseRedirect:
    query = f"?{filters.query}" if filters.query else ""
    return redirect(f"{address}{query}{anchor}")


# -- one line -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Candidate:
    """A pair as the reviewer sees it: both texts with what they have in common."""

    match: Match
    rank: int
    text: str
    language: str
    aligned: list[Any]
    decision: Decision | None
    is_current: bool = False
    fault: str = ""

    @property
    def is_open(self) -> bool:
        return self.match.status in (Match.Status.PROPOSED, Match.Status.DEFERRED)


def _line_of(request: MemberRequest, public_id: str) -> RequirementLine:
    return get_object_or_404(
        permissions.lines_reviewable_by(request.user).select_related(
            "requirement__enterprise__region__parent",
            "requirement__posted_by",
            "requirement__project",
            "requirement__chain",
            "category",
            "segment__chain",
            "unit",
        ),
        public_id=public_id,
    )


@require_GET
def review_line(request: MemberRequest, public_id: str) -> HttpResponse:
    line = _line_of(request, public_id)
    filters = Filters.of(request.user, request.GET)
    if "next" in request.GET:
        return _next_free(request, filters, line)
    try:
        lease = review.take_lease(line=line, by=request.user)
    except DomainError as error:
        messages.info(request, str(error))
        return _next_free(request, filters, line)
    return _render_line(request, line, filters, lease)


def _render_line(
    request: MemberRequest,
    line: RequirementLine,
    filters: Filters,
    lease: Lease,
    add: AddForm | None = None,
    found: list[Enterprise] | None = None,
) -> HttpResponse:
    matches = list(_candidates(line))
    apart = [match for match in matches if match.misses_must and match.status not in Match.DECIDED]
    main = [match for match in matches if match not in apart]
    shown = main if "all" in request.GET else [
        match for place, match in enumerate(main) if place < SHOWN or match.status in Match.DECIDED
    ]  # fmt: skip
    ranks = {match.pk: place for place, match in enumerate(matches, 1)}
    cards = _cards(line, shown, ranks)
    current = next((card for card in cards if card.is_open), cards[0] if cards else None)
    if current is not None:
        current.is_current = True
    conditions = [
        condition
        for condition in line.requirement.conditions.all()
        if condition.line_id in (None, line.pk)
    ]
    context = {
        **_page_of_filters(filters),
        "line": line,
        "line_count": line.requirement.lines.count(),
        "lease": lease,
        "reviewers": Lease.objects.current().values("by").distinct().count(),
        "cards": cards,
        "total": len(matches),
        "hidden": len(main) - len(shown),
        "apart": apart,
        "musts": [c for c in conditions if c.strength == Condition.Strength.MUST],
        "preferences": [c for c in conditions if c.strength == Condition.Strength.PREFER],
        "comparison": runs.standing(line.requirement) if not matches else "",
        "add": add or AddForm(),
        "found": found,
        **_choices(),
    }
    return render(
        request,
        "matchmaking/review_line.html",
        context,
        status=422 if add is not None and add.errors else 200,
    )


def _choices() -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "reasons": Decision.Reason.choices,
        "defer_days": [(days, today + datetime.timedelta(days=days)) for days in DEFER_DAYS],
    }


def _candidates(line: RequirementLine) -> QuerySet[Match]:
    return (
        Match.objects.live()
        .filter(line=line)
        .select_related("score__capability", "supplier__region__parent")
        .by_score()
    )


def _cards(line: RequirementLine, matches: list[Match], ranks: dict[int, int]) -> list[Candidate]:
    titles = _titles([match.supplier_id for match in matches])
    decisions = {
        decision.match_id: decision
        for decision in Decision.objects.filter(match__in=matches).order_by("pk")
    }
    align = market.aligner()
    cards = []
    for match in matches:
        match.line = line
        text, language = offered(match)
        card = Candidate(
            match=match,
            rank=ranks[match.pk],
            text=text,
            language=language,
            aligned=align(line.full_text, text),
            decision=decisions.get(match.pk),
        )
        match.supplier.titles = titles.get(match.supplier_id, [])  # type: ignore[attr-defined]  # for the page
        cards.append(card)
    return cards


def _titles(enterprises: list[int]) -> dict[int, list[Qualification]]:
    """The verified titles in date, the weightiest first."""
    found: dict[int, list[Qualification]] = {}
    rows = (
        Qualification.objects.in_force()
        .filter(enterprise__in=enterprises)
        .select_related("kind")
        .order_by("kind__order", "pk")
    )
    for row in rows:
        found.setdefault(row.enterprise_id, []).append(row)
    return found


def offered(match: Match, *, public_only: bool = False) -> tuple[str, str]:
    """The text that was compared, and its language.

    A capability, else – for who looks for customers – the line that won, found by its digest, else the summary.
    """
    score, supplier = match.score, match.supplier
    if score is None:
        return supplier.summary, supplier.summary_language
    if score.capability is not None:
        return _words(score.capability, score.text_language), score.text_language
    if match.line.requirement.seeks == "customer":
        lines = _demand(supplier, public_only=public_only)
        wanted = score.basis.rpartition(":")[2]
        for line in lines.select_related("category"):
            codes = (line.category.code,) if line.category else ()
            text = OfferText(line.pk, line.full_text, line.language, codes)
            if adapters.basis_of_text(text) == wanted:
                return line.full_text, line.language
    return supplier.summary, supplier.summary_language


def _words(capability: Capability, language: str) -> str:
    words = [getattr(capability, f"{name}_{language}") for name in ("title", "text")]
    return "\n".join(words).strip()


def _demand(enterprise: Enterprise, *, public_only: bool) -> QuerySet[RequirementLine]:
    """Lines of an enterprise that are compared, as far as they may be shown."""
    lines = RequirementLine.objects.scored().filter(requirement__enterprise=enterprise)
    return lines.filter(requirement__status="published") if public_only else lines


# -- decisions ------------------------------------------------------------------------------------


@posted("matchmaking:review_line", "public_id")
def review_decide(request: MemberRequest, public_id: str) -> HttpResponse:
    """One decision on one candidate of the line. With htmx its card comes back, else the page at the next card."""
    line = _line_of(request, public_id)
    filters = Filters.of(request.user, request.POST)
    match = get_object_or_404(_candidates(line), public_id=request.POST.get("match", ""))
    match.line = line
    fault, status = "", 200
    try:
        _decide(request, match)
    except DomainError as error:
        fault = str(error)
        status = 422 if error.code.endswith("_missing") else 403 if error.is_refusal else 409
    if request.htmx:
        match = get_object_or_404(_candidates(line), pk=match.pk)
        card = _cards(line, [match], {match.pk: _rank(match)})[0]
        card.fault, card.is_current = fault, True
        context = {"card": card, "line": line, "filters": filters, **_choices()}
        return render(request, "matchmaking/review_card.html", context, status=status)
    if fault:
        messages.error(request, fault)
    anchor = f"#m-{match.public_id}" if fault else _next_card(line, match)
    return _to(reverse("matchmaking:review_line", args=[line.public_id]), filters, anchor)


def _rank(match: Match) -> int:
    better = Q(misses_must__lt=match.misses_must) | Q(
        Q(tenths__gt=match.tenths) | Q(tenths=match.tenths, pk__lt=match.pk),
        misses_must=match.misses_must,
    )
    return Match.objects.live().filter(better, line=match.line_id).count() + 1


def _decide(request: MemberRequest, match: Match) -> None:
    verdict, note = request.POST.get("verdict", ""), request.POST.get("note", "")
    if verdict == "approve":
        review.approve(match=match, by=request.user, note=note)
    elif verdict == "reject":
        review.reject(
            match=match, reason=request.POST.get("reason", ""), by=request.user, note=note
        )
    elif verdict == "defer":
        days = request.POST.get("days", "")
        known = days in {str(choice) for choice in DEFER_DAYS}
        until = timezone.localdate() + datetime.timedelta(days=int(days)) if known else None
        review.defer(match=match, by=request.user, until_on=until, note=note)
    elif verdict == "undo":
        review.undo(match=match, by=request.user)
    else:
        raise Http404


def _next_card(line: RequirementLine, match: Match) -> str:
    """Where to go on: the next undecided candidate below, else the one just decided."""
    rows = list(_candidates(line).values_list("pk", "public_id", "status"))
    place = next((at for at, row in enumerate(rows) if row[0] == match.pk), 0)
    waiting = [row[1] for row in rows[place + 1 :] if row[2] == Match.Status.PROPOSED]
    return f"#m-{waiting[0] if waiting else match.public_id}"


@posted("matchmaking:review_line", "public_id")
def review_bulk(request: MemberRequest, public_id: str) -> HttpResponse:
    line = _line_of(request, public_id)
    filters = Filters.of(request.user, request.POST)
    chosen = list(
        Match.objects.filter(line=line, public_id__in=request.POST.getlist("match")).order_by("pk")
    )
    if not chosen:
        messages.warning(request, _("Select candidates first."))
    else:
        try:
            approved = review.approve_many(matches=chosen, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                ngettext("%(n)d candidate approved.", "%(n)d candidates approved.", len(approved))
                % {"n": len(approved)},
            )
    return _to(reverse("matchmaking:review_line", args=[line.public_id]), filters)


@posted("matchmaking:review_line", "public_id")
def review_add(request: MemberRequest, public_id: str) -> HttpResponse:
    """A supplier typed in any spelling: the only one found is added, several come back to choose from."""
    line = _line_of(request, public_id)
    filters = Filters.of(request.user, request.POST)
    try:
        lease = review.take_lease(line=line, by=request.user)
    except DomainError as error:
        messages.info(request, str(error))
        return _next_free(request, filters, line)
    form = AddForm(request.POST)
    found: list[Enterprise] | None = None
    if form.is_valid():
        found = _suppliers(form.cleaned_data["supplier"], form.cleaned_data["name"])
        if not found:
            form.add_error("name", _("No verified enterprise is called this."))
        elif len(found) == 1:
            try:
                match = review.add_by_hand(
                    line=line,
                    supplier=found[0],
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                )
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(
                    request,
                    _("%(name)s is added and approved.") % {"name": localised(match.supplier)},
                )
                address = reverse("matchmaking:review_line", args=[line.public_id])
                return _to(address, filters, f"#m-{match.public_id}")
        else:
            form.add_error("name", _("Several enterprises are called this. Choose one of them."))
    return _render_line(request, line, filters, lease, add=form, found=found)


def _suppliers(chosen: str, name: str) -> list[Enterprise]:
    verified = Enterprise.objects.verified().select_related("region__parent")
    if chosen:
        return list(verified.filter(public_id=chosen))
    rows = search.found(verified, name).order_by("sort_key", "pk")[:8]
    exact = [row for row in rows if name.strip() in (row.name, row.name_en)]
    return exact if len(exact) == 1 else list(rows)


# -- why ------------------------------------------------------------------------------------------


@require_GET
def match_why(request: MemberRequest, public_id: str) -> HttpResponse:
    """The score of a pair, taken apart. Reviewers also see the history; the two sides see it without."""
    match = get_object_or_404(
        Match.objects.select_related(
            "line__requirement__enterprise__region",
            "line__requirement__posted_by",
            "supplier__region__parent",
            "score__capability",
            "score__weighting__province",
            "score__run",
        ),
        public_id=public_id,
        score__isnull=False,
    )
    if not permissions.can_see_match(request.user, match):
        raise Http404
    assert match.score is not None
    line = match.line
    is_reviewer = permissions.can_review(request.user, line)
    is_supplier = match.supplier_id in request.user.enterprise_ids
    text, language = offered(match, public_only=not is_reviewer)
    aligned = market.highlights(line.full_text, text)
    others, marks = _others(match, text, aligned, public_only=not is_reviewer)
    asked = {c.pk: c for c in line.requirement.conditions.all()}
    context = {
        "match": match,
        "score": match.score,
        "line": line,
        "requirement": line.requirement,
        "text": text,
        "language": language,
        "aligned": aligned,
        "others": others,
        "marks": marks,
        "sum": " + ".join(points(part["tenths"]) for part in match.score.parts),
        "conditions": [
            (asked.get(outcome["condition"]), outcome) for outcome in match.score.outcomes
        ],
        "is_reviewer": is_reviewer,
        "is_supplier": is_supplier and not is_reviewer,
        "history": _history(match) if is_reviewer else [],
        "nav": "review" if is_reviewer else "for_you" if is_supplier else "my_requirements",
    }
    return render(request, "matchmaking/match_why.html", context)


@dataclass(frozen=True, slots=True)
class Other:
    """Another text of the supplier that says words of the line, with their marks."""

    text: str
    language: str
    aligned: list[Aligned]


def _others(
    match: Match, compared: str, aligned: Sequence[Aligned], *, public_only: bool
) -> tuple[list[Other], list[Aligned]]:
    """The texts of which a reason tells that they say more words of the line, those with most of them first; and all
    marks in the line, where a passage keeps its number from text to text."""
    assert match.score is not None
    marks, others = list(aligned), []
    said = {
        term.lower()
        for reason in match.score.reasons
        if reason["code"] == "text.elsewhere"
        for term in reason["params"]["terms"]
    }
    texts = [one for one in _texts(match, public_only=public_only) if one[0] not in ("", compared)]
    texts.sort(key=lambda one: -sum(term in normalise(one[0]) for term in said))
    align = market.aligner()
    for text, language in texts[:OTHERS_SHOWN] if said else ():
        own = []
        for one in align(match.line.full_text, text):
            known = next((mark for mark in marks if mark.need.meets(one.need)), None)
            own.append(replace(one, number=known.number if known else len(marks) + 1))
            if known is None:
                marks.append(own[-1])
        if own:
            others.append(Other(text, language, own))
    return others, marks


def _texts(match: Match, *, public_only: bool) -> list[tuple[str, str]]:
    """All texts that stand for the supplier, with their languages."""
    if match.line.requirement.seeks == "customer":
        lines = _demand(match.supplier, public_only=public_only).order_by("pk")
        return [(line.full_text, line.language) for line in lines]
    rows = Capability.objects.published().filter(enterprise=match.supplier).order_by("pk")
    return [(_words(row, language), language) for row in rows for language in ("zh", "en")]


def _history(match: Match) -> list[dict[str, Any]]:
    """Decisions and the scores they rest on, newest first. Who: by office, not by name."""
    decisions = list(match.decisions.select_related("score").order_by("pk"))
    bodies: dict[int, str] = {}
    roles = OrganiserRole.objects.filter(user__in=[d.by_id for d in decisions])
    for role in roles.select_related("body").order_by("-pk"):
        bodies[role.user_id] = localised(role.body)
    rows: list[dict[str, Any]] = [
        {
            "at": score.created_at,
            "what": _("Scored"),
            "who": "",
            "tenths": score.tenths,
            "note": "",
        }
        for score in match.scores.order_by("pk")
    ]
    rows += [
        {
            "at": decision.at,
            "what": decision.get_verdict_display(),
            "reason": decision.get_reason_display() if decision.reason else "",
            "until": decision.until_on,
            "who": bodies.get(decision.by_id, _("a reviewer")),
            "tenths": decision.score.tenths if decision.score else None,
            "note": decision.note,
        }
        for decision in decisions
    ]
    return sorted(rows, key=lambda row: row["at"], reverse=True)


@require_http_methods(["GET", "POST"])
def pair_why(request: MemberRequest, public_id: str, enterprise_id: str) -> HttpResponse:
    """Why for any pair: what is known is shown, another is scored once somebody asks for that, and kept."""
    line = get_object_or_404(
        RequirementLine.objects.filter(
            requirement__in=permissions.requirements_visible_to(request.user)
        ).select_related("requirement__enterprise__region", "requirement__posted_by"),
        public_id=public_id,
    )
    supplier = get_object_or_404(Enterprise, public_id=enterprise_id)
    match = Match.objects.filter(line=line, supplier=supplier).first()
    if not permissions.can_see_match(request.user, match or Match(line=line, supplier=supplier)):
        raise Http404
    if match is None or match.score_id is None:
        if request.method == "GET":
            context = {"line": line, "requirement": line.requirement, "supplier": supplier}
            return render(request, "matchmaking/pair_why.html", context)
        try:
            match = pairs.compute_pair(line=line, supplier=supplier, by=request.user)
        except DomainError as error:
            messages.warning(request, str(error))
            return redirect("matchmaking:requirement_detail", public_id=line.requirement.public_id)
    return redirect("matchmaking:match_why", public_id=match.public_id)
