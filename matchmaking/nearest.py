"""Candidates by meaning out of the database: vectors in pgvector beside the index in memory (MATCHING_CANDIDATES).

Derived from the offers like the index on disk, so tables of their own outside the migrations: made when it is switched
on, filled when they are missing or of other content, followed offer by offer. They may lack what was written a moment
ago or still hold what has gone: whoever asks knows the living texts, and compares them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from psycopg import sql

from matchmaking.engine import ENGINE_VERSION
from matchmaking.engine.encoder import directions
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.sparse import Floats, Ints

# As many come from the graph by coarse vectors; the nearest of them are told by the whole ones in the same statement.
# The more texts there are, the more of the nearest a graph misses: at 600,000 four hundred hold .92 of them (ADR 16).
LOOKED_AT, LOOKED_AT_AMONG_MANY = 400, 1000
MANY = 100_000
COARSE = 192
# So many texts, spread over all, tell the directions; fewer than the least are too few to, and nothing is left out.
TELLING, LEAST_TELLING = 8192, 1000
_ROWS_AT_ONCE = 20_000
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_FEET = b"\xff\xff"


def effort_for(texts: int) -> int:
    return LOOKED_AT if texts <= MANY else LOOKED_AT_AMONG_MANY


@dataclass(slots=True)
class StoredVectors:
    """Texts of one side by offer and text, each with its coarse and its whole vector.

    The directions of the coarse ones are those of the texts that fill the table. They are kept beside it, and hold for
    every process and every later text until the table is filled anew.
    """

    table: str
    effort: int = LOOKED_AT
    # Which table of directions was read last, and what it held.
    _read: tuple[int, Floats] | None = field(default=None, init=False)

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self.table)

    @property
    def _directions(self) -> sql.Identifier:
        return sql.Identifier(f"{self.table}_directions")

    def content(self) -> str | None:
        """What the table was filled with; None where it or its directions are missing."""
        with connection.cursor() as cursor:
            if not (_exists(cursor, self._table) and _exists(cursor, self._directions)):
                return None
            cursor.execute(sql.SQL("SELECT content FROM {}").format(self._directions))
            found: tuple[str] | None = cursor.fetchone()
        return found[0] if found else None

    @transaction.atomic
    def fill(
        self, content: str, offers: Ints, texts: Ints, vectors: npt.NDArray[Any], rows: Ints
    ) -> None:
        """The texts of some rows in the place of whatever stood there, and the graph by which they are searched."""
        whole = vectors.shape[1]
        if len(rows) < LEAST_TELLING:
            basis = np.eye(whole, dtype=np.float32)
        else:
            basis = directions(vectors[rows[:: 1 + len(rows) // TELLING]], COARSE)
        kept = BytesIO()
        np.save(kept, basis)
        self.forget()
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE {} (content text NOT NULL, directions bytea NOT NULL)"
                ).format(self._directions)
            )
            cursor.execute(
                sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(self._directions),
                [content, kept.getvalue()],
            )
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE {} (offer bigint NOT NULL, text bigint NOT NULL,"
                    " coarse halfvec({}) NOT NULL, whole halfvec({}) NOT NULL, PRIMARY KEY (offer, text))"
                ).format(self._table, sql.Literal(basis.shape[1]), sql.Literal(whole))
            )
        self.exchange([], offers, texts, vectors, rows)
        self._build()

    @transaction.atomic
    def exchange(
        self,
        gone: Sequence[int],
        offers: Ints,
        texts: Ints,
        vectors: npt.NDArray[Any],
        rows: Ints,
    ) -> None:
        """The texts of some rows in the place of those of some offers; in binary, for written out as text they would
        take ten times as long."""
        delete = sql.SQL("DELETE FROM {} WHERE offer = ANY(%s)").format(self._table)
        write = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(self._table)
        with connection.cursor() as cursor:
            basis = self._basis(cursor)
            cursor.execute(delete, [list(gone)])
            with cursor.copy(write) as copy:
                copy.write(_HEAD)
                for start in range(0, len(rows), _ROWS_AT_ONCE):
                    block = rows[start : start + _ROWS_AT_ONCE]
                    whole = vectors[block]
                    coarse = whole.astype(np.float32) @ basis
                    copy.write(_binary(offers[block], texts[block], coarse, whole))
                copy.write(_FEET)

    def _build(self) -> None:
        """The graph that is searched; once for a table, later rows find their place in it by themselves."""
        with connection.cursor() as cursor:
            # A graph of 600,000 fits, and one that does not takes many times as long. By one process: several would
            # take all of it out of shared memory, of which a container has little.
            cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
            cursor.execute("SET LOCAL max_parallel_maintenance_workers = 0")
            cursor.execute(
                sql.SQL(
                    "CREATE INDEX ON {} USING hnsw (coarse halfvec_ip_ops) WITH (m = 16, ef_construction = 64)"
                ).format(self._table)
            )
            cursor.execute(sql.SQL("ANALYZE {}").format(self._table))

    @transaction.atomic
    def find(self, vectors: Floats, k: int) -> list[list[tuple[int, int]]]:
        """Offer and text of about the k nearest texts of each vector, the nearest first."""
        statement = sql.SQL(
            "SELECT offer, text FROM (SELECT offer, text, whole FROM {} ORDER BY coarse <#> %s::halfvec LIMIT %s) near"
            " ORDER BY whole <#> %s::halfvec, offer, text LIMIT %s"
        ).format(self._table)
        found = []
        with connection.cursor() as cursor:
            basis = self._basis(cursor)
            cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(self.effort)])
            for vector in vectors:
                coarse = _written(vector @ basis)
                cursor.execute(statement, [coarse, max(self.effort, k), _written(vector), k])
                found.append(cursor.fetchall())
        return found

    @transaction.atomic
    def forget(self) -> None:
        """The directions first, as all others do: whoever has read them gets at the vectors too."""
        with connection.cursor() as cursor:
            for table in (self._directions, self._table):
                if _exists(cursor, table):
                    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))

    def _basis(self, cursor: Any) -> Floats:
        """The directions of the table as it stands until the end of the transaction: another process may have filled
        it anew since they were read."""
        cursor.execute(sql.SQL("SELECT tableoid FROM {}").format(self._directions))
        (number,) = cursor.fetchone()
        if self._read is None or self._read[0] != number:
            cursor.execute(sql.SQL("SELECT directions FROM {}").format(self._directions))
            self._read = number, np.load(BytesIO(cursor.fetchone()[0]))
        return self._read[1]


def _exists(cursor: Any, table: sql.Identifier) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table.as_string()])
    there: bool = cursor.fetchone()[0]
    return there


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
    stored = StoredVectors(_table_of(side), effort=effort_for(len(index)))
    content = f"{ENGINE_VERSION} {index.taxonomy.fingerprint} {index.encoder.version}"
    _alone(stored)
    if anew or stored.content() != content:
        stored.fill(content, *index.kept())
    return stored


def _table_of(side: str) -> str:
    return f"matchmaking_nearest_{side}"


def _alone(stored: StoredVectors) -> None:
    """One process at a time fills or follows a table, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [stored.table])


def forget(side: str) -> None:
    """Where candidates come from memory nobody follows the table: kept, it would be of yesterday when it is wanted."""
    StoredVectors(_table_of(side)).forget()


@transaction.atomic
def follow(stored: StoredVectors, index: OfferIndex, changed: Sequence[int]) -> None:
    """Brings the rows of changed offers up to the index; two processes that do the same leave the same."""
    _alone(stored)
    stored.exchange(changed, *index.kept(changed))
