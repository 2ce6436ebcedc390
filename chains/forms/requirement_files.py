from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import RequirementFile


class RequirementFileForm(Form):
    upload = forms.FileField(
        label=_("Drawing, data sheet"),
        help_text=_("PDF, JPEG, PNG, DWG, DXF, STEP, IGES or XLSX; 8 MB at most"),
    )
    visibility = forms.ChoiceField(
        choices=RequirementFile.Visibility.choices,
        initial=RequirementFile.Visibility.ACCEPTED,
        label=_("Who may open it"),
    )
