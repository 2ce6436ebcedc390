from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains.forms import DateInput, Form
from chains.models import User
from events.forms import MomentField, check_year
from events.models import AgendaItem, ChecklistItem


class AgendaForm(Form):
    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    starts_at = MomentField(label=pgettext_lazy("time", "From"))
    ends_at = MomentField(label=pgettext_lazy("time", "Until"))
    title_zh = forms.CharField(max_length=160, label=_("Title in Chinese"))
    title_en = forms.CharField(max_length=200, label=_("Title in English"))
    room_zh = forms.CharField(max_length=80, required=False, label=_("Room in Chinese"))
    room_en = forms.CharField(max_length=80, required=False, label=_("Room in English"))
    note_zh = forms.CharField(max_length=300, required=False, label=_("Note in Chinese"))
    note_en = forms.CharField(max_length=300, required=False, label=_("Note in English"))

    @staticmethod
    def of(part: AgendaItem) -> dict[str, Any]:
        return {name: getattr(part, name) for name in AgendaForm.base_fields}


AgendaFormSet = formset_factory(AgendaForm, extra=1, max_num=40, can_delete=True)


class ChecklistForm(Form):
    public_id = forms.CharField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(max_length=200, label=_("What is to be done"))
    owner = forms.ModelChoiceField(
        User.objects.none(), to_field_name="public_id", required=False, label=_("Who does it"),
        empty_label=_("nobody yet"),
    )  # fmt: skip
    due_on = forms.DateField(
        required=False, widget=DateInput, label=_("Until when"), validators=[check_year]
    )
    is_done = forms.BooleanField(required=False, label=_("Done"))

    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["owner"]
        known = self.initial.get("owner")
        ids = [user.public_id for user in people] + ([known] if known else [])
        choice.queryset = User.objects.filter(public_id__in=ids).order_by("pk")
        # Colleagues know each other by their address; nobody else sees this page.
        choice.label_from_instance = lambda user: user.email

    @staticmethod
    def of(item: ChecklistItem) -> dict[str, Any]:
        return {
            "public_id": item.public_id,
            "text": item.text,
            "owner": item.owner.public_id if item.owner else None,
            "due_on": item.due_on,
            "is_done": item.done_at is not None,
        }


def checklist_formset(people: Sequence[User]) -> Any:
    made = formset_factory(ChecklistForm, extra=1, max_num=60, can_delete=True)
    return partial(made, form_kwargs={"people": people})
