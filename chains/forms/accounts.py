"""The sign-in package's own forms in the project's clothes."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as second
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as keys
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from chains.forms import BoundField


class LoginForm(allauth.LoginForm):  # type: ignore[misc]  # allauth ships no types
    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its link stands below the form, where nobody tabs into it between name and password.
        self.fields["password"].help_text = ""


class SignupForm(allauth.SignupForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ResetPasswordForm(allauth.ResetPasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ResetPasswordKeyForm(allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ChangePasswordForm(allauth.ChangePasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class SetPasswordForm(allauth.SetPasswordForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class AddEmailForm(allauth.AddEmailForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


class ReauthenticateForm(allauth.ReauthenticateForm):  # type: ignore[misc]
    bound_field_class = BoundField
    use_required_attribute = False


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
