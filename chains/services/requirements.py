from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, moderation, notifications, permissions, sweeping, versions
from chains.errors import DomainError
from chains.models import Enterprise, OrganiserRole, Remark, Requirement, RequirementLine, User
from chains.services import requirement_writing
from chains.services.requirement_writing import ConditionDraft, LineDraft, RequirementFields

# A returned requirement that nobody corrects closes after this many days (J4).
RETURNED_DAYS = 10
Status, CloseReason = Requirement.Status, Requirement.CloseReason
Outcome = Requirement.Outcome

May = Callable[[User, Requirement], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkDraft:
    """What the desk asks to be changed: a saved reason, words of its own, or both."""

    text: str = ""
    code: str = ""
    line: RequirementLine | None = None


# --- To the desk and back -----------------------------------------------------------------------------


@transaction.atomic
def submit(*, requirement: Requirement, by: User) -> Requirement:
    """Hand the requirement to its moderation desk. What is missing comes as `missing` of the error."""
    requirement = locked(requirement)
    _check_submitter(by, requirement)
    if requirement.status == Status.SUBMITTED:
        return requirement  # the second of two clicks
    check_status(requirement, Status.DRAFT, Status.RETURNED)
    faults = _missing(requirement)
    if faults:
        raise DomainError(" ".join(faults.values()), code="requirement.incomplete", missing=faults)
    again = requirement.returned_at is not None
    requirement.status = Status.SUBMITTED
    requirement.submitted_at = timezone.now()
    requirement.save(update_fields=["status", "submitted_at", "updated_at"])
    _tell(requirement, by, "submitted", again=again)
    for role in OrganiserRole.objects.desks_of(requirement.enterprise):
        _post(role.user, "requirement_submitted", requirement, email=False)
    return requirement


@transaction.atomic
def return_(
    *,
    requirement: Requirement,
    remarks: Sequence[RemarkDraft],
    by: User,
    may: May = permissions.can_moderate,
) -> Requirement:
    """Send it back with at least one remark; unanswered for ten days it closes."""
    requirement = locked(requirement)
    _check_desk(by, requirement, may)
    check_status(requirement, Status.SUBMITTED)
    remarks = [remark for remark in remarks if remark.text.strip() or remark.code]
    if not remarks:
        raise DomainError(
            _("Say with at least one remark what must be changed."),
            code="requirement.no_remark",
            field="remarks",
        )
    for remark in remarks:
        if remark.line is not None and remark.line.requirement_id != requirement.pk:
            raise DomainError(_("This line belongs to another requirement."), code="remark.line")
    Remark.objects.bulk_create(
        Remark(
            requirement=requirement,
            line=remark.line,
            line_number=remark.line.number if remark.line else None,
            code=remark.code,
            text=remark.text.strip()[:500],
            by=by,
        )
        for remark in remarks
    )
    requirement.status = Status.RETURNED
    requirement.returned_at = timezone.now()
    requirement.save(update_fields=["status", "returned_at", "updated_at"])
    _tell(requirement, by, "returned", remarks=len(remarks))
    _post_to_owner(requirement, "requirement_returned")
    return requirement


@transaction.atomic
def approve(
    *, requirement: Requirement, by: User, may: May = permissions.can_moderate
) -> Requirement:
    """Accept it. Without an embargo it is published in the same moment."""
    requirement = locked(requirement)
    _check_desk(by, requirement, may)
    if requirement.status in (Status.APPROVED, Status.PUBLISHED):
        return requirement  # the second of two clicks
    check_status(requirement, Status.SUBMITTED)
    if requirement.closes_on is not None and requirement.closes_on < timezone.localdate():
        raise DomainError(
            _("Its closing day has passed. Return it so that the enterprise can choose a new one."),
            code="requirement.too_late",
        )
    requirement.status = Status.APPROVED
    requirement.approved_at = timezone.now()
    requirement.save(update_fields=["status", "approved_at", "updated_at"])
    _tell(requirement, by, "approved")
    if _is_free(requirement):
        _publish(requirement, by=by)
    else:
        _post_to_owner(requirement, "requirement_approved")
    return requirement


@transaction.atomic
def refuse(
    *,
    requirement: Requirement,
    reason: str,
    by: User,
    note: str = "",
    may: May = permissions.can_moderate,
) -> Requirement:
    """End it without publication. `reason` is a saved reason's code or a sentence."""
    requirement = locked(requirement)
    _check_desk(by, requirement, may)
    check_status(requirement, Status.SUBMITTED)
    _state_reason(requirement, reason, note, by)
    _close(requirement, CloseReason.REFUSED, by=by, verb="refused", note=_note(reason, note))
    _post_to_owner(requirement, "requirement_refused")
    return requirement


@transaction.atomic
def take_down(
    *,
    requirement: Requirement,
    reason: str,
    by: User,
    note: str = "",
    may: May = permissions.can_moderate,
) -> Requirement:
    """Remove what is published from sight."""
    requirement = locked(requirement)
    _check_desk(by, requirement, may)
    check_status(requirement, Status.PUBLISHED)
    _state_reason(requirement, reason, note, by)
    _close(requirement, CloseReason.TAKEN_DOWN, by=by, verb="taken_down", note=_note(reason, note))
    _post_to_owner(requirement, "requirement_taken_down")
    return requirement


@transaction.atomic
def see_amendment(
    *, requirement: Requirement, by: User, may: May = permissions.can_moderate
) -> Requirement:
    """The desk has looked at an amendment and leaves it."""
    requirement = locked(requirement)
    _check_desk(by, requirement, may)
    if not requirement.amendment_waits:
        return requirement
    requirement.amendment_seen_at = timezone.now()
    requirement.save(update_fields=["amendment_seen_at", "updated_at"])
    _tell(requirement, by, "checked")
    return requirement


# --- Published ----------------------------------------------------------------------------------------


def publish_due(*, by: None = None) -> int:
    """The system's: publish what is approved and whose embargo is over.

    What was held back until one moment comes out in one: nobody ever reads half a list.
    """
    due = Requirement.objects.filter(
        Q(embargoed_until=None) | Q(embargoed_until__lte=timezone.now()), status=Status.APPROVED
    )
    together: dict[datetime.datetime | None, list[int]] = defaultdict(list)
    # Always in this order: two sweepers at once never wait for each other in a ring.
    for pk, moment in due.order_by("pk").values_list("pk", "embargoed_until"):
        together[moment].append(pk)
    return sweeping.each(together.values(), lambda pks: _publish_together(pks, by))


@transaction.atomic
def _publish_together(pks: Sequence[int], by: User | None) -> int:
    return sum(_publish_if_free(pk, by) for pk in pks)


def _publish_if_free(pk: int, by: User | None) -> bool:
    requirement = _lock(pk)
    if requirement.status != Status.APPROVED or not _is_free(requirement):
        return False
    if requirement.closes_on is not None and requirement.closes_on < timezone.localdate():
        return False  # `close_due` ends it
    _publish(requirement, by=by)
    return True


@transaction.atomic
def set_embargo(
    *,
    requirement: Requirement,
    until: datetime.datetime | None,
    by: User | None = None,
    may: May = permissions.can_moderate,
) -> Requirement:
    """Hold an approved requirement back until a moment, or free it. Never hides what is published."""
    requirement = locked(requirement)
    if by is not None:
        _check_desk(by, requirement, may)
    if requirement.status in (Status.PUBLISHED, Status.CLOSED) or (
        requirement.embargoed_until == until
    ):
        return requirement
    requirement.embargoed_until = until
    requirement.save(update_fields=["embargoed_until", "updated_at"])
    audit.record(
        by, "requirement.embargoed", requirement, until=until.isoformat() if until else None
    )
    changes.record("requirement", requirement, "embargoed")
    if requirement.status == Status.APPROVED and _is_free(requirement):
        _publish(requirement, by=by)
    return requirement


@transaction.atomic
def amend(
    *,
    requirement: Requirement,
    by: User,
    lines: Sequence[LineDraft] | None = None,
    conditions: Sequence[ConditionDraft] | None = None,
    questions: Sequence[str] | None = None,
    seen: str = "",
    **fields: Unpack[RequirementFields],
) -> Requirement:
    """Change what is approved or published; it takes effect at once, and the desk looks at it afterwards.

    An open line that the list leaves out is withdrawn, never deleted: matches stand on it.
    """
    requirement = locked(requirement)
    _check_submitter(by, requirement)
    check_status(requirement, Status.APPROVED, Status.PUBLISHED)
    check_seen(requirement, seen)
    before = {name: getattr(requirement, name) for name in fields if name != "cooperation_kinds"}
    requirement_writing.write(requirement, fields, lines)
    touched = requirement_writing.amend_lines(requirement, lines, by) if lines is not None else []
    requirement_writing.write_parts(requirement, conditions, questions)
    faults = _missing(requirement, is_new=False)
    if faults:
        raise DomainError(" ".join(faults.values()), code="requirement.incomplete", missing=faults)
    requirement.amended_at = timezone.now()
    requirement.save(update_fields=["amended_at", "updated_at"])
    changed = sorted(name for name, value in before.items() if getattr(requirement, name) != value)
    _tell(requirement, by, "amended", fields=changed, lines=touched)
    for role in OrganiserRole.objects.desks_of(requirement.enterprise):
        _post(role.user, "requirement_amended", requirement, email=False)
    return requirement


# --- Closing ------------------------------------------------------------------------------------------


@transaction.atomic
def withdraw(
    *, requirement: Requirement, by: User, note: str = "", outcome: str = ""
) -> Requirement:
    """The owner ends it, whatever its state after the draft, and says how the need ended.

    Found here, it counts as filled, and so do its open lines.
    """
    requirement = locked(requirement)
    check_poster(by, requirement.enterprise)
    ended = (CloseReason.WITHDRAWN, CloseReason.FILLED)
    if requirement.close_reason in ended and requirement.close_outcome == outcome:
        return requirement  # the second of two clicks
    check_status(requirement, Status.SUBMITTED, Status.RETURNED, Status.APPROVED, Status.PUBLISHED)
    if outcome not in ("", *Outcome.values):
        raise DomainError(_("Say how it ended."), code="requirement.outcome")
    here = outcome == Outcome.HERE
    if here and requirement.is_accepted:
        for line in requirement.lines.open():
            line.requirement = requirement
            requirement_writing.end_line(line, RequirementLine.Status.FILLED, by, Outcome.HERE)
    requirement.close_outcome = outcome
    reason = CloseReason.FILLED if here else CloseReason.WITHDRAWN
    _close(requirement, reason, by=by, verb="filled" if here else "withdrawn", note=note)
    return requirement


@transaction.atomic
def fill_line(*, line: RequirementLine, by: User) -> RequirementLine:
    """The owner has found a supplier. With its last open line the requirement closes."""
    return _end_line(line, RequirementLine.Status.FILLED, by, Outcome.HERE)


@transaction.atomic
def withdraw_line(*, line: RequirementLine, by: User, outcome: str = "") -> RequirementLine:
    """The owner found it elsewhere or no longer needs it. With its last open line the requirement closes."""
    if outcome not in ("", Outcome.ELSEWHERE, Outcome.NOT_NEEDED):
        raise DomainError(_("Say how it ended."), code="line.outcome")
    return _end_line(line, RequirementLine.Status.WITHDRAWN, by, outcome)


def _end_line(
    line: RequirementLine, status: RequirementLine.Status, by: User, outcome: str
) -> RequirementLine:
    requirement = _lock(line.requirement_id)
    _check_submitter(by, requirement)
    line = RequirementLine.objects.get(pk=line.pk)
    if line.status == status:
        return line
    check_status(requirement, Status.APPROVED, Status.PUBLISHED)
    if line.status != RequirementLine.Status.OPEN:
        raise DomainError(_("This line has ended already."), code="line.not_open")
    line.requirement = requirement
    requirement_writing.end_line(line, status, by, outcome)
    _close_when_all_ended(requirement, by)
    return line


def _close_when_all_ended(requirement: Requirement, by: User) -> None:
    ended = list(requirement.lines.values_list("status", "outcome"))
    states = {status for status, _outcome in ended}
    if not states or RequirementLine.Status.OPEN in states:
        return
    filled = RequirementLine.Status.FILLED in states
    # The best that became of any of them; a filled one was found here even where it does not say so.
    outcomes = {
        Outcome.HERE if status == RequirementLine.Status.FILLED else outcome
        for status, outcome in ended
    }
    requirement.close_outcome = next((one for one in Outcome.values if one in outcomes), "")
    _close(
        requirement,
        CloseReason.FILLED if filled else CloseReason.WITHDRAWN,
        by=by,
        verb="filled" if filled else "withdrawn",
    )


def close_due(*, by: None = None) -> int:
    """The system's: close what is past its last answer, and what was returned and not corrected.

    What is held back by an embargo can take no interest once its closing day has passed: it ends with that day.
    """
    today = timezone.localdate()
    limit = timezone.now() - datetime.timedelta(days=RETURNED_DAYS)
    expired = Requirement.objects.published().filter(answer_by_on__lt=today)
    unanswered = Requirement.objects.filter(status=Status.RETURNED, returned_at__lt=limit)
    count = sweeping.each(
        expired.values_list("pk", flat=True),
        lambda pk: _close_if(pk, Status.PUBLISHED, CloseReason.EXPIRED, by),
    )
    late = Requirement.objects.filter(status=Status.APPROVED, closes_on__lt=today)
    count += sweeping.each(
        late.values_list("pk", flat=True),
        lambda pk: _close_if(pk, Status.APPROVED, CloseReason.EXPIRED, by),
    )
    return count + sweeping.each(
        unanswered.values_list("pk", flat=True),
        lambda pk: _close_if(pk, Status.RETURNED, CloseReason.UNANSWERED, by),
    )


@transaction.atomic
def _close_if(
    pk: int, status: Requirement.Status, reason: Requirement.CloseReason, by: User | None
) -> bool:
    requirement = _lock(pk)
    if requirement.status != status:
        return False  # somebody was faster
    _close(requirement, reason, by=by, verb=str(reason))
    _post_to_owner(requirement, f"requirement_{reason}")
    return True


@transaction.atomic
def close_suspended(*, enterprise: Enterprise, by: User | None) -> int:
    """End what a suspended enterprise has under way; its drafts stay as they are."""
    if not enterprise.is_suspended:
        raise DomainError(_("The enterprise is not suspended."), code="enterprise.not_suspended")
    under_way = Requirement.objects.filter(enterprise=enterprise).exclude(
        status__in=[Status.DRAFT, Status.CLOSED]
    )
    rows = list(under_way.select_for_update(of=("self",)).order_by("pk"))
    for requirement in rows:
        _close(requirement, CloseReason.ENTERPRISE_SUSPENDED, by=by, verb="suspended")
    return len(rows)


# --- Rights and states --------------------------------------------------------------------------------


def _lock(pk: int) -> Requirement:
    return (
        Requirement.objects.select_for_update(of=("self",))
        .select_related("enterprise__region", "posted_by", "contact")
        .get(pk=pk)
    )


def locked(requirement: Requirement) -> Requirement:
    return _lock(requirement.pk)


def check_poster(by: User, enterprise: Enterprise) -> None:
    if enterprise.is_suspended:
        raise DomainError(
            _("This enterprise is suspended and can only read. Ask its desk."),
            code="requirement.forbidden",
        )
    if not permissions.can_post_for(by, enterprise):
        raise DomainError(
            _("Only editors of the enterprise, or an association it has authorised, can do this."),
            code="requirement.forbidden",
        )


def _check_submitter(by: User, requirement: Requirement) -> None:
    check_poster(by, requirement.enterprise)
    if not permissions.can_submit(by, requirement):
        raise DomainError(
            _(
                "The enterprise waits for its desk. Keep the draft; it can be submitted once the enterprise is verified."
            ),
            code="requirement.forbidden",
        )


def _check_desk(by: User, requirement: Requirement, may: May) -> None:
    if not may(by, requirement):
        raise DomainError(
            _(
                "Only the desk of the enterprise's region decides this, and nobody in their own case."
            ),
            code="requirement.forbidden",
        )


def check_status(requirement: Requirement, *states: Requirement.Status) -> None:
    if requirement.status not in states:
        raise DomainError(
            _(
                "The requirement is “%(state)s” now; this cannot be done any more. Load the page again."
            )
            % {"state": requirement.get_status_display()},
            code="requirement.state",
        )


def check_seen(requirement: Requirement, seen: str) -> None:
    if seen:  # under the lock, so that of two at the same moment one is told
        versions.expect(seen, versions.of_requirement(requirement), code="requirement.stale")


def _missing(requirement: Requirement, *, is_new: bool = True) -> dict[str, str]:
    """What stands between a draft and its desk: field → sentence."""
    faults: dict[str, str] = {}
    if not requirement.title.strip():
        faults["title"] = _("Enter a title.")
    lines = list(requirement.lines.open().order_by("number"))
    if not lines:
        faults["lines"] = _("Enter at least one line.")
    for line in lines:
        if line.quantity is not None and line.unit_id is None:
            faults[f"line-{line.number}-unit"] = _("Line %(number)d: choose the unit.") % {
                "number": line.number
            }
    if requirement.closes_on is None or (is_new and requirement.closes_on <= timezone.localdate()):
        faults["closes_on"] = _("Choose a closing day after today.")
    if requirement.answer_by_on is None:
        faults["answer_by_on"] = _("Choose the day by which you answer every interest.")
    if fault := _fault_of_contact(requirement):
        faults["contact"] = fault
    return faults


def _fault_of_contact(requirement: Requirement) -> str:
    contact = requirement.contact
    if contact is None or not contact.is_active:
        return _("Choose a contact.")
    if not requirement_writing.may_name(requirement, contact):
        return _("This contact belongs to another enterprise.")
    return ""


def _is_free(requirement: Requirement) -> bool:
    return requirement.embargoed_until is None or requirement.embargoed_until <= timezone.now()


def _publish(requirement: Requirement, *, by: User | None) -> None:
    requirement.status = Status.PUBLISHED
    requirement.published_at = timezone.now()
    requirement.save(update_fields=["status", "published_at", "updated_at"])
    _tell(requirement, by, "published")
    _post_to_owner(requirement, "requirement_published")


def _close(
    requirement: Requirement,
    reason: Requirement.CloseReason,
    *,
    by: User | None,
    verb: str,
    note: str = "",
) -> None:
    requirement.status = Status.CLOSED
    requirement.close_reason = reason
    requirement.close_note = note.strip()[:300]
    requirement.closed_at = timezone.now()
    requirement.save(
        update_fields=[
            "status",
            "close_reason",
            "close_note",
            "close_outcome",
            "closed_at",
            "updated_at",
        ]
    )
    audit.record(by, f"requirement.{verb}", requirement, reason=str(reason))
    # One verb for the feed: whoever reads it cares that it ended, and finds why on the row.
    changes.record("requirement", requirement, "closed")


def _state_reason(requirement: Requirement, reason: str, note: str, by: User) -> None:
    """A saved reason keeps its code, so that each reader sees it in their language."""
    is_saved = bool(moderation.sentence_of(reason))
    if not reason.strip():
        raise DomainError(
            _("State the reason; the enterprise reads it."),
            code="requirement.no_reason",
            field="reason",
        )
    Remark.objects.create(
        requirement=requirement,
        code=reason if is_saved else "",
        text=(note if is_saved else f"{reason} {note}").strip()[:500],
        by=by,
    )


def _note(reason: str, note: str) -> str:
    return note if moderation.sentence_of(reason) else f"{reason} {note}".strip()


def _tell(requirement: Requirement, by: User | None, verb: str, **data: Any) -> None:
    audit.record(by, f"requirement.{verb}", requirement, **data)
    changes.record("requirement", requirement, verb)


def _post(to: User, kind: str, requirement: Requirement, *, email: bool = True) -> None:
    notifications.post(
        to,
        kind,
        email=email,
        requirement=requirement.public_id,
        enterprise=requirement.enterprise.public_id,
    )


def _post_to_owner(requirement: Requirement, kind: str) -> None:
    """Everybody who can act on it."""
    for user in User.objects.who_act_on(requirement):
        _post(user, kind, requirement)
