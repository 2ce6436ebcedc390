from __future__ import annotations

from django.db import models

from chains.models import StoredFile


class EventDocument(StoredFile):
    """Something to read before the event, for everybody who sees it: a programme, a plan, a call."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="documents")
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=160)

    class Meta:
        ordering = ["pk"]
