"""Affiliates: one enterprise names another, that one confirms. They are never matched with each other and count once."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import Enterprise, EnterpriseGroup, GroupProposal, User
from chains.services import accounts

# Open at the same time, of one enterprise: a group, and no mailing list.
MOST = 20

Status = GroupProposal.Status


@transaction.atomic
def propose(
    *, enterprise: Enterprise, partner: Enterprise, by: User, name: str = ""
) -> GroupProposal:
    """Say that the partner is of one's group. `name` founds one where neither is in any."""
    first, second = _locked(enterprise, partner)
    _check_owner(by, first)
    if not first.is_verified:
        raise DomainError(
            _("A group can be named once the desk has verified the enterprise."),
            code="group.not_verified",
        )
    if not second.is_verified or first.pk == second.pk:
        raise DomainError(_("Name another, verified enterprise."), code="group.partner")
    _check_apart(first, second)
    name = " ".join(name.split())[:200]
    if first.group is None and second.group is None:
        _check_name(name)
    else:
        name = ""
    if first.group_proposals_sent.filter(status=Status.PROPOSED).count() >= MOST:
        raise DomainError(
            _("%(most)d proposals wait for an answer. Withdraw one first.") % {"most": MOST},
            code="group.too_many",
        )
    if GroupProposal.objects.filter(
        proposer=second, partner=first, status=Status.PROPOSED
    ).exists():
        raise DomainError(
            _("This enterprise has proposed the same to you: confirm it."), code="group.asked"
        )
    try:
        with transaction.atomic():
            row = GroupProposal.objects.create(proposer=first, partner=second, name=name)
    except IntegrityError as error:
        raise DomainError(
            _("You have proposed this already; it waits for an answer."), code="group.exists"
        ) from error
    audit.record(by, "group.proposed", row, enterprise=first.public_id, partner=second.public_id)
    changes.record("group_proposal", row, "proposed")
    _tell(accounts.owners(second), "group_proposed", row, page=second)
    return row


@transaction.atomic
def answer(*, proposal: GroupProposal, accept: bool, by: User) -> GroupProposal:
    """An owner of the partner says whether it is so."""
    first, second = _locked(proposal.proposer, proposal.partner)
    row = _open_one(proposal)
    _check_owner(by, second)
    if accept:
        _tell_the_others(first, second)
        _join(first, second, row.name, by)
    row.status = Status.ACCEPTED if accept else Status.DECLINED
    row.save(update_fields=["status", "updated_at"])
    verb = "accepted" if accept else "declined"
    audit.record(by, f"group.{verb}", row, enterprise=first.public_id, partner=second.public_id)
    changes.record("group_proposal", row, verb)
    _tell(accounts.owners(first), f"group_{verb}", row, page=first)
    return row


@transaction.atomic
def withdraw(*, proposal: GroupProposal, by: User) -> GroupProposal:
    _locked(proposal.proposer, proposal.partner)
    row = _open_one(proposal)
    _check_owner(by, row.proposer)
    row.status = Status.WITHDRAWN
    row.save(update_fields=["status", "updated_at"])
    audit.record(by, "group.withdrawn", row, enterprise=row.proposer.public_id)
    changes.record("group_proposal", row, "withdrawn")
    return row


@transaction.atomic
def leave(*, enterprise: Enterprise, by: User) -> Enterprise:
    """From now on it stands alone, and is compared with the others again. The last one left stands alone as well."""
    house = Enterprise.objects.filter(group__isnull=False, group__members=enterprise.pk)
    row = _locked(enterprise, *house)[0]
    _check_owner(by, row)
    group = row.group
    if group is None:
        raise DomainError(_("This enterprise is in no group."), code="group.none")
    others = list(row.affiliates)
    for one in [row, *others] if len(others) == 1 else [row]:
        one.group = None
        one.save(update_fields=["group", "updated_at"])
        audit.record(by, "enterprise.ungrouped", one, group=group.public_id)
        changes.record("enterprise", one, "ungrouped")
    for other in others:
        for owner in accounts.owners(other):
            if owner.pk != by.pk:
                notifications.post(
                    owner,
                    "group_left",
                    enterprise=row.public_id,
                    page=other.public_id,
                )
    return row


def _join(first: Enterprise, second: Enterprise, name: str, by: User) -> None:
    for one in (first, second):
        if not one.is_verified:
            raise DomainError(
                _("%(name)s is not verified now.") % {"name": one.name}, code="group.not_verified"
            )
    _check_apart(first, second)
    group = first.group or second.group
    if group is None:
        _check_name(name)
        try:
            with transaction.atomic():
                group = EnterpriseGroup.objects.create(name=name)
        except IntegrityError as error:  # two of the same name at the same moment
            raise _name_taken() from error
        changes.record("enterprisegroup", group, "created")
    for one in (first, second):
        if one.group_id != group.pk:
            one.group = group
            one.save(update_fields=["group", "updated_at"])
            audit.record(by, "enterprise.grouped", one, group=group.public_id)
            changes.record("enterprise", one, "grouped")


def _check_apart(first: Enterprise, second: Enterprise) -> None:
    if first.group_id is None or second.group_id is None:
        return
    if first.group_id == second.group_id:
        raise DomainError(_("You are in the same group already."), code="group.same")
    raise DomainError(
        _("It is in another group. One of the two leaves its group first."), code="group.other"
    )


def _check_name(name: str) -> None:
    if not name:
        raise DomainError(_("Say what the group is called."), code="group.name")
    if EnterpriseGroup.objects.filter(name=name).exists():
        raise _name_taken()


def _name_taken() -> DomainError:
    return DomainError(
        _("A group of this name exists. One of its enterprises can propose yours."),
        code="group.name_taken",
    )


def _locked(*given: Enterprise) -> list[Enterprise]:
    """All to the end of the transaction, always in the same order: two that name each other wait, and do not block."""
    rows = {pk: Enterprise.objects.locked(pk) for pk in sorted({one.pk for one in given})}
    return [rows[one.pk] for one in given]


def _open_one(proposal: GroupProposal) -> GroupProposal:
    row = GroupProposal.objects.select_related("proposer", "partner").get(pk=proposal.pk)
    if row.status != Status.PROPOSED:
        raise DomainError(_("This proposal is not open any more."), code="group.over")
    return row


def _check_owner(by: User, enterprise: Enterprise) -> None:
    if not permissions.is_owner(by, enterprise):
        raise DomainError(
            _("Only an owner of the enterprise says whose group it belongs to."),
            code="group.forbidden",
        )


def _tell_the_others(first: Enterprise, second: Enterprise) -> None:
    """Two owners agree, and all of the group are matched with the newcomer no more: they hear of it before they miss it."""
    host, newcomer = (first, second) if first.group_id else (second, first)
    for other in host.affiliates:
        for owner in accounts.owners(other):
            notifications.post(
                owner,
                "group_accepted",
                enterprise=host.public_id,
                member=newcomer.public_id,
                page=other.public_id,
            )


def _tell(people: list[User], kind: str, row: GroupProposal, *, page: Enterprise) -> None:
    for person in people:
        notifications.post(
            person,
            kind,
            enterprise=row.proposer.public_id,
            member=row.partner.public_id,
            page=page.public_id,
        )
