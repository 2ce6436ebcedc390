"""The description of the API names what each operation may refuse, as it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from matchmaking.api.description import _written
from matchmaking.api.errors import PROBLEM
from tests.factories.chains import MembershipFactory, RequirementFactory

pytestmark = pytest.mark.django_db

SCHEMA = yaml.load((Path(__file__).parents[3] / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
METHODS = ("get", "post", "put", "patch", "delete")


def refusals(path, method):
    return {
        status
        for status, answer in SCHEMA["paths"][path][method]["responses"].items()
        if answer.get("$ref", "").startswith("#/components/responses/")
    }


def test_every_operation_says_what_it_may_refuse():
    for path, item in SCHEMA["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            said = refusals(path, method)
            assert {"401", "429"} <= said, path
            assert ("404" in said) == ("{" in path or method != "get"), path
            assert ({"400", "403", "409", "413", "415", "422"} <= said) == (method != "get"), path


def test_answers_are_problems_with_the_headers_they_bring():
    answers = SCHEMA["components"]["responses"]

    assert {PROBLEM} == {media for answer in answers.values() for media in answer["content"]}
    assert list(answers["TooMany"]["headers"]) == ["Retry-After"]
    assert list(answers["NotSignedIn"]["headers"]) == ["WWW-Authenticate"]


def test_served_description_is_the_committed_one_and_written_once_for_each_language(client):
    # Whoever asks in a language that is not there gets their own, and makes nobody write another.
    _written.cache_clear()
    served = [client.get("/api/schema/", {"lang": lang}) for lang in ("en", "xx", "zh-hans", "en")]

    assert served[0].headers["Content-Type"] == "application/vnd.oai.openapi"
    assert yaml.load(served[0].content, yaml.CSafeLoader) == SCHEMA
    assert [one.content == served[0].content for one in served] == [True, True, False, True]
    assert _written.cache_info().misses == 2
    as_json = client.get("/api/schema/", headers={"accept": "application/json"})
    assert json.loads(as_json.content)["openapi"] == SCHEMA["openapi"]


REQUIREMENTS = "/api/v1/requirements/"
SUBMIT, WITHDRAW = "{public_id}/submit/", "{public_id}/withdraw/"


@pytest.mark.parametrize(
    ("status", "action", "on", "body", "media"),
    [
        (400, "", "", "{", "application/json"),
        (415, "", "", "a", "text/plain"),
        (422, "", "", "{}", "application/json"),
        (404, SUBMIT, "nobody", "{}", "application/json"),
        (409, SUBMIT, "own", "{}", "application/json"),
        (403, WITHDRAW, "other", "{}", "application/json"),
    ],
)
def test_refusal_is_described_as_it_comes(client, status, action, on, body, media):
    member = MembershipFactory()
    rows = {
        "": "",
        "nobody": "aaaaaaaaaaaa",
        "own": RequirementFactory(enterprise=member.enterprise, draft=True).public_id,
        "other": RequirementFactory().public_id,
    }
    client.force_login(member.user)

    answer = client.post(REQUIREMENTS + action.replace("{public_id}", rows[on]), body, media)

    assert answer.status_code == status
    assert str(status) in refusals(REQUIREMENTS + action, "post")
    problem = SCHEMA["components"]["schemas"]["Problem"]
    assert answer["Content-Type"] == PROBLEM
    assert set(problem["required"]) <= set(answer.json()) <= set(problem["properties"])


@pytest.mark.browser
def test_docs_page_works_under_the_policy(page, live_server):
    page.goto(f"{live_server.url}/api/docs/")

    page.locator("#operations-tag-requirements").click()
    page.get_by_text("/api/v1/requirements/", exact=True).first.wait_for()

    assert page.locator(".opblock").count() > 10
    assert page.locator(".opblock-tag").count() > 30
    assert page.complaints == []
