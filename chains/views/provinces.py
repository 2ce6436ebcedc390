"""What the pages of a province carry. A stylesheet of its own, because pages may hold no style (CSP)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from chains import spreadsheets
from chains.models import Province

TYPES = {"png": "image/png", "jpeg": "image/jpeg"}


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def province_logo(_request: HttpRequest, public_id: str) -> HttpResponse:
    province = get_object_or_404(Province, public_id=public_id)
    content = bytes(province.logo or b"")
    kind = spreadsheets.sniff(content)
    if kind not in TYPES:
        raise Http404
    return HttpResponse(content, content_type=TYPES[kind])


@login_not_required
@require_safe
@cache_control(public=True, max_age=3600)
def province_style(_request: HttpRequest, public_id: str) -> HttpResponse:
    province = get_object_or_404(Province, public_id=public_id)
    rule = f":root {{ --province: {province.colour}; }}\n" if province.colour else ""
    return HttpResponse(rule, content_type="text/css; charset=utf-8")
