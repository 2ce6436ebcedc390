from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from chains.errors import DomainError
from chains.models import AuditEntry, Capability, Change, Qualification, QualificationKind
from matchmaking.engine.calibration import Counts
from matchmaking.models import Decision, Match, MatchRun, Score, Weighting
from matchmaking.services import calibration, findings, runs
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import (
    MatchFactory,
    draft_weighting,
    reviewed_market,
    weighting_1,
)

pytestmark = pytest.mark.django_db
NOTE = "Reviewers ask for near suppliers."


@pytest.fixture
def zhejiang():
    return region("330000")


@pytest.fixture
def province_desk(zhejiang):
    return OrganiserRoleFactory(region=zhejiang, body__region=zhejiang).user


def rows_of_everything():
    """What would differ if anything had changed but the drafts."""
    return (
        list(Match.objects.order_by("pk").values()),
        Score.objects.count(),
        MatchRun.objects.count(),
        list(Weighting.objects.exclude(status="draft").order_by("pk").values()),
    )


# --- Reading --------------------------------------------------------------------------------------------


def decide(verdict, reason="", **fields):
    match = MatchFactory(**fields)
    Decision.objects.create(
        match=match, verdict=verdict, reason=reason, note="a note", score=match.score, by=UserFactory()
    )  # fmt: skip
    return match


@pytest.mark.parametrize(
    ("verdict", "reason", "relevant", "blamed"),
    [
        ("approved", "", True, ()),
        ("rejected", "wrong_product", False, ("text", "category")),
        ("rejected", "certificate", False, ("conditions",)),
        ("rejected", "too_far", False, ("locality",)),
        # The supplier's own matter: the pair may be right all the same.
        ("rejected", "capacity", None, ()),
        ("rejected", "delivery", None, ()),
        ("rejected", "other", None, ()),
        ("deferred", "", None, ()),
    ],
)
def test_verdict_teaches_what_its_reason_says(verdict, reason, relevant, blamed):
    decide(verdict, reason)

    known = calibration.decided(None)

    (pair,) = known.evidence.pairs
    assert (pair.relevant, pair.blamed) == (relevant, blamed)
    assert known.counts.decisions == (relevant is not None)
    assert known.kinds == {f"{verdict}.{reason}" if verdict == "rejected" else verdict: 1}


def test_only_the_newest_decision_counts_and_an_undone_one_not_at_all():
    changed = decide("rejected", "too_far")
    Decision.objects.create(match=changed, verdict="approved", score=changed.score, by=UserFactory())  # fmt: skip
    undone = decide("approved")
    Decision.objects.create(match=undone, verdict="undone", score=undone.score, by=UserFactory())

    (pair,) = calibration.decided(None).evidence.pairs

    assert (pair.line, pair.relevant) == (changed.line_id, True)


def test_stale_decision_is_read_with_the_score_it_was_made_on():
    fresh, stale = decide("approved", tenths=400), decide("approved", tenths=400)
    for match in (fresh, stale):
        match.score = MatchFactory(tenths=800).score
        match.is_stale = match is stale
        match.save()

    text = {p.line: p.tenths[0] for p in calibration.decided(None).evidence.pairs}

    assert text == {fresh.line_id: 360, stale.line_id: 180}


def test_province_reads_its_own_buyers_and_lists_add_the_undecided(zhejiang):
    here = decide("approved")
    decide("approved", line__requirement__enterprise__region=region("440305"))
    rival = MatchFactory(line=here.line)
    MatchFactory(line=here.line, status="ended")

    alone = calibration.decided(zhejiang).evidence.pairs
    listed = calibration.decided(zhejiang, lists=True).evidence.pairs

    assert [p.offer for p in alone] == [here.supplier_id]
    assert [(p.offer, p.relevant) for p in listed] == [
        (here.supplier_id, True),
        (rival.supplier_id, None),
    ]
    assert len(calibration.decided(None).evidence.pairs) == 2


def test_supplier_size_is_what_the_register_knows():
    match = decide("approved")
    for code, status in (("above_scale", "verified"), ("medium", "verified"), ("large", "claimed")):
        Qualification.objects.create(
            enterprise=match.supplier, kind=QualificationKind.objects.get(code=code), status=status,
            valid_from="2025-01-01",
        )  # fmt: skip
    CapabilityFactory.create_batch(4, enterprise=match.supplier)
    other = decide("approved")
    CapabilityFactory(enterprise=other.supplier)
    Capability.objects.filter(enterprise=other.supplier).update(status="draft")

    pairs = {p.offer: p for p in calibration.decided(None).evidence.pairs}

    assert (pairs[match.supplier_id].size, pairs[match.supplier_id].presence) == ("medium", "4")
    assert (pairs[other.supplier_id].size, pairs[other.supplier_id].presence) == ("", "1")
    assert pairs[match.supplier_id].languages == "zh-zh"


# --- Learning -------------------------------------------------------------------------------------------


def test_learn_drafts_the_next_version_with_its_report_and_changes_nothing(zhejiang, province_desk):
    reviewed_market()
    before = rows_of_everything()

    draft = calibration.learn(province=zhejiang, by=province_desk)

    draft.refresh_from_db()
    assert (draft.status, draft.version, draft.province) == ("draft", 2, zhejiang)
    assert draft.based_on == weighting_1()
    assert draft.weights["version"] == 2
    assert [draft.weights[n] for n in ("text", "category", "conditions", "locality")] == draft.report["weights"]["new"]  # fmt: skip
    assert draft.weights["locality"] > 10
    assert draft.report["counts"]["decisions"] == 256
    assert draft.report["measures"]["precision"]["lines"] > 20
    assert draft.report["verdict"] == "better"
    assert runs.weighting_of(zhejiang) == weighting_1()
    assert rows_of_everything() == before
    entry = AuditEntry.objects.get(action="weighting.drafted")
    body = province_desk.organiser_roles[0].body
    assert (entry.actor, entry.data["body"], entry.data["decisions"]) == (
        province_desk.pk,
        body.public_id,
        256,
    )
    assert Change.objects.filter(
        noun="weighting", target=draft.public_id, verb="drafted"
    ).count() == 1  # fmt: skip


def test_learn_refuses_too_few_and_says_how_many_there_are(zhejiang, province_desk):
    reviewed_market(requirements=3)

    with pytest.raises(DomainError) as refusal:
        calibration.learn(province=zhejiang, by=province_desk)

    assert refusal.value.code == "calibration.too_few"
    assert str(refusal.value).startswith("Too few decisions to learn from: 24 on 3 requirements, ")
    assert "Needed are 200 on 30 requirements, at least 40 of either verdict." in str(refusal.value)
    assert calibration.decided(zhejiang).counts == Counts(24, 3, *_verdicts())
    assert not Weighting.objects.filter(status="draft").exists()


def _verdicts():
    return (
        Decision.objects.filter(verdict="approved").count(),
        Decision.objects.filter(verdict="rejected").count(),
    )


def test_rejections_for_the_suppliers_own_matter_teach_nothing(zhejiang, province_desk):
    reviewed_market(reason="delivery")

    with pytest.raises(DomainError) as refusal:
        calibration.learn(province=zhejiang, by=province_desk)

    assert refusal.value.code == "calibration.too_few"
    assert " and 0 rejected for the match itself." in str(refusal.value)


def test_learning_twice_from_the_same_decisions_makes_no_second_draft(zhejiang, province_desk):
    reviewed_market()
    calibration.learn(province=zhejiang, by=province_desk)

    with pytest.raises(DomainError) as refusal:
        calibration.learn(province=zhejiang, by=province_desk)

    assert refusal.value.code == "calibration.drafted"
    assert Weighting.objects.filter(status="draft").count() == 1


# --- Rights ---------------------------------------------------------------------------------------------


def people(zhejiang):
    desk = {"region": zhejiang, "body__region": zhejiang}
    far = region("440000")
    return {
        "stranger": UserFactory(),
        "owner": MembershipFactory().user,
        "city": OrganiserRoleFactory().user,
        "analyst": OrganiserRoleFactory(role="analyst", **desk).user,
        "elsewhere": OrganiserRoleFactory(region=far, body__region=far).user,
        "province": OrganiserRoleFactory(**desk).user,
        "country": OrganiserRoleFactory(region=region("000000")).user,
        "administrator": AdministratorFactory(),
        "system": None,
    }


@pytest.mark.parametrize("scope", ["province", "shared"])
def test_who_may_learn_activate_and_roll_back(zhejiang, scope):
    province = zhejiang if scope == "province" else None
    may = {"administrator", "system"} | ({"province", "country"} if province else set())
    draft = draft_weighting(province)
    retired = draft_weighting(province, version=3)
    Weighting.objects.filter(pk=retired.pk).update(status="retired")
    done = {verb: set() for verb in ("learn", "activate", "roll_back")}

    for name, user in people(zhejiang).items():
        for verb, act in (
            ("learn", lambda by: calibration.learn(province=province, by=by)),
            ("activate", lambda by: calibration.activate(weighting=draft, reason=NOTE, by=by)),
            ("roll_back", lambda by: calibration.roll_back(to=retired, reason=NOTE, by=by)),
        ):
            point = transaction.savepoint()
            try:
                act(user)
            except DomainError as refusal:
                if not refusal.is_refusal:  # too few to learn from: the right was there
                    done[verb].add(name)
            else:
                done[verb].add(name)
            transaction.savepoint_rollback(point)

    assert done == dict.fromkeys(done, may)


def test_who_may_look_what_would_change(zhejiang):
    draft = draft_weighting(zhejiang)
    may = set()

    for name, user in people(zhejiang).items():
        try:
            calibration.preview(weighting=draft, by=user)
        except DomainError:
            continue
        may.add(name)

    assert may == {"city", "analyst", "province", "country", "administrator", "system"}


# --- In force -------------------------------------------------------------------------------------------


def test_activate_puts_the_draft_in_force_by_name_and_scores_everything(
    zhejiang, province_desk, silent_doorbell, django_capture_on_commit_callbacks
):
    line = MatchFactory().line
    draft = draft_weighting(zhejiang, text=30, locality=25)

    with django_capture_on_commit_callbacks(execute=True):
        calibration.activate(weighting=draft, reason=f" {NOTE} ", by=province_desk)

    draft.refresh_from_db()
    assert draft.status == "active"
    assert draft.activated_at is not None
    assert runs.weighting_of(zhejiang) == draft
    assert runs.weighting_of(region("440000")) == weighting_1()
    run = MatchRun.objects.get()
    assert (run.scope, run.status, run.lines_total, run.weighting) == ("all", "queued", 1, weighting_1())  # fmt: skip
    assert ("matchmaking.tasks.score_shard", (run.shards.get().pk,)) in silent_doorbell
    assert findings._Weightings(run).of(line.requirement.enterprise.province_id) == draft
    entry = AuditEntry.objects.get(action="weighting.activated")
    assert (entry.actor, entry.data["reason"], entry.data["before"]) == (province_desk.pk, NOTE, 1)
    assert Change.objects.filter(noun="weighting", verb="activated").count() == 1


def test_activate_retires_the_one_before(zhejiang, province_desk):
    first, second = draft_weighting(zhejiang), draft_weighting(zhejiang, version=3)
    calibration.activate(weighting=first, reason=NOTE, by=province_desk)

    calibration.activate(weighting=second, reason=NOTE, by=province_desk)

    states = dict(Weighting.objects.filter(province=zhejiang).values_list("version", "status"))
    assert states == {2: "retired", 3: "active"}


def test_activate_needs_a_reason_and_a_draft(zhejiang, province_desk):
    draft = draft_weighting(zhejiang)

    with pytest.raises(DomainError) as without:
        calibration.activate(weighting=draft, reason="  ", by=province_desk)
    calibration.activate(weighting=draft, reason=NOTE, by=province_desk)
    with pytest.raises(DomainError) as again:
        calibration.activate(weighting=draft, reason=NOTE, by=province_desk)

    assert without.value.code == "weighting.reason_missing"
    assert str(again.value) == "Only a draft is activated. Version 2 is: Active."
    assert AuditEntry.objects.filter(action="weighting.activated").count() == 1


def test_who_looked_at_another_version_is_told(zhejiang, province_desk):
    seen = runs.weighting_of(zhejiang)
    first, second = draft_weighting(zhejiang), draft_weighting(zhejiang, version=3)
    calibration.activate(weighting=first, reason=NOTE, by=province_desk, instead_of=seen)

    with pytest.raises(DomainError) as refusal:
        calibration.activate(weighting=second, reason=NOTE, by=province_desk, instead_of=seen)

    assert refusal.value.code == "weighting.changed"
    assert runs.weighting_of(zhejiang) == first


def test_roll_back_puts_an_earlier_version_in_force_again(zhejiang, province_desk):
    first, second = draft_weighting(zhejiang), draft_weighting(zhejiang, version=3)
    for draft in (first, second):
        calibration.activate(weighting=draft, reason=NOTE, by=province_desk)

    calibration.roll_back(to=first, reason="Too many far ones fell out.", by=province_desk)

    assert runs.weighting_of(zhejiang) == first
    states = dict(Weighting.objects.filter(province=zhejiang).values_list("version", "status"))
    assert states == {2: "active", 3: "retired"}
    entry = AuditEntry.objects.get(action="weighting.rolled_back")
    assert (entry.actor, entry.data["version"], entry.data["before"]) == (province_desk.pk, 2, 3)
    assert Change.objects.filter(noun="weighting", verb="rolled_back").count() == 1
    assert MatchRun.objects.count() == 3


def test_roll_back_to_the_shared_version_gives_up_the_own_one(zhejiang, province_desk):
    own = draft_weighting(zhejiang)
    calibration.activate(weighting=own, reason=NOTE, by=province_desk)

    calibration.roll_back(to=weighting_1(), province=zhejiang, reason=NOTE, by=province_desk)

    own.refresh_from_db()
    assert (own.status, weighting_1().status) == ("retired", "active")
    assert runs.weighting_of(zhejiang) == weighting_1()
    with pytest.raises(DomainError) as again:
        calibration.roll_back(to=weighting_1(), province=zhejiang, reason=NOTE, by=province_desk)
    assert again.value.code == "weighting.not_retired"


def test_roll_back_to_a_draft_is_refused(zhejiang, province_desk):
    with pytest.raises(DomainError) as refusal:
        calibration.roll_back(to=draft_weighting(zhejiang), reason=NOTE, by=province_desk)

    assert refusal.value.code == "weighting.not_retired"


# --- What if --------------------------------------------------------------------------------------------


def test_preview_counts_lists_names_movers_to_reviewers_and_writes_nothing(zhejiang, province_desk):
    lines = reviewed_market(requirements=4)
    draft = draft_weighting(zhejiang, text=15, locality=40)
    before = rows_of_everything()

    found = calibration.preview(weighting=draft, by=province_desk)
    figures = calibration.preview(weighting=draft, by=AdministratorFactory())
    same = calibration.preview(weighting=draft_weighting(zhejiang, version=3), by=province_desk)

    assert (found.lines, found.lines_open) == (4, 4)
    assert found.changed + found.reordered == 4
    assert {m.match.line for m in found.movers} <= set(lines)
    assert len(found.movers) == 10
    assert all(m.place_old != m.place_new for m in found.movers)
    # The administrator reviews nobody's matches: figures, no names.
    assert (figures.changed, figures.movers) == (found.changed, ())
    assert (same.changed, same.reordered, same.movers) == (0, 0, ())
    assert rows_of_everything() == before


def test_preview_places_are_those_of_a_run(zhejiang):
    """The stored parts under the draft's weights give the order that scoring anew gives."""
    (line,) = reviewed_market(requirements=1)
    draft = draft_weighting(zhejiang, text=15, locality=40)

    movers = calibration.preview(weighting=draft, by=None).movers

    for mover in movers:
        share = [p["tenths"] / p["max_tenths"] for p in mover.match.score.parts]
        expected = sum(s * top for s, top in zip(share, (150, 250, 200, 400), strict=True))
        assert mover.tenths_new == int(expected + 0.5)
        assert mover.match.line == line


# --- Races ----------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_activations_at_once_leave_one_in_force(zhejiang):
    weighting_1()
    drafts = [draft_weighting(zhejiang, version=version) for version in (2, 3)]
    seen = runs.weighting_of(zhejiang)
    gate, said = threading.Barrier(2, timeout=20), []

    def act(draft):
        try:
            gate.wait()
            calibration.activate(weighting=draft, reason=NOTE, by=None, instead_of=seen)
            said.append("done")
        except DomainError as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    states = sorted(Weighting.objects.filter(province=zhejiang).values_list("status", flat=True))

    assert sorted(said) == ["done", "weighting.changed"]
    assert states == ["active", "draft"]
    assert MatchRun.objects.count() == 1


def test_database_itself_holds_one_active_version(zhejiang):
    draft_weighting(zhejiang)
    draft_weighting(zhejiang, version=3)

    with pytest.raises(IntegrityError), transaction.atomic():
        Weighting.objects.filter(province=zhejiang).update(status="active")


def test_enterprises_of_another_province_are_counted_there(zhejiang):
    reviewed_market(requirements=2, region=region("440305"))
    EnterpriseFactory()

    assert calibration.decided(zhejiang).counts.decisions == 0
    assert calibration.decided(region("440000")).counts.decisions == 16
