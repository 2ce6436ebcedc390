"""The filters of the public lists: every state has an address, every choice shows how many it leads to."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OrderBy,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from chains import fragments, permissions
from chains.http import HttpRequest
from chains.models import (
    Capability,
    Chain,
    Enterprise,
    ParticipantKind,
    Qualification,
    QualificationKind,
    Region,
    RegionGroup,
    Requirement,
    Segment,
    User,
)
from chains.models.enterprises import EnterpriseQuerySet
from chains.templatetags.localised import is_chinese
from matchmaking import search as finding
from matchmaking.models import Match

SORTS: dict[str, tuple[str | OrderBy, ...]] = {
    "closing": ("closes_on", "pk"),
    "needed": (F("needed_by_on").asc(nulls_last=True), "pk"),
    "newest": ("-published_at", "-pk"),
}
FIT = "fit"


@dataclass(slots=True)
class Choice:
    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(slots=True)
class Facet:
    name: str
    title: str
    choices: list[Choice]


class CountedRows(Sequence[int]):
    """Ids whose number is known already, for a paginator."""

    def __init__(self, rows: QuerySet[Any, Any], count: int) -> None:
        self._rows, self._count = rows, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, part: Any) -> Any:
        return list(self._rows[part]) if isinstance(part, slice) else self._rows[part]


def chips(request: HttpRequest, facets: list[Facet]) -> list[tuple[str, str]]:
    """The chosen filters, each with the address of the page without it."""
    found = []
    for facet in facets:
        for choice in facet.choices:
            if choice.is_chosen:
                params = request.GET.copy()
                params.pop("page", None)
                params.setlist(
                    facet.name, [v for v in params.getlist(facet.name) if v != choice.value]
                )
                found.append((choice.label, f"?{params.urlencode()}"))
    return found


def left_out(unknown: finding.Chosen) -> list[tuple[str, str]]:
    """What a page says of codes that it does not know: the filter by its name, and what was asked for."""
    titles = {
        "event": _("Event"),
        "chain": _("Chain"),
        "segment": _("Segment"),
        "cooperation": _("Cooperation"),
        "kind": _("Kind"),
        "region": _("Region"),
        "qualification": _("Qualification"),
    }
    return [(titles[name], code[:40]) for name, codes in unknown.items() for code in codes]


def facet_of(
    name: str,
    title: str,
    counts: Iterable[tuple[str, str, str, int]],
    chosen: dict[str, list[str]],
    limit: int = 30,
) -> Facet:
    """Choices from rows of code, both names and number: the chosen first, then the most."""
    choices = [
        Choice(code, _name(zh, en), count, code in chosen[name]) for code, zh, en, count in counts
    ]
    choices.sort(key=lambda choice: (not choice.is_chosen, -choice.count, choice.value))
    return Facet(name, title, choices[:limit])


def _name(zh: str, en: str) -> str:
    return (zh or en) if is_chinese() else (en or zh)


def _fitting(reader: User) -> list[int]:
    """Requirements that fit the reader's own enterprises, best first: each enterprise sees its scores only."""
    pairs = Match.objects.suggested_to(reader).order_by("tenths", "-line__requirement")
    best = dict(pairs.values_list("line__requirement", "tenths"))
    return sorted(best, key=lambda pk: (-best[pk], pk))


def _place_among(ids: list[int]) -> OrderBy:
    """Those in their order first, then what is not among them."""
    array = Cast(Value(ids), ArrayField(BigIntegerField()))
    return Func(array, F("pk"), function="array_position", output_field=IntegerField()).asc(
        nulls_last=True
    )


class RequirementFilters(finding.RequirementSearch):
    """The filters of the catalogue, with their numbers."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET)
        # Whose own scores order the list, where that is asked for.
        user = request.user
        self.reader = user if permissions.is_signed_in(user) and user.enterprise_ids else None
        self.sort = request.GET.get("sort", "closing")
        if self.sort not in SORTS and not (self.sort == FIT and self.reader):
            self.sort = "closing"
        self._facets: tuple[list[Facet], int] | None = None

    @property
    def name(self) -> str:
        """What the search looks for, in words: proposed to whoever saves it."""
        facets, _number = self.facets()
        chosen = [choice.label for facet in facets for choice in facet.choices if choice.is_chosen]
        if self.substitution:
            chosen.append(_("Replaces an imported product"))
        return " · ".join(filter(None, [self.query, *chosen]))[:80] or _("All requirements")

    @property
    def is_filtered(self) -> bool:
        return bool(self.closing or self.substitution or any(self.chosen.values()))

    def results(self) -> QuerySet[Requirement]:
        found = self.filtered()
        if self.sort == FIT and self.reader:
            return found.order_by(_place_among(_fitting(self.reader)), *SORTS["closing"])
        return found.order_by(*SORTS[self.sort])

    def facets(self) -> tuple[list[Facet], int]:
        """The choices with their numbers, and the number of results: one query.

        A choice is counted over what all *other* filters leave: choosing it shows that many.
        """
        if self._facets is None:
            self._facets = self._counted()
        return self._facets

    def _counted(self) -> tuple[list[Facet], int]:
        counts = self._counts()
        chosen = self.chosen
        facets = [
            facet_of("chain", _("Chain"), counts["chain"], chosen),
            facet_of("segment", _("Segment"), counts["segment"], chosen, 12),
            facet_of("cooperation", _("Cooperation"), counts["cooperation"], chosen),
            facet_of("kind", _("Docking kind"), counts["kind"], chosen),
            self._regions(counts["region"]),
        ]
        return facets, counts["all"][0][3]

    def _counts(self) -> dict[str, list[tuple[str, str, str, int]]]:
        flags: dict[str, Any] = {f"in_{name}": Value(True) for name in self.NAMES}
        for name, condition in self.conditions().items():
            flags[f"in_{name}"] = ExpressionWrapper(condition, output_field=BooleanField())
        hits = self.base().order_by().annotate(**flags)
        try:
            inside, params = hits.values_list(
                "pk", "chain_id", "docking_kind_id", "region_id", *flags
            ).query.sql_with_params()
        except EmptyResultSet:
            inside, params = _NOTHING, ()
        chosen = [self.chosen[name] for name in self.NAMES]
        found: dict[str, list[tuple[str, str, str, int]]] = {name: [] for name in self.NAMES}
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH hit ({_HIT}) AS MATERIALIZED ({inside}) {_COUNTS}", [*params, *chosen]
            )
            for facet, *row in cursor.fetchall():
                found.setdefault(facet, []).append((row[0], row[1], row[2], row[3]))
        return found

    def _regions(self, counts: list[tuple[str, str, str, int]]) -> Facet:
        choices = [
            Choice(code, _name(zh, en), number, code in self.chosen["region"])
            for code, zh, en, number in sorted(counts, key=lambda row: (-row[3], row[0]))
        ]
        return Facet("region", _("Delivered to"), choices[:12])


class EnterpriseFilters:
    """The filters of the register."""

    CHOICES: ClassVar[finding.Choices] = {
        "kind": (ParticipantKind,),
        "qualification": (QualificationKind,),
        "region": (Region, RegionGroup),
        "chain": (Chain,),
        "segment": (Segment,),
    }
    NAMES: ClassVar = tuple(CHOICES)

    def __init__(self, request: HttpRequest) -> None:
        self.query = request.GET.get("q", "").strip()[:200]
        self._asked = finding.chosen_of(request.GET, self.NAMES)
        self._rows: QuerySet[Enterprise] | None = None

    @cached_property
    def _known(self) -> tuple[finding.Chosen, finding.Chosen]:
        return finding.known_of(self._asked, self.CHOICES)

    @property
    def chosen(self) -> finding.Chosen:
        return self._known[0]

    @property
    def unknown(self) -> finding.Chosen:
        return self._known[1]

    def named(self) -> EnterpriseQuerySet:
        """What the words find, before any filter."""
        return finding.enterprises(Enterprise.objects.verified(), self.query)

    def rows(self) -> QuerySet[Enterprise]:
        if self._rows is None:
            chosen = self.chosen
            rows = self.named()
            if chosen["qualification"]:
                rows = rows.with_qualification(chosen["qualification"])
            if chosen["kind"]:
                rows = rows.filter(kind__code__in=chosen["kind"])
            if chosen["region"]:
                rows = rows.filter(finding.in_regions("region", chosen["region"]))
            for name in ("chain", "segment"):
                if chosen[name]:
                    made = {f"categories__{name}__code__in": chosen[name]}
                    offers = Capability.objects.published().filter(**made)
                    rows = rows.filter(pk__in=offers.values("enterprise"))
            self._rows = rows
        return self._rows

    def results(self) -> Sequence[int]:
        """The ids in their order. A narrowed list is found as a whole and kept for its other pages: to walk the
        register up to one page of it takes as long."""
        ordered = self.rows().order_by("sort_key", "pk").values_list("pk", flat=True)
        asked = hashlib.sha256(repr((self.query, self.chosen)).encode()).hexdigest()
        if self.query or any(self.chosen[name] for name in self.NAMES if name != "kind"):
            return fragments.since_last_fact(f"enterprise-ids:{asked}", lambda: list(ordered))
        count = fragments.since_last_fact(f"enterprise-count:{asked}", self.rows().count)
        return CountedRows(ordered, count)

    def facets(self) -> list[Facet]:
        """Numbers are those of all that the words find; without words, of the whole register."""
        asked = hashlib.sha256(self.query.encode()).hexdigest()
        counts = fragments.since_last_fact(
            f"enterprise-facets:{asked}", lambda: _register_counts(self.named())
        )

        def rows(name: str) -> list[tuple[str, str, str, int]]:
            return [row for row in counts[name] if row[3] or row[0] in self.chosen[name]]

        return [
            facet_of("chain", _("Chain"), rows("chain"), self.chosen),
            *self._segments(),
            facet_of("region", _("Region"), self._regions(counts), self.chosen, 34),
            facet_of("qualification", _("Qualification"), rows("qualification"), self.chosen, 12),
            facet_of("kind", _("Kind"), rows("kind"), self.chosen),
        ]

    def _segments(self) -> list[Facet]:
        """Those that are chosen: nearly two hundred are chosen on the map of a chain."""
        codes = self.chosen["segment"]
        if not codes:
            return []
        offered = Capability.objects.on_view().filter(categories__segment=OuterRef("pk")).order_by()
        suppliers = offered.values("categories__segment").annotate(
            n=Count("enterprise", distinct=True)
        )
        rows = Segment.objects.filter(code__in=codes).annotate(n=Subquery(suppliers.values("n")))
        counts = [
            (code, zh, en, n or 0)
            for code, zh, en, n in rows.values_list("code", "name_zh", "name_en", "n")
        ]
        return [facet_of("segment", _("Segment"), counts, self.chosen)]

    def _regions(
        self, counts: dict[str, list[tuple[str, str, str, int]]]
    ) -> list[tuple[str, str, str, int]]:
        """Provinces, and what else is chosen: an address from another page may name a city or a county."""
        provinces = [row for row in counts["province"] if row[3] or row[0] in self.chosen["region"]]
        smaller = set(self.chosen["region"]) - {row[0] for row in counts["province"]}
        if not smaller:
            return provinces
        numbers = {code: number for code, _zh, _en, number in counts["region"]}
        names = Region.objects.filter(code__in=smaller).values_list("code", "name_zh", "name_en")
        found = provinces + [(*row, numbers.get(row[0], 0)) for row in names]
        for group in RegionGroup.objects.filter(code__in=smaller).prefetch_related("regions"):
            number = sum(numbers.get(region.code, 0) for region in group.regions.all())
            found.append((group.code, group.name_zh, group.name_en, number))
        return found


def _register_counts(
    found: QuerySet[Enterprise],
) -> dict[str, list[tuple[str, str, str, int]]]:
    """All choices with the number of these enterprises behind each, as its filter would find them; of regions those of every level without their names, and the provinces with."""
    held = dict(
        Qualification.objects.in_force()
        .filter(enterprise__in=found.values("pk"))
        .values_list("kind")
        .annotate(n=Count("enterprise", distinct=True))
    )
    kinds = dict(found.order_by().values_list("kind").annotate(n=Count("pk")))
    supplying = dict(
        Capability.objects.published()
        .filter(enterprise__in=found.values("pk"))
        .order_by()
        .values_list("categories__chain")
        .annotate(n=Count("enterprise", distinct=True))
    )
    placed: dict[str, int] = defaultdict(int)
    seats = found.exclude(region=None).order_by()
    for place, number in seats.values_list("region__path").annotate(n=Count("pk")):
        for code in place.split("/"):
            placed[code] += number
    provinces = Region.objects.filter(level=Region.Level.PROVINCE)
    return {
        "chain": [
            (*row, supplying.get(pk, 0))
            for pk, *row in Chain.objects.filter(is_active=True).values_list(
                "pk", "code", "name_zh", "name_en"
            )
        ],
        "province": [
            (*row, placed[row[0]]) for row in provinces.values_list("code", "name_zh", "name_en")
        ],
        "region": [(code, "", "", number) for code, number in placed.items()],
        "qualification": [
            (*row, held.get(pk, 0))
            for pk, *row in QualificationKind.objects.values_list(
                "pk", "code", "name_zh", "name_en"
            )
        ],
        "kind": [
            (*row, kinds.get(row[0], 0))
            for row in ParticipantKind.objects.values_list("code", "name_zh", "name_en")
        ],
    }


_HIT = "id, chain, kind, region, in_chain, in_segment, in_cooperation, in_kind, in_region"
_NOTHING = "SELECT 0, 0, '', 0, true, true, true, true, true WHERE false"
# Names come along, so that a choice needs no second query. Counties are too many to choose from: regions are
# counted by prefecture, the third code of a path.
_COUNTS = """
SELECT 'chain', c.code, c.name_zh, c.name_en, coalesce(n.n, 0)
  FROM chains_chain c LEFT JOIN (
    SELECT chain AS key, count(*) AS n FROM hit
    WHERE in_segment AND in_cooperation AND in_kind AND in_region GROUP BY 1
  ) n ON n.key = c.id WHERE n.n > 0 OR c.code = ANY(%s)
UNION ALL
SELECT 'segment', c.code, c.name_zh, c.name_en, coalesce(n.n, 0)
  FROM chains_segment c LEFT JOIN (
    SELECT l.segment_id AS key, count(DISTINCT hit.id) AS n
    FROM hit JOIN chains_requirementline l ON l.requirement_id = hit.id
    WHERE in_chain AND in_cooperation AND in_kind AND in_region GROUP BY 1
  ) n ON n.key = c.id WHERE n.n > 0 OR c.code = ANY(%s)
UNION ALL
SELECT 'cooperation', c.code, c.name_zh, c.name_en, coalesce(n.n, 0)
  FROM chains_cooperationkind c LEFT JOIN (
    SELECT k.cooperationkind_id AS key, count(DISTINCT hit.id) AS n
    FROM hit JOIN chains_requirement_cooperation_kinds k ON k.requirement_id = hit.id
    WHERE in_chain AND in_segment AND in_kind AND in_region GROUP BY 1
  ) n ON n.key = c.id WHERE n.n > 0 OR c.code = ANY(%s)
UNION ALL
SELECT 'kind', c.code, c.name_zh, c.name_en, coalesce(n.n, 0)
  FROM chains_dockingkind c LEFT JOIN (
    SELECT kind AS key, count(*) AS n FROM hit
    WHERE in_chain AND in_segment AND in_cooperation AND in_region GROUP BY 1
  ) n ON n.key = c.code WHERE n.n > 0 OR c.code = ANY(%s)
UNION ALL
SELECT 'region', c.code, c.name_zh, c.name_en, coalesce(n.n, 0)
  FROM chains_region c LEFT JOIN (
    SELECT coalesce(nullif(split_part(r.path, '/', 3), ''), nullif(split_part(r.path, '/', 2), ''), r.path) AS key,
           count(*) AS n
    FROM hit JOIN chains_region r ON r.id = hit.region
    WHERE in_chain AND in_segment AND in_cooperation AND in_kind GROUP BY 1
  ) n ON n.key = c.code WHERE n.n > 0 OR c.code = ANY(%s)
UNION ALL
SELECT 'all', '', '', '', count(*)
  FROM hit WHERE in_chain AND in_segment AND in_cooperation AND in_kind AND in_region
"""
