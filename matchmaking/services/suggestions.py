"""A supplier's own list: what fits it, and what it does not want to see again."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, Requirement, RequirementLine, User
from matchmaking import permissions
from matchmaking.models import Dismissal


@transaction.atomic
def dismiss(*, line: RequirementLine, enterprise: Enterprise, reason: str, by: User) -> Dismissal:
    """Not for us: the line does not come back to this enterprise."""
    return _dismiss([line], enterprise, reason, by)[0]


@transaction.atomic
def dismiss_requirement(
    *, requirement: Requirement, enterprise: Enterprise, reason: str, by: User
) -> list[Dismissal]:
    """The same for all its open lines at once."""
    return _dismiss(requirement.lines.open().order_by("number"), enterprise, reason, by)


def _dismiss(
    lines: Iterable[RequirementLine], enterprise: Enterprise, reason: str, by: User
) -> list[Dismissal]:
    if not permissions.can_express(by, enterprise):
        raise DomainError(
            _("Only the owner and the editors of a verified enterprise can do this."),
            code="dismissal.forbidden",
        )
    if reason not in Dismissal.Reason.values:
        raise DomainError(
            _("Choose a reason: it makes the next suggestions better."),
            code="dismissal.reason_missing",
            field="reason",
        )
    found = []
    for line in lines:
        row, is_new = Dismissal.objects.get_or_create(
            line=line, enterprise=enterprise, defaults={"reason": reason, "by": by}
        )
        # A second click finds the first one's row: said once, recorded once.
        if is_new:
            audit.record(
                by,
                "dismissal.made",
                row,
                line=line.public_id,
                enterprise=enterprise.public_id,
                reason=reason,
            )
            changes.record("dismissal", row, "made")
        found.append(row)
    return found
