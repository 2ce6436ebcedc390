from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models import DockingKind, RequirementLine, TimeStamped

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.backends.base.base import BaseDatabaseWrapper

    from chains.models import Enterprise, User


class MatchQuerySet(models.QuerySet["Match"]):
    def live(self) -> Self:
        return self.exclude(status=Match.Status.ENDED)

    def end(self) -> int:
        """How many were live till now."""
        return self.live().update(status=Match.Status.ENDED, updated_at=timezone.now())

    def to_decide(self) -> Self:
        """Undecided ones, and deferrals whose day has come."""
        return self.filter(
            Q(status=Match.Status.PROPOSED)
            | Q(status=Match.Status.DEFERRED, deferred_until_on__lte=timezone.localdate())
        )

    def approved(self) -> Self:
        return self.filter(status=Match.Status.APPROVED)

    def by_score(self) -> Self:
        """Best first; those that miss a must stand under all others."""
        return self.order_by("misses_must", "-tenths", "pk")

    def suggested_to(self, user: User | AnonymousUser) -> Self:
        """What "For you" shows: published open lines that fit own capabilities and were not dismissed."""
        return self.suggested_among(getattr(user, "enterprise_ids", ()))

    def fitting(self) -> Self:
        return self.filter(Match.fits())

    def suggested_for(self, enterprise: Enterprise) -> Self:
        """The same for one of the user's enterprises."""
        return self.suggested_among([enterprise.pk])

    def suggested_among(self, ids: Collection[int]) -> Self:
        """The same for many enterprises."""
        return (
            self.live()
            .fitting()
            .filter(
                supplier__in=list(ids),
                line__status="open",
                line__requirement__status="published",
            )
            .exclude(status=Match.Status.REJECTED)
            .exclude(line__dismissals__enterprise=models.F("supplier"))
        )


def _stays_while(named: str) -> pgtrigger.Trigger:
    """A row that another one names is not deleted: what a constraint would see to, where there is none."""
    return pgtrigger.Trigger(
        name="stays_while_named",
        operation=pgtrigger.Delete,
        when=pgtrigger.Before,
        func=f"""
            IF EXISTS ({named}) THEN
                RAISE EXCEPTION 'A row of % is still named', TG_TABLE_NAME
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN OLD;
        """,
    )


class JSONAsText(models.JSONField):
    """JSON that is only read whole, kept as it was written: to take it apart costs the database as much as all else in
    writing a score (ADR 29). Nothing can be asked about what stands in it."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "text"

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,
    ) -> str:
        return json.dumps(value, cls=self.encoder, ensure_ascii=False)

    def get_transform(self, name: str) -> type[models.Transform] | None:  # type: ignore[override]  # none into it
        return models.Field.get_transform(self, name)


class Match(TimeStamped):
    """The lasting pair of a line and a supplier. Its score changes, the decision on it stays."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        DEFERRED = "deferred", _("Deferred")
        ENDED = "ended", _("Ended")

    class Origin(models.TextChoices):
        ENGINE = "engine", _("engine")
        BY_HAND = "by_hand", _("by hand")

    # In tenths. A run keeps the best fifty of a line, in a small market down to mere neighbours; what stands lower is
    # shown to reviewers, but no supplier is told that it fits. Who teaches, lends or lets has fewer words in common with
    # what is asked for than who makes it has, and its neighbours have fewer still.
    FITS_FROM = 500
    FITS_BEYOND_GOODS_FROM = 450
    DECIDED = (Status.APPROVED, Status.REJECTED, Status.DEFERRED)

    # None of the three keys has a constraint, as below: lines that were once accepted stay, and so do enterprises and a
    # score that its match names. No index of the line's own: `match_once` begins with it.
    line = models.ForeignKey(
        "chains.RequirementLine",
        models.PROTECT,
        related_name="matches",
        db_constraint=False,
        db_index=False,
    )
    supplier = models.ForeignKey(
        "chains.Enterprise",
        models.PROTECT,
        related_name="matches",
        db_constraint=False,
        db_index=False,
    )
    score = models.ForeignKey(
        "matchmaking.Score",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # Copies of the current score's figures, so that queues are sorted without it.
    tenths = models.PositiveSmallIntegerField(default=0)
    misses_must = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    is_stale = models.BooleanField(default=False)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.ENGINE)
    decided_at = models.DateTimeField(null=True, blank=True)
    deferred_until_on = models.DateField(null=True, blank=True)

    # Set by with_scored_later.
    scored_later: bool

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            models.UniqueConstraint(fields=["line", "supplier"], name="match_once"),
            models.CheckConstraint(
                condition=Q(tenths__lte=1000), name="match_points_are_at_most_100"
            ),
        ]
        # Nearly all that writing a match costs. The fifty of a line are found by `match_once` and sorted as they are read.
        indexes = [models.Index(fields=["supplier", "-tenths"], name="match_of_a_supplier")]
        triggers = [
            _stays_while("SELECT FROM matchmaking_score WHERE match_id = OLD.id"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def points(self) -> float:
        return self.tenths / 10

    @classmethod
    def fits(cls, path: str = "") -> Q:
        """Misses no must and reaches the mark from which a supplier is worth a look."""
        beyond_goods = RequirementLine.objects.filter(
            requirement__docking_kind__family__in=DockingKind.BEYOND_GOODS
        )
        # The lower mark is asked of all, so that an index of points bounds what is read.
        reaches = f"{path}tenths__gte"
        return Q(**{f"{path}misses_must": False, reaches: cls.FITS_BEYOND_GOODS_FROM}) & (
            Q(**{reaches: cls.FITS_FROM}) | Q(**{f"{path}line__in": beyond_goods.values("pk")})
        )


class Score(TimeStamped):
    """What one run found for a pair. Immutable.

    To look again for what each of a quarter of a million rows names would cost more than writing them (ADR 29). It is
    there when they are written, and triggers keep it there: no constraint asks.
    """

    # Nobody names a score but its match: no address leads to one.
    public_id = None  # type: ignore[assignment]  # so Django leaves an inherited field out
    # No index of its own: `score_once_per_run` begins with it.
    match = models.ForeignKey(
        Match, models.CASCADE, related_name="scores", db_constraint=False, db_index=False
    )
    # Null = computed on request ("why", or added by hand). No index: a run knows how many scores it has written.
    run = models.ForeignKey(
        "matchmaking.MatchRun",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="scores",
        db_constraint=False,
        db_index=False,
    )
    # No index: nobody looks for the scores of a weighting, and weightings stay.
    weighting = models.ForeignKey(
        "matchmaking.Weighting",
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    engine_version = models.CharField(max_length=80)
    tenths = models.PositiveSmallIntegerField()
    misses_must = models.BooleanField()
    # [{"name", "tenths", "max_tenths"}] in the fixed order; [{"code", "tone", "params"}]; conditions one by one.
    parts: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = JSONAsText()
    reasons: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = JSONAsText()
    outcomes: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = JSONAsText(
        default=list
    )
    # The offer's text that won: the capability and its language; null when the summary stood in.
    # Without an index, so nobody asks here whether it may go: only drafts do, and no run reads them.
    capability = models.ForeignKey(
        "chains.Capability",
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    text_language = models.CharField(max_length=2, default="zh")
    # Digests of what was compared – "line:offer text": a later run sees whether a decision rests on other words.
    basis = models.CharField(max_length=65, default="", blank=True)
    # Of all that it came out of: a run that finds the same again leaves it as it is. Null where it is not known.
    fingerprint = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["match", "run"], name="score_once_per_run"),
            models.CheckConstraint(
                condition=Q(tenths__lte=1000), name="score_points_are_at_most_100"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update),
            _stays_while(
                "SELECT FROM matchmaking_match WHERE id = OLD.match_id AND score_id = OLD.id"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.match_id}: {self.tenths}"

    @property
    def points(self) -> float:
        return self.tenths / 10
