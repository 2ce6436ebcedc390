from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chains.errors import DomainError


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page that says why a person may not do this."""
    return render(request, "403.html", {"refusal": str(error)}, status=403)
