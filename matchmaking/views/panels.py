"""What stands beside a requirement: the answer a supplier can give, and the buyer's contact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from chains.models import ContactReveal, Enterprise, Requirement, RequirementLine
from matchmaking import permissions
from matchmaking.forms import InterestForm
from matchmaking.models import Interest, Match
from matchmaking.services import contacts, interests
from matchmaking.views.acting import acting_enterprise


def interest_panel(
    request: HttpRequest,
    requirement: Requirement,
    lines: Sequence[RequirementLine],
    matches: Sequence[Match],
    form: InterestForm | None = None,
) -> dict[str, Any]:
    """What the reader can do about the requirement: one of the states below, with the form where it may be sent."""
    enterprise = acting_enterprise(request)
    interest = own_interest(requirement, enterprise)
    state = _state(request, requirement, enterprise, interest)
    panel: dict[str, Any] = {
        "state": state,
        "enterprise": enterprise,
        "enterprises": [m.enterprise for m in getattr(request.user, "active_memberships", ())],
        "interest": interest,
        "can_send": state == "can_send",
        "form": None,
    }
    if state in ("can_send", "sent") and enterprise is not None:
        panel["form"] = form or InterestForm(
            lines=[line for line in lines if line.status == RequirementLine.Status.OPEN],
            enterprise=enterprise,
            fitting=[match.line_id for match in matches if not match.misses_must],
            interest=interest,
            asked=interests.asked(requirement, enterprise),
        )
        panel["quota"] = interests.quota(enterprise)
        panel["most"] = interests.WEEKLY
        panel["has_contact"] = enterprise.contacts.filter(is_active=True).exists()
    if interest is not None:
        panel["files"] = list(interest.attachments.standing())
        panel["may_remove"] = state in ("sent", "no_answer")
        panel["thread"] = list(interest.thread.all())
        panel["may_reply"] = interest.status not in (
            Interest.Status.DECLINED,
            Interest.Status.WITHDRAWN,
        ) and any(one.side == "buyer" for one in panel["thread"])
    return panel


def own_interest(requirement: Requirement, enterprise: Enterprise | None) -> Interest | None:
    if enterprise is None:
        return None
    return (
        Interest.objects.standing()
        .filter(requirement=requirement, enterprise=enterprise)
        .select_related("contact", "requirement")
        .prefetch_related("lines")
        .first()
    )


def _state(
    request: HttpRequest,
    requirement: Requirement,
    enterprise: Enterprise | None,
    interest: Interest | None,
) -> str:
    if not request.user.is_authenticated:
        return "visitor" if requirement.takes_interests else "closed"
    if interest is not None and interest.status != Interest.Status.SENT:
        return interest.status
    if enterprise is None:
        # A desk reads here; whoever has no office either is told how to take part.
        is_desk = request.user.active_roles or request.user.is_administrator
        return "desk" if is_desk else "no_enterprise"
    if interests.is_own(requirement, enterprise):
        return "own"
    if not requirement.takes_interests:
        return "sent_closed" if interest is not None else "closed"
    if not enterprise.is_verified:
        return "not_verified"
    if not permissions.can_express(request.user, enterprise):
        return "viewer"
    return "sent" if interest is not None else "can_send"


def contact_panel(request: HttpRequest, requirement: Requirement) -> dict[str, Any]:
    """By what right the reader may open the contact, or whom the policy lets in. Never the contact itself."""
    right = permissions.can_reveal(request.user, requirement)
    is_own = permissions.can_read_as_buyer(request.user, requirement)
    return {
        "right": right,
        "can_open": right is not None and requirement.contact_id is not None and not is_own,
        "needs_purpose": right == ContactReveal.Right.DESK,
        "is_own": is_own,
        "is_stored": requirement.contact_id is not None,
        "why_closed": contacts.why_closed(requirement, request.user),
    }
