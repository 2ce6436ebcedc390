from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRedirect

from chains.models import User
from matchmaking.views.faults import unreadable


class LoginRequired(LoginRequiredMiddleware):
    """Everything is private unless `@login_not_required`.

    A stranger's htmx request leaves the page instead of getting the sign-in form swapped into a panel. After signing
    in a person is back on the page the request came from: the address of a form or a panel is none to visit.
    """

    def handle_no_permission(  # type: ignore[override]  # the stubs allow a redirect only
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        is_panel = bool(getattr(request, "htmx", False))
        if is_panel or request.method not in ("GET", "HEAD"):
            response = redirect_to_login(_page_before(request), self.get_login_url(view_func))
        else:
            response = super().handle_no_permission(request, view_func)
        return HttpResponseClientRedirect(response["Location"]) if is_panel else response


class SecondFactor:
    """Where SECOND_FACTOR demands it, whoever lacks a second step is led to the page that sets one up, and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        at = request.resolver_match
        if settings.SECOND_FACTOR == "urged" or at is None:
            return None
        # Who asks is looked up only where it matters: most pages are read by people without a session.
        is_workshop = "admin" in at.app_names
        if settings.SECOND_FACTOR == "administrators" and not is_workshop:
            return None
        if (at.url_name or "").startswith(_BEFORE_THE_SECOND_STEP):
            return None
        user = request.user
        if not isinstance(user, User):
            return None
        decides = user.is_administrator if is_workshop else user.decides_for_others
        if not decides or user.has_second_factor:
            return None
        if request.path.startswith("/api/"):
            return JsonResponse(
                {"title": gettext("Set up a second step for signing in first."), "status": 403},
                status=403,
                content_type="application/problem+json",
            )
        messages.warning(request, gettext("Set up a second step for signing in first."))
        return redirect("mfa_index")


_BEFORE_THE_SECOND_STEP = (
    "account_",
    "mfa_",
    "usersessions_",
    "set_language",
    "set_theme",
    "healthz",
    "readyz",
    "logout",
    "jsi18n",
    "own_data",
)


def _page_before(request: HttpRequest) -> str:
    before = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}):
        return reverse("start")
    return urlunsplit(urlsplit(before)._replace(scheme="", netloc="", fragment=""))


class RejectNul:
    """PostgreSQL stores no NUL: answered with 400 here rather than with 500 somewhere below."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path:
            return unreadable(request)
        # Between quotes a cookie may hold what no header may.
        if any("\x00" in value for value in request.COOKIES.values()):
            return unreadable(request)
        is_form = request.method == "POST" and request.content_type in (
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        )
        if is_form and any(
            "\x00" in value for _, values in request.POST.lists() for value in values
        ):
            return unreadable(request)
        return self.get_response(request)


class SayWhyNot:
    """A method that an address does not take: a page with a sentence, where Django would send a blank one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if not isinstance(answer, HttpResponseNotAllowed) or request.path.startswith("/api/"):
            return answer
        page = render(request, "405.html", status=405)
        page["Allow"] = answer["Allow"]
        return page
