from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form


class DocumentForm(Form):
    title_zh = forms.CharField(max_length=120, label=_("Title in Chinese"))
    title_en = forms.CharField(max_length=160, label=_("Title in English"))
    upload = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG or JPEG"),
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg"}),
    )
