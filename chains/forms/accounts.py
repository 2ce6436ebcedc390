"""The sign-in package's own forms in the project's clothes."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account import forms as allauth
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as second
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as keys
from django import forms
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chains import sms
from chains.forms import BoundField
from chains.models import Consent
from chains.services import consents


class Mailbox(forms.BaseForm):
    """One word for the mailbox on every page, not the package's second one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login" if "login" in self.fields else "email"].label = _("E-mail")


class LoginForm(Mailbox, allauth.LoginForm):  # type: ignore[misc]  # allauth ships no types
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its link stands below the form, where nobody tabs into it between name and password.
        self.fields["password"].help_text = ""


class LongEnough(MinimumLengthValidator):
    """Django's Chinese catalogue lacks the sentence in the form in which Django asks for it."""

    def get_error_message(self) -> str:
        return ngettext(
            "Choose a password of at least %(n)d character.",
            "Choose a password of at least %(n)d characters.",
            self.min_length,
        ) % {"n": self.min_length}


class NewPassword(forms.BaseForm):
    """What a password has to be in one sentence, not in one for each of the rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _(
            "At least 8 characters, not only digits, nothing common and nothing like your mailbox."
        )


class AnotherPassword(NewPassword):
    """In place of the one there was. The sign-in package capitalises each word of its labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("New password (again)")


class SignupForm(NewPassword, Mailbox, allauth.SignupForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agreed"] = forms.BooleanField(
            label=_("I have read the privacy notice and agree that an account is kept for me."),
            help_text=str(consents.NOTICES[Consent.Purpose.ACCOUNT].text),
            error_messages={"required": _("Without this no account can be kept.")},
        )


class ResetPasswordForm(Mailbox, allauth.ResetPasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ResetPasswordKeyForm(AnotherPassword, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ChangePasswordForm(AnotherPassword, allauth.ChangePasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")


class SetPasswordForm(AnotherPassword, allauth.SetPasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class AddEmailForm(Mailbox, allauth.AddEmailForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ReauthenticateForm(allauth.ReauthenticateForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


# --- A code instead of the password -------------------------------------------------------------------

# Wrong guesses at one code, over all requests at once: allauth counts them one after the other, in the session.
GUESSES = 5


class PhoneField(forms.CharField):
    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Mobile number"))
        kwargs.setdefault(
            "help_text", _("Numbers outside the mainland with their country: +44 20 7946 0000")
        )
        super().__init__(max_length=30, **kwargs)

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        number = sms.normalised(typed) if typed else ""
        if number is None:
            raise ValidationError(_("This is no telephone number. Check its digits."))
        return number


class RequestLoginCodeForm(Mailbox, allauth.RequestLoginCodeForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sms.is_on():
            self.fields["email"].required = False
            self.fields["phone"] = PhoneField(required=False)
            self.order_fields(["phone", "email"])

    def clean(self) -> Any:
        cleaned: Any = super().clean()
        if not self.errors and not cleaned.get("email") and not cleaned.get("phone"):
            raise ValidationError(_("Enter your mobile number or your e-mail address."))
        return cleaned


class _Guessed:
    """A code of six digits is guessed a few times at most, also by many requests at the same moment."""

    bound_field_class = BoundField
    use_required_attribute = False
    expected_code: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")  # type: ignore[attr-defined]  # of the form it is mixed into
        self.fields["code"].widget.attrs |= {"inputmode": "numeric"}  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        key = f"code-guessed:{hashlib.sha256((self.expected_code or '').encode()).hexdigest()}:{self._whose()}"
        cache.add(key, 0, timeout=15 * 60)
        if cache.incr(key) > GUESSES:
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()  # type: ignore[misc]
        return code

    def _whose(self) -> str:
        return ""


class ConfirmLoginCodeForm(_Guessed, allauth.ConfirmLoginCodeForm):  # type: ignore[misc]
    pass


class VerifyPhoneForm(_Guessed, allauth.VerifyPhoneForm):  # type: ignore[misc]
    def _whose(self) -> str:
        return str(getattr(self.user, "pk", ""))


class ChangePhoneForm(allauth.ChangePhoneForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"] = PhoneField()


# --- The second step ----------------------------------------------------------------------------------

# A code of an authenticator app is taken in its own half minute and in those before and after it.
CODE_SECONDS = 90


class _CodeOnce:
    """A code is taken once, whoever reads it along: allauth remembers it for half a minute only."""

    bound_field_class = BoundField
    use_required_attribute = False
    user: Any

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # the form it is mixed into
        digits = "".join(filter(str.isalnum, code)).lower()
        if not cache.add(f"second-step:{self.user.pk}:{digits}", 1, timeout=CODE_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_CodeOnce, second.AuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateByCodeForm(_CodeOnce, second.ReauthenticateForm):  # type: ignore[misc]
    pass


class ActivateTOTPForm(_CodeOnce, totp.ActivateTOTPForm):  # type: ignore[misc]
    pass


class AddWebAuthnForm(keys.AddWebAuthnForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=_("Name of the key"),
            max_length=60,
            required=False,
            help_text=_("So that you know it again: “work computer”, “my telephone”."),
        )
        self.fields["passwordless"] = forms.BooleanField(
            label=_("Sign in with it alone, without the password"),
            required=False,
            initial=True,
            help_text=_("A passkey: the device asks for your finger, face or PIN."),
        )


class EditWebAuthnForm(keys.EditWebAuthnForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=_("Name of the key"), max_length=60)
