from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from chains.http import HttpRequest, MemberRequest


@login_not_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "matchmaking/home.html", {})


def start(request: MemberRequest) -> HttpResponse:
    """Where a person goes after signing in: to what their role does first."""
    user = request.user
    if user.is_organiser:
        return redirect("matchmaking:inbox")
    if user.is_administrator:
        return redirect("admin:index")
    enterprise = user.enterprise
    if enterprise is None:
        return redirect("chains:enterprise_join")
    if not enterprise.is_verified:
        return redirect("chains:enterprise_status", public_id=enterprise.public_id)
    return redirect("matchmaking:for_you")


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    following = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()}):
        following = "/"
    dark = request.COOKIES.get("theme") == "dark"
    response = HttpResponseRedirect(following)
    response.set_cookie("theme", "light" if dark else "dark", max_age=31_536_000, samesite="Lax")
    return response


@login_not_required
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """The process can work: database and cache answer. 503 while the database does not."""
    state = {}
    for name, probe in (("database", _ask_database), ("cache", _ask_cache)):
        try:
            probe()
        except Exception:  # noqa: BLE001 -- whatever is wrong with it, it is not ready
            state[name] = "down"
        else:
            state[name] = "ok"
    # Without the cache pages still answer and jobs wait, so only the database decides.
    return JsonResponse(state, status=200 if state["database"] == "ok" else 503)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    cache.get("readyz")
