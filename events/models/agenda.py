"""The day as guests see it, and what is to be done until then."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from chains.models import TimeStamped


class AgendaItem(TimeStamped):
    """A part of the day: when, in which room, what."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="agenda")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    title_zh = models.CharField(max_length=160)
    title_en = models.CharField(max_length=200)
    room_zh = models.CharField(max_length=80, blank=True)
    room_en = models.CharField(max_length=80, blank=True)
    note_zh = models.CharField(max_length=300, blank=True)
    note_en = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="agenda_item_ends_after_it_starts",
                violation_error_message=_("A part of the day ends after it starts."),
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class ChecklistItem(TimeStamped):
    """Something to be done before the event, with who does it and until when."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="checklist")
    text = models.CharField(max_length=200)
    owner = models.ForeignKey(
        "chains.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_on = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.public_id
