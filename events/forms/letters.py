from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chains.forms import Form, LocalisedChoice
from events.models import Announcement, Event, Tier


class LetterForm(Form):
    """Words of the event's own for one kind of letter."""

    subject_zh = forms.CharField(max_length=200, required=False, label=_("Subject in Chinese"))
    subject_en = forms.CharField(max_length=200, required=False, label=_("Subject in English"))
    body_zh = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 8}),
        label=_("Text in Chinese"),
    )
    body_en = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": 8}),
        label=_("Text in English"),
    )


class AnnouncementForm(LetterForm):
    """A message to guests; one language may stand for both."""

    audience = forms.ChoiceField(choices=Announcement.Audience.choices, label=_("To whom"))
    tier = LocalisedChoice(
        Tier.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=_("none"),
        label=_("Tier"),
    )
    # As many as were shown to whoever sends it.
    expected = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = event.tiers.all()  # type: ignore[attr-defined]  # a ModelChoiceField

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["expected"] = data.get("expected") or 0
        if data.get("audience") != Announcement.Audience.TIER:
            data["tier"] = None
        elif data.get("tier") is None:
            self.add_error("tier", _("Choose the tier."))
        return data
