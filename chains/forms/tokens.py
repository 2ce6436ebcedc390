from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import TokenLimit

_YEAR = 365


class TokenForm(Form):
    """What a program needs and no more: reading for a year is what the form proposes."""

    access = forms.ChoiceField(
        label=_("It may"),
        choices=[("read", _("read")), ("write", _("read and write"))],
        widget=forms.RadioSelect,
        initial="read",
    )
    nouns = forms.MultipleChoiceField(
        label=_("It is for"),
        choices=TokenLimit.Noun.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=TokenLimit.Noun.values,
        help_text=_("Chains, categories, regions and units are read by every token."),
    )
    lasts = forms.TypedChoiceField(
        label=_("It lasts"),
        choices=[
            (30, _("30 days")),
            (90, _("90 days")),
            (_YEAR, _("365 days")),
            (0, _("until it is revoked")),
        ],
        coerce=int,
        initial=_YEAR,
    )

    def clean(self) -> dict[str, Any]:
        """As the service takes it."""
        said = super().clean() or {}
        if self.errors:
            return said
        days = said["lasts"]
        return {
            "may_write": said["access"] == "write",
            "nouns": said["nouns"],
            "ends_on": timezone.localdate() + datetime.timedelta(days=days) if days else None,
        }
