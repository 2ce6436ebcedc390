"""Finding rows of the register by what people type. Readers only."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Length, Upper

from chains import identity, searchtext
from chains.models import Category, Enterprise, EnterpriseAlias, Region


def typed(field: str, query: str) -> Q | None:
    """The condition that a stored search document answers the query; None when nothing was typed."""
    alternatives = searchtext.alternatives(query)
    if not alternatives:
        return None
    condition = Q()
    for spellings in alternatives:
        either = Q()
        for spelling in spellings:
            either |= Q(**{f"{field}__contains": spelling})
        condition &= either
    return condition


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


@lru_cache(maxsize=4000)
def _category_document(names: str, synonyms: tuple[str, ...]) -> str:
    """Kept by what it is made of, so that an administrator's new synonym is never missed."""
    return searchtext.document(names, synonyms=synonyms)


def categories(query: str, limit: int = 8) -> list[Category]:
    """Categories whose names or synonyms answer the query, those that say it in their name first."""
    if not searchtext.query_terms(query):
        return []
    found = []
    for category in Category.objects.filter(is_active=True).select_related(
        "parent__parent", "segment__chain"
    ):
        document = _category_document(
            f"{category.name_zh}\n{category.name_en}",
            (*category.synonyms_zh, *category.synonyms_en),
        )
        rank = searchtext.matches(query, document)
        if rank is not None:
            found.append((rank, -category.level, category.order, category.pk, category))
    return [category for *_, category in sorted(found, key=lambda one: one[:4])[:limit]]


def by_number(scheme: str, country: str, number: str) -> QuerySet[Enterprise]:
    """The enterprise that stands under this number, merged ones left out: at most one."""
    return (
        Enterprise.objects.filter(scheme=scheme, country=country)
        .annotate(capitals=Upper("number"))
        .filter(capitals=number.upper())
        .exclude(status=Enterprise.Status.MERGED)
    )


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
    return Q(pk__in=Enterprise.objects.filter(condition).values("pk")[:200])


def _reason(names: list[str], known: list[str]) -> str | None:
    verdicts = [identity.compare_names(one, other) for one in names for other in known if other]
    same = next((v.reason for v in verdicts if v.verdict == "same"), None)
    return same or next((v.reason for v in verdicts if v.verdict == "ask"), None)
