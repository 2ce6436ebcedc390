"""Interests: a supplier says "we can", the buyer answers. Nobody stands in between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications
from chains.errors import DomainError
from chains.models import (
    Contact,
    Enterprise,
    Language,
    Requirement,
    RequirementLine,
    User,
)
from matchmaking import permissions
from matchmaking.models import Interest

Status = Interest.Status
_CHINESE = re.compile("[\u3400-\u9fff]")
MESSAGE = 2000


@transaction.atomic
def express(
    *,
    requirement: Requirement,
    enterprise: Enterprise,
    lines: Sequence[RequirementLine],
    message: str,
    contact: Contact,
    by: User,
) -> Interest:
    """Send an interest, or change the one that waits: there is one for a requirement and enterprise."""
    if not permissions.can_express(by, enterprise):
        raise _not_entitled(enterprise)
    # Locked: an interest never arrives at a requirement that is being closed.
    requirement = (
        Requirement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("enterprise", "posted_by")
        .get(pk=requirement.pk)
    )
    _check(requirement, enterprise, lines, contact, message)
    interest = _standing(requirement, enterprise)
    if interest is None:
        interest = Interest(requirement=requirement, enterprise=enterprise, sent_by=by)
        _write(interest, message, contact)
        try:
            with transaction.atomic():
                interest.save()
        except IntegrityError:
            # The other tab was faster: its interest becomes what is said here.
            return _change(_standing(requirement, enterprise), lines, message, contact, by)
        interest.lines.set(lines)
        _record(interest, "sent", by)
        _tell_buyer(interest, "interest_received")
        return interest
    return _change(interest, lines, message, contact, by)


def _change(
    interest: Interest | None,
    lines: Sequence[RequirementLine],
    message: str,
    contact: Contact,
    by: User,
) -> Interest:
    if interest is None:
        raise DomainError(
            _("The interest was withdrawn meanwhile. Send it again."), code="interest.gone"
        )
    if interest.status != Status.SENT:
        raise _answered(interest)
    before = (
        interest.message,
        interest.contact_id,
        set(interest.lines.values_list("pk", flat=True)),
    )
    if before == (message.strip(), contact.pk, {line.pk for line in lines}):
        return interest  # a second click says nothing new
    _write(interest, message, contact)
    interest.save(update_fields=["message", "language", "contact", "updated_at"])
    interest.lines.set(lines)
    _record(interest, "changed", by)
    return interest


@transaction.atomic
def withdraw(*, interest: Interest, by: User) -> Interest:
    """Take back an interest that the buyer has not answered."""
    interest = _locked(interest)
    if not permissions.can_express(by, interest.enterprise):
        raise _not_entitled(interest.enterprise)
    if interest.status == Status.WITHDRAWN:
        return interest
    if interest.status != Status.SENT:
        raise _answered(interest)
    return _move(interest, Status.WITHDRAWN, by)


@transaction.atomic
def accept(*, interest: Interest, by: User) -> Interest:
    """The buyer wants to talk: its contact opens to this supplier."""
    interest = _to_answer(interest, by)
    if interest.status == Status.ACCEPTED:
        return interest
    if interest.status != Status.SENT:
        raise _answered(interest)
    interest.answered_at = timezone.now()
    _move(interest, Status.ACCEPTED, by)
    _tell_supplier(interest, "interest_accepted")
    return interest


@transaction.atomic
def decline(*, interest: Interest, reason: str, by: User) -> Interest:
    """The buyer says no, with a reason that the supplier sees."""
    interest = _to_answer(interest, by)
    if reason not in Interest.DeclineReason.values:
        raise DomainError(
            _("Choose a reason: the supplier sees it."), code="interest.reason_missing"
        )
    if interest.status == Status.DECLINED and interest.decline_reason == reason:
        return interest
    if interest.status != Status.SENT:
        raise _answered(interest)
    interest.answered_at, interest.decline_reason = timezone.now(), reason
    _move(interest, Status.DECLINED, by, reason=reason)
    _tell_supplier(interest, "interest_declined")
    return interest


# -- rules ----------------------------------------------------------------------------------------


def _check(
    requirement: Requirement,
    enterprise: Enterprise,
    lines: Sequence[RequirementLine],
    contact: Contact,
    message: str,
) -> None:
    if is_own(requirement, enterprise):
        raise DomainError(
            _("This is a requirement of your own house."), code="interest.own_requirement"
        )
    if not requirement.takes_interests:
        raise DomainError(
            _("This requirement takes no interests any more."), code="interest.closed"
        )
    open_lines = set(requirement.lines.open().values_list("pk", flat=True))
    if not lines or not {line.pk for line in lines} <= open_lines:
        raise DomainError(
            _("Choose at least one open line that you can supply."), code="interest.no_line"
        )
    if contact.enterprise_id != enterprise.pk or not contact.is_active:
        raise DomainError(
            _("Choose a contact of your enterprise: the buyer writes to it."),
            code="interest.no_contact",
        )
    if len(message.strip()) > MESSAGE:
        raise DomainError(
            _("The message is longer than %(most)d characters. Shorten it.") % {"most": MESSAGE},
            code="interest.too_long",
        )


def is_own(requirement: Requirement, enterprise: Enterprise) -> bool:
    """Its own, one it posted for a member, or one of its group: those never meet as buyer and supplier."""
    return enterprise.pk in (requirement.enterprise_id, requirement.posted_by_id) or (
        enterprise.group_id is not None and enterprise.group_id == requirement.enterprise.group_id
    )


def _standing(requirement: Requirement, enterprise: Enterprise) -> Interest | None:
    return (
        Interest.objects.standing()
        .filter(requirement=requirement, enterprise=enterprise)
        .select_for_update(of=("self",))
        .first()
    )


def _locked(interest: Interest) -> Interest:
    return (
        Interest.objects.select_related(
            "requirement__enterprise", "requirement__posted_by", "enterprise"
        )
        .select_for_update(of=("self",))
        .get(pk=interest.pk)
    )


def _to_answer(interest: Interest, by: User) -> Interest:
    interest = _locked(interest)
    if not permissions.can_answer(by, interest.requirement):
        raise DomainError(
            _("Only the owner and the editors of the buyer can answer an interest."),
            code="interest.forbidden",
        )
    return interest


def _not_entitled(enterprise: Enterprise) -> DomainError:
    if not enterprise.is_verified:
        sentence = _(
            "Your enterprise is not verified yet. It can send interests once its desk has decided."
        )
    else:
        sentence = _("Only the owner and the editors of a verified enterprise can do this.")
    return DomainError(sentence, code="interest.forbidden")


def _answered(interest: Interest) -> DomainError:
    return DomainError(
        _("This interest can no longer be changed: %(state)s.")
        % {"state": interest.get_status_display()},
        code="interest.answered",
    )


# -- writing --------------------------------------------------------------------------------------


def _write(interest: Interest, message: str, contact: Contact) -> None:
    interest.message = message.strip()
    interest.language = Language.ZH if _CHINESE.search(message) else Language.EN
    interest.contact = contact


def _move(interest: Interest, status: Interest.Status, by: User, **data: str) -> Interest:
    interest.status = status
    interest.save(update_fields=["status", "decline_reason", "answered_at", "updated_at"])
    _record(interest, str(status), by, **data)
    return interest


def _record(interest: Interest, verb: str, by: User, **data: str) -> None:
    audit.record(
        by,
        f"interest.{verb}",
        interest,
        requirement=interest.requirement.public_id,
        enterprise=interest.enterprise.public_id,
        lines=sorted(interest.lines.values_list("number", flat=True)),
        **data,
    )
    changes.record("interest", interest, verb)


def _tell_buyer(interest: Interest, kind: str) -> None:
    requirement = interest.requirement
    for user in User.objects.who_act_on(requirement):
        notifications.post(user, kind, **_context(interest))


def _tell_supplier(interest: Interest, kind: str) -> None:
    for user in User.objects.editors_of([interest.enterprise_id]):
        notifications.post(user, kind, **_context(interest))


def _context(interest: Interest) -> dict[str, Any]:
    return {
        "requirement": interest.requirement.public_id,
        "enterprise": interest.enterprise.public_id,
        "interest": interest.public_id,
    }
