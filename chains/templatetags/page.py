"""Small pieces of markup that a strict CSP wants drawn on the server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import segno
from babel import Locale
from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from chains.models import Province, Region
from chains.templatetags.localised import is_chinese

register = template.Library()

_WITH_CHINA = {
    "zh": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"},
    "en": {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China"},
}


@register.filter
def before(label: Any) -> str:
    """A label in front of what is said of it: a colon, unless the label is a sentence or a question itself."""
    text = str(label)
    if text.endswith(("。", "？")):
        return text
    return f"{text} " if text.endswith((".", "?")) else text + pgettext("label", ": ")


@register.simple_tag
@lru_cache(maxsize=500)
def icon(name: str, css: str = "i") -> SafeString:
    """An icon of the sprite; always beside a word or with an accessible name on its parent."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        css,
        static("img/icons.svg"),
        name,
    )


@lru_cache(maxsize=2)
def territories(language: str) -> dict[str, str]:
    """The names of countries and regions by their codes."""
    return dict(Locale(language).territories) | _WITH_CHINA[language]


@register.filter
def country(code: str) -> str:
    """The name of a country in the reader's language: DE is Germany, 德国."""
    return territories("zh" if is_chinese() else "en").get(code, code)


@register.simple_tag
def choices(name: str, offered: Iterable[Any]) -> SafeString:
    """The boxes to tick of one filter: a page has dozens, so a template for each would be most of its cost."""
    found = []
    for choice in offered:
        place = conditional_escape(f"{name}-{choice.value}")
        found.append(
            '<div class="form-check d-flex"><input class="form-check-input" type="checkbox"'
            f' id="{place}" name="{name}" value="{conditional_escape(choice.value)}"'
            f"{' checked' if choice.is_chosen else ''}>"
            f'<label class="form-check-label flex-grow-1 ms-2" for="{place}">'
            f"{conditional_escape(choice.label)}</label>"
        )
        if choice.count:
            found.append(f'<span class="muted small tnum">{choice.count}</span>')
        found.append("</div>")
    return mark_safe("".join(found))  # noqa: S308 -- each value is escaped above


@register.simple_tag
def radios(name: str, offered: Iterable[tuple[str, Any]], place: str) -> SafeString:
    """The choices of one of many small forms; `place` tells them apart. As for the boxes above."""
    return format_html_join(
        "",
        '<div class="form-check"><input class="form-check-input" type="radio" name="{0}" value="{2}" id="{0}-{1}-{2}">'
        '<label class="form-check-label" for="{0}-{1}-{2}">{3}</label></div>',
        ((name, place, value, label) for value, label in offered),
    )


@register.simple_tag
def bar(percent: float, css: str = "") -> SafeString:
    """A bar of 0–100 %. The number stands beside it in words, so it is hidden from readers aloud."""
    width = max(0, min(100, round(float(percent))))
    return format_html(
        '<svg class="bar {}" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 10">'
        '<rect class="v" width="{}" height="10"/></svg>',
        css,
        width,
    )


@register.simple_tag
def stack(total: float, *values: float) -> SafeString:
    """Values beside each other in one bar, of a total or of their sum where that is more; numbers stand beside it."""
    whole = max(total or 0, sum(values)) or 1
    drawn, x = [], 0.0
    for value, css in zip(values, ("s1", "s4"), strict=False):
        width = 100 * value / whole
        if value:
            drawn.append((css, f"{x:.2f}", f"{max(width - 0.4, 0.3):.2f}"))
        x += width
    return format_html(
        '<svg class="bar" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 10">{}</svg>',
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="10"/>', drawn),
    )


@register.simple_tag
def swatch(css: str) -> SafeString:
    """The colour of a series of values, beside its name."""
    return format_html(
        '<svg class="sw" aria-hidden="true" viewBox="0 0 10 10"><rect class="{}" width="10" height="10"/></svg>',
        css,
    )


@register.simple_tag
def qr(text: str, label: str) -> SafeString:
    """A QR code as one SVG path."""
    code = segno.make(text, error="m", micro=False)
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(code.matrix_iter(border=3))
        for x, value in enumerate(row)
        if value
    )
    size = code.symbol_size(border=3)[0]
    return format_html(
        '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {} {}" shape-rendering="crispEdges">'
        '<path d="{}"/></svg>',
        label,
        size,
        size,
        mark_safe(path),  # noqa: S308 -- digits and letters made above
    )


@register.filter
def percent_of(value: Any, total: Any) -> int:
    """0 when there is no total: an empty bar"""
    return round(100 * value / total) if total else 0


@register.filter
def as_json(value: Any) -> str:
    """For a data attribute, escaped like any text: a script of its own the policy would not run."""
    return json.dumps(value, cls=DjangoJSONEncoder)


# What browsers call themselves; the first that fits, for each names those it descends from too.
_BROWSERS = (
    ("MicroMessenger", _("WeChat")),
    ("DingTalk", _("DingTalk")),
    ("Lark", "Lark"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


@register.filter
def device(agent: str) -> str:
    """ "Chrome · Windows" of what a browser calls itself."""
    found = [
        next((str(name) for sign, name in signs if sign in agent), "")
        for signs in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or str(_("Unknown browser"))


# What a page is about, and the way from there to the region whose province it belongs to.
_BELONGS = (
    ("event", ("region",)),
    ("series", ("programme", "owner", "region")),
    ("programme", ("owner", "region")),
    ("listing", ("event", "region")),
)


@register.simple_tag(takes_context=True)
def province_look(context: dict[str, Any]) -> Province | None:
    """The served province to which the page belongs, with its name, logo and colour for the header; mostly there is none."""
    for name, way in _BELONGS:
        found: Any = context.get(name)
        for step in way:
            found = getattr(found, step, None)
        if isinstance(found, Region):
            served = Province.objects.filter(region__code__in=found.codes).defer("logo")
            return served.annotate(has_logo=Q(logo__isnull=False)).first()
    return None
