from __future__ import annotations

import re

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from chains.http import HttpRequest
from chains.models import Category
from matchmaking import market
from matchmaking.engine import proposals

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


@require_http_methods(["GET", "POST"])
def category_suggest(request: HttpRequest) -> HttpResponse:
    """Categories for what is being typed, as boxes to tick: a part of a form, swapped in by htmx.

    `name` is the boxes' field; the text stands in `q`, or in the first filled parameter that
    a `source` names. Forms post it: a Chinese paragraph is longer than an address may be.
    """
    sent = request.GET.copy()
    sent.update(request.POST)
    name = sent.get("name", "category")
    if not _NAME.fullmatch(name):
        name = "category"
    typed = [sent.get(one, "").strip() for one in ("q", *sent.getlist("source"))]
    text = next((one for one in typed if one), "")
    chosen = [*sent.getlist("selected"), *sent.getlist(name)]
    found = market.suggest(text)
    rows = {
        row.code: row
        for row in Category.objects.filter(
            code__in=[*chosen, *(one.code for one in found)]
        ).select_related("parent__parent")
    }
    kept = [{"category": rows[code], "chosen": True} for code in chosen if code in rows]
    fresh = [
        {"category": rows[one.code], "term": one.term}
        for one in found
        if one.code in rows and one.code not in chosen
    ]
    instead = proposals.doubted(found, chosen)
    return render(
        request,
        "matchmaking/category_suggest.html",
        {
            "name": name,
            "text": text,
            "choices": [*kept, *fresh],
            "is_empty": not fresh,
            "is_doubtful": proposals.is_doubtful(found),
            "instead": rows.get(instead.code) if instead is not None else None,
        },
    )
