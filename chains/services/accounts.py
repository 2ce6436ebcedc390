from __future__ import annotations

import datetime
from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.errors import DomainError
from chains.models import Consent, Enterprise, Mandate, Membership, OrganiserRole, Region, User
from chains.services import consents, tokens

# Within these days only an owner decides who joins; afterwards the desk may (data-model.md).
ANSWER_DAYS = 5


# --- Members ------------------------------------------------------------------------------------------


@transaction.atomic
def request_join(
    *, enterprise: Enterprise, by: User, role: str = Membership.Role.EDITOR
) -> Membership:
    """Ask the owners of an enterprise that stands on the register to be let in."""
    enterprise = Enterprise.objects.select_for_update(of=("self",)).get(pk=enterprise.pk)
    if enterprise.status in (Enterprise.Status.UNCLAIMED, Enterprise.Status.MERGED):
        raise DomainError(
            _("Nobody manages this enterprise yet. Register it with its number instead."),
            code="membership.nobody_to_ask",
        )
    if enterprise.is_suspended:
        raise DomainError(
            _("This enterprise is suspended and takes no new members. Ask its desk."),
            code="membership.suspended",
        )
    if role not in (Membership.Role.EDITOR, Membership.Role.VIEWER):
        raise DomainError(
            _("Ask for the role of an editor or of a viewer."), code="membership.role", field="role"
        )
    if Membership.objects.filter(
        user=by, enterprise=enterprise, status__in=["requested", "active"]
    ).exists():
        raise DomainError(
            _("You are a member already, or your request waits for its answer."),
            code="membership.exists",
        )
    membership = Membership.objects.create(user=by, enterprise=enterprise, role=role)
    audit.record(by, "membership.requested", membership, enterprise=enterprise.public_id, role=role)
    changes.record("membership", membership, "requested")
    for owner in owners(enterprise):
        notifications.post(
            owner,
            "membership_requested",
            membership=membership.public_id,
            enterprise=enterprise.public_id,
        )
    return membership


@transaction.atomic
def decide_membership(
    *,
    membership: Membership,
    accept: bool,
    by: User,
    may: Callable[[User, Enterprise], bool] = permissions.can_verify,
) -> Membership:
    membership = _locked(membership)
    if not permissions.is_owner(by, membership.enterprise) and not may(by, membership.enterprise):
        raise DomainError(
            _("Only an owner of the enterprise decides who joins."), code="membership.forbidden"
        )
    if membership.status != Membership.Status.REQUESTED:
        raise DomainError(_("This request has been answered already."), code="membership.decided")
    if not permissions.is_owner(by, membership.enterprise) and not desk_may_decide(membership):
        raise DomainError(
            _(
                "The owners of the enterprise have five days to answer; the desk decides afterwards."
            ),
            code="membership.too_early",
        )
    membership.status = Membership.Status.ACTIVE if accept else Membership.Status.REFUSED
    membership.save(update_fields=["status", "updated_at"])
    verb = "accepted" if accept else "refused"
    audit.record(by, f"membership.{verb}", membership, enterprise=membership.enterprise.public_id)
    changes.record("membership", membership, verb)
    notifications.post(
        membership.user,
        f"membership_{verb}",
        membership=membership.public_id,
        enterprise=membership.enterprise.public_id,
    )
    return membership


def desk_may_decide(membership: Membership) -> bool:
    """Five days have passed, or there is no owner left who could answer."""
    waited = timezone.now() - membership.created_at >= datetime.timedelta(days=ANSWER_DAYS)
    return waited or not owners(membership.enterprise)


@transaction.atomic
def change_role(
    *,
    membership: Membership,
    role: str,
    by: User,
    may: Callable[[User, Enterprise], bool] = permissions.can_verify,
) -> Membership:
    """An owner says what a member may do; where none is left, the desk makes a member an owner."""
    membership = _locked(membership)
    enterprise, becomes_owner = membership.enterprise, role == Membership.Role.OWNER
    names_one = becomes_owner and not owners(enterprise) and may(by, enterprise)
    if not permissions.is_owner(by, enterprise) and not names_one:
        raise DomainError(
            _("Only an owner of the enterprise changes roles."), code="membership.forbidden"
        )
    if membership.status != Membership.Status.ACTIVE or role not in Membership.Role.values:
        raise DomainError(_("This person is no member any more."), code="membership.not_active")
    if becomes_owner and not membership.user.is_active:
        raise DomainError(
            _("This account is closed. Choose a member who can still sign in."),
            code="membership.closed",
        )
    _keep_an_owner(membership, leaves=not becomes_owner)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role", "updated_at"])
    audit.record(by, "membership.role_changed", membership, before=before, after=role)
    changes.record("membership", membership, "role_changed")
    if membership.user_id != by.pk:
        notifications.post(
            membership.user,
            "membership_role_changed",
            email=False,
            membership=membership.public_id,
            enterprise=enterprise.public_id,
        )
    by.forget_memberships()
    return membership


@transaction.atomic
def end_membership(*, membership: Membership, by: User) -> Membership:
    """The person leaves or takes a request back, or an owner ends it. The last owner stays."""
    membership = _locked(membership)
    own = membership.user_id == by.pk
    if not own and not permissions.is_owner(by, membership.enterprise):
        raise DomainError(
            _("Only an owner of the enterprise ends the membership of others."),
            code="membership.forbidden",
        )
    if membership.status not in (Membership.Status.ACTIVE, Membership.Status.REQUESTED):
        raise DomainError(_("This membership has ended already."), code="membership.not_active")
    _keep_an_owner(membership, leaves=True)
    membership.status = Membership.Status.ENDED
    membership.save(update_fields=["status", "updated_at"])
    audit.record(by, "membership.ended", membership, enterprise=membership.enterprise.public_id)
    changes.record("membership", membership, "ended")
    if not own:
        notifications.post(
            membership.user,
            "membership_ended",
            membership=membership.public_id,
            enterprise=membership.enterprise.public_id,
        )
    by.forget_memberships()
    return membership


def owners(enterprise: Enterprise) -> list[User]:
    return list(
        User.objects.filter(
            memberships__enterprise=enterprise,
            memberships__status=Membership.Status.ACTIVE,
            memberships__role=Membership.Role.OWNER,
            is_active=True,
        )
        .distinct()
        .order_by("pk")
    )


def editors(enterprise: Enterprise) -> list[User]:
    """Owners and editors: those who are told what happens to the enterprise."""
    return list(User.objects.editors_of([enterprise.pk]))


def _locked(membership: Membership) -> Membership:
    """The membership anew, its enterprise locked: two owners who leave at once wait for each other."""
    Enterprise.objects.select_for_update(of=("self",)).get(pk=membership.enterprise_id)
    return (
        Membership.objects.select_for_update(of=("self",))
        .select_related("enterprise__region", "user")
        .get(pk=membership.pk)
    )


def _keep_an_owner(membership: Membership, *, leaves: bool) -> None:
    is_owner = (
        membership.role == Membership.Role.OWNER and membership.status == Membership.Status.ACTIVE
    )
    if not leaves or not is_owner:
        return
    others = Membership.objects.acting_owners().filter(enterprise=membership.enterprise)
    if not others.exclude(pk=membership.pk).exists():
        raise DomainError(
            _("The last owner stays. Make somebody else an owner first."),
            code="membership.last_owner",
        )


# --- How one signs in ---------------------------------------------------------------------------------


@transaction.atomic
def trace(*, action: str, by: User) -> None:
    """The sign-in package has changed how the person signs in: password, address, second step."""
    audit.record(by, action, by)
    changes.record("user", by, action.partition(".")[2])
    if action.startswith("password."):
        tokens.end_with_password(by=by)


@transaction.atomic
def reset_second_step(*, user: User, by: User) -> int:
    """For whoever has lost the telephone and the recovery codes, after the administrator has made sure who asks."""
    if not by.is_administrator or by.pk == user.pk:
        raise DomainError(
            _("Another administrator takes a second step off an account."),
            code="second_step.forbidden",
        )
    user = User.objects.select_for_update().get(pk=user.pk)
    removed: int = Authenticator.objects.filter(user=user.pk).delete()[0]
    if not removed:
        raise DomainError(_("This account has no second step."), code="second_step.none")
    audit.record(by, "second_step.removed", user, rows=removed)
    changes.record("user", user, "second_step_removed")
    notifications.post(user, "second_step_removed")
    return removed


# --- The number one signs in with ----------------------------------------------------------------------


@transaction.atomic
def set_phone(*, phone: str, by: User) -> User:
    """A code sent to the number came back: from now on a code to it signs in. One number, one account."""
    user = User.objects.select_for_update().get(pk=by.pk)
    if user.phone == phone:
        return user
    try:
        with transaction.atomic():
            user.phone = phone
            user.save(update_fields=["phone"])
    except IntegrityError as error:
        raise DomainError(
            _("Another account signs in with this number."), code="phone.taken"
        ) from error
    by.phone = phone
    audit.record(by, "phone.set", user)
    changes.record("user", user, "phone_set")
    consents.give(purpose=Consent.Purpose.PHONE, by=by)
    return user


# --- Mandates -----------------------------------------------------------------------------------------


@transaction.atomic
def offer_mandate(*, association: Enterprise, member: Enterprise, by: User) -> Mandate:
    """An association offers to post requirements for a member; it starts when the member accepts."""
    if not permissions.can_edit(by, association):
        raise DomainError(
            _("Only editors of the association offer a mandate."), code="mandate.forbidden"
        )
    if association.kind_id != "association" or not association.is_verified:
        raise DomainError(
            _("Only a verified association can post for its members."),
            code="mandate.association",
            field="association",
        )
    if not member.is_verified or member.pk == association.pk:
        raise DomainError(_("The member has to be another, verified body."), code="mandate.member")
    try:
        with transaction.atomic():
            mandate = Mandate.objects.create(association=association, member=member)
    except IntegrityError as error:
        raise DomainError(
            _("There is a mandate with this member already, or an offer that waits."),
            code="mandate.exists",
        ) from error
    audit.record(
        by, "mandate.offered", mandate, association=association.public_id, member=member.public_id
    )
    changes.record("mandate", mandate, "offered")
    for owner in owners(member):
        notifications.post(
            owner, "mandate_offered", association=association.public_id, enterprise=member.public_id
        )
    return mandate


@transaction.atomic
def accept_mandate(*, mandate: Mandate, by: User) -> Mandate:
    mandate = _locked_mandate(mandate)
    if not permissions.is_owner(by, mandate.member):
        raise DomainError(
            _("Only an owner of the enterprise accepts a mandate."), code="mandate.forbidden"
        )
    if mandate.status != Mandate.Status.OFFERED:
        raise DomainError(_("This offer is not open any more."), code="mandate.not_offered")
    mandate.status = Mandate.Status.ACTIVE
    mandate.save(update_fields=["status", "updated_at"])
    audit.record(by, "mandate.accepted", mandate)
    changes.record("mandate", mandate, "accepted")
    for editor in editors(mandate.association):
        notifications.post(
            editor,
            "mandate_accepted",
            association=mandate.association.public_id,
            enterprise=mandate.member.public_id,
        )
    return mandate


@transaction.atomic
def end_mandate(*, mandate: Mandate, by: User) -> Mandate:
    """Either side ends it: an owner of the member, an editor of the association."""
    mandate = _locked_mandate(mandate)
    if not permissions.is_owner(by, mandate.member) and not permissions.can_edit(
        by, mandate.association
    ):
        raise DomainError(
            _("Only an owner of the member or the association ends a mandate."),
            code="mandate.forbidden",
        )
    if mandate.status == Mandate.Status.ENDED:
        raise DomainError(_("This mandate has ended already."), code="mandate.ended")
    was_offered = mandate.status == Mandate.Status.OFFERED
    mandate.status = Mandate.Status.ENDED
    mandate.save(update_fields=["status", "updated_at"])
    audit.record(by, "mandate.ended", mandate)
    changes.record("mandate", mandate, "ended")
    _tell_of_end(mandate, by, was_offered=was_offered)
    return mandate


def _tell_of_end(mandate: Mandate, by: User, *, was_offered: bool) -> None:
    """The other side hears of it; whoever sits on both knows."""
    sides = [(mandate.association, editors(mandate.association))]
    if not was_offered:
        # An offer that is taken back leaves its owners with nothing to do.
        sides.append((mandate.member, owners(mandate.member)))
    for body, people in sides:
        for person in people:
            if not permissions.is_member(by, body):
                notifications.post(
                    person,
                    "mandate_refused" if was_offered else "mandate_ended",
                    association=mandate.association.public_id,
                    enterprise=mandate.member.public_id,
                    page=body.public_id,
                )


def _locked_mandate(mandate: Mandate) -> Mandate:
    return (
        Mandate.objects.select_for_update(of=("self",))
        .select_related("association", "member")
        .get(pk=mandate.pk)
    )


# --- Organisers ---------------------------------------------------------------------------------------


@transaction.atomic
def grant_role(
    *,
    user: User,
    body: Enterprise,
    region: Region,
    role: str,
    by: User | None,
    valid_until_on: datetime.date | None = None,
) -> OrganiserRole:
    """Let a person act for a public body or an association in a region and all below it."""
    if by is not None and not permissions.can_grant_role(by, region):
        raise DomainError(
            _("Roles are given by the administrator, for counties by the desk above them."),
            code="role.forbidden",
        )
    if body.kind_id not in ("government", "association"):
        raise DomainError(
            _("Only an authority or an association has organisers."), code="role.body"
        )
    granted, created = OrganiserRole.objects.get_or_create(
        user=user, body=body, region=region, role=role, defaults={"valid_until_on": valid_until_on}
    )
    if not created and granted.valid_until_on == valid_until_on:
        return granted
    granted.valid_until_on = valid_until_on
    granted.save(update_fields=["valid_until_on", "updated_at"])
    audit.record(by, "role.granted", granted, role=role, region=region.code, body=body.public_id)
    changes.record("role", granted, "granted")
    if by is not None:
        notifications.post(user, "role_granted", organiserrole=granted.public_id)
    user.forget_memberships()
    return granted


@transaction.atomic
def end_role(*, granted: OrganiserRole, by: User) -> OrganiserRole:
    """From this moment the person no longer works there; what they did keeps their trail."""
    granted = (
        OrganiserRole.objects.select_for_update(of=("self",))
        .select_related("region", "user")
        .get(pk=granted.pk)
    )
    if not permissions.can_grant_role(by, granted.region):
        raise DomainError(
            _("Roles are ended by the administrator, for counties by the desk above them."),
            code="role.forbidden",
        )
    if not granted.is_current:
        return granted  # the second of two clicks
    granted.valid_until_on = timezone.localdate() - datetime.timedelta(days=1)
    granted.save(update_fields=["valid_until_on", "updated_at"])
    audit.record(by, "role.ended", granted, role=granted.role, region=granted.region.code)
    changes.record("role", granted, "ended")
    notifications.post(granted.user, "role_ended", organiserrole=granted.public_id)
    return granted
