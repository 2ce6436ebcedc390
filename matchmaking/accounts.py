from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING, Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from chains.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps the language of the page a person signed up on: mails are written in it."""

    def is_safe_url(self, url: str) -> bool:
        # allauth 65 splits what it is given before it looks at it: "http://[" is no address at all.
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.language = "zh" if (translation.get_language() or "zh").startswith("zh") else "en"
        return super().save_user(request, user, form, commit)  # type: ignore[no-any-return]

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
