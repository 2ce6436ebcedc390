from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from chains import permissions


def page(request: HttpRequest) -> dict[str, Any]:
    """What every page needs: the theme of the cookie, the reader's side, the other language."""
    user = getattr(request, "user", None)
    side = "public"
    if user is not None and permissions.is_signed_in(user):
        side = "org" if user.is_organiser or user.is_administrator else "member"
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in ("light", "dark") else "auto",
        "side": side,
        "is_zh": (translation.get_language() or "zh").startswith("zh"),
        "demo": settings.DEMO,
    }
