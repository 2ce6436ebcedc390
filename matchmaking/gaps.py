"""The gap rules of the data model: how well a category is supplied in a region. Read-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core.cache import caches
from django.db.models import Exists, OuterRef

from chains import changes, permissions
from chains.models import (
    Capability,
    Category,
    Chain,
    Enterprise,
    Province,
    Region,
    RegionGroup,
    RequirementLine,
    Segment,
    lies_within,
)
from matchmaking.models import Match

# Worst first: the order in which the first rule that holds is named.
CODES = (
    "no_registered_supplier",
    "no_local_supplier",
    "single_source",
    "unmet_demand",
    "covered",
    "no_data",
)
DRAWING = {
    "no_registered_supplier": "broken",
    "no_local_supplier": "broken",
    "single_source": "thin",
    "unmet_demand": "thin",
    "covered": "ok",
    "no_data": "line",
}
# What changes without a fact, such as a name that an administrator corrects, is seen after this long.
CACHE_SECONDS = 60


@dataclass(slots=True)
class Supply:
    """What is known of one category leaf in a region."""

    category: int
    segment: int
    anywhere: set[Any] = field(default_factory=set)
    local: set[Any] = field(default_factory=set)
    known: set[Any] = field(default_factory=set)
    open_lines: int = 0
    unmatched: int = 0

    @property
    def code(self) -> str:
        if not self.open_lines and not self.anywhere:
            return "no_data"
        if not self.anywhere:
            return "no_registered_supplier"
        if not self.local:
            return "no_local_supplier"
        if len(self.local) == 1:
            return "single_source"
        if self.unmatched > len(self.local):
            return "unmet_demand"
        return "covered"


@dataclass(slots=True)
class SegmentState:
    """A segment with the state of its worst demanded leaf, and the rows behind it."""

    segment: int
    code: str
    worst: int | None
    registered: int
    known: int
    anywhere: int
    open_lines: int

    @property
    def drawing(self) -> str:
        return DRAWING[self.code]


class LeafState(NamedTuple):
    """The state of one leaf, and the numbers behind it."""

    category: int
    code: str
    registered: int
    known: int


# A part of the country, or parts of it that act together.
Area = Region | RegionGroup


def regions_of(area: Area) -> list[Region]:
    return [area] if isinstance(area, Region) else list(area.regions.all())


def supplies(
    area: Area, *, chain: Chain | None = None, category: Category | None = None
) -> dict[int, Supply]:
    """Supply and demand by category leaf, in four queries whatever the number of leaves."""
    leaves = Category.objects.filter(level=Category.LEAF, is_active=True)
    if chain is not None:
        leaves = leaves.filter(segment__chain=chain)
    if category is not None:
        leaves = leaves.filter(pk=category.pk)
    found = {pk: Supply(pk, segment) for pk, segment in leaves.values_list("pk", "segment_id")}
    regions = regions_of(area)
    _add_suppliers(found, regions, leaves)
    _add_known(found, regions, leaves)
    _add_demand(found, regions, leaves)
    return found


def _inside(regions: list[Region], path: str | None) -> bool:
    return path is not None and any(
        path == region.path or path.startswith(f"{region.path}/") for region in regions
    )


def _add_suppliers(found: dict[int, Supply], regions: list[Region], leaves: Any) -> None:
    rows = (
        Capability.objects.published()
        .filter(enterprise__status=Enterprise.Status.VERIFIED, categories__in=leaves)
        .values_list(
            "categories", "enterprise_id", "enterprise__group_id", "enterprise__region__path"
        )
        .distinct()
    )
    for category, enterprise, group, path in rows:
        # Affiliates count once: one group that fails takes all its firms with it.
        supplier = ("group", group) if group else enterprise
        found[category].anywhere.add(supplier)
        if _inside(regions, path):
            found[category].local.add(supplier)


def _add_known(found: dict[int, Supply], regions: list[Region], leaves: Any) -> None:
    rows = (
        Capability.objects.filter(categories__in=leaves)
        .filter(lies_within("enterprise__region", regions))
        .exclude(enterprise__status=Enterprise.Status.MERGED)
        .values_list("categories", "enterprise_id")
        .distinct()
    )
    for category, enterprise in rows:
        found[category].known.add(enterprise)


def _add_demand(found: dict[int, Supply], regions: list[Region], leaves: Any) -> None:
    approved = Match.objects.approved().filter(line=OuterRef("pk"))
    rows = (
        RequirementLine.objects.in_open_requirements()
        .filter(category__in=leaves, requirement__seeks="supplier")
        .annotate(is_matched=Exists(approved))
        .values_list(
            "category_id",
            "is_matched",
            "requirement__region__path",
            "requirement__enterprise__region__path",
        )
    )
    for category, is_matched, delivered_to, owner in rows:
        if _inside(regions, delivered_to or owner):
            found[category].open_lines += 1
            found[category].unmatched += not is_matched


def segment_state(segment: int, leaves: Iterable[Supply]) -> SegmentState:
    leaves = list(leaves)
    demanded = [leaf for leaf in leaves if leaf.open_lines]
    worst = min(demanded, key=lambda leaf: (CODES.index(leaf.code), leaf.category), default=None)
    anywhere = set().union(*(leaf.anywhere for leaf in leaves))
    local = set().union(*(leaf.local for leaf in leaves))
    if worst is not None:
        code = worst.code
    elif local:
        code = "single_source" if len(local) == 1 else "covered"
    else:
        code = "no_local_supplier" if anywhere else "no_data"
    return SegmentState(
        segment=segment,
        code=code,
        worst=worst.category if worst else None,
        registered=len(local),
        known=len(set().union(*(leaf.known for leaf in leaves))),
        anywhere=len(anywhere),
        open_lines=sum(leaf.open_lines for leaf in leaves),
    )


def segment_states(chain: Chain, area: Area) -> dict[int, SegmentState]:
    """The state of each segment of a chain in an area, by segment id."""
    return _of_chain(chain, area)[0]


def leaf_states(chain: Chain, area: Area) -> dict[int, LeafState]:
    """The same of each leaf, by category id."""
    return _of_chain(chain, area)[1]


def _of_chain(chain: Chain, area: Area) -> tuple[dict[int, SegmentState], dict[int, LeafState]]:
    key = f"gaps:{chain.pk}:{area.code}:{changes.version()}"
    cached: tuple[dict[int, SegmentState], dict[int, LeafState]] | None = caches["pages"].get(key)
    if cached is not None:
        return cached
    by_segment: dict[int, list[Supply]] = defaultdict(list)
    found = supplies(area, chain=chain)
    for leaf in found.values():
        by_segment[leaf.segment].append(leaf)
    ids = Segment.objects.filter(chain=chain, is_active=True).values_list("pk", flat=True)
    states = {pk: segment_state(pk, by_segment[pk]) for pk in ids}
    leaves = {
        pk: LeafState(pk, leaf.code, len(leaf.local), len(leaf.known)) for pk, leaf in found.items()
    }
    caches["pages"].set(key, (states, leaves), CACHE_SECONDS)
    return states, leaves


def gap_of(category: Category, region: Region) -> Supply:
    """The state of one leaf, with the rows behind it."""
    return supplies(region, category=category)[category.pk]


def weakest(region: Region, limit: int = 5) -> list[Supply]:
    """The demanded leaves that are supplied worst, most demanded first within a rule."""
    key = f"weakest:{region.pk}:{limit}:{changes.version()}"
    cached: list[Supply] | None = caches["pages"].get(key)
    if cached is not None:
        return cached
    leaves = [s for s in supplies(region).values() if s.open_lines and s.code != "covered"]
    leaves.sort(key=lambda s: (CODES.index(s.code), -s.open_lines, s.category))
    caches["pages"].set(key, leaves[:limit], CACHE_SECONDS)
    return leaves[:limit]


def is_open_to(user: permissions.Anyone, area: Area) -> bool:
    """Organisers and analysts see the gap status; others where the province has opened it."""
    if permissions.is_signed_in(user) and (user.active_roles or user.is_administrator):
        return True
    served = Province.objects.filter(gap_public=True)
    codes = [region.province_code for region in regions_of(area)]
    if None not in codes:
        served = served.filter(region__code__in=codes)
    return served.exists()
