"""Who may do what with matches, interests and contacts. Predicates only."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from chains.models import (
    ContactReveal,
    Enterprise,
    Region,
    Requirement,
    RequirementFile,
    RequirementLine,
    User,
    lies_within,
)
from chains.permissions import (
    Anyone,
    acts_for,
    can_edit,
    can_submit,
    covers,
    is_member,
    is_own_case,
    is_own_requirement,
    is_signed_in,
)
from events.models import Event, Listing
from events.permissions import DESK, moderated_by
from matchmaking.models import Interest, Match, MatchRun, Weighting

Right = ContactReveal.Right


def events_of(user: Anyone) -> QuerySet[Event]:
    """Events at whose lists the user reviews: organised ones, and those where the user is a moderator."""
    if not is_signed_in(user) or not DESK.is_held_by(user):
        return Event.objects.none()
    return Event.objects.filter(
        Q(pk__in=Event.objects.organised_by(user).values("pk"))
        | Q(pk__in=moderated_by(user).values("pk"))
    )


def works_at_a_desk(user: Anyone) -> bool:
    """Has cases to decide: a region's, an event's as its manager or moderator, or what lies on nobody's desk."""
    return is_signed_in(user) and (
        user.is_organiser or user.is_administrator or events_of(user).exists()
    )


def enterprises_visible_to(user: Anyone) -> QuerySet[Enterprise]:
    """The register's rule, and what the user's events decide before it is verified."""
    visible = Enterprise.objects.visible_to(user)
    if not is_signed_in(user) or not DESK.is_held_by(user):
        return visible
    return Enterprise.objects.filter(
        Q(pk__in=visible.values("pk")) | Q(pk__in=DESK.enterprises(user).values("pk"))
    )


def is_listed_for(user: Anyone, requirement: Requirement) -> bool:
    """The requirement stands on the list of an event of the user's."""
    return (
        is_signed_in(user)
        and Listing.objects.filter(requirement=requirement, event__in=events_of(user)).exists()
    )


def requirements_visible_to(user: Anyone) -> QuerySet[Requirement]:
    """The register's rule; what one's enterprise has answered, closed or not; what is listed at the user's events
    before it is published."""
    visible = Requirement.objects.visible_to(user)
    if not is_signed_in(user):
        return visible
    # A supplier reads on what it has answered: its answers, the thread and the contact are there. What a desk has taken
    # down nobody does.
    answered = Interest.objects.standing().filter(enterprise__in=user.enterprise_ids)
    seen = Q(pk__in=visible.values("pk")) | Q(pk__in=answered.values("requirement")) & ~Q(
        close_reason=Requirement.CloseReason.TAKEN_DOWN
    )
    if DESK.is_held_by(user):
        listed = Listing.objects.filter(event__in=events_of(user)).values("requirement")
        seen |= Q(pk__in=DESK.requirements(user).values("pk"))
        seen |= Q(pk__in=listed) & ~Q(status=Requirement.Status.DRAFT)
    return Requirement.objects.filter(seen)


def can_review_requirement(user: Anyone, requirement: Requirement) -> bool:
    """See all its matches with scores; approve, reject, defer, add, undo: its region's desk, or an event that lists it."""
    if not is_signed_in(user) or is_own_requirement(user, requirement):
        return False
    return covers(user, requirement.enterprise.region) or is_listed_for(user, requirement)


def can_review(user: Anyone, line: RequirementLine) -> bool:
    return can_review_requirement(user, line.requirement)


def lines_reviewable_by(user: Anyone) -> QuerySet[RequirementLine]:
    """The same rule as `can_review`, for lists: scored lines of the user's desks and events."""
    if not is_signed_in(user) or not DESK.is_held_by(user):
        return RequirementLine.objects.none()
    scope = Q(requirement__listings__event__in=events_of(user)) | lies_within(
        "requirement__enterprise__region", user.organiser_regions
    )
    own = user.own_bodies
    barred = Q(requirement__enterprise__in=own) | Q(requirement__posted_by__in=own)
    rows = RequirementLine.objects.filter(scope).exclude(
        pk__in=RequirementLine.objects.filter(barred)
    )
    return RequirementLine.objects.scored().filter(pk__in=rows.values("pk"))


def can_start_run(
    user: Anyone,
    *,
    requirement: Requirement | None = None,
    line: RequirementLine | None = None,
    enterprise: Enterprise | None = None,
) -> bool:
    """One's own line (once an hour, the service counts), what one's desks look after, everything for the administrator."""
    if not is_signed_in(user):
        return False
    if user.is_administrator:
        return True
    if line is not None:
        return can_submit(user, line.requirement) or can_review(user, line)
    if requirement is not None:
        return can_review_requirement(user, requirement)
    if enterprise is not None:
        return not is_own_case(user, enterprise) and covers(user, enterprise.region)
    return False


def can_cancel_run(user: Anyone, run: MatchRun) -> bool:
    """Whoever asked for it, and whoever may start such a run."""
    return is_signed_in(user) and (
        run.asked_by_id == user.pk
        or can_start_run(
            user, requirement=run.requirement, line=run.line, enterprise=run.enterprise
        )
    )


def can_see_match(user: Anyone, match: Match) -> bool:
    """Score and reasons: the desk always; the supplier its own pairs once published; the buyer what is
    recommended to it or has come to it by an interest."""
    requirement = match.line.requirement
    if not is_signed_in(user):
        return False
    if can_review_requirement(user, requirement):
        return True
    if is_member(user, match.supplier):
        return requirement.is_published and match.status != Match.Status.REJECTED
    # Before it is published nobody but the desk knows whom the desk approved.
    if requirement.published_at is not None and can_read_as_buyer(user, requirement):
        return (
            match.status == Match.Status.APPROVED
            or Interest.objects.standing()
            .filter(requirement=requirement, enterprise=match.supplier)
            .exists()
        )
    return False


def can_read_as_buyer(user: Anyone, requirement: Requirement) -> bool:
    """Members of the enterprise that needs, or of an association that acts for it under a standing mandate."""
    return acts_for(user, requirement.enterprise)


def can_open_as_buyer(user: Anyone, requirement: Requirement) -> bool:
    """Open a supplier's contact: who reads as buyer, unless the buyer, or the association one acts with, is suspended."""
    enterprise = requirement.enterprise
    if not is_signed_in(user) or enterprise.is_suspended:
        return False
    acting = [m.enterprise_id for m in user.active_memberships if not m.enterprise.is_suspended]
    return (
        enterprise.pk in acting
        or enterprise.mandates_received.active().filter(association__in=acting).exists()
    )


def only_reads(user: Anyone) -> bool:
    """Each enterprise of the user's is suspended: what a person without one may open stays closed."""
    houses = [m.enterprise for m in user.active_memberships] if is_signed_in(user) else []
    return bool(houses) and all(house.is_suspended for house in houses)


def can_express(user: Anyone, enterprise: Enterprise) -> bool:
    """Send or withdraw an interest, dismiss a suggestion: editors of a verified enterprise."""
    return enterprise.is_verified and can_edit(user, enterprise)


def can_answer(user: Anyone, requirement: Requirement) -> bool:
    return can_submit(user, requirement)


def can_reveal(user: Anyone, requirement: Requirement) -> Right | None:
    """By what right the user may open the buyer's contact; None without one. The desk also states a purpose."""
    if not is_signed_in(user):
        return None
    if is_open_by_policy(user, requirement):
        return Right.POLICY
    accepted = Interest.objects.filter(
        requirement=requirement,
        enterprise__in=user.enterprise_ids,
        enterprise__status=Enterprise.Status.VERIFIED,
        status=Interest.Status.ACCEPTED,
    )
    if accepted.exists():
        return Right.INTEREST_ACCEPTED
    return Right.DESK if can_review_requirement(user, requirement) else None


def can_open_file(user: Anyone, attachment: RequirementFile) -> bool:
    """Its owner and the desk; of what is published, those whom the owner has named."""
    requirement = attachment.requirement
    if is_signed_in(user) and (
        can_read_as_buyer(user, requirement)
        or can_review_requirement(user, requirement)
        or DESK.may_moderate(user, requirement)
    ):
        return True
    visibility = RequirementFile.Visibility
    accepted = Interest.objects.filter(
        requirement=requirement,
        enterprise__in=getattr(user, "enterprise_ids", ()),
        enterprise__status=Enterprise.Status.VERIFIED,
        status=Interest.Status.ACCEPTED,
    )
    if attachment.visibility == visibility.ACCEPTED:
        was_public = requirement.published_at is not None
        is_removed = requirement.close_reason == Requirement.CloseReason.TAKEN_DOWN
        return is_signed_in(user) and was_public and not is_removed and accepted.exists()
    if not requirement.is_published:
        return False
    return attachment.visibility == visibility.PUBLIC or (
        is_signed_in(user)
        and any(membership.enterprise.is_verified for membership in user.active_memberships)
    )


def is_open_by_policy(user: User, requirement: Requirement) -> bool:
    policy = requirement.contact_policy
    if not requirement.is_published:
        return False
    if policy == Requirement.ContactPolicy.MEMBERS:
        return not only_reads(user)
    return policy == Requirement.ContactPolicy.VERIFIED and any(
        membership.enterprise.is_verified for membership in user.active_memberships
    )


def matches_visible_to(user: Anyone) -> QuerySet[Match]:
    """The same rule as `can_see_match`, for lists."""
    if not is_signed_in(user):
        return Match.objects.none()
    own = user.enterprise_ids
    as_supplier = Q(supplier__in=own, line__requirement__status=Requirement.Status.PUBLISHED) & ~Q(
        status=Match.Status.REJECTED
    )
    published = Requirement.objects.own(user).exclude(published_at=None)
    as_buyer = Q(line__requirement__in=published.values("pk"))
    answered = Interest.objects.standing().filter(
        requirement=OuterRef("line__requirement"), enterprise=OuterRef("supplier")
    )
    return Match.objects.live().filter(
        Q(line__in=lines_reviewable_by(user).values("pk"))
        | as_supplier
        | as_buyer & (Q(status=Match.Status.APPROVED) | Exists(answered))
    )


def runs_visible_to(user: Anyone) -> QuerySet[MatchRun]:
    """One's own runs, and those about what one's desks and events look after, which those over everything are too; all
    for the administrator."""
    if not is_signed_in(user):
        return MatchRun.objects.none()
    if user.is_administrator:
        return MatchRun.objects.all()
    listed = Listing.objects.filter(event__in=events_of(user)).values("requirement")
    scope = Q(asked_by=user) | Q(requirement__in=listed) | Q(line__requirement__in=listed)
    if user.active_roles:
        scope |= Q(scope=MatchRun.Scope.ALL)
    for field in (
        "requirement__enterprise__region",
        "line__requirement__enterprise__region",
        "enterprise__region",
    ):
        scope |= lies_within(field, user.organiser_regions)
    return MatchRun.objects.filter(scope)


def provinces_weighed(user: Anyone) -> QuerySet[Region]:
    """Provinces whose weighting and calibration report the user reads: those of the user's desks, all that are served
    for the administrator and for a desk of the whole country."""
    if not is_signed_in(user):
        return Region.objects.none()
    scope = [role.region for role in user.active_roles]
    codes = [region.province_code for region in scope if region.province_code]
    provinces = Region.objects.provinces()
    if user.is_administrator or len(codes) < len(scope):
        return provinces.filter(Q(served_as__isnull=False) | Q(code__in=codes))
    return provinces.filter(code__in=codes)


def can_read_weighting(user: Anyone, province: Region | None) -> bool:
    """The calibration report: organisers and analysts of the province; of all provinces together the administrator."""
    if not is_signed_in(user):
        return False
    if province is None:
        return user.is_administrator
    return user.is_administrator or provinces_weighed(user).filter(pk=province.pk).exists()


def can_weigh(user: Anyone, province: Region | None) -> bool:
    """Learn, activate or roll back: an organiser at province level for the province, the administrator for any and for
    the weighting that all share."""
    if not is_signed_in(user):
        return False
    return user.is_administrator or (province is not None and covers(user, province))


def weightings_visible_to(user: Anyone) -> QuerySet[Weighting]:
    """Versions of the user's provinces, and the shared ones that are or were in force: scores name them."""
    if not is_signed_in(user):
        return Weighting.objects.none()
    if user.is_administrator:
        return Weighting.objects.all()
    provinces = provinces_weighed(user)
    if not provinces.exists():
        return Weighting.objects.none()
    shared = Q(province=None) & ~Q(status=Weighting.Status.DRAFT)
    return Weighting.objects.filter(shared | Q(province__in=provinces))
