from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def requirement_create(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_edit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_row(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_submit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_close(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_delete(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_history(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_import(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def requirement_template(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
