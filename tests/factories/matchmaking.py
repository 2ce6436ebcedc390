from __future__ import annotations

import dataclasses
import random

import factory
import pgtrigger
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from factory.django import DjangoModelFactory

from chains.models import Chain
from matchmaking import models
from matchmaking.engine.scoring import maxima
from matchmaking.engine.types import PART_NAMES
from matchmaking.engine.weights import WEIGHTING_1
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
)


def weighting_1() -> models.Weighting:
    """The shipped weighting; a test that commits loses the one the migration made."""
    row, _created = models.Weighting.objects.get_or_create(
        version=1,
        province=None,
        defaults={
            "weights": dataclasses.asdict(WEIGHTING_1),
            "status": "active",
            "activated_at": timezone.now(),
        },
    )
    return row


class MatchRunFactory(DjangoModelFactory):
    """A finished run over everything."""

    class Meta:
        model = models.MatchRun

    scope = "all"
    weighting = factory.LazyFunction(weighting_1)
    engine_version = "test"
    status = "done"
    finished_at = factory.LazyFunction(timezone.now)


class MatchFactory(DjangoModelFactory):
    """A proposed pair with a score of 81.4 points; give `tenths` and `misses_must` for another."""

    class Meta:
        model = models.Match
        skip_postgeneration_save = True

    line = factory.SubFactory(RequirementLineFactory)
    supplier = factory.SubFactory(EnterpriseFactory)
    tenths = 814
    status = "proposed"

    @factory.post_generation
    def score(self, create, run):
        if create:
            self.score = ScoreFactory(
                match=self, run=run, tenths=self.tenths, misses_must=self.misses_must
            )
            self.save(update_fields=["score"])


class ScoreFactory(DjangoModelFactory):
    class Meta:
        model = models.Score

    match = factory.SubFactory(MatchFactory)
    run = None
    weighting = factory.LazyFunction(weighting_1)
    engine_version = "test"
    tenths = 814
    misses_must = False
    parts = factory.LazyAttribute(
        lambda o: [
            {"name": "text", "tenths": o.tenths * 45 // 100, "max_tenths": 450},
            {"name": "category", "tenths": o.tenths * 25 // 100, "max_tenths": 250},
            {"name": "conditions", "tenths": o.tenths * 20 // 100, "max_tenths": 200},
            {
                "name": "locality",
                "tenths": o.tenths
                - o.tenths * 45 // 100
                - o.tenths * 25 // 100
                - o.tenths * 20 // 100,
                "max_tenths": 100,
            },
        ]
    )
    reasons = factory.LazyFunction(
        lambda: [{"code": "text.terms", "tone": "for", "params": {"terms": ["接线盒"]}}]
    )
    outcomes = factory.LazyFunction(list)


def forget_fingerprints() -> None:
    """The next run makes all scores anew."""
    with pgtrigger.ignore("matchmaking.Score:immutable"):
        models.Score.objects.update(fingerprint=None)


class InterestFactory(DjangoModelFactory):
    """A supplier's interest that waits for the buyer."""

    class Meta:
        model = models.Interest
        skip_postgeneration_save = True

    requirement = factory.SubFactory(RequirementFactory)
    enterprise = factory.SubFactory(EnterpriseFactory)
    answer_by_on = factory.SelfAttribute("requirement.answer_by_on")
    message = "We can supply this."
    language = "en"
    contact = factory.SubFactory(ContactFactory, enterprise=factory.SelfAttribute("..enterprise"))
    sent_by = factory.SubFactory(UserFactory)


def supplier(text: str, *, categories: list[str] | None = None, **fields):
    """A verified enterprise with one published capability in Chinese."""
    enterprise = EnterpriseFactory(**fields)
    CapabilityFactory(
        enterprise=enterprise, title_zh=text[:100], text_zh=text, categories=categories or []
    )
    return enterprise


def reviewed_market(
    *,
    requirements: int = 32,
    suppliers: int = 14,
    shown: int = 8,
    wanted: tuple[float, ...] = (0.15, 0.10, 0.10, 0.65),
    reason: str = "",
    by=None,
    **buyer,
):
    """Open lines whose lists were reviewed by somebody who weighs text, category, conditions and locality as `wanted`
    says: the first ones shown are approved, or rejected for what they lack most. Returns the lines."""
    dice = random.Random(7)
    by = by or UserFactory()
    tops = maxima(WEIGHTING_1, True, True)
    enterprises = EnterpriseFactory.create_batch(suppliers)
    own = EnterpriseFactory(**buyer)
    contact = ContactFactory(enterprise=own)
    chains = list(Chain.objects.order_by("code")[:2])
    lines = [
        RequirementLineFactory(
            requirement=RequirementFactory(enterprise=own, contact=contact, chain=chains[n % 2]),
            text=f"接线盒 {n}",
        )
        for n in range(requirements)
    ]
    weighting, now = weighting_1(), timezone.now()
    matches, scores, decisions = [], [], []
    for line in lines:
        rows = [[round(top * dice.betavariate(2, 1.5)) for top in tops] for _ in enterprises]
        order = sorted(range(suppliers), key=lambda row: -sum(rows[row]))
        for place, row in enumerate(order):
            tenths = rows[row]
            match = models.Match(line=line, supplier=enterprises[row], tenths=sum(tenths))
            score = models.Score(
                match=match, weighting=weighting, engine_version="test", tenths=sum(tenths), misses_must=False, reasons=[],
                parts=[
                    {"name": name, "tenths": part, "max_tenths": top}
                    for name, part, top in zip(PART_NAMES, tenths, tops, strict=True)
                ],
            )  # fmt: skip
            matches.append(match)
            scores.append(score)
            if place >= shown:
                continue
            lack = [w * (1 - t / top) for w, t, top in zip(wanted, tenths, tops, strict=True)]
            lacking = {"wrong_product": lack[0] + lack[1], "certificate": lack[2], "too_far": lack[3]}  # fmt: skip
            good = sum(lack) < 0.45
            match.status, match.decided_at = "approved" if good else "rejected", now
            decisions.append(
                models.Decision(
                    match=match, score=score, by=by, verdict=match.status, note="" if good else "a note",
                    reason="" if good else reason or max(lacking, key=lacking.__getitem__),
                )
            )  # fmt: skip
    models.Match.objects.bulk_create(matches)
    models.Score.objects.bulk_create(scores)
    of_match = models.Score.objects.filter(match=OuterRef("pk")).values("pk")[:1]
    models.Match.objects.filter(line__in=lines).update(score=Subquery(of_match))
    models.Decision.objects.bulk_create(decisions)
    return lines


def draft_weighting(province=None, version: int = 2, **points) -> models.Weighting:
    """A draft as learning makes it; give points of parts for others than those in force."""
    weights = dataclasses.replace(WEIGHTING_1, version=version, **points)
    return models.Weighting.objects.create(
        version=version,
        province=province,
        weights=dataclasses.asdict(weights),
        based_on=weighting_1(),
    )
