from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains.forms import Form, LocalisedChoice, RegionField
from chains.models import Enterprise
from chains.templatetags.localised import localised
from events.models import EventLevel, Series


class ProgrammeForm(Form):
    owner = LocalisedChoice(
        Enterprise.objects.none(), to_field_name="public_id", label=_("Body that keeps it")
    )
    name_zh = forms.CharField(max_length=120, label=_("Name in Chinese"))
    name_en = forms.CharField(max_length=160, label=_("Name in English"))

    def __init__(self, *args: Any, owners: Sequence[Enterprise], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["owner"]
        choice.queryset = Enterprise.objects.filter(pk__in=[one.pk for one in owners])  # type: ignore[attr-defined]  # a ModelChoiceField
        if len(owners) == 1:
            choice.initial = owners[0].public_id


class SeriesForm(Form):
    year = forms.IntegerField(min_value=2000, max_value=2100, label=_("Year"))


class TargetsForm(Form):
    """Targets over all and of each level; an empty field is no target."""

    events = forms.IntegerField(
        min_value=0, max_value=100_000, required=False, label=_("Events, all levels")
    )
    enterprises = forms.IntegerField(
        min_value=0, max_value=10_000_000, required=False, label=_("Enterprises, each once")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.levels = list(EventLevel.objects.filter(is_active=True))
        for level in self.levels:
            self.fields[f"level_{level.code}"] = forms.IntegerField(
                min_value=0, max_value=100_000, required=False, label=localised(level)
            )

    @property
    def level_fields(self) -> list[Any]:
        return [self[f"level_{level.code}"] for level in self.levels]

    def as_targets(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        rows: list[dict[str, Any]] = [
            {"measure": name, "value": data[name]} for name in ("events", "enterprises")
        ]
        rows += [
            {"measure": "events", "level": level, "value": data[f"level_{level.code}"]}
            for level in self.levels
        ]
        return [row for row in rows if row["value"] is not None]

    @staticmethod
    def of(series: Series) -> dict[str, int]:
        return {
            f"level_{row.level_id}" if row.level_id else row.measure: row.value
            for row in series.targets.filter(region=None)
        }


class RegionTargetForm(Form):
    """Events one region is to hold, of one level or of any."""

    region = RegionField(required=False, label=_("Region"))
    level = LocalisedChoice(
        EventLevel.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        empty_label=_("any level"),
        label=_("Level"),
    )
    value = forms.IntegerField(
        min_value=0, max_value=100_000, required=False, label=pgettext_lazy("target", "Events")
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("value") is not None and not data.get("region") and "region" in data:
            self.add_error("region", _("Choose the region this target is for."))
        if data.get("region") and data.get("value") is None and "value" in data:
            self.add_error("value", _("Say how many events, or leave the row empty."))
        return data

    def as_target(self) -> dict[str, Any] | None:
        data = self.cleaned_data
        if data.get("DELETE") or not data.get("region") or data.get("value") is None:
            return None
        return {"measure": "events", **{key: data[key] for key in ("region", "level", "value")}}


RegionTargetFormSet = formset_factory(RegionTargetForm, extra=1, max_num=120, can_delete=True)


def region_targets_of(series: Series) -> list[dict[str, Any]]:
    rows = series.targets.filter(measure="events").exclude(region=None).select_related("region")
    return [
        {"region": row.region, "level": row.level_id, "value": row.value}
        for row in rows.order_by("region__code", "pk")
    ]


class SeriesEventFilterForm(Form):
    q = forms.CharField(max_length=100, required=False, label=_("Search events"))
    show = forms.ChoiceField(
        choices=(("in", _("In the series")), ("out", _("To put in"))), required=False
    )
