"""Read-only figures for pages. Each number is the count of rows that a list can show."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from django.core.cache import caches
from django.db.models import Count, F, Q
from django.utils import timezone

from chains import changes
from chains.models import Enterprise, Requirement
from events.models import Event
from matchmaking.gaps import CACHE_SECONDS
from matchmaking.models import Decision, Interest


def home_figures() -> dict[str, int]:
    """What the home page prints: live requirements, verified enterprises, matches reviewed and events held this year."""
    key = f"figures:{changes.version()}"
    figures: dict[str, int] | None = caches["pages"].get(key)
    if figures is None:
        year = timezone.localdate().year
        figures = {
            "requirements": Requirement.objects.open().count(),
            "enterprises": Enterprise.objects.verified().counted().count(),
            "reviewed": Decision.objects.filter(at__year=year)
            .exclude(verdict=Decision.Verdict.UNDONE)
            .values("match")
            .distinct()
            .count(),
            "held": Event.objects.filter(
                status__in=[Event.Status.HELD, Event.Status.ARCHIVED], starts_at__year=year
            ).count(),
        }
        caches["pages"].set(key, figures, CACHE_SECONDS)
    return figures


@dataclass(frozen=True, slots=True)
class AnswerRate:
    """Of the interests a buyer had to answer within a year, how many it answered by the day it had promised each."""

    due: int
    in_time: int

    @property
    def percent(self) -> int:
        return self.in_time * 100 // self.due if self.due else 0


def answer_rate(enterprise: Enterprise) -> AnswerRate:
    return answer_rates([enterprise.pk]).get(enterprise.pk, AnswerRate(0, 0))


def answer_rates(enterprises: Collection[int]) -> dict[int, AnswerRate]:
    """Of each that was sent an interest."""
    since = timezone.now() - datetime.timedelta(days=365)
    answered = Q(status__in=[Interest.Status.ACCEPTED, Interest.Status.DECLINED])
    in_time = answered & (Q(due_day=None) | Q(answered_at__date__lte=F("due_day")))
    rows = (
        Interest.objects.annotate(due_day=Interest.DUE_DAY)
        .filter(requirement__enterprise__in=enterprises, created_at__gte=since)
        .order_by()
        .values_list("requirement__enterprise")
        .annotate(
            due=Count("pk", filter=answered | Q(status=Interest.Status.NO_ANSWER)),
            in_time=Count("pk", filter=in_time),
        )
    )
    return {buyer: AnswerRate(due, kept) for buyer, due, kept in rows}
