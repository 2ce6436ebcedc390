"""Every refusal as application/problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as ModelError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from chains.errors import DomainError
from matchmaking.views.faults import is_full

PROBLEM = "application/problem+json"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """A response for what the caller can understand; None lets a fault of ours become a 500."""
    if isinstance(error, DomainError):
        set_rollback()
        return _refused(error)
    if isinstance(error, RequestDataTooBig):
        return problem(
            status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
            _("The body is too large."),
            "request.too_large",
        )
    if isinstance(error, ModelError):
        error = exceptions.ValidationError(get_error_detail(error))
    if isinstance(error, exceptions.ValidationError):
        set_rollback()
        return problem(
            status.HTTP_422_UNPROCESSABLE_ENTITY,
            _("Some fields need correction."),
            "request.invalid",
            errors=error.detail,
        )
    response = exception_handler(error, context)
    if response is None:
        return _full_or_away(error)
    answer = problem(response.status_code, _detail(error), _code(error))
    for name, value in response.headers.items():
        if name.lower() in ("www-authenticate", "retry-after"):
            answer[name] = value
    return answer


def _refused(error: DomainError) -> Response:
    detail = str(error)
    if error.field:
        errors = {error.field: [detail]}
        return problem(status.HTTP_422_UNPROCESSABLE_ENTITY, detail, error.code, errors=errors)
    found = status.HTTP_403_FORBIDDEN if error.is_refusal else status.HTTP_409_CONFLICT
    # What a draft still lacks, field by field: programs need more than the sentence.
    missing = {"missing": error.params["missing"]} if "missing" in error.params else {}
    return problem(found, detail, error.code, **missing)


def _full_or_away(error: Exception) -> Response | None:
    if is_full(error):
        set_rollback()
        return problem(
            status.HTTP_507_INSUFFICIENT_STORAGE,
            _("There is no room left to keep this. Nothing was half stored: send it again later."),
            "service.full",
        )
    return _away() if isinstance(error, OperationalError | InterfaceError) else None


def _away() -> Response:
    answer = problem(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        _(
            "The service is away for a moment. Nothing was half stored: send the same again in a few seconds."
        ),
        "service.away",
    )
    answer["Retry-After"] = "5"
    return answer


def _detail(error: Exception) -> str:
    if isinstance(error, Http404):
        return _("There is no such thing, or it is not open to you.")
    if isinstance(error, PermissionDenied):
        return _("You may not do this.")
    # What the framework says in English only.
    if isinstance(error, exceptions.ParseError) and isinstance(error.__context__, JSONDecodeError):
        place = error.__context__
        return _("The body is no JSON from line %(line)d, sign %(sign)d on.") % {
            "line": place.lineno,
            "sign": place.colno,
        }
    if isinstance(error, exceptions.PermissionDenied) and str(error).startswith("CSRF"):
        return _("Signed in by a page, a request needs its token in the header X-CSRFToken.")
    return str(error)


def _code(error: Exception) -> str:
    if isinstance(error, exceptions.APIException):
        return f"request.{error.default_code}"
    return "request.not_found" if isinstance(error, Http404) else "request.forbidden"


def problem(found: int, detail: str, code: str, **more: Any) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(found).phrase,
        "status": found,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(body, status=found, content_type=PROBLEM)
