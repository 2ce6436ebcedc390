"""What is a person's own: of an enterprise one is a member of, or that one's association acts for under a mandate."""

from __future__ import annotations

import pytest
from django.urls import reverse

from chains import permissions
from chains.models import Mandate, Notification, Requirement, User
from chains.services import requirements
from matchmaking.permissions import can_read_as_buyer
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def market():
    """A requirement its enterprise posted itself, one the association posted for it, and everybody near them."""
    member, association = EnterpriseFactory(), EnterpriseFactory(kind_id="association")
    mandate = Mandate.objects.create(association=association, member=member, status="active")
    other = EnterpriseFactory(kind_id="association")
    Mandate.objects.create(association=other, member=member, status="offered")
    users = {
        "owner": MembershipFactory(enterprise=member).user,
        "viewer": MembershipFactory(enterprise=member, role="viewer").user,
        "association": MembershipFactory(enterprise=association, role="editor").user,
        "association's viewer": MembershipFactory(enterprise=association, role="viewer").user,
        "offered only": MembershipFactory(enterprise=other).user,
        "stranger": UserFactory(),
    }
    own = RequirementFactory(enterprise=member, lines=["a"])
    posted = RequirementFactory(enterprise=member, posted_by=association, lines=["a"])
    return mandate, users, own, posted


def names(users, rule):
    return {name for name, user in users.items() if rule(user)}


@pytest.mark.parametrize("which", ["own", "posted"])
def test_own_is_one_rule_for_lists_pages_and_acts(client, market, which):
    _mandate, users, own, posted = market
    row = own if which == "own" else posted
    readers = {"owner", "viewer", "association", "association's viewer"}
    writers = {"owner", "association"}

    def opens(name):
        def ask(user):
            client.force_login(user)
            return client.get(reverse(name, args=[row.public_id])).status_code == 200

        return ask

    assert names(users, lambda user: row in Requirement.objects.own(user)) == readers
    assert names(users, lambda user: permissions.acts_for(user, row.enterprise)) == readers
    assert names(users, lambda user: can_read_as_buyer(user, row)) == readers
    assert names(users, opens("matchmaking:requirement_desk")) == readers
    assert names(users, opens("chains:requirement_history")) == readers
    assert names(users, opens("chains:requirement_edit")) == writers
    assert names(users, lambda user: permissions.can_submit(user, row)) == writers
    assert names(users, lambda user: row.enterprise in permissions.bodies_of(user)) == writers


@pytest.mark.parametrize("which", ["own", "posted"])
def test_own_ends_with_the_mandate(market, which):
    mandate, users, own, posted = market
    row = own if which == "own" else posted
    Mandate.objects.filter(pk=mandate.pk).update(status="ended")

    assert names(users, lambda user: row in Requirement.objects.own(user)) == {"owner", "viewer"}
    assert names(users, lambda user: can_read_as_buyer(user, row)) == {"owner", "viewer"}


@pytest.mark.parametrize("status", ["active", "ended"])
def test_news_reaches_the_association_while_its_mandate_lasts(market, status):
    mandate, users, _own, posted = market
    Mandate.objects.filter(pk=mandate.pk).update(status=status)
    desk = OrganiserRoleFactory().user

    requirements.take_down(requirement=posted, reason="misleading", by=desk)

    told = set(
        Notification.objects.filter(kind="requirement_taken_down").values_list("to", flat=True)
    )
    expected = ["owner", "association"] if status == "active" else ["owner"]
    assert told == {users[name].pk for name in expected}
    assert set(User.objects.who_act_on(posted)) == {users[name] for name in expected}
