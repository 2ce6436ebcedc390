"""The facts of a requirement, its project and its contact."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from chains.errors import DomainError
from chains.forms import DateInput, KeptForm, LocalisedChoice, LocalisedChoices, RegionField
from chains.models import (
    Chain,
    Contact,
    CooperationKind,
    DockingKind,
    Enterprise,
    Project,
    Requirement,
    User,
)
from chains.quantities import Units, parse_quantity
from chains.templatetags.localised import day, is_chinese, localised, money

NEW = "new"


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
    chain = LocalisedChoice(
        Chain.objects.none(), label=gettext_lazy("Chain served"), required=False
    )
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
    cooperation_kinds = LocalisedChoices(
        CooperationKind.objects.filter(is_active=True),
        to_field_name="code",
        label=gettext_lazy("Forms of cooperation"),
        required=False,
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
        chosen: datetime.date | None = self.cleaned_data["closes_on"]
        today = timezone.localdate()
        # What is published may keep the day it has, today included.
        if chosen and self.is_final and (chosen < today or (self.is_new and chosen == today)):
            raise forms.ValidationError(
                _("Choose a date after today, %(today)s.") % {"today": day(today)}
            )
        return chosen

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


CURRENCIES = [
    ("CNY", gettext_lazy("CNY, yuan")),
    ("USD", gettext_lazy("USD, US dollar")),
    ("EUR", gettext_lazy("EUR, euro")),
    ("GBP", gettext_lazy("GBP, pound")),
    ("JPY", gettext_lazy("JPY, yen")),
    ("HKD", gettext_lazy("HKD, Hong Kong dollar")),
    ("KRW", gettext_lazy("KRW, won")),
    ("SGD", gettext_lazy("SGD, Singapore dollar")),
    ("CHF", gettext_lazy("CHF, Swiss franc")),
]
# As people write them beside a figure; the longest first, so that 美元 is no 元.
_WRITTEN = {
    "CNY": "CNY RMB YUAN 人民币 元 ¥",
    "USD": "USD US$ 美元 美金 $",
    "EUR": "EUR EURO EUROS 欧元 €",
    "GBP": "GBP 英镑 £",
    "JPY": "JPY JP¥ 日元 円",
    "HKD": "HKD HK$ 港元 港币",
    "KRW": "KRW 韩元 ₩",
    "SGD": "SGD S$ 新加坡元",
    "CHF": "CHF 瑞士法郎",
}
_SIGNS = sorted(
    ((sign, code) for code, signs in _WRITTEN.items() for sign in signs.split()),
    key=lambda pair: -len(pair[0]),
)
# "20m": of money that is no metre.
_MILLIONS = re.compile(r"(\d)\s*(?:m|mn|mln|mio\.?)$", re.IGNORECASE)


class ProjectForm(KeptForm):
    """An investment project told of in the same breath."""

    name = forms.CharField(label=gettext_lazy("Name of the project"), max_length=160)
    amount = forms.CharField(
        label=gettext_lazy("Investment"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("For example 320,000,000, 3.2 亿 or EUR 20 million"),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), choices=CURRENCIES, required=False, initial="CNY"
    )
    stage = forms.ChoiceField(label=gettext_lazy("Stage"), choices=Project.Stage.choices)

    def clean(self) -> dict[str, Any]:
        """A currency that is named beside the figure is meant, whatever the list stands at."""
        data = super().clean() or self.cleaned_data
        figure, named = _parted(data.get("amount") or "")
        data["currency"] = named or data.get("currency") or "CNY"
        data["amount_cents"] = self._cents(figure) if figure else None
        return data

    def _cents(self, figure: str) -> int | None:
        try:
            value = parse_quantity(_MILLIONS.sub(r"\1 million", figure), Units([])).value
        except DomainError as refused:
            self.add_error("amount", str(refused))
            return None
        return None if value is None else int(value * 100)

    def fields_of_project(self) -> dict[str, Any]:
        return {
            name: self.cleaned_data[name] for name in ("name", "amount_cents", "currency", "stage")
        }


def _parted(text: str) -> tuple[str, str]:
    """The figure, and the code of the currency that is named before it, after it or both ("RMB 3.2 亿元")."""
    bare, named = unicodedata.normalize("NFKC", text).strip(), ""
    for sign, code in _SIGNS:
        if named in ("", code) and bare.upper().startswith(sign):
            bare, named = bare[len(sign) :].strip(), code
        if named in ("", code) and bare.upper().endswith(sign):
            bare, named = bare[: -len(sign)].strip(), code
    return bare, named


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
