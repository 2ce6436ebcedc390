from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def enterprise_join(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def enterprise_register(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def join_request(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def enterprise_status(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def member_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def membership_decide(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def notification_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
