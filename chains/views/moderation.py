from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def moderation_case(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
