from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Legal in JSON, and cannot be written as UTF-8.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """JSON that the database can hold: not bottomless, no NUL and no half of a character."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            value: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
        for text in _texts(value):
            if "\x00" in text or (not text.isascii() and _LONE_SURROGATE.search(text)):
                raise ParseError(_("The body holds a character that no text can have."))
        return value


def _texts(value: Any) -> Iterator[str]:
    """All texts of a parsed body, names of fields too; without recursion, whatever was sent."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            rest.extend(one)
        elif isinstance(one, dict):
            rest.extend(one)
            rest.extend(one.values())
