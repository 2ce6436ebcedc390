from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import Report


class ReportForm(Form):
    reason = forms.ChoiceField(
        choices=Report.Reason.choices, label=_("What is wrong?"), widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("In your words"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
