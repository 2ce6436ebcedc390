"""Programmes and levels are kept here; what an event decides is only read: its verbs are the organiser's."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from events.models import Event, EventLevel, EventStaff, Programme, Series, Target


@admin.register(EventLevel)
class EventLevelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("code", "name_zh", "name_en", "order", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Programme)
class ProgrammeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("name_zh", "name_en", "owner")
    raw_id_fields = ("owner",)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class TargetInline(admin.TabularInline):  # type: ignore[type-arg]  # as above
    model = Target
    raw_id_fields = ("region",)
    extra = 0


@admin.register(Series)
class SeriesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("programme", "year")
    inlines = (TargetInline,)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(EventStaff)
class EventStaffAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("event", "user", "role")
    raw_id_fields = ("event", "user")


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("name_zh", "name_en", "level", "status", "starts_at")
    list_filter = ("status", "level")
    search_fields = ("name_zh", "name_en")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
