"""Affiliates name and confirm each other; the desk looks on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from chains.errors import DomainError
from chains.models import AuditEntry, Change, EnterpriseGroup, GroupProposal, Notification
from chains.services import groups
from matchmaking.models import Match
from matchmaking.services import following
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
)
from tests.factories.matchmaking import MatchFactory
from tests.matchmaking.api.test_api import API, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sides():
    return MembershipFactory(), MembershipFactory()


def refused(code, call, **arguments):
    with pytest.raises(DomainError) as caught:
        call(**arguments)
    assert caught.value.code == code


def test_affiliate_is_named_confirmed_matched_no_more_and_leaves(sides):
    ours, theirs = sides
    requirement = RequirementFactory(enterprise=ours.enterprise, lines=["a"])
    match = MatchFactory(
        line=requirement.lines.get(), supplier=theirs.enterprise, status="approved"
    )
    said = {"enterprise": ours.enterprise, "partner": theirs.enterprise, "by": ours.user}

    refused("group.name", groups.propose, **said)
    proposal = groups.propose(**said, name="示例集团")
    refused("group.exists", groups.propose, **said, name="示例集团")
    refused(
        "group.asked", groups.propose, enterprise=theirs.enterprise, partner=ours.enterprise,
        name="Other", by=theirs.user,
    )  # fmt: skip
    refused("group.forbidden", groups.answer, proposal=proposal, accept=True, by=ours.user)
    groups.answer(proposal=proposal, accept=True, by=theirs.user)
    refused("group.over", groups.answer, proposal=proposal, accept=False, by=theirs.user)

    group = EnterpriseGroup.objects.get(name="示例集团")
    for member in sides:
        member.enterprise.refresh_from_db()
        assert member.enterprise.group == group
    told = Notification.objects.filter(channel="email").values_list("kind", "to")
    assert list(told.order_by("pk")) == [
        ("group_proposed", theirs.user.pk),
        ("group_accepted", ours.user.pk),
    ]
    facts = list(Change.objects.filter(noun="enterprise", verb="grouped"))
    assert len(facts) == AuditEntry.objects.filter(action="enterprise.grouped").count() == 2
    following.react(facts=facts)
    match.refresh_from_db()
    assert match.status == Match.Status.ENDED

    groups.leave(enterprise=theirs.enterprise, by=theirs.user)
    for member in sides:  # the last one left stands alone as well
        member.enterprise.refresh_from_db()
        assert member.enterprise.group is None
    assert Notification.objects.filter(kind="group_left", channel="email").get().to == ours.user
    refused("group.none", groups.leave, enterprise=theirs.enterprise, by=theirs.user)


def test_all_of_a_group_hear_who_came_into_it_whoever_asked(sides):
    ours, theirs = sides
    third = MembershipFactory()
    for one in (ours, theirs):
        one.enterprise.group = EnterpriseGroup.objects.get_or_create(name="示例集团")[0]
        one.enterprise.save()

    asked = groups.propose(enterprise=third.enterprise, partner=ours.enterprise, by=third.user)
    groups.answer(proposal=asked, accept=True, by=ours.user)

    told = Notification.objects.filter(kind="group_accepted", channel="email")
    assert {(row.to_id, row.context["member"]) for row in told} == {
        (third.user.pk, ours.enterprise.public_id),
        (theirs.user.pk, third.enterprise.public_id),
    }


def test_group_is_one_and_its_name_stands_once(sides):
    ours, theirs = sides
    held, other = (EnterpriseGroup.objects.create(name=name) for name in ("A", "B"))
    partner = theirs.enterprise
    said = {"enterprise": ours.enterprise, "partner": partner, "by": ours.user}

    refused("group.name_taken", groups.propose, **said, name="A")
    partner.group = held
    partner.save()
    proposal = groups.propose(**said, name="ignored: the partner is in one")
    assert proposal.name == ""
    ours.enterprise.group = other
    ours.enterprise.save()
    refused("group.other", groups.answer, proposal=proposal, accept=True, by=theirs.user)
    ours.enterprise.group = held
    ours.enterprise.save()
    refused("group.same", groups.propose, **said)
    EnterpriseFactory(status="merged", merged_into=partner, group=held)
    assert list(ours.enterprise.affiliates) == [partner]
    refused("group.partner", groups.propose, **{**said, "partner": EnterpriseFactory(pending=True)})
    assert groups.withdraw(proposal=proposal, by=ours.user).status == "withdrawn"
    viewer = MembershipFactory(enterprise=ours.enterprise, role="editor").user
    refused("group.forbidden", groups.leave, enterprise=ours.enterprise, by=viewer)


def test_page_names_confirms_and_leaves_and_the_desk_sees_it(sides):
    ours, theirs = sides
    clients = [Client(), Client(), Client()]
    desk = OrganiserRoleFactory().user
    for client, user in zip(clients, [ours.user, theirs.user, desk], strict=True):
        client.force_login(user)
    mine, other, organiser = clients
    page = reverse("chains:enterprise_group", args=[ours.enterprise.public_id])
    back = reverse("chains:enterprise_group", args=[theirs.enterprise.public_id])

    unknown = mine.post(page, {"propose": "1", "number": "91330421MA00000000", "name": "Qgroup"})
    assert (unknown.status_code, "No verified enterprise" in unknown.content.decode()) == (422, True)  # fmt: skip
    named = mine.post(page, {"propose": "1", "number": theirs.enterprise.number, "name": "Qgroup"})
    assert (named.status_code, named["Location"]) == (302, page)
    proposal = GroupProposal.objects.get()
    assert proposal.public_id in other.get(back).content.decode()
    assert other.post(back, {"accept": proposal.public_id}).status_code == 302
    assert "Qgroup" in mine.get(page).content.decode()
    owner = reverse("chains:enterprise_status", args=[ours.enterprise.public_id])
    assert "Qgroup" in mine.get(owner).content.decode()
    case = organiser.get(reverse("chains:enterprise_case", args=[ours.enterprise.public_id]))
    assert "Qgroup" in case.content.decode()
    assert mine.post(page, {"leave": "1"}).status_code == 302
    assert "Qgroup" not in mine.get(page).content.decode()


def test_program_names_confirms_declines_and_leaves(sides):
    ours, theirs = sides
    client, other = client_of(ours.user), client_of(theirs.user)
    said = {"enterprise": ours.enterprise.public_id, "partner": theirs.enterprise.public_id}

    first = client.post(f"{API}group-proposals/", {**said, "name": "G"})
    address = f"{API}group-proposals/{first.data['public_id']}/"
    assert other.post(f"{address}answer/", {"accept": False}).data["status"] == "declined"
    second = client.post(f"{API}group-proposals/", {**said, "name": "G"})
    address = f"{API}group-proposals/{second.data['public_id']}/"
    assert client.post(f"{address}answer/", {"accept": True}).status_code == 403
    assert other.post(f"{address}answer/", {"accept": True}).data["status"] == "accepted"
    group = f"{API}enterprises/{ours.enterprise.public_id}/group/"
    held = client.get(group).data
    assert held["name"] == "G"
    assert [row["public_id"] for row in held["affiliates"]] == [said["partner"]]
    assert other.get(group).status_code == 404
    assert client.delete(group).status_code == 204
    assert client.get(group).data == {"name": "", "affiliates": []}
