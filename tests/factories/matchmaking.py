from __future__ import annotations

import dataclasses

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from matchmaking import models
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
