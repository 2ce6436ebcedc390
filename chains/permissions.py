"""Who may do what in the register. Predicates only: services ask and refuse, pages leave the button out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeGuard, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from chains.desks import RegionDesks
from chains.models import (
    Enterprise,
    Mandate,
    Membership,
    Region,
    Requirement,
    User,
    lies_within,
)

Anyone = User | AnonymousUser
Case = TypeVar("Case")


def is_signed_in(user: Anyone) -> TypeGuard[User]:
    return isinstance(user, User) and user.is_active


def membership_of(user: Anyone, enterprise: Enterprise) -> Membership | None:
    if not is_signed_in(user):
        return None
    return next((m for m in user.active_memberships if m.enterprise_id == enterprise.pk), None)


def holds_a_role(user: Anyone) -> bool:
    """Works for a region, if only to read, or administers the platform."""
    return is_signed_in(user) and (user.is_administrator or bool(user.active_roles))


def is_member(user: Anyone, enterprise: Enterprise) -> bool:
    return membership_of(user, enterprise) is not None


def is_owner(user: Anyone, enterprise: Enterprise) -> bool:
    membership = membership_of(user, enterprise)
    return (
        membership is not None
        and membership.role == Membership.Role.OWNER
        and not enterprise.is_suspended
    )


def can_hold_token(user: Anyone) -> bool:
    """Ask the interface with a program of one's own: owners of a verified enterprise, organisers, administrators."""
    return is_signed_in(user) and (
        user.is_administrator
        or user.is_organiser
        or any(
            membership.enterprise.is_verified and is_owner(user, membership.enterprise)
            for membership in user.active_memberships
        )
    )


def can_grant_role(user: Anyone, region: Region) -> bool:
    """Say who works for a region: the administrator; for a county or zone the desk above it."""
    if not is_signed_in(user) or user.is_administrator:
        return is_signed_in(user)
    above = any(own.contains(region) and own.pk != region.pk for own in user.organiser_regions)
    return above and region.level in COUNTIES


def grants_roles(user: Anyone) -> bool:
    """Has counties below the own region. The administrator gives all others, in the workshop."""
    return is_signed_in(user) and any(own.level not in COUNTIES for own in user.organiser_regions)


COUNTIES = (Region.Level.COUNTY, Region.Level.ZONE)


def can_edit(user: Anyone, enterprise: Enterprise) -> bool:
    """Profile, contacts, capabilities, drafts. A suspended enterprise only reads."""
    membership = membership_of(user, enterprise)
    return membership is not None and membership.may_edit and not enterprise.is_suspended


def mandate_for(user: Anyone, enterprise: Enterprise) -> Mandate | None:
    """The mandate under which the user posts for the enterprise; a suspended association uses none."""
    if not is_signed_in(user):
        return None
    own = [m.enterprise_id for m in user.active_memberships if can_edit(user, m.enterprise)]
    return (
        enterprise.mandates_received.active()
        .filter(association__in=own)
        .select_related("association")
        .order_by("pk")
        .first()
    )


def acts_for(user: Anyone, enterprise: Enterprise) -> bool:
    """What the enterprise asks for is the user's *own*: a member's, or that of an association with its mandate.

    `Requirement.objects.own` is the same rule for lists. To read is enough for a viewer; to write takes `can_post_for`.
    """
    if not is_signed_in(user):
        return False
    return (
        is_member(user, enterprise)
        or enterprise.mandates_received.active()
        .filter(association__in=user.enterprise_ids)
        .exists()
    )


def bodies_of(user: User) -> list[Enterprise]:
    """The enterprises the user may post for: own ones first, then those that gave a mandate."""
    own = [m.enterprise for m in user.active_memberships if can_edit(user, m.enterprise)]
    given = (
        Mandate.objects.active()
        .filter(association__in=[e.pk for e in own])
        .select_related("member__region")
        .order_by("pk")
    )
    members = [mandate.member for mandate in given if not mandate.member.is_suspended]
    return own + [member for member in members if member not in own]


def can_post_for(user: Anyone, enterprise: Enterprise) -> bool:
    """Draft a requirement of the enterprise: its editors, or an association with an active mandate."""
    return can_edit(user, enterprise) or mandate_for(user, enterprise) is not None


def can_submit(user: Anyone, requirement: Requirement) -> bool:
    """Submit, amend, close, answer: editors of a verified enterprise, or its mandated association."""
    return requirement.enterprise.is_verified and can_post_for(user, requirement.enterprise)


def covers(user: Anyone, region: Region | None) -> bool:
    """The region lies in the scope of one of the user's organiser roles."""
    if region is None or not is_signed_in(user):
        return False
    return any(own.contains(region) for own in user.organiser_regions)


def is_own_case(user: User, enterprise: Enterprise) -> bool:
    """Nobody decides on their own enterprise's or body's case: the next desk up does."""
    return enterprise.pk in user.own_bodies


def can_verify(user: Anyone, enterprise: Enterprise) -> bool:
    """Verify, return, suspend the enterprise; verify or revoke its qualifications; moderate its requirements."""
    if not is_signed_in(user) or is_own_case(user, enterprise):
        return False
    return user.is_administrator or covers(user, enterprise.region)


def is_own_requirement(user: User, requirement: Requirement) -> bool:
    """Nobody decides on their own body's case, nor on one it posted for a member."""
    posted_by = requirement.posted_by
    return is_own_case(user, requirement.enterprise) or (
        posted_by is not None and is_own_case(user, posted_by)
    )


def can_moderate(user: Anyone, requirement: Requirement) -> bool:
    if is_signed_in(user) and is_own_requirement(user, requirement):
        return False
    return can_verify(user, requirement.enterprise)


class Desk:
    """Whose cases a person looks at and decides.

    These are the desks of regions, all that the register knows. Events lend desks of their own: the roof gives the
    pages `events.permissions.EventDesk` instead.
    """

    def is_held_by(self, user: User) -> bool:
        """Whether anything may lie on one of the user's desks at all."""
        return user.is_administrator or bool(user.active_roles)

    def enterprises(self, user: User) -> QuerySet[Enterprise]:
        """What the user may look at as a desk; own cases are among them and refused with a sentence."""
        return Enterprise.objects.in_scope_of(user)

    def requirements(self, user: User) -> QuerySet[Requirement]:
        return Requirement.objects.in_scope_of(user)

    def to_moderate(self, user: User) -> QuerySet[Requirement]:
        """What waits for a decision the user may take."""
        rows = Requirement.objects.to_moderate()
        if not user.is_administrator:
            rows = rows.filter(lies_within("enterprise__region", user.organiser_regions))
        return without_own(rows, user)

    def pending(self, user: User) -> list[Enterprise]:
        """The queue of enterprises on the user's desks, oldest first: what lies on the desks below is theirs."""
        rows = (
            self.enterprises(user)
            .filter(status=Enterprise.Status.PENDING)
            .select_related("region")
            .order_by("submitted_at", "pk")
        )
        return self.on_own_desks([(row, row) for row in rows if not is_own_case(user, row)], user)

    def submitted(self, user: User) -> list[Requirement]:
        """The queue of requirements on the user's desks, oldest first."""
        rows = list(
            self.to_moderate(user)
            .select_related("enterprise__region")
            .order_by("submitted_at", "pk")
        )
        here = {row.pk for row in self.on_own_desks([(row.enterprise, row) for row in rows], user)}
        here |= self.shared(rows, user)
        return [row for row in rows if row.pk in here]

    def shared(self, requirements: Collection[Requirement], user: User) -> set[int]:
        """Of them what the user decides on beside the desk of the region."""
        return set()

    def on_own_desks(self, cases: Sequence[tuple[Enterprise, Case]], user: User) -> list[Case]:
        """Those of the cases that lie on one of the user's desks, in the order given."""
        desks, own = RegionDesks(), {region.path for region in user.organiser_regions}
        paths = [desks.path_for(enterprise, _posted_by(case)) for enterprise, case in cases]
        placed = list(zip(cases, paths, strict=True))
        nowhere = {enterprise.pk for (enterprise, _case), path in placed if path is None}
        unserved = self.unserved(nowhere, user)
        return [
            case
            for (enterprise, case), path in placed
            if path in own or (path is None and enterprise.pk in unserved)
        ]

    def unserved(self, enterprises: Collection[int], user: User) -> set[int]:
        """Of enterprises that no region's desk serves, those the user decides on."""
        return set(enterprises) if user.is_administrator else set()

    def may_verify(self, user: Anyone, enterprise: Enterprise) -> bool:
        return can_verify(user, enterprise)

    def may_moderate(self, user: Anyone, requirement: Requirement) -> bool:
        """Return, approve, refuse."""
        return can_moderate(user, requirement)

    def may_take_down(self, user: Anyone, requirement: Requirement) -> bool:
        """Take down what is published, look at what was amended."""
        return can_moderate(user, requirement)

    def may_see_evidence(self, user: Anyone, enterprise: Enterprise) -> bool:
        """Licences and certificates: owner and editors – suspended ones still read – and the desk."""
        membership = membership_of(user, enterprise)
        return (membership is not None and membership.may_edit) or self.may_verify(user, enterprise)


def _posted_by(case: object) -> int | None:
    return case.posted_by_id if isinstance(case, Requirement) else None


def without_own(rows: QuerySet[Requirement], user: User) -> QuerySet[Requirement]:
    own = user.own_bodies
    return rows.exclude(enterprise__in=own).exclude(posted_by__in=own)
