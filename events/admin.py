"""Programmes and levels are kept here; what an event decides is only read: its verbs are the organiser's."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.http import HttpRequest

from chains.admin import ReadOnly, Recorded, ReferenceAdmin
from chains.models import User
from chains.services import reference
from events.models import Event, EventLevel, EventStaff, Programme, Series, Target

admin.site.register(EventLevel, ReferenceAdmin)


@admin.register(Programme)
class ProgrammeAdmin(Recorded):
    list_display = ("name_zh", "name_en", "owner")
    raw_id_fields = ("owner",)


class TargetInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable at run time
    model = Target
    raw_id_fields = ("region",)
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever may change the series, which is asked first

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Series)
class SeriesAdmin(Recorded):
    list_display = ("programme", "year")
    inlines = (TargetInline,)


@admin.register(EventStaff)
class EventStaffAdmin(Recorded):
    list_display = ("event", "user", "role")
    raw_id_fields = ("event", "user")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Who leaves before the event has ended loses the right at once; the trail keeps that it was there.
        return super().has_view_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assert isinstance(request.user, User)
        reference.removed(row=obj, by=request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("name_zh", "name_en", "level", "status", "starts_at")
    list_filter = ("status", "level")
    search_fields = ("name_zh", "name_en")
    formfield_overrides: ClassVar = {models.URLField: {"assume_scheme": "https"}}
