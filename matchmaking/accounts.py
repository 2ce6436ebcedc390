from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.utils import translation

if TYPE_CHECKING:
    from django.http import HttpRequest

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


def display(user: User) -> str:
    return user.email
