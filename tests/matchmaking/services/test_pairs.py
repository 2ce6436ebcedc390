from __future__ import annotations

import pytest

from chains.errors import DomainError
from chains.models import RequirementLine
from matchmaking import market
from matchmaking.models import Match
from matchmaking.services import pairs
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
)
from tests.factories.matchmaking import supplier
from tests.matchmaking.services.test_runs import ASKED, BOX, rescore
from tests.matchmaking.services.test_scoring import group, keep_only

pytestmark = pytest.mark.django_db


def test_pair_on_request_has_the_numbers_of_a_run(monkeypatch):
    keep_only(1, monkeypatch)
    supplier(BOX)
    second = supplier("接线盒 600 V")
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    line = requirement.lines.get()

    single = pairs.compute_pair(line=line, supplier=second, by=None)

    assert (single.status, single.score.run) == ("ended", None)
    keep_only(50, monkeypatch)
    rescore(requirement)
    of_run = Match.objects.get(supplier=second)
    assert of_run.pk == single.pk
    assert of_run.status == "proposed"
    same = ("tenths", "misses_must", "parts", "reasons", "outcomes", "basis", "capability_id")
    assert [getattr(of_run.score, name) for name in same] == [
        getattr(single.score, name) for name in same
    ]
    assert pairs.compute_pair(line=line, supplier=second, by=None).score == of_run.score


def test_pair_is_refused_with_the_reason():
    buyer = EnterpriseFactory(group=group())
    line = RequirementLineFactory(requirement=RequirementFactory(enterprise=buyer))
    cases = {
        "match.same_house": supplier(BOX, group=buyer.group),
        "match.not_verified": supplier(BOX, pending=True),
        "match.other_kind": EnterpriseFactory(kind_id="university", summary="接线盒"),
        "match.nothing_offered": EnterpriseFactory(),
    }

    codes = []
    for enterprise in cases.values():
        with pytest.raises(DomainError) as refusal:
            pairs.compute_pair(line=line, supplier=enterprise, by=None)
        codes.append(refusal.value.code)

    assert codes == list(cases)
    assert not Match.objects.exists()


def test_maker_is_not_compared_with_who_looks_for_customers():
    maker = supplier(BOX, summary="我们生产光伏接线盒")
    wanted = RequirementFactory(seeks="customer", lines=["我们供应三分体接线盒，寻找组件客户"])

    with pytest.raises(DomainError, match="compared with what others buy") as refusal:
        pairs.compute_pair(line=wanted.lines.get(), supplier=maker, by=None)

    assert refusal.value.code == "match.nothing_offered"
    RequirementFactory(enterprise=maker, lines=["需要三分体接线盒 1500 V"])
    market.forget()
    assert pairs.compute_pair(line=wanted.lines.get(), supplier=maker, by=None).supplier == maker


def test_pair_is_shown_to_the_desk_and_to_the_supplier_itself():
    maker = supplier(BOX)
    line = RequirementLineFactory(requirement=RequirementFactory(), text=ASKED)
    desk, own = OrganiserRoleFactory().user, MembershipFactory(enterprise=maker).user

    for user in (desk, own):
        assert pairs.compute_pair(line=line, supplier=maker, by=user).supplier == maker
    with pytest.raises(DomainError) as refusal:
        pairs.compute_pair(line=line, supplier=maker, by=MembershipFactory().user)
    assert refusal.value.is_refusal


def test_matches_end_with_their_line():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED, ASKED])
    rescore(requirement)
    line = requirement.lines.get(number=1)

    assert pairs.end_matches_of_line(line=line) == 1
    assert pairs.end_matches_of_line(line=line) == 0

    assert dict(Match.objects.values_list("line", "status")) == {
        line.pk: "ended",
        requirement.lines.get(number=2).pk: "proposed",
    }
    assert RequirementLine.objects.get(pk=line.pk).status == "open"
