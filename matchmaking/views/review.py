from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def review_queue(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def review_line(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def review_decide(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def review_bulk(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def review_add(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def match_why(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def pair_why(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
