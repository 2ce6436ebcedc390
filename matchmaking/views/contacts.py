from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def contact_reveal(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def interest_contact(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def contact_panel(request, requirement):  # type: ignore[no-untyped-def]
    return {}
