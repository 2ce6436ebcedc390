"""Finding rows by what people type: Chinese words, pinyin, English, aliases, near misses."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TypeVar

from django.db import models
from django.db.models import Q

from chains import searchtext
from chains.search import typed

M = TypeVar("M", bound=models.Model)


def nearly(field: str, query: str) -> Q | None:
    """The condition with one slip in a word; None when nothing in the query may be off."""
    patterns = searchtext.typo_patterns(query)
    if not patterns:
        return None
    return reduce(and_, (Q(**{f"{field}__regex": pattern}) for pattern in patterns))


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
