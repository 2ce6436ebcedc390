from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def category_suggest(request: HttpRequest) -> HttpResponse:
    raise Http404
