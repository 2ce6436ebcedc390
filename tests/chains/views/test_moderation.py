from __future__ import annotations

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.models import Project, Remark, Requirement
from chains.services import requirements
from chains.services.requirement_writing import LineDraft
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(client):
    user = OrganiserRoleFactory().user
    client.force_login(user)
    return user


def case(requirement):
    return reverse("chains:moderation_case", args=[requirement.public_id])


def hours_ago(count):
    return timezone.now() - datetime.timedelta(hours=count)


def test_case_goes_through_the_queue_oldest_first(client, organiser):
    second = RequirementFactory(submitted=True, submitted_at=hours_ago(2), lines=["B"])
    third = RequirementFactory(submitted=True, submitted_at=hours_ago(1))
    first = RequirementFactory(submitted=True, submitted_at=hours_ago(3))
    RequirementFactory(submitted=True, enterprise__region=region("330100"))  # another desk's
    own = RequirementFactory(submitted=True)
    MembershipFactory(user=organiser, enterprise=own.enterprise)  # own case

    response = client.get(case(second))

    context = response.context
    assert (context["place"], context["total"]) == (2, 3)
    assert (context["before"], context["after"]) == (first.public_id, third.public_id)
    assert "3 requirements to moderate" in response.text


def test_case_of_another_desk_is_not_found_and_the_own_one_is_refused(client, organiser):
    elsewhere = RequirementFactory(submitted=True, enterprise__region=region("330100"))
    draft = RequirementFactory(draft=True)
    own = RequirementFactory(submitted=True)
    MembershipFactory(user=organiser, enterprise=own.enterprise)

    assert client.get(case(elsewhere)).status_code == 404
    assert client.get(case(draft)).status_code == 404
    assert client.get(case(own)).status_code == 403
    assert client.post(case(own), {"do": "approve"}).status_code == 403


def test_case_for_members_and_strangers_is_not_found(client):
    requirement = RequirementFactory(submitted=True)
    client.force_login(MembershipFactory(enterprise=requirement.enterprise).user)
    assert client.get(case(requirement)).status_code == 404
    client.force_login(UserFactory())
    assert client.get(case(requirement)).status_code == 404


def test_case_points_at_vague_lines_contact_data_and_duplicates(client, organiser):
    enterprise = EnterpriseFactory()
    RequirementFactory(enterprise=enterprise, title="两条线玻璃上料机", lines=["玻璃上料机 2 台"])
    requirement = RequirementFactory(
        submitted=True, enterprise=enterprise, lines=["质量好的胶膜", "请联系 138-0000-0000"]
    )
    RequirementLineFactory(
        requirement=requirement, number=3, text="玻璃上料机 2台", specification="", quantity=2
    )

    response = client.get(case(requirement))

    found = [
        [f.code for f in findings] for _line, _form, findings, _former in response.context["rows"]
    ]
    assert found == [["vague"], ["contact_data", "vague"], ["unit_missing", "duplicate"]]
    assert "Line 3 is 94% the same as line 1 of “两条线玻璃上料机”" in response.text


def test_case_points_at_contact_data_beside_the_lines(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["玻璃上料机 2 台"])
    clean = client.get(case(requirement)).text
    requirement.title = "接线盒,微信: abc123"
    requirement.text = "Call 138 0000 0000"
    requirement.project = Project.objects.create(
        enterprise=requirement.enterprise, name="Plant of a@b.example"
    )
    requirement.save()
    requirement.questions.create(order=1, text="Do you write to a@b.example?")
    requirement.conditions.create(kind="other", text="138-0000-0000")

    page = client.get(case(requirement)).text

    said = "Title, Description, Project, Conditions, Questions to suppliers"
    assert f"<b>Contact data in the text</b>: {said}</p>" in page
    assert "Do you write to a@b.example?" in page  # the desk lets through what it has read
    assert "Contact data in the text</b>" not in clean


def test_return_with_remarks_leads_to_the_next_case(client, organiser):
    requirement = RequirementFactory(submitted=True, submitted_at=hours_ago(2), lines=["A", "B"])
    other = RequirementFactory(submitted=True, submitted_at=hours_ago(1))
    line = requirement.lines.get(number=2)

    response = client.post(
        case(requirement),
        {"do": "return", f"remark-{line.public_id}-code": "vague", "remark-text": "See line 2"},
    )

    assert response.url == case(other)
    requirement.refresh_from_db()
    assert requirement.status == "returned"
    assert list(Remark.objects.values_list("line_number", "code", "text")) == [
        (2, "vague", ""),
        (None, "", "See line 2"),
    ]


def test_return_without_remarks_is_said_on_the_page(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["A"])

    response = client.post(case(requirement), {"do": "return"})

    assert response.status_code == 422
    assert "Say with at least one remark what must be changed." in response.text


def test_approve_with_remarks_is_held_back_and_keeps_them(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["A"])

    response = client.post(case(requirement), {"do": "approve", "remark-text": "Half a thought"})

    assert response.status_code == 422
    assert "Half a thought" in response.text
    requirement.refresh_from_db()
    assert requirement.status == "submitted"


def test_approve_publishes_and_the_empty_queue_leads_to_the_inbox(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["A"])

    response = client.post(case(requirement), {"do": "approve"})

    requirement.refresh_from_db()
    assert (response.url, requirement.status) == ("/inbox/", "published")


def test_refuse_keeps_the_saved_reason(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["A"])

    client.post(case(requirement), {"do": "refuse", "reason": "advertising", "note": "A leaflet"})

    requirement.refresh_from_db()
    assert (requirement.close_reason, requirement.close_note) == ("refused", "A leaflet")


def test_decision_on_a_case_decided_meanwhile_is_said_and_overwrites_nothing(client, organiser):
    requirement = RequirementFactory(submitted=True, lines=["A"])
    requirements.refuse(
        requirement=requirement, reason="advertising", by=OrganiserRoleFactory().user
    )

    response = client.post(case(requirement), {"do": "return", "remark-text": "x"})

    assert response.status_code == 422
    assert "“Closed” now" in response.text
    assert Requirement.objects.get().close_reason == "refused"


def test_amended_one_comes_back_to_the_desk_and_leaves_it_when_looked_at(client, organiser):
    requirement = RequirementFactory(lines=["A"])
    member = MembershipFactory(enterprise=requirement.enterprise)
    line = requirement.lines.get()
    requirements.amend(
        requirement=requirement,
        by=member.user,
        lines=[LineDraft(public_id=line.public_id, text="A2")],
    )

    page = client.get(case(requirement))
    response = client.post(case(requirement), {"do": "seen"})

    assert (page.context["place"], page.context["total"]) == (1, 1)
    assert "Amended after publication" in page.text
    assert response.url == "/inbox/"


def test_take_down_of_a_published_one(client, organiser):
    requirement = RequirementFactory(lines=["A"])

    client.post(case(requirement), {"do": "take_down", "reason": "misleading"})

    requirement.refresh_from_db()
    assert requirement.close_reason == "taken_down"


@pytest.mark.parametrize("count", [1, 3])
def test_case_asks_the_same_number_of_queries_for_any_number_of_lines(
    client, organiser, django_assert_num_queries, count
):
    requirement = RequirementFactory(submitted=True, lines=[f"Part {n}" for n in range(count)])

    with django_assert_num_queries(19):
        client.get(case(requirement))
