"""Finding rows by what people type: Chinese words, pinyin, English, aliases, near misses."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any, TypeVar

from django.db import models
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Regex

from chains import searchtext
from chains.search import typed

M = TypeVar("M", bound=models.Model)


def nearly(field: str, query: str) -> Q | None:
    """The condition with one slip in a word; None when nothing in the query may be off."""
    patterns = searchtext.typo_patterns(query)
    if not patterns:
        return None
    # The index answers the first; the second is kept away from it, which takes longer to see that it cannot.
    likely = [Q(**{f"{field}__regex": pattern}) for pattern in searchtext.loose_patterns(query)]
    exact = [
        Q(Regex(Concat(F(field), Value(""), output_field=TextField()), pattern))
        for pattern in patterns
    ]
    return reduce(and_, [*likely, *exact])


def found(rows: models.QuerySet[M], query: str, field: str = "search_text") -> models.QuerySet[M]:
    """The rows that answer the query; near misses only when nothing answers it exactly.

    An empty query leaves all rows; one of signs only finds none.
    """
    condition = typed(field, query)
    if condition is None:
        return rows.none() if query.strip() else rows
    hits = rows.filter(condition)
    loose = nearly(field, query)
    if loose is None or hits.exists():
        return hits
    return rows.filter(loose)


def first(
    rows: models.QuerySet[M, Any], query: str, limit: int, field: str = "search_text"
) -> list[Any]:
    """The first of `found`, without asking beforehand whether there are any; none for an empty query."""
    condition = typed(field, query)
    if condition is None:
        return []
    hits = list(rows.filter(condition)[:limit])
    loose = None if hits else nearly(field, query)
    return hits if loose is None else list(rows.filter(loose)[:limit])
