"""Review: a reviewer holds a line, decides on its candidates one by one, and can take each decision back."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications
from chains.errors import DomainError
from chains.models import Enterprise, Notification, Requirement, RequirementLine, User
from matchmaking import permissions
from matchmaking.models import Decision, Lease, Match
from matchmaking.services import pairs

LEASE = datetime.timedelta(minutes=10)


# -- the lease ------------------------------------------------------------------------------------


@transaction.atomic
def take_lease(*, line: RequirementLine, by: User) -> Lease:
    """Hold a line for ten minutes, or go on holding it; what the reviewer held before is free again.

    A lease passes with time and changes nothing: it leaves no trace in the trail or the feed.
    """
    _ask(by, line)
    lease = _hold(line, by)
    Lease.objects.filter(by=by).exclude(pk=lease.pk).delete()
    return lease


@transaction.atomic
def release_lease(*, line: RequirementLine, by: User) -> None:
    """Give the line free before its ten minutes are over."""
    _ask(by, line)
    Lease.objects.filter(line=line, by=by).delete()


def _hold(line: RequirementLine, by: User) -> Lease:
    """One statement takes a free or lapsed lease, or prolongs one's own: of two reviewers one gets the line."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO matchmaking_lease AS held (line_id, by_id, expires_at) VALUES (%s, %s, %s)
            ON CONFLICT (line_id) DO UPDATE SET by_id = excluded.by_id, expires_at = excluded.expires_at
                WHERE held.by_id = excluded.by_id OR held.expires_at <= %s
            RETURNING id
            """,
            [line.pk, by.pk, now + LEASE, now],
        )
        row = cursor.fetchone()
    if row is None:
        raise held_by_colleague(line)
    return Lease.objects.get(pk=row[0])


def held_by_colleague(line: RequirementLine) -> DomainError:
    until = Lease.objects.filter(line=line).values_list("expires_at", flat=True).first()
    time = f"{timezone.localtime(until or timezone.now() + LEASE):%H:%M}"
    return DomainError(
        _("A colleague holds this line until %(time)s. Take another one meanwhile.")
        % {"time": time},
        code="line.held",
    )


def _ask(by: User, line: RequirementLine) -> None:
    if not permissions.can_review(by, line):
        raise DomainError(
            _(
                "Only the desk of the buyer's region, or of an event that lists the requirement, reviews its matches."
            ),
            code="match.forbidden",
        )


# -- decisions ------------------------------------------------------------------------------------


@transaction.atomic
def approve(*, match: Match, by: User, note: str = "", reason: str = "") -> Match:
    """Recommend the supplier to the buyer. One that misses a must needs a reason in words."""
    match = _locked([match], by)[0]
    _approve(match, by, note=_words(reason, note))
    _announce(match.line.requirement, [match])
    return match


@transaction.atomic
def approve_many(*, matches: Sequence[Match], by: User, note: str = "") -> list[Match]:
    """All of them or none; what is approved already is passed over. Returns those approved now."""
    chosen = [
        match
        for match in _locked(matches, by)
        if match.status != Match.Status.APPROVED or match.is_stale
    ]
    for match in chosen:
        _approve(match, by, note=note.strip())
    by_requirement: dict[int, list[Match]] = {}
    for match in chosen:
        by_requirement.setdefault(match.line.requirement_id, []).append(match)
    for fresh in by_requirement.values():
        _announce(fresh[0].line.requirement, fresh)
    return chosen


def _approve(match: Match, by: User, *, note: str, by_hand: bool = False) -> None:
    if match.misses_must and not note:
        raise DomainError(
            _("This supplier misses a must. Write why you approve it all the same."),
            code="match.reason_missing",
            field="reason",
        )
    open_to = [
        Match.Status.PROPOSED,
        Match.Status.DEFERRED,
        *([Match.Status.ENDED] if by_hand else []),
    ]
    _expect(match, *open_to, or_stale=Match.Status.APPROVED)
    if by_hand and match.status == Match.Status.ENDED:
        match.origin = Match.Origin.BY_HAND
    _decide(match, by, Decision.Verdict.APPROVED, note=note)


@transaction.atomic
def reject(*, match: Match, reason: str, by: User, note: str = "") -> Match:
    """Take the supplier out of the line, with a reason; "other" needs a note."""
    note = note.strip()
    if reason not in Decision.Reason.values:
        raise DomainError(
            _("Choose a reason for rejecting."), code="match.reason_missing", field="reason"
        )
    if reason == Decision.Reason.OTHER and not note:
        raise DomainError(_("Write a note: what is the other reason?"), code="match.note_missing")
    match = _locked([match], by)[0]
    _expect(match, Match.Status.PROPOSED, Match.Status.DEFERRED, or_stale=Match.Status.REJECTED)
    return _decide(match, by, Decision.Verdict.REJECTED, reason=reason, note=note)


@transaction.atomic
def defer(
    *, match: Match, by: User, until_on: datetime.date | None = None, note: str = ""
) -> Match:
    """Put the pair aside, until a day or until somebody looks again."""
    if until_on is not None and until_on <= timezone.localdate():
        raise DomainError(_("Choose a day after today."), code="match.day_past", field="until_on")
    match = _locked([match], by)[0]
    _expect(match, Match.Status.PROPOSED, Match.Status.DEFERRED)
    return _decide(match, by, Decision.Verdict.DEFERRED, note=note.strip(), until_on=until_on)


@transaction.atomic
def undo(*, match: Match, by: User) -> Match:
    """Take the decision back, whoever made it: the pair is to be decided again. The record keeps both."""
    match = _locked([match], by)[0]
    if match.status not in Match.DECIDED:
        raise DomainError(_("There is no decision to undo."), code="match.undecided")
    return _decide(match, by, Decision.Verdict.UNDONE)


def add_by_hand(*, line: RequirementLine, supplier: Enterprise, reason: str, by: User) -> Match:
    """Approve a supplier that no run found, with a reason. Two steps: the pair is scored, then decided on."""
    reason = reason.strip()
    _ask(by, line)
    if not reason:
        raise DomainError(
            _("Write why this supplier fits the line."), code="match.reason_missing", field="reason"
        )
    # Outside the decision's transaction: a cold process takes its time to read the market.
    pair = pairs.compute_pair(line=line, supplier=supplier, by=by)
    with transaction.atomic():
        match = _locked([pair], by)[0]
        _approve(match, by, note=reason, by_hand=True)
        _announce(match.line.requirement, [match])
    return match


def _words(*parts: str) -> str:
    return "\n".join(part.strip() for part in parts if part.strip())[:500]


def _locked(matches: Sequence[Match], by: User) -> list[Match]:
    """The matches as they stand now, with their lines held by the reviewer.

    Locks go requirement, line, match – as in publishing, closing and scoring – so that nobody waits in a circle. The
    requirement's lock also decides whether this approval or the publication tells the two sides.
    """
    ids = [match.pk for match in matches]
    lines = RequirementLine.objects.filter(matches__in=ids)
    list(
        Requirement.objects.filter(pk__in=lines.values("requirement"))
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
    held = {
        line.pk: line
        for line in RequirementLine.objects.scored()
        .filter(pk__in=lines.values("pk"))
        .select_related("requirement__enterprise__region", "requirement__posted_by")
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    }
    found = list(Match.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)))
    for match in found:
        line = held.get(match.line_id)
        if line is None:
            raise DomainError(
                _("This line is no longer open. Its matches have ended."), code="line.not_open"
            )
        match.line = line
    for line in held.values():
        _ask(by, line)
        _hold(line, by)
    return found


def _expect(match: Match, *states: str, or_stale: str = "") -> None:
    """The pair stands as the reviewer saw it: undecided, or decided on words that have changed since."""
    if match.status in states or (match.is_stale and match.status == or_stale):
        return
    if match.status == Match.Status.ENDED:
        raise DomainError(
            _("This pair is no longer among the best of its line. Add the supplier by hand."),
            code="match.ended",
        )
    raise DomainError(
        _("This pair has been decided meanwhile: %(state)s. Undo that first.")
        % {"state": match.get_status_display()},
        code="match.decided",
    )


def _decide(
    match: Match,
    by: User,
    verdict: Decision.Verdict,
    *,
    reason: str = "",
    note: str = "",
    until_on: datetime.date | None = None,
) -> Match:
    before = match.status
    Decision.objects.create(
        match=match,
        verdict=verdict,
        reason=reason,
        note=note[:500],
        until_on=until_on,
        score_id=match.score_id,
        by=by,
    )
    undone = verdict == Decision.Verdict.UNDONE
    match.status = Match.Status.PROPOSED if undone else Match.Status(verdict)
    match.decided_at = None if undone else timezone.now()
    match.deferred_until_on = until_on
    match.is_stale = False
    match.save(
        update_fields=[
            "status",
            "origin",
            "decided_at",
            "deferred_until_on",
            "is_stale",
            "updated_at",
        ]
    )
    audit.record(
        by,
        f"match.{verdict}",
        match,
        line=match.line.public_id,
        tenths=match.tenths,
        before=before,
        reason=reason,
    )
    changes.record("match", match, str(verdict))
    return match


# -- telling both sides ---------------------------------------------------------------------------


@transaction.atomic
def announce(*, requirement: Requirement, by: User | None = None) -> int:  # noqa: ARG001 -- every verb has its actor
    """After publication: tell of what was approved under the embargo. What is approved later tells for itself."""
    waiting = list(
        Match.objects.approved()
        .filter(line__requirement=requirement, decided_at__lt=F("line__requirement__published_at"))
        .filter(line__status=RequirementLine.Status.OPEN)
        .select_related("line")
        .order_by("pk")
    )
    _announce(requirement, waiting)
    return len(waiting)


def _announce(requirement: Requirement, matches: Sequence[Match]) -> None:
    """One notice a side and day about a requirement, however many of its pairs were approved."""
    if not requirement.is_published or not matches:
        return
    for user in User.objects.who_act_on(requirement):
        _tell(user, "suppliers_recommended", requirement=requirement.public_id)
    for supplier in Enterprise.objects.filter(matches__in=[m.pk for m in matches]).distinct():
        for user in User.objects.editors_of([supplier.pk]):
            _tell(
                user,
                "recommended",
                requirement=requirement.public_id,
                enterprise=supplier.public_id,
            )


def _tell(user: User, kind: str, **context: Any) -> None:
    told = Notification.objects.filter(
        to=user, kind=kind, context=context, created_at__date=timezone.localdate()
    )
    if not told.exists():
        notifications.post(user, kind, **context)
