from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form
from events.models import EventStaff


class StaffForm(Form):
    email = forms.EmailField(label=_("E-mail of the account"))
    role = forms.ChoiceField(
        choices=EventStaff.Role.choices, initial=EventStaff.Role.DESK, label=_("Role")
    )
