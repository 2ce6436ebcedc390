"""Colleagues whom an owner asks to act for the enterprise, with an account or without one yet."""

from __future__ import annotations

import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import Enterprise, MemberInvitation, Membership, User
from chains.services import accounts

# An invitation that nobody answers ends by itself, and the address with it.
DAYS = 14
# Open at the same time, and sent within a day, withdrawn or not: a team, and no mailing list.
MOST = 20

Status = MemberInvitation.Status


@transaction.atomic
def invite(*, enterprise: Enterprise, email: str, role: str, by: User) -> MemberInvitation:
    """Ask somebody by the address; the letter leads to a page that is theirs alone."""
    enterprise = Enterprise.objects.select_for_update(of=("self",)).get(pk=enterprise.pk)
    _check_owner(by, enterprise)
    if not enterprise.is_verified:
        raise DomainError(
            _("Colleagues can be invited once the desk has verified the enterprise."),
            code="invitation.not_verified",
        )
    email = email.strip().lower()
    if role not in Membership.Role.values:
        raise DomainError(_("Choose what the person may do."), code="invitation.role")
    lasting = [Membership.Status.REQUESTED, Membership.Status.ACTIVE]
    if enterprise.memberships.filter(user__email__iexact=email, status__in=lasting).exists():
        raise DomainError(
            _("This person is a member already, or has asked to join: see the list above."),
            code="invitation.member",
        )
    open_ones = MemberInvitation.objects.open().filter(enterprise=enterprise)
    if open_ones.count() >= MOST:
        raise DomainError(
            _("%(most)d invitations wait for an answer. Withdraw one first.") % {"most": MOST},
            code="invitation.too_many",
        )
    since = timezone.now() - datetime.timedelta(days=1)
    if (
        MemberInvitation.objects.filter(enterprise=enterprise, created_at__gte=since).count()
        >= MOST
    ):
        raise DomainError(
            _("%(most)d invitations were sent within a day. Send more tomorrow.") % {"most": MOST},
            code="invitation.too_many_a_day",
        )
    _forget(
        MemberInvitation.objects.filter(enterprise=enterprise, email=email), None, keep_open=True
    )
    try:
        with transaction.atomic():
            invitation = MemberInvitation.objects.create(
                enterprise=enterprise,
                email=email,
                role=role,
                language="zh" if (get_language() or "zh").startswith("zh") else "en",
                invited_by=by,
                expires_on=timezone.localdate() + datetime.timedelta(days=DAYS),
            )
    except IntegrityError as error:
        raise DomainError(
            _("This person has been invited already; the invitation still stands."),
            code="invitation.exists",
        ) from error
    audit.record(by, "invitation.sent", invitation, enterprise=enterprise.public_id, role=str(role))
    changes.record("invitation", invitation, "sent")
    ring("chains.tasks.deliver_invitations")
    return invitation


def is_for(*, invitation: MemberInvitation, by: User) -> bool:
    """Whoever has proven to read letters to the address it was sent to."""
    if not invitation.email:
        return False
    return invitation.email in _proven(by)


def waiting_for(*, by: User) -> list[MemberInvitation]:
    """Open ones to addresses the person has proven."""
    rows = MemberInvitation.objects.open().filter(email__in=_proven(by))
    return list(rows.select_related("enterprise").order_by("pk"))


def _proven(user: User) -> set[str]:
    mine = EmailAddress.objects.filter(user_id=user.pk, verified=True)
    return {address.lower() for address in mine.values_list("email", flat=True)}


@transaction.atomic
def answer(*, invitation: MemberInvitation, accept: bool, by: User) -> MemberInvitation:
    """The person says yes or no; nobody else sees the question."""
    enterprise = Enterprise.objects.select_for_update(of=("self",)).get(pk=invitation.enterprise_id)
    invitation = MemberInvitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if not is_for(invitation=invitation, by=by):
        raise DomainError(
            _("This invitation was sent to another address, or has been answered."),
            code="invitation.forbidden",
        )
    is_over = invitation.status != Status.SENT or invitation.expires_on < timezone.localdate()
    # Whoever no longer decides who joins leaves nobody behind who does.
    if is_over or (accept and not permissions.is_owner(invitation.invited_by, enterprise)):
        raise DomainError(
            _("This invitation no longer stands. Ask the owner for a new one."),
            code="invitation.over",
        )
    if accept and (enterprise.is_suspended or enterprise.status == Enterprise.Status.MERGED):
        raise DomainError(
            _("This enterprise takes no new members now. Ask its owner."),
            code="invitation.suspended",
        )
    if accept:
        _let_in(enterprise, invitation, by)
    verb = "accepted" if accept else "declined"
    _end(invitation, Status.ACCEPTED if accept else Status.DECLINED)
    audit.record(by, f"invitation.{verb}", invitation, enterprise=enterprise.public_id)
    changes.record("invitation", invitation, verb)
    for owner in accounts.owners(enterprise):
        if owner.pk != by.pk:
            notifications.post(
                owner,
                f"invitation_{verb}",
                email=False,
                enterprise=enterprise.public_id,
            )
    by.forget_memberships()
    return invitation


def _let_in(enterprise: Enterprise, invitation: MemberInvitation, by: User) -> None:
    lasting = [Membership.Status.REQUESTED, Membership.Status.ACTIVE]
    row = enterprise.memberships.filter(user=by, status__in=lasting).first()
    if row is None:
        row = Membership(user=by, enterprise=enterprise)
    elif row.status == Membership.Status.ACTIVE:
        return  # let in by another way meanwhile; the owners change roles on their page
    row.role, row.status = invitation.role, Membership.Status.ACTIVE
    row.save()
    changes.record("membership", row, "accepted")


@transaction.atomic
def withdraw(*, invitation: MemberInvitation, by: User) -> MemberInvitation:
    invitation = (
        MemberInvitation.objects.select_for_update(of=("self",))
        .select_related("enterprise")
        .get(pk=invitation.pk)
    )
    _check_owner(by, invitation.enterprise)
    if invitation.status != Status.SENT:
        raise DomainError(_("This invitation has been answered."), code="invitation.over")
    _end(invitation, Status.WITHDRAWN)
    audit.record(by, "invitation.withdrawn", invitation, enterprise=invitation.enterprise.public_id)
    changes.record("invitation", invitation, "withdrawn")
    return invitation


def forget_old(*, by: None = None) -> int:
    """The system's: an address nobody answered for goes."""
    old = MemberInvitation.objects.filter(status=Status.SENT, expires_on__lt=timezone.localdate())
    return _forget(old, by, keep_open=False)


def _forget(rows: QuerySet[MemberInvitation], by: None, *, keep_open: bool) -> int:
    count = 0
    for row in rows.filter(status=Status.SENT).select_related("enterprise").order_by("pk"):
        if keep_open and row.expires_on >= timezone.localdate():
            continue
        _end(row, Status.WITHDRAWN)
        audit.record(by, "invitation.expired", row, enterprise=row.enterprise.public_id)
        changes.record("invitation", row, "withdrawn")
        count += 1
    return count


def _end(invitation: MemberInvitation, status: MemberInvitation.Status) -> None:
    invitation.status = status
    invitation.email = ""
    invitation.save(update_fields=["status", "email", "updated_at"])


def _check_owner(by: User, enterprise: Enterprise) -> None:
    if not permissions.is_owner(by, enterprise):
        raise DomainError(
            _("Only an owner of the enterprise decides who joins."), code="invitation.forbidden"
        )
