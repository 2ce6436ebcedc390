from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms.enterprises import MandateForm
from chains.models import Enterprise


class GroupForm(MandateForm):
    """Which enterprise is of the group; the first two give it its name."""

    name = forms.CharField(
        label=_("Name of the group"),
        max_length=200,
        required=False,
        help_text=_("Needed where neither of you is in a group yet"),
    )

    def __init__(self, *args: Any, enterprise: Enterprise, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].label = _("Number of the affiliate")
        if enterprise.group_id is not None:
            del self.fields["name"]
