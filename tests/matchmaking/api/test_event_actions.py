"""What lies below an event, for programs: the same services, the same rights as the pages."""

from __future__ import annotations

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chains.models import AuditEntry, Requirement
from events.models import AgendaItem, Event, FormQuestion, Invitation, Listing, Registration
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
)
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory
from tests.matchmaking.api.test_api import API, client_of
from tests.matchmaking.views.test_attachments import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture
def held():
    """An event, who holds it, and a member of a body that may register."""
    event = EventFactory()
    organiser = OrganiserRoleFactory(body=event.host, region=event.region).user
    return event, client_of(organiser), MembershipFactory()


def test_list_is_given_a_moment_and_opened_by_its_organiser(held):
    event, organiser, _member = held
    requirement = RequirementFactory(status="approved", lines=["a"])
    Listing.objects.create(event=event, requirement=requirement, code="abc234")
    address = f"{API}events/{event.public_id}/list/"
    at = timezone.now().replace(microsecond=0) + datetime.timedelta(days=3)

    past = organiser.patch(address, {"opens_at": "2020-01-01T00:00:00Z"})
    kept_back = organiser.patch(address, {"opens_at": None})
    moved = organiser.patch(address, {"opens_at": at.isoformat()})
    event.refresh_from_db()
    assert (past.status_code, past.data["code"]) == (422, "event.list_moment")
    assert (kept_back.data["opens_at"], kept_back.data["is_held"]) == (None, True)
    assert (parse_datetime(moved.data["opens_at"]), moved.data["released_at"]) == (at, None)
    assert event.list_published_at == at
    assert [dict(row) for row in organiser.get(address).data["listings"]] == [
        {"requirement": requirement.public_id, "status": "approved", "order": 0, "is_featured": False, "code": "abc234"}
    ]  # fmt: skip

    opened = organiser.post(f"{address}release/")

    assert opened.data["listings"][0]["status"] == Requirement.Status.PUBLISHED
    assert opened.data["released_at"] is not None
    assert organiser.patch(address, {"opens_at": at.isoformat()}).data["code"] == "event.list_released"  # fmt: skip


def test_enterprises_are_invited_once_and_unknown_ones_are_named(held):
    event, organiser, member = held
    address = f"{API}events/{event.public_id}/invitations/"
    known = EnterpriseFactory(status="unclaimed", number=None)
    names = [member.enterprise.public_id, known.public_id]

    unknown = organiser.post(address, {"enterprises": ["000000000000"], "reason": "x"})
    invited = organiser.post(address, {"enterprises": names, "reason": "Fits the list"})
    again = organiser.post(address, {"enterprises": names, "reason": "Fits the list"})

    assert (unknown.status_code, list(unknown.data["errors"])) == (422, ["enterprises"])
    assert (invited.status_code, again.data) == (201, {"invited": []})
    assert {row["enterprise"]["public_id"] for row in invited.data["invited"]} == set(names)
    assert Invitation.objects.count() == 2
    listed = organiser.get(address).data
    assert (listed["count"], {row["status"] for row in listed["results"]}) == (2, {"sent"})


def test_documents_are_put_by_the_organiser_and_read_by_everybody(held):
    event, organiser, member = held
    address = f"{API}events/{event.public_id}/documents/"
    titles = {"title_zh": "会场图", "title_en": "Plan"}

    def put(client):
        file = SimpleUploadedFile("plan.pdf", PDF)
        return client.post(address, {**titles, "file": file}, format="multipart")

    row = put(organiser)
    visitor = client_of(member.user)
    assert (row.status_code, row.data["size"]) == (201, len(PDF))
    assert put(visitor).status_code == 403
    assert [one["public_id"] for one in visitor.get(address).data] == [row.data["public_id"]]
    file = f"{address}{row.data['public_id']}/"
    assert b"".join(visitor.get(file).streaming_content) == PDF
    assert visitor.delete(file).status_code == 403
    assert organiser.delete(file).status_code == 204
    assert visitor.get(file).status_code == 404


def test_queue_comes_in_its_order_and_heads_are_counted(held):
    event, organiser, _member = held
    rows = [
        RegistrationFactory(event=event, status="waitlisted", queue_no=number) for number in (3, 1, 2)
    ]  # fmt: skip
    Registration.objects.filter(pk=rows[0].pk).update(priority=1, priority_reason="Guest of honour")

    queue = organiser.get(f"{API}events/{event.public_id}/queue/").data["results"]
    heads = organiser.get(f"{API}events/{event.public_id}/headcount/").data

    assert [(row["public_id"], row["rank"], row["priority_reason"]) for row in queue] == [
        (rows[0].public_id, 1, "Guest of honour"), (rows[1].public_id, 2, ""), (rows[2].public_id, 3, ""),
    ]  # fmt: skip
    assert (heads["inside"], heads["expected"], heads["gates"]) == (0, 0, [])


def test_seats_of_a_tier_are_set_never_below_those_taken_and_the_queue_moves_up(held):
    event, organiser, _member = held
    reserved = TierFactory(event=event, seats=5)
    general = event.tiers.get(is_general=True)
    RegistrationFactory(event=event, seats_asked=9)
    waits = RegistrationFactory(event=event, status="waitlisted", seats_asked=2)
    address = f"{API}events/{event.public_id}/capacity/"

    def seats(**wanted):
        rows = [{"public_id": tier, "seats": number} for tier, number in wanted.items()]
        return organiser.patch(address, {"tiers": rows}, format="json")

    before = organiser.get(address).data["tiers"]
    too_few = seats(**{general.public_id: 8})
    nowhere = seats(nowhere=3)
    moved = seats(**{general.public_id: 12}).data["tiers"]

    names = ("public_id", "seats", "taken", "free", "offered", "waiting")
    assert [tuple(row[name] for name in names) for row in before] == [
        (reserved.public_id, 5, 0, 5, 0, 0), (general.public_id, 10, 9, 1, 0, 1),
    ]  # fmt: skip
    assert (too_few.data["code"], nowhere.data["code"]) == ("tier.seats_taken", "tier.unknown")
    assert [tuple(row[name] for name in names) for row in moved] == [
        (reserved.public_id, 5, 0, 5, 0, 0), (general.public_id, 12, 11, 1, 2, 0),
    ]  # fmt: skip
    waits.refresh_from_db()
    assert waits.status == "offered"
    reserved.refresh_from_db()
    assert reserved.qualifications == ["little_giant"]


def test_form_with_a_file_registers_and_the_file_comes_back_to_both_sides(held):
    event, organiser, member = held
    asked = {
        kind: FormQuestion.objects.create(event=event, kind=kind, text_zh="问", text_en="Ask", is_required=True,
                                          choices=[{"code": c, "zh": c, "en": c} for c in "ab"] if kind == "choices" else [])
        for kind in ("text", "choices", "consent", "file")
    }  # fmt: skip
    event.asks_questions = True
    event.save()
    names = {kind: f"answers.{row.public_id}" for kind, row in asked.items()}
    client = client_of(member.user)
    form = {
        "event": event.public_id, "enterprise": member.enterprise.public_id, "seats": 1,
        names["text"]: "no meat", names["choices"]: ["a"], names["consent"]: "true",
    }  # fmt: skip

    without = client.post(f"{API}registrations/", form, format="multipart")
    nul = client.post(f"{API}registrations/", {**form, "event": "\0"}, format="multipart")
    sent = client.post(
        f"{API}registrations/",
        {**form, names["file"]: SimpleUploadedFile("licence.pdf", PDF)},
        format="multipart",
    )

    assert (without.status_code, without.data["code"], nul.status_code) == (422, "answer.missing", 400)  # fmt: skip
    assert sent.status_code == 201, sent.data
    told = {row["question"]: row for row in sent.data["answers"]}
    said = {kind: told[row.public_id] for kind, row in asked.items()}
    assert (said["text"]["text"], said["choices"]["chosen"]) == ("no meat", ["a"])
    assert (said["consent"]["has_agreed"], said["file"]["has_file"]) == (True, True)
    address = f"{API}registrations/{sent.data['public_id']}/answers/"
    file = f"{address}{asked['file'].public_id}/"
    for reader in (client, organiser):
        assert b"".join(reader.get(file).streaming_content) == PDF
    assert AuditEntry.objects.filter(action="answer.viewed").count() == 1
    assert client_of(MembershipFactory().user).get(file).status_code == 404
    # As JSON, anew: the file that is there stays.
    again = {names[kind].removeprefix("answers."): value for kind, value in (("text", "fish"), ("choices", ["a", "b"]), ("consent", True))}  # fmt: skip
    changed = client.put(address, {"answers": again})
    assert changed.status_code == 200, changed.data
    assert b"".join(client.get(file).streaming_content) == PDF
    wrong = client.put(address, {asked["text"].public_id: PDF}, format="multipart")
    assert wrong.status_code == 422


def test_event_that_is_over_changes_nothing(held):
    event, organiser, member = held
    type(event).objects.filter(pk=event.pk).update(status="held")

    for address, body in (
        ("list/release/", {}),
        ("invitations/", {"enterprises": [member.enterprise.public_id], "reason": "x"}),
    ):
        answer = organiser.post(f"{API}events/{event.public_id}/{address}", body)
        assert (answer.status_code, answer.data["code"]) == (409, "event.over")


def test_this_years_event_is_made_from_last_years_with_what_is_chosen(held):
    event, organiser, member = held
    TierFactory(event=event)
    AgendaItem.objects.create(
        event=event,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        title_zh="签到",
        title_en="Check-in",
    )
    address = f"{API}events/{event.public_id}/copy/"
    starts = event.starts_at + datetime.timedelta(weeks=52)
    body = {
        "host": event.host.public_id, "name_zh": "新", "name_en": "New", "starts_at": starts.isoformat(),
    }  # fmt: skip

    usual = organiser.post(address, body)
    chosen = organiser.post(address, {**body, "parts": ["agenda"]})

    assert (usual.status_code, usual.data["status"], chosen.status_code) == (201, "draft", 201)
    counts = [
        (row.tiers.count(), row.agenda.count())
        for row in Event.objects.filter(status="draft").order_by("pk")
    ]
    assert counts == [(2, 1), (0, 1)]
    assert organiser.post(address, {**body, "parts": ["people"]}).status_code == 422
    # Nobody is host for a body they do not work for.
    stranger = member.enterprise.public_id
    assert organiser.post(address, {**body, "host": stranger}).status_code == 422
