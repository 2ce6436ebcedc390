from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class DomainError(Exception):
    """A rule said no. `str()` is a sentence the reader can act on; `code` is for programs (noun.fault); `field` names
    what of the things sent is at fault, where it is one of them and not the state of things."""

    def __init__(self, message: object, *, code: str, field: str = "", **params: Any) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.params = params

    @property
    def is_refusal(self) -> bool:
        """True when the person lacks the right: answered with 403, not 409."""
        return self.code.endswith(".forbidden")


def check_fields(fields: Iterable[str], allowed: Iterable[str]) -> None:
    """Services name the fields they set; whoever passes on a form or a request is held to them here."""
    unknown = set(fields) - set(allowed)
    if unknown:
        raise TypeError(f"no field to be set: {', '.join(sorted(unknown))}")


# Left out of `full_clean` where an enterprise is at hand and a row's id was drawn: each would cost a question to the
# database, which holds both anyway.
GIVEN = ("enterprise", "public_id")
