from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def interest_send(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def interest_withdraw(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def my_interests(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def interest_answer(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def interest_panel(request, requirement, lines, matches, form=None):  # type: ignore[no-untyped-def]
    return {}
