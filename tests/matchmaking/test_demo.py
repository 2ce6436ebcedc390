from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError, call_command

from chains.models import (
    Capability,
    Enterprise,
    RequirementLine,
    User,
)
from events.models import Event, Registration
from matchmaking.demo import participants, postings, texts, verdicts
from matchmaking.demo.names import Words
from matchmaking.demo.participants import Offer, Participant
from matchmaking.demo.postings import Line, Posting, Term

SEED = 20230411
WORDS = Words("词", "word")


# --- The plan, without a database -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market():
    return participants.plan(SEED, 1)


@pytest.fixture(scope="module")
def asked(market):
    return postings.plan(SEED, market)


def test_plan_of_one_seed_is_the_same_and_of_another_is_not(market, asked):
    again = participants.plan(SEED, 1)
    other = participants.plan(1, 1)

    # What is asked for plants its truths in what is offered: compared after both.
    assert postings.plan(SEED, again) == asked
    assert again == market
    assert other != market


def test_plan_has_the_shares_of_the_specification(market):
    kinds = Counter(one.kind for one in market.people)
    companies = market.enterprises()
    held = Counter(code for one in companies for code in one.qualifications)
    languages = Counter(offer.language for one in companies for offer in one.offers)
    offers = sum(languages.values())

    assert kinds == {
        "enterprise": 252, "university": 12, "research_institute": 12, "financial_institution": 12,
        "association": 6, "government": 6,
    }  # fmt: skip
    assert 2.2 <= offers / len(companies) <= 2.6
    assert {code: held[code] for code in ("chain_owner", "little_giant", "high_tech", "multinational")} == {
        "chain_owner": 5, "little_giant": 23, "high_tech": 101, "multinational": 5,
    }  # fmt: skip
    assert 0.55 <= languages["zh"] / offers <= 0.8
    assert 0.5 <= sum(one.in_zhejiang for one in companies) / len(companies) <= 0.75
    assert sum(o.is_decoy for one in companies for o in one.offers) == round(0.1 * offers)


def test_planted_segments_have_no_supplier_or_one(market):
    makers = {
        segment: {
            one.key
            for one in market.people
            for offer in one.offers
            if offer.leaf and segment in (_segment(offer.leaf), _segment(offer.filed))
        }
        for segment in [*market.broken, *market.single]
    }

    assert len(market.broken) == len(market.single) == 3
    assert [makers[segment] for segment in market.broken] == [set(), set(), set()]
    assert [makers[segment] for segment in market.single] == [
        {key} for key in market.single.values()
    ]


def test_requirements_of_the_plan(market, asked):
    package = next(one for one in asked if one.owner == "buyer" and len(one.lines) == 16)
    sizes = [
        len(one.lines)
        for one in asked
        if one.owner in participants.CHAIN_OWNERS and not one.planted
    ]
    said = {offer.words for one in market.people for offer in one.offers}

    assert {line.leaf for line in package.lines} == set(participants.package_leaves())
    assert min(sizes) >= 6
    assert max(sizes) == 16
    assert {"talent", "finance", "project_landing"} <= {one.docking_kind for one in asked}
    # A requirement never repeats a capability; who looks for customers says what it makes.
    needs = [line.words for one in asked if one.seeks != "customer" for line in one.lines]
    assert said.isdisjoint(needs)
    assert {one.state for one in asked} >= {
        "published",
        "submitted",
        "returned",
        "draft",
        "expired",
        "embargoed",
    }


def test_names_are_examples_and_numbers_fit(market):
    assert all(
        one.name.zh.startswith("示例") and one.name.en.startswith("Demo ") for one in market.people
    )
    assert len({one.name for one in market.people}) == len(market.people)
    said_twice = re.compile(r"\b(\w+) \1\b|科技科技")
    assert not [one.name for one in market.people if said_twice.search(str(one.name))]
    assert len({one.number for one in market.people}) == len(market.people)


def test_texts_of_a_year_are_distinct_in_both_languages():
    roll = texts.dice(SEED, "test")
    leaves = list(texts.leaves().values())
    made = [texts.offered(roll.choice(leaves), roll)[0] for _number in range(51_030)]

    assert len({words.zh for words in made}) >= 0.95 * len(made)
    assert len({words.en for words in made}) >= 0.95 * len(made)
    assert not [words for words in made if "{" in words.zh + words.en]


def test_written_phrases_name_their_amount():
    amount = texts.amount_in("三氯氢硅合成用原料硅粉，粒度80–325μm，月需1200吨，要求低硼")

    assert amount == texts.Amount(amount.value, "t", "month")
    assert amount.value == 1200
    assert texts.amount_in("量产机三台，垂直度88度") is None
    for text, value, period in (
        ("双标，月产900吨", 900, "month"),
        ("随货，月产能6万件", 60_000, "month"),
        ("特色工艺，月5万片", 50_000, "month"),
        ("真空浇注车间，年出厂6000台", 6000, "year"),
        ("自动线，年4000万套", 40_000_000, "year"),
        ("质保5年，现货300台", 300, "once"),
        ("2026年300台", 300, "once"),
    ):
        found = texts.amount_in(text)
        assert (found.value, found.period) == (value, period), text
    assert texts.amount_in("铜缆12公里、4×25铜缆30公里") is None


def _segment(leaf):
    return texts.leaves()[leaf].segment


def test_verdict_of_a_reviewer_follows_from_what_is_asked_and_made():
    def decided(
        offer=None, *, term=None, amount=None, certifications=(), region="330421", has_nearby=False
    ):
        offers = [] if offer is None else [offer]
        supplier = Participant(
            key="m", kind="enterprise", name=WORDS, region=region, offers=offers, certifications=[*certifications]
        )  # fmt: skip
        line = Line(leaf="PV0402", words=WORDS, amount=amount, terms=[term] if term else [])
        posting = Posting(owner="b", title=WORDS, language="zh", lines=[line])
        found, reason = verdicts.verdict(posting, line, supplier, has_nearby=has_nearby)
        return str(reason or found)

    def made(**fields):
        return Offer(leaf="PV0402", filed="PV0402", title=WORDS, words=WORDS, **fields)

    iso, near = Term("certification", "ISO 9001"), Term("region", "浙江省", "prefer")
    few, many = texts.Amount(40, "t", "month"), texts.Amount(41, "t", "month")
    capacity = texts.Amount(480, "t", "year")

    assert decided() == "wrong_product"
    assert (
        decided(Offer(leaf="PV0101", filed="PV0402", title=WORDS, words=WORDS)) == "wrong_product"
    )
    assert decided(made()) == "approved"
    assert decided(made(), term=iso) == "certificate"
    assert decided(made(), term=iso, certifications=["ISO9001"]) == "approved"
    assert decided(made(capacity=capacity), amount=many) == "capacity"
    assert decided(made(capacity=capacity), amount=few) == "approved"
    assert decided(made(capacity=capacity), amount=texts.Amount(9999, "set", "once")) == "approved"
    assert decided(made(), term=near, region="320500", has_nearby=True) == "too_far"
    assert decided(made(), term=near, region="320500") == "approved"
    assert decided(made(), term=near, has_nearby=True) == "approved"
    assert decided(made(), region="320500", has_nearby=True) == "approved"
    assert decided(made(is_new=True)) == "deferred"


READS = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from matchmaking.demo import reading
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, context, initializer=reading._begin)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_process_that_reads_leaves_with_a_seed_that_is_killed(tmp_path, until):
    """It has nothing to do at that moment: one that has would find its answer unwanted and leave by that."""
    (tmp_path / "reads.py").write_text(READS)
    seed = subprocess.Popen(
        [sys.executable, tmp_path / "reads.py"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
    )
    with seed:
        reader = psutil.Process(int(seed.stdout.readline()))

        def is_over():
            try:
                return reader.status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True

        assert not is_over()
        seed.kill()
        until(is_over, 20)


# --- What is refused ---


@pytest.mark.django_db
def test_a_register_with_rows_is_refused(settings):
    settings.DEMO = True
    Enterprise.objects.create(name="示例甲有限公司", scheme="other")

    with pytest.raises(CommandError, match="not empty"):
        call_command("seed_demo", factor=0.13)


@pytest.mark.django_db
def test_without_demo_no_account_with_a_known_password_is_made(settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="DEMO=true"):
        call_command("seed_demo", factor=0.13)

    assert not User.objects.exists()


# --- A year -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_year_has_its_numbers_by_the_factor(settings, tmp_path):
    settings.DEMO, settings.STATE_DIR = True, tmp_path

    call_command("seed_demo", size="year", factor=0.01, verbosity=0)

    firms = Enterprise.objects.counted().filter(status="verified")
    rows = Capability.objects.values_list("text_zh", "text_en")
    decoys = json.loads((tmp_path / "truth.json").read_text("utf-8"))["decoys"]
    assert firms.count() == 170
    assert len(rows) == 510
    assert RequirementLine.objects.count() == 50
    assert Event.objects.count() == 3
    assert len(set(rows)) >= 0.95 * len(rows)
    assert 0.05 * len(rows) <= len(decoys) <= 0.15 * len(rows)
    assert not firms.filter(search_text="").exists()
    assert not Registration.objects.exclude(status="confirmed").exists()
