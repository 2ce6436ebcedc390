"""What a reader gets when the fault is ours."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseServerError,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
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


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What no page has looked at yet: a 400 with a sentence that says what to change."""
    sentence = _sentence(exception)
    if request.path.startswith("/api/"):
        body = {
            "type": "about:blank",
            "title": HTTPStatus.BAD_REQUEST.phrase,
            "status": HTTPStatus.BAD_REQUEST,
            "detail": sentence,
            "code": "request.unreadable",
        }
        return JsonResponse(
            body, status=HTTPStatus.BAD_REQUEST, content_type="application/problem+json"
        )
    return HttpResponseBadRequest(render_to_string("400.html", {"sentence": sentence}))


def _sentence(error: Exception | None) -> str:
    match error:
        case DisallowedHost():
            return _("This service does not answer under that name. Check the address.")
        case TooManyFieldsSent():
            return _(
                "One form sends at most %(n)d fields. Nothing was stored: send it in several parts."
            ) % {"n": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
        case TooManyFilesSent():
            return _(
                "One form sends at most %(n)d files. Nothing was stored: send it in several parts."
            ) % {"n": settings.DATA_UPLOAD_MAX_NUMBER_FILES}
        case RequestDataTooBig():
            return _("What you sent is too large. Nothing was stored: send it in several parts.")
        case _:
            return _(
                "It holds characters that no text has, or it arrived in part only. Nothing was stored: check it and send it again."
            )


def is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
