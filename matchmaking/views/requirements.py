from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def my_requirements(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_desk(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_interests(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def line_filled(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def contact_log(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
