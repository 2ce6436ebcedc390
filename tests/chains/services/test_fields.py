"""Services set the fields they name and no others; what somebody else has already is answered with a sentence."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections
from django.urls import reverse

from chains.errors import DomainError
from chains.models import Enterprise, Requirement
from chains.models.base import new_public_id
from chains.services import (
    capabilities,
    contacts,
    enterprises,
    projects,
    requirement_drafts,
    requirements,
)
from events.models import Event
from events.services import events
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
    region,
)
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return MembershipFactory()


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "published"), ("enterprise_id", 1), ("posted_by", None), ("embargoed_until", None)],
)
def test_requirement_takes_named_fields_only(member, field, value):
    row = RequirementFactory(enterprise=member.enterprise, draft=True, lines=["a"])
    public = RequirementFactory(enterprise=member.enterprise, lines=["a"])

    with pytest.raises(TypeError, match=field):
        requirement_drafts.save(
            enterprise=member.enterprise, requirement=row, by=member.user, **{field: value}
        )
    with pytest.raises(TypeError, match=field):
        requirements.amend(requirement=public, by=member.user, **{field: value})

    assert Requirement.objects.get(pk=row.pk).status == "draft"


@pytest.mark.parametrize("field", ["enterprise_id", "public_id"])
def test_project_takes_named_fields_only(member, field):
    given = {field: EnterpriseFactory().pk}

    with pytest.raises(TypeError, match=field):
        projects.save(enterprise=member.enterprise, by=member.user, name="Line 2", **given)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "published"),
        ("host", None),
        ("host_id", 1),
        ("cancel_reason", "x"),
        ("published_at", None),
        ("list_published_at", None),
        ("search_text", "x"),
    ],
)
def test_event_takes_named_fields_only(field, value):
    event = EventFactory(draft=True)

    with pytest.raises(TypeError, match=field):
        events.edit(event=event, by=organiser_of(event), **{field: value})

    assert Event.objects.get(pk=event.pk).status == "draft"


def test_others_take_named_fields_only(member):
    own = member.enterprise
    capability, contact = CapabilityFactory(enterprise=own), ContactFactory(enterprise=own)

    for call in (
        lambda: capabilities.save_draft(
            enterprise=own, capability=capability, by=member.user, status="published"
        ),
        lambda: contacts.save_contact(
            enterprise=own, contact=contact, by=member.user, is_active=False
        ),
        lambda: enterprises.edit_profile(enterprise=own, by=member.user, status="verified"),
        lambda: enterprises.register(
            name="x",
            scheme="other",
            region=region("330421"),
            by=member.user,
            status="verified",
        ),
    ):
        with pytest.raises(TypeError):
            call()


# ---- what somebody else has already ----


def test_profile_with_the_number_of_another_is_a_sentence(member):
    other = EnterpriseFactory()
    Enterprise.objects.filter(pk=member.enterprise_id).update(status="pending")

    with pytest.raises(DomainError, match="Another enterprise stands under this number") as refused:
        enterprises.edit_profile(
            enterprise=member.enterprise, by=member.user, number=other.number.lower()
        )

    assert refused.value.code == "enterprise.number_taken"
    assert connection.is_usable()


def test_page_shows_it_at_the_number(client, member):
    other = EnterpriseFactory()
    Enterprise.objects.filter(pk=member.enterprise_id).update(status="returned")
    client.force_login(member.user)

    answer = client.post(
        reverse("chains:enterprise_status", args=[member.enterprise.public_id]),
        {"number": other.number, "name": "示例", "region": "330421", "kind": "enterprise"},
    )

    assert answer.status_code == 200
    assert answer.context["form"].errors == {
        "number": ["Another enterprise stands under this number."]
    }


def test_general_seats_may_be_given_anew():
    event = EventFactory(draft=True)
    former = event.tiers.get()

    events.set_tiers(
        event=event,
        tiers=[
            {"name_zh": "普通席", "name_en": "General", "seats": 8, "is_general": True},
            {
                "public_id": former.public_id,
                "name_zh": "采购商",
                "name_en": "Buyers",
                "seats": 2,
                "participant_kinds": ["enterprise"],
            },
        ],
        by=organiser_of(event),
    )

    assert list(event.tiers.order_by("order").values_list("name_en", "is_general")) == [
        ("General", True),
        ("Buyers", False),
    ]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_draft_saved_twice_at_once_is_said_and_not_a_fault(committed, monkeypatch):
    member = MembershipFactory()
    name, both = new_public_id(), threading.Barrier(2)
    free = requirement_drafts._free_name

    def slow(public_id):
        found = free(public_id)
        both.wait(10)  # both have found the name free
        return found

    monkeypatch.setattr(requirement_drafts, "_free_name", slow)
    said = []

    def save():
        try:
            requirement_drafts.save(
                enterprise=member.enterprise,
                by=member.user,
                title="接线盒",
                public_id=name,
                region=region("330421"),
            )
            said.append("saved")
        except DomainError as error:
            said.append(error.code)
        finally:
            connections.close_all()

    clicks = [threading.Thread(target=save) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join(30)

    assert sorted(said) == ["requirement.saved_already", "saved"]
    assert Requirement.objects.filter(public_id=name).count() == 1
