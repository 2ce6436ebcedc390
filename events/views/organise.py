from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def event_create(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_edit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_publish(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_cancel(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_overview(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def guest_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def registration_decide(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def event_listing(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
