"""The organiser's home: what waits for a decision, oldest first, one click into each queue."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db.models import Count, Min, Model, QuerySet, Sum
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET

from chains import calendar, permissions
from chains.errors import DomainError
from chains.http import MemberRequest
from chains.models import (
    Certification,
    Enterprise,
    Membership,
    Notification,
    Qualification,
    Report,
    Requirement,
    User,
)
from chains.services import accounts
from chains.templatetags.localised import day, localised
from chains.views.refusals import refusal
from chains.views.reports import open_reports
from chains.views.sheets import sheet_asked_for, sheet_response
from events.models import Event, Registration
from events.permissions import DESK, moderated_by
from matchmaking.models import Interest, Match, MatchRun
from matchmaking.permissions import (
    events_of,
    lines_reviewable_by,
    runs_visible_to,
    works_at_a_desk,
)
from matchmaking.views.own_cases import OwnCase, own_cases

M = TypeVar("M", bound=Model)


@dataclass(slots=True)
class Queue:
    count: int
    name: str
    oldest: str
    due: str
    action: str
    href: str
    since: datetime.datetime | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose inbox, and the event that is looked at: who takes part in it and what stands on its list. Without one,
    everything."""

    user: User
    event: Event | None = None
    requirements: frozenset[int] = frozenset()
    enterprises: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: User, event: Event | None) -> Self:
        if event is None:
            return cls(user)
        listed = dict(event.listings.values_list("requirement", "requirement__enterprise"))
        guests = event.registrations.exclude(status__in=Registration.ENDED)
        return cls(
            user,
            event,
            frozenset(listed),
            frozenset(guests.values_list("enterprise", flat=True)) | set(listed.values()),
        )

    def concerns(self, enterprise: int) -> bool:
        return self.event is None or enterprise in self.enterprises

    def lists(self, requirement: int) -> bool:
        return self.event is None or requirement in self.requirements

    def has(self, case: OwnCase) -> bool:
        if case.event is not None:
            return self.event in (None, case.event)
        if case.requirement is not None:
            return self.lists(case.requirement)
        return self.concerns(case.enterprise)

    def narrowed(self, rows: QuerySet[M], requirement: str) -> QuerySet[M]:
        """Those whose requirement, found at this path, stands on the list."""
        if self.event is None:
            return rows
        return rows.filter(**{f"{requirement}__in": self.requirements})


@require_GET
def inbox(request: MemberRequest) -> HttpResponseBase:
    user = request.user
    if not works_at_a_desk(user):
        error = DomainError(_("The inbox is for organisers."), code="inbox.forbidden")
        return refusal(request, error)
    chosen = request.GET.get("event", "")
    choices = list(
        events_of(user)
        .exclude(status__in=[Event.Status.CANCELLED, Event.Status.ARCHIVED])
        .order_by("-starts_at")[:50]
    )
    scope = Scope.of(user, next((one for one in choices if one.public_id == chosen), None))
    if extension := sheet_asked_for(request):
        return _sheet_of_cases(scope, extension)
    events = list(
        Event.objects.organised_by(user)
        .exclude(status__in=[Event.Status.CANCELLED, Event.Status.ARCHIVED])
        .filter(ends_at__gte=timezone.now())
        .select_related("region")
        .prefetch_related("tiers")
        .annotate(seats=Sum("tiers__seats"), seats_taken=Sum("tiers__taken"))
        .order_by("starts_at")[:6]
    )
    queues = [queue for queue in _queues(scope) if queue is not None]
    now = timezone.now()
    queues.sort(key=lambda queue: (not queue.is_late, queue.since or now))
    total = sum(queue.count for queue in queues)
    context = {
        "queues": queues,
        "total": total,
        "choices": choices,
        "chosen": scope.event,
        "is_unknown": bool(chosen) and scope.event is None,
        "own_cases": [case for case in own_cases(user) if scope.has(case)],
        "events": events,
        # A moderator organises nothing: the event is where they find what is listed.
        "moderated": []
        if events
        else moderated_by(user).filter(ends_at__gte=timezone.now()).order_by("starts_at"),
        "deadlines": _deadlines(events),
        "runs": runs_visible_to(user)
        .filter(status__in=[MatchRun.Status.QUEUED, MatchRun.Status.RUNNING])
        .order_by("pk")[:3],
        # All of the system: a desk's own cannot be told from them.
        "mails": _mails() if user.is_administrator else None,
        "grants_roles": permissions.grants_roles(user),
        "now": timezone.now(),
        "nav": "inbox",
        # The number in the navigation is that of all events.
        "inbox_count": None if scope.event else total,
    }
    return render(request, "matchmaking/inbox.html", context)


def _queues(scope: Scope) -> list[Queue | None]:
    return [
        _overdue_buyers(scope),
        _enterprises(scope),
        _proofs(scope),
        _requirements(scope),
        _reports(scope),
        _overdue_requirements(scope),
        _lines(scope),
        _registrations(scope),
        _memberships(scope),
        _failed_mails(scope),
    ]


def _sheet_of_cases(scope: Scope, extension: str) -> HttpResponseBase:
    """Every case that waits for a decision of the reader's, queue by queue, oldest first."""
    header = [_("Queue"), pgettext("hit", "Name"), _("Enterprise"), _("Region"), _("Waits since"), _("Due"), _("Address")]  # fmt: skip
    return sheet_response(extension, "inbox", header, _cases(scope))


def _cases(scope: Scope) -> Iterator[list[Any]]:
    def row(
        queue: str, name: str, whose: Enterprise, since: Any, page: str, *named: str
    ) -> list[Any]:
        return [
            queue, name, localised(whose), localised(whose.region) if whose.region else "",
            timezone.localdate(since) if since else None, None, settings.SITE_URL + reverse(page, args=named),
        ]  # fmt: skip

    for one in _pending(scope):
        cells = row(_("Enterprises to verify"), localised(one), one, one.submitted_at, "chains:enterprise_case", one.public_id)  # fmt: skip
        cells[5] = calendar.promised_on(one)
        yield cells
    for claim in _claims(scope):
        yield row(_("Titles and certificates to verify"), localised(claim.kind), claim.enterprise, claim.created_at, "chains:proof_decide", claim.public_id)  # fmt: skip
    served = calendar.provinces()
    for asked in _submitted(scope):
        cells = row(_("Requirements to moderate"), asked.title, asked.enterprise, asked.waits_since, "chains:moderation_case", asked.public_id)  # fmt: skip
        cells[5] = calendar.promised_on(asked, served)
        yield cells
    for said in _reported(scope):
        yield row(_("Reports of abuse"), said.get_reason_display(), said.reported, said.created_at, "chains:report_decide", said.public_id)  # fmt: skip
    for applied in _to_admit(scope).select_related("event", "enterprise__region").order_by("created_at"):  # fmt: skip
        yield row(_("Registrations to approve"), localised(applied.event), applied.enterprise, applied.created_at, "events:guest_list", applied.event.public_id)  # fmt: skip
    for wish in _unanswered(scope):
        yield row(_("Requests to join that no owner answered"), "", wish.enterprise, wish.created_at, "chains:enterprise_case", wish.enterprise.public_id)  # fmt: skip


def _age(moment: datetime.datetime | None) -> str:
    days = (timezone.localdate() - timezone.localdate(moment)).days if moment else 0
    if days < 1:
        return _("today")
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def _begins(day: datetime.date | None) -> datetime.datetime | None:
    return calendar.midnight(day) if day else None


def _pending(scope: Scope) -> list[Enterprise]:
    return [row for row in DESK.pending(scope.user) if scope.concerns(row.pk)]


def _submitted(scope: Scope) -> list[Requirement]:
    return [row for row in DESK.submitted(scope.user) if scope.lists(row.pk)]


def _reported(scope: Scope) -> list[Report]:
    rows = open_reports(scope.user, DESK)
    return [row for row in rows if scope.concerns(row.reported.pk)]


def _enterprises(scope: Scope) -> Queue | None:
    mine = _pending(scope)
    if not mine:
        return None
    first = mine[0]
    due = calendar.promised_on(first) or timezone.localdate()
    return Queue(
        len(mine),
        _("Enterprises to verify"),
        _("Oldest: %(name)s, %(age)s")
        % {"name": localised(first), "age": _age(first.submitted_at)},
        _("By our promise the oldest is due %(day)s") % {"day": day(due)},
        _("Verify"),
        reverse("chains:enterprise_case", args=[first.public_id]),
        first.submitted_at,
        due < timezone.localdate(),
    )


def _claims(scope: Scope) -> list[Qualification | Certification]:
    on_desk = DESK.enterprises(scope.user).values("pk")
    claims: list[tuple[Enterprise, Qualification | Certification]] = [
        (claim.enterprise, claim)
        for model in (Qualification, Certification)
        for claim in model.objects.claimed()
        .filter(enterprise__in=on_desk, evidence__isnull=False)
        .select_related("enterprise__region", "kind")
        if scope.concerns(claim.enterprise_id)
    ]
    claims.sort(key=lambda pair: pair[1].created_at)
    return DESK.on_own_desks(claims, scope.user)


def _proofs(scope: Scope) -> Queue | None:
    mine = _claims(scope)
    if not mine:
        return None
    first = mine[0]
    return Queue(
        len(mine),
        _("Titles and certificates to verify"),
        _("Oldest: %(name)s, %(age)s")
        % {"name": localised(first.kind), "age": _age(first.created_at)},
        _("Only verified ones count for a must"),
        pgettext("verb", "Check"),
        reverse("chains:proof_decide", args=[first.public_id]),
        first.created_at,
    )


def _requirements(scope: Scope) -> Queue | None:
    mine = _submitted(scope)
    if not mine:
        return None
    served = calendar.provinces()
    due, first = min(
        ((calendar.promised_on(row, served) or timezone.localdate(), row) for row in mine),
        key=lambda pair: pair[0],
    )
    said = [_("By our promise the oldest is due %(day)s") % {"day": day(due)}]
    listed = sum(row.embargoed_until is not None for row in mine)
    if listed:
        said.append(
            ngettext("%(n)d is on an event's list", "%(n)d are on an event's list", listed)
            % {"n": listed}
        )
    return Queue(
        len(mine),
        _("Requirements to moderate"),
        _("Oldest: %(name)s, %(age)s") % {"name": first.title, "age": _age(first.waits_since)},
        pgettext("list", "; ").join(said),
        _("Moderate"),
        reverse("chains:moderation_case", args=[first.public_id]),
        first.waits_since,
        due < timezone.localdate(),
    )


def _overdue_requirements(scope: Scope) -> Queue | None:
    """Nothing to decide: a word to the buyer, who closes it or names a new day."""
    rows = scope.narrowed(
        Requirement.objects.in_scope_of(scope.user).overdue().order_by("needed_by_on", "pk"), "pk"
    )
    first = rows.select_related("enterprise").first()
    if first is None:
        return None
    return Queue(
        rows.count(),
        _("Requirements past the day they were needed"),
        _("Oldest: %(title)s, %(name)s")
        % {"title": first.title, "name": localised(first.enterprise)},
        _("It was needed by %(day)s and is still open") % {"day": day(first.needed_by_on)},
        pgettext("verb", "Open"),
        reverse("matchmaking:requirement_detail", args=[first.public_id]),
        _begins(first.needed_by_on),
    )


def _reports(scope: Scope) -> Queue | None:
    waiting = _reported(scope)
    if not waiting:
        return None
    first = waiting[0]
    return Queue(
        len(waiting),
        _("Reports of abuse"),
        _("Oldest: %(name)s, %(age)s")
        % {"name": first.get_reason_display(), "age": _age(first.created_at)},
        _("Whoever reported it waits for an answer"),
        _("Decide"),
        reverse("chains:report_decide", args=[first.public_id]),
        first.created_at,
    )


def _lines(scope: Scope) -> Queue | None:
    waiting = (
        scope.narrowed(Match.objects.to_decide().fitting(), "line__requirement")
        .filter(line__in=lines_reviewable_by(scope.user).values("pk"))
        .aggregate(lines=Count("line", distinct=True), pairs=Count("pk"), oldest=Min("created_at"))
    )
    if not waiting["lines"]:
        return None
    return Queue(
        waiting["lines"],
        _("Lines whose matches to review"),
        _("%(pairs)d candidates; the oldest proposed %(age)s")
        % {"pairs": waiting["pairs"], "age": _age(waiting["oldest"])},
        _("Buyers see a supplier as recommended once it is approved"),
        _("Review"),
        reverse("matchmaking:review_queue")
        + (f"?event={scope.event.public_id}" if scope.event else ""),
        waiting["oldest"],
    )


def _to_admit(scope: Scope) -> QuerySet[Registration]:
    rows = Registration.objects.decided_by(scope.user).to_admit()
    return rows.filter(event=scope.event) if scope.event else rows


def _registrations(scope: Scope) -> Queue | None:
    rows = _to_admit(scope)
    figures = rows.aggregate(n=Count("pk"), oldest=Min("created_at"))
    if not figures["n"]:
        return None
    first = rows.order_by("created_at").select_related("event")[0]
    return Queue(
        figures["n"],
        _("Registrations to approve"),
        _("Oldest: %(name)s, %(age)s")
        % {"name": localised(first.event), "age": _age(figures["oldest"])},
        _("Registration closes %(day)s") % {"day": day(first.event.registration_closes_at)},
        _("Decide"),
        reverse("events:guest_list", args=[first.event.public_id]),
        figures["oldest"],
    )


def _unanswered(scope: Scope) -> list[Membership]:
    """Requests to join that no owner has answered for five days."""
    limit = timezone.now() - datetime.timedelta(days=accounts.ANSWER_DAYS)
    rows = (
        Membership.objects.requested()
        .filter(created_at__lt=limit, enterprise__in=DESK.enterprises(scope.user).values("pk"))
        .select_related("enterprise__region")
        .order_by("created_at")
    )
    return [
        row
        for row in rows
        if scope.concerns(row.enterprise_id) and DESK.may_verify(scope.user, row.enterprise)
    ]


def _memberships(scope: Scope) -> Queue | None:
    mine = _unanswered(scope)
    if not mine:
        return None
    first = mine[0]
    return Queue(
        len(mine),
        _("Requests to join that no owner answered"),
        _("Oldest: %(name)s, %(age)s")
        % {"name": localised(first.enterprise), "age": _age(first.created_at)},
        _("After five days the desk decides"),
        _("Decide"),
        reverse("chains:enterprise_case", args=[first.enterprise.public_id]),
        first.created_at,
    )


def _overdue_buyers(scope: Scope) -> Queue | None:
    rows = scope.narrowed(Interest.objects.waiting(), "requirement").annotate(
        due_day=Interest.DUE_DAY
    )
    rows = rows.filter(
        due_day__lt=timezone.localdate(),
        requirement__in=Requirement.objects.in_scope_of(scope.user).values("pk"),
    )
    first = rows.order_by("due_day").select_related("requirement__enterprise").first()
    if first is None:
        return None
    buyers = rows.values("requirement__enterprise").distinct().count()
    return Queue(
        buyers,
        _("Buyers overdue in answering"),
        ngettext(
            "Oldest: %(name)s, %(n)d interest unanswered",
            "Oldest: %(name)s, %(n)d interests unanswered",
            rows.filter(requirement__enterprise=first.requirement.enterprise).count(),
        )
        % {
            "name": localised(first.requirement.enterprise),
            "n": rows.filter(requirement__enterprise=first.requirement.enterprise).count(),
        },
        _("The day to answer by passed on %(day)s") % {"day": day(first.due_on)},
        pgettext("verb", "Open"),
        reverse("matchmaking:requirement_detail", args=[first.requirement.public_id]),
        _begins(first.due_on),
        is_late=True,
    )


def _failed_mails(scope: Scope) -> Queue | None:
    if scope.event or not scope.user.is_administrator:
        return None
    number = Notification.objects.filter(status=Notification.Status.FAILED).count()
    if not number:
        return None
    return Queue(
        number,
        _("Mails that could not be delivered"),
        _("The mail server refused them or did not answer"),
        _("No deadline"),
        _("Look"),
        reverse("admin:chains_notification_changelist") + "?status=failed",
    )


def _mails() -> dict[str, int]:
    today = Notification.objects.filter(
        channel=Notification.Channel.EMAIL, sent_at__date=timezone.localdate()
    ).count()
    failed = Notification.objects.filter(status=Notification.Status.FAILED).count()
    return {"sent": today, "failed": failed}


def _deadlines(events: list[Any]) -> list[dict[str, Any]]:
    """What happens next at one's own events, soonest first."""
    now = timezone.now()
    found = []
    for event in events:
        moments = [
            (event.list_published_at, _("The list goes public")),
            (event.registration_closes_at, _("Registration closes")),
            (event.delegates_until, _("Delegates can be changed until then")),
            (event.starts_at, _("The event begins")),
        ]
        moments += [
            (tier.reserved_until, _("Unused reserved seats go to the general tier"))
            for tier in event.tiers.all()
            if tier.released_at is None
        ]
        found += [
            {"at": at, "text": text, "event": event} for at, text in moments if at and at > now
        ]
    return sorted(found, key=lambda row: row["at"])[:6]
