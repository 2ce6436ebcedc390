from __future__ import annotations

import pytest
from django.utils import timezone

from chains import changes
from chains.models import Change, ChangeReader, Requirement, RequirementLine
from matchmaking import adapters, tasks
from matchmaking.models import Match, MatchRun, TextVector
from matchmaking.services import following, runs
from tests.factories.chains import CapabilityFactory, EnterpriseFactory, RequirementFactory
from tests.factories.matchmaking import supplier
from tests.matchmaking.services.test_runs import ASKED, BOX, rescore, work

pytestmark = pytest.mark.django_db


def told(noun, row, *verbs):
    """Facts as the reader hands them over."""
    return [changes.record(noun, row, verb) for verb in verbs]


def started():
    return list(MatchRun.objects.order_by("pk").values_list("scope", "status"))


def test_approved_requirement_starts_one_run_however_often_it_is_told():
    requirement = RequirementFactory(approved=True, lines=[ASKED])

    following.react(facts=told("requirement", requirement, "submitted", "approved"))
    following.react(facts=told("requirement", requirement, "amended"))

    assert started() == [("requirement", "queued")]


def test_published_after_an_embargo_is_not_scored_again():
    supplier(BOX)
    requirement = RequirementFactory(approved=True, lines=[ASKED])
    following.react(facts=told("requirement", requirement, "approved"))
    work(MatchRun.objects.get())

    requirement.status = "published"
    requirement.published_at = requirement.approved_at
    requirement.save()
    following.react(facts=told("requirement", requirement, "published"))

    assert started() == [("requirement", "done")]


def test_amendment_is_scored_anew():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)

    following.react(facts=told("requirement", requirement, "amended"))

    assert started() == [("requirement", "done"), ("requirement", "queued")]


@pytest.mark.parametrize("status", ["draft", "submitted"])
def test_requirement_before_its_approval_starts_nothing(status):
    requirement = RequirementFactory(**{status: True}, lines=[ASKED])

    following.react(facts=told("requirement", requirement, "created", "submitted"))

    assert started() == []


def test_closed_requirement_ends_its_matches():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    requirement.status, requirement.close_reason = "closed", "filled"
    requirement.save()

    following.react(facts=told("requirement", requirement, "closed"))

    assert list(Match.objects.values_list("status", flat=True)) == ["ended"]


def test_filled_line_ends_its_matches_only():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED, ASKED])
    rescore(requirement)
    line = requirement.lines.get(number=2)
    line.status = RequirementLine.Status.FILLED
    line.save()

    following.react(facts=told("line", line, "filled"))

    assert dict(Match.objects.values_list("line__number", "status")) == {
        1: "proposed",
        2: "ended",
    }


def test_published_capability_is_compared_with_what_was_asked_before():
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    maker = EnterpriseFactory()
    capability = CapabilityFactory(enterprise=maker, title_zh=BOX)

    following.react(facts=told("capability", capability, "published"))
    work(MatchRun.objects.get(scope="enterprise"))

    assert list(Match.objects.values_list("supplier", "status")) == [(maker.pk, "proposed")]


def test_draft_of_a_capability_is_nobodys_news():
    RequirementFactory(lines=[ASKED])
    capability = CapabilityFactory(status="draft", published_at=None)

    following.react(facts=told("capability", capability, "created"))

    assert started() == []


def test_suspended_enterprise_leaves_every_line():
    maker = supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])
    rescore(requirement)
    Match.objects.update(status="approved")
    maker.status = "suspended"
    maker.save()

    following.react(facts=told("enterprise", maker, "suspended"))

    assert list(Match.objects.values_list("status", flat=True)) == ["ended"]
    assert started() == [("requirement", "done")]


def test_many_suppliers_at_once_are_one_run_over_everything():
    RequirementFactory(lines=[ASKED])
    facts = [fact for _n in range(9) for fact in told("enterprise", supplier(BOX), "verified")]

    following.react(facts=facts)
    following.react(facts=facts[:2])

    assert started() == [("all", "queued")]


def test_approved_lines_of_a_buyer_are_news_to_those_who_seek_customers():
    seller = EnterpriseFactory()
    wanted = RequirementFactory(enterprise=seller, seeks="customer", lines=["供应三分体接线盒"])
    rescore(wanted)
    assert not Match.objects.exists()
    bought = RequirementFactory(lines=[ASKED])

    following.react(facts=told("requirement", bought, "approved"))
    for run in MatchRun.objects.unfinished():
        work(run)

    assert list(
        Match.objects.filter(line__requirement=wanted).values_list("supplier", flat=True)
    ) == [bought.enterprise_id]


def test_submitted_lines_get_a_category_before_anybody_moderates_them():
    requirement = RequirementFactory(submitted=True, lines=["三分体接线盒 光伏"])

    following.read_texts(facts=told("requirement", requirement, "submitted"))

    line = requirement.lines.get()
    assert line.category_suggested is not None
    assert line.segment == line.category_suggested.segment


def test_texts_are_encoded_once_and_kept(settings):
    class Counting:
        version = "counting"
        seen: list[str] = []

        def encode(self, texts):
            import numpy as np  # noqa: PLC0415

            self.seen += texts
            return np.full((len(texts), 2), 0.5, np.float32)

    kept = adapters.KeptEncoder(Counting())

    first = kept.encode(["接线盒", "边框", "接线盒"])
    second = kept.encode(["边框", "接线盒"])

    assert Counting.seen == ["接线盒", "边框"]
    assert (first.tolist(), second.tolist()) == ([[0.5, 0.5]] * 3, [[0.5, 0.5]] * 2)
    assert TextVector.objects.filter(encoder="counting").count() == 2


@pytest.mark.django_db(transaction=True)
def test_reader_moves_on_with_the_runs_it_started_and_not_without():
    call_reference()
    requirement = RequirementFactory(lines=[ASKED])
    changes.record("requirement", requirement, "published")

    tasks.read_changes()
    place = ChangeReader.objects.get(name="matching")
    tasks.read_changes()

    assert started() == [("requirement", "queued")]
    assert place.change == Change.objects.latest("pk").pk  # that of the run it started


@pytest.mark.django_db(transaction=True)
def test_reader_that_fails_reads_the_same_facts_again(monkeypatch):
    call_reference()
    requirement = RequirementFactory(lines=[ASKED])
    changes.record("requirement", requirement, "published")
    start = runs.start

    def broken(**kwargs):
        start(**kwargs)
        raise ValueError("after the run was written")

    monkeypatch.setattr(runs, "start", broken)
    tasks.read_changes()  # the fault is logged, the facts wait for the next ring
    assert started() == []

    monkeypatch.setattr(runs, "start", start)
    tasks.read_changes()

    assert started() == [("requirement", "queued")]


def call_reference():
    """A test that commits finds an empty database: the one before it took everything away."""
    from django.core.management import call_command  # noqa: PLC0415

    from tests.factories.matchmaking import weighting_1  # noqa: PLC0415

    call_command("import_reference", verbosity=0)
    weighting_1()


def test_lines_under_an_embargo_are_shown_to_nobody_who_seeks_customers_until_they_are_public():
    wanted = RequirementFactory(seeks="customer", lines=["供应三分体接线盒"])
    held_back = RequirementFactory(approved=True, lines=[ASKED])
    rescore(held_back)

    rescore(wanted)
    assert not Match.objects.filter(line__requirement=wanted).exists()

    Requirement.objects.filter(pk=held_back.pk).update(
        status="published", published_at=timezone.now()
    )
    following.react(facts=told("requirement", held_back, "published"))
    for run in MatchRun.objects.unfinished():
        work(run)

    found = Match.objects.filter(line__requirement=wanted).values_list("supplier", flat=True)
    assert list(found) == [held_back.enterprise_id]
