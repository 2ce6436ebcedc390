from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from chains.models import Region, TimeStamped
from chains.models.people import scope_of
from events.models.event import Event

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models import User


def _kept_near(user: User | AnonymousUser, owner: str) -> Q:
    """Kept by a body of the user's own, of the province of one of the user's desks, or of the whole country.

    The province is the tenant: what is being prepared stays inside it.
    """
    desks = scope_of(user)
    if not desks:
        return Q(pk__in=())
    bodies = [role.body_id for role in getattr(user, "active_roles", ())]
    provinces = {code for region in desks if (code := region.province_code) is not None}
    return (
        Q(**{f"{owner}__in": bodies})
        | Q(**{f"{owner}__province__code__in": provinces})
        | Q(**{f"{owner}__region__level": Region.Level.COUNTRY})
    )


def _owned_by(user: User | AnonymousUser) -> Q:
    """Write: organisers of the body; the administrator."""
    bodies = [role.body_id for role in getattr(user, "organiser_roles", ())]
    return Q(owner__in=bodies)


class ProgrammeQuerySet(models.QuerySet["Programme"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those with a public series for everyone; the others for the desks of their province."""
        if getattr(user, "is_administrator", False):
            return self
        public = Series.objects.public().values("programme")
        return self.filter(Q(pk__in=public) | _kept_near(user, "owner"))

    def owned_by(self, user: User | AnonymousUser) -> Self:
        return self if getattr(user, "is_administrator", False) else self.filter(_owned_by(user))


class Programme(TimeStamped):
    """A body's undertaking over the years, such as "Ten Chains, Hundred Fields, Ten-Thousand Enterprises"."""

    owner = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="programmes")
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)

    objects = ProgrammeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"


class SeriesQuerySet(models.QuerySet["Series"]):
    def public(self) -> Self:
        """A series is public with the first event of it that is; its page shows no other events."""
        shown = Event.series.through.objects.filter(event__in=Event.objects.public().values("pk"))
        return self.filter(pk__in=shown.values("series"))

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if getattr(user, "is_administrator", False):
            return self
        public = Series.objects.public().values("pk")
        return self.filter(Q(pk__in=public) | _kept_near(user, "programme__owner"))

    def known_to(self, user: User | AnonymousUser, event: Event | None = None) -> Self:
        """Those an event may be put into, and those it is in already."""
        seen = Series.objects.visible_to(user).values("pk")
        held = Event.series.through.objects.filter(event=event).values("series")
        return self.filter(Q(pk__in=seen) | Q(pk__in=held))

    def owned_by(self, user: User | AnonymousUser) -> Self:
        return self.filter(programme__in=Programme.objects.owned_by(user).values("pk"))


class Series(TimeStamped):
    """A programme in one year. An event belongs to many series and counts once in the grand total."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="series")
    year = models.PositiveSmallIntegerField()

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "series"
        ordering = ["-year", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "year"], name="series_once_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.year}"

    @property
    def name_zh(self) -> str:
        return f"{self.programme.name_zh} {self.year}"

    @property
    def name_en(self) -> str:
        return f"{self.programme.name_en} {self.year}"


class Target(models.Model):
    """What a series sets out to reach, for all or for one level and region."""

    class Measure(models.TextChoices):
        EVENTS = "events", "events"
        ENTERPRISES = "enterprises", "enterprises"

    series = models.ForeignKey(Series, models.CASCADE, related_name="targets")
    measure = models.CharField(max_length=20, choices=Measure.choices)
    level = models.ForeignKey(
        "events.EventLevel", models.PROTECT, to_field="code", null=True, blank=True
    )
    region = models.ForeignKey("chains.Region", models.PROTECT, null=True, blank=True)
    value = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "measure", "level", "region"],
                name="target_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure}: {self.value}"
