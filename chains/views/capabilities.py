from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def capability_create(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def capability_edit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def capability_withdraw(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
