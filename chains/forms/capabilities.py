from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chains.errors import DomainError
from chains.forms import DateInput, Form, LocalisedChoice, LocalisedChoices
from chains.models import (
    Capability,
    CapabilityReference,
    Category,
    CooperationKind,
    Enterprise,
    Period,
    Unit,
)
from chains.quantities import parse_figure
from chains.services import capabilities

MONTHS = 12


class AmountField(forms.DecimalField):
    """A figure as people write it: 200,000 · 20万."""

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        try:
            return parse_figure(str(value or ""))
        except DomainError as refused:
            raise forms.ValidationError(str(refused), code="invalid") from refused


class CapabilityForm(Form):
    title_zh = forms.CharField(
        label=_("Title in Chinese"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"lang": "zh-Hans"}),
    )
    title_en = forms.CharField(
        label=_("Title in English"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"lang": "en"}),
    )
    text_zh = forms.CharField(
        label=_("Text in Chinese"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "lang": "zh-Hans"}),
    )
    text_en = forms.CharField(
        label=_("Text in English"),
        max_length=3000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "lang": "en"}),
    )
    categories = LocalisedChoices(
        label=_("Categories"),
        queryset=Category.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
        widget=forms.SelectMultiple,
    )
    cooperation_kinds = LocalisedChoices(
        label=_("Kinds of cooperation"),
        queryset=CooperationKind.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
    )
    certifications = forms.MultipleChoiceField(
        label=_("Certificates"), required=False, widget=forms.CheckboxSelectMultiple
    )
    capacity = AmountField(
        label=_("Capacity"),
        min_value=Decimal("0.001"),
        error_messages={"min_value": _("Enter a capacity above 0.")},
        max_digits=15,
        decimal_places=3,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    unit = LocalisedChoice(
        label=_("Unit"),
        queryset=Unit.objects.filter(is_active=True),
        to_field_name="code",
        required=False,
    )
    period = forms.ChoiceField(
        label=_("Period"),
        choices=[(Period.YEAR, _("a year")), (Period.MONTH, _("a month"))],
        required=False,
    )
    lead_time_days = forms.IntegerField(
        label=_("Delivery, days"),
        min_value=0,
        max_value=3650,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    sample_days = forms.IntegerField(
        label=_("Sample lead time, days"),
        min_value=0,
        max_value=3650,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    is_new = forms.BooleanField(label=_("This is a new product"), required=False)
    valid_until_on = forms.DateField(
        label=_("Valid until"),
        widget=DateInput,
        required=False,
        help_text=_("Afterwards it is taken out of sight; empty: no end"),
    )

    def __init__(
        self,
        *args: Any,
        enterprise: Enterprise,
        capability: Capability | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {"period": Period.YEAR} | (_initial(capability) if capability else {})
        super().__init__(*args, **kwargs)
        self.certificates = capabilities.certificates_to_choose(enterprise)
        self.fields["certifications"].choices = [  # type: ignore[attr-defined]
            (row.public_id, str(row.kind)) for row in self.certificates
        ]

    def clean_certifications(self) -> list[Any]:
        chosen = set(self.cleaned_data["certifications"])
        return [row for row in self.certificates if row.public_id in chosen]

    def clean_categories(self) -> list[Category]:
        chosen = list(self.cleaned_data["categories"])
        most = Capability.MAX_CATEGORIES
        if len(chosen) > most:
            raise forms.ValidationError(
                ngettext_lazy(
                    "Choose at most %(most)d category.", "Choose at most %(most)d categories.", most
                )
                % {"most": most},
                code="many",
            )
        return chosen

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("title_zh") and not data.get("title_en"):
            self.add_error("title_zh", _("Enter a title in Chinese or in English."))
        if data.get("capacity") and not data.get("unit"):
            self.add_error("unit", _("Choose the unit of the capacity."))
        return data

    def values(self) -> dict[str, Any]:
        """What the service takes: a month's capacity as a year's."""
        data = dict(self.cleaned_data)
        capacity, period = data.pop("capacity"), data.pop("period")
        if capacity is not None and period == Period.MONTH:
            capacity *= MONTHS
        return data | {"yearly_capacity": capacity}


def _initial(row: Capability) -> dict[str, Any]:
    return {
        **{field: getattr(row, field) for field in capabilities.FIELDS if field != "unit"},
        "capacity": None if row.yearly_capacity is None else f"{row.yearly_capacity.normalize():f}",
        "unit": row.unit.code if row.unit else None,
        "categories": [category.code for category in row.categories.all()],
        "cooperation_kinds": [kind.code for kind in row.cooperation_kinds.all()],
        "certifications": [held.public_id for held in row.certifications.all()],
    }


class ReferenceForm(Form):
    text = forms.CharField(label=_("What was supplied"), max_length=200, required=False)
    customer = forms.CharField(label=_("For whom"), max_length=120, required=False)
    year = forms.IntegerField(
        label=_("Year"),
        min_value=capabilities.FIRST_YEAR,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    place = forms.CharField(label=_("Where"), max_length=80, required=False)

    def clean_year(self) -> int | None:
        year: int | None = self.cleaned_data["year"]
        if year is not None and year > timezone.localdate().year:
            raise forms.ValidationError(_("This year is still to come."), code="future")
        return year

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("text") and not self.errors and any(data.values()):
            self.add_error("text", _("Say of each reference what was supplied."))
        return data


class BaseReferences(forms.BaseFormSet):  # type: ignore[type-arg]  # Django cannot subscript it
    def values(self) -> list[dict[str, Any]]:
        """What the service takes; an emptied row is none."""
        return [form.cleaned_data for form in self.forms if any(form.cleaned_data.values())]


_PREFIX = "references"
_References = forms.formset_factory(
    ReferenceForm,
    formset=BaseReferences,
    extra=1,
    max_num=CapabilityReference.MOST,
    absolute_max=2 * CapabilityReference.MOST,
    validate_max=True,
)


def references_of(capability: Capability | None, data: QueryDict | None = None) -> BaseReferences:
    """The rows of references as stored, or as typed; `more` among what was sent asks for one row more."""
    if data is not None and f"{_PREFIX}-TOTAL_FORMS" not in data:
        data = None
    if data is not None and "more" in data:
        data = data.copy()
        total = str(data[f"{_PREFIX}-TOTAL_FORMS"])
        if len(total) < 3 and total.isdecimal() and int(total) < CapabilityReference.MOST:
            data[f"{_PREFIX}-TOTAL_FORMS"] = str(int(total) + 1)
    stored = [] if capability is None else list(capability.references.all())
    initial = [
        {"text": row.text, "customer": row.customer, "year": row.year, "place": row.place}
        for row in stored
    ]
    return cast("BaseReferences", _References(data, initial=initial, prefix=_PREFIX))
