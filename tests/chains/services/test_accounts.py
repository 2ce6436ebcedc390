from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Mandate, Membership, Notification
from chains.services import accounts
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)

pytestmark = pytest.mark.django_db


def asked(owner, **fields):
    return accounts.request_join(enterprise=owner.enterprise, by=UserFactory(), **fields)


def test_request_is_accepted_by_an_owner_and_the_person_is_told():
    owner = MembershipFactory()
    request = asked(owner)

    accounts.decide_membership(membership=request, accept=True, by=owner.user)

    request.refresh_from_db()
    assert request.status == "active"
    assert list(Change.objects.values_list("noun", "verb")) == [
        ("membership", "requested"),
        ("membership", "accepted"),
    ]
    assert set(Notification.objects.filter(to=request.user).values_list("kind", "channel")) == {
        ("membership_accepted", "in_app"),
        ("membership_accepted", "email"),
    }
    assert list(AuditEntry.objects.values_list("actor", "action")) == [
        (request.user_id, "membership.requested"),
        (owner.user_id, "membership.accepted"),
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [("unclaimed", "membership.nobody_to_ask"), ("suspended", "membership.suspended")],
)
def test_request_where_nobody_can_answer_is_refused(status, code):
    enterprise = EnterpriseFactory(status=status)

    with pytest.raises(DomainError) as refusal:
        accounts.request_join(enterprise=enterprise, by=UserFactory())

    assert refusal.value.code == code


def test_request_twice_or_for_the_owners_role_is_refused():
    owner = MembershipFactory()
    request = asked(owner)

    with pytest.raises(DomainError) as twice:
        accounts.request_join(enterprise=owner.enterprise, by=request.user)
    with pytest.raises(DomainError) as role:
        asked(owner, role="owner")

    assert (twice.value.code, role.value.code) == ("membership.exists", "membership.role")


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_owners_decide(role):
    owner = MembershipFactory()
    other = MembershipFactory(enterprise=owner.enterprise, role=role)

    with pytest.raises(DomainError) as refusal:
        accounts.decide_membership(membership=asked(owner), accept=True, by=other.user)

    assert refusal.value.is_refusal


def test_desk_decides_after_five_days_or_when_no_owner_is_left():
    owner = MembershipFactory()
    organiser = OrganiserRoleFactory().user
    request = asked(owner)
    with pytest.raises(DomainError) as early:
        accounts.decide_membership(membership=request, accept=True, by=organiser)
    Membership.objects.filter(pk=request.pk).update(
        created_at=timezone.now() - datetime.timedelta(days=5)
    )

    late = accounts.decide_membership(membership=request, accept=False, by=organiser)
    alone = asked(MembershipFactory(role="editor"))
    orphan = accounts.decide_membership(membership=alone, accept=True, by=organiser)

    assert early.value.code == "membership.too_early"
    assert (late.status, orphan.status) == ("refused", "active")


def test_decided_once():
    owner = MembershipFactory()
    request = asked(owner)
    accounts.decide_membership(membership=request, accept=False, by=owner.user)

    with pytest.raises(DomainError) as refusal:
        accounts.decide_membership(membership=request, accept=True, by=owner.user)

    assert refusal.value.code == "membership.decided"


def test_last_owner_stays_until_there_is_another():
    owner = MembershipFactory()
    with pytest.raises(DomainError) as leaving:
        accounts.end_membership(membership=owner, by=owner.user)
    with pytest.raises(DomainError) as stepping_down:
        accounts.change_role(membership=owner, role="editor", by=owner.user)
    editor = MembershipFactory(enterprise=owner.enterprise, role="editor")

    accounts.change_role(membership=editor, role="owner", by=owner.user)
    accounts.end_membership(membership=owner, by=owner.user)

    assert leaving.value.code == stepping_down.value.code == "membership.last_owner"
    assert list(Membership.objects.active().values_list("user", "role")) == [
        (editor.user_id, "owner")
    ]


def closed(membership):
    membership.user.is_active = False
    membership.user.save()
    return membership


def test_last_owner_who_can_sign_in_stays():
    owner = MembershipFactory()
    closed(MembershipFactory(enterprise=owner.enterprise))

    with pytest.raises(DomainError) as leaving:
        accounts.end_membership(membership=owner, by=owner.user)

    assert leaving.value.code == "membership.last_owner"


def test_owner_is_named_by_the_desk_where_none_is_left_and_only_there():
    owner, organiser = MembershipFactory(), OrganiserRoleFactory().user
    editor = MembershipFactory(enterprise=owner.enterprise, role="editor")
    gone = closed(MembershipFactory(enterprise=owner.enterprise, role="editor"))

    def refused(membership, role="owner", by=organiser):
        with pytest.raises(DomainError) as refusal:
            accounts.change_role(membership=membership, role=role, by=by)
        return refusal.value.code

    assert refused(editor) == "membership.forbidden"
    closed(owner)
    assert refused(editor, by=editor.user) == "membership.forbidden"
    assert refused(editor, role="viewer") == "membership.forbidden"
    assert refused(gone) == "membership.closed"
    accounts.change_role(membership=editor, role="owner", by=organiser)

    assert accounts.owners(owner.enterprise) == [editor.user]
    entry = AuditEntry.objects.get(action="membership.role_changed")
    assert (entry.actor, entry.data) == (organiser.pk, {"before": "editor", "after": "owner"})
    assert Notification.objects.filter(to=editor.user, kind="membership_role_changed").exists()


def test_administrator_names_an_owner_but_not_themself():
    boss = AdministratorFactory()
    own, other = MembershipFactory(user=boss, role="editor"), MembershipFactory(role="viewer")

    with pytest.raises(DomainError) as refusal:
        accounts.change_role(membership=own, role="owner", by=boss)
    accounts.change_role(membership=other, role="owner", by=boss)

    assert refusal.value.is_refusal
    assert accounts.owners(other.enterprise) == [other.user]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_two_owners_who_leave_at_once_leave_one_behind():
    first = MembershipFactory()
    second = MembershipFactory(enterprise=first.enterprise)
    together = threading.Barrier(2)
    outcomes = []

    def go(membership):
        together.wait()
        try:
            outcomes.append(
                accounts.end_membership(membership=membership, by=membership.user).status
            )
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[m]) for m in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["ended", "membership.last_owner"]
    assert Membership.objects.active().count() == 1


def test_member_leaves_by_themself_but_ends_nobody_else():
    owner = MembershipFactory()
    viewer = MembershipFactory(enterprise=owner.enterprise, role="viewer")
    with pytest.raises(DomainError) as refusal:
        accounts.end_membership(membership=owner, by=viewer.user)

    ended = accounts.end_membership(membership=viewer, by=viewer.user)

    assert refusal.value.is_refusal
    assert ended.status == "ended"
    assert not Notification.objects.exists()


def association():
    return MembershipFactory(enterprise__kind_id="association")


def test_mandate_is_offered_accepted_and_ended():
    giver, owner = association(), MembershipFactory()

    mandate = accounts.offer_mandate(
        association=giver.enterprise, member=owner.enterprise, by=giver.user
    )
    offered = list(Mandate.objects.active())
    accounts.accept_mandate(mandate=mandate, by=owner.user)
    active = list(Mandate.objects.active())
    accounts.end_mandate(mandate=mandate, by=giver.user)

    assert (offered, active, list(Mandate.objects.active())) == ([], [mandate], [])
    assert set(Notification.objects.values_list("to", "kind")) == {
        (owner.user_id, "mandate_offered"),
        (giver.user_id, "mandate_accepted"),
        (owner.user_id, "mandate_ended"),  # by the other side
    }


def test_mandate_refusals():
    giver, owner = association(), MembershipFactory()
    mandate = accounts.offer_mandate(
        association=giver.enterprise, member=owner.enterprise, by=giver.user
    )
    editor = MembershipFactory(enterprise=owner.enterprise, role="editor")

    def code_of(call, **arguments):
        with pytest.raises(DomainError) as refusal:
            call(**arguments)
        return refusal.value.code

    offer = accounts.offer_mandate
    assert [
        code_of(offer, association=giver.enterprise, member=owner.enterprise, by=owner.user),
        code_of(offer, association=owner.enterprise, member=giver.enterprise, by=owner.user),
        code_of(offer, association=giver.enterprise, member=owner.enterprise, by=giver.user),
        code_of(
            offer,
            association=giver.enterprise,
            member=EnterpriseFactory(pending=True),
            by=giver.user,
        ),
        code_of(accounts.accept_mandate, mandate=mandate, by=editor.user),
        code_of(accounts.accept_mandate, mandate=mandate, by=giver.user),
        code_of(accounts.end_mandate, mandate=mandate, by=UserFactory()),
    ] == [
        "mandate.forbidden",
        "mandate.association",
        "mandate.exists",
        "mandate.member",
        "mandate.forbidden",
        "mandate.forbidden",
        "mandate.forbidden",
    ]


def test_roles_of_counties_are_given_by_the_desk_above():
    body = EnterpriseFactory(kind_id="government", scheme="other", number=None)
    city = OrganiserRoleFactory().user

    county = accounts.grant_role(
        user=UserFactory(), body=body, region=region("330421"), role="organiser", by=city
    )
    with pytest.raises(DomainError) as sideways:
        accounts.grant_role(
            user=UserFactory(), body=body, region=region("330400"), role="organiser", by=city
        )
    with pytest.raises(DomainError) as elsewhere:
        accounts.grant_role(
            user=UserFactory(), body=body, region=region("330106"), role="organiser", by=city
        )
    accounts.end_role(granted=county, by=AdministratorFactory())

    assert sideways.value.is_refusal
    assert elsewhere.value.is_refusal
    county.user.forget_memberships()
    assert county.user.active_roles == []


def test_role_again_is_harmless_and_only_for_public_bodies():
    body = EnterpriseFactory(kind_id="association")
    person = UserFactory()
    arguments = {"user": person, "region": region("330400"), "role": "analyst", "by": None}

    accounts.grant_role(body=body, **arguments)
    accounts.grant_role(body=body, **arguments)
    with pytest.raises(DomainError) as refusal:
        accounts.grant_role(body=EnterpriseFactory(), **arguments)

    assert refusal.value.code == "role.body"
    assert AuditEntry.objects.filter(action="role.granted").count() == 1
