"""Read-only figures for pages. Each number is the count of rows that a list can show."""

from __future__ import annotations

from django.core.cache import caches
from django.utils import timezone

from chains import changes
from chains.models import Enterprise, Requirement
from events.models import Event
from matchmaking.gaps import CACHE_SECONDS
from matchmaking.models import Decision


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
