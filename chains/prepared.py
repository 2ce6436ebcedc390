"""Questions that nearly every request asks, with their SQL written once in each process.

For a handful of rows by a key the ORM takes several times as long to write the statement as it then takes to ask it
and to make the rows. What is asked stays a query set, in one place; only writing it down is not done again.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)

# Stand for what is asked with while the statement is written; nothing in a query set is equal to one of them.
_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda n: 3_141_592_653_589_793_000 + n,
    str: lambda n: f"\ufdd0{n}",  # no character
    datetime.date: lambda n: datetime.date(1, 1, 2) + datetime.timedelta(n),
    datetime.datetime: lambda n: datetime.datetime(1, 1, 2, n, tzinfo=datetime.UTC),
    list: lambda n: [f"\ufdd0{n}"],
}


def among(ids: list[int]) -> RawSQL:
    """Behind `pk__in` of what is prepared for a `list` of ids: one statement for any number of them."""
    return RawSQL("SELECT unnest(%s::bigint[])", (ids,))


class Prepared(Generic[M]):
    """`Prepared(lambda key: Row.objects.filter(key=key), str)`; called with a key it gives the rows.

    The query set may narrow, order and select related rows; annotations and values it may not. It is made once: what
    changes from one asking to the next, the time of day too, has to be handed in. What it is called with goes to the
    database as it is, so it must be of the types named.
    """

    def __init__(self, rows: Callable[..., QuerySet[M]], *types: type) -> None:
        self._rows, self._types = rows, types
        self._written: Written[M] | None = None

    def __call__(self, *values: Any) -> list[M]:
        written = self._written
        if written is None:
            self._written = written = Written(*_written(self._rows, self._types))
        return written.rows(values)

    def first(self, *values: Any) -> M | None:
        return next(iter(self(*values)), None)


class Values:
    """The same for `.values(…)`, annotated too: each row as a dict, with what the database gives."""

    def __init__(self, rows: Callable[..., QuerySet[Any, Any]], *types: type) -> None:
        self._rows, self._types = rows, types
        self._written: _Statement | None = None

    def __call__(self, *values: Any) -> list[dict[str, Any]]:
        written = self._written
        if written is None:
            self._written = written = _Statement(*_written(self._rows, self._types))
        with connection.cursor() as cursor:
            cursor.execute(written.sql, written.filled(values))
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _written(
    rows: Callable[..., QuerySet[Any, Any]], types: tuple[type, ...]
) -> tuple[SQLCompiler, list[Any]]:
    marks = [_MARKS[kind](n) for n, kind in enumerate(types)]
    return rows(*marks).query.get_compiler(using="default"), marks


class _Statement:
    def __init__(self, compiler: SQLCompiler, marks: list[Any]) -> None:
        self.sql, params = compiler.as_sql()
        # For each parameter which of the values it is, or what it always is.
        self.params = [(marks.index(p), None) if p in marks else (None, p) for p in params]
        assert {n for n, _fixed in self.params if n is not None} == set(range(len(marks)))

    def filled(self, values: tuple[Any, ...]) -> list[Any]:
        return [fixed if n is None else values[n] for n, fixed in self.params]


class Written(_Statement, Generic[M]):
    def __init__(self, compiler: SQLCompiler, marks: list[Any]) -> None:
        super().__init__(compiler, marks)
        assert not compiler.annotation_col_map
        assert compiler.klass_info is not None
        about, select = compiler.klass_info, compiler.select
        columns = about["select_fields"]
        self.model: type[M] = about["model"]
        self.start, self.end = columns[0], columns[-1] + 1
        self.names = [column[0].target.attname for column in select[self.start : self.end]]
        self.converters = list(compiler.get_converters([one[0] for one in select]).items())
        self.related = get_related_populators(about, select, "default")  # type: ignore[call-arg]  # the stubs know a later Django

    def rows(self, values: tuple[Any, ...]) -> list[M]:
        made = []
        for columns in map(list, self.found(self.filled(values))):
            for place, (converters, expression) in self.converters:
                for convert in converters:
                    columns[place] = convert(columns[place], expression, connection)
            row = self.model.from_db("default", self.names, columns[self.start : self.end])
            for one in self.related:
                one.populate(columns, row)
            made.append(row)
        return made

    def found(self, params: list[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
