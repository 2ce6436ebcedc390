from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def requirement_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_export(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_detail(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def enterprise_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def enterprise_detail(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def search(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def category_suggest(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
