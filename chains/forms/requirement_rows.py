"""Rows of lines and conditions that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import conditions, search
from chains.errors import DomainError
from chains.forms import DateInput, KeptForm
from chains.forms.register import Register
from chains.models import Category, Condition, Period, Requirement
from chains.quantities import Amount, parse_quantity
from chains.services.requirement_writing import ConditionDraft, LineDraft


class CodesField(forms.Field):
    """The codes of boxes that a list of suggestions brought along."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(code) for code in value or []]


class RowForm(KeptForm):
    """A form that knows its place by its prefix: line-3."""

    @property
    def index(self) -> int:
        return int(str(self.prefix).rpartition("-")[2])


class LineForm(RowForm):
    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(label=gettext_lazy("What"), max_length=500, required=False)
    category = forms.CharField(label=gettext_lazy("Category"), max_length=160, required=False)
    picked = CodesField(required=False)
    quantity = forms.CharField(label=gettext_lazy("Quantity"), max_length=60, required=False)
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=40, required=False)
    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=Period.choices, required=False)
    specification = forms.CharField(
        label=gettext_lazy("Specification"), max_length=1000, required=False
    )
    needed_by_on = forms.DateField(
        label=gettext_lazy("Needed by"), required=False, widget=DateInput
    )

    def __init__(self, *args: Any, register: Register, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register = register
        self.candidates: list[Category] = []
        self.found: Category | None = None
        self.amount = Amount(None)
        self.fields["unit"].widget.attrs["list"] = "units"
        self.fields["text"].widget.is_required = True
        for name in ("text", "category"):
            self._suggest(name)
        if self["text"].value() and not self["category"].value() and not self["picked"].value():
            # Rows of a list are typed by nobody: they are asked for when somebody looks at them.
            self.fields["text"].widget.attrs["hx-trigger"] += ", revealed once"

    def _suggest(self, name: str) -> None:
        """While one types, categories are proposed under the row; without JavaScript nothing is missing."""
        url = reverse("matchmaking:category_suggest")
        picked, source = f"{self.prefix}-picked", f"{self.prefix}-{name}"
        self.fields[name].widget.attrs |= {
            "hx-post": f"{url}?{urlencode({'name': picked, 'source': source})}",
            "hx-params": f"csrfmiddlewaretoken,{picked},{source}",
            "hx-trigger": "input changed delay:400ms",
            "hx-target": f"#{self.prefix}-suggest",
            "hx-swap": "innerHTML",
            "autocomplete": "off",
        }

    @property
    def is_blank(self) -> bool:
        data = self.cleaned_data
        return not any(
            data.get(n) for n in ("text", "category", "picked", "quantity", "specification")
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.is_blank and not data.get("text") and "text" not in self.errors:
            self.add_error("text", _("Enter the product."))
        self._find_category(data.get("category") or "", data.get("picked") or [])
        self._read_amount(data.get("quantity") or "", data.get("unit") or "")
        return data

    def _find_category(self, typed: str, picked: list[str]) -> None:
        # A box that was ticked says more than the words above it.
        words = [*picked, typed] if typed or picked else []
        self.found = next((c for word in words if (c := self.register.category(word))), None)
        if typed and self.found is None:
            self.candidates = search.categories(typed, 5) or search.fitting_categories(
                self.cleaned_data.get("text") or ""
            )
            self.add_error(
                "category",
                _("No category is called “%(text)s”. Choose one below, or leave it empty.")
                % {"text": typed}
                if self.candidates
                else _("No category is called “%(text)s”. Leave it empty; one will be suggested.")
                % {"text": typed},
            )

    def _read_amount(self, quantity: str, unit: str) -> None:
        try:
            self.amount = parse_quantity(quantity, self.register.units, unit=unit)
        except DomainError as refused:
            is_units = refused.code == "quantity.unit" and unit
            self.add_error("unit" if is_units else "quantity", str(refused))

    @property
    def offered(self) -> list[tuple[Category, bool]]:
        """Categories shown as boxes: those ticked before, then what the typed words may have meant."""
        ticked = [c for code in self["picked"].value() or [] if (c := self.register.category(code))]
        return [(c, True) for c in ticked] + [
            (c, False) for c in self.candidates if c not in ticked
        ]

    @property
    def warning(self) -> str:
        return self.amount.warning

    def draft(self, line_conditions: Sequence[ConditionDraft]) -> LineDraft:
        data = self.cleaned_data
        return LineDraft(
            public_id=data["public_id"],
            text=data["text"],
            category=self.found,
            quantity=self.amount.value,
            unit=self.register.unit(self.amount.unit),
            period=self.amount.period or data["period"] or Period.ONCE,
            specification=data["specification"],
            needed_by_on=data["needed_by_on"],
            conditions=line_conditions,
        )


class ConditionForm(RowForm):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Condition.Kind.choices)
    strength = forms.ChoiceField(label=gettext_lazy("Strength"), choices=Condition.Strength.choices)
    text = forms.CharField(label=gettext_lazy("Value"), max_length=200, required=False)
    line = forms.IntegerField(
        label=gettext_lazy("Line"),
        required=False,
        min_value=1,
        max_value=Requirement.MAX_LINES,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, register: Register, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register = register
        self.parameter: dict[str, Any] = {}

    @property
    def is_blank(self) -> bool:
        return not self.cleaned_data.get("text")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("text") and data.get("kind"):
            units = self.register.units if data["kind"] == Condition.Kind.CAPACITY else None
            try:
                self.parameter = conditions.read(data["kind"], data["text"], units=units)
            except DomainError as refused:
                self.add_error("text", str(refused))
        return data

    def draft(self) -> ConditionDraft:
        data = self.cleaned_data
        return ConditionDraft(
            kind=data["kind"],
            strength=data["strength"],
            text=data["text"],
            parameter=self.parameter,
        )


ROWS: dict[str, type[LineForm] | type[ConditionForm]] = {
    "line": LineForm,
    "condition": ConditionForm,
}


def blank_row(kind: str, index: int) -> LineForm | ConditionForm:
    return ROWS[kind](prefix=f"{kind}-{index}", register=Register())
