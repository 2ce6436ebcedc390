"""Finding rows by what people type: Chinese words, pinyin, English, aliases, near misses."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any, ClassVar, NamedTuple, TypeVar

from django.db import models
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Regex
from django.http import QueryDict
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from chains import searchtext
from chains.marks import Marker
from chains.models import (
    Capability,
    CapabilityReference,
    Category,
    Chain,
    CooperationKind,
    DockingKind,
    Enterprise,
    EnterpriseAlias,
    Region,
    RegionGroup,
    Requirement,
    RequirementLine,
    Segment,
)
from chains.models.base import Reference, Says
from chains.prepared import Prepared, Values, among
from chains.search import holds_signs, typed

M = TypeVar("M", bound=models.Model)
E = TypeVar("E", bound="models.QuerySet[Enterprise]")

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def without_controls(text: str) -> str:
    """The text without signs that the database or XML refuses: one of them would stop all that is written with it."""
    return _CONTROLS.sub("", text)


def _holds(field: str, clue: searchtext.Clue) -> Q:
    return reduce(and_, (Q(**{f"{field}__contains": text}) for text in clue.texts))


def _likely(field: str, query: str) -> Iterator[Q]:
    """What an index can tell of the query with a slip."""
    for clues in filter(None, searchtext.near_clues(query)):
        yield reduce(
            or_,
            (holds_signs(field, c.signs) if c.signs else _holds(field, c) for c in clues),
        )


# Those whose search documents have an index of their signs.
_BY_SIGNS = (Capability, Enterprise, Requirement)


def _has_signs(rows: models.QuerySet[Any, Any], field: str) -> bool:
    return rows.model in _BY_SIGNS and field == "search_text"


def nearly(field: str, query: str, *, by_signs: bool = False) -> Q | None:
    """The condition with one slip in a word; None when nothing in the query may be off."""
    patterns = searchtext.typo_patterns(query)
    if not patterns:
        return None
    if by_signs:
        exact = [Q(Says(F(field), Value(pattern))) for pattern in patterns]
        return reduce(and_, [*_likely(field, query), *exact])
    # An index answers the first; the second is kept away from it, which takes longer to see that it cannot.
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
    by_signs = _has_signs(rows, field)
    condition = typed(field, query, by_signs=by_signs)
    if condition is None:
        return rows.none() if query.strip() else rows
    hits = rows.filter(condition)
    loose = nearly(field, query, by_signs=by_signs)
    if loose is None or hits.exists():
        return hits
    return rows.filter(loose)


def enterprises(rows: E, query: str) -> E:
    """`found` for the register: by a name, by what a body says of itself, or by something it offers."""
    exact = typed("search_text", query, by_signs=True)
    if exact is None:
        return rows.none() if query.strip() else rows
    hits = _named_or_offering(rows, exact)
    loose = None if hits.exists() else nearly("search_text", query, by_signs=True)
    return hits if loose is None else _named_or_offering(rows, loose)


def _named_or_offering(rows: E, condition: Q) -> E:
    named = Enterprise.objects.filter(condition).order_by().values("pk")
    offers = Capability.objects.published().filter(condition).values("enterprise")
    return rows.filter(pk__in=named.union(offers))


def hits(
    rows: models.QuerySet[M, Any], query: str, limit: int, field: str = "search_text"
) -> list[Any]:
    """The first of those that answer the query to the letter; none for an empty query."""
    condition = typed(field, query, by_signs=_has_signs(rows, field))
    return [] if condition is None else list(rows.filter(condition)[:limit])


def near_misses(
    rows: models.QuerySet[M, Any], query: str, limit: int, field: str = "search_text"
) -> list[Any]:
    """The first of those that answer it with one slip: asked where nothing of any sort answers it."""
    loose = nearly(field, query, by_signs=_has_signs(rows, field))
    return [] if loose is None else list(rows.filter(loose)[:limit])


class Passage(NamedTuple):
    """Where a row holds what its title does not show: a page says it, so that a hit explains itself."""

    where: str
    text: SafeString
    language: str


# What it is called, the text, its language.
_Place = tuple[str, str, str]

_LINES = Values(
    lambda ids: (
        RequirementLine.objects.filter(requirement__in=among(ids))
        .exclude(status="withdrawn")
        .order_by("requirement", "number")
        .values("requirement", "number", "language", "text", "specification", "category")
    ),
    list,
)
_DESCRIPTIONS = Values(
    lambda ids: Requirement.objects.filter(pk__in=among(ids)).values("pk", "text", "language"),
    list,
)
_CATEGORIES = Prepared(lambda ids: Category.objects.filter(pk__in=among(ids)), list)
_ALIASES = Values(
    lambda ids: (
        EnterpriseAlias.objects.filter(enterprise__in=among(ids))
        .order_by("pk")
        .values("enterprise", "text")
    ),
    list,
)
_SUMMARIES = Values(
    lambda ids: Enterprise.objects.filter(pk__in=among(ids)).values(
        "pk", "summary", "summary_language"
    ),
    list,
)
_OFFERS = Values(
    lambda ids: Capability.objects.filter(pk__in=among(ids)).values(
        "pk", "title_zh", "title_en", "text_zh", "text_en"
    ),
    list,
)
_REFERENCES = Prepared(
    lambda ids: CapabilityReference.objects.filter(capability__in=among(ids)).order_by("pk"), list
)
_OFFERED = Values(
    lambda ids: (
        Capability.categories.through.objects.filter(capability__in=among(ids))
        .order_by("pk")
        .values("capability", "category__name_zh", "category__name_en")
    ),
    list,
)


def passages_of_requirements(marker: Marker, hidden: dict[int, set[int]]) -> dict[int, Passage]:
    """In a line, in the description, or in what a category is also called."""
    if not hidden:
        return {}
    best = _Best(marker, hidden)
    places: dict[int, list[_Place]] = defaultdict(list)
    categories: dict[int, set[int]] = defaultdict(set)
    where = _("Line %(number)d")
    for line in _LINES(list(hidden)):
        pk, text, specification = line["requirement"], line["text"], line["specification"]
        whole = f"{text} {specification}" if specification else text
        places[pk].append((where % {"number": line["number"]}, whole, line["language"]))
        if line["category"] is not None:
            categories[pk].add(line["category"])
    best.look_at(places)
    if wanting := best.wanting():
        where = _("Description")
        best.look_at(
            {row["pk"]: [(where, row["text"], row["language"])] for row in _DESCRIPTIONS(wanting)}
        )
    without = [pk for pk in hidden if pk not in best.found]
    if asked := {category for pk in without for category in categories[pk]}:
        words = {row.pk: _words_of(row) for row in _CATEGORIES(list(asked))}
        best.look_at(
            {pk: [word for one in sorted(categories[pk]) for word in words[one]] for pk in without}
        )
    return best.passages()


def passages_of_enterprises(marker: Marker, hidden: dict[int, set[int]]) -> dict[int, Passage]:
    """In a name the page does not show, or in what it says of itself."""
    if not hidden:
        return {}
    best = _Best(marker, hidden)
    places: dict[int, list[_Place]] = defaultdict(list)
    where = _("Also known as")
    for alias in _ALIASES(list(hidden)):
        text = alias["text"]
        places[alias["enterprise"]].append((where, text, searchtext.language_of(text)))
    best.look_at(places)
    if wanting := best.wanting():
        where = pgettext("enterprise", "About")
        best.look_at(
            {
                row["pk"]: [(where, row["summary"], row["summary_language"])]
                for row in _SUMMARIES(wanting)
            }
        )
    if wanting := best.wanting():
        offers = Capability.objects.published().filter(enterprise__in=wanting)
        of_whom = dict(offers.values_list("pk", "enterprise"))
        for read in (_words_of_offers, _references, _categories_of_offers):
            if not best.wanting():
                break
            places = defaultdict(list)
            for pk, said in read(list(of_whom)).items():
                places[of_whom[pk]] += said
            best.look_at(places)
    return best.passages()


def passages_of_capabilities(marker: Marker, hidden: dict[int, set[int]]) -> dict[int, Passage]:
    """In its text, in the other language, in what it has supplied, or in what a category is called."""
    best = _Best(marker, hidden)
    for read in (_words_of_offers, _references, _categories_of_offers):
        if wanting := best.wanting():
            best.look_at(read(wanting))
    return best.passages()


def _words_of_offers(ids: list[int]) -> dict[int, list[_Place]]:
    where = _("Offers")
    return {
        row["pk"]: [
            (where, text, language)
            for language in ("zh", "en")
            for text in (row[f"title_{language}"], row[f"text_{language}"])
            if text
        ]
        for row in _OFFERS(ids)
    }


def _references(ids: list[int]) -> dict[int, list[_Place]]:
    where = _("Reference")
    places: dict[int, list[_Place]] = defaultdict(list)
    for row in _REFERENCES(ids):
        places[row.capability_id].append((where, row.in_words, row.language))
    return places


def _categories_of_offers(ids: list[int]) -> dict[int, list[_Place]]:
    where = _("Category")
    places: dict[int, list[_Place]] = defaultdict(list)
    for row in _OFFERED(ids):
        names = row["category__name_zh"], row["category__name_en"]
        places[row["capability"]] += [(where, name, searchtext.language_of(name)) for name in names]
    return places


def passage_of_names(marker: Marker, shown: str, names: Sequence[str]) -> Passage | None:
    """Another name, where the one that is shown does not have the words."""
    hidden = marker.hidden([(0, (shown,))])
    if not hidden:
        return None
    best, where = _Best(marker, hidden), _("Also known as")
    best.look_at({0: [(where, name, searchtext.language_of(name)) for name in names]})
    return best.passages().get(0)


def passage_of_category(marker: Marker, category: Category) -> Passage | None:
    """What of its names and synonyms has the words."""
    best = _Best(marker, {0: set(range(len(marker.terms)))})
    best.look_at({0: _words_of(category)})
    return best.passages().get(0)


def _words_of(category: Category) -> list[_Place]:
    where = _("Category")
    words = (category.name_zh, category.name_en, *category.synonyms_zh, *category.synonyms_en)
    return [(where, word, searchtext.language_of(word)) for word in words]


class _Best:
    """Of each row the first place that holds most of the words its page does not show."""

    def __init__(self, marker: Marker, hidden: dict[int, set[int]]) -> None:
        self._marker, self._hidden = marker, hidden
        self._read: dict[str, set[int]] = {}  # rows of one category have its words in common
        self.found: dict[int, tuple[int, _Place]] = {}

    def look_at(self, places: Mapping[int, Sequence[_Place]]) -> None:
        for pk, of_row in places.items():
            words = self._hidden[pk]
            most = self.found[pk][0] if pk in self.found else 0
            for place in of_row:
                if most == len(words):
                    break
                here = len(words & self._words_in(place[1]))
                if here > most:
                    self.found[pk], most = (here, place), here

    def _words_in(self, text: str) -> set[int]:
        if text not in self._read:
            self._read[text] = self._marker.words_in(text)
        return self._read[text]

    def wanting(self) -> list[int]:
        """The rows of which another place may hold more."""
        return [
            pk
            for pk, words in self._hidden.items()
            if pk not in self.found or self.found[pk][0] < len(words)
        ]

    def passages(self) -> dict[int, Passage]:
        return {
            pk: Passage(where, self._marker.snippet(text), language)
            for pk, (_most, (where, text, language)) in self.found.items()
        }


def chosen_of(params: QueryDict, names: Iterable[str]) -> dict[str, list[str]]:
    return {
        name: [code for value in params.getlist(name) if (code := without_controls(value))][:20]
        for name in names
    }


# The reference rows among whose codes a filter chooses.
Choices = Mapping[str, tuple[type[Reference], ...]]
Chosen = dict[str, list[str]]


def known_of(chosen: Chosen, choices: Choices) -> tuple[Chosen, Chosen]:
    """The codes that are there, and those that are not: a slip in an address takes nothing else away."""
    asked = [
        model.objects.filter(code__in=codes)
        .annotate(filter=Value(name))
        .order_by()
        .values_list("filter", "code")
        for name, codes in chosen.items()
        if codes
        for model in choices[name]
    ]
    found = set(asked[0].union(*asked[1:])) if asked else set()
    known = {name: [c for c in codes if (name, c) in found] for name, codes in chosen.items()}
    unknown = {name: [c for c in codes if (name, c) not in found] for name, codes in chosen.items()}
    return known, unknown


def in_regions(field: str, codes: list[str]) -> Q:
    """The region whose id `field` names is one of these, or of a group of these, or lies below one."""
    below = Q(path="")  # of no region; an empty list would leave no SQL to select
    meant = Q(code__in=codes) | Q(groups__code__in=codes)
    for path in Region.objects.filter(meant).values_list("path", flat=True).distinct():
        below |= Q(path=path) | Q(path__startswith=f"{path}/")
    return Q(**{f"{field}__in": Region.objects.filter(below).order_by().values("pk")})


class RequirementSearch:
    """A state of the catalogue: words and filters, as they stand in its address."""

    CHOICES: ClassVar[Choices] = {
        "chain": (Chain,),
        "segment": (Segment,),
        "cooperation": (CooperationKind,),
        "kind": (DockingKind,),
        "region": (Region, RegionGroup),
    }
    NAMES: ClassVar = tuple(CHOICES)
    WITHIN: ClassVar = ("7", "30")  # days until it closes

    def __init__(self, params: QueryDict) -> None:
        # Kept searches are read long after the request whose address was looked at.
        self.query = without_controls(params.get("q", "")).strip()[:200]
        self._asked = chosen_of(params, self.NAMES)
        self.closing = params.get("closing", "")
        self.substitution = params.get("substitution") == "1"  # of an imported product (row 35)
        self._base: models.QuerySet[Requirement] | None = None
        self._conditions: dict[str, Q] | None = None

    @classmethod
    def at(cls, address: str) -> RequirementSearch:
        """From the part of an address behind the question mark."""
        return cls(QueryDict(address))

    @cached_property
    def _known(self) -> tuple[Chosen, Chosen]:
        return known_of(self._asked, self.CHOICES)

    @property
    def chosen(self) -> Chosen:
        return self._known[0]

    @property
    def unknown(self) -> Chosen:
        return self._known[1]

    @property
    def address(self) -> str:
        """The same for the same search, whatever the order and whatever else stood in the address."""
        params = QueryDict(mutable=True)
        if self.query:
            params["q"] = self.query
        for name in self.NAMES:
            if self.chosen[name]:
                params.setlist(name, sorted(set(self.chosen[name])))
        if self.closing in self.WITHIN:
            params["closing"] = self.closing
        if self.substitution:
            params["substitution"] = "1"
        return params.urlencode()

    def base(self) -> models.QuerySet[Requirement]:
        if self._base is None:
            rows = found(Requirement.objects.open(), self.query)
            if self.substitution:
                rows = rows.filter(import_substitution=True)
            if self.closing in self.WITHIN:
                last = timezone.localdate() + datetime.timedelta(days=int(self.closing))
                rows = rows.filter(closes_on__lte=last)
            self._base = rows
        return self._base

    def conditions(self) -> dict[str, Q]:
        """One for each filter that is on."""
        if self._conditions is None:
            makers = {
                "chain": lambda codes: Q(chain__code__in=codes),
                "segment": lambda codes: Q(
                    pk__in=RequirementLine.objects.filter(segment__code__in=codes).values(
                        "requirement"
                    )
                ),
                "cooperation": lambda codes: Q(
                    pk__in=Requirement.cooperation_kinds.through.objects.filter(
                        cooperationkind__code__in=codes
                    ).values("requirement")
                ),
                "kind": lambda codes: Q(docking_kind__in=codes),
                "region": lambda codes: in_regions("region", codes),
            }
            self._conditions = {
                name: makers[name](codes) for name, codes in self.chosen.items() if codes
            }
        return self._conditions

    def filtered(self) -> models.QuerySet[Requirement]:
        return self.base().filter(*self.conditions().values())
