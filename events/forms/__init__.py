"""What the forms of this package share: moments of this century."""

from __future__ import annotations

import datetime

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.models import Enterprise


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


def on_register(name: str) -> Enterprise | None:
    """The verified body of this name, in any of the ways it is written there."""
    rows = Enterprise.objects.verified()
    return (
        rows.filter(name=name).first()
        or rows.filter(name_en__iexact=name).first()
        or rows.filter(aliases__text__iexact=name).first()
    )
