"""The administrator looks on; interests are between the two enterprises."""

from __future__ import annotations

from django.contrib import admin

from chains.admin import ReadOnly
from matchmaking.models import Interest


@admin.register(Interest)
class InterestAdmin(ReadOnly):
    """That there is one and what became of it; neither its words nor its contact."""

    list_display = ("public_id", "requirement", "enterprise", "status", "created_at", "answered_at")
    list_filter = ("status", "origin")
    list_select_related = ("requirement", "enterprise")
    search_fields = ("=public_id", "=requirement__public_id", "=enterprise__public_id")
    fields = (
        "public_id",
        "requirement",
        "enterprise",
        "status",
        "decline_reason",
        "origin",
        "event",
        "created_at",
        "answer_by_on",
        "answered_at",
    )
    ordering = ("-pk",)
