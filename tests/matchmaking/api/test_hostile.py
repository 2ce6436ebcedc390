"""R9: whatever is sent to any operation of the schema, the answer is never a fault of ours.

`FUZZ_EXAMPLES` is the number of bodies or queries for each operation: few at each merge, 600 in the night, which makes
more than 20,000 in all. `FUZZ_SEED` begins elsewhere, so that no two nights send the same; `FUZZ_ROLES` names who asks,
or `all`, each with its share of the examples.

    FUZZ_EXAMPLES=600 FUZZ_ROLES=all FUZZ_SEED=$(date +%j) make test TESTS=tests/matchmaking/api/test_hostile.py
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from django.db import DataError
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from rest_framework.parsers import JSONParser
from rest_framework.test import APIClient

from tests import walk, world

pytestmark = pytest.mark.django_db

SCHEMA = yaml.load((Path(__file__).parents[3] / "openapi.yaml").read_bytes(), yaml.CSafeLoader)
METHODS = ("get", "post", "patch")
OPERATIONS = [
    (method, path, operation)
    for path, item in sorted(SCHEMA["paths"].items())
    for method, operation in item.items()
    if method in METHODS and path.startswith("/api/v1/")
]
REFERENCE = re.compile(
    r"/api/v1/(chains|segments|categories|regions|units|event-levels|[a-z]+-kinds)/"
)
WRITING = [one for one in OPERATIONS if one[0] != "get"]
READING = [one for one in OPERATIONS if one[0] == "get" and not REFERENCE.match(one[1])]

HOSTILE = st.sampled_from(
    [
        None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, -(2**63) - 1, 10**400, "", " ", "0", "null",
        "\x00", "a\x00b", "\ud800", "😀𠮷\u202e", "x" * 1_000_000, "9999-12-31", "0001-01-01", "2026-02-30",
        "9999-12-31T23:59:59+00:00", "9223372036854775808", "NaN", "Infinity", "-0", "1e400", "%", "\\", "'",
        "../../etc/passwd", [], {}, [[]], [None], ["\x00"], {"x": {}}, [{}], [{"text": "a", "quantity": 1e308}],
    ]
)  # fmt: skip
# All of Unicode but halves of a character, as `st.text()` alone – which tries a million to find out which those are.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = HOSTILE | TEXTS | st.integers() | st.floats()
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 12)
SEED = seed(int(os.environ.get("FUZZ_SEED") or 1))
ASKING = os.environ.get("FUZZ_ROLES", "").split()
MOST = settings(
    max_examples=max(1, EXAMPLES // len(world.ROLES if ASKING == ["all"] else ASKING or [""])),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


RAW = (
    "", "{", "[]", "null", '"text"', "1", b"\xff", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", '{"a":' * 5000,
    "[" * 100_000, '{"title": NaN}', '{"title": "\\ud800"}', '{"title": 1, "title": 2}', '{"\\u0000": 1}',
    '{"__proto__": {}}', "1" * 5_000, '{"seats": ' + "9" * 5_000 + "}",
)  # fmt: skip
PART = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
OTHER_TYPES = (
    ("text/plain", "title=1"),
    ("", "{}"),
    ("application/json; charset=utf-7", "{}"),
    ("application/json; charset=none", "{}"),
    ("application/xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ("application/x-www-form-urlencoded", "title=%00&title=%ff&title=%ed%a0%80"),
    ("multipart/form-data", "--b"),
    ("multipart/form-data; boundary=" + "b" * 500, "--b"),
    ("multipart/form-data; boundary=b", PART.format("title", "", "\x00") + "--b--"),
    ("multipart/form-data; boundary=b", PART.format("licence", '; filename="a\x00.pdf"', "%PDF") + "--b--"),
)  # fmt: skip

# Of what ends in the parsers, which all operations share, each is sent a third by turns, and in the night all of it.
TURNS = 1 if "FUZZ_EXAMPLES" in os.environ else 3
# An operation that takes no body reads none, and its work is done again for each: a third of the third.
UNREAD = TURNS * TURNS
# One operation stands for all; in the night each is sent them.
BULKY = (
    ("application/json", '{"title": "' + "x" * 6_000_000 + '"}'),
    ("application/x-www-form-urlencoded", "&".join(f"f{n}=1" for n in range(10_000))),
    ("multipart/form-data; boundary=b", PART.format("title", "", "x" * 6_000_000) + "--b--"),
    ("multipart/form-data; boundary=b", "".join(PART.format(f"f{n}", "", n) for n in range(7_000)) + "--b--"),
)  # fmt: skip


def properties(operation):
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = body.get("schema", {})
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return sorted(schema.get("properties", {}))


def address(path, place):
    """The path with an id that the asking person may use, so that the request gets past the door."""
    noun = path.split("/")[3]
    row = {
        "enterprises": place.buyer, "capabilities": place.capability_draft, "requirements": place.draft,
        "events": place.event, "registrations": place.registration, "matches": place.proposed,
        "interests": place.interest, "runs": place.run, "memberships": place.membership,
        "member-invitations": place.invited, "mandates": place.mandate, "group-proposals": place.group_proposal,
        "evidence": place.evidence, "qualifications": place.proof, "certifications": place.certificate,
        "reports": place.report, "projects": place.project,
    }.get(noun)  # fmt: skip
    parts = {
        "line_id": place.draft_line,
        "contact_id": place.contact,
        "photo_id": place.photo_draft,
    }
    for name, part in parts.items():
        path = path.replace(f"{{{name}}}", part.public_id)
    return path.replace("{public_id}", row.public_id) if row else path.replace("{code}", "PV")


def people_for(path):
    noun = path.split("/")[3]
    at_a_desk = ("matches", "runs", "title-lists", "reports", "qualifications", "certifications")
    if noun == "registrations":
        return "supplier"
    return "organiser" if noun in at_a_desk else "owner"


def valid_ids(place):
    return {
        "enterprise": place.buyer.public_id,
        "requirement": place.published.public_id,
        "event": place.event.public_id,
        "contact": place.contact.public_id,
        "lines": [{"text": "a"}],
        "title": "A",
    }


def send(client, method, path, payload, content_type="application/json"):
    with client.untouched.request(is_guarded=True):
        answer = client.generic(method.upper(), path, payload, content_type=content_type)
    assert answer.status_code < 500, (method, path, payload[:300])
    return answer.status_code


@pytest.fixture(scope="module")
def asking(standing_world):
    """A client of each role, signed in once; what they change is taken back after each request."""
    clients, untouched = {}, walk.Untouched()
    for role, person in standing_world.people.items():
        clients[role] = APIClient(raise_request_exception=True)
        clients[role].untouched = untouched
        if person.is_authenticated:
            clients[role].force_login(person)
    return clients


@pytest.fixture
def place(standing_world, asking):
    standing_world.clients = asking
    with walk.many_requests(asking["owner"].untouched):
        yield standing_world


def client_of(place, path, role=None):
    return place.clients[role or people_for(path)]


def clients_of(place, path):
    """Who gets furthest with this operation, or everybody that the environment names."""
    roles = world.ROLES if ASKING == ["all"] else ASKING or [None]
    return [client_of(place, path, role) for role in roles]


@pytest.mark.parametrize(
    ("method", "path", "operation"), WRITING, ids=lambda v: v if isinstance(v, str) else ""
)
def test_write_survives_hostile_values(method, path, operation, place):
    target, names = address(path, place), properties(operation)

    @SEED
    @MOST
    @given(
        st.dictionaries(st.sampled_from(names), BODIES, max_size=4) if names else st.just({}),
        st.booleans(),
    )
    def attack(client, fields, keeps_ids):
        body = {**(valid_ids(place) if keeps_ids else {}), **fields}
        send(client, method, target, json.dumps(body))

    for client in clients_of(place, path):
        attack(client)
    furthest = client_of(place, path)
    turns = TURNS if "requestBody" in operation else UNREAD
    turn = WRITING.index((method, path, operation)) % turns
    for raw in RAW[turn::turns]:
        send(furthest, method, target, raw)
    everywhere = TURNS == 1 or path == "/api/v1/requirements/"
    for content_type, raw in OTHER_TYPES[turn::turns] + (BULKY if everywhere else ()):
        send(furthest, method, target, raw, content_type)


@pytest.mark.parametrize(
    ("method", "path", "operation"), READING, ids=lambda v: v if isinstance(v, str) else ""
)
def test_read_survives_hostile_queries(method, path, operation, place):
    target = address(path, place)
    names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    texts = st.sampled_from(
        ["", "\x00", "😀𠮷", "x" * 10_000, "9" * 30, "-1", "1e400", "NaN", "9999-12-31T23:59:59Z",
         "0001-01-01T00:00:00+14:00", "%", "\\", "'", "(", "[", "null", "2026-13-45"]
    )  # fmt: skip

    @SEED
    @MOST
    @given(st.dictionaries(st.sampled_from(names), texts, max_size=3) if names else st.just({}))
    def attack(client, query):
        with client.untouched.request(is_guarded=True):
            answer = client.get(target, query)
        assert answer.status_code < 500, (path, query)

    for client in clients_of(place, path):
        attack(client)


def test_operations_of_the_schema_are_all_attacked():
    """The control of the lists above: an operation that fell out of both would be attacked by nobody."""
    left = [one for one in OPERATIONS if one not in WRITING and one not in READING]

    # So that whatever ends in the parsers is sent many times, and before them too.
    reading_a_body = [one for one in WRITING if "requestBody" in one[2]]
    assert len(reading_a_body) > 5 * TURNS
    assert len(WRITING) - len(reading_a_body) >= UNREAD
    assert all(REFERENCE.match(path) for _method, path, _operation in left)


def test_text_that_no_database_holds_needs_the_strict_parser(place, monkeypatch):
    """The control of the parser: with the plain one a NUL in a code reaches the database."""
    path, body = "/api/v1/requirements/", {**valid_ids(place), "docking_kind": "\x00"}
    assert send(client_of(place, path), "post", path, json.dumps(body)) == 400

    monkeypatch.setattr("matchmaking.api.base.ReadViewSet.parser_classes", [JSONParser])

    with pytest.raises(DataError):
        send(client_of(place, path), "post", path, json.dumps(body))


def test_fault_of_ours_would_be_noticed(place, monkeypatch):
    """The control: an error that no handler knows must end the test, not become a polite answer."""

    def fall(**_fields):
        raise ZeroDivisionError

    monkeypatch.setattr("chains.services.capabilities.publish", fall)
    path = f"/api/v1/capabilities/{place.capability_draft.public_id}/publish/"

    with pytest.raises(ZeroDivisionError):
        send(client_of(place, path), "post", path, "{}")
