"""What every form of the project shares: Bootstrap's classes, marked errors, rows named in the reader's language, regions typed by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.template.loader import render_to_string
from django.utils.choices import flatten_choices
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains import search
from chains.models import Region
from chains.templatetags.localised import localised

_CLASSES: list[tuple[type[forms.Widget], str]] = [
    (forms.CheckboxInput, "form-check-input"),
    (forms.CheckboxSelectMultiple, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.Select, "form-select"),
]


class BoundField(forms.BoundField):
    """Gives the control its Bootstrap class, and `is-invalid` when something is wrong with it."""

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        classes = [str(widget.attrs.get("class", "")), self._css(widget)]
        if self.errors:
            classes.append("is-invalid")
        attrs["class"] = " ".join(filter(None, classes))
        if "placeholder" in widget.attrs:
            # The sign-in package repeats each label in its field, where it reads like something filled in.
            attrs["placeholder"] = False
        return attrs

    @staticmethod
    def _css(widget: forms.Widget) -> str:
        return next((css for kind, css in _CLASSES if isinstance(widget, kind)), "form-control")


class _SaysWhatToEnter(forms.BaseForm):
    """Django says “Ensure this value is greater than or equal to 0”; a person is told which numbers are taken."""

    def add_error(self, field: str | None, error: Any) -> None:
        taken = self.fields.get(field or "")
        # Decimals are integers of Django's; a day has bounds too, and says them by itself.
        if isinstance(taken, forms.IntegerField) and isinstance(error, ValidationError):
            for one in getattr(error, "error_list", ()):
                if one.code in ("min_value", "max_value") and one.code not in taken.error_messages:
                    one.message = _range_of(taken)
        super().add_error(field, error)


def _range_of(field: forms.IntegerField) -> str:
    if field.max_value is None:
        return gettext("Enter a number of at least %(least)s.") % {"least": field.min_value}
    return gettext("Enter a number from %(least)s to %(most)s.") % {
        "least": field.min_value,
        "most": field.max_value,
    }


class Form(_SaysWhatToEnter, forms.Form):
    bound_field_class = BoundField
    # The summary and the pages mark what is required in words, not by the browser's bubbles: those
    # speak the browser's language, not the page's.
    use_required_attribute = False


class KeptForm(Form):
    """A form that can be shown again as it was typed, without saying yet what is wrong with it."""

    def keep(self) -> None:
        self._errors = ErrorDict()


class ModelForm(_SaysWhatToEnter, forms.ModelForm):  # type: ignore[type-arg]  # Django cannot subscript it
    bound_field_class = BoundField
    use_required_attribute = False


class LocalisedChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows by their name in the reader's language; a dash is none."""

    def __init__(self, *args: Any, empty_label: Any = "–", **kwargs: Any) -> None:
        super().__init__(*args, empty_label=empty_label, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class LocalisedChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # as above
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


def stored_sentences(
    typed: forms.BaseForm, stored: forms.BaseForm, names: Iterable[str]
) -> list[str]:
    """What stands in the fields `names` now, for a reader whose own words differ from it."""
    return [
        gettext("%(label)s: “%(value)s” now")
        % {"label": stored[name].label, "value": shown(stored[name])}
        for name in names
        if name in stored.fields and _plain(typed[name].value()) != _plain(stored[name].value())
    ]


def shown(bound: forms.BoundField) -> str:
    """The value of a field in words."""
    value = bound.value()
    choices: Iterable[Any] = flatten_choices(getattr(bound.field, "choices", ()))
    labels = {str(code): str(label) for code, label in choices}
    values = value if isinstance(value, list | tuple) else [value]
    words = [labels.get(_plain(one), _plain(one)) for one in values]
    return " · ".join(word for word in words if word) or "–"


def _plain(value: Any) -> str:
    """As the browser sends it, whether it was stored or typed."""
    if isinstance(value, dict):  # a region, as its field reads it
        return str(value["code"])
    if isinstance(value, Region):
        return value.code
    if isinstance(value, list | tuple):
        return " ".join(sorted(_plain(one) for one in value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "" if value is None else " ".join(str(value).split())


class DateInput(forms.DateInput):
    """The browser's own calendar; `format` so that a stored day is shown in every browser."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class RegionInput(forms.Widget):
    """A text to type and, below it, the regions found as radios. Works as a plain form: sending a text

    that fits several regions brings them back to choose from; with htmx they appear while typing.
    """

    template = "components/region_input.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        return {
            "code": (data.get(name) or "").strip(),
            "typed": (data.get(f"{name}_q") or "").strip(),
            "find": f"{name}_find" in data,
        }

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_q" not in data

    def id_for_label(self, id_: str | None, index: str = "0") -> str:
        return f"{id_}_q" if id_ else ""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        typed, code = "", ""
        if isinstance(value, dict):
            typed, code = value["typed"], value["code"]
        elif isinstance(value, Region):
            code = value.code
        elif value:
            code = str(value)
        return render_to_string(
            self.template,
            {
                "name": name,
                "typed": typed,
                "selected": code,
                "regions": region_choices(typed, code),
                "attrs": {key: v for key, v in (attrs or {}).items() if key != "id"},
                "id": (attrs or {}).get("id") or f"id_{name}",
            },
        )


def region_choices(typed: str, code: str) -> list[Region]:
    """What to offer: the region chosen so far, then those that answer the text."""
    chosen = (
        list(Region.objects.filter(code=code).select_related("parent__parent__parent"))
        if code
        else []
    )
    found = search.regions(typed) if typed else []
    return chosen + [region for region in found if region not in chosen]


class RegionField(forms.Field):
    """A region by its radio, or by a text that names exactly one."""

    widget = RegionInput
    default_error_messages = {
        "none": _(
            "No region is called this. Type a part of its name in Chinese, pinyin or English, or its code."
        ),
        "several": _("Several regions are called this. Choose one of them below."),
        "choose": _("Choose one of the regions found, then go on."),
    }

    def clean(self, value: Any) -> Region | None:
        value = value or {"code": "", "typed": "", "find": False}
        if isinstance(value, Region):
            return value
        if value["find"] and value["typed"]:
            key = "choose" if search.regions(value["typed"], 1) else "none"
            raise forms.ValidationError(self.error_messages[key], code=key)
        if value["code"]:
            region = (
                Region.objects.filter(code=value["code"], is_active=True)
                .select_related("parent__parent")
                .first()
            )
            if region is None:
                raise forms.ValidationError(self.error_messages["none"], code="none")
            return region
        if value["typed"]:
            return self._only(value["typed"])
        if self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return None

    def _only(self, typed: str) -> Region:
        found = search.regions(typed, 2)
        if not found:
            raise forms.ValidationError(self.error_messages["none"], code="none")
        exact = [r for r in found if typed in (r.name_zh, r.name_en, r.code)]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        raise forms.ValidationError(self.error_messages["several"], code="several")

    def has_changed(self, initial: Any, data: Any) -> bool:
        code = getattr(initial, "code", initial) or ""
        return bool((data or {}).get("code", "") != code)
