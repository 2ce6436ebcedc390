"""What pages offer around an interest, for programs: the same services, the same rights."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chains.models import AuditEntry, ContactReveal
from matchmaking.models import Interest, SavedSearch
from tests.factories.chains import (
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.matchmaking import InterestFactory
from tests.matchmaking.api.test_api import API, client_of
from tests.matchmaking.views.test_attachments import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture
def sides():
    requirement = RequirementFactory(lines=["a"])
    member = MembershipFactory()
    interest = InterestFactory(requirement=requirement, enterprise=member.enterprise)
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    return f"{API}interests/{interest.public_id}/", client_of(member.user), client_of(buyer)


def test_short_list_and_notes_are_the_buyers_own(sides):
    address, supplier, buyer = sides

    marked = buyer.post(f"{address}shortlist/", {"is_shortlisted": True})
    noted = buyer.post(f"{address}notes/", {"text": "Qnote for colleagues"})

    assert (marked.data, noted.status_code) == ({"is_shortlisted": True}, 201)
    assert buyer.get(f"{address}shortlist/").data == {"is_shortlisted": True}
    assert [row["text"] for row in buyer.get(f"{address}notes/").data] == ["Qnote for colleagues"]
    for refused in (
        supplier.get(f"{address}notes/"),
        supplier.get(f"{address}shortlist/"),
        supplier.post(f"{address}notes/", {"text": "x"}),
        supplier.post(f"{address}shortlist/", {"is_shortlisted": True}),
    ):
        assert refused.status_code == 403
    seen = supplier.get(address).content.decode()
    assert "Qnote" not in seen
    assert "shortlist" not in seen


def test_files_go_up_from_one_side_and_down_on_both(sides):
    address, supplier, buyer = sides
    file = SimpleUploadedFile("sheet.pdf", PDF)
    put = supplier.post(f"{address}attachments/", {"file": file}, format="multipart")
    assert (put.status_code, put.data["content_type"], put.data["size"]) == (201, "application/pdf", len(PDF))  # fmt: skip

    listed = buyer.get(address).data["attachments"]
    assert [one["original_name"] for one in listed] == ["sheet.pdf"]
    name = f"{address}attachments/{listed[0]['public_id']}/"
    for client in (supplier, buyer):
        assert b"".join(client.get(name).streaming_content) == PDF
    assert AuditEntry.objects.filter(action="attachment.opened").count() == 1
    other = InterestFactory()
    stranger = client_of(MembershipFactory(enterprise=other.requirement.enterprise).user)
    assert stranger.get(name).status_code == 404
    elsewhere = f"{API}interests/{other.public_id}/attachments/{listed[0]['public_id']}/"
    assert stranger.get(elsewhere).status_code == 404
    again = SimpleUploadedFile("sheet.pdf", PDF)
    assert buyer.post(f"{address}attachments/", {"file": again}, format="multipart").status_code == 403  # fmt: skip

    assert buyer.delete(name).status_code == 403
    assert supplier.delete(name).status_code == 204
    assert (supplier.get(name).status_code, buyer.get(address).data["attachments"]) == (404, [])


def test_desk_opens_the_contact_of_a_supplier_for_a_purpose(sides):
    address, _supplier, _buyer = sides
    desk, stranger = client_of(OrganiserRoleFactory().user), client_of(MembershipFactory().user)

    bare, told = desk.post(f"{address}contact/"), desk.post(f"{address}contact/", {"purpose": "A call"})  # fmt: skip

    assert (bare.status_code, bare.data["code"]) == (422, "contact.purpose_missing")
    assert told.data["name"] == Interest.objects.get().contact.name
    assert list(ContactReveal.objects.values_list("right", "purpose")) == [("desk", "A call")]
    assert stranger.post(f"{address}contact/", {"purpose": "A call"}).status_code == 404


def test_buyer_names_how_many_interests_it_wants(sides):
    address, supplier, buyer = sides
    requirement = buyer.get(address).data["requirement"]
    wanted = f"{API}requirements/{requirement}/wanted/"

    assert buyer.post(wanted, {"wanted_interests": 5}).data == {"wanted_interests": 5}
    assert buyer.post(wanted, {"wanted_interests": None}).data == {"wanted_interests": None}
    assert buyer.post(wanted, {"wanted_interests": 51}).status_code == 422
    assert supplier.post(wanted, {"wanted_interests": 5}).status_code == 403


def test_searches_are_kept_changed_and_deleted_by_their_owner():
    user = UserFactory()
    client, other = client_of(user), client_of(UserFactory())
    made = client.post(f"{API}searches/", {"query": "sort=newest&q=box", "name": "boxes", "rhythm": "weekly"})  # fmt: skip
    assert (made.status_code, made.data["query"], made.data["rhythm"]) == (201, "q=box", "weekly")
    address = f"{API}searches/{made.data['public_id']}/"

    changed = client.patch(address, {"rhythm": "at_once"})
    named = client.patch(address, {"name": "crates"})

    assert (changed.data["name"], changed.data["rhythm"]) == ("boxes", "at_once")
    assert (named.data["name"], named.data["rhythm"]) == ("crates", "at_once")
    assert client.patch(address, {"rhythm": "hourly"}).status_code == 422
    for method in (other.get, other.patch, other.delete):
        assert method(address).status_code == 404
    assert client.delete(address).status_code == 204
    assert not SavedSearch.objects.exists()


def test_topics_say_how_often_and_are_set_one_by_one():
    user = MembershipFactory().user
    client = client_of(user)
    search = client.post(f"{API}searches/", {"query": "q=box", "name": "boxes", "rhythm": "weekly"})
    own = search.data["public_id"]

    before = client.get(f"{API}topics/").data
    set_ = client.patch(f"{API}topics/for_you/", {"rhythm": "never"})
    client.patch(f"{API}topics/{own}/", {"rhythm": "at_once"})

    assert before == [
        {"topic": "for_you", "name": "", "rhythm": "daily"},
        {"topic": own, "name": "boxes", "rhythm": "weekly"},
    ]
    assert (set_.status_code, set_.data["rhythm"]) == (200, "never")
    assert [row["rhythm"] for row in client.get(f"{API}topics/").data] == ["never", "at_once"]
    assert client.patch(f"{API}topics/for_you/", {"rhythm": "hourly"}).status_code == 422
    assert client.patch(f"{API}topics/{'2' * 12}/", {"rhythm": "never"}).status_code == 404
    assert client_of(UserFactory()).get(f"{API}topics/").data[0]["rhythm"] == "never"
