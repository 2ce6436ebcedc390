"""What the pages of a province carry. A stylesheet of its own, because pages may hold no style (CSP)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from chains import spreadsheets
from chains.models import Province, colours

TYPES = {"png": "image/png", "jpeg": "image/jpeg"}


@login_not_required
@require_safe
@conditional_page
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
@conditional_page
@cache_control(public=True, max_age=3600)
def province_style(_request: HttpRequest, public_id: str) -> HttpResponse:
    province = get_object_or_404(Province, public_id=public_id)
    return HttpResponse(_style(province.colour), content_type="text/css; charset=utf-8")


def _style(colour: str) -> str:
    """The header in the province's colour, darker in the dark. One kept from before that carries no text is a stripe."""
    if not colour:
        return ""
    rules = [f":root {{ --province: {colour}; }}"]
    if colours.carries_text(colour):
        for theme, share in (("light", 0.0), ("dark", 0.45)):
            band = colours.darkened(colour, share)
            where = (
                ':root, [data-bs-theme="light"]' if theme == "light" else '[data-bs-theme="dark"]'
            )
            rules.append(
                f"{where} {{ --band: {band}; --band-hover: {colours.darkened(band, 0.25)}; --band-accent: #fff; }}"
            )
    return "\n".join(rules) + "\n"
