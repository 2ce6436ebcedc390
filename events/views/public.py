from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def event_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_detail(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def series_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def series_detail(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
