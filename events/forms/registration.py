from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from chains.models import Enterprise, ParticipantKind
from chains.templatetags.localised import localised
from events.forms.questions import Asking
from events.models import Event, Registration, Tier


class RegistrationForm(Asking):
    enterprise = forms.TypedChoiceField(label=_("Enterprise"))
    purposes = forms.MultipleChoiceField(
        choices=Registration.Purpose.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("What you come for"),
    )
    seats = forms.TypedChoiceField(coerce=int, label=_("Seats"))
    accepts_partial = forms.BooleanField(
        required=False, label=_("Fewer seats are fine if not all are free")
    )
    may_be_named = forms.BooleanField(
        required=False, label=_("Our name may be shown in public as that of a participant")
    )

    def __init__(
        self, *args: Any, event: Event, enterprises: Sequence[Enterprise], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        by_id = {one.public_id: one for one in enterprises}
        choice: Any = self.fields["enterprise"]
        choice.choices = [(key, localised(one)) for key, one in by_id.items()]
        choice.coerce = by_id.__getitem__
        if len(enterprises) == 1:
            choice.widget = forms.HiddenInput()
            choice.initial = enterprises[0].public_id
        cap = event.delegates_per_enterprise
        self.fields["seats"].choices = [(n, str(n)) for n in range(1, cap + 1)]  # type: ignore[attr-defined]  # a ChoiceField


class DelegateForm(Form):
    name = forms.CharField(max_length=80, required=False, label=_("Person’s name"))
    job_title = forms.CharField(max_length=80, required=False, label=_("Job title"))


def delegate_formset(seats: int) -> Any:
    return formset_factory(DelegateForm, extra=0, min_num=seats, max_num=seats, validate_max=True)


class GuestFilterForm(Form):
    STATES = (
        ("open", _("To decide or waiting")),
        *Registration.Status.choices,
        ("came", _("Came")),
        ("absent", _("Did not come")),
        ("all", _("All states")),
    )

    q = forms.CharField(max_length=100, required=False, label=_("Enterprise, any spelling"))
    state = forms.ChoiceField(choices=STATES, required=False, label=_("State"))
    tier = forms.ModelChoiceField(Tier.objects.none(), to_field_name="public_id", required=False)
    kind = forms.ModelChoiceField(
        ParticipantKind.objects.all(), to_field_name="code", required=False
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = event.tiers.all()  # type: ignore[attr-defined]  # a ModelChoiceField
