from __future__ import annotations

import secrets
from typing import Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

# No vowels and no look-alikes: an address never spells a word and can be read out.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


def new_public_id() -> str:
    """Twelve random characters (57 bits): names a row in addresses and answers without counting it."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


class TimeStamped(models.Model):
    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class SignsOf(models.Func):
    """The signs of a text, each once. An index of them finds words of two Chinese characters, and words of which one
    character is another: both are too short for one of trigrams."""

    function = "signs_of"
    arity = 1
    output_field = ArrayField(models.TextField())


class TakesReading(models.Func):
    """True of every text. Said beside a condition on a long text, it tells the database what it does not count: looking
    into one takes far longer than looking at its row, and an index saves it."""

    function = "takes_reading"
    arity = 1
    output_field = models.BooleanField()


class Says(models.Func):
    """The text answers a regular expression; the last that is asked of a row, and never of an index."""

    function = "says"
    arity = 2
    output_field = models.BooleanField()


_Row_co = TypeVar("_Row_co", bound="Reference", covariant=True)


class ReferenceQuerySet(models.QuerySet[_Row_co]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Reference(models.Model):
    """A row of the shipped register: named in both languages, retired but never deleted."""

    code = models.CharField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    order = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["order", "code"]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"


class Language(models.TextChoices):
    """The language a person typed in; the names stand in their own language on purpose."""

    ZH = "zh", "中文"
    EN = "en", "English"
