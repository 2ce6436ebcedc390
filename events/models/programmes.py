from __future__ import annotations

from django.db import models

from chains.models import TimeStamped


class Programme(TimeStamped):
    """A body's undertaking over the years, such as "Ten Chains, Hundred Fields, Ten-Thousand Enterprises"."""

    owner = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="programmes")
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"


class Series(TimeStamped):
    """A programme in one year. An event belongs to many series and counts once in the grand total."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="series")
    year = models.PositiveSmallIntegerField()

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
