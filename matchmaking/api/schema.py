"""What every operation may refuse, written into the description of the API once for all."""

from __future__ import annotations

from typing import Any

from matchmaking.api.errors import PROBLEM

_TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank; `code` says which problem."},
        "title": {"type": "string", "description": "The phrase of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people, in their language."},
        "code": {"type": "string", "description": "For programs: noun.fault."},
        "errors": {
            "description": "422: the faults, field by field.",
            "oneOf": [
                {"type": "object", "additionalProperties": {}},
                {"type": "array", "items": {}},
            ],
        },
        "missing": {
            "type": "object",
            "additionalProperties": _TEXT,
            "description": "409 of a submission: what the draft still lacks, field by field.",
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
}
_SAID = {
    "400": ("BadRequest", "The body is not JSON, or not in the form that is asked for."),
    "401": ("NotSignedIn", "Nobody has signed in, or the token is not known."),
    "403": ("Forbidden", "The right is missing; `detail` says whose it is."),
    "404": ("NotFound", "There is no such thing, or it is not open to you."),
    "409": ("Conflict", "A rule or the state of the thing forbids it; `detail` says what to do."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("NotJSON", "The body is of another media type than application/json."),
    "422": ("Invalid", "Fields or filters need correction; `errors` names them."),
    "429": ("TooMany", "Too many requests; Retry-After says when to come again."),
}
_HEADERS = {
    "401": {"WWW-Authenticate": {"schema": _TEXT}},
    "429": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
}
_METHODS = ("get", "post", "put", "patch", "delete")


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the generator: the refusals of each operation, by what it takes and does."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = SCHEMA
    components["responses"] = {
        name: {
            "description": said,
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, (name, said) in _SAID.items()
    }
    for path, item in result["paths"].items():
        for method in _METHODS:
            if method in item:
                _refuse(item[method], _statuses(path, method, item[method]))
    return result


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = ["401", "429"]
    writes = method != "get"
    # Whoever needs no sign-in to read is never told that a right is missing.
    if writes or {} not in operation.get("security", []):
        found.append("403")
    if "{" in path or writes:
        found.append("404")
    if writes:
        found += ["400", "409", "413", "415", "422"]
    elif any(one["in"] == "query" for one in operation.get("parameters", ())):
        found.append("422")
    return sorted(found)


def _refuse(operation: dict[str, Any], statuses: list[str]) -> None:
    answers = operation["responses"]
    for status in statuses:
        answers.setdefault(status, {"$ref": f"#/components/responses/{_SAID[status][0]}"})
