"""Counts for pages, read-only."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from chains.models import (
    Capability,
    Certification,
    CertificationKind,
    Condition,
    Enterprise,
    Proof,
    Qualification,
    Requirement,
    RequirementLine,
    Unit,
)

SOON = datetime.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing a profile should have; `subject` is the row it is about, if it is about one."""

    code: str
    is_met: bool
    subject: Capability | Certification | None = None


def completeness(
    enterprise: Enterprise,
    *,
    capabilities: Sequence[Capability],
    certifications: Sequence[Certification],
    qualifications: Iterable[Qualification],
    has_contact: bool,
) -> list[Hint]:
    """Ten things that make an enterprise easier to find and to match, from rows already loaded."""
    live = [row for row in capabilities if row.status == Capability.Status.PUBLISHED]
    today = timezone.localdate()

    def about(code: str, rows: list[Capability]) -> Hint:
        return Hint(code, bool(live) and not rows, rows[0] if rows else None)

    ending = [
        row
        for row in certifications
        if row.is_in_force and row.valid_until_on and row.valid_until_on <= today + SOON
    ]
    return [
        Hint("summary", bool(enterprise.summary)),
        Hint("name_en", bool(enterprise.name_en)),
        Hint("address", bool(enterprise.address)),
        Hint("contact", has_contact),
        Hint("capability", bool(live)),
        about("text_en", [row for row in live if not row.text_en]),
        about("sample_days", [row for row in live if row.sample_days is None]),
        about("capacity", [row for row in live if row.yearly_capacity is None]),
        Hint("proof", any(row.is_in_force for row in [*qualifications, *certifications])),
        Hint("ending", not ending, ending[0] if ending else None),
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """What so many open lines ask of a supplier and the profile says nothing of."""

    kind: str  # of a condition
    lines: int
    subject: Capability | None = None  # where it is to be said
    unit: Unit | None = None  # the one most lines ask in


# Of the conditions of open lines, the newest.
_MOST_CONDITIONS = 2000


def asked_of_profile(
    enterprise: Enterprise,
    capabilities: Sequence[Capability],
    qualifications: Iterable[Qualification],
    most: int = 4,
) -> list[Asked]:
    """Beyond certificates, what open lines of its published capabilities' categories ask for and none of those
    capabilities, nor the profile, answers; most asked first. `capabilities` with their categories and kinds of
    cooperation."""
    offering: dict[int, list[Capability]] = defaultdict(list)
    for row in capabilities:
        if row.status == Capability.Status.PUBLISHED:
            for category in row.categories.all():
                offering[category.pk].append(row)
    ended = (Proof.Status.REFUSED, Proof.Status.REVOKED)
    held = {row.kind.code for row in qualifications if row.status not in ended}
    lines: dict[str, set[int]] = defaultdict(set)
    units: Counter[str] = Counter()
    subjects: dict[str, Capability] = {}
    for line, of_line, kind, parameter in _conditions_of_lines(enterprise, offering):
        rows = offering[of_line]
        if line in lines[kind] or _answers(kind, parameter, rows, held, enterprise):
            continue
        lines[kind].add(line)
        if kind in _OF_CAPABILITY:
            subjects.setdefault(kind, rows[0])
        if kind == Condition.Kind.CAPACITY:
            units[parameter.get("unit", "")] += 1
    unit = Unit.objects.filter(code=units.most_common(1)[0][0]).first() if units else None
    found = [
        Asked(
            kind,
            len(of_kind),
            subjects.get(kind),
            unit if kind == Condition.Kind.CAPACITY else None,
        )
        for kind, of_kind in lines.items()
        if of_kind
    ]
    return sorted(found, key=lambda one: (-one.lines, one.kind))[:most]


def _conditions_of_lines(
    enterprise: Enterprise, categories: Iterable[int]
) -> Iterable[tuple[int, int, str, dict[str, Any]]]:
    line = "requirement__lines"
    return (
        Condition.objects.filter(
            Q(line=None) | Q(line=F(line)),
            requirement__in=Requirement.objects.open().exclude(enterprise=enterprise).values("pk"),
            kind__in=[*_OF_CAPABILITY, *_OF_ENTERPRISE],
            **{
                f"{line}__status": RequirementLine.Status.OPEN,
                f"{line}__category__in": list(categories),
            },
        )
        .order_by("-pk", line)
        .values_list(line, f"{line}__category", "kind", "parameter")[:_MOST_CONDITIONS]
    )


# Where the answer stands.
_OF_CAPABILITY = {
    Condition.Kind.CAPACITY: "yearly_capacity",
    Condition.Kind.LEAD_TIME: "lead_time_days",
    Condition.Kind.SAMPLE_TIME: "sample_days",
    Condition.Kind.COOPERATION: "",
}
_OF_ENTERPRISE = (Condition.Kind.QUALIFICATION, Condition.Kind.REGION, Condition.Kind.DISTANCE)


def _answers(
    kind: str,
    parameter: dict[str, Any],
    rows: Sequence[Capability],
    held: set[str],
    enterprise: Enterprise,
) -> bool:
    if kind == Condition.Kind.QUALIFICATION:
        return not held.isdisjoint(parameter.get("codes", ()))
    if kind in _OF_ENTERPRISE:
        return enterprise.region_id is not None
    if kind == Condition.Kind.COOPERATION:
        return any(row.cooperation_kinds.all() for row in rows)
    return any(getattr(row, _OF_CAPABILITY[Condition.Kind(kind)]) is not None for row in rows)


def asked_certificates(
    enterprise: Enterprise, certifications: Iterable[Certification], most: int = 3
) -> list[tuple[CertificationKind, int]]:
    """What open requirements of the enterprise's categories ask for and it neither holds nor states, with how many do."""
    asking = (
        Requirement.objects.open()
        .filter(lines__category__capabilities__in=enterprise.capabilities.published())
        .exclude(enterprise=enterprise)
    )
    conditions = Condition.objects.filter(
        kind=Condition.Kind.CERTIFICATION, requirement__in=asking.values("pk")
    )
    asked = {
        (requirement, code)
        for requirement, parameter in conditions.values_list("requirement", "parameter")
        for code in parameter.get("codes", ())
    }
    counts = Counter(code for _requirement, code in asked)
    ended = (Proof.Status.REFUSED, Proof.Status.REVOKED)
    held = {row.kind.code for row in certifications if row.status not in ended}
    kinds = CertificationKind.objects.filter(code__in=set(counts) - held, is_active=True)
    found = [(kind, counts[kind.code]) for kind in kinds]
    return sorted(found, key=lambda pair: (-pair[1], pair[0].code))[:most]
