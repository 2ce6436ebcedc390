"""Drafts of requirements: written, copied, thrown away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes, permissions
from chains.errors import DomainError
from chains.models import Condition, Enterprise, Question, Requirement, RequirementLine, User
from chains.models.base import ALPHABET
from chains.services import requirement_files, requirement_writing, requirements
from chains.services.requirement_writing import ConditionDraft, LineDraft, RequirementFields


@transaction.atomic
def save(
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
        requirements.check_poster(by, enterprise)
        requirement = Requirement(enterprise=enterprise, posted_by=_poster(by, enterprise))
        if public_id:
            requirement.public_id = _free_name(public_id)
        verb = "created"
    else:
        requirement = requirements.locked(requirement)
        requirements.check_poster(by, requirement.enterprise)
        requirements.check_status(
            requirement, Requirement.Status.DRAFT, Requirement.Status.RETURNED
        )
        requirements.check_seen(requirement, seen)
        verb = "edited"
    requirement_writing.write(requirement, fields, lines)
    if lines is not None:
        requirement_writing.replace_lines(requirement, lines)
    requirement_writing.write_parts(requirement, conditions, questions)
    audit.record(by, f"requirement.{verb}", requirement, lines=requirement.lines.count())
    changes.record("requirement", requirement, verb)
    return requirement


def _free_name(public_id: str) -> str:
    if not re.fullmatch(f"[{ALPHABET}]{{12}}", public_id):
        raise DomainError(_("Load the form again."), code="requirement.name")
    if Requirement.objects.filter(public_id=public_id).exists():
        raise requirement_writing.saved_already()
    return public_id


@transaction.atomic
def delete(*, requirement: Requirement, by: User) -> None:
    """Remove a draft with its parts. Whatever was submitted once ends in a state instead."""
    requirement = requirements.locked(requirement)
    requirements.check_poster(by, requirement.enterprise)
    requirements.check_status(requirement, Requirement.Status.DRAFT)
    audit.record(by, "requirement.deleted", requirement)
    changes.record("requirement", requirement, "deleted")
    for row in requirement.files.all():
        row.delete()  # its content goes with the next sweep of files that no row names
    requirement.delete()


@transaction.atomic
def copy(*, requirement: Requirement, by: User) -> Requirement:
    """A new draft with the same words and files; its dates are to be chosen again."""
    requirements.check_poster(by, requirement.enterprise)
    draft = Requirement(
        enterprise=requirement.enterprise, posted_by=_poster(by, requirement.enterprise)
    )
    for name in _COPIED:
        setattr(draft, name, getattr(requirement, name))
    contact = requirement.contact
    if contact is not None and not (
        contact.is_active and requirement_writing.may_name(draft, contact)
    ):
        draft.contact = (
            None  # it left, or was the association's under another mandate: choose one again
        )
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
    requirement_writing.keep_derived(draft)
    audit.record(by, "requirement.created", draft, copied_from=requirement.public_id)
    changes.record("requirement", draft, "created")
    requirement_files.copy(requirement=requirement, draft=draft, by=by)
    return draft


_COPIED = (
    "project", "docking_kind", "seeks", "chain", "region", "title", "text", "language", "is_urgent",
    "import_substitution", "contact", "contact_policy",
)  # fmt: skip

_COPIED_LINE = (
    "text", "language", "category", "category_suggested", "segment", "quantity", "unit", "period",
    "specification",
)  # fmt: skip


def _poster(by: User, enterprise: Enterprise) -> Enterprise | None:
    """The association that posts under a mandate; None when the enterprise's own people do."""
    if permissions.can_edit(by, enterprise):
        return None
    mandate = permissions.mandate_for(by, enterprise)
    return mandate.association if mandate else None
