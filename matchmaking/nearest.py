"""Candidates by meaning out of the database: vectors in pgvector beside the index in memory (MATCHING_CANDIDATES).

Derived from the offers like the index on disk, so a table of its own outside the migrations: made when it is switched
on, filled when it is missing or of other content, followed offer by offer. It may lack what was written a moment ago or
still hold what has gone: whoever asks knows the living texts, and compares them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from psycopg import sql

from matchmaking.engine.index import OfferIndex
from matchmaking.engine.sparse import Floats, Ints

# As many come from the graph by coarse vectors; the nearest of them are told by the whole ones in the same statement.
# The more texts there are, the more of the nearest a graph misses: at 600,000 four hundred hold .92 of them (ADR 16).
LOOKED_AT, LOOKED_AT_AMONG_MANY = 400, 1000
MANY = 100_000
_ROWS_AT_ONCE = 20_000
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_FEET = b"\xff\xff"


def effort_for(texts: int) -> int:
    return LOOKED_AT if texts <= MANY else LOOKED_AT_AMONG_MANY


def _own_cursor() -> Any:
    """Of the thread that asks: the bound method would for ever be that of the connection this file was read with."""
    return connection.cursor()


@dataclass(slots=True)
class StoredVectors:
    """Texts of one side by offer and text, each with its coarse and its whole vector."""

    table: str
    basis: Floats
    effort: int = LOOKED_AT
    cursor: Callable[[], Any] = field(default=_own_cursor)

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self.table)

    def create(self, whole: int) -> None:
        """An empty table in the place of whatever stood there."""
        coarse = self.basis.shape[1]
        with self.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self._table))
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE {} (offer bigint NOT NULL, text bigint NOT NULL,"
                    " coarse halfvec({}) NOT NULL, whole halfvec({}) NOT NULL, PRIMARY KEY (offer, text))"
                ).format(self._table, sql.Literal(coarse), sql.Literal(whole))
            )

    def add(self, offers: Ints, texts: Ints, vectors: npt.NDArray[Any]) -> None:
        """Rows in binary: written out as text they would take ten times as long."""
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(self._table)
        with self.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(_HEAD)
            for start in range(0, len(offers), _ROWS_AT_ONCE):
                block = slice(start, start + _ROWS_AT_ONCE)
                whole = np.asarray(vectors[block])
                coarse = whole.astype(np.float32) @ self.basis
                copy.write(_binary(offers[block], texts[block], coarse, whole))
            copy.write(_FEET)

    def build(self) -> None:
        """The graph that is searched; once for a table, later rows find their place in it by themselves."""
        with self.cursor() as cursor:
            cursor.execute(
                sql.SQL(
                    "CREATE INDEX ON {} USING hnsw (coarse halfvec_ip_ops) WITH (m = 16, ef_construction = 64)"
                ).format(self._table)
            )
            cursor.execute(sql.SQL("ANALYZE {}").format(self._table))

    def remove(self, offers: Iterable[int]) -> None:
        with self.cursor() as cursor:
            statement = sql.SQL("DELETE FROM {} WHERE offer = ANY(%s)").format(self._table)
            cursor.execute(statement, [list(offers)])

    def find(self, vectors: Floats, k: int) -> list[list[tuple[int, int]]]:
        """Offer and text of about the k nearest texts of each vector, the nearest first."""
        statement = sql.SQL(
            "SELECT offer, text FROM (SELECT offer, text, whole FROM {} ORDER BY coarse <#> %s::halfvec LIMIT %s) near"
            " ORDER BY whole <#> %s::halfvec, offer, text LIMIT %s"
        ).format(self._table)
        found = []
        with self.cursor() as cursor:
            cursor.execute("SELECT set_config('hnsw.ef_search', %s, false)", [str(self.effort)])
            for vector in vectors:
                coarse = _written(vector @ self.basis)
                cursor.execute(statement, [coarse, max(self.effort, k), _written(vector), k])
                found.append(cursor.fetchall())
        return found


def _written(vector: Floats) -> str:
    return "[" + ",".join(f"{value:.5f}" for value in vector) + "]"


def _binary(offers: Ints, texts: Ints, coarse: Floats, whole: npt.NDArray[Any]) -> bytes:
    """Rows as COPY reads them: (int8, int8, halfvec, halfvec), big-endian."""
    record = np.dtype(
        [("fields", ">i2")]
        + [(f"{name}{part}", kind) for name in ("offer", "text") for part, kind in (("_size", ">i4"), ("", ">i8"))]
        + [
            (f"{name}_{part}", kind, shape)
            for name, count in (("coarse", coarse.shape[1]), ("whole", whole.shape[1]))
            for part, kind, shape in (
                ("size", ">i4", ()), ("dim", ">i2", ()), ("unused", ">i2", ()), ("values", ">f2", (count,)),
            )
        ]
    )  # fmt: skip
    out = np.zeros(len(offers), record)
    out["fields"], out["offer_size"], out["text_size"] = 4, 8, 8
    out["offer"], out["text"] = offers, texts
    for name, values in (("coarse", coarse), ("whole", whole)):
        out[f"{name}_size"] = 4 + 2 * values.shape[1]
        out[f"{name}_dim"] = values.shape[1]
        out[f"{name}_values"] = values
    return out.tobytes()


@transaction.atomic
def of_index(side: str, index: OfferIndex, *, anew: bool = False) -> StoredVectors:
    """The table that stands for an index, filled by the first process that finds it missing or of other content, and
    by one that has built its index anew because too much had changed to follow."""
    known = index.taxonomy
    stored = StoredVectors(
        _table_of(side), known.basis(index.encoder), effort=effort_for(len(index))
    )
    content = f"{known.fingerprint} {index.encoder.version}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stored.table])
        cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [stored.table])
        if cursor.fetchone()[0] == content and not anew:
            return stored
        offers, texts, vectors = index.kept()
        stored.create(vectors.shape[1])
        stored.add(offers, texts, vectors)
        stored.build()
        cursor.execute(
            sql.SQL("COMMENT ON TABLE {} IS {}").format(stored._table, sql.Literal(content))  # noqa: SLF001
        )
    return stored


def _table_of(side: str) -> str:
    return f"matchmaking_nearest_{side}"


def forget(side: str) -> None:
    """Where candidates come from memory nobody follows the table: kept, it would be of yesterday when it is wanted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [_table_of(side)])
        if cursor.fetchone()[0] is not None:
            cursor.execute(
                sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(_table_of(side)))
            )


@transaction.atomic
def follow(stored: StoredVectors, index: OfferIndex, changed: Sequence[int]) -> None:
    """Brings the rows of changed offers up to the index; two processes that do the same leave the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stored.table])
    stored.remove(changed)
    stored.add(*index.kept(changed))
