from __future__ import annotations

from typing import TYPE_CHECKING

from django import http

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from chains.models import User


class HttpRequest(http.HttpRequest):
    """A request as our middleware leaves it. `user` is typed as ours; strangers are AnonymousUser."""

    htmx: HtmxDetails


class MemberRequest(HttpRequest):
    """A request of somebody who has signed in (LoginRequiredMiddleware saw to it)."""

    user: User  # AnonymousUser cannot come here
