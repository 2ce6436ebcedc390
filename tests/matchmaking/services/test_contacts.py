from __future__ import annotations

import pytest
import time_machine

from chains.errors import DomainError
from chains.models import AuditEntry, Change, ContactReveal, Mandate, User
from events.models import Listing
from matchmaking.services import contacts
from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, organiser_of
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db


def person(kind, requirement):
    if kind == "nobody":
        return UserFactory()
    if kind == "pending":
        return MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user
    if kind == "verified":
        return MembershipFactory(role="viewer").user
    status = {"sent": {}, "accepted": {"status": "accepted"}}.get(
        kind, {"status": "declined", "decline_reason": "other"}
    )
    interest = InterestFactory(requirement=requirement, **status)
    return MembershipFactory(enterprise=interest.enterprise).user


@pytest.mark.parametrize(
    ("policy", "kind", "right"),
    [
        ("members", "nobody", "policy"),
        ("members", "pending", "policy"),
        ("members", "verified", "policy"),
        ("verified", "nobody", None),
        ("verified", "pending", None),
        ("verified", "verified", "policy"),
        ("accepted", "nobody", None),
        ("accepted", "pending", None),
        ("accepted", "verified", None),
        ("accepted", "sent", None),
        ("accepted", "declined", None),
        ("accepted", "accepted", "interest_accepted"),
    ],
)
def test_reveal_by_policy_and_interest(policy, kind, right):
    requirement = RequirementFactory(contact_policy=policy)
    user = person(kind, requirement)

    if right is None:
        with pytest.raises(DomainError) as refused:
            contacts.reveal(requirement=requirement, by=user)
        assert refused.value.code == "contact.forbidden"
        assert not ContactReveal.objects.exists()
        return
    contact = contacts.reveal(requirement=requirement, by=user)

    assert contact == requirement.contact
    row = ContactReveal.objects.get()
    assert (row.right, row.user, row.enterprise) == (right, user, user.enterprise)
    assert AuditEntry.objects.filter(action="contact.revealed").count() == 1
    assert Change.objects.filter(noun="contact", verb="revealed").count() == 1


def test_reveal_writes_nothing_personal_into_the_trail():
    requirement = RequirementFactory(contact_policy="members")
    contact = requirement.contact

    contacts.reveal(requirement=requirement, by=UserFactory())

    entry = AuditEntry.objects.get(action="contact.revealed")
    for value in (contact.name, contact.phone, contact.email):
        assert value
        assert value not in f"{entry.data} {entry.target}"


def test_reveal_counts_an_enterprise_once_and_logs_every_look():
    requirement = RequirementFactory(contact_policy="verified")
    enterprise = EnterpriseFactory()
    for member in (
        MembershipFactory(enterprise=enterprise),
        MembershipFactory(enterprise=enterprise),
    ):
        for _ in range(2):
            contacts.reveal(requirement=requirement, by=member.user)
    contacts.reveal(requirement=requirement, by=MembershipFactory().user)

    assert contacts.openings(requirement) == 2
    assert ContactReveal.objects.count() == 5


def test_reveal_by_the_desk_states_a_purpose_and_does_not_count():
    requirement = RequirementFactory()
    desk = OrganiserRoleFactory().user

    with pytest.raises(DomainError, match="Write for what purpose"):
        contacts.reveal(requirement=requirement, by=desk, purpose=" ")
    contacts.reveal(requirement=requirement, by=desk, purpose="asks about the drawings")

    row = ContactReveal.objects.get()
    assert (row.right, row.enterprise, row.purpose) == ("desk", None, "asks about the drawings")
    assert contacts.openings(requirement) == 0


def test_reveal_by_the_organiser_of_another_region_is_refused_unless_the_event_lists_it():
    requirement = RequirementFactory()
    event = EventFactory(region=region("340100"))
    organiser = organiser_of(event)
    with pytest.raises(DomainError):
        contacts.reveal(requirement=requirement, by=organiser, purpose="x")

    Listing.objects.create(event=event, requirement=requirement, code="AB12")

    assert (
        contacts.reveal(requirement=requirement, by=organiser, purpose="x") == requirement.contact
    )


def test_reveal_by_policy_ends_with_the_publication_but_not_for_the_accepted():
    requirement = RequirementFactory(contact_policy="members")
    stranger, accepted = UserFactory(), person("accepted", requirement)
    requirement.status, requirement.close_reason = "closed", "filled"
    requirement.save()

    with pytest.raises(DomainError, match="while the requirement is published"):
        contacts.reveal(requirement=requirement, by=stranger)
    assert contacts.reveal(requirement=requirement, by=accepted) == requirement.contact


def test_reveal_supplier_opens_to_the_buyers_members_and_stays_open_after_a_no():
    interest = InterestFactory(status="declined", decline_reason="other")
    buyer = MembershipFactory(enterprise=interest.requirement.enterprise, role="viewer").user

    contact = contacts.reveal_supplier(interest=interest, by=buyer)

    assert contact == interest.contact
    row = ContactReveal.objects.get()
    assert (row.right, row.enterprise) == ("interest_sent", interest.requirement.enterprise)
    assert contacts.openings(interest.requirement) == 0  # that is the other side's contact


@pytest.mark.parametrize("kind", ["nobody", "verified", "sent"])
def test_reveal_supplier_to_others_is_refused(kind):
    interest = InterestFactory()
    user = person(kind, interest.requirement)

    with pytest.raises(DomainError) as refused:
        contacts.reveal_supplier(interest=interest, by=user)

    assert refused.value.code == "contact.forbidden"


def test_reveal_supplier_of_a_withdrawn_interest_shows_only_what_was_seen():
    interest = InterestFactory()
    buyer = MembershipFactory(enterprise=interest.requirement.enterprise).user
    unseen = InterestFactory(requirement=interest.requirement, status="withdrawn")
    contacts.reveal_supplier(interest=interest, by=buyer)
    interest.status = "withdrawn"
    interest.save()

    assert contacts.reveal_supplier(interest=interest, by=buyer) == interest.contact
    with pytest.raises(DomainError):
        contacts.reveal_supplier(interest=unseen, by=buyer)


# --- Counted to whose contact it is -------------------------------------------------------------------


def test_contact_of_the_association_that_posts_is_counted_to_the_requirement():
    association = EnterpriseFactory(kind_id="association")
    requirement = RequirementFactory(
        posted_by=association,
        contact=ContactFactory(enterprise=association),
        contact_policy="verified",
    )
    interest = InterestFactory(requirement=requirement)
    buyer = MembershipFactory(enterprise=requirement.enterprise).user

    contacts.reveal(requirement=requirement, by=MembershipFactory().user)
    contacts.reveal_supplier(interest=interest, by=buyer)

    assert contacts.openings(requirement) == 1
    (look,) = ContactReveal.objects.of_requirement(requirement)
    assert look.contact == requirement.contact


def test_looks_at_an_enterprise_are_counted_whatever_they_were_for():
    supplier = MembershipFactory().enterprise
    contact = ContactFactory(enterprise=supplier)
    sent = InterestFactory.create_batch(2, enterprise=supplier, contact=contact)
    buyers = [MembershipFactory(enterprise=one.requirement.enterprise).user for one in sent]
    own = RequirementFactory(enterprise=supplier, contact=contact, contact_policy="members")
    with time_machine.travel("2026-01-31 23:59:59+08:00", tick=False):
        contacts.reveal_supplier(interest=sent[0], by=buyers[0])
    with time_machine.travel("2026-02-01 00:00:00+08:00", tick=False):
        for interest, buyer in zip(sent, buyers, strict=True):
            contacts.reveal_supplier(interest=interest, by=buyer)
        contacts.reveal_supplier(interest=sent[1], by=buyers[1])
        contacts.reveal(requirement=own, by=UserFactory())
        desk = OrganiserRoleFactory().user
        contacts.reveal_supplier(interest=sent[0], by=desk, purpose="asks who calls")
        contacts.reveal_supplier(interest=InterestFactory(), by=desk, purpose="another's")
        looks = ContactReveal.objects.of_enterprise(supplier)

        figures = looks.this_month().figures()

    assert (figures["looks"], figures["openers"], figures["desks"]) == (4, 3, 1)
    assert looks.count() == 6


# --- Who is suspended reads, and opens nothing ----------------------------------------------------------


def test_suspended_buyer_opens_no_contact_of_a_supplier():
    interest = InterestFactory()
    requirement = interest.requirement
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    desk = OrganiserRoleFactory().user
    contacts.reveal_supplier(interest=interest, by=buyer)
    requirement.enterprise.status = "suspended"
    requirement.enterprise.save()

    with pytest.raises(DomainError, match="suspended and can only read"):
        contacts.reveal_supplier(interest=interest, by=User.objects.get(pk=buyer.pk))

    assert ContactReveal.objects.count() == 1
    assert contacts.reveal_supplier(interest=interest, by=desk, purpose="case") == interest.contact


def test_suspended_association_opens_nothing_for_the_member_that_stands():
    interest = InterestFactory()
    association = MembershipFactory(enterprise__kind_id="association")
    Mandate.objects.create(
        association=association.enterprise,
        member=interest.requirement.enterprise,
        status="active",
    )
    assert contacts.right_to_supplier(association.user, interest) == "interest_sent"
    association.enterprise.status = "suspended"
    association.enterprise.save()
    user = User.objects.get(pk=association.user.pk)

    assert contacts.right_to_supplier(user, interest) is None
    with pytest.raises(DomainError, match="suspended and can only read"):
        contacts.reveal_supplier(interest=interest, by=user)


def test_suspended_enterprise_opens_nothing_by_a_policy_either():
    requirement = RequirementFactory(contact_policy="members")
    user = MembershipFactory(enterprise__status="suspended").user

    with pytest.raises(DomainError, match="suspended and can only read"):
        contacts.reveal(requirement=requirement, by=user)

    # In the name of another house of theirs they open it.
    standing = MembershipFactory(user=user, enterprise=EnterpriseFactory(pending=True)).enterprise
    contacts.reveal(requirement=requirement, by=User.objects.get(pk=user.pk))
    assert ContactReveal.objects.get().enterprise == standing
