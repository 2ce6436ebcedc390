"""Counts for pages, read-only."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
