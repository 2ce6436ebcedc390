from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def counting(self) -> Self:
        """All but what was refused."""
        return self.exclude(kind=CheckIn.Kind.REFUSED)

    def in_order(self) -> Self:
        """As it happened at the doors; a scan that was kept offline arrives later than it was made."""
        return self.order_by("scanned_at", "pk")

    def inside(self) -> Self:
        """For each person who is in, the last word about them: heads are counted once over all doors."""
        last = (
            self.counting()
            .order_by("delegate", "-scanned_at", "-pk")
            .distinct("delegate")
            .values("pk")
        )
        return self.filter(pk__in=last).exclude(kind=CheckIn.Kind.UNDO)


class CheckIn(models.Model):
    """What a door sent, kept as it was: scans, their undoing, walk-ins, refusals. The first valid one counts."""

    class Kind(models.TextChoices):
        IN = "in", _("Scan")
        UNDO = "undo", _("Undone")
        WALK_IN = "walk_in", _("Walk-in")
        REFUSED = "refused", _("Refused")

    class Answer(models.TextChoices):
        WELCOME = "welcome", _("Checked in")
        AGAIN = "again", _("Already in")
        UNDONE = "undone", _("Check-in undone")
        WAITING = "waiting", _("No seat yet")
        CANCELLED = "cancelled", _("Registration ended")
        REPLACED = "replaced", _("Badge replaced")
        WRONG_EVENT = "wrong_event", _("Badge of another event")
        UNKNOWN = "unknown", _("Unknown code")

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="check_ins")
    # Null where a code was unknown, or of another event: its guests are not this desk's business.
    delegate = models.ForeignKey(
        "events.Delegate", models.PROTECT, null=True, related_name="check_ins"
    )
    gate = models.CharField(max_length=40, blank=True)
    staff = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    scanned_at = models.DateTimeField()  # by the clock of the device, never later than it came in
    received_at = models.DateTimeField(auto_now_add=True)
    # Chosen by the device: the same scan sent again is the same scan.
    nonce = models.UUIDField(unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    answer = models.CharField(max_length=12, choices=Answer.choices)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="refused") | Q(delegate__isnull=False),
                name="check_in_lets_somebody_in",
            )
        ]
        indexes = [
            models.Index(
                fields=["event", "delegate", "-scanned_at", "-id"],
                name="check_in_last_word",
                condition=~Q(kind="refused"),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return str(self.nonce)
