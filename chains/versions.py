"""What a form was opened on: a save from a second tab never undoes unseen what the first one wrote.

A seal holds a short digest for each fact a form shows, so that a refusal can name what changed. A desk that only
ticks something off changes no fact, and refuses nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chains.errors import DomainError
from chains.models import Capability, CapabilityReference, Condition, Enterprise, Requirement

Facts = Mapping[str, object]

_REQUIREMENT = (
    "title", "text", "seeks", "region_id", "chain_id", "project_id", "contact_id", "needed_by_on",
    "closes_on", "answer_by_on", "is_urgent", "import_substitution", "contact_policy", "docking_kind_id",
)  # fmt: skip
_LINE = (
    "text", "category_id", "quantity", "unit_id", "period", "specification", "needed_by_on",
)  # fmt: skip
_CAPABILITY = (
    "title_zh", "title_en", "text_zh", "text_en", "unit_id", "lead_time_days", "sample_days",
    "is_new", "valid_until_on",
)  # fmt: skip
_PROFILE = ("name_en", "address", "summary", "website")


def of_requirement(requirement: Requirement) -> dict[str, object]:
    """Four queries. A line is one fact, under its public id."""
    facts = _read(requirement, _REQUIREMENT)
    kinds = requirement.cooperation_kinds.order_by("code")
    facts["cooperation_kinds"] = list(kinds.values_list("code", flat=True))
    facts["questions"] = list(requirement.questions.values_list("text", flat=True))
    own: dict[int | None, list[tuple[str, str, str]]] = {}
    for row in Condition.objects.filter(requirement=requirement):
        own.setdefault(row.line_id, []).append((row.kind, row.strength, row.text))
    facts["conditions"] = own.get(None, [])
    for line in requirement.lines.open().order_by("number"):
        facts[line.public_id] = [*_read(line, _LINE).values(), own.get(line.pk, [])]
    # Saved as a draft is one thing, shown to everybody at once another.
    facts["is_accepted"] = requirement.is_accepted
    return facts


def of_capability(capability: Capability) -> dict[str, object]:
    return _read(capability, _CAPABILITY) | {
        "capacity": capability.yearly_capacity,
        "categories": sorted(capability.categories.values_list("code", flat=True)),
        "cooperation_kinds": sorted(capability.cooperation_kinds.values_list("code", flat=True)),
        "certifications": sorted(capability.certifications.values_list("public_id", flat=True)),
        "references": [of_reference(row) for row in capability.references.all()],
    }


def of_reference(row: CapabilityReference) -> list[object]:
    return [row.text, row.customer, row.year, row.place]


def of_profile(enterprise: Enterprise) -> dict[str, object]:
    return _read(enterprise, _PROFILE)


def _read(row: Any, names: tuple[str, ...]) -> dict[str, object]:
    return {name.removesuffix("_id"): getattr(row, name) for name in names}


def seal(facts: Facts) -> str:
    return " ".join(f"{name}:{_digest(value)}" for name, value in facts.items())


def _digest(value: object) -> str:
    return hashlib.blake2s(repr(value).encode(), digest_size=6).hexdigest()


def changed(seen: str, facts: Facts) -> list[str]:
    """The names of the facts that are other, new or gone since the seal was made."""
    before = dict(part.split(":", 1) for part in seen.split() if ":" in part)
    now = {name: _digest(value) for name, value in facts.items()}
    return [name for name in {**now, **before} if before.get(name) != now.get(name)]


def expect(seen: str, facts: Facts, *, code: str) -> None:
    """Refuse what was written on something else than what stands now. An empty seal asks for nothing."""
    if seen and (names := changed(seen, facts)):
        raise DomainError(
            _(
                "It was changed while this page was open, in another tab or by a colleague. Nothing has been saved yet, and everything you typed stands below. Compare it with what changed; saving again puts yours in its place."
            ),
            code=code,
            changed=names,
        )
