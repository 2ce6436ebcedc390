from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains import identity, search
from chains.forms import DateInput, Form, LocalisedChoice, ModelForm, RegionField
from chains.models import (
    CertificationKind,
    Contact,
    Enterprise,
    Membership,
    ParticipantKind,
    QualificationKind,
    Region,
)
from chains.searchtext import language_of
from chains.templatetags.localised import is_chinese
from chains.templatetags.page import territories

# Not states but codes of the list: groups of states, outlying islands under another code, tests.
_NO_TERRITORY = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ")
)


@lru_cache(maxsize=2)
def _territories(language: str) -> list[tuple[str, str]]:
    pairs = [
        (code, name)
        for code, name in territories(language).items()
        if re.fullmatch("[A-Z]{2}", code) and code not in _NO_TERRITORY and code != "CN"
    ]
    return sorted(pairs, key=lambda pair: identity.sort_key(pair[1]))


def countries() -> list[tuple[str, str]]:
    """Countries and regions abroad in the reader's language, as a native select shows them."""
    return [("", "–"), *_territories("zh" if is_chinese() else "en")]


class NumberForm(Form):
    """First question of joining: which body. A number that does not fit is asked about, not refused."""

    scheme = forms.ChoiceField(
        label=_("Your number"),
        choices=Enterprise.Scheme.choices,
        widget=forms.RadioSelect,
        initial=Enterprise.Scheme.USCC,
    )
    uscc = forms.CharField(
        label=_("Unified social credit code"),
        help_text=_("On the top right of your licence; the last character is checked"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    country = forms.ChoiceField(label=_("Country or region"), choices=countries, required=False)
    local_number = forms.CharField(
        label=_("Local register number"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    # The number the person has said stands on the licence like this; another one is asked about again.
    confirmed = forms.CharField(required=False, max_length=60)

    asks = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One of them is asked for, which one hangs on the scheme: not to be called optional.
        for name in ("uscc", "country", "local_number"):
            self.fields[name].widget.is_required = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        scheme = data.get("scheme")
        if scheme == Enterprise.Scheme.OTHER:
            return data | {"country": "CN", "number": "", "number_confirmed": False}
        if scheme == Enterprise.Scheme.FOREIGN and not data.get("country"):
            self.add_error("country", _("Choose the country or region."))
        field = "uscc" if scheme == Enterprise.Scheme.USCC else "local_number"
        verdict = identity.check_number(str(scheme), data.get(field))
        confirmed = bool(verdict.number) and data.get("confirmed") == verdict.number
        if verdict.verdict == "missing":
            self.add_error(field, verdict.sentence)
        elif verdict.verdict != "valid" and not confirmed:
            self.asks = verdict.number
            self.add_error(field, verdict.sentence)
        country = "CN" if scheme == Enterprise.Scheme.USCC else data.get("country")
        return data | {
            "country": country,
            "number": verdict.number,
            "number_confirmed": confirmed and verdict.verdict != "valid",
        }


class _Details(Form):
    name = forms.CharField(
        label=pgettext_lazy("enterprise", "Name"),
        max_length=200,
        help_text=_("As it stands on the licence"),
    )
    name_en = forms.CharField(
        label=_("English name"),
        max_length=200,
        required=False,
        help_text=_("Foreign buyers search for it"),
    )
    kind = LocalisedChoice(
        label=_("Kind"),
        queryset=ParticipantKind.objects.filter(is_active=True),
        to_field_name="code",
    )
    region = RegionField(
        label=_("Region"),
        help_text=_("Type a part of the name in Chinese, pinyin or English, or the code"),
        required=False,
    )
    address = forms.CharField(
        label=pgettext_lazy("place", "Address"), max_length=300, required=False
    )
    summary = forms.CharField(
        label=_("What you do"),
        help_text=_("Two or three sentences in the words a buyer would use"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    website = forms.URLField(label=_("Website"), required=False, assume_scheme="https")

    def __init__(self, *args: Any, abroad: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.abroad = abroad
        if abroad:
            self.fields["name"].help_text = _("Latin letters; a Chinese name can follow")
            del self.fields["region"]
        else:
            self.fields["region"].required = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("summary"):
            data["summary_language"] = language_of(data["summary"])
        region = data.get("region")
        if isinstance(region, Region) and region.level in ("country", "province"):
            self.add_error(
                "region", _("Choose the county, district or city, not the whole province.")
            )
        return data


class RegisterForm(_Details):
    licence = forms.FileField(
        label=_("Business licence"),
        help_text=_("PDF, PNG or JPEG, at most 8 MB; seen by you and your desk only"),
    )

    def __init__(self, *args: Any, letter: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if letter:
            self.fields["licence"].label = _("Letter")
            self.fields["licence"].help_text = _(
                "A letter of the body that you act for it: PDF, PNG or JPEG, at most 8 MB"
            )


class ResubmitForm(_Details):
    """What the desk asked for; the number too, as it may be what was wrong."""

    number = forms.CharField(label=_("Number"), max_length=60, required=False)
    number_confirmed = forms.BooleanField(
        label=_("The number stands on the licence like this"), required=False
    )
    licence = forms.FileField(
        label=_("Business licence"),
        required=False,
        help_text=_("Only if it is another one; PDF, PNG or JPEG, at most 8 MB"),
    )
    field_order = ["number", "number_confirmed", "name", "name_en"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].widget.is_required = True  # only a body without one leaves it empty


class ProfileForm(_Details):
    """What a verified enterprise changes by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in ("name", "kind", "region"):
            self.fields.pop(field, None)


class JoinForm(Form):
    role = forms.ChoiceField(
        label=_("What will you do there?"),
        choices=[
            (Membership.Role.EDITOR, Membership.Role.EDITOR.label),
            (Membership.Role.VIEWER, Membership.Role.VIEWER.label),
        ],
        initial=Membership.Role.EDITOR,
        widget=forms.RadioSelect,
    )


class InviteForm(Form):
    email = forms.EmailField(label=_("E-mail of the colleague"), max_length=254)
    role = forms.ChoiceField(
        label=_("What will the person do?"),
        choices=[
            (Membership.Role.EDITOR, _("Post and answer")),
            (Membership.Role.VIEWER, _("Read only")),
            (Membership.Role.OWNER, _("Own it: decide who acts for the enterprise too")),
        ],
        initial=Membership.Role.EDITOR,
        widget=forms.RadioSelect,
    )


class ContactForm(ModelForm):
    class Meta:
        model = Contact
        fields = ["name", "job_title", "phone", "email", "wechat"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(data.get(field) for field in ("phone", "email", "wechat")) and not self.errors:
            self.add_error("phone", _("Enter a phone number, an e-mail address or a WeChat name."))
        return data


class TermForm(Form):
    """How long a title or certificate lasts."""

    valid_from = forms.DateField(label=_("Valid from"), widget=DateInput)
    valid_until_on = forms.DateField(
        label=_("Valid until"),
        widget=DateInput,
        required=False,
        help_text=_("Empty: no end"),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_until_on")
        if first and last and last < first:
            self.add_error("valid_until_on", _("The last day of validity lies before the first."))
        return data


class _ProofForm(TermForm):
    issuer = forms.CharField(label=_("Issuer"), max_length=200, required=False)
    evidence = forms.FileField(
        label=_("Evidence"),
        help_text=_("PDF, PNG or JPEG, at most 8 MB; seen by you and your desk only"),
    )


class QualificationForm(_ProofForm):
    kind = LocalisedChoice(
        label=_("Qualification"),
        queryset=QualificationKind.objects.filter(is_active=True),
        to_field_name="code",
    )
    batch = forms.CharField(
        label=_("Batch"), max_length=80, required=False, help_text=_("Such as 2024, batch 6")
    )
    field_order = ["kind", "batch", "issuer", "valid_from", "valid_until_on", "evidence"]


class CertificationForm(_ProofForm):
    kind = LocalisedChoice(
        label=_("Certificate"),
        queryset=CertificationKind.objects.filter(is_active=True),
        to_field_name="code",
    )
    number = forms.CharField(label=_("Certificate number"), max_length=80, required=False)
    scope = forms.CharField(
        label=_("Scope"), max_length=200, required=False, help_text=_("Products or sites it covers")
    )
    field_order = ["kind", "number", "scope", "issuer", "valid_from", "valid_until_on", "evidence"]


RETURN_REASONS = [
    ("unreadable", _("Licence not readable: upload the whole page, sharp and complete.")),
    ("name", _("The name differs from the licence.")),
    ("number", _("The number differs from the licence.")),
    ("region", _("The region differs from the licence.")),
    ("mailbox", _("Your mailbox is private: sign up with a mailbox of the enterprise.")),
    ("letter", _("A letter of the body that you act for it is missing.")),
    ("known", _("This body is on the register already: ask to join it.")),
]


class DecisionForm(Form):
    """The desk's answer: a saved reason, a note, or both."""

    reason = forms.ChoiceField(
        label=_("What is missing"),
        choices=[("", "–"), *RETURN_REASONS],
        required=False,
    )
    note = forms.CharField(
        label=_("Note to the enterprise"),
        max_length=1500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def text(self) -> str:
        saved = dict(RETURN_REASONS).get(self.cleaned_data.get("reason", ""), "")
        return " ".join(filter(None, [str(saved), self.cleaned_data.get("note", "").strip()]))


class HeldOnForm(Form):
    """Asks what was verified and in force on a day."""

    on = forms.DateField(label=_("Held on"), widget=DateInput)


class ProofDecisionForm(Form):
    issuer = forms.CharField(label=_("Issuer"), max_length=200, required=False)
    valid_until_on = forms.DateField(label=_("Valid until"), widget=DateInput, required=False)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_("Needed to refuse or revoke; the enterprise reads it"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class MandateForm(Form):
    number = forms.CharField(
        label=_("Number of the member"),
        help_text=_("The social credit code of a verified enterprise"),
        max_length=60,
    )

    def clean_number(self) -> Enterprise:
        number = identity.fold_number(self.cleaned_data["number"])
        found = search.by_number(Enterprise.Scheme.USCC, "CN", number).first()
        if found is None or not found.is_verified:
            raise forms.ValidationError(
                _("No verified enterprise stands under this number."), code="unknown"
            )
        return found
