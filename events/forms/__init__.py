"""What the forms of this package share: rows named in the language of the reader, moments of this century."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.templatetags.localised import localised


class Localised(forms.ModelChoiceField):  # type: ignore[type-arg]  # the queryset is given where it is used
    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class LocalisedMany(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # as above
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def check_year(value: datetime.date) -> None:
    """What lies centuries away is a slip of the hand; a day or a year added to it may be no date any more."""
    if not 2000 <= value.year <= 2100:
        raise forms.ValidationError(_("Enter a date between the years 2000 and 2100."))


class MomentField(forms.DateTimeField):
    widget = MomentInput
    default_validators = [check_year]
