"""Opening a contact: by the poster's policy, by an interest, or as a desk – and always on record."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Contact, ContactReveal, Enterprise, OrganiserRole, Requirement, User
from chains.permissions import Anyone
from matchmaking import permissions
from matchmaking.models import Interest

Right = ContactReveal.Right


@transaction.atomic
def reveal(*, requirement: Requirement, by: User, purpose: str = "") -> Contact:
    """The buyer's contact, for those whom policy, acceptance or office entitles. Every look is logged."""
    right = permissions.can_reveal(by, requirement)
    if right is None:
        raise DomainError(why_closed(requirement, by), code="contact.forbidden")
    if requirement.contact is None:
        raise DomainError(
            _("No contact is stored with this requirement."), code="contact.none_stored"
        )
    viewer = None if right == Right.DESK else _viewer(requirement, by, right)
    _log(requirement.contact, requirement, by, right, viewer, purpose)
    return requirement.contact


@transaction.atomic
def reveal_supplier(*, interest: Interest, by: User, purpose: str = "") -> Contact:
    """The supplier's contact, opened to the buyer by sending the interest; an answer does not close it again."""
    requirement = interest.requirement
    right = right_to_supplier(by, interest)
    if right is None:
        is_buyer = permissions.can_read_as_buyer(by, requirement)
        is_barred = is_buyer and not permissions.can_open_as_buyer(by, requirement)
        raise DomainError(
            _suspended() if is_barred else _("The supplier's contact is open to the buyer only."),
            code="contact.forbidden",
        )
    viewer = requirement.enterprise if right == Right.INTEREST_SENT else None
    _log(interest.contact, requirement, by, right, viewer, purpose)
    return interest.contact


def right_to_supplier(user: Anyone, interest: Interest) -> Right | None:
    """Members of the buyer, even after a "no"; a withdrawn interest only shows what was seen before. Then the desk.

    Who is suspended reads and opens nothing.
    """
    requirement = interest.requirement
    if permissions.can_open_as_buyer(user, requirement):
        seen = ContactReveal.objects.filter(
            contact=interest.contact_id, requirement=requirement, right=Right.INTEREST_SENT
        )
        if interest.status != Interest.Status.WITHDRAWN or seen.exists():
            return Right.INTEREST_SENT
    return Right.DESK if permissions.can_review_requirement(user, requirement) else None


def why_closed(requirement: Requirement, user: Anyone) -> str:
    """Whom the policy lets in, as a sentence for those it does not."""
    if permissions.only_reads(user):
        return _suspended()
    if requirement.contact_policy == Requirement.ContactPolicy.MEMBERS:
        return _("The contact is open to signed-in members while the requirement is published.")
    if requirement.contact_policy == Requirement.ContactPolicy.VERIFIED:
        return _(
            "The contact is open to members of verified enterprises while the requirement is published."
        )
    return _("The contact opens once the buyer has accepted your interest.")


def _suspended() -> str:
    return _("This enterprise is suspended and can only read. Ask its desk.")


def openings(requirement: Requirement) -> int:
    """How many opened the buyer's contact: each enterprise once, and each person without one; desks stand apart."""
    rows = ContactReveal.objects.of_requirement(requirement).exclude(right=Right.DESK)
    enterprises = rows.filter(enterprise__isnull=False).values("enterprise", "contact")
    persons = rows.filter(enterprise=None).values("user", "contact")
    return enterprises.distinct().count() + persons.distinct().count()


def desks_of(rows: Iterable[ContactReveal]) -> dict[int, Enterprise]:
    """By the person who looked, for which body a desk has done so."""
    desks = {row.user_id for row in rows if row.right == Right.DESK}
    roles = OrganiserRole.objects.filter(user__in=desks).select_related("body")
    return {role.user_id: role.body for role in roles}


def _viewer(requirement: Requirement, by: User, right: Right) -> Enterprise | None:
    """In whose name the person looks: the accepted supplier, else a verified one of theirs, else any."""
    houses = [membership.enterprise for membership in by.active_memberships]
    own = [enterprise for enterprise in houses if not enterprise.is_suspended]
    if right == Right.INTEREST_ACCEPTED:
        accepted = set(
            Interest.objects.filter(
                requirement=requirement, status=Interest.Status.ACCEPTED
            ).values_list("enterprise_id", flat=True)
        )
        own = [enterprise for enterprise in own if enterprise.pk in accepted]
    own.sort(key=lambda enterprise: not enterprise.is_verified)
    return own[0] if own else None


def _log(
    contact: Contact,
    requirement: Requirement,
    by: User,
    right: Right,
    viewer: Enterprise | None,
    purpose: str,
) -> None:
    purpose = purpose.strip()[:200]
    if right == Right.DESK and not purpose:
        raise DomainError(
            _("Write for what purpose the desk opens this contact."),
            code="contact.purpose_missing",
            field="purpose",
        )
    ContactReveal.objects.create(
        contact=contact,
        requirement=requirement,
        user=by,
        enterprise=viewer,
        right=right,
        purpose=purpose if right == Right.DESK else "",
    )
    # Who, what and by which right: never a name or a number.
    audit.record(
        by,
        "contact.revealed",
        contact,
        requirement=requirement.public_id,
        enterprise=viewer.public_id if viewer else None,
        right=str(right),
    )
    changes.record("contact", contact, "revealed")
