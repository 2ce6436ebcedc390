"""What a draft and an amendment write alike: the facts of a requirement, its lines, conditions and questions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from chains import audit, changes, conditions, searchtext
from chains.errors import DomainError, check_fields
from chains.models import (
    Category,
    Chain,
    Condition,
    Contact,
    CooperationKind,
    DockingKind,
    Language,
    Period,
    Project,
    Question,
    Region,
    Requirement,
    RequirementLine,
    Segment,
    Unit,
    User,
)

MAX_CONDITIONS = 20


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


def saved_already() -> DomainError:
    return DomainError(_("This draft has been saved already."), code="requirement.saved_already")


def end_line(
    line: RequirementLine, status: RequirementLine.Status, by: User, outcome: str = ""
) -> None:
    line.status, line.outcome = status, outcome
    line.save(update_fields=["status", "outcome", "updated_at"])
    audit.record(
        by, f"line.{status}", line, requirement=line.requirement.public_id, outcome=outcome
    )
    changes.record("line", line, str(status))


def write(
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
        raise saved_already() from error  # two clicks at the same moment


def _check(requirement: Requirement) -> None:
    closes, answers = requirement.closes_on, requirement.answer_by_on
    if closes and answers and answers < closes:
        raise DomainError(
            _("The day by which you answer cannot be before the day interests close."),
            code="requirement.dates",
            field="answer_by_on",
        )
    project, contact = requirement.project, requirement.contact
    if project is not None and project.enterprise_id != requirement.enterprise_id:
        raise DomainError(
            _("This project belongs to another enterprise."),
            code="requirement.project",
            field="project",
        )
    if contact is not None and not may_name(requirement, contact):
        raise DomainError(
            _("This contact belongs to another enterprise."),
            code="requirement.contact",
            field="contact",
        )


def may_name(requirement: Requirement, contact: Contact) -> bool:
    """Its own, or the association's that posts it: under a mandate that one may answer in the member's place."""
    return contact.enterprise_id in (requirement.enterprise_id, requirement.posted_by_id)


def _check_lines(lines: Sequence[LineDraft]) -> None:
    if len(lines) > Requirement.MAX_LINES:
        raise DomainError(
            _("A requirement takes %(most)d lines; there are %(count)d. Post the rest separately.")
            % {"most": Requirement.MAX_LINES, "count": len(lines)},
            code="requirement.too_many_lines",
            field="lines",
        )
    for place, line in enumerate(lines, 1):
        if not line.text.strip():
            raise DomainError(
                _("Line %(number)d: enter the product.") % {"number": place},
                code="line.no_text",
                field="lines",
            )
        if line.quantity is not None and line.quantity <= 0:
            raise DomainError(
                _("Line %(number)d: enter a quantity above 0.") % {"number": place},
                code="line.quantity",
                field="lines",
            )


def replace_lines(requirement: Requirement, lines: Sequence[LineDraft]) -> None:
    _check_lines(lines)
    former = {line.public_id: line for line in requirement.lines.all()}
    kept: set[int] = set()
    for number, draft in enumerate(lines, 1):
        line = former.pop(draft.public_id, None) or RequirementLine(requirement=requirement)
        line.number = number
        _fill_in(line, draft)
        kept.add(line.pk)
    requirement.lines.exclude(pk__in=kept).delete()


def amend_lines(requirement: Requirement, lines: Sequence[LineDraft], by: User) -> list[int]:
    """Numbers stay: they are what people talk about. Returns those that changed."""
    _check_lines(lines)
    former = {line.public_id: line for line in requirement.lines.open()}
    last = requirement.lines.aggregate(Max("number"))["number__max"] or 0
    if last + sum(draft.public_id not in former for draft in lines) > Requirement.MAX_LINES:
        raise DomainError(
            _("A requirement takes %(most)d lines in all. Post the rest separately.")
            % {"most": Requirement.MAX_LINES},
            code="requirement.too_many_lines",
            field="lines",
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
        end_line(line, RequirementLine.Status.WITHDRAWN, by)
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


def write_parts(
    requirement: Requirement,
    conditions: Sequence[ConditionDraft] | None,
    questions: Sequence[str] | None,
) -> None:
    if conditions is not None:
        _replace_conditions(requirement, conditions, None)
    if questions is not None:
        texts = [" ".join(text.split())[:200] for text in questions if text.strip()]
        if len(texts) > Requirement.MAX_QUESTIONS:
            raise DomainError(
                _("Ask at most three questions."), code="requirement.questions", field="questions"
            )
        if texts != list(requirement.questions.values_list("text", flat=True)):
            requirement.questions.all().delete()
            Question.objects.bulk_create(
                Question(requirement=requirement, order=order, text=text)
                for order, text in enumerate(texts, 1)
            )
    keep_derived(requirement)


def _replace_conditions(
    requirement: Requirement, drafts: Sequence[ConditionDraft], line: RequirementLine | None
) -> bool:
    """Conditions that stay the same keep their row: scores name it. True when anything changed."""
    field = "conditions" if line is None else "lines"
    if len(drafts) > MAX_CONDITIONS:
        raise DomainError(
            _("Enter at most %(most)d conditions.") % {"most": MAX_CONDITIONS},
            code="requirement.too_many_conditions",
            field=field,
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
            try:
                parameter = conditions.read(draft.kind, text)
            except DomainError as error:
                error.field = field
                raise
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


def keep_derived(requirement: Requirement) -> None:
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
