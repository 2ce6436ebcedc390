from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def for_you(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def dismiss(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
