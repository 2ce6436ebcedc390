from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def register(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def registration_cancel(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def delegate_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
