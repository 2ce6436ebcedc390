from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chains import permissions, sms
from chains.templatetags.localised import is_chinese
from matchmaking.permissions import events_of


def page(request: HttpRequest) -> dict[str, Any]:
    """What every page needs: the theme of the cookie, the reader's side, the other language."""
    user = getattr(request, "user", None)
    side, reviews = "public", False
    if user is not None and permissions.is_signed_in(user):
        side, reviews = "member", user.is_organiser
        if user.is_organiser or user.is_administrator:
            side = "org"
        elif not user.active_memberships and (user.active_roles or user.event_staff.exists()):
            # An analyst, or a person lent to an event: works here without an enterprise.
            side, reviews = "staff", events_of(user).exists()
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in ("light", "dark") else "auto",
        "side": side,
        "reviews": reviews,
        "is_zh": is_chinese(),
        "demo": settings.DEMO,
        "text_messages": sms.is_on(),
    }
