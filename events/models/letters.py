"""Words of an event's own in what it writes to its guests."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chains.models import TimeStamped


class LetterTemplate(TimeStamped):
    """Instead of the standard text of one kind of letter, in both languages; without one the standard stands in."""

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmation")
        WAITLISTED = "waitlisted", _("Waiting list")
        REMINDER = "reminder", _("Reminder")
        MOVED = "moved", _("Change of time or place")
        CANCELLED = "cancelled", _("Cancellation")

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="letter_templates")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject_zh = models.CharField(max_length=200)
    subject_en = models.CharField(max_length=200)
    body_zh = models.TextField(max_length=4000)
    body_en = models.TextField(max_length=4000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "kind"], name="letter_template_once_a_kind")
        ]

    def __str__(self) -> str:
        return self.public_id


class Announcement(TimeStamped):
    """A message to all guests of an event or some of them, as it was sent. One language may stand for both."""

    class Audience(models.TextChoices):
        ALL = "all", _("All who have registered")
        CONFIRMED = "confirmed", _("Confirmed")
        WAITING = "waiting", _("On the waiting list")
        UNNAMED = "unnamed", _("Confirmed, with seats nobody is named for")
        TIER = "tier", _("One tier")

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="announcements")
    audience = models.CharField(max_length=10, choices=Audience.choices)
    tier = models.ForeignKey("events.Tier", models.PROTECT, null=True, blank=True, related_name="+")
    subject_zh = models.CharField(max_length=200, blank=True)
    subject_en = models.CharField(max_length=200, blank=True)
    body_zh = models.TextField(max_length=4000, blank=True)
    body_en = models.TextField(max_length=4000, blank=True)
    registrations = models.PositiveIntegerField()
    persons = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="tier", tier__isnull=False)
                | ~Q(audience="tier") & Q(tier=None),
                name="announcement_names_its_tier",
            ),
            models.CheckConstraint(
                condition=~Q(subject_zh="", subject_en="") & ~Q(body_zh="", body_en=""),
                name="announcement_says_something",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
