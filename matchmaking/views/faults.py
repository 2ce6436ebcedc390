"""What a reader gets when the fault is ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from redis.exceptions import RedisError

AWAY = (OperationalError, InterfaceError, RedisError)
RETRY_AFTER = "5"  # seconds; a database that was killed is back within them


def fault(_request: HttpRequest) -> HttpResponse:
    """A server that is away for the moment is something else than a fault: 503, and it comes back by itself.

    Neither page asks the database, nor who is reading.
    """
    if any(isinstance(error, AWAY) for error in _chain(sys.exc_info()[1])):
        answer = HttpResponse(render_to_string("503.html"), status=503)
        answer["Retry-After"] = RETRY_AFTER
        return answer
    return HttpResponseServerError(render_to_string("500.html"))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
