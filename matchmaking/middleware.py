from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect


class LoginRequired(LoginRequiredMiddleware):
    """Everything is private unless `@login_not_required`.

    A stranger's htmx request leaves the page instead of getting the sign-in form swapped into a panel.
    """

    def handle_no_permission(  # type: ignore[override]  # the stubs allow a redirect only
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        response = super().handle_no_permission(request, view_func)
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(response["Location"])
        return response


class RejectNul:
    """PostgreSQL stores no NUL: answered with 400 here rather than with 500 somewhere below."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path:
            return HttpResponseBadRequest()
        is_form = request.method == "POST" and request.content_type in (
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        )
        if is_form and any(
            "\x00" in value for _, values in request.POST.lists() for value in values
        ):
            return HttpResponseBadRequest()
        return self.get_response(request)
