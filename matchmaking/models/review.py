from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models import TimeStamped


class Decision(models.Model):
    """What a reviewer decided on a pair, on which score, and why. Append-only."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        DEFERRED = "deferred", _("Deferred")
        UNDONE = "undone", _("Undone")

    class Reason(models.TextChoices):
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        CAPACITY = "capacity", _("Capacity")
        CERTIFICATE = "certificate", _("Certificate")
        TOO_FAR = "too_far", _("Too far")
        DELIVERY = "delivery", _("Known not to deliver")
        OTHER = "other", _("Other, note needed")

    match = models.ForeignKey("matchmaking.Match", models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    note = models.CharField(max_length=500, blank=True)
    until_on = models.DateField(null=True, blank=True)
    score = models.ForeignKey(
        "matchmaking.Score", models.PROTECT, null=True, related_name="decisions"
    )
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(verdict="rejected") | ~Q(reason=""),
                name="decision_to_reject_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(reason="other") | ~Q(note=""), name="decision_for_other_has_a_note"
            ),
            models.CheckConstraint(
                condition=Q(until_on=None) | Q(verdict="deferred"),
                name="decision_until_a_day_is_a_deferral",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.match_id} {self.verdict}"


class LeaseQuerySet(models.QuerySet["Lease"]):
    def current(self) -> Self:
        return self.filter(expires_at__gt=timezone.now())


class Lease(models.Model):
    """A reviewer holds a line with all its candidates, for ten minutes at a time."""

    line = models.OneToOneField(
        "chains.RequirementLine", models.CASCADE, related_name="review_lease"
    )
    by = models.ForeignKey("chains.User", models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    objects = LeaseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.line_id}"


class Dismissal(TimeStamped):
    """A supplier's "not for us": the line does not come back to it."""

    class Reason(models.TextChoices):
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        QUANTITY = "quantity", _("Quantity too large or too small")
        TOO_FAR = "too_far", _("Too far")
        CANNOT_MEET = "cannot_meet", _("Cannot meet a must")
        ALREADY_SUPPLY = "already_supply", _("We already supply this buyer")

    line = models.ForeignKey("chains.RequirementLine", models.PROTECT, related_name="dismissals")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="dismissals")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "enterprise"], name="dismissal_once")
        ]

    def __str__(self) -> str:
        return self.public_id
