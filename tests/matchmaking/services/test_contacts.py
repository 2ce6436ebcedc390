from __future__ import annotations

import pytest

from chains.errors import DomainError
from chains.models import AuditEntry, Change, ContactReveal
from events.models import Listing
from matchmaking.services import contacts
from tests.factories.chains import (
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
