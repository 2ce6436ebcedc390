"""The gap rules of the data model: how well a category is supplied in a region. Read-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
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
    paths = [region.path for region in regions]
    _count(((pk, paths, supply) for pk, supply in found.items()), leaves)
    _add_known(found, regions, leaves)
    return found


# A leaf, and the path of the region around which it is looked at.
Spot = tuple[int, str]


def codes_at(spots: Collection[Spot]) -> dict[Spot, str]:
    """The code of each leaf in a region of its own, as `gap_of` knows it: two queries for those that are not kept."""
    if not spots:
        return {}
    state = changes.version()
    keys = {spot: f"gap:{spot[0]}:{spot[1]}:{state}" for spot in spots}
    kept = caches["pages"].get_many(keys.values())
    missing = {spot: Supply(spot[0], 0) for spot, key in keys.items() if key not in kept}
    if missing:
        leaves = {leaf for leaf, _path in missing}
        _count(((leaf, [path], supply) for (leaf, path), supply in missing.items()), leaves)
        made = {keys[spot]: supply.code for spot, supply in missing.items()}
        caches["pages"].set_many(made, CACHE_SECONDS)
        kept |= made
    return {spot: kept[key] for spot, key in keys.items()}


def _inside(paths: list[str], path: str | None) -> bool:
    return path is not None and any(
        path == region or path.startswith(f"{region}/") for region in paths
    )


def _count(wanted: Iterable[tuple[int, list[str], Supply]], leaves: Any) -> None:
    """Adds who supplies and who asks to each, which is of a leaf in the regions with these paths."""
    by_leaf: dict[int, list[tuple[list[str], Supply]]] = defaultdict(list)
    for leaf, paths, supply in wanted:
        by_leaf[leaf].append((paths, supply))
    for leaf, supplier, at in _suppliers(leaves):
        for paths, supply in by_leaf[leaf]:
            supply.anywhere.add(supplier)
            if _inside(paths, at):
                supply.local.add(supplier)
    for leaf, is_matched, at in _open_lines(leaves):
        for paths, supply in by_leaf[leaf]:
            if _inside(paths, at):
                supply.open_lines += 1
                supply.unmatched += not is_matched


def _suppliers(leaves: Any) -> Iterator[tuple[int, Any, str | None]]:
    """Leaf, supplier, where it is."""
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
        yield category, ("group", group) if group else enterprise, path


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


def _open_lines(leaves: Any) -> Iterator[tuple[int, bool, str | None]]:
    """Leaf, whether a supplier is approved, where it is asked for."""
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
        yield category, is_matched, delivered_to or owner


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
    paths = [region.path for region in regions_of(area)]
    return bool(open_to(user, paths))


def open_to(user: permissions.Anyone, paths: Collection[str]) -> set[str]:
    """The same rule for many: of regions by their paths, those whose status the user may see."""
    if not paths or permissions.holds_a_role(user):
        return set(paths)
    opened = set(Province.objects.filter(gap_public=True).values_list("region__code", flat=True))
    # Of the whole country it is open where any province has opened it.
    return {path for path in paths if opened.intersection(path.split("/")[1:2] or opened)}
