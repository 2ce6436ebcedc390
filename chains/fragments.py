"""Markup that costs more to make than to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from chains import changes
from chains.http import HttpRequest

T = TypeVar("T")

# A fact ends a kept body at once. What passes by the feed – the clock, an administrator's correction of a
# name – is seen after so many seconds.
SECONDS = 10


def kept(
    request: HttpRequest, name: str, make: Callable[[], str], *, same_for: str = ""
) -> SafeString:
    """The body of a public page: strangers all see the same, so theirs is kept; who has signed in gets their own.

    `same_for` names those who see the same, signed in or not. Only for markup without forms that post: a token
    in it would be somebody else's.
    """
    if request.user.is_authenticated and not same_for:
        return mark_safe(make())  # noqa: S308 -- a rendered template
    asked = hashlib.sha256(f"{request.path}?{request.GET.urlencode()}".encode()).hexdigest()
    language = translation.get_language()
    body = since_last_fact(f"page:{name}:{same_for or 'strangers'}:{language}:{asked}", make)
    return mark_safe(body)  # noqa: S308 -- a rendered template


def since_last_fact(key: str, make: Callable[[], T], seconds: int = SECONDS) -> T:
    """What was made of this state of the register, or made now and kept; `key` holds all else it depends on."""
    key = f"{key}:{changes.version()}"
    found: T | None = caches["pages"].get(key)
    if found is None:
        found = make()
        caches["pages"].set(key, found, seconds)
    return found


def rendered(template: str, name: str, values: dict[str, Any]) -> SafeString:
    """A piece of a list, rendered once for the values it shows; they are all it may depend on.

    Values must be hashable; the reader's language is one of them without being named.
    """
    if settings.DEBUG:  # a template that is being written changes under its values
        return render_to_string(template, {name: values})
    return _rendered(translation.get_language(), template, name, tuple(values.items()))


@lru_cache(maxsize=4000)
def _rendered(
    _language: str | None, template: str, name: str, values: tuple[tuple[str, Any], ...]
) -> SafeString:
    return render_to_string(template, {name: dict(values)})
