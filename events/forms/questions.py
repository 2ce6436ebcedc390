from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.templatetags.localised import is_chinese, localised
from events.models import FormAnswer, FormQuestion

ASKED = "q_"


def question_field(question: FormQuestion, *, has_file: bool = False) -> forms.Field:
    """The field that asks the question, in the language of the reader."""
    label, required = localised(question, "text"), question.is_required
    choices = [(one["code"], one["zh"] if is_chinese() else one["en"]) for one in question.choices]
    match question.kind:
        case FormQuestion.Kind.TEXT:
            return forms.CharField(
                max_length=1000, required=required, label=label, widget=forms.Textarea({"rows": 2})
            )
        case FormQuestion.Kind.CHOICE:
            offered = choices if required else [*choices, ("", gettext("No answer"))]
            return forms.ChoiceField(
                choices=offered, required=required, label=label, widget=forms.RadioSelect
            )
        case FormQuestion.Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=choices, required=required, label=label, widget=forms.CheckboxSelectMultiple
            )
        case FormQuestion.Kind.CONSENT:
            return forms.BooleanField(required=required, label=label)
    return forms.FileField(
        required=required and not has_file,
        label=label,
        help_text=_("PDF, PNG or JPEG"),
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg"}),
    )


class Asking(Form):
    """A form that also asks the questions of an event; the answers come out together."""

    def __init__(
        self,
        *args: Any,
        questions: Sequence[FormQuestion] = (),
        known: Sequence[FormAnswer] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        by_question = {row.question_id: row for row in known}
        for question in questions:
            answer = by_question.get(question.pk)
            name = f"{ASKED}{question.public_id}"
            self.fields[name] = question_field(
                question, has_file=answer is not None and answer.evidence_id is not None
            )
            if answer is not None:
                self.initial[name] = _typed(answer)

    @property
    def asked(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(ASKED)]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        names = [name for name in data if name.startswith(ASKED)]
        data["answers"] = {name.removeprefix(ASKED): data.pop(name) for name in names}
        return data


def _typed(answer: FormAnswer) -> Any:
    """As its field shows it."""
    match answer.question.kind:
        case FormQuestion.Kind.CHOICE:
            return answer.chosen[0] if answer.chosen else ""
        case FormQuestion.Kind.CHOICES:
            return answer.chosen
        case FormQuestion.Kind.CONSENT:
            return answer.has_agreed and answer.version == answer.question.version
    return answer.text


class AnswersForm(Asking):
    """The questions alone, to be answered anew."""


class QuestionForm(Form):
    """One question of an event's form."""

    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    order = forms.IntegerField(
        min_value=1, max_value=99, required=False, label=pgettext_lazy("order", "Place")
    )
    # With an initial value, so that the empty row at the end counts as untouched.
    kind = forms.ChoiceField(
        choices=FormQuestion.Kind.choices,
        initial=FormQuestion.Kind.TEXT,
        label=_("Kind of answer"),
    )
    text_zh = forms.CharField(max_length=500, label=_("Question in Chinese"))
    text_en = forms.CharField(max_length=500, label=_("Question in English"))
    choices = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        label=_("Answers to choose from"),
        help_text=_("One a line, Chinese | English"),
    )
    is_required = forms.BooleanField(required=False, label=_("Has to be answered"))

    def clean_choices(self) -> list[tuple[str, str]]:
        found = []
        for line in self.cleaned_data["choices"].splitlines():
            zh, _bar, en = (part.strip() for part in line.replace("｜", "|").partition("|"))
            if not zh and not en:
                continue
            if not zh or not en:
                raise forms.ValidationError(
                    gettext("Write each answer in both languages: 中文 | English.")
                )
            found.append((zh, en))
        return found

    @staticmethod
    def of(question: FormQuestion) -> dict[str, Any]:
        lines = (f"{one['zh']} | {one['en']}" for one in question.choices)
        return {
            "public_id": question.public_id,
            "order": question.order,
            "kind": question.kind,
            "text_zh": question.text_zh,
            "text_en": question.text_en,
            "choices": "\n".join(lines),
            "is_required": question.is_required,
        }


QuestionFormSet = formset_factory(QuestionForm, extra=1, max_num=20, can_delete=True)
