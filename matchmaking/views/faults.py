"""What a reader gets when the fault is ours."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from redis.exceptions import RedisError

AWAY = (OperationalError, InterfaceError, RedisError)
# Nothing more fits on the disk, or into what this installation may use of it.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
RETRY_AFTER = "5"  # seconds; a database that was killed is back within them


def fault(_request: HttpRequest) -> HttpResponse:
    """A server that is away for the moment is something else than a fault: 503, and it comes back by itself.

    Neither page asks the database, nor who is reading.
    """
    chain = list(_chain(sys.exc_info()[1]))
    if any(is_full(error) for error in chain):
        return HttpResponse(render_to_string("507.html"), status=507)
    if any(isinstance(error, AWAY) for error in chain):
        answer = HttpResponse(render_to_string("503.html"), status=503)
        answer["Retry-After"] = RETRY_AFTER
        return answer
    return HttpResponseServerError(render_to_string("500.html"))


def is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
