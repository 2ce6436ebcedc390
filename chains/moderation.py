"""What a moderation desk looks for, and the reasons it keeps at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from chains import audit
from chains.models import AuditEntry, Membership, Remark, Requirement, RequirementLine
from chains.searchtext import fold

NEAR = 90  # of 100: lines that differ by a sign or a space


class RemarkReason(models.TextChoices):
    """Saved remarks, on a line or on the whole."""

    VAGUE = "vague", _("Too vague to match: state type, size and standard")
    UNIT_MISSING = "unit_missing", _("Quantity, unit or period missing")
    DUPLICATE = "duplicate", _("Duplicate: delete it if it is the same need")
    CONTACT_DATA = "contact_data", _("Contact data in the text: your contact opens by policy")
    CATEGORY_WRONG = "category_wrong", _("The category does not fit the product")
    SEVERAL_PRODUCTS = "several_products", _("Several products in one line: one product a line")
    DATES = "dates", _("The dates leave suppliers too little time")
    BRAND_ONLY = "brand_only", _("Only a brand is named: describe what it must do")
    CONDITION = "condition", _("A condition excludes suppliers without a stated need")


class RefusalReason(models.TextChoices):
    NOT_A_NEED = "not_a_need", _("Not a real need")
    ADVERTISING = "advertising", _("Advertising")
    OUTSIDE = "outside", _("Outside the programme")
    UNLAWFUL = "unlawful", _("Not permitted by law")


class TakeDownReason(models.TextChoices):
    MISLEADING = "misleading", _("Misleading or wrong")
    REPORTED = "reported", _("Reported and upheld")
    NOT_A_NEED = "not_a_need", _("Not a real need")
    UNLAWFUL = "unlawful", _("Not permitted by law")


def sentence_of(code: str) -> str:
    """A saved reason in the reader's language; "" for a code that is none."""
    for reasons in (RemarkReason, RefusalReason, TakeDownReason):
        if code in reasons.values:
            return str(reasons(code).label)
    return ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader of the line should look at, with the saved reason that would say so."""

    code: str
    line: RequirementLine
    score: int = 0
    other: RequirementLine | None = None


# Eleven digits of a mobile number however they are spaced, landline numbers with an area code, addresses, WeChat names.
_CONTACT = re.compile(
    r"(?<!\d)1[3-9]\d(?:[ \-]?\d{4}){2}(?!\d)|(?<!\d)1[3-9]\d\s*(?:开头|\*{2,})|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|\+\d{1,3}[ \-]?\d[\d \-]{6,}"
    r"|[\w.+-]+@[\w-]+\.[\w.]+|(?:微信|wechat|weixin|vx|qq)\s*(?:号|id)?\s*[:：]\s*\S+",
    re.IGNORECASE,
)


def holds_contact_data(text: str) -> bool:
    return _CONTACT.search(text) is not None


def contact_data_beside_lines(requirement: Requirement) -> list[Promise]:
    """The parts of a requirement, its lines aside, in whose words contact data stand."""
    parts = {
        _("Title"): [requirement.title],
        _("Description"): [requirement.text],
        _("Project"): [requirement.project.name] if requirement.project else [],
        _("Conditions"): [row.text for row in requirement.conditions.all()],
        _("Questions to suppliers"): [row.text for row in requirement.questions.all()],
    }
    return [part for part, texts in parts.items() if any(map(holds_contact_data, texts))]


def findings(lines: Sequence[RequirementLine], others: Iterable[RequirementLine]) -> list[Finding]:
    """Vague lines, contact data in the text, and lines that stand in `others` already.

    `others` are the enterprise's open lines of its other requirements.
    """
    found: list[Finding] = []
    known = list(others)
    folded = [fold(line.full_text) for line in known]
    for line in lines:
        if holds_contact_data(line.full_text):
            found.append(Finding(RemarkReason.CONTACT_DATA, line))
        if line.quantity is None and not line.specification:
            found.append(Finding(RemarkReason.VAGUE, line))
        elif line.quantity is not None and line.unit_id is None:
            found.append(Finding(RemarkReason.UNIT_MISSING, line))
        near = process.extractOne(
            fold(line.full_text), folded, scorer=fuzz.ratio, score_cutoff=NEAR
        )
        if near is not None:
            found.append(Finding(RemarkReason.DUPLICATE, line, int(near[1]), known[near[2]]))
    return found


def open_lines_elsewhere(requirement: Requirement) -> Iterable[RequirementLine]:
    return (
        RequirementLine.objects.open()
        .filter(
            requirement__enterprise=requirement.enterprise_id,
            requirement__status__in=[
                Requirement.Status.SUBMITTED,
                Requirement.Status.APPROVED,
                Requirement.Status.PUBLISHED,
            ],
        )
        .exclude(requirement=requirement)
        .select_related("requirement")
        .order_by("pk")
    )


# --- History ------------------------------------------------------------------------------------------

_HAPPENED = {
    "requirement.created": _("Draft begun"),
    "requirement.submitted": _("Submitted"),
    "requirement.returned": _("Returned"),
    "requirement.approved": _("Approved"),
    "requirement.published": _("Published"),
    "requirement.refused": _("Not accepted for publication"),
    "requirement.embargoed": _("Moment of publication set"),
    "requirement.amended": _("Amended"),
    "requirement.checked": _("Amendment looked at"),
    "requirement.withdrawn": _("Withdrawn"),
    "requirement.taken_down": _("Taken down"),
    "requirement.filled": _("Closed: every line has ended"),
    "requirement.expired": _("Closed: its last day has passed"),
    "requirement.unanswered": _("Closed: not corrected within ten days"),
    "requirement.suspended": _("Closed: enterprise suspended"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a requirement; `who` is a role, never a person."""

    at: datetime
    action: str
    what: str
    who: str
    lines: str = ""
    remarks: list[tuple[int | None, str, str]] = field(default_factory=list)


def history_of(requirement: Requirement) -> list[Event]:
    """Newest first. Three queries, however long it is."""
    entries = AuditEntry.objects.filter(
        target=audit.label(requirement), action__in=list(_HAPPENED)
    ).order_by("pk")
    remarks = iter(requirement.remarks.order_by("pk"))
    who = _roles(requirement)
    events: list[Event] = []
    for entry in entries:
        said = {"requirement.refused": 1, "requirement.taken_down": 1}.get(entry.action, 0)
        count = int(entry.data.get("remarks", said))
        events.append(
            Event(
                at=entry.at,
                action=entry.action,
                what=str(_HAPPENED[entry.action]),
                who=str(who.get(entry.actor, _("the desk"))),
                lines=", ".join(map(str, entry.data.get("lines") or []))
                if entry.action == "requirement.amended"
                else "",
                remarks=[_remark(row) for row in islice(remarks, count)],
            )
        )
    return events[::-1]


def _remark(row: Remark) -> tuple[int | None, str, str]:
    return row.line_number, sentence_of(row.code), row.text


def _roles(requirement: Requirement) -> dict[int | None, object]:
    bodies = {requirement.enterprise_id: _("the enterprise")}
    if requirement.posted_by_id:
        bodies[requirement.posted_by_id] = _("the association")
    members = Membership.objects.filter(enterprise__in=bodies).values_list("user", "enterprise")
    roles: dict[int | None, object] = {user: bodies[body] for user, body in members}
    return roles | {None: _("the system")}
