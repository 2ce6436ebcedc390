from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import (
    audit,
    changes,
    conditions,
    moderation,
    notifications,
    permissions,
    searchtext,
    versions,
)
from chains.errors import DomainError, check_fields
from chains.models import (
    Category,
    Chain,
    Condition,
    Contact,
    CooperationKind,
    DockingKind,
    Enterprise,
    Language,
    OrganiserRole,
    Period,
    Project,
    Question,
    Region,
    Remark,
    Requirement,
    RequirementLine,
    Segment,
    Unit,
    User,
)
from chains.models.base import ALPHABET

# A returned requirement that nobody corrects closes after this many days (J4).
RETURNED_DAYS = 10
MAX_CONDITIONS = 20

Status, CloseReason = Requirement.Status, Requirement.CloseReason
May = Callable[[User, Requirement], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDraft:
    """A condition as typed. Without `parameter` its text is read here; free text has none."""

    kind: str
    text: str
    strength: str = Condition.Strength.MUST
    parameter: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDraft:
    """One line to be. With the `public_id` of a line it changes that line, else it adds one."""

    text: str
    public_id: str = ""
    language: str = ""
    category: Category | None = None
    segment: Segment | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None
    period: str = Period.ONCE
    needed_by_on: datetime.date | None = None
    specification: str = ""
    # None keeps what the line has; a list replaces it.
    conditions: Sequence[ConditionDraft] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkDraft:
    """What the desk asks to be changed: a saved reason, words of its own, or both."""

    text: str = ""
    code: str = ""
    line: RequirementLine | None = None


class RequirementFields(TypedDict, total=False):
    title: str
    text: str
    language: str
    docking_kind: DockingKind
    seeks: str
    chain: Chain | None
    region: Region | None
    project: Project | None
    needed_by_on: datetime.date | None
    closes_on: datetime.date | None
    answer_by_on: datetime.date | None
    is_urgent: bool
    import_substitution: bool
    contact: Contact | None
    contact_policy: str
    cooperation_kinds: Iterable[CooperationKind]


class ProjectFields(TypedDict, total=False):
    name: str
    language: str
    chain: Chain | None
    region: Region | None
    amount_cents: int | None
    currency: str
    stage: str
    needed_by_on: datetime.date | None
    is_public: bool


# --- Drafts -------------------------------------------------------------------------------------------


@transaction.atomic
def save_draft(
    *,
    enterprise: Enterprise,
    by: User,
    requirement: Requirement | None = None,
    lines: Sequence[LineDraft] | None = None,
    conditions: Sequence[ConditionDraft] | None = None,
    questions: Sequence[str] | None = None,
    public_id: str = "",
    seen: str = "",
    **fields: Unpack[RequirementFields],
) -> Requirement:
    """Create or change a draft, or one that the desk returned. What is None stays as it is.

    A given list of lines replaces the former one: lines it leaves out are deleted. `public_id` names a new
    draft beforehand, so that the second of two clicks finds the first one's. `seen` is the seal of
    what the form was opened on (`chains.versions`).
    """
    if requirement is None:
        _ask(by, enterprise)
        requirement = Requirement(enterprise=enterprise, posted_by=_poster(by, enterprise))
        if public_id:
            requirement.public_id = _free_name(public_id)
        verb = "created"
    else:
        requirement = _locked(requirement)
        _ask(by, requirement.enterprise)
        _expect(requirement, Status.DRAFT, Status.RETURNED)
        _expect_seen(requirement, seen)
        verb = "edited"
    _write(requirement, fields, lines)
    if lines is not None:
        _replace_lines(requirement, lines)
    _write_parts(requirement, conditions, questions)
    audit.record(by, f"requirement.{verb}", requirement, lines=requirement.lines.count())
    changes.record("requirement", requirement, verb)
    return requirement


def _free_name(public_id: str) -> str:
    if not re.fullmatch(f"[{ALPHABET}]{{12}}", public_id):
        raise DomainError(_("Load the form again."), code="requirement.name")
    if Requirement.objects.filter(public_id=public_id).exists():
        raise _saved_already()
    return public_id


def _saved_already() -> DomainError:
    return DomainError(_("This draft has been saved already."), code="requirement.saved_already")


@transaction.atomic
def delete_draft(*, requirement: Requirement, by: User) -> None:
    """Remove a draft with its parts. Whatever was submitted once ends in a state instead."""
    requirement = _locked(requirement)
    _ask(by, requirement.enterprise)
    _expect(requirement, Status.DRAFT)
    audit.record(by, "requirement.deleted", requirement)
    changes.record("requirement", requirement, "deleted")
    requirement.delete()


@transaction.atomic
def copy(*, requirement: Requirement, by: User) -> Requirement:
    """A new draft with the same words; its dates are to be chosen again."""
    _ask(by, requirement.enterprise)
    draft = Requirement(
        enterprise=requirement.enterprise, posted_by=_poster(by, requirement.enterprise)
    )
    for name in _COPIED:
        setattr(draft, name, getattr(requirement, name))
    if requirement.contact is not None and not requirement.contact.is_active:
        draft.contact = None
    draft.save()
    draft.cooperation_kinds.set(requirement.cooperation_kinds.all())
    twins: dict[int, RequirementLine] = {}
    for number, line in enumerate(requirement.lines.order_by("number"), 1):
        twins[line.pk] = draft.lines.create(
            number=number, **{name: getattr(line, name) for name in _COPIED_LINE}
        )
    Condition.objects.bulk_create(
        Condition(
            requirement=draft,
            line=twins[row.line_id] if row.line_id else None,
            kind=row.kind,
            strength=row.strength,
            parameter=row.parameter,
            text=row.text,
        )
        for row in requirement.conditions.all()
    )
    Question.objects.bulk_create(
        Question(requirement=draft, order=q.order, text=q.text) for q in requirement.questions.all()
    )
    _keep_derived(draft)
    audit.record(by, "requirement.created", draft, copied_from=requirement.public_id)
    changes.record("requirement", draft, "created")
    return draft


_COPIED = (
    "project", "docking_kind", "seeks", "chain", "region", "title", "text", "language", "is_urgent",
    "import_substitution", "contact", "contact_policy",
)  # fmt: skip
_COPIED_LINE = (
    "text", "language", "category", "category_suggested", "segment", "quantity", "unit", "period",
    "specification",
)  # fmt: skip


@transaction.atomic
def save_project(
    *,
    enterprise: Enterprise,
    by: User,
    project: Project | None = None,
    **fields: Unpack[ProjectFields],
) -> Project:
    """The investment project that explains why things are needed (row 22)."""
    _ask(by, enterprise)
    verb = "created" if project is None else "changed"
    if project is None:
        project = Project(enterprise=enterprise)
    elif project.enterprise_id != enterprise.pk:
        raise DomainError(
            _("This project belongs to another enterprise."), code="project.forbidden"
        )
    check_fields(fields, ProjectFields.__annotations__)
    for name, value in fields.items():
        setattr(project, name, value)
    if not project.name.strip():
        raise DomainError(_("Enter the name of the project."), code="project.name")
    if "language" not in fields:
        project.language = searchtext.language_of(project.name)
    project.save()
    audit.record(by, f"project.{verb}", project, enterprise=enterprise.public_id)
    changes.record("project", project, verb)
    return project


# --- To the desk and back -----------------------------------------------------------------------------


@transaction.atomic
def submit(*, requirement: Requirement, by: User) -> Requirement:
    """Hand the requirement to its moderation desk. What is missing comes as `missing` of the error."""
    requirement = _locked(requirement)
    _ask_to_submit(by, requirement)
    if requirement.status == Status.SUBMITTED:
        return requirement  # the second of two clicks
    _expect(requirement, Status.DRAFT, Status.RETURNED)
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
    requirement = _locked(requirement)
    _ask_desk(by, requirement, may)
    _expect(requirement, Status.SUBMITTED)
    remarks = [remark for remark in remarks if remark.text.strip() or remark.code]
    if not remarks:
        raise DomainError(
            _("Say with at least one remark what must be changed."), code="requirement.no_remark"
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
    requirement = _locked(requirement)
    _ask_desk(by, requirement, may)
    if requirement.status in (Status.APPROVED, Status.PUBLISHED):
        return requirement  # the second of two clicks
    _expect(requirement, Status.SUBMITTED)
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
    requirement = _locked(requirement)
    _ask_desk(by, requirement, may)
    _expect(requirement, Status.SUBMITTED)
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
    requirement = _locked(requirement)
    _ask_desk(by, requirement, may)
    _expect(requirement, Status.PUBLISHED)
    _state_reason(requirement, reason, note, by)
    _close(requirement, CloseReason.TAKEN_DOWN, by=by, verb="taken_down", note=_note(reason, note))
    _post_to_owner(requirement, "requirement_taken_down")
    return requirement


@transaction.atomic
def see_amendment(
    *, requirement: Requirement, by: User, may: May = permissions.can_moderate
) -> Requirement:
    """The desk has looked at an amendment and leaves it."""
    requirement = _locked(requirement)
    _ask_desk(by, requirement, may)
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
    return sum(_publish_together(pks, by) for pks in together.values())


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
    requirement = _locked(requirement)
    if by is not None:
        _ask_desk(by, requirement, may)
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
    requirement = _locked(requirement)
    _ask_to_submit(by, requirement)
    _expect(requirement, Status.APPROVED, Status.PUBLISHED)
    _expect_seen(requirement, seen)
    before = {name: getattr(requirement, name) for name in fields if name != "cooperation_kinds"}
    _write(requirement, fields, lines)
    touched = _amend_lines(requirement, lines, by) if lines is not None else []
    _write_parts(requirement, conditions, questions)
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
def withdraw(*, requirement: Requirement, by: User, note: str = "") -> Requirement:
    """The owner ends it, whatever its state after the draft."""
    requirement = _locked(requirement)
    _ask(by, requirement.enterprise)
    if requirement.close_reason == CloseReason.WITHDRAWN:
        return requirement  # the second of two clicks
    _expect(requirement, Status.SUBMITTED, Status.RETURNED, Status.APPROVED, Status.PUBLISHED)
    _close(requirement, CloseReason.WITHDRAWN, by=by, verb="withdrawn", note=note)
    return requirement


@transaction.atomic
def fill_line(*, line: RequirementLine, by: User) -> RequirementLine:
    """The owner has found a supplier. With its last open line the requirement closes."""
    return _end_line(line, RequirementLine.Status.FILLED, by)


@transaction.atomic
def withdraw_line(*, line: RequirementLine, by: User) -> RequirementLine:
    """The owner no longer needs it. With its last open line the requirement closes."""
    return _end_line(line, RequirementLine.Status.WITHDRAWN, by)


def _end_line(line: RequirementLine, status: RequirementLine.Status, by: User) -> RequirementLine:
    requirement = _lock(line.requirement_id)
    _ask_to_submit(by, requirement)
    line = RequirementLine.objects.get(pk=line.pk)
    if line.status == status:
        return line
    _expect(requirement, Status.APPROVED, Status.PUBLISHED)
    if line.status != RequirementLine.Status.OPEN:
        raise DomainError(_("This line has ended already."), code="line.not_open")
    line.requirement = requirement
    _write_line_status(line, status, by)
    _close_when_all_ended(requirement, by)
    return line


def _write_line_status(line: RequirementLine, status: RequirementLine.Status, by: User) -> None:
    line.status = status
    line.save(update_fields=["status", "updated_at"])
    audit.record(by, f"line.{status}", line, requirement=line.requirement.public_id)
    changes.record("line", line, str(status))


def _close_when_all_ended(requirement: Requirement, by: User) -> None:
    states = set(requirement.lines.values_list("status", flat=True))
    if not states or RequirementLine.Status.OPEN in states:
        return
    filled = RequirementLine.Status.FILLED in states
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
    count = sum(
        _close_if(pk, Status.PUBLISHED, CloseReason.EXPIRED, by)
        for pk in expired.values_list("pk", flat=True)
    )
    late = Requirement.objects.filter(status=Status.APPROVED, closes_on__lt=today)
    count += sum(
        _close_if(pk, Status.APPROVED, CloseReason.EXPIRED, by)
        for pk in late.values_list("pk", flat=True)
    )
    return count + sum(
        _close_if(pk, Status.RETURNED, CloseReason.UNANSWERED, by)
        for pk in unanswered.values_list("pk", flat=True)
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


def _locked(requirement: Requirement) -> Requirement:
    return _lock(requirement.pk)


def _ask(by: User, enterprise: Enterprise) -> None:
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


def _ask_to_submit(by: User, requirement: Requirement) -> None:
    _ask(by, requirement.enterprise)
    if not permissions.can_submit(by, requirement):
        raise DomainError(
            _(
                "The enterprise waits for its desk. Keep the draft; it can be submitted once the enterprise is verified."
            ),
            code="requirement.forbidden",
        )


def _ask_desk(by: User, requirement: Requirement, may: May) -> None:
    if not may(by, requirement):
        raise DomainError(
            _(
                "Only the desk of the enterprise's region decides this, and nobody in their own case."
            ),
            code="requirement.forbidden",
        )


def _expect(requirement: Requirement, *states: Requirement.Status) -> None:
    if requirement.status not in states:
        raise DomainError(
            _(
                "The requirement is “%(state)s” now; this cannot be done any more. Load the page again."
            )
            % {"state": requirement.get_status_display()},
            code="requirement.state",
        )


def _expect_seen(requirement: Requirement, seen: str) -> None:
    if seen:  # under the lock, so that of two at the same moment one is told
        versions.expect(seen, versions.of_requirement(requirement), code="requirement.stale")


def _poster(by: User, enterprise: Enterprise) -> Enterprise | None:
    """The association that posts under a mandate; None when the enterprise's own people do."""
    if permissions.can_edit(by, enterprise):
        return None
    mandate = permissions.mandate_for(by, enterprise)
    return mandate.association if mandate else None


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
    if requirement.contact is None or not requirement.contact.is_active:
        faults["contact"] = _("Choose a contact.")
    return faults


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
        update_fields=["status", "close_reason", "close_note", "closed_at", "updated_at"]
    )
    audit.record(by, f"requirement.{verb}", requirement, reason=str(reason))
    # One verb for the feed: whoever reads it cares that it ended, and finds why on the row.
    changes.record("requirement", requirement, "closed")


def _state_reason(requirement: Requirement, reason: str, note: str, by: User) -> None:
    """A saved reason keeps its code, so that each reader sees it in their language."""
    is_saved = bool(moderation.sentence_of(reason))
    if not reason.strip():
        raise DomainError(
            _("State the reason; the enterprise reads it."), code="requirement.no_reason"
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


# --- Writing ------------------------------------------------------------------------------------------


def _write(
    requirement: Requirement, fields: RequirementFields, lines: Sequence[LineDraft] | None
) -> None:
    check_fields(fields, RequirementFields.__annotations__)
    kinds = fields.get("cooperation_kinds")
    for name, value in fields.items():
        if name != "cooperation_kinds":
            setattr(requirement, name, value)
    if not requirement.title.strip() and lines:
        requirement.title = lines[0].text[:160]
    if not requirement.title.strip():
        raise DomainError(_("Enter a title."), code="requirement.title")
    if "language" not in fields:
        requirement.language = searchtext.language_of(requirement.title)
    _check(requirement)
    _keep(requirement)
    if kinds is not None:
        requirement.cooperation_kinds.set(kinds)


def _keep(requirement: Requirement) -> None:
    try:
        with transaction.atomic():
            requirement.save()
    except IntegrityError as error:
        if "public_id" not in str(error):
            raise
        raise _saved_already() from error  # two clicks at the same moment


def _check(requirement: Requirement) -> None:
    closes, answers = requirement.closes_on, requirement.answer_by_on
    if closes and answers and answers < closes:
        raise DomainError(
            _("The day by which you answer cannot be before the day interests close."),
            code="requirement.dates",
        )
    project, contact = requirement.project, requirement.contact
    if project is not None and project.enterprise_id != requirement.enterprise_id:
        raise DomainError(
            _("This project belongs to another enterprise."), code="requirement.project"
        )
    # Under a mandate the association may answer in the member's place.
    bodies = (requirement.enterprise_id, requirement.posted_by_id)
    if contact is not None and contact.enterprise_id not in bodies:
        raise DomainError(
            _("This contact belongs to another enterprise."), code="requirement.contact"
        )


def _check_lines(lines: Sequence[LineDraft]) -> None:
    if len(lines) > Requirement.MAX_LINES:
        raise DomainError(
            _("A requirement takes %(most)d lines; there are %(count)d. Post the rest separately.")
            % {"most": Requirement.MAX_LINES, "count": len(lines)},
            code="requirement.too_many_lines",
        )
    for place, line in enumerate(lines, 1):
        if not line.text.strip():
            raise DomainError(
                _("Line %(number)d: enter the product.") % {"number": place}, code="line.no_text"
            )
        if line.quantity is not None and line.quantity <= 0:
            raise DomainError(
                _("Line %(number)d: enter a quantity above 0.") % {"number": place},
                code="line.quantity",
            )


def _replace_lines(requirement: Requirement, lines: Sequence[LineDraft]) -> None:
    _check_lines(lines)
    former = {line.public_id: line for line in requirement.lines.all()}
    kept: set[int] = set()
    for number, draft in enumerate(lines, 1):
        line = former.pop(draft.public_id, None) or RequirementLine(requirement=requirement)
        line.number = number
        _fill_in(line, draft)
        kept.add(line.pk)
    requirement.lines.exclude(pk__in=kept).delete()


def _amend_lines(requirement: Requirement, lines: Sequence[LineDraft], by: User) -> list[int]:
    """Numbers stay: they are what people talk about. Returns those that changed."""
    _check_lines(lines)
    former = {line.public_id: line for line in requirement.lines.open()}
    last = requirement.lines.aggregate(Max("number"))["number__max"] or 0
    if last + sum(draft.public_id not in former for draft in lines) > Requirement.MAX_LINES:
        raise DomainError(
            _("A requirement takes %(most)d lines in all. Post the rest separately.")
            % {"most": Requirement.MAX_LINES},
            code="requirement.too_many_lines",
        )
    touched: list[int] = []
    for draft in lines:
        line = former.pop(draft.public_id, None)
        if line is None:
            last += 1
            line = RequirementLine(requirement=requirement, number=last)
        before = [getattr(line, name) for name in _LINE_FACTS]
        is_new = line.pk is None
        conditions_changed = _fill_in(line, draft)
        if is_new or conditions_changed or before != [getattr(line, name) for name in _LINE_FACTS]:
            touched.append(line.number)
    for line in former.values():
        line.requirement = requirement
        _write_line_status(line, RequirementLine.Status.WITHDRAWN, by)
        touched.append(line.number)
    return sorted(touched)


_LINE_FACTS = (
    "text", "category_id", "segment_id", "quantity", "unit_id", "period", "needed_by_on", "specification",
)  # fmt: skip


def _fill_in(line: RequirementLine, draft: LineDraft) -> bool:
    """Write the draft into the line; True when its conditions changed."""
    text = " ".join(draft.text.split())
    if text != line.text:
        line.category_suggested = None  # it was suggested for other words
    line.text = text[:500]
    line.language = draft.language or searchtext.language_of(f"{text} {draft.specification}")
    line.category = draft.category
    # A leaf stands in exactly one segment; above it the choice is the buyer's.
    line.segment = (draft.category.segment if draft.category else None) or draft.segment
    line.quantity = draft.quantity
    line.unit = draft.unit
    line.period = draft.period
    line.needed_by_on = draft.needed_by_on
    line.specification = draft.specification.strip()[:1000]
    line.save()
    if draft.conditions is None:
        return False
    return _replace_conditions(line.requirement, draft.conditions, line)


def _write_parts(
    requirement: Requirement,
    conditions: Sequence[ConditionDraft] | None,
    questions: Sequence[str] | None,
) -> None:
    if conditions is not None:
        _replace_conditions(requirement, conditions, None)
    if questions is not None:
        texts = [" ".join(text.split())[:200] for text in questions if text.strip()]
        if len(texts) > Requirement.MAX_QUESTIONS:
            raise DomainError(_("Ask at most three questions."), code="requirement.questions")
        if texts != list(requirement.questions.values_list("text", flat=True)):
            requirement.questions.all().delete()
            Question.objects.bulk_create(
                Question(requirement=requirement, order=order, text=text)
                for order, text in enumerate(texts, 1)
            )
    _keep_derived(requirement)


def _replace_conditions(
    requirement: Requirement, drafts: Sequence[ConditionDraft], line: RequirementLine | None
) -> bool:
    """Conditions that stay the same keep their row: scores name it. True when anything changed."""
    if len(drafts) > MAX_CONDITIONS:
        raise DomainError(
            _("Enter at most %(most)d conditions.") % {"most": MAX_CONDITIONS},
            code="requirement.too_many_conditions",
        )
    former = list(requirement.conditions.filter(line=line))
    fresh: list[Condition] = []
    for draft in drafts:
        text = " ".join(draft.text.split())[:200]
        same = next(
            (
                c
                for c in former
                if (c.kind, c.strength, c.text) == (draft.kind, draft.strength, text)
            ),
            None,
        )
        if same is not None:
            former.remove(same)
            continue
        parameter = draft.parameter
        if parameter is None:
            parameter = conditions.read(draft.kind, text)
        fresh.append(
            Condition(
                requirement=requirement,
                line=line,
                kind=draft.kind,
                strength=draft.strength,
                text=text,
                parameter=parameter,
            )
        )
    Condition.objects.filter(pk__in=[c.pk for c in former]).delete()
    Condition.objects.bulk_create(fresh)
    return bool(former or fresh)


def _keep_derived(requirement: Requirement) -> None:
    """What search and lists read instead of joining the lines."""
    lines = list(
        requirement.lines.exclude(status=RequirementLine.Status.WITHDRAWN)
        .select_related("category")
        .order_by("number")
    )
    categories = {line.category for line in lines if line.category}
    text = "\n".join([requirement.title, *(line.full_text for line in lines), requirement.text])
    synonyms = [
        word
        for category in sorted(categories, key=lambda c: c.pk)
        for word in (
            category.name_zh,
            category.name_en,
            *category.synonyms_zh,
            *category.synonyms_en,
        )
    ]
    requirement.search_text = searchtext.document(text, synonyms=synonyms)
    requirement.summary = _summary([line.text for line in lines], requirement.language)
    requirement.save(update_fields=["search_text", "summary", "updated_at"])


def _summary(texts: Sequence[str], language: str) -> str:
    joint = "；" if language == Language.ZH else "; "
    whole = joint.join(texts)
    return whole if len(whole) <= 200 else f"{whole[:198].rstrip()} …"
