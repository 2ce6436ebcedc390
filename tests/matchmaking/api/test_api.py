"""What programs get: shapes, rights, refusals, and the same number of queries for one row and for three."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from chains.models import (
    Category,
    CertificationKind,
    Evidence,
    GroupProposal,
    Import,
    Mandate,
    MemberInvitation,
    Notification,
    QualificationKind,
    Report,
    Requirement,
)
from events.models import Event, Registration
from matchmaking.models import MatchRun, SavedSearch, Weighting
from matchmaking.services import calibration
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, RegistrationFactory, SeriesFactory
from tests.factories.matchmaking import (
    InterestFactory,
    MatchFactory,
    MatchRunFactory,
    draft_weighting,
)
from tests.factories.matchmaking import supplier as made

pytestmark = pytest.mark.django_db

API = "/api/v1/"
PROBLEM = "application/problem+json"


def client_of(user):
    """A program with a token, as an integrator has it."""
    client = APIClient()
    if user.is_authenticated:
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0]}")
    return client


def as_role(place, role):
    return client_of(place.people[role])


# --- Shapes ---------------------------------------------------------------------------------------------

NAMES = {"code", "name_zh", "name_en"}
PROOF = {
    "public_id", "enterprise", "kind", "issuer", "valid_from", "valid_until_on", "status", "reason", "evidence",
    "created_at", "revoked_on",
}  # fmt: skip
SHAPES = {
    "chains": NAMES | {"kind", "summary_zh", "summary_en"},
    "segments": NAMES | {"chain", "position", "feeds"},
    "categories": NAMES
    | {
        "level", "parent", "segment", "synonyms_zh", "synonyms_en", "description_zh", "description_en",
        "standards",
    },
    "regions": NAMES | {"level", "parent", "longitude", "latitude"},
    "units": NAMES | {"dimension", "factor"},
    "docking-kinds": NAMES | {"direction", "family", "counterparts"},
    "cooperation-kinds": NAMES | {"group"},
    "qualification-kinds": NAMES | {"group", "counted_as"},
    "certification-kinds": NAMES | {"group"},
    "participant-kinds": NAMES | {"counts_as_enterprise"},
    "event-levels": NAMES,
    "enterprises": {
        "public_id", "name", "name_en", "kind", "country", "region", "status", "summary", "summary_language",
        "website", "verified_at", "qualifications",
    },
    "capabilities": {
        "public_id", "enterprise", "title_zh", "title_en", "text_zh", "text_en", "categories",
        "cooperation_kinds", "yearly_capacity", "unit", "lead_time_days", "sample_days", "is_new",
        "valid_until_on", "status", "published_at", "references", "certifications",
    },
    "memberships": {"public_id", "enterprise", "account", "role", "status", "created_at"},
    "member-invitations": {
        "public_id", "enterprise", "email", "role", "status", "expires_on", "created_at",
    },
    "mandates": {"public_id", "association", "member", "status", "created_at"},
    "projects": {
        "public_id", "enterprise", "name", "language", "chain", "region", "amount_cents", "currency", "stage",
        "needed_by_on", "is_public", "created_at",
    },
    "group-proposals": {"public_id", "proposer", "partner", "name", "status", "created_at"},
    "evidence": {
        "public_id", "enterprise", "purpose", "original_name", "content_type", "size", "created_at",
    },
    "qualifications": PROOF | {"batch"},
    "certifications": PROOF | {"number", "scope"},
    "reports": {
        "public_id", "requirement", "enterprise", "capability", "reason", "note", "status", "answer", "created_at",
        "decided_at",
    },
    "requirements": {
        "public_id", "enterprise", "posted_by", "title", "text", "language", "docking_kind", "seeks",
        "cooperation_kinds", "chain", "region", "project", "needed_by_on", "closes_on", "answer_by_on",
        "is_urgent", "import_substitution", "contact_policy", "status", "close_reason", "close_outcome",
        "published_at", "amended_at", "lines", "conditions", "questions",
    },
    "events": {
        "public_id", "name_zh", "name_en", "level", "host", "co_hosts", "region", "cluster", "chains", "docking_kinds",
        "series", "starts_at", "ends_at", "place", "place_en", "map_url", "text", "text_en", "delegates_per_enterprise",
        "admission", "waiting_rule", "offer_hours", "walk_ins", "registration_opens_at", "registration_closes_at", "status", "tiers",
        "listings", "questions", "agenda", "delegates_until", "leading_guests", "draws_at", "draw_source_zh",
        "draw_source_en", "draw_commitment",
    },
    "programmes": {"public_id", "owner", "name_zh", "name_en"},
    "series": {
        "public_id", "programme", "year", "name_zh", "name_en", "held", "planned", "target", "targets",
    },
    "registrations": {
        "public_id", "event", "enterprise", "status", "purposes", "seats_asked", "seats_held",
        "accepts_partial", "may_be_named", "tier", "rank", "offer_expires_at", "attended",
        "qualifications_held", "answers",
    },
    "matches": {
        "public_id", "requirement", "line", "supplier", "points", "misses_must", "status", "is_stale",
        "origin", "score",
    },
    "interests": {
        "public_id", "requirement", "enterprise", "lines", "message", "language", "answers", "thread", "origin",
        "attachments", "status", "decline_reason", "decline_note", "created_at", "answered_at",
        "answer_by_on",
    },
    "runs": {
        "public_id", "scope", "requirement", "line", "enterprise", "status", "lines_total", "lines_done",
        "engine_version", "created_at", "started_at", "finished_at", "error",
    },
    "weightings": {
        "public_id", "version", "province", "status", "parts", "based_on", "created_at", "activated_at", "trail",
    },
}  # fmt: skip


def test_rows_have_exactly_the_fields_that_are_promised(place):
    roles = {
        "interests": "supplier",
        "member-invitations": "owner",
        "mandates": "owner",
        "group-proposals": "owner",
        "projects": "owner",
    }

    for noun, fields in SHAPES.items():
        client = as_role(place, roles.get(noun, "organiser"))
        answer = client.get(f"{API}{noun}/", {"limit": 1})
        assert set(answer.data) == {"count", "next", "previous", "results"}, noun
        row = answer.data["results"][0]
        assert set(row) == fields, noun
        detail = client.get(f"{API}{noun}/{row.get('public_id') or row['code']}/")
        assert detail.data == row, noun


def test_score_tells_its_parts_and_reasons(place):
    row = as_role(place, "organiser").get(f"{API}matches/{place.match.public_id}/").data

    assert set(row["score"]) == {
        "points", "misses_must", "parts", "reasons", "outcomes", "engine_version", "weighting", "created_at",
    }  # fmt: skip
    assert row["points"] == row["score"]["points"] == 81.4
    assert sum(part["tenths"] for part in row["score"]["parts"]) == 814


def test_embargoed_requirement_is_on_no_event_list_for_others(place):
    listings = APIClient().get(f"{API}events/{place.event.public_id}/").data["listings"]

    assert [row["requirement"] for row in listings] == [place.published.public_id]


def test_project_that_is_not_public_is_left_out(place):
    project = place.buyer.projects.create(name="Q", is_public=False)
    Requirement.objects.filter(pk=place.published.pk).update(project=project)

    assert (
        APIClient().get(f"{API}requirements/{place.published.public_id}/").data["project"] is None
    )


# --- Query counts ---------------------------------------------------------------------------------------


def requirements(count):
    for _ in range(count):
        RequirementFactory(lines=["A", "B"])
    return UserFactory()


def capabilities(count):
    for _ in range(count):
        CapabilityFactory(categories=["PV-A-1"])
    return UserFactory()


def enterprises(count):
    EnterpriseFactory.create_batch(count)
    return UserFactory()


def events(count):
    EventFactory.create_batch(count, chains=["PV"])
    return UserFactory()


def programmes(count):
    for _ in range(count):
        EventFactory(series=[SeriesFactory()])
    return UserFactory()


def series(count):
    for _ in range(count):
        row = SeriesFactory()
        row.targets.create(measure="events", level_id="county", value=3)
        EventFactory(series=[row])
    return UserFactory()


def registrations(count):
    """One enterprise that waits at several events: its ranks must not cost a query each."""
    member = MembershipFactory()
    for _ in range(count):
        RegistrationFactory(enterprise=member.enterprise, status="waitlisted")
    return member.user


def matches(count):
    for _ in range(count):
        MatchFactory()
    return OrganiserRoleFactory().user


def interests(count):
    member = MembershipFactory()
    for _ in range(count):
        InterestFactory(enterprise=member.enterprise).lines.set([])
    return member.user


def runs(count):
    user = UserFactory()
    MatchRunFactory.create_batch(count, asked_by=user)
    return user


def imports(count):
    member = MembershipFactory()
    for number in range(count):
        Import.objects.create(
            kind="capabilities", enterprise=member.enterprise, asked_by=member.user, file_name=f"{number}.csv"
        )  # fmt: skip
    return member.user


def searches(count):
    user = UserFactory()
    for number in range(count):
        SavedSearch.objects.create(user=user, name=str(number), query=f"q={number}")
    return user


def memberships(count):
    """Requests that an owner decides on: whose address stands there is asked of each row."""
    owner = MembershipFactory()
    for _ in range(count - 1):
        MembershipFactory(enterprise=owner.enterprise, status="requested")
    return owner.user


def member_invitations(count):
    owner = MembershipFactory()
    for number in range(count):
        MemberInvitation.objects.create(
            enterprise=owner.enterprise, email=f"n{number}@there.example", invited_by=owner.user,
            expires_on=timezone.localdate(),
        )  # fmt: skip
    return owner.user


member_invitations.__name__ = "member-invitations"


def mandates(count):
    member = MembershipFactory()
    for _ in range(count):
        Mandate.objects.create(association=EnterpriseFactory(), member=member.enterprise)
    return member.user


def group_proposals(count):
    member = MembershipFactory()
    for _ in range(count):
        GroupProposal.objects.create(proposer=EnterpriseFactory(), partner=member.enterprise)
    return member.user


group_proposals.__name__ = "group-proposals"


def projects(count):
    member = MembershipFactory()
    for number in range(count):
        member.enterprise.projects.create(name=str(number))
    return member.user


def evidence(count):
    member = MembershipFactory()
    for number in range(count):
        Evidence.objects.create(
            enterprise=member.enterprise, purpose="licence", file=f"evidence/{number}.pdf", size=1,
            uploaded_by=member.user,
        )  # fmt: skip
    return member.user


def qualifications(count):
    member, kind = MembershipFactory(), QualificationKind.objects.first()
    for number in range(count):
        day = timezone.localdate() - datetime.timedelta(days=number)
        member.enterprise.qualifications.create(kind=kind, valid_from=day)
    return member.user


def certifications(count):
    member, kind = MembershipFactory(), CertificationKind.objects.first()
    for number in range(count):
        member.enterprise.certifications.create(
            kind=kind, number=str(number), valid_from=timezone.localdate()
        )
    return member.user


def reports(count):
    organiser = OrganiserRoleFactory().user
    for _ in range(count):
        Report.objects.create(
            requirement=RequirementFactory(), reason="advertising", by=UserFactory()
        )
    return organiser


def notices(count):
    member = MembershipFactory()
    for _ in range(count):
        Notification.objects.create(
            to=member.user, kind="enterprise_verified", channel="in_app",
            context={"enterprise": EnterpriseFactory().public_id},
        )  # fmt: skip
    return member.user


def weightings(count):
    province = region("330000")
    desk = OrganiserRoleFactory(region=province).user
    for _ in range(count):
        draft = draft_weighting(province, version=1 + Weighting.objects.count())
        calibration.activate(weighting=draft, reason="near ones", by=desk)
    return desk


MAKERS = (
    imports, searches, memberships, member_invitations, mandates, group_proposals, evidence, qualifications, certifications,
    reports, notices, projects,
    requirements, capabilities, enterprises, events, programmes, series, registrations, matches, interests, runs,
    weightings,
)  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_list_asks_the_database_as_often_for_three_rows_as_for_one(make, django_assert_num_queries):
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    def asked(user):
        client = client_of(user)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(f"{API}{make.__name__}/")
        return answer.data["count"], len(queries)

    first, once = asked(make(1))
    second, thrice = asked(make(3))

    assert second >= 3 > 0 < first
    assert thrice == once


# --- Who asks -------------------------------------------------------------------------------------------


def test_visitor_reads_what_is_public_and_is_asked_for_a_token_elsewhere():
    assert APIClient().get(f"{API}chains/").status_code == 200

    answer = APIClient().get(f"{API}matches/")

    assert (answer.status_code, answer["WWW-Authenticate"], answer["Content-Type"]) == (
        401,
        "Token",
        PROBLEM,
    )
    assert answer.data["code"] == "request.not_authenticated"


def test_unknown_token_is_refused():
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token 0123456789012345678901234567890123456789")

    answer = client.get(f"{API}chains/")

    assert (answer.status_code, answer.data["code"]) == (401, "request.authentication_failed")


def test_session_reads_and_writes_only_with_its_csrf_token(place):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(place.people["owner"])
    address = f"{API}capabilities/{place.capability_draft.public_id}/publish/"

    without = client.post(address)
    client.get("/")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else ""
    if not token:
        client.get("/accounts/email/")
        token = client.cookies["csrftoken"].value
    with_token = client.post(address, headers={"X-CSRFToken": token})

    assert (without.status_code, without.data["code"]) == (403, "request.permission_denied")
    assert (with_token.status_code, with_token.data["status"]) == (200, "published")


def test_caller_that_asks_too_often_is_told_when_to_come_back(monkeypatch):
    monkeypatch.setattr("matchmaking.api.limits.AnonThrottle.get_rate", lambda _self: "2/min")
    client = APIClient()

    statuses = [client.get(f"{API}units/").status_code for _ in range(3)]
    answer = client.get(f"{API}units/")

    assert statuses == [200, 200, 429]
    assert (answer["Content-Type"], answer.data["code"]) == (PROBLEM, "request.throttled")
    assert 0 < int(answer["Retry-After"]) <= 60


# --- Refusals -------------------------------------------------------------------------------------------


def problem(answer):
    assert answer["Content-Type"] == PROBLEM
    assert answer.data["status"] == answer.status_code
    return answer.status_code, answer.data["title"], answer.data["code"], answer.data["detail"]


def test_refusals_are_problems_with_a_sentence(place):
    stranger, viewer, owner = (as_role(place, role) for role in ("stranger", "viewer", "owner"))
    draft = f"{API}capabilities/{place.capability_draft.public_id}/"

    assert problem(stranger.get(draft)) == (
        404, "Not Found", "request.not_found", "There is no such thing, or it is not open to you.",
    )  # fmt: skip
    assert problem(viewer.post(f"{draft}publish/")) == (
        403, "Forbidden", "capability.forbidden", "Only the owner and the editors of the enterprise can do this.",
    )  # fmt: skip
    assert problem(owner.post(f"{draft}withdraw/")) == (
        409, "Conflict", "capability.draft", "A draft is seen by nobody else. Delete it instead.",
    )  # fmt: skip
    assert problem(owner.post(f"{API}runs/", {"scope": "galaxy"}, format="json"))[:3] == (
        422, "Unprocessable Entity", "request.invalid",
    )  # fmt: skip
    assert problem(owner.delete(draft))[:3] == (
        405,
        "Method Not Allowed",
        "request.method_not_allowed",
    )
    assert problem(owner.post(f"{API}runs/", "<x/>", content_type="text/xml"))[:3] == (
        415, "Unsupported Media Type", "request.unsupported_media_type",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["nope/", "nope/deeper/", "chains/a/b/c/", ""])
def test_unknown_address_is_a_problem_too(client, path):
    for answer in (client.get(API + path), client.post(API + path)):
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
        assert answer.json()["code"] == "request.not_found"


def test_address_without_its_last_slash_is_still_led_to_it(client):
    assert client.get(f"{API}chains?limit=1").url == f"{API}chains/?limit=1"


@pytest.mark.parametrize("scope", ["line", "requirement", "enterprise"])
def test_run_over_one_row_without_its_id_names_the_field(place, scope):
    answer = as_role(place, "organiser").post(f"{API}runs/", {"scope": scope}, format="json")

    assert (answer.status_code, list(answer.data["errors"])) == (422, ["public_id"])


def test_faults_of_nested_fields_are_named_where_they_stand(place):
    body = {
        "enterprise": place.buyer.public_id,
        "title": "",
        "lines": [{"text": "A"}, {"text": "B", "quantity": "many", "unit": "nonsense"}],
    }

    answer = as_role(place, "owner").post(f"{API}requirements/", body, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "title": ["This field may not be blank."],
        "lines": {
            "1": {
                "quantity": ["A valid number is required."],
                "unit": ["Object with code=nonsense does not exist."],
            }
        },
    }


def test_refusal_is_said_in_the_language_of_the_caller(place):
    answer = as_role(place, "owner").get(
        f"{API}matches/222222222222/", headers={"Accept-Language": "zh-hans"}
    )

    assert answer.data["detail"] != "There is no such thing, or it is not open to you."


def test_body_beyond_the_limit_is_refused_unread(place, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = as_role(place, "owner").post(
        f"{API}requirements/", {"title": "x" * 1000}, format="json"
    )

    assert (answer.status_code, answer.data["code"]) == (413, "request.too_large")


# --- Writing --------------------------------------------------------------------------------------------


def posting(place, **more):
    day = timezone.localdate()
    return {
        "enterprise": place.buyer.public_id,
        "title": "Junction boxes for 5 GW",
        "docking_kind": "supply_sales",
        "region": "330421",
        "contact": place.contact.public_id,
        "closes_on": str(day + datetime.timedelta(days=10)),
        "answer_by_on": str(day + datetime.timedelta(days=20)),
        "lines": [
            {
                "text": "1500 V split junction box",
                "quantity": "600",
                "unit": "pcs",
                "period": "year",
                "conditions": [{"kind": "other", "text": "three samples first"}],
            },
            {"text": "EVA film"},
        ],
        "conditions": [{"kind": "other", "text": "on-site audit", "strength": "prefer"}],
        "questions": ["Who are your customers?"],
        **more,
    }


def test_requirement_goes_from_a_program_to_its_desk(place):
    client = as_role(place, "editor")

    made = client.post(f"{API}requirements/", posting(place), format="json")
    assert made.status_code == 201, made.data
    sent = client.post(f"{API}requirements/{made.data['public_id']}/submit/")

    row = Requirement.objects.get(public_id=made.data["public_id"])
    assert made.data["status"] == "draft"
    assert [(line["number"], line["text"], line["period"]) for line in made.data["lines"]] == [
        (1, "1500 V split junction box", "year"),
        (2, "EVA film", "once"),
    ]
    assert [c["text"] for c in made.data["conditions"]] == ["on-site audit"]
    assert [c["text"] for c in made.data["lines"][0]["conditions"]] == ["three samples first"]
    assert made.data["questions"] == ["Who are your customers?"]
    assert (sent.status_code, sent.data["status"], row.status) == (200, "submitted", "submitted")
    assert row.contact == place.contact


def test_submit_says_what_is_missing_field_by_field(place):
    client = as_role(place, "editor")
    body = posting(place)
    del body["contact"], body["closes_on"], body["answer_by_on"]
    made = client.post(f"{API}requirements/", body, format="json")

    answer = client.post(f"{API}requirements/{made.data['public_id']}/submit/")

    assert (answer.status_code, answer.data["code"]) == (409, "requirement.incomplete")
    assert set(answer.data["missing"]) == {"contact", "closes_on", "answer_by_on"}


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        ({"answer_by_on": "2020-01-01"}, "answer_by_on", "requirement.dates"),
        ({"lines": [{"text": "EVA", "quantity": "0"}]}, "lines", "line.quantity"),
        (
            {"conditions": [{"kind": "origin", "text": "Atlantis"}]},
            "conditions",
            "condition.unknown",
        ),
        (
            {"lines": [{"text": "EVA", "conditions": [{"kind": "origin", "text": "Atlantis"}]}]},
            "lines",
            "condition.unknown",
        ),
    ],
)
def test_field_that_a_rule_refuses_is_named_with_the_code_of_the_rule(place, sent, field, code):
    body = {**posting(place), **sent}

    answer = as_role(place, "editor").post(f"{API}requirements/", body, format="json")

    assert (answer.status_code, answer.data["code"]) == (422, code)
    assert answer.data["errors"] == {field: [answer.data["detail"]]}


def test_requirement_of_another_enterprise_cannot_be_posted_nor_its_contact_named(place):
    client = as_role(place, "stranger")
    body = posting(place)

    answer = client.post(f"{API}requirements/", body, format="json")

    assert answer.status_code == 422
    assert set(answer.data["errors"]) == {"enterprise", "contact"}
    assert Requirement.objects.filter(title=body["title"]).count() == 0


def test_own_contacts_can_be_named_but_their_numbers_are_not_told(place):
    answer = as_role(place, "editor").get(f"{API}enterprises/{place.buyer.public_id}/contacts/")

    assert answer.data == [
        {"public_id": place.contact.public_id, "name": "Qcontactname", "job_title": "Qcontactjob"}
    ]


def test_capability_is_drafted_and_published(place):
    client = as_role(place, "supplier")
    body = {"title_en": "Box", "text_en": "1500 V", "yearly_capacity": "5000", "unit": "pcs"}

    made = client.post(f"{API}capabilities/", body, format="json")
    assert made.status_code == 201, made.data
    shown = client.post(f"{API}capabilities/{made.data['public_id']}/publish/")

    assert (made.data["status"], shown.data["status"]) == ("draft", "published")
    assert made.data["enterprise"] == place.supplying.public_id


def test_capability_needs_an_enterprise(place):
    answer = as_role(place, "newcomer").post(
        f"{API}capabilities/", {"title_en": "Box"}, format="json"
    )

    assert problem(answer) == (
        403, "Forbidden", "capability.forbidden", "Register your enterprise first, or ask to join it.",
    )  # fmt: skip


def test_decision_is_made_on_record_and_read_by_reviewers_only(place):
    reviewer = as_role(place, "organiser")
    address = f"{API}matches/{place.proposed.public_id}/"

    unsaid = reviewer.post(f"{address}decide/", {"verdict": "rejected"}, format="json")
    said = reviewer.post(
        f"{address}decide/",
        {"verdict": "rejected", "reason": "capacity", "note": "too small"},
        format="json",
    )

    assert (unsaid.status_code, said.status_code, said.data["status"]) == (422, 200, "rejected")
    assert (unsaid.data["code"], list(unsaid.data["errors"])) == (
        "match.reason_missing",
        ["reason"],
    )
    rows = reviewer.get(f"{address}decisions/").data
    assert [(r["verdict"], r["reason"], r["note"], r["points"]) for r in rows] == [
        ("rejected", "capacity", "too small", 81.4)
    ]
    assert (
        as_role(place, "supplier")
        .get(f"{API}matches/{place.match.public_id}/decisions/")
        .status_code
        == 403
    )


def test_pair_that_no_run_found_is_scored_for_those_who_may_see_it(place):
    maker = made("三分体接线盒")
    owner = APIClient()
    owner.force_authenticate(MembershipFactory(enterprise=maker).user)
    pair = {"line": place.published_line.public_id, "supplier": maker.public_id}
    address = f"{API}matches/why/"

    refused = as_role(place, "supplier").post(address, pair, format="json")
    wrong = owner.post(address, {**pair, "line": "222222222222"}, format="json")
    found = owner.post(address, pair, format="json")

    assert (refused.status_code, refused.data["code"]) == (403, "match.forbidden")
    assert (wrong.status_code, list(wrong.data["errors"])) == (422, ["line"])
    assert found.status_code == 200
    assert sum(part["tenths"] for part in found.data["score"]["parts"]) == round(
        found.data["points"] * 10
    )
    assert owner.get(f"{API}matches/").data["results"] == []


def test_supplier_sees_its_own_pairs_and_no_competitor(place):
    rows = as_role(place, "supplier").get(f"{API}matches/").data["results"]

    assert [row["supplier"]["public_id"] for row in rows] == [place.supplying.public_id]


def test_interest_is_sent_and_answered_and_opens_the_contact(place):
    supplier, buyer = as_role(place, "stranger"), as_role(place, "owner")
    contact = ContactFactory(enterprise=place.foreign)
    body = {
        "requirement": place.published.public_id,
        "enterprise": place.foreign.public_id,
        "lines": [place.published_line.public_id],
        "message": "We can.",
        "contact": contact.public_id,
    }
    address = f"{API}requirements/{place.published.public_id}/contact/"

    sent = supplier.post(f"{API}interests/", body, format="json")
    assert sent.status_code == 201, sent.data
    closed = supplier.post(address)
    accepted = buyer.post(
        f"{API}interests/{sent.data['public_id']}/answer/", {"answer": "accept"}, format="json"
    )
    opened = supplier.post(address)

    assert (sent.data["status"], sent.data["lines"]) == ("sent", body["lines"])
    assert (closed.status_code, closed.data["code"]) == (403, "contact.forbidden")
    assert accepted.data["status"] == "accepted"
    assert set(opened.data) == {"name", "job_title", "phone", "email", "wechat"}
    assert opened.data["phone"] == place.contact.phone


def test_interest_answers_questions_and_the_buyer_asks_back(place):
    contact = ContactFactory(enterprise=place.supplying)
    place.published.questions.create(order=1, text="Who tests it?")
    supplier, buyer = as_role(place, "supplier"), as_role(place, "editor")
    body = {
        "requirement": place.published.public_id,
        "enterprise": place.supplying.public_id,
        "lines": [place.published.lines.first().public_id],
        "contact": contact.public_id,
        "answers": {"q1": "We do."},
    }

    asked = supplier.get(
        f"{API}requirements/{place.published.public_id}/asked/",
        {"enterprise": place.supplying.public_id},
    )
    assert asked.data[0] == {"key": "q1", "question": "Who tests it?", "is_open_point": False}
    sent = supplier.post(f"{API}interests/", body, format="json")
    assert sent.data["answers"] == [{"key": "q1", "question": "Who tests it?", "answer": "We do."}]
    at = f"{API}interests/{sent.data['public_id']}/"
    unasked = supplier.post(f"{at}reply/", {"text": "More."}, format="json")
    assert (unasked.status_code, unasked.data["code"]) == (409, "interest.not_asked")
    assert buyer.post(f"{at}ask/", {"text": "By May?"}, format="json").status_code == 200
    replied = supplier.post(f"{at}reply/", {"text": "Yes."}, format="json")
    assert [(one["side"], one["text"]) for one in replied.data["thread"]] == [
        ("buyer", "By May?"),
        ("supplier", "Yes."),
    ]
    no = {"answer": "decline", "reason": "price", "note": "Too dear."}
    declined = buyer.post(f"{at}answer/", no, format="json")
    assert (declined.data["decline_reason"], declined.data["decline_note"]) == (
        "price",
        "Too dear.",
    )


def test_interest_in_a_line_of_another_requirement_is_refused(place):
    other = RequirementFactory(lines=["Q"]).lines.get()
    body = {
        "requirement": place.published.public_id,
        "enterprise": place.supplying.public_id,
        "lines": [other.public_id],
        "contact": place.supplier_contact.public_id,
    }

    answer = as_role(place, "supplier").post(f"{API}interests/", body, format="json")

    assert (answer.status_code, answer.data["errors"]) == (
        422, {"lines": ["There is no such line in this requirement."]},
    )  # fmt: skip


def test_registration_beyond_capacity_waits_at_its_computed_place(place):
    client = as_role(place, "stranger")
    body = {"event": place.event.public_id, "enterprise": place.foreign.public_id, "seats": 1}

    made = client.post(f"{API}registrations/", {**body, "purposes": ["buy"]}, format="json")
    assert made.status_code == 201, made.data
    again = client.post(f"{API}registrations/", body, format="json")
    gone = client.post(f"{API}registrations/{made.data['public_id']}/cancel/")

    assert (made.data["status"], made.data["rank"], made.data["purposes"]) == (
        "waitlisted",
        2,
        ["buy"],
    )
    assert again.data["public_id"] == made.data["public_id"]
    assert (gone.data["status"], gone.data["rank"]) == ("cancelled", None)
    assert Registration.objects.filter(event=place.event, enterprise=place.foreign).count() == 1


def test_ranks_of_several_events_are_each_counted_in_their_own_queue(place):
    other = EventFactory(seats=1, waiting_rule=Event.WaitingRule.DRAW)
    first = RegistrationFactory(event=other, status="waitlisted", enterprise=place.foreign)
    place.waiting.refresh_from_db()
    mine = RegistrationFactory(event=place.event, status="waitlisted", enterprise=place.foreign)

    rows = as_role(place, "stranger").get(f"{API}registrations/").data["results"]

    assert {row["public_id"]: row["rank"] for row in rows} == {
        first.public_id: 1,
        mine.public_id: 2,
    }


def test_run_is_started_followed_and_cancelled(place):
    client = as_role(place, "organiser")

    made = client.post(
        f"{API}runs/",
        {"scope": "requirement", "public_id": place.published.public_id},
        format="json",
    )
    assert made.status_code == 202, made.data
    seen = client.get(f"{API}runs/{made.data['public_id']}/")
    gone = client.post(f"{API}runs/{made.data['public_id']}/cancel/")

    assert (seen.data["status"], seen.data["lines_total"], seen.data["lines_done"]) == (
        "queued",
        1,
        0,
    )
    assert gone.data["status"] == "cancelled"
    assert (
        MatchRun.objects.get(public_id=made.data["public_id"]).asked_by == place.people["organiser"]
    )


def test_profile_is_changed_by_editors_and_no_further_than_the_profile(place):
    address = f"{API}enterprises/{place.buyer.public_id}/"

    answer = as_role(place, "editor").patch(
        address, {"summary": "We make modules.", "status": "merged", "number": "1"}, format="json"
    )

    place.buyer.refresh_from_db()
    assert answer.data["summary"] == place.buyer.summary == "We make modules."
    assert place.buyer.status == "verified"


# --- Filters --------------------------------------------------------------------------------------------


def test_requirements_are_found_by_region_words_and_state(place):
    def found(**query):
        rows = APIClient().get(f"{API}requirements/", query).data["results"]
        return [row["public_id"] for row in rows]

    assert found(region="330400") == found(q="接线盒") == found() == [place.published.public_id]
    assert found(region="440300") == found(q="不存在的词语") == []
    assert APIClient().get(f"{API}requirements/", {"status": "nonsense"}).status_code == 422


def test_categories_are_found_by_words_of_either_language_and_pinyin_best_first():
    box = Category.objects.get(name_zh="光伏接线盒")

    def found(**query):
        rows = APIClient().get(f"{API}categories/", query).data["results"]
        return [row["code"] for row in rows]

    for query in ("光伏接线盒", box.name_en, "guangfu jiexianhe"):
        assert found(q=query)[0] == box.code, query
    assert found(q="光伏接线盒", level=1) == found(q="不存在的词语") == []
    Category.objects.filter(pk=box.pk).update(is_active=False)
    assert box.code not in found(q="光伏接线盒")


def test_categories_are_suggested_for_a_text_with_the_reason_and_the_doubt(place):
    client = as_role(place, "stranger")
    box = Category.objects.get(name_zh="光伏接线盒")
    other = Category.objects.filter(level=3, is_active=True).order_by("code").last()

    def suggested(**body):
        return client.post(f"{API}categories/suggest/", body, format="json")

    told = suggested(text="采购光伏接线盒" + "，详见附件" * 2000, chosen=[other.code]).data
    assert told["suggestions"][0]["category"]["code"] == box.code
    assert told["suggestions"][0]["term"] in (box.name_zh, *box.synonyms_zh)
    assert len(told["suggestions"]) <= 5
    assert (told["is_doubtful"], told["reads_like"]) == (False, box.code)
    assert suggested(text="采购光伏接线盒", chosen=[box.code]).data["reads_like"] is None
    nothing = {"suggestions": [], "is_doubtful": False, "reads_like": None}
    assert suggested(text=" x ").data == nothing
    assert list(suggested(chosen=[]).data["errors"]) == ["text"]
    assert APIClient().post(f"{API}categories/suggest/", {"text": "x"}).status_code == 401


@pytest.mark.parametrize(
    ("noun", "name"),
    [
        ("requirements", "region"), ("requirements", "chain"), ("requirements", "docking_kind"),
        ("enterprises", "region"), ("enterprises", "kind"), ("enterprises", "segment"),
        ("capabilities", "category"), ("events", "level"), ("events", "chain"), ("events", "cluster"),
        ("segments", "chain"), ("categories", "parent"), ("regions", "parent"),
    ],
)  # fmt: skip
def test_filter_by_a_code_that_is_not_known_is_named_and_not_answered_with_nothing(noun, name):
    answer = APIClient().get(f"{API}{noun}/", {name: "nope"})

    assert (answer.status_code, list(answer.data["errors"])) == (422, [name])


def test_page_is_at_most_two_hundred_rows():
    answer = APIClient().get(f"{API}regions/", {"limit": 100000})

    assert len(answer.data["results"]) == 200
    assert answer.data["count"] > 3000


# --- Programmes and series ------------------------------------------------------------------------------


def test_body_keeps_its_programme_series_targets_and_events(place):
    client = as_role(place, "organiser")
    names = {"owner": place.host.public_id, "name_zh": "百场万企", "name_en": "Hundred Fields"}

    programme = client.post(f"{API}programmes/", names, format="json").data["public_id"]
    renamed = client.patch(f"{API}programmes/{programme}/", {"name_en": "New"}, format="json")
    year = {"programme": programme, "year": 2031}
    row = client.post(f"{API}series/", year, format="json")
    again = client.post(f"{API}series/", year, format="json")
    address = f"{API}series/{row.data['public_id']}/"
    wanted = [{"measure": "events", "level": "county", "value": 4}]
    aimed = client.post(f"{address}targets/", {"targets": wanted}, format="json")
    event = {"event": place.event.public_id}
    put = client.post(f"{address}add/", event, format="json")
    taken = client.post(f"{address}remove/", event, format="json")

    assert (renamed.data["name_zh"], renamed.data["name_en"]) == ("百场万企", "New")
    assert (row.status_code, row.data["held"], row.data["target"]) == (201, 0, None)
    assert (again.status_code, again.data["code"]) == (409, "series.exists")
    assert (aimed.data["target"], aimed.data["targets"]) == (4, [{**wanted[0], "region": None}])
    assert [put.data["planned"], taken.data["planned"]] == [1, 0]


def test_figures_of_a_series_are_those_of_its_page(place):
    event = EventFactory(held=True, series=[place.series], region=place.event.region)
    RegistrationFactory(event=event, seats_asked=2)
    RegistrationFactory(event=event, enterprise=EnterpriseFactory(kind_id="university"))

    said = APIClient().get(f"{API}series/{place.series.public_id}/figures/").data

    counts = {"enterprises": 1, "visits": 1, "bodies": 1, "persons": 3}
    assert (said["held"], said["planned"], said["target"]) == (1, 1, None)
    assert said["participants"] == counts
    assert said["levels"] == [{"level": "county", "held": 1, "planned": 1, "target": None}]
    assert [dict(row) for row in said["provinces"]] == [
        {**counts, "province": "330000", "country": ""}
    ]
    assert [dict(row) for row in said["groups"]] == [{**counts, "group": "YRD"}]
    assert event.region.code not in said["counties_without"]
    assert len(said["counties_without"]) == said["counties"] - 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The body is no JSON from line 2, sign 1 on."),
        ("zh-hans", "请求内容从第 2 行第 1 个字符起不是 JSON。"),
    ],
)
def test_what_is_no_json_is_told_where(client, language, said):
    client.force_login(MembershipFactory().user)

    answer = client.post(
        "/api/v1/requirements/",
        '{"title":\n?}',
        content_type="application/json",
        headers={"accept-language": language},
    )

    assert (answer.status_code, answer.json()["detail"]) == (400, said)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "in the header X-CSRFToken."), ("zh-hans", "请求头 X-CSRFToken")]
)
def test_request_of_a_session_without_its_token_is_told_so(language, said):
    client = Client(enforce_csrf_checks=True)
    client.force_login(MembershipFactory().user)

    answer = client.post("/api/v1/requirements/", {}, headers={"accept-language": language})

    assert answer.status_code == 403
    assert said in answer.json()["detail"]
