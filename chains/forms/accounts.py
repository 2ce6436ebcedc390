"""The sign-in package's own forms in the project's clothes."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth

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
