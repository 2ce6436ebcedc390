from __future__ import annotations

import dataclasses
import random

import factory
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


class InterestFactory(DjangoModelFactory):
    """A supplier's interest that waits for the buyer."""

    class Meta:
        model = models.Interest
        skip_postgeneration_save = True

    requirement = factory.SubFactory(RequirementFactory)
    enterprise = factory.SubFactory(EnterpriseFactory)
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
    scored = []
    for line in lines:
        rows = [[round(top * dice.betavariate(2, 1.5)) for top in tops] for _ in enterprises]
        order = sorted(range(suppliers), key=lambda row: -sum(rows[row]))
        scored += [(line, enterprises[row], rows[row], order.index(row) < shown) for row in order]
    matches = models.Match.objects.bulk_create(
        models.Match(line=line, supplier=supplier, tenths=sum(tenths))
        for line, supplier, tenths, _is_shown in scored
    )
    scores = models.Score.objects.bulk_create(
        models.Score(
            match=match, weighting=weighting_1(), engine_version="test", tenths=sum(tenths), misses_must=False, reasons=[],
            parts=[
                {"name": name, "tenths": part, "max_tenths": top}
                for name, part, top in zip(PART_NAMES, tenths, tops, strict=True)
            ],
        )
        for match, (_line, _supplier, tenths, _is_shown) in zip(matches, scored, strict=True)
    )  # fmt: skip
    decisions = []
    for match, score, (_line, _supplier, tenths, is_shown) in zip(
        matches, scores, scored, strict=True
    ):
        match.score = score
        if not is_shown:
            continue
        lack = [w * (1 - t / top) for w, t, top in zip(wanted, tenths, tops, strict=True)]
        good = sum(lack) < 0.45
        lacking = {"wrong_product": lack[0] + lack[1], "certificate": lack[2], "too_far": lack[3]}
        match.status = "approved" if good else "rejected"
        match.decided_at = timezone.now()
        named = reason or max(lacking, key=lacking.__getitem__)
        decisions.append(
            models.Decision(
                match=match, score=score, by=by, verdict=match.status, reason="" if good else named,
                note="" if good else "a note",
            )
        )  # fmt: skip
    models.Match.objects.bulk_update(matches, ["score", "status", "decided_at"])
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
