from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models import TimeStamped

if TYPE_CHECKING:
    from django.db.models import QuerySet


class WeightingQuerySet(models.QuerySet["Weighting"]):
    def active(self) -> Self:
        return self.filter(status=Weighting.Status.ACTIVE)


class Weighting(TimeStamped):
    """A version of the points: what each part can give, and the constants behind it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    version = models.PositiveIntegerField()
    # Null = shared by every province that has none of its own.
    province = models.ForeignKey("chains.Region", models.PROTECT, null=True, blank=True)
    # The engine's Weights as plain values; the shipped version is engine.weights.WEIGHTING_1.
    weights: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    activated_at = models.DateTimeField(null=True, blank=True)
    # What engine.calibration found when it was learned; empty for what was shipped.
    report: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, blank=True
    )
    # The version it was learned beside: the report compares with that one.
    based_on = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="successors"
    )

    objects = WeightingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["province", "version"], name="weighting_version_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["province"],
                condition=Q(status="active"),
                name="weighting_active_once",
                nulls_distinct=False,
            ),
        ]
        # Scores name it without a constraint.
        triggers = [pgtrigger.Protect(name="stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.version}"


class MatchRunQuerySet(models.QuerySet["MatchRun"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=[MatchRun.Status.QUEUED, MatchRun.Status.RUNNING])

    def at_turn(self) -> Self:
        """Unfinished ones but those that wait for an earlier one over the same: the two never overlap."""
        earlier = MatchRun.objects.unfinished().filter(
            Q(scope=MatchRun.Scope.ALL)
            | Q(requirement=OuterRef("requirement"))
            | Q(line=OuterRef("line"))
            | Q(enterprise=OuterRef("enterprise")),
            pk__lt=OuterRef("pk"),
            scope=OuterRef("scope"),
        )
        return self.unfinished().filter(~Exists(earlier))

    def alike(self, run: MatchRun) -> Self:
        """Runs over the same."""
        return self.filter(
            scope=run.scope,
            requirement=run.requirement_id,
            line=run.line_id,
            enterprise=run.enterprise_id,
        )


class MatchRun(TimeStamped):
    """One scoring of some lines against all suppliers, cut into shards."""

    class Scope(models.TextChoices):
        ALL = "all", _("everything")
        REQUIREMENT = "requirement", _("a requirement")
        LINE = "line", _("a line")
        ENTERPRISE = "enterprise", _("an enterprise")

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    STOPPED = frozenset({Status.FAILED, Status.CANCELLED})

    scope = models.CharField(max_length=12, choices=Scope.choices)
    requirement = models.ForeignKey(
        "chains.Requirement", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    line = models.ForeignKey(
        "chains.RequirementLine", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    enterprise = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    weighting = models.ForeignKey(Weighting, models.PROTECT, related_name="runs")
    engine_version = models.CharField(max_length=80)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    lines_total = models.PositiveIntegerField(default=0)
    lines_done = models.PositiveIntegerField(default=0)
    # Counted as they are written: an index of what each score names cost as much as a tenth of writing the score.
    scores_written = models.PositiveIntegerField(default=0, db_default=0)
    asked_by = models.ForeignKey(
        "chains.User", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = MatchRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(scope="all", requirement=None, line=None, enterprise=None)
                    | Q(scope="requirement", requirement__isnull=False, line=None, enterprise=None)
                    | Q(scope="line", line__isnull=False, requirement=None, enterprise=None)
                    | Q(scope="enterprise", enterprise__isnull=False, requirement=None, line=None)
                ),
                name="match_run_names_what_its_scope_says",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status"],
                name="match_run_unfinished",
                condition=Q(status__in=["queued", "running"]),
            )
        ]
        # Scores name it without a constraint.
        triggers = [pgtrigger.Protect(name="stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_finished(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED)


# Who waits for it: a person at a page, a desk, a supplier, nobody.
_URGENT_FIRST = (
    MatchRun.Scope.LINE,
    MatchRun.Scope.REQUIREMENT,
    MatchRun.Scope.ENTERPRISE,
    MatchRun.Scope.ALL,
)


# No worker takes a shard for so long: the clock was put back since.
NO_LEASE = datetime.timedelta(hours=1)


class RunShardQuerySet(models.QuerySet["RunShard"]):
    def overdue(self) -> Self:
        """Queued and never taken, or taken by a worker whose lease has run out; of runs whose turn it is.

        What is asked of the shard stands on its own row, with no join: one that waits for a row to be let go of asks
        that row anew, but a joined one as it was, and a shard that was done meanwhile would be taken again.
        """
        now = timezone.now()
        return self.filter(
            Q(status=RunShard.Status.QUEUED)
            | Q(status=RunShard.Status.RUNNING, lease_until__lt=now)
            | Q(status=RunShard.Status.RUNNING, lease_until__gt=now + NO_LEASE),
            run__in=MatchRun.objects.at_turn().values("pk"),
        )

    def settled_later(self, run: MatchRun, lines: Collection[int]) -> QuerySet[Any, list[int]]:
        """Lines, by shard, of runs started after this one that have settled some of these."""
        later = self.filter(run__gt=run, settled_ids__overlap=list(lines))
        return later.values_list("settled_ids", flat=True)

    def is_done(self, shard_id: int) -> bool:
        """Rung for once more than there was to do, as by the sweeper while a worker goes from shard to shard."""
        return self.filter(pk=shard_id, status=RunShard.Status.DONE).exists()

    def before(self, shard_id: int) -> int | None:
        """The shard that waits and is most urgent, if it is more urgent than one that was rung for: a line goes before
        a requirement, that before a supplier, that before everything."""
        rung = self.filter(pk=shard_id).values_list("run__scope", flat=True).first()
        more_urgent = _URGENT_FIRST[: _URGENT_FIRST.index(rung)] if rung else ()
        # Hardly ever is there one, and this is asked at each shard: first in a way that costs nothing.
        if not MatchRun.objects.unfinished().filter(scope__in=more_urgent).exists():
            return None
        waiting = self.overdue().filter(status=RunShard.Status.QUEUED, run__scope__in=more_urgent)
        place = Case(
            *(When(run__scope=scope, then=number) for number, scope in enumerate(more_urgent)),
            output_field=models.IntegerField(),
        )
        return waiting.order_by(place, "pk").values_list("pk", flat=True).first()

    def claim(self, shard_id: int, lease: datetime.timedelta) -> RunShard | None:
        """Take the shard for this worker; None when another one holds or has finished it.

        One conditional UPDATE: of two workers woken for the same shard only one gets it.
        """
        now = timezone.now()
        taken = (
            self.overdue()
            .filter(pk=shard_id)
            .update(
                status=RunShard.Status.RUNNING,
                lease_until=now + lease,
                attempts=models.F("attempts") + 1,
            )
        )
        return self.select_related("run", "run__weighting").get(pk=shard_id) if taken else None


class RunShard(models.Model):
    """Some lines of a run: what one worker does at once."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    line_ids = ArrayField(models.BigIntegerField())
    # Lines of which it has said who fits: all but those that closed or changed while they were ranked. None of a run
    # for one supplier.
    settled_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[], blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    objects = RunShardQuerySet.as_manager()

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_shard_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class TextVector(models.Model):
    """The vector of a text, kept by the text's digest so that no text is ever encoded twice."""

    encoder = models.CharField(max_length=60)
    digest = models.BinaryField(max_length=32)  # SHA-256 of the text as compared
    vector = models.BinaryField()  # float16, little-endian
    # Written now and then only: the day is what tells that a text has gone.
    read_on = models.DateField(default=timezone.localdate)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "digest"], name="text_vector_once")
        ]

    def __str__(self) -> str:
        return self.encoder
