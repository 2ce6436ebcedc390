"""The administrator looks on: interests are between the two enterprises, and categories come from what fits none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chains.admin import ReadOnly
from chains.models import Enterprise, RequirementLine
from matchmaking import market
from matchmaking.models import Interest

_NAME_LENGTH = 120


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


@admin.register(RequirementLine)
class LinesWithoutCategory(ReadOnly):
    """What fits no category: nobody chose one, none could be read in the text, and none holds its words. A line that is
    only hard to read is no candidate for a new one."""

    list_display = ("text", "language", "enterprise", "case", "as_category")
    list_filter = ("language",)
    list_select_related = ("requirement__enterprise",)
    search_fields = ("text", "specification")
    fields = ("text", "specification", "language", "enterprise", "case")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequirementLine]:
        unread = RequirementLine.objects.scored().filter(category=None, category_suggested=None)
        return unread.filter(pk__in=market.fitting_nothing(unread))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = _("Lines that fit no category: candidates for new ones")
        return super().changelist_view(request, {**(extra_context or {}), "title": title})

    @admin.display(description=_("enterprise"), ordering="requirement__enterprise")
    def enterprise(self, line: RequirementLine) -> Enterprise:
        return line.requirement.enterprise

    @admin.display(description=_("case"))
    def case(self, line: RequirementLine) -> SafeString:
        address = reverse("chains:moderation_case", args=[line.requirement.public_id])
        return format_html('<a href="{}">{}</a>', address, line.requirement.public_id)

    @admin.display(description=_("new category"))
    def as_category(self, line: RequirementLine) -> SafeString:
        name = "name_zh" if line.language == "zh" else "name_en"
        query = urlencode({name: line.text[:_NAME_LENGTH]})
        address = f"{reverse('admin:chains_category_add')}?{query}"
        return format_html('<a href="{}">{}</a>', address, _("Add one like this"))
