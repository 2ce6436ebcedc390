from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def enterprise_edit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def contact_edit(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def qualification_claim(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def certification_claim(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def evidence_download(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def region_search(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def enterprise_case(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def proof_decide(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
