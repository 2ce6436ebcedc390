from __future__ import annotations

import pytest
from django.urls import reverse

from chains.models import ContactReveal
from tests.factories.chains import MembershipFactory, OrganiserRoleFactory, RequirementFactory
from tests.factories.matchmaking import InterestFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client):
    role = OrganiserRoleFactory()
    client.force_login(role.user)
    return role.user


@pytest.mark.parametrize("name", ["review_add", "review_bulk", "review_decide"])
def test_visit_of_what_a_form_posts_to_leads_to_its_page(client, reviewer, name):
    line = RequirementFactory(lines=["接线盒"]).lines.get()

    answer = client.get(reverse(f"matchmaking:{name}", args=[line.public_id]))

    assert answer.url == reverse("matchmaking:review_line", args=[line.public_id])


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("events:event_publish", "/events/x/overview/"),
        ("events:registration_decide", "/events/"),
        ("matchmaking:line_match", "/my/requirements/"),
    ],
)
def test_visit_tells_no_more_than_where_the_page_is(client, reviewer, address, page):
    assert client.get(reverse(address, args=["x"])).url == page


def test_visit_of_a_contact_opens_nothing_and_leads_to_its_page(client):
    interest = InterestFactory()
    requirement = interest.requirement
    client.force_login(MembershipFactory(enterprise=requirement.enterprise).user)

    buyers = client.get(reverse("matchmaking:contact_reveal", args=[requirement.public_id]))
    suppliers = client.get(reverse("matchmaking:interest_contact", args=[interest.public_id]))

    assert buyers.url == f"/requirements/{requirement.public_id}/"
    assert suppliers.url == f"/my/requirements/{requirement.public_id}/interests/"
    assert not ContactReveal.objects.exists()


def test_interest_of_others_tells_a_visitor_nothing(client):
    interest = InterestFactory()
    client.force_login(MembershipFactory().user)

    answer = client.get(reverse("matchmaking:interest_contact", args=[interest.public_id]))

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "This address only takes what a form sends"), ("zh-hans", "此地址仅接收表单提交")],
)
def test_method_not_taken_is_said_on_a_page(client, language, sentence):
    client.cookies["django_language"] = language

    answer = client.post("/healthz")

    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert f"<h1>{sentence}</h1>" in answer.text


@pytest.mark.parametrize(
    ("traits", "state"),
    [({"draft": True}, "not published yet"), ({"submitted": True}, "not published yet")],
)
def test_line_of_what_is_not_published_is_not_called_open(client, traits, state):
    requirement = RequirementFactory(lines=["接线盒"], **traits)
    client.force_login(MembershipFactory(enterprise=requirement.enterprise).user)

    page = client.get(f"/my/requirements/{requirement.public_id}/").text

    row = page[page.index('id="line-1"') :].partition("</tr>")[0]
    assert (state in row, ">Open<" in row) == (True, False)
