from __future__ import annotations

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from chains.models import Mandate, Membership, Requirement, RequirementLine
from events.models import Event, EventStaff, Listing
from matchmaking import permissions
from matchmaking.models import Interest
from matchmaking.services import contacts
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory
from tests.factories.matchmaking import InterestFactory, MatchFactory, MatchRunFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def requirement():
    row = RequirementFactory(approved=True)
    RequirementLineFactory(requirement=row)
    return row


def listed(requirement, user, role):
    event = EventFactory()
    Listing.objects.create(event=event, requirement=requirement, code="CODE1234")
    EventStaff.objects.create(event=event, user=user, role=role)


def people(requirement):
    """Everybody who might want to review, by what they are."""
    moderator, desk, away = (
        UserFactory(),
        UserFactory(),
        OrganiserRoleFactory(region=region("330100")).user,
    )
    listed(requirement, moderator, "moderator")
    EventStaff.objects.create(event=Listing.objects.get().event, user=desk, role="desk")
    insider = OrganiserRoleFactory().user
    Membership.objects.create(
        user=insider, enterprise=requirement.enterprise, role="viewer", status="active"
    )
    return {
        "stranger": AnonymousUser(),
        "signed in": UserFactory(),
        "owner": MembershipFactory(enterprise=requirement.enterprise).user,
        "organiser": OrganiserRoleFactory().user,
        "organiser elsewhere": away,
        "organiser of the own house": insider,
        "analyst": OrganiserRoleFactory(role="analyst").user,
        "moderator": moderator,
        "desk staff": desk,
        "administrator": AdministratorFactory(),
    }


def test_reviewers_are_the_desk_of_the_region_and_the_events_that_list_it(requirement):
    line = requirement.lines.get()
    team = people(requirement)

    may = {who for who, user in team.items() if permissions.can_review(user, line)}
    shown = {
        who
        for who, user in team.items()
        if permissions.lines_reviewable_by(user).filter(pk=line.pk).exists()
    }

    assert may == {"organiser", "moderator"}
    assert shown == may


def test_approved_requirement_is_visible_to_its_desk_its_event_and_its_owner(requirement):
    team = people(requirement)

    seen = {
        who
        for who, user in team.items()
        if permissions.requirements_visible_to(user).filter(pk=requirement.pk).exists()
    }

    assert seen == {
        "owner",
        "organiser",
        "organiser of the own house",
        "analyst",
        "moderator",
        "administrator",
    }


def test_draft_on_a_list_is_still_the_owners_alone(requirement):
    moderator = UserFactory()
    listed(requirement, moderator, "moderator")
    assert permissions.requirements_visible_to(moderator).exists()

    Requirement.objects.update(status="draft")

    assert not permissions.requirements_visible_to(moderator).exists()


def test_runs_are_started_by_owners_of_a_line_desks_and_the_administrator(requirement):
    line, team = requirement.lines.get(), people(requirement)

    def may(**scope):
        return {who for who, user in team.items() if permissions.can_start_run(user, **scope)}

    assert may(line=line) == {"owner", "organiser", "moderator", "administrator"}
    assert may(requirement=requirement) == {"organiser", "moderator", "administrator"}
    assert may(enterprise=requirement.enterprise) == {"organiser", "administrator"}
    assert may() == {"administrator"}


@pytest.mark.parametrize(
    ("status", "published", "sees"),
    [
        ("proposed", True, {"supplier", "organiser"}),
        ("approved", True, {"supplier", "organiser", "buyer"}),
        ("rejected", True, {"organiser"}),
        ("approved", False, {"organiser"}),
    ],
)
def test_match_is_seen_by_its_desk_its_supplier_and_once_recommended_by_its_buyer(
    status, published, sees
):
    requirement = RequirementFactory() if published else RequirementFactory(approved=True)
    match = MatchFactory(line=RequirementLineFactory(requirement=requirement), status=status)
    team = {
        "supplier": MembershipFactory(enterprise=match.supplier).user,
        "buyer": MembershipFactory(enterprise=requirement.enterprise).user,
        "organiser": OrganiserRoleFactory().user,
        "rival": MembershipFactory().user,
    }

    assert {who for who, user in team.items() if permissions.can_see_match(user, match)} == sees
    listed = {who for who, u in team.items() if permissions.matches_visible_to(u).exists()}
    assert listed == sees


def test_buyer_sees_the_score_of_a_supplier_that_sent_an_interest():
    match = MatchFactory()
    requirement = match.line.requirement
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    assert not permissions.can_see_match(buyer, match)

    interest = InterestFactory(requirement=requirement, enterprise=match.supplier)
    assert permissions.can_see_match(buyer, match)

    interest.status = "withdrawn"
    interest.save()
    assert not permissions.can_see_match(buyer, match)


@pytest.mark.parametrize(
    ("policy", "opens"),
    [
        ("members", {"signed in": "policy", "pending": "policy", "verified": "policy", "accepted": "policy", "organiser": "policy"}),
        ("verified", {"verified": "policy", "accepted": "policy", "organiser": "desk"}),
        ("accepted", {"accepted": "interest_accepted", "organiser": "desk"}),
    ],
)  # fmt: skip
def test_contact_opens_by_policy_by_acceptance_or_to_the_desk(policy, opens):
    requirement = RequirementFactory(contact_policy=policy)
    accepted = MembershipFactory()
    InterestFactory(requirement=requirement, enterprise=accepted.enterprise, status="accepted")
    InterestFactory(requirement=requirement)
    team = {
        "visitor": AnonymousUser(),
        "signed in": UserFactory(),
        "pending": MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user,
        "verified": MembershipFactory().user,
        "accepted": accepted.user,
        "organiser": OrganiserRoleFactory().user,
    }

    rights = {who: permissions.can_reveal(user, requirement) for who, user in team.items()}

    assert {who: right.value for who, right in rights.items() if right} == opens


def test_contact_of_an_unpublished_requirement_opens_to_nobody_by_policy():
    requirement = RequirementFactory(approved=True, contact_policy="members")

    assert permissions.can_reveal(MembershipFactory().user, requirement) is None


def test_reviewable_lines_are_open_and_approved():
    organiser = OrganiserRoleFactory().user
    RequirementFactory(lines=["A"])
    RequirementFactory(submitted=True, lines=["B"])
    closed = RequirementFactory(lines=["C"])
    closed.lines.update(status="filled")

    shown = permissions.lines_reviewable_by(organiser)

    assert list(shown.values_list("text", flat=True)) == ["A"]
    assert RequirementLine.objects.count() == 3


def test_association_sees_what_it_posted_while_its_mandate_lasts():
    association = MembershipFactory(enterprise__kind_id="association")
    requirement = RequirementFactory(posted_by=association.enterprise)
    mandate = Mandate.objects.create(
        association=association.enterprise, member=requirement.enterprise, status="active"
    )
    match = MatchFactory(line=RequirementLineFactory(requirement=requirement), status="approved")
    interest = InterestFactory(requirement=requirement, enterprise=match.supplier)

    def seen():
        user = association.user
        return (
            Requirement.objects.own(user).exists(),
            Interest.objects.visible_to(user).exists(),
            permissions.matches_visible_to(user).exists(),
            permissions.can_see_match(user, match),
            contacts.right_to_supplier(user, interest),
        )

    assert seen() == (True, True, True, True, "interest_sent")

    mandate.status = "ended"
    mandate.save()

    assert seen() == (False, False, False, False, None)


@pytest.mark.parametrize("role", ["moderator", "manager"])
def test_staff_of_an_event_leave_with_it(requirement, role):
    user = UserFactory()
    listed(requirement, user, role)
    assert permissions.can_review(user, requirement.lines.get())

    now, day = timezone.now(), datetime.timedelta(days=1)
    Event.objects.update(status="held", starts_at=now - 3 * day, ends_at=now - 2 * day)

    assert not permissions.can_review(user, requirement.lines.get())
    assert not permissions.requirements_visible_to(user).exists()


def test_runs_are_seen_by_who_asked_the_desk_the_event_and_the_administrator(requirement):
    team = people(requirement)
    asked = UserFactory()
    run = MatchRunFactory(scope="requirement", requirement=requirement, asked_by=asked)
    MatchRunFactory()

    seen = {
        who
        for who, user in {**team, "who asked": asked}.items()
        if permissions.runs_visible_to(user).filter(pk=run.pk).exists()
    }

    assert seen == {
        "who asked",
        "organiser",
        "organiser of the own house",
        "moderator",
        "administrator",
    }


def test_run_over_everything_is_seen_by_every_office_since_its_lines_are_in_it(requirement):
    team = people(requirement)
    run = MatchRunFactory()

    seen = {
        who
        for who, user in team.items()
        if permissions.runs_visible_to(user).filter(pk=run.pk).exists()
    }

    assert seen == {
        "organiser",
        "organiser elsewhere",
        "organiser of the own house",
        "analyst",
        "administrator",
    }
    assert {who for who in seen if permissions.can_cancel_run(team[who], run)} == {"administrator"}
