from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING, Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy

from chains import sms
from chains.errors import DomainError
from chains.forms.accounts import PhoneField
from chains.models import Consent, User
from chains.services import accounts, consents
from chains.templatetags.localised import is_chinese

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps the language of the page a person signed up on: mails are written in it."""

    _refused = ""

    def is_safe_url(self, url: str) -> bool:
        # allauth 65 splits what it is given before it looks at it: "http://[" is no address at all.
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.language = "zh" if is_chinese() else "en"
        super().save_user(request, user, form, commit)
        if commit:
            consents.give(purpose=Consent.Purpose.ACCOUNT, by=user)
        return user

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kwargs: Any
    ) -> None:
        """Whatever is worth a letter to the person is worth a line in the trail."""
        super().send_notification_mail(template_prefix, user, *args, **kwargs)
        action = _TRACED.get(template_prefix)
        if action:
            accounts.trace(action=action, by=user)

    # --- The number one signs in with ---

    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        return PhoneField(**kwargs)

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return (user.phone, True) if user.phone else None

    def get_user_by_phone(self, phone: str) -> User | None:
        return User.objects.filter(phone=phone, is_active=True).first() if phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        raise NotImplementedError  # a number is kept once its code came back, never before

    def set_phone_verified(self, user: User, phone: str) -> None:
        if user != getattr(self.request, "user", None):
            return  # of signing in: the number stands with the account, or did when the code was asked for
        try:
            accounts.set_phone(phone=phone, by=user)
        except DomainError as error:
            self._refused = str(error)
            return
        self.send_notification_mail("account/email/phone_changed", user)

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        if "account/messages/phone_verified.txt" in args and self._refused:
            messages.error(request, self._refused)
            return
        super().add_message(request, level, *args, **kwargs)

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        self._text(
            phone,
            gettext(
                "ChainDock: your code is %(code)s. It is valid for five minutes. We never ask you for it."
            )
            % {"code": code},
        )

    def send_account_already_exists_sms(self, phone: str) -> None:
        return None  # nobody signs up with a number

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        return None  # a number without an account gets nothing: whoever asks learns nothing, and nobody pays for it

    def _text(self, phone: str, text: str) -> None:
        if not self.request.user.is_authenticated:
            sms.send_beside(phone, text)
            return
        try:
            sms.send(phone, text)
        except Exception as fault:
            sms.log_refusal(fault)
            messages.error(
                self.request,
                gettext("The text message could not be sent. Try again later, or use your e-mail."),
            )

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """A code that went to a number which is no longer the account's opens nothing."""
        last = (get_authentication_records(request, user) or [{}])[-1]
        number = last.get("phone") if last.get("method") == "code" else None
        if number and User.objects.only("phone").get(pk=user.pk).phone != number:
            clear_login(request)
            messages.error(request, gettext("This is no longer the number of the account."))
            return redirect("account_login")
        return super().pre_login(request, user, **more)  # type: ignore[no-any-return]

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response = super().post_login(request, user, **more)
        if user.decides_for_others and not user.has_second_factor:
            messages.warning(
                request,
                gettext(
                    "Your account decides for others, and a password alone protects it. Set up a second step under “Sign-in and security” in the menu of your account."
                ),
            )
        return response  # type: ignore[no-any-return]


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets unreadable at rest, and a QR code drawn by the library that draws all others."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is wrong, has expired or was used already."),
    }

    def get_totp_issuer(self) -> str:
        return str(settings.BRAND)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": str(settings.BRAND)}

    def build_totp_svg(self, url: str) -> str:
        drawn = io.BytesIO()
        segno.make(url, error="m").save(drawn, kind="svg", scale=5, border=4, light="#fff")
        return drawn.getvalue().decode()

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


# Letters of allauth, and the phone's own trace is written by its service.
_TRACED = {
    "account/email/password_changed": "password.changed",
    "account/email/password_reset": "password.reset",
    "account/email/password_set": "password.set",
    "account/email/email_changed": "address.changed",
    "account/email/email_deleted": "address.deleted",
    "mfa/email/totp_activated": "second_step.activated",
    "mfa/email/totp_deactivated": "second_step.deactivated",
    "mfa/email/webauthn_added": "key.added",
    "mfa/email/webauthn_removed": "key.removed",
    "mfa/email/recovery_codes_generated": "recovery_codes.generated",
}


def _box() -> MultiFernet:
    """The first key locks; older ones of SECRET_KEY_FALLBACKS still open."""
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second factor" + k.encode()).digest()))
            for k in keys
        ]
    )


def display(user: User) -> str:
    return user.email
