"""What the desk says of a requirement."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import moderation
from chains.forms import KeptForm
from chains.models import RequirementLine
from chains.services.requirements import RemarkDraft


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
