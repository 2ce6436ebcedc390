"""Calibration for programs: what the page shows and does, by the same rights and with the same refusals."""

from __future__ import annotations

import pytest

from chains.models import AuditEntry, TokenLimit
from matchmaking.models import MatchRun, Weighting
from matchmaking.services import calibration
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import draft_weighting, reviewed_market, weighting_1
from tests.matchmaking.api.test_api import API, client_of

pytestmark = pytest.mark.django_db
WEIGHTINGS = f"{API}weightings/"


@pytest.fixture
def zhejiang():
    return region("330000")


@pytest.fixture
def desk(zhejiang):
    body = EnterpriseFactory(name="示例省经信厅", region=zhejiang)
    return OrganiserRoleFactory(region=zhejiang, body=body).user


def act(user, weighting, verb, **said):
    body = {"reason": "near ones first", "instead_of": weighting_1().public_id, **said}
    return client_of(user).post(f"{WEIGHTINGS}{weighting.public_id}/{verb}/", body, format="json")


# --- Reading --------------------------------------------------------------------------------------------


def test_weighting_in_force_is_read_with_what_the_decisions_say(desk, zhejiang):
    reviewed_market()
    known = calibration.decided(zhejiang)

    told = client_of(desk).get(f"{WEIGHTINGS}calibration/").data

    assert set(told) == {
        "province", "in_force", "counts", "least", "kinds", "reliability", "may_weigh",
    }  # fmt: skip
    assert (told["province"], told["in_force"]["version"], told["may_weigh"]) == ("330000", 1, True)
    assert told["in_force"]["parts"] == {"text": 45, "category": 25, "conditions": 20, "locality": 10}  # fmt: skip
    assert (told["counts"]["decisions"], told["counts"]["enough"]) == (256, True)
    assert told["least"] == {"decisions": 200, "requirements": 30, "verdict": 40}
    assert told["kinds"] == known.kinds
    assert told["reliability"] == calibration.reliability(known, weighting_1())
    assert sum(band["pairs"] for band in told["reliability"]["bands"]) == 256


def test_history_says_who_did_what_and_why_and_names_the_person_to_its_own_office(desk, zhejiang):
    draft = draft_weighting(zhejiang, text=40, locality=15)
    calibration.activate(weighting=draft, reason="near ones", by=desk)
    city = OrganiserRoleFactory().user

    own, others = (client_of(user).get(WEIGHTINGS).data["results"] for user in (desk, city))

    assert [row["version"] for row in own] == [2, 1]
    (said,) = own[0]["trail"]
    assert (said["action"], said["reason"]) == ("weighting.activated", "near ones")
    assert (said["body"]["name"], said["person"]) == ("示例省经信厅", desk.email)
    assert [one["person"] for one in others[0]["trail"]] == [""]
    assert own[1]["trail"] == []


def test_history_is_narrowed_to_a_scope_and_an_unknown_one_is_named(desk, zhejiang):
    draft_weighting(zhejiang)
    draft_weighting(region("440000"), version=5)
    everything = client_of(AdministratorFactory())

    found = everything.get(WEIGHTINGS, {"province": "330000"}).data["results"]
    wrong = everything.get(WEIGHTINGS, {"province": "nowhere"})

    assert [row["version"] for row in found] == [2, 1]
    assert (wrong.status_code, list(wrong.data["errors"])) == (422, ["province"])


def test_report_of_a_draft_is_read_where_it_was_learned_and_shared_ones_keep_theirs(desk, zhejiang):
    reviewed_market()
    own = calibration.learn(province=zhejiang, by=desk)
    shared = calibration.learn(province=None, by=None)
    Weighting.objects.filter(pk=shared.pk).update(status="retired")

    client = client_of(desk)

    mine = client.get(f"{WEIGHTINGS}{own.public_id}/report/")
    theirs = client.get(f"{WEIGHTINGS}{shared.public_id}/report/")
    shipped = client_of(AdministratorFactory()).get(
        f"{WEIGHTINGS}{weighting_1().public_id}/report/"
    )

    assert mine.data == {"report": own.report}
    assert client.get(f"{WEIGHTINGS}{own.public_id}/").data["based_on"] == weighting_1().public_id
    assert theirs.status_code == 403
    assert shipped.data == {"report": None}


def test_other_province_is_not_there(desk):
    theirs = draft_weighting(region("440000"))

    asked = client_of(desk).get(f"{WEIGHTINGS}calibration/", {"province": "440000"})

    assert (asked.status_code, list(asked.data["errors"])) == (422, ["province"])
    assert client_of(desk).get(f"{WEIGHTINGS}{theirs.public_id}/").status_code == 404
    assert act(desk, theirs, "activate").status_code == 404
    theirs.refresh_from_db()
    assert theirs.status == "draft"


@pytest.mark.parametrize("who", [UserFactory, lambda: MembershipFactory().user])
def test_who_works_at_no_desk_reads_no_calibration(who):
    draft = draft_weighting(region("330000"))
    client = client_of(who())

    asked = client.get(f"{WEIGHTINGS}calibration/")
    learned = client.post(f"{WEIGHTINGS}learn/", {}, format="json")

    assert (asked.status_code, asked.data["code"]) == (403, "weighting.forbidden")
    assert (learned.status_code, learned.data["code"]) == (403, "weighting.forbidden")
    assert client.get(WEIGHTINGS).data["results"] == []
    assert client.get(f"{WEIGHTINGS}{draft.public_id}/").status_code == 404


def test_key_made_for_other_nouns_does_not_reach_it(desk):
    client = client_of(desk)
    TokenLimit.objects.create(token_id=desk.auth_token.key, may_write=True, nouns=["events"])

    assert client.get(WEIGHTINGS).status_code == 403


# --- Learning and what if -------------------------------------------------------------------------------


def test_too_few_decisions_are_refused_with_their_numbers(desk):
    reviewed_market(requirements=3)

    refused = client_of(desk).post(f"{WEIGHTINGS}learn/", {}, format="json")

    assert (refused.status_code, refused.data["code"]) == (409, "calibration.too_few")
    assert "24" in refused.data["detail"]


def test_city_organiser_and_analyst_read_what_they_may_not_change(zhejiang):
    reviewed_market()
    draft = draft_weighting(zhejiang, text=40, locality=15)
    for user in (OrganiserRoleFactory().user, OrganiserRoleFactory(role="analyst").user):
        client = client_of(user)

        assert client.get(f"{WEIGHTINGS}calibration/").data["may_weigh"] is False
        assert client.get(f"{WEIGHTINGS}{draft.public_id}/preview/").status_code == 200
        assert client.post(f"{WEIGHTINGS}learn/", {}, format="json").status_code == 403
        assert act(user, draft, "activate").status_code == 403
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_draft_is_learned_and_looked_at_before_anything_changes(desk, zhejiang):
    lines = reviewed_market()
    client = client_of(desk)

    learned = client.post(f"{WEIGHTINGS}learn/", {"province": "330000"}, format="json")
    draft = Weighting.objects.get(public_id=learned.data["public_id"])
    told = client.get(f"{WEIGHTINGS}{draft.public_id}/preview/").data
    again = client.post(f"{WEIGHTINGS}learn/", {}, format="json")

    assert (learned.status_code, learned.data["status"]) == (201, "draft")
    assert draft.report["counts"]["decisions"] == 256
    assert learned.data["trail"][0]["action"] == "weighting.drafted"
    assert (told["lines"], told["lines_open"]) == (len(lines), len(lines))
    assert told["movers"]
    assert set(told["movers"][0]) == {
        "match", "line", "requirement", "supplier", "place_old", "place_new", "tenths_old",
        "tenths_new",
    }  # fmt: skip
    assert (again.status_code, again.data["code"]) == (409, "calibration.drafted")
    assert not MatchRun.objects.exists()


# --- In force -------------------------------------------------------------------------------------------


def test_draft_is_put_in_force_with_a_reason_and_rolled_back(desk, zhejiang):
    draft = draft_weighting(zhejiang, text=40, locality=15)

    done = act(desk, draft, "activate")
    back = act(desk, weighting_1(), "roll-back", instead_of=draft.public_id, reason="too near")

    assert (done.status_code, done.data["status"]) == (200, "active")
    assert done.data["trail"][0]["reason"] == "near ones first"
    assert back.status_code == 200
    draft.refresh_from_db()
    assert draft.status == "retired"
    assert MatchRun.objects.filter(scope="all").exists()
    entries = AuditEntry.objects.filter(action__in=calibration.TRAIL).order_by("pk")
    assert [(one.actor, one.data["reason"]) for one in entries] == [
        (desk.pk, "near ones first"),
        (desk.pk, "too near"),
    ]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"instead_of": "aaaaaaaaaaaa"}, "instead_of"),
    ],
)
def test_act_without_a_reason_or_a_version_that_was_looked_at_names_the_field(
    desk, zhejiang, said, field
):
    draft = draft_weighting(zhejiang, text=40, locality=15)

    refused = act(desk, draft, "activate", **said)

    assert (refused.status_code, list(refused.data["errors"])) == (422, [field])
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_act_on_what_has_changed_meanwhile_is_refused_with_a_sentence(desk, zhejiang):
    first, second = draft_weighting(zhejiang), draft_weighting(zhejiang, version=3)
    calibration.activate(weighting=first, reason="first", by=desk)

    stale = act(desk, second, "activate")
    again = act(desk, first, "activate", instead_of=first.public_id)
    never = act(desk, second, "roll-back", instead_of=first.public_id)

    assert (stale.status_code, stale.data["code"]) == (409, "weighting.changed")
    assert (again.status_code, again.data["code"]) == (409, "weighting.not_draft")
    assert (never.status_code, never.data["code"]) == (409, "weighting.not_retired")


def test_administrator_decides_on_the_shared_weighting(desk):
    shared = draft_weighting(None, text=40, locality=15)

    assert act(desk, shared, "activate").status_code == 404
    assert act(AdministratorFactory(), shared, "activate").data["status"] == "active"
