"""Finding rows of the register by what people type. Readers only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import TypeVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.lookups import DataContains
from django.core.cache import caches
from django.db import connection
from django.db.models import Case, F, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length, Upper
from django.utils.module_loading import import_string

from chains import identity, searchtext
from chains.models import Category, Chain, Enterprise, EnterpriseAlias, Reference, Region, Segment
from chains.models.base import SignsOf, TakesReading
from chains.prepared import Prepared, Values, among

R = TypeVar("R", bound=Reference)


def typed(field: str, query: str, *, by_signs: bool = False) -> Q | None:
    """The condition that a stored search document answers the query; None when nothing was typed. `by_signs`: there are
    indexes of what stands in it."""
    alternatives = searchtext.alternatives(query)
    if not alternatives:
        return None
    condition = Q(TakesReading(field)) if by_signs else Q()
    for spellings in alternatives:
        either = Q()
        # What can be pinyin mostly is, and a spelling that does not stand there is looked for through the whole text.
        for spelling in sorted(spellings, key=_is_pinyin, reverse=True):
            one = Q(**{f"{field}__contains": spelling})
            signs = searchtext.clue(spelling).signs if by_signs else ""
            either |= one & holds_signs(field, signs) if signs else one
        condition &= either
    return condition


def _is_pinyin(spelling: str) -> bool:
    return spelling.isascii() and spelling.isalpha() and not spelling.islower()


def holds_signs(field: str, signs: str) -> Q:
    # By a question within the question, so that the database does not see which signs they are. Of common ones it would
    # look into every row, and take each text that holds the word apart: thirty times what the index takes.
    wanted = RawSQL("SELECT %s::text[]", [list(signs)], ArrayField(TextField()))
    return Q(DataContains(SignsOf(F(field)), wanted))


def regions(query: str, limit: int = 12) -> list[Region]:
    """Regions named like this in Chinese, pinyin or English, or with this code; the largest first."""
    query = query.strip()
    condition = typed("search_text", query)
    if condition is None:
        return []
    exact = Q(name_zh=query) | Q(name_en__iexact=query) | Q(code=query)
    starts = Q(name_zh__startswith=query) | Q(name_en__istartswith=query)
    return list(
        Region.objects.filter(condition | exact, is_active=True)
        .exclude(level=Region.Level.COUNTRY)
        .select_related("parent__parent__parent")
        .annotate(
            nearness=Case(
                When(exact, then=Value(0)),
                When(starts, then=Value(1)),
                default=Value(2),
                output_field=IntegerField(),
            )
        )
        .order_by("nearness", Length("path"), "code")[:limit]
    )


# A category's place among those that answer equally well, and the document that is searched.
_Document = tuple[tuple[int, int, int], str]


@lru_cache(maxsize=4000)
def _category_document(names: str, synonyms: tuple[str, ...]) -> str:
    return searchtext.document(names, synonyms=synonyms)


@lru_cache(maxsize=2)
def _category_documents(_state: tuple[int, ...]) -> list[_Document]:
    """Of the active categories."""
    rows = Category.objects.filter(is_active=True).values_list(
        "pk", "level", "order", "name_zh", "name_en", "synonyms_zh", "synonyms_en"
    )
    places, words = [], []
    for pk, level, order, zh, en, also_zh, also_en in rows:
        places.append((-level, order, pk))
        words.append((f"{zh}\n{en}", (*also_zh, *also_en)))
    return list(zip(places, _kept_documents(words), strict=True))


_DAYS_KEPT = 30


def _kept_documents(words: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Kept for all processes by what they are made of: to read some thousand words anew takes a fifth of a second, and
    the first who searches after a start would wait for it."""
    made_of = hashlib.sha256(repr((searchtext.rules(), words)).encode()).hexdigest()
    documents: list[str] | None = caches["pages"].get(f"categories:{made_of}")
    if documents is None:
        documents = [_category_document(*one) for one in words]
        caches["pages"].set(f"categories:{made_of}", documents, _DAYS_KEPT * 24 * 3600)
    return documents


def prepare() -> None:
    """Works out now what the first search would: once for all processes, as long as no category changes."""
    _category_documents(_state_of_categories())


def _state_of_categories() -> tuple[int, ...]:
    """Another one after every write to the table: a row that is written moves, in another transaction it says so.

    So an administrator's new synonym is found at once, and nobody reads hundreds of rows to see that none changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(xmin::text::bigint)::bigint, sum(hashtid(ctid)) FROM chains_category"
        )
        return tuple(cursor.fetchone())


_CATEGORIES = Prepared(
    lambda ids: Category.objects.filter(pk__in=among(ids)).select_related(
        "parent__parent", "segment__chain"
    ),
    list,
)


def categories(query: str, limit: int = 8, *, typos: bool = True) -> list[Category]:
    """Categories whose names or synonyms answer the query, those that say it in their name first."""
    spellings = searchtext.alternatives(query)
    if not spellings:
        return []
    documents = _category_documents(_state_of_categories())
    # Only what holds a clue of every word is worth ranking.
    exact = _holding(documents, [[(one,) for one in term] for term in spellings])
    found = _ranked(exact, searchtext.ranking(query, typos=False))
    if typos and len(found) < limit:  # a near miss stands below all others
        clues = [[clue.texts for clue in of_word] for of_word in searchtext.near_clues(query)]
        found = _ranked(_holding(documents, clues), searchtext.ranking(query))
    best = [place[-1] for _rank, place in sorted(found)[:limit]]
    rows = {row.pk: row for row in _CATEGORIES(best)} if best else {}
    return [rows[pk] for pk in best if pk in rows]


def _holding(documents: list[_Document], clues: list[list[tuple[str, ...]]]) -> list[_Document]:
    """Those that for each word hold all texts of one of its clues; a word without clues rules nothing out."""
    for of_word in filter(None, clues):
        documents = [
            one
            for one in documents
            if any(all(map(one[1].__contains__, texts)) for texts in of_word)
        ]
    return documents


def _ranked(
    documents: list[_Document], ranking: Callable[[str], int | None]
) -> list[tuple[int, tuple[int, int, int]]]:
    return [
        (rank, place) for place, document in documents if (rank := ranking(document)) is not None
    ]


_CHAIN_NAMES = Values(
    lambda: (
        Chain.objects.filter(is_active=True)
        .order_by("order", "pk")
        .values("pk", "name_zh", "name_en")
    )
)
_SEGMENT_NAMES = Values(
    lambda: (
        Segment.objects.filter(is_active=True, chain__is_active=True)
        .order_by("order", "pk")
        .values("pk", "name_zh", "name_en")
    )
)
_CHAINS = Prepared(lambda ids: Chain.objects.filter(pk__in=among(ids)), list)
_SEGMENTS = Prepared(
    lambda ids: Segment.objects.filter(pk__in=among(ids)).select_related("chain"), list
)


def chains(query: str, *, typos: bool = True) -> list[Chain]:
    """Chains whose names answer the query, in any spelling or language."""
    return _by_names(_CHAIN_NAMES, _CHAINS, query, typos=typos)


def segments(query: str, *, typos: bool = True) -> list[Segment]:
    """Segments by their own names; `categories` finds them by what is made there."""
    return _by_names(_SEGMENT_NAMES, _SEGMENTS, query, typos=typos)


def _by_names(names: Values, rows: Prepared[R], query: str, *, typos: bool) -> list[R]:
    """Best first, then in the order of the register."""
    if not searchtext.query_terms(query):
        return []
    documents = [
        ((0, place, row["pk"]), _category_document(f"{row['name_zh']}\n{row['name_en']}", ()))
        for place, row in enumerate(names())
    ]
    ranked = sorted(_ranked(documents, searchtext.ranking(query, typos=typos)))
    best = [place[-1] for _rank, place in ranked]
    found = {row.pk: row for row in rows(best)} if best else {}
    return [found[pk] for pk in best if pk in found]


def by_number(scheme: str, country: str, number: str) -> QuerySet[Enterprise]:
    """The enterprise that stands under this number, or under which it was merged into: at most one."""
    rows = (
        Enterprise.objects.filter(scheme=scheme, country=country)
        .annotate(capitals=Upper("number"))
        .filter(capitals=number.upper())
    )
    standing = rows.exclude(status=Enterprise.Status.MERGED)
    merged = rows.filter(status=Enterprise.Status.MERGED)
    return Enterprise.objects.filter(
        Q(pk__in=standing.values("pk")) | Q(pk__in=merged.values("merged_into"))
    )


def by_codes(codes: Collection[str]) -> dict[str, Enterprise]:
    """Chinese enterprises by their social credit codes in capitals, as `by_number` finds each, with regions and aliases."""
    rows = (
        Enterprise.objects.filter(scheme=Enterprise.Scheme.USCC, country="CN")
        .annotate(capitals=Upper("number"))
        .filter(capitals__in=codes)
        .select_related("region", "merged_into__region")
        .prefetch_related("aliases", "merged_into__aliases")
        .order_by("pk")
    )
    found: dict[str, Enterprise] = {}
    for row in rows:
        code = str(row.number).upper()
        if row.status != Enterprise.Status.MERGED:
            found[code] = row
        elif row.merged_into is not None:
            found.setdefault(code, row.merged_into)
    return found


def near_names(
    names: Iterable[str], among: QuerySet[Enterprise], limit: int = 5
) -> list[tuple[Enterprise, str]]:
    """Enterprises that may be the same body by name, each with the reason code of `compare_names`.

    `among` those the reader may see: what waits in another province is that province's.
    """
    names = [name for name in names if name]
    likely: dict[int, Enterprise] = {}
    for name in names:
        condition = _likely(name)
        if condition is None:
            continue
        rows = among.filter(condition).exclude(status=Enterprise.Status.MERGED)
        for enterprise in rows[:50]:
            likely[enterprise.pk] = enterprise
    aliases: dict[int, list[str]] = {pk: [one.name, one.name_en] for pk, one in likely.items()}
    for pk, text in EnterpriseAlias.objects.filter(enterprise__in=likely).values_list(
        "enterprise_id", "text"
    ):
        aliases[pk].append(text)
    found = [
        (likely[pk], reason)
        for pk, known in aliases.items()
        if (reason := _reason(names, known)) is not None
    ]
    return sorted(found, key=lambda pair: pair[0].pk)[:limit]


def _likely(name: str) -> Q | None:
    """A cheap net: the same normalised alias, or a name that holds the distinctive part of this one."""
    normal = identity.normalise_name(name)
    if not normal:
        return None
    stem = searchtext.fold(identity.name_stem(name))
    condition = Q(aliases__normalised=normal)
    if len(stem) >= 2:
        condition |= Q(search_text__contains=stem)
    # Without its province a short name would be a kind of business.
    elsewhere = searchtext.fold(identity.name_without_place(name))
    if len(elsewhere) >= 4:
        condition |= Q(search_text__contains=elsewhere)
    return Q(pk__in=Enterprise.objects.filter(condition).values("pk")[:200])


def _reason(names: list[str], known: list[str]) -> str | None:
    verdicts = [identity.compare_names(one, other) for one in names for other in known if other]
    same = next((v.reason for v in verdicts if v.verdict == "same"), None)
    return same or next((v.reason for v in verdicts if v.verdict == "ask"), None)


def fitting_categories(text: str, most: int = 5) -> list[Category]:
    """Categories that a text speaks of, best first; none where nothing fits."""
    codes = import_string(settings.CATEGORIES_FITTING)(text, most)
    rows = Category.objects.filter(is_active=True).select_related("parent__parent")
    found = rows.in_bulk(codes, field_name="code")
    return [found[code] for code in codes if code in found]
