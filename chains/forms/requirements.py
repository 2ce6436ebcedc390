"""The form of a requirement: its facts, and rows of lines and conditions that come and go without JavaScript."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q
from django.forms.utils import ErrorDict
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from chains import conditions, moderation, search
from chains.errors import DomainError
from chains.forms import DateInput, Form, RegionField, stored_sentences
from chains.models import (
    Category,
    Chain,
    Condition,
    Contact,
    CooperationKind,
    DockingKind,
    Enterprise,
    Period,
    Project,
    Requirement,
    RequirementLine,
    Unit,
    User,
)
from chains.quantities import Amount, Units, parse_quantity
from chains.searchtext import fold
from chains.services.requirement_writing import ConditionDraft, LineDraft
from chains.services.requirements import RemarkDraft
from chains.templatetags.localised import is_chinese, localised, money, number

NEW = "new"


class KeptForm(Form):
    """A form that can be shown again as it was typed, without saying yet what is wrong with it."""

    def keep(self) -> None:
        self._errors = ErrorDict()


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return localised(obj)


class RequirementForm(KeptForm):
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=160,
        required=False,
        help_text=gettext_lazy("Say the product first; suppliers scan the first five words"),
    )
    project = forms.ChoiceField(
        label=gettext_lazy("Project"),
        required=False,
        help_text=gettext_lazy("Suppliers see why you need it"),
    )
    chain = RowField(Chain.objects.none(), label=gettext_lazy("Chain served"), required=False)
    region = RegionField(
        label=gettext_lazy("Delivered to"),
        required=False,
        help_text=gettext_lazy(
            "Type a part of the name in Chinese, pinyin or English, or the code"
        ),
    )
    docking_kind = forms.ChoiceField(label=gettext_lazy("Docking kind"), widget=forms.RadioSelect)
    seeks = forms.ChoiceField(
        label=gettext_lazy("You look for"),
        choices=Requirement.Seeks.choices,
        widget=forms.RadioSelect,
    )
    cooperation_kinds = RowsField(
        CooperationKind.objects.filter(is_active=True),
        to_field_name="code",
        label=gettext_lazy("Forms of cooperation"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    needed_by_on = forms.DateField(
        label=gettext_lazy("Needed by"), required=False, widget=DateInput
    )
    closes_on = forms.DateField(
        label=gettext_lazy("Interests until"), required=False, widget=DateInput
    )
    answer_by_on = forms.DateField(
        label=gettext_lazy("You answer by"), required=False, widget=DateInput
    )
    is_urgent = forms.BooleanField(label=gettext_lazy("Urgent"), required=False)
    import_substitution = forms.BooleanField(
        label=gettext_lazy("Replaces an imported product"), required=False
    )
    text = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    question_1 = forms.CharField(label=gettext_lazy("Question 1"), max_length=200, required=False)
    question_2 = forms.CharField(label=gettext_lazy("Question 2"), max_length=200, required=False)
    question_3 = forms.CharField(label=gettext_lazy("Question 3"), max_length=200, required=False)
    contact_policy = forms.ChoiceField(
        label=gettext_lazy("Contact policy"),
        choices=Requirement.ContactPolicy.choices,
        widget=forms.RadioSelect,
    )
    contact = forms.ChoiceField(label=pgettext_lazy("person", "Contact"), required=False)

    QUESTIONS = ("question_1", "question_2", "question_3")
    # What must stand before a desk can look at it; a draft may lack all of it.
    NEEDED = {
        "title": gettext_lazy("Enter a title, for example “Junction boxes for 182 mm modules”."),
        "closes_on": gettext_lazy("Choose a closing day."),
        "answer_by_on": gettext_lazy("Choose the day by which you answer every interest."),
        "contact": gettext_lazy("Choose a contact."),
    }

    def __init__(
        self,
        *args: Any,
        enterprise: Enterprise,
        by: User,
        is_final: bool,
        is_new: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.is_final, self.is_new = is_final, is_new
        self.projects = list(Project.objects.filter(enterprise=enterprise).order_by("-pk"))
        bodies = [enterprise.pk, *(m.enterprise_id for m in by.active_memberships if m.may_edit)]
        self.contacts = list(
            Contact.objects.filter(
                Q(enterprise=enterprise) | Q(enterprise__in=bodies, enterprise__kind="association"),
                is_active=True,
            ).order_by("pk")
        )
        self.kinds = list(DockingKind.objects.filter(is_active=True).order_by("order"))
        self._choices()

    def _choices(self) -> None:
        for name in self.NEEDED:
            # Not yet for a draft, but nobody should take it for optional.
            self.fields[name].widget.is_required = True
        projects = [(p.public_id, project_label(p)) for p in self.projects]
        self._choose("project", [("", _("No project")), *projects, (NEW, _("New project…"))])
        people = [(c.public_id, contact_label(c)) for c in self.contacts]
        self._choose("contact", [*people, (NEW, _("New contact…"))])
        self._choose("docking_kind", [(kind.code, localised(kind)) for kind in self.kinds])
        chain = self.fields["chain"]
        assert isinstance(chain, forms.ModelChoiceField)
        chain.queryset = Chain.objects.filter(is_active=True)
        chain.to_field_name = "code"
        chain.empty_label = _("None in particular")

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_closes_on(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data["closes_on"]
        today = timezone.localdate()
        # What is published may keep the day it has, today included.
        if day and self.is_final and (day < today or (self.is_new and day == today)):
            raise forms.ValidationError(
                _("Choose a date after today, %(today)s.") % {"today": today.isoformat()}
            )
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.is_final:
            for name, sentence in self.NEEDED.items():
                is_brought = name == "contact" and not self.contacts
                if not data.get(name) and name not in self.errors and not is_brought:
                    self.add_error(name, str(sentence))
        closes, answers = data.get("closes_on"), data.get("answer_by_on")
        if closes and answers and answers < closes:
            self.add_error("answer_by_on", _("Choose a day that is not before interests close."))
        return data

    @property
    def questions(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.QUESTIONS if self.cleaned_data[name]]

    @property
    def chosen_project(self) -> Project | None:
        code = self.cleaned_data["project"]
        return next((p for p in self.projects if p.public_id == code), None)

    @property
    def chosen_contact(self) -> Contact | None:
        code = self.cleaned_data["contact"]
        return next((c for c in self.contacts if c.public_id == code), None)

    def docking_groups(self) -> list[tuple[str, list[Any]]]:
        """The radios under the names of their families."""
        families = {kind.code: kind.family for kind in self.kinds}
        return _grouped(self["docking_kind"], families, dict(DockingKind.Family.choices))

    def cooperation_groups(self) -> list[tuple[str, list[Any]]]:
        groups = dict(CooperationKind.objects.values_list("code", "group"))
        return _grouped(self["cooperation_kinds"], groups, dict(CooperationKind.Group.choices))


def _grouped(
    field: forms.BoundField, group_of: Mapping[str, str], labels: Mapping[Any, Any]
) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for choice in field:
        found.setdefault(group_of.get(str(choice.data["value"]), ""), []).append(choice)
    return [(str(labels.get(group, "")), choices) for group, choices in found.items()]


def project_label(project: Project) -> str:
    parts = [
        project.name,
        money(project.amount_cents, project.currency),
        project.get_stage_display(),
    ]
    return ("，" if is_chinese() else ", ").join(part for part in parts if part)


def contact_label(contact: Contact) -> str:
    return " · ".join(part for part in (contact.job_title, contact.name) if part) or contact.phone


class ProjectForm(KeptForm):
    """An investment project told of in the same breath."""

    name = forms.CharField(label=gettext_lazy("Name of the project"), max_length=160)
    amount = forms.CharField(
        label=gettext_lazy("Investment in yuan"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("For example 320,000,000 or 3.2 亿"),
    )
    stage = forms.ChoiceField(label=gettext_lazy("Stage"), choices=Project.Stage.choices)

    def clean_amount(self) -> int | None:
        text = self.cleaned_data["amount"]
        if not text:
            return None
        bare = (
            text.upper()
            .replace("CNY", "")
            .replace("RMB", "")
            .replace("¥", "")
            .rstrip(" 元")
            .strip()
        )
        try:
            value = parse_quantity(bare, Units([])).value
        except DomainError as refused:
            raise forms.ValidationError(str(refused)) from refused
        return None if value is None else int(value * 100)

    def fields_of_project(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"name": data["name"], "amount_cents": data["amount"], "stage": data["stage"]}


class ContactForm(KeptForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    job_title = forms.CharField(label=gettext_lazy("Job title"), max_length=80, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("phone") and not data.get("email") and "email" not in self.errors:
            self.add_error("phone", _("Enter a phone number or an e-mail address."))
        return data


# --- Rows ---------------------------------------------------------------------------------------------


class CodesField(forms.Field):
    """The codes of boxes that a list of suggestions brought along."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(code) for code in value or []]


class Register:
    """What rows are read against, loaded once for all of them and only when a row asks."""

    @cached_property
    def units(self) -> Units:
        return Units(self.unit_rows)

    @cached_property
    def unit_rows(self) -> list[Unit]:
        return list(Unit.objects.filter(is_active=True))

    @cached_property
    def _units_by_code(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in self.unit_rows}

    @cached_property
    def _categories(self) -> dict[str, Category]:
        """Every name, code and synonym; the name goes before the synonym, the leaf before what it lies in."""
        found: dict[str, Category] = {}
        rows = list(Category.objects.filter(is_active=True).select_related("segment"))
        rows.sort(key=lambda row: (-row.level, row.order, row.pk))
        for row in rows:
            for word in (row.code, row.name_zh, row.name_en):
                found.setdefault(fold(word), row)
        for row in rows:
            for word in (*row.synonyms_zh, *row.synonyms_en):
                found.setdefault(fold(word), row)
        return found

    def category(self, word: str) -> Category | None:
        return self._categories.get(fold(word))

    def unit(self, code: str | None) -> Unit | None:
        return self._units_by_code.get(code or "")


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

    def _suggest(self, name: str) -> None:
        """While one types, categories are proposed under the row; without JavaScript nothing is missing."""
        url = reverse("matchmaking:category_suggest")
        query = urlencode({"name": f"{self.prefix}-picked", "source": f"{self.prefix}-{name}"})
        self.fields[name].widget.attrs |= {
            "hx-get": f"{url}?{query}",
            "hx-trigger": "input changed delay:400ms",
            "hx-target": f"#{self.prefix}-suggest",
            "hx-swap": "innerHTML",
            "hx-include": f"#{self.prefix}-suggest input:checked",
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
            self.candidates = search.categories(typed, 5) or search.categories(
                self.cleaned_data.get("text") or "", 5
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
            self.add_error("unit" if refused.code == "quantity.unit" else "quantity", str(refused))

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


class RemarkForm(KeptForm):
    """What the desk asks for, on a line or on the whole."""

    code = forms.ChoiceField(label=gettext_lazy("Saved remark"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Remark"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "data-remark": ""}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        assert isinstance(code, forms.ChoiceField)
        code.choices = [("", _("Choose a remark")), *moderation.RemarkReason.choices]
        code.widget.attrs["data-remark"] = ""

    def draft(self, line: RequirementLine | None = None) -> RemarkDraft | None:
        data = self.cleaned_data
        if not data["code"] and not data["text"].strip():
            return None
        return RemarkDraft(code=data["code"], text=data["text"], line=line)


ROWS: dict[str, type[LineForm] | type[ConditionForm]] = {
    "line": LineForm,
    "condition": ConditionForm,
}
Data = MultiValueDict[str, str]


class Posting:
    """All forms of the page together. `data` is what was posted; without it the stored rows stand there."""

    def __init__(
        self,
        data: Data | None,
        *,
        enterprise: Enterprise,
        by: User,
        requirement: Requirement | None = None,
        is_final: bool = False,
    ) -> None:
        self.data, self.requirement, self.enterprise, self.by = data, requirement, enterprise, by
        self.register = Register()
        self.is_final = is_final
        is_new = requirement is None or not requirement.published_at
        self.form = RequirementForm(
            data,
            initial=_initial(requirement, enterprise),
            enterprise=enterprise,
            by=by,
            is_final=is_final,
            is_new=is_new,
        )
        self.project = ProjectForm(data, prefix="project")
        self.new_contact = ContactForm(data, prefix="contact")
        self.lines: list[LineForm] = [
            self._line(index, start) for index, start in self._rows("line")
        ]
        self.conditions: list[ConditionForm] = [
            self._condition(index, start) for index, start in self._rows("condition")
        ]

    # A row is known by its index, posted once for each: rows may be missing in between.
    def _rows(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        if self.data is not None:
            indices = [int(i) for i in self.data.getlist(kind) if i.isascii() and i.isdigit()]
            known = list(dict.fromkeys(indices))[: 2 * Requirement.MAX_LINES]
            return [(index, dict[str, Any]()) for index in known]
        stored = list(_stored(kind, self.requirement))
        return list(enumerate(stored)) or [(0, {})]

    def _line(self, index: int, initial: dict[str, Any], data: Data | None = None) -> LineForm:
        return LineForm(
            data if data is not None else self.data,
            prefix=f"line-{index}",
            initial=initial,
            register=self.register,
        )

    def _condition(self, index: int, initial: dict[str, Any]) -> ConditionForm:
        return ConditionForm(
            self.data, prefix=f"condition-{index}", initial=initial, register=self.register
        )

    def keep(self) -> None:
        """Show everything as typed, without complaints."""
        for form in (self.form, self.project, self.new_contact, *self.lines, *self.conditions):
            form.keep()

    def add(self, kind: str) -> None:
        rows = self.lines if kind == "line" else self.conditions
        index = 1 + max((row.index for row in rows), default=-1)
        if kind == "line" and len(self.lines) < Requirement.MAX_LINES:
            self.lines.append(LineForm(prefix=f"line-{index}", register=self.register))
        elif kind == "condition":
            self.conditions.append(
                ConditionForm(prefix=f"condition-{index}", register=self.register)
            )

    def remove(self, name: str) -> None:
        """`name` is the prefix of the row: line-3, condition-0."""
        self.lines = [row for row in self.lines if row.prefix != name]
        self.conditions = [row for row in self.conditions if row.prefix != name]

    # --- After a post ---

    @property
    def wants_project(self) -> bool:
        return bool(self.form["project"].value() == NEW)

    @property
    def wants_contact(self) -> bool:
        return bool(self.form["contact"].value() == NEW) or not self.form.contacts

    @cached_property
    def brings_contact(self) -> bool:
        """A draft may leave the new contact's fields empty for now."""
        typed = any(str(bound.value() or "").strip() for bound in self.new_contact)
        return self.wants_contact and (typed or self.is_final)

    def _parts(self) -> list[KeptForm]:
        parts: list[KeptForm] = [self.form, *self.lines, *self.conditions]
        for form, is_wanted in (
            (self.project, self.wants_project),
            (self.new_contact, self.brings_contact),
        ):
            if is_wanted:
                parts.append(form)
            else:
                form.keep()
        return parts

    def is_valid(self) -> bool:
        # Every part is asked, so that all that is wrong is said at once.
        valid = not [part for part in self._parts() if not part.is_valid()]
        if self.is_final and all(row.is_blank for row in self.lines):
            self.form.add_error(None, _("Enter at least one line."))
            return False
        return self._line_numbers_fit() and valid

    def _line_numbers_fit(self) -> bool:
        # A line with a mistake in another field is there all the same.
        count = sum(not row.is_blank for row in self.lines)
        fits = True
        for row in self.conditions:
            asked = row.cleaned_data.get("line") if not row.is_blank else None
            if asked and asked > count:
                row.add_error("line", _("There are %(count)d lines.") % {"count": count})
                fits = False
        return fits

    def _filled_lines(self) -> list[LineForm]:
        return [row for row in self.lines if row.is_valid() and not row.is_blank]

    def line_drafts(self) -> list[LineDraft]:
        own: dict[int, list[ConditionDraft]] = {}
        for row in self.conditions:
            if not row.is_blank and row.cleaned_data["line"]:
                own.setdefault(row.cleaned_data["line"], []).append(row.draft())
        return [row.draft(own.get(place, [])) for place, row in enumerate(self._filled_lines(), 1)]

    def condition_drafts(self) -> list[ConditionDraft]:
        return [
            row.draft()
            for row in self.conditions
            if not row.is_blank and not row.cleaned_data["line"]
        ]

    def fields(self) -> dict[str, Any]:
        """What the service takes, but for project and contact, which may be new."""
        data = self.form.cleaned_data
        kinds = {kind.code: kind for kind in self.form.kinds}
        plain = (
            "title", "text", "seeks", "chain", "region", "needed_by_on", "closes_on", "answer_by_on",
            "is_urgent", "import_substitution", "contact_policy", "cooperation_kinds",
        )  # fmt: skip
        return {name: data[name] for name in plain} | {"docking_kind": kinds[data["docking_kind"]]}

    def meanwhile(self, requirement: Requirement, names: Sequence[str]) -> list[str]:
        """What the facts `names` of the requirement say now, beside what was typed here."""
        stored = Posting(None, enterprise=self.enterprise, by=self.by, requirement=requirement)
        asked = [*self.form.QUESTIONS] if "questions" in names else []
        found = stored_sentences(self.form, stored.form, [*names, *asked])
        if "conditions" in names:
            found.append(_("The conditions for all lines were changed."))
        if "is_accepted" in names:
            found.append(
                _("The desk has accepted it: what you save is shown to everybody at once.")
            )
        places = {row["public_id"].value(): place for place, row in enumerate(stored.lines, 1)}
        typed = {row["public_id"].value(): row for row in self.lines}
        for name in names:
            if name in places:
                found += _line_meanwhile(
                    typed.get(name), stored.lines[places[name] - 1], places[name]
                )
            elif name in typed:
                found.append(
                    _("“%(text)s” has ended or was removed. Saved again, it becomes a new line.")
                    % {"text": typed[name]["text"].value()}
                )
        return found

    def warnings(self) -> list[str]:
        return [
            _("Line %(number)d: %(sentence)s") % {"number": place, "sentence": row.warning}
            for place, row in enumerate(self._filled_lines(), 1)
            if row.warning
        ]

    def faults(self) -> list[tuple[str, str]]:
        """For the summary: where, and what to do."""
        return [pair for part in self._parts() for pair in self._faults_of(part)]

    def _faults_of(self, part: KeptForm) -> Iterator[tuple[str, str]]:
        where = ""
        if isinstance(part, LineForm):
            where = _("Line %(number)d") % {"number": self.lines.index(part) + 1}
        elif isinstance(part, ConditionForm):
            where = _("Condition %(number)d") % {"number": self.conditions.index(part) + 1}
        for sentence in part.non_field_errors():
            yield "main", str(sentence)
        for bound in part:
            for sentence in bound.errors:
                label = " · ".join(filter(None, (where, str(bound.label))))
                text = _("%(label)s: %(sentence)s") % {"label": label, "sentence": sentence}
                yield bound.id_for_label or bound.auto_id, text


def _line_meanwhile(typed: LineForm | None, stored: LineForm, place: int) -> list[str]:
    if typed is None:
        return [
            _("Line %(number)d, “%(text)s”, is not among yours. Saved again, it is taken out.")
            % {"number": place, "text": stored["text"].value()}
        ]
    names = [name for name in stored.fields if name not in ("public_id", "picked")]
    # A changed condition of the line shows in no field of its row.
    found = stored_sentences(typed, stored, names) or [_("changed, or its conditions were")]
    return [
        _("Line %(number)d · %(sentence)s") % {"number": place, "sentence": sentence}
        for sentence in found
    ]


def blank_row(kind: str, index: int) -> LineForm | ConditionForm:
    return ROWS[kind](prefix=f"{kind}-{index}", register=Register())


def _initial(requirement: Requirement | None, enterprise: Enterprise) -> dict[str, Any]:
    if requirement is None:
        return {
            "region": enterprise.region,
            "docking_kind": "supply_sales",
            "seeks": Requirement.Seeks.SUPPLIER,
            "contact_policy": Requirement.ContactPolicy.ACCEPTED,
        }
    plain = (
        "title", "text", "seeks", "region", "needed_by_on", "closes_on", "answer_by_on", "is_urgent",
        "import_substitution", "contact_policy",
    )  # fmt: skip
    start: dict[str, Any] = {name: getattr(requirement, name) for name in plain}
    questions = requirement.questions.values_list("text", flat=True)
    start |= dict(zip(RequirementForm.QUESTIONS, questions, strict=False))
    return start | {
        "docking_kind": requirement.docking_kind_id,
        "chain": requirement.chain.code if requirement.chain else None,
        "cooperation_kinds": [kind.code for kind in requirement.cooperation_kinds.all()],
        "project": requirement.project.public_id if requirement.project else "",
        "contact": requirement.contact.public_id if requirement.contact else None,
    }


def _stored(kind: str, requirement: Requirement | None) -> Iterator[dict[str, Any]]:
    if requirement is None:
        return
    lines = list(requirement.lines.open().select_related("category", "unit").order_by("number"))
    if kind == "line":
        yield from (_line_initial(line) for line in lines)
        return
    places = {line.pk: place for place, line in enumerate(lines, 1)}
    for row in requirement.conditions.all():
        if row.line_id is None or row.line_id in places:
            yield {
                "kind": row.kind,
                "strength": row.strength,
                "text": row.text,
                "line": places.get(row.line_id or 0),
            }


def _line_initial(line: RequirementLine) -> dict[str, Any]:
    return {
        "public_id": line.public_id,
        "text": line.text,
        "category": localised(line.category),
        "quantity": number(line.quantity) if isinstance(line.quantity, Decimal) else "",
        "unit": localised(line.unit),
        "period": line.period,
        "specification": line.specification,
        "needed_by_on": line.needed_by_on,
    }
