from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import Enterprise
from events.forms import on_register
from events.models import LeadingGuest
from events.services import leading


class LeadingGuestForm(Form):
    order = forms.IntegerField(min_value=1, max_value=999, required=False, label=_("Order"))
    enterprise = forms.CharField(
        max_length=200, label=_("Enterprise"), help_text=_("As it is named on the register")
    )
    text_zh = forms.CharField(max_length=200, required=False, label=_("Line in Chinese"))
    text_en = forms.CharField(max_length=200, required=False, label=_("Line in English"))

    def clean_enterprise(self) -> Enterprise:
        typed = self.cleaned_data["enterprise"].strip()
        known: LeadingGuest | None = self.initial.get("row")
        if known is not None and typed == known.enterprise.name:
            return known.enterprise  # not verified any more, perhaps, and still on the list
        found = on_register(typed)
        if found is None:
            raise forms.ValidationError(
                gettext("Not on the register under this name: %(names)s"), params={"names": typed}
            )
        return found

    @staticmethod
    def of(row: LeadingGuest) -> dict[str, Any]:
        return {
            "row": row,
            "order": row.order,
            "enterprise": row.enterprise.name,
            "text_zh": row.text_zh,
            "text_en": row.text_en,
        }


LeadingGuestFormSet = formset_factory(
    LeadingGuestForm, extra=2, max_num=leading.MOST, can_delete=True
)
