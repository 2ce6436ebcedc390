from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Case, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import Condition, Contact, Enterprise, RequirementLine
from matchmaking.models import Interest
from matchmaking.services.interests import ANSWER, Asked
from matchmaking.templatetags.reasons import question


class AddForm(Form):
    """A supplier named by the reviewer; `supplier` is the one chosen where several are called so."""

    name = forms.CharField(label=_("Verified enterprise, any spelling"), max_length=200)
    supplier = forms.CharField(max_length=12, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=500)


class WeightingReasonForm(Form):
    """Why a weighting is put in force, and which one was in force while that was decided."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept with the version; organisers and analysts of the province read it."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": _("Write why the weighting changes: colleagues read it beside the version.")
        },
    )
    instead_of = forms.CharField(max_length=12, widget=forms.HiddenInput)


class LineChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django cannot subscript it
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number}. {obj.text}"


class ContactChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django cannot subscript it
    def label_from_instance(self, obj: Any) -> str:
        # How to reach the person is for the buyer, after the click; here it is enough to tell them apart.
        return f"{obj.name}, {obj.job_title}" if obj.job_title else str(obj.name)


def _question_hint(asked: Asked, number: int, count: int) -> str:
    words = {"number": number, "count": count}
    if asked.kind == Condition.Kind.OTHER:
        # Nobody has compared it with the profile.
        return (
            gettext("Question %(number)d of %(count)d: a condition in the buyer's own words")
            % words
        )
    if asked.is_open_point and asked.is_preference:
        return (
            gettext(
                "Question %(number)d of %(count)d: an open point. The buyer prefers it, and your profile does not show it."
            )
            % words
        )
    if asked.is_open_point:
        return (
            gettext(
                "Question %(number)d of %(count)d: an open point. The buyer needs it, and your profile does not show it."
            )
            % words
        )
    return gettext("Question %(number)d of %(count)d from the buyer") % words


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files of one input."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(FilesField, self).clean(one, initial) for one in data or []]


class InterestForm(Form):
    """What a supplier sends: a message, the lines it can supply, whom the buyer may write to."""

    message = forms.CharField(
        label=_("Message to the buyer"),
        help_text=_("It goes to the buyer at once, with your contact."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    lines = LineChoices(
        queryset=RequirementLine.objects.none(),
        label=_("Lines you can supply"),
        to_field_name="public_id",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one open line that you can supply.")},
    )
    attached = FilesField(
        label=_("Files for the buyer"),
        help_text=_("Up to five, PDF, JPEG or PNG, 8 MB each. Only the buyer opens them."),
        required=False,
    )
    contact = ContactChoice(
        queryset=Contact.objects.none(),
        label=_("Your contact"),
        to_field_name="public_id",
        empty_label=None,
        help_text=_("The buyer can open it as soon as you send."),
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        lines: Sequence[RequirementLine],
        enterprise: Enterprise,
        fitting: Sequence[int] = (),
        interest: Interest | None = None,
        asked: Sequence[Asked] = (),
        by_badge: bool = False,
    ) -> None:
        initial: dict[str, Any] = {"lines": [line for line in lines if line.pk in fitting]}
        if interest is not None:
            initial = {
                "message": interest.message,
                "lines": list(interest.lines.all()),
                "contact": interest.contact.public_id,
            }
        elif len(lines) == 1:
            initial["lines"] = list(lines)
        super().__init__(data, files, initial=initial, prefix="interest")
        choices: Any = self.fields["lines"]
        # Those that are ticked stand first: among 200 lines nobody would see them.
        ticked = [line.pk for line in initial["lines"]]
        choices.queryset = RequirementLine.objects.filter(
            pk__in=[line.pk for line in lines]
        ).order_by(Case(When(pk__in=ticked, then=0), default=1), "number")
        said = {one["key"]: one["answer"] for one in interest.answers} if interest else {}
        self.asked = asked
        for number, one in enumerate(asked, 1):
            self.fields[f"answer-{one.key}"] = forms.CharField(
                label=question(one),
                help_text=_question_hint(one, number, len(asked)),
                max_length=ANSWER,
                required=False,
                initial=said.get(one.key, ""),
                widget=forms.Textarea(attrs={"rows": 2}),
            )
        if by_badge:
            # Nobody has signed in: the enterprise's contacts are not for whoever holds a badge.
            del self.fields["contact"]
            del self.fields["attached"]
            return
        contact: Any = self.fields["contact"]
        contact.queryset = enterprise.contacts.filter(is_active=True).order_by("pk")

    @property
    def questions(self) -> list[forms.BoundField]:
        return [self[f"answer-{one.key}"] for one in self.asked]

    @property
    def answers(self) -> dict[str, str]:
        return {one.key: self.cleaned_data[f"answer-{one.key}"] for one in self.asked}
