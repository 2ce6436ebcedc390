from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from chains import audit, search
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import AuditEntry, OrganiserRole, ParticipantKind, QualificationKind
from chains.spreadsheets import write_xlsx
from chains.templatetags.localised import localised, moment, place
from chains.views.posted import page_of_form, posted
from chains.views.refusals import refusal
from chains.views.sheets import csv_response, sheet_asked_for
from events import permissions, statistics
from events.forms.registration import GuestFilterForm
from events.models import Delegate, Event, FormAnswer, FormQuestion, Registration
from events.models.registration import QUEUE_ORDER
from events.services import admission, participation, registration, waiting_list
from events.templatetags.answers import answer_words

PER_PAGE = 25
MOVES_SHOWN = 20
Status = Registration.Status
OPEN = (Status.SUBMITTED, Status.OFFERED, Status.WAITLISTED)


@require_safe
def guest_list(request: MemberRequest, public_id: str) -> HttpResponseBase:
    event = get_object_or_404(
        Event.objects.select_related("level", "region__parent", "host"), public_id=public_id
    )
    visible = event.registrations.all()
    if not permissions.can_see_guests(request.user, event):
        # The desk above sees what it decides, the hosts' own, and nobody else's.
        visible = visible.decided_by(request.user)
        if not visible.exists():
            return _not_now(request, event)
    form = GuestFilterForm(request.GET, event=event)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = _rows(event, visible, wanted)
    may_manage = permissions.can_manage(request.user, event)
    if extension := sheet_asked_for(request):
        if not may_manage:
            raise Http404
        return _export(request, event, rows, extension)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    decided = set(
        event.registrations.filter(pk__in=[row.pk for row in page])
        .decided_by(request.user)
        .values_list("pk", flat=True)
    )
    ranks = waiting_list.ranks(event, page)
    given = _answers(page) if may_manage and event.asks_questions else {}
    tiers = statistics.tier_states(event)
    patience = datetime.timedelta(hours=event.offer_hours)
    return render(
        request,
        "events/guest_list.html",
        {
            "nav": "events",
            "tab": "guests",
            "event": event,
            "form": form,
            "state": wanted.get("state") or usual_state(event),
            "page_obj": page,
            "rows": [
                {
                    "row": row,
                    "rank": ranks.get(row.pk),
                    "passed_at": row.blocks_since and row.blocks_since + patience,
                    "may_decide": row.pk in decided,
                    "answers": given.get(row.pk),
                }
                for row in page
            ],
            "guests": statistics.guests(event),
            "seats": sum(one.tier.seats for one in tiers),
            "tiers": tiers,
            "moves": _moves(event) if may_manage else [],
            "kinds": ParticipantKind.objects.all(),
            "as_of": timezone.now(),
            "may_manage": may_manage,
            "query": _query(request),
        },
    )


def _answers(rows: Iterable[Registration]) -> dict[int, list[FormAnswer]]:
    """What each of them answered, in the order of the form."""
    found: dict[int, list[FormAnswer]] = {}
    answers = FormAnswer.objects.filter(registration__in=[row.pk for row in rows])
    for answer in answers.select_related("question", "evidence").order_by("question__order", "pk"):
        found.setdefault(answer.registration_id, []).append(answer)
    return found


def _not_now(request: MemberRequest, event: Event) -> HttpResponse:
    """The desk of the event is told when the list is open to it; for anybody else there is none."""
    if not permissions.is_at_desk(request.user, event):
        raise Http404
    first, last = permissions.desk_days(event)
    said = (
        _("The guest list opens for the desk on %(first)s and closes on %(last)s.")
        if timezone.now() < first
        else _("The guest list was open for the desk from %(first)s to %(last)s.")
    )
    return refusal(
        request,
        DomainError(said % {"first": moment(first), "last": moment(last)}, code="event.forbidden"),
    )


def usual_state(event: Event) -> str:
    """What the list is opened for: before the event to decide, after it to see who came."""
    return "confirmed" if event.status in statistics.HELD else "open"


def _rows(
    event: Event, visible: QuerySet[Registration], wanted: dict[str, Any]
) -> QuerySet[Registration]:
    rows = visible.select_related("enterprise__region__parent", "enterprise__kind", "tier")
    state = wanted.get("state") or usual_state(event)
    if state == "open":
        rows = rows.filter(status__in=OPEN)
    elif state == "came":
        rows = rows.came()  # type: ignore[attr-defined]  # our own queryset
    elif state == "absent":
        rows = rows.filter(status=Status.CONFIRMED, attended=0)
    elif state != "all":
        rows = rows.filter(status=state)
    if wanted.get("tier"):
        rows = rows.filter(tier=wanted["tier"])
    if wanted.get("kind"):
        rows = rows.filter(enterprise__kind=wanted["kind"])
    if text := search.typed("enterprise__search_text", wanted.get("q", "")):
        rows = rows.filter(text)
    # First what waits for a decision, then offers, the queue by the published rule, and the others.
    return rows.annotate(
        turn=Case(
            When(status=Status.SUBMITTED, then=Value(0)),
            When(status=Status.OFFERED, then=Value(1)),
            When(status=Status.WAITLISTED, then=Value(2)),
            default=Value(3),
            output_field=IntegerField(),
        )
    ).order_by("turn", *QUEUE_ORDER[event.waiting_rule])


def _moves(event: Event) -> list[dict[str, Any]]:
    """What was moved by hand, last first, for all who organise the event: who, when, from where to where and why."""
    labels = {
        audit.label(row): row
        for row in event.registrations.exclude(priority_reason="").select_related("enterprise")
    }
    entries = AuditEntry.objects.filter(action="registration.moved", target__in=labels)
    # The reason on the row is that of its last move.
    last = {entry.target: entry for entry in entries.order_by("pk")}
    found = sorted(last.values(), key=lambda entry: -entry.pk)[:MOVES_SHOWN]
    roles = OrganiserRole.objects.filter(user__in={entry.actor for entry in found})
    bodies = {role.user_id: role.body for role in roles.select_related("body")}
    return [
        {"row": labels[entry.target], "entry": entry, "by": bodies.get(entry.actor or 0)}
        for entry in found
    ]


def _query(request: MemberRequest) -> str:
    rest = request.GET.copy()
    rest.pop("export", None)
    return rest.urlencode()


# ---- export ----


def _export(
    request: MemberRequest, event: Event, rows: QuerySet[Registration], extension: str
) -> HttpResponseBase:
    """Never a contact; the names of delegates and what was answered only for the event's host. Each is in the trail."""
    with_names = permissions.is_host(request.user, event)
    questions = list(event.questions.all()) if with_names else []
    headers = [
        pgettext("queue", "Position"), _("Enterprise"), _("English name"), _("Kind"), _("Region"), _("Tier"), _("State"),
        _("Seats asked"), _("Seats held"), _("Persons who came"), _("Qualifications on the day"), _("Purpose"), *([_("Delegates")] if with_names else []),
        *(localised(question, "text") for question in questions),
    ]  # fmt: skip
    audit.record(
        request.user,
        "registration.exported",
        event,
        rows=rows.count(),
        format=extension,
        delegates=with_names,
    )
    cells = _cells(event, rows, with_names, questions)
    name = f"guests-{event.public_id}.{extension}"
    if extension == "csv":
        return csv_response(name, headers, cells)
    book = write_xlsx(headers, cells, as_of=timezone.now(), sheet=_("Guests"))
    return FileResponse(book, as_attachment=True, filename=name)


def _cells(
    event: Event,
    rows: QuerySet[Registration],
    with_names: bool,
    questions: Sequence[FormQuestion],
) -> Iterator[list[str | int | None]]:
    if with_names:
        rows = rows.prefetch_related(
            Prefetch(
                "delegates",
                Delegate.objects.filter(status=Delegate.Status.ACTIVE).order_by("pk"),
                to_attr="named",
            )
        )
    found = list(rows)
    ranks = waiting_list.ranks(event, found)
    given = _answers(found) if questions else {}
    purposes = dict(Registration.Purpose.choices)
    tags = {kind.code: localised(kind) for kind in QualificationKind.objects.all()}
    for row in found:
        words = {one.question_id: answer_words(one) for one in given.get(row.pk, ())}
        names = ", ".join(one.name for one in row.named) if with_names else None  # type: ignore[attr-defined]  # prefetched above
        yield [
            ranks.get(row.pk),
            row.enterprise.name,
            row.enterprise.name_en,
            localised(row.enterprise.kind),
            place(row.enterprise.region),
            localised(row.tier),
            str(row.get_status_display()),
            row.seats_asked,
            row.seats_held,
            row.attended,
            ", ".join(tags.get(code, code) for code in row.qualifications_held or ()),
            ", ".join(str(purposes[one]) for one in row.purposes),
            *([names] if with_names else []),
            *(words.get(question.pk, "") for question in questions),
        ]


# ---- deciding ----


@posted("events:event_list")
def registration_decide(request: MemberRequest, public_id: str) -> HttpResponse:
    row = get_object_or_404(
        Registration.objects.filter(
            Q(event__in=Event.objects.organised_by(request.user))
            | Q(pk__in=Registration.objects.decided_by(request.user).values("pk"))
        ).select_related("event", "enterprise"),
        public_id=public_id,
    )
    act = _ACTS.get(request.POST.get("action", ""))
    if act is None:
        raise Http404
    try:
        said = act(request, row)
    except DomainError as error:
        if error.is_refusal:
            return refusal(request, error)
        messages.error(request, str(error))
    else:
        messages.success(request, f"{localised(row.enterprise)}: {said}")
    guests = reverse("events:guest_list", args=[row.event.public_id])
    return HttpResponseRedirect(page_of_form(request, guests))


def _approve(request: MemberRequest, row: Registration) -> str:
    decided = admission.approve(registration=row, by=request.user)
    if decided.status == Status.CONFIRMED:
        return _("approved, seats: %(seats)d") % {"seats": decided.seats_held}
    rank = waiting_list.rank(decided)
    if rank is None:
        return _("approved; takes part in the draw")
    return _("approved; on the waiting list at place %(rank)d") % {"rank": rank}


def _decline(request: MemberRequest, row: Registration) -> str:
    admission.decline(registration=row, reason=request.POST.get("reason", ""), by=request.user)
    return _("declined")


def _cancel(request: MemberRequest, row: Registration) -> str:
    registration.cancel(registration=row, reason=request.POST.get("reason", ""), by=request.user)
    return _("cancelled")


def _move(request: MemberRequest, row: Registration) -> str:
    try:
        priority = int(request.POST.get("priority", ""))
    except ValueError as found:
        raise DomainError(
            _("Choose a priority from -99 to 99."), code="registration.priority_out_of_range"
        ) from found
    moved = waiting_list.move(
        registration=row,
        priority=priority,
        reason=request.POST.get("reason", ""),
        by=request.user,
    )
    place_now = waiting_list.rank(moved)
    if place_now:
        return _("moved to place %(rank)d") % {"rank": place_now}
    if moved.status == Status.WAITLISTED:
        return _("moved; places are given by the draw")
    return _("moved; seats are offered: %(seats)d") % {"seats": moved.seats_held}


def _attendance(request: MemberRequest, row: Registration) -> str:
    try:
        persons = int(request.POST.get("persons", ""))
    except ValueError as found:
        raise DomainError(
            _("Enter how many persons came, as a whole number."),
            code="registration.persons_not_a_number",
        ) from found
    corrected = participation.correct(
        registration=row, persons=persons, reason=request.POST.get("reason", ""), by=request.user
    )
    return _("corrected, persons who came: %(persons)d") % {"persons": corrected.attended or 0}


_ACTS: dict[str, Callable[[MemberRequest, Registration], str]] = {
    "approve": _approve,
    "decline": _decline,
    "cancel": _cancel,
    "move": _move,
    "attendance": _attendance,
}
