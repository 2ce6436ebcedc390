from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.expressions import Func, RawSQL


class ChangeQuerySet(models.QuerySet["Change"]):
    def unread_by(self, reader: ChangeReader) -> Self:
        """Committed facts the reader has not seen, also those that it may not read yet."""
        return self.filter(
            models.Q(transaction__gt=reader.transaction)
            | models.Q(transaction=reader.transaction, pk__gt=reader.change)
        )

    def after(self, reader: ChangeReader) -> Self:
        """Committed facts the reader has not seen, in an order that never grows in the past.

        Ids are given before commit, so a lower id may become visible after a higher one. Only
        transactions below the oldest running one are read: nothing can appear among them any more.
        """
        return (
            self.unread_by(reader)
            .filter(
                transaction__lt=RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", ()),
            )
            .order_by("transaction", "pk")
        )


class Change(models.Model):
    """A fact that others may want to act on: the noun, the row, what happened."""

    noun = models.CharField(max_length=40)
    target = models.CharField(max_length=12)  # public_id
    verb = models.CharField(max_length=40)
    transaction = models.BigIntegerField(
        db_default=Func(
            template="(pg_current_xact_id()::text::bigint)", output_field=models.BigIntegerField()
        ),
        editable=False,
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["transaction", "pk"]
        indexes = [models.Index(fields=["transaction", "id"], name="change_feed")]

    def __str__(self) -> str:
        return f"{self.noun}:{self.target} {self.verb}"


class ChangeReader(models.Model):
    """How far one reader of the feed has come."""

    name = models.CharField(max_length=40, primary_key=True)
    transaction = models.BigIntegerField(default=0)
    change = models.BigIntegerField(default=0)
    # The fact it could not act on, how often it has tried, and when last.
    stuck_on = models.BigIntegerField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
