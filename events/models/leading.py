"""The leading enterprises that give an event its weight, whether they post anything or not."""

from __future__ import annotations

from typing import Self

from django.db import models

from chains.models import Enterprise, TimeStamped
from events.models.registration import Registration


class LeadingGuestQuerySet(models.QuerySet["LeadingGuest"]):
    def public(self) -> Self:
        """Those the public may read: they come, and have agreed to be named. Asked anew each time."""
        agreed = Registration.objects.confirmed().filter(
            event=models.OuterRef("event"),
            enterprise=models.OuterRef("enterprise"),
            may_be_named=True,
        )
        return self.filter(
            models.Exists(agreed), enterprise__status=Enterprise.Status.VERIFIED
        ).select_related("enterprise__region__parent")


class LeadingGuest(TimeStamped):
    """An enterprise the host puts in front, in its order, with a line of text in both languages."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="leading_guests")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="leads_at")
    text_zh = models.CharField(max_length=200, blank=True)
    text_en = models.CharField(max_length=200, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    objects = LeadingGuestQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "enterprise"], name="leading_guest_once")
        ]

    def __str__(self) -> str:
        return self.public_id
