"""The small demo in the database, as its pages, desks and worker find it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count, F
from django.test import override_settings
from django.utils import timezone

from chains.models import (
    AuditEntry,
    Capability,
    Chain,
    Change,
    ChangeReader,
    Contact,
    Enterprise,
    Evidence,
    Notification,
    Province,
    Region,
    Requirement,
    RequirementLine,
    Segment,
    User,
)
from events import statistics
from events.models import Event, Registration, Series, Tier
from matchmaking import adapters, gaps, market
from matchmaking.demo import participants, places, postings
from matchmaking.demo.accounts import ACCOUNTS, PASSWORD
from matchmaking.management.commands.seed_demo import SEED
from matchmaking.models import Decision, Interest, Match, MatchRun, Weighting

SMALL = 0.13


def _digest():
    """What people see, without names and times that are new each time."""
    tables = [
        Enterprise.objects.values_list("name", "number", "status", "region__code", "longitude", "summary"),
        Capability.objects.values_list("title_zh", "title_en", "text_zh", "text_en", "status"),
        Requirement.objects.values_list("title", "status", "closes_on", "needed_by_on", "enterprise__name"),
        RequirementLine.objects.values_list("text", "category__code", "quantity", "unit__code", "segment__code"),
        Event.objects.values_list("name_zh", "status", "starts_at"),
        Registration.objects.values_list("event__name_zh", "enterprise__name", "status", "seats_held"),
        Match.objects.values_list("line__text", "supplier__name", "status", "tenths"),
        Interest.objects.values_list("requirement__title", "enterprise__name", "status"),
    ]  # fmt: skip
    rows = [sorted(map(repr, table)) for table in tables]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """The small demo, made twice; the second stays for the tests of this module."""
    state = tmp_path_factory.mktemp("state")
    with (
        django_db_blocker.unblock(),
        override_settings(
            DEMO=True, STATE_DIR=state, MEDIA_ROOT=state / "media", MATCHING_ENCODER="none"
        ),
    ):
        adapters.encoder.cache_clear()
        market.forget()
        outer = transaction.atomic()
        outer.__enter__()
        try:
            inner = transaction.savepoint()
            _seed()
            first = _digest()
            transaction.savepoint_rollback(inner)
            market.forget()
            _seed()
            yield first, json.loads((state / "truth.json").read_text("utf-8"))
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
            adapters.encoder.cache_clear()
            market.forget()


def _seed():
    call_command("seed_demo", factor=SMALL, verbosity=0)


@pytest.mark.django_db
def test_two_runs_give_the_same(seeded):
    first, _truth = seeded

    assert _digest() == first


@pytest.mark.django_db
def test_second_run_says_what_stands_and_changes_nothing(seeded, settings, capsys):
    settings.DEMO = True
    before = _digest(), Change.objects.count(), AuditEntry.objects.count(), User.objects.count()

    call_command("seed_demo", factor=SMALL)

    assert "Nothing was done" in capsys.readouterr().out
    assert before == (_digest(), Change.objects.count(), AuditEntry.objects.count(), User.objects.count())  # fmt: skip


@pytest.mark.django_db
def test_savepoints_work_again_after_the_seed(seeded):
    assert connection.features.uses_savepoints


@pytest.mark.django_db
def test_everything_stands_that_pages_show(seeded):
    events = Counter(Event.objects.values_list("level_id", flat=True))
    package = Requirement.objects.get(title__startswith="燃料电池电堆产线配套")

    assert events == {"provincial": 4, "city": 5, "county": 6}
    assert Counter(Event.objects.values_list("status", flat=True)) == {"held": 8, "published": 7}
    past = Series.objects.filter(events__status="held").distinct()
    assert past.values("year").distinct().count() >= 2
    assert all(statistics.figures(series)["visits"] for series in past)
    assert Event.objects.annotate(n=Count("series")).filter(n=2).exists()
    assert Enterprise.objects.exclude(status="unclaimed").count() == 40
    assert package.status == "published"
    assert package.lines.count() == 16
    assert Match.objects.approved().filter(line__requirement=package).exists()
    assert package.interests.filter(status="sent").exists()
    # What the comparison is there for: answers side by side, a question back and its reply.
    assert package.interests.exclude(answers=[]).count() >= 2
    assert package.interests.filter(thread__side="buyer").exists()
    assert Interest.objects.filter(thread__side="supplier").exists()
    assert Interest.objects.filter(is_shortlisted=True).exists()
    assert Requirement.objects.submitted().exists()
    assert Enterprise.objects.pending().exists()
    assert Decision.objects.filter(verdict="rejected").exists()
    assert not Contact.objects.exclude(phone__startswith="000-0000-").exists()


@pytest.mark.django_db
def test_reviewers_have_decided_by_what_is_truly_asked_and_made(seeded):
    _digest_before, truth = seeded
    plan = participants.plan(SEED, SMALL)
    postings.plan(SEED, plan)  # it plants offers too
    made = {
        name: {offer.leaf for offer in one.offers}
        for one in plan.people
        for name in (one.name.zh, one.name.en)
    }

    kinds = Counter()
    for row in Decision.objects.select_related("match__line", "match__supplier"):
        is_made = truth["lines"][row.match.line.public_id] in made[row.match.supplier.name]
        kinds[row.verdict, row.reason == "wrong_product", is_made] += 1

    assert {(verdict, made) for verdict, wrong, made in kinds if not wrong} >= {("approved", True)}
    assert {made for _verdict, wrong, made in kinds if not wrong} == {True}
    assert {made for _verdict, wrong, made in kinds if wrong} == {False}


@pytest.mark.django_db
def test_decisions_lie_in_the_past_behind_the_scores_they_were_made_on(seeded):
    rows = Decision.objects.order_by("pk")
    moments = list(rows.values_list("at", flat=True))

    assert moments == sorted(moments)
    assert moments[-1] < timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    assert not rows.filter(score__created_at__gte=F("at")).exists()
    assert not rows.filter(match__decided_at__date__gt=F("at__date")).exists()
    assert not rows.filter(by__organiser_role_rows=None).exists()
    assert MatchRun.objects.filter(scope="all").get().finished_at < moments[0]
    assert Match.objects.live().filter(decisions=None).exists()


@pytest.mark.django_db
def test_weighting_was_in_force_before_anything_was_compared_by_it(seeded):
    shared = Weighting.objects.get(province=None, status="active")

    assert not MatchRun.objects.filter(created_at__lt=shared.activated_at).exists()
    assert not Decision.objects.filter(at__lt=shared.activated_at).exists()


def test_every_body_has_sent_its_licence(seeded):
    registered = Enterprise.objects.exclude(status="unclaimed")
    papers = Evidence.objects.filter(purpose="licence", content_type="application/pdf")

    assert registered.exists()
    assert not registered.exclude(pk__in=papers.values("enterprise")).exists()


@pytest.mark.django_db
def test_seats_of_the_opening_event_are_never_oversold(seeded):
    for tier in Tier.objects.all():
        held = sum(tier.registrations.values_list("seats_held", flat=True))
        assert held == tier.taken <= tier.seats


@pytest.mark.django_db
def test_nothing_is_left_to_do_for_worker_and_mail(seeded):
    last = Change.objects.order_by("transaction", "pk").last()

    assert not Notification.objects.filter(channel="email", status="unsent").exists()
    assert set(ChangeReader.objects.values_list("name", "transaction", "change")) == {
        (name, last.transaction, last.pk) for name in ("matching", "events")
    }


@pytest.mark.django_db
def test_planted_gaps_are_seen_on_the_map(seeded):
    _digest_before, truth = seeded
    zhejiang = Region.objects.get(code=places.ZHEJIANG)
    states = {}
    for code in [*truth["broken"], *truth["single"]]:
        segment = Segment.objects.select_related("chain").get(code=code)
        states[code] = gaps.segment_states(Chain.objects.get(pk=segment.chain_id), zhejiang)[
            segment.pk
        ]

    assert [states[code].code for code in truth["broken"]] == ["no_registered_supplier"] * 3
    assert [states[code].code for code in truth["single"]] == ["single_source"] * 3
    assert [states[code].registered for code in truth["single"]] == [1, 1, 1]
    assert Province.objects.get(region=zhejiang).gap_public


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["certification", "region", "capacity"])
def test_one_supplier_alone_meets_a_planted_must(seeded, kind):
    _digest_before, truth = seeded
    line = RequirementLine.objects.get(public_id=truth["only_by"][kind]["line"])
    met = [
        match.supplier.public_id
        for match in Match.objects.filter(line=line).select_related("score", "supplier")
        if any(r["code"] == f"{kind}.met" or _met(r, kind) for r in match.score.reasons)
    ]

    assert truth["only_by"][kind]["supplier"] in met
    same_leaf = Capability.objects.filter(categories__code=truth["lines"][line.public_id])
    rivals = set(same_leaf.values_list("enterprise__public_id", flat=True)) - {truth["only_by"][kind]["supplier"]}  # fmt: skip
    assert rivals
    assert rivals.isdisjoint(met)


def _met(reason, kind):
    return kind in json.dumps(reason) and "met" in reason["code"] and "unmet" not in reason["code"]


@pytest.mark.django_db
def test_truth_names_every_line_and_stands_nowhere_else(seeded):
    _digest_before, truth = seeded

    assert set(truth["lines"]) == set(RequirementLine.objects.values_list("public_id", flat=True))
    left_open = RequirementLine.objects.filter(category=None).values_list("public_id", flat=True)
    assert any(truth["lines"][public_id] for public_id in left_open)


@pytest.mark.django_db
def test_every_account_signs_in_and_is_printed(seeded, client, capsys):
    call_command("demo_accounts")

    printed = capsys.readouterr().out
    assert PASSWORD in printed
    assert [a.email for a in ACCOUNTS if a.email not in printed] == []
    assert [a.email for a in ACCOUNTS if not client.login(email=a.email, password=PASSWORD)] == []
    assert not User.objects.exclude(email__endswith="@example.com").exists()
