from __future__ import annotations

import pytest
from django.urls import reverse

from chains import notifications
from chains.models import Mandate, Membership, Notification
from chains.services import accounts
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


@pytest.fixture
def owner(client):
    membership = MembershipFactory(user__email="owner@harbour.example")
    client.force_login(membership.user)
    return membership


def members_url(membership):
    return reverse("chains:member_list", args=[membership.enterprise.public_id])


def decide(client, membership, **data):
    return client.post(reverse("chains:membership_decide", args=[membership.public_id]), data)


def test_owner_sees_and_decides_requests(client, owner):
    asking = UserFactory(email="new@harbour.example")
    request = accounts.request_join(enterprise=owner.enterprise, by=asking)

    page = text_of(client.get(members_url(owner)))
    answer = decide(client, request, do="accept")

    assert "new@harbour.example" in page
    assert answer["Location"] == members_url(owner)
    request.refresh_from_db()
    assert request.status == "active"


def test_viewer_sees_members_but_neither_requests_addresses_nor_buttons(client, owner):
    accounts.request_join(
        enterprise=owner.enterprise, by=UserFactory(email="new@elsewhere.example")
    )
    viewer = MembershipFactory(enterprise=owner.enterprise, role="viewer")
    client.force_login(viewer.user)

    page = text_of(client.get(members_url(owner)))

    assert "owner@harbour.example" in page
    assert "new@elsewhere.example" not in page
    assert 'value="accept"' not in page


def test_role_is_changed_and_the_last_owner_is_told_to_stay(client, owner):
    editor = MembershipFactory(enterprise=owner.enterprise, role="editor")

    refused = decide(client, owner, do="end")
    page = text_of(client.get(refused["Location"]))
    decide(client, editor, do="role", role="owner")
    decide(client, owner, do="end")

    assert "The last owner stays." in page
    assert list(Membership.objects.active().values_list("user", "role")) == [
        (editor.user_id, "owner")
    ]


def test_request_is_taken_back_by_the_person(client, owner):
    person = UserFactory()
    request = accounts.request_join(enterprise=owner.enterprise, by=person)
    client.force_login(person)

    decide(client, request, do="end")

    request.refresh_from_db()
    assert request.status == "ended"


def test_membership_of_others_is_hidden_from_a_stranger(client, owner):
    client.force_login(MembershipFactory().user)

    assert decide(client, owner, do="end").status_code == 404
    owner.refresh_from_db()
    assert owner.status == "active"


def test_desk_is_told_that_the_owners_still_have_time(client, owner):
    request = accounts.request_join(enterprise=owner.enterprise, by=UserFactory())
    client.force_login(OrganiserRoleFactory().user)

    answer = decide(client, request, do="accept")
    page = text_of(client.get(answer["Location"]))

    assert answer["Location"] == reverse(
        "chains:enterprise_case", args=[owner.enterprise.public_id]
    )
    assert "The owners of the enterprise have five days to answer" in page


def test_mandate_from_offer_to_end(client, owner):
    giver = MembershipFactory(enterprise__kind_id="association")
    client.force_login(giver.user)
    wrong = client.post(members_url(giver), {"mandate": "1", "number": "91330421MA00000001"})
    client.post(members_url(giver), {"mandate": "1", "number": owner.enterprise.number.lower()})
    mandate = Mandate.objects.get()
    client.force_login(owner.user)

    client.post(members_url(owner), {"accept_mandate": mandate.public_id})
    active = Mandate.objects.active().count()
    client.post(members_url(owner), {"end_mandate": mandate.public_id})

    assert "No verified enterprise stands under this number." in text_of(wrong)
    assert (active, Mandate.objects.active().count()) == (1, 0)


def test_mandate_of_others_is_hidden(client, owner):
    giver = MembershipFactory(enterprise__kind_id="association")
    mandate = accounts.offer_mandate(
        association=giver.enterprise, member=MembershipFactory().enterprise, by=giver.user
    )

    answer = client.post(members_url(owner), {"accept_mandate": mandate.public_id})

    assert answer.status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_member_list_queries_do_not_grow(client, owner, count, django_assert_num_queries):
    for _turn in range(count):
        MembershipFactory(enterprise=owner.enterprise, role="editor")
        accounts.request_join(enterprise=owner.enterprise, by=UserFactory())

    with django_assert_num_queries(10):
        client.get(members_url(owner))


# --- Notices ------------------------------------------------------------------------------------------

NOTICES = "/notifications/"


def test_notices_lead_to_what_they_tell_of_and_are_marked_as_read(client, owner):
    notifications.post(owner.user, "enterprise_verified", enterprise=owner.enterprise.public_id)

    page = text_of(client.get(NOTICES))
    client.post(NOTICES)

    status = reverse("chains:enterprise_status", args=[owner.enterprise.public_id])
    assert f'<a href="{status}">{owner.enterprise.name_en} is verified</a>' in page
    assert not Notification.objects.unread().exists()


def test_notices_of_others_and_of_rows_that_are_gone_are_left_out(client, owner):
    notifications.post(UserFactory(), "enterprise_verified", enterprise=owner.enterprise.public_id)
    notifications.post(owner.user, "enterprise_verified", enterprise="bcdfghjkmnpq")

    page = text_of(client.get(NOTICES))

    assert "is verified" not in page


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Nothing has happened yet"), ("zh-hans", "暂无通知")]
)
def test_no_notices(client, owner, language, text):
    client.cookies["django_language"] = language

    assert text in text_of(client.get(NOTICES))


@pytest.mark.parametrize("count", [1, 3])
def test_notices_queries_do_not_grow(client, owner, count, django_assert_num_queries):
    for _turn in range(count):
        notifications.post(
            owner.user, "enterprise_verified", enterprise=EnterpriseFactory().public_id
        )

    with django_assert_num_queries(9):
        client.get(NOTICES)


def test_desk_sees_that_no_owner_is_left_and_names_one_without_reading_addresses(client, owner):
    heir = MembershipFactory(
        enterprise=owner.enterprise, role="editor", user__email="heir@harbour.example"
    )
    client.force_login(OrganiserRoleFactory().user)
    case = reverse("chains:enterprise_case", args=[owner.enterprise.public_id])
    before = text_of(client.get(case))
    owner.user.is_active = False
    owner.user.save()

    page = text_of(client.get(case))
    answer = decide(client, heir, do="role", role="owner")

    assert "No owner is left" not in before
    assert "No owner is left" in page
    assert "harbour.example" in page
    assert "heir@" not in page
    assert answer["Location"] == case
    heir.refresh_from_db()
    assert heir.role == "owner"
    assert "No owner is left" not in text_of(client.get(case))
