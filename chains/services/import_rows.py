"""Rows of a file on their way into the register: as read, and what is written down of each that is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chains import audit, changes
from chains.models import (
    AuditEntry,
    Capability,
    Category,
    CertificationKind,
    Change,
    CooperationKind,
    Enterprise,
    Import,
    Region,
    Unit,
    User,
)
from chains.services.requirement_writing import LineDraft


@dataclass(slots=True)
class Person:
    name: str  # "" where the file names nobody: such a one is never taken for another
    phone: str = ""
    email: str = ""
    job_title: str = ""


@dataclass(slots=True)
class EnterpriseDraft:
    name: str
    country: str = ""  # two letters, "" where the file says nothing
    number: str | None = None
    number_confirmed: bool = False
    former: list[str] = field(default_factory=list)
    region: Region | None = None
    kind: str = ""
    people: list[Person] = field(default_factory=list)
    # name_en, address, summary, website: what the file says of them, and only that.
    profile: dict[str, str] = field(default_factory=dict)

    @property
    def register(self) -> dict[str, str]:
        """Where its number stands."""
        country = self.country or "CN"
        scheme = Enterprise.Scheme.USCC if country == "CN" else Enterprise.Scheme.FOREIGN
        return {"scheme": scheme, "country": country}


@dataclass(slots=True)
class CapabilityDraft:
    titles: dict[str, str]  # title_zh, title_en, text_zh, text_en
    categories: list[Category] = field(default_factory=list)
    cooperation_kinds: list[CooperationKind] = field(default_factory=list)
    certificates: list[CertificationKind] = field(default_factory=list)
    references: list[dict[str, Any]] = field(default_factory=list)  # text, year
    yearly_capacity: Decimal | None = None
    unit: Unit | None = None
    # lead_time_days, sample_days, is_new, valid_until_on
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ReadRow:
    """One row of the file as read; without a draft it was not good enough."""

    number: int
    draft: EnterpriseDraft | CapabilityDraft | LineDraft | None
    cells: dict[str, str]
    notes: list[dict[str, str]]

    def note(self, sentence: str) -> None:
        self.notes.append({"column": "", "header": "", "sentence": sentence})


@dataclass(slots=True)
class Done:
    created: int = 0
    changed: int = 0
    same: int = 0


class Trail:
    """One line and one fact for each row, written together."""

    def __init__(self, job: Import, by: User) -> None:
        self.job, self.by = job, by
        self.entries: list[AuditEntry] = []
        self.facts: list[Change] = []

    def note(self, noun: str, row: Enterprise | Capability, verb: str, **data: Any) -> None:
        data["import"] = self.job.public_id
        self.entries.append(
            AuditEntry(
                actor=self.by.pk, action=f"{noun}.{verb}", target=audit.label(row), data=data
            )
        )
        self.facts.append(Change(noun=noun, target=row.public_id, verb=verb))

    def write(self) -> None:
        AuditEntry.objects.bulk_create(self.entries)
        Change.objects.bulk_create(self.facts)
        if self.facts:
            changes.announce()
