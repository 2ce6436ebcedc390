from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def chain_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def chain_map(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
