"""The organiser's home: what waits for a decision, oldest first, one click into each queue."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet, Sum
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
from matchmaking.permissions import lines_reviewable_by, runs_visible_to, works_at_a_desk


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


@require_GET
def inbox(request: MemberRequest) -> HttpResponseBase:
    user = request.user
    if not works_at_a_desk(user):
        error = DomainError(_("The inbox is for organisers."), code="inbox.forbidden")
        return refusal(request, error)
    if extension := sheet_asked_for(request):
        return _sheet_of_cases(user, extension)
    events = list(
        Event.objects.organised_by(user)
        .exclude(status__in=[Event.Status.CANCELLED, Event.Status.ARCHIVED])
        .filter(ends_at__gte=timezone.now())
        .select_related("region")
        .prefetch_related("tiers")
        .annotate(seats=Sum("tiers__seats"), seats_taken=Sum("tiers__taken"))
        .order_by("starts_at")[:6]
    )
    queues = [queue for queue in _queues(user) if queue is not None]
    now = timezone.now()
    queues.sort(key=lambda queue: (not queue.is_late, queue.since or now))
    context = {
        "queues": queues,
        "total": sum(queue.count for queue in queues),
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
        "inbox_count": sum(queue.count for queue in queues),
    }
    return render(request, "matchmaking/inbox.html", context)


def _queues(user: User) -> list[Queue | None]:
    return [
        _overdue_buyers(user),
        _enterprises(user),
        _proofs(user),
        _requirements(user),
        _reports(user),
        _overdue_requirements(user),
        _lines(user),
        _registrations(user),
        _memberships(user),
        _failed_mails(user),
    ]


def _sheet_of_cases(user: User, extension: str) -> HttpResponseBase:
    """Every case that waits for a decision of the reader's, queue by queue, oldest first."""
    header = [_("Queue"), pgettext("hit", "Name"), _("Enterprise"), _("Region"), _("Waits since"), _("Due"), _("Address")]  # fmt: skip
    return sheet_response(extension, "inbox", header, _cases(user))


def _cases(user: User) -> Iterator[list[Any]]:
    def row(
        queue: str, name: str, whose: Enterprise, since: Any, page: str, *named: str
    ) -> list[Any]:
        return [
            queue, name, localised(whose), localised(whose.region) if whose.region else "",
            timezone.localdate(since) if since else None, None, settings.SITE_URL + reverse(page, args=named),
        ]  # fmt: skip

    for one in DESK.pending(user):
        cells = row(_("Enterprises to verify"), localised(one), one, one.submitted_at, "chains:enterprise_case", one.public_id)  # fmt: skip
        cells[5] = calendar.promised_on(one)
        yield cells
    for claim in _claims(user):
        yield row(_("Titles and certificates to verify"), localised(claim.kind), claim.enterprise, claim.created_at, "chains:proof_decide", claim.public_id)  # fmt: skip
    served = calendar.provinces()
    for asked in DESK.submitted(user):
        cells = row(_("Requirements to moderate"), asked.title, asked.enterprise, asked.waits_since, "chains:moderation_case", asked.public_id)  # fmt: skip
        cells[5] = calendar.promised_on(asked, served)
        yield cells
    for said in open_reports(user, DESK):
        yield row(_("Reports of abuse"), said.get_reason_display(), said.reported, said.created_at, "chains:report_decide", said.public_id)  # fmt: skip
    for applied in _to_admit(user).select_related("event", "enterprise__region").order_by("created_at"):  # fmt: skip
        yield row(_("Registrations to approve"), localised(applied.event), applied.enterprise, applied.created_at, "events:guest_list", applied.event.public_id)  # fmt: skip
    for wish in _unanswered(user):
        yield row(_("Requests to join that no owner answered"), "", wish.enterprise, wish.created_at, "chains:enterprise_case", wish.enterprise.public_id)  # fmt: skip


def _age(moment: datetime.datetime | None) -> str:
    days = (timezone.localdate() - timezone.localdate(moment)).days if moment else 0
    if days < 1:
        return _("today")
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


def _begins(day: datetime.date | None) -> datetime.datetime | None:
    return calendar.midnight(day) if day else None


def _enterprises(user: User) -> Queue | None:
    mine = DESK.pending(user)
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


def _claims(user: User) -> list[Qualification | Certification]:
    scope = DESK.enterprises(user).values("pk")
    claims: list[tuple[Enterprise, Qualification | Certification]] = [
        (claim.enterprise, claim)
        for model in (Qualification, Certification)
        for claim in model.objects.claimed()
        .filter(enterprise__in=scope, evidence__isnull=False)
        .select_related("enterprise__region", "kind")
    ]
    claims.sort(key=lambda pair: pair[1].created_at)
    return DESK.on_own_desks(claims, user)


def _proofs(user: User) -> Queue | None:
    mine = _claims(user)
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


def _requirements(user: User) -> Queue | None:
    mine = DESK.submitted(user)
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


def _overdue_requirements(user: User) -> Queue | None:
    """Nothing to decide: a word to the buyer, who closes it or names a new day."""
    rows = Requirement.objects.in_scope_of(user).overdue().order_by("needed_by_on", "pk")
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


def _reports(user: User) -> Queue | None:
    waiting = open_reports(user, DESK)
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


def _lines(user: User) -> Queue | None:
    waiting = (
        Match.objects.to_decide()
        .fitting()
        .filter(line__in=lines_reviewable_by(user).values("pk"))
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
        reverse("matchmaking:review_queue"),
        waiting["oldest"],
    )


def _to_admit(user: User) -> QuerySet[Registration]:
    return Registration.objects.decided_by(user).filter(
        status=Registration.Status.SUBMITTED,
        event__status=Event.Status.PUBLISHED,
        event__admission=Event.Admission.REVIEWED,
        enterprise__status=Enterprise.Status.VERIFIED,
    )


def _registrations(user: User) -> Queue | None:
    rows = _to_admit(user)
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


def _unanswered(user: User) -> list[Membership]:
    """Requests to join that no owner has answered for five days."""
    limit = timezone.now() - datetime.timedelta(days=accounts.ANSWER_DAYS)
    rows = (
        Membership.objects.requested()
        .filter(created_at__lt=limit, enterprise__in=DESK.enterprises(user).values("pk"))
        .select_related("enterprise__region")
        .order_by("created_at")
    )
    return [row for row in rows if DESK.may_verify(user, row.enterprise)]


def _memberships(user: User) -> Queue | None:
    mine = _unanswered(user)
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


def _overdue_buyers(user: User) -> Queue | None:
    rows = (
        Interest.objects.waiting()
        .annotate(due_day=Interest.DUE_DAY)
        .filter(
            due_day__lt=timezone.localdate(),
            requirement__in=Requirement.objects.in_scope_of(user).values("pk"),
        )
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


def _failed_mails(user: User) -> Queue | None:
    if not user.is_administrator:
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
