"""Finding rows by what people type: Chinese words, pinyin, English, aliases, near misses."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import TypeVar

from django.db import models
from django.db.models import Q

from chains import searchtext

M = TypeVar("M", bound=models.Model)


def exactly(query: str, field: str = "search_text") -> Q:
    """Every word of the query stands in the stored text, in one of its spellings."""
    words = searchtext.alternatives(query)
    return reduce(
        and_,
        (reduce(or_, (Q(**{f"{field}__contains": word}) for word in ways)) for ways in words),
        Q(),
    )


def nearly(query: str, field: str = "search_text") -> Q | None:
    """The same with one slip in a word; None when nothing in the query may be off."""
    patterns = searchtext.typo_patterns(query)
    if not patterns:
        return None
    return reduce(and_, (Q(**{f"{field}__regex": pattern}) for pattern in patterns))


def found(rows: models.QuerySet[M], query: str, field: str = "search_text") -> models.QuerySet[M]:
    """The rows that answer the query; near misses only when nothing answers it exactly."""
    if not searchtext.query_terms(query):
        return rows.none() if query.strip() else rows
    hits = rows.filter(exactly(query, field))
    loose = nearly(query, field)
    if loose is None or hits.exists():
        return hits
    return rows.filter(loose)
