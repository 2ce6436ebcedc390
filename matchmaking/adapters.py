"""Rows of the register as the engine's values, and its scores as rows.

The only module that knows both worlds. Everything is read in a few queries, whatever the number of rows.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from math import isnan
from typing import Any, Literal, NamedTuple

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chains.models import (
    Capability,
    Category,
    Certification,
    Enterprise,
    Qualification,
    Region,
    RegionGroup,
    Requirement,
    RequirementLine,
    Unit,
)
from chains.models import Condition as ConditionRow
from chains.models.requirements import compared_text
from matchmaking.engine import ENGINE_VERSION
from matchmaking.engine.encoder import NoEncoder, UniversalSentenceEncoder
from matchmaking.engine.locality import Places as PlaceColumns
from matchmaking.engine.locality import great_circle
from matchmaking.engine.taxonomy import CategoryRow, Taxonomy
from matchmaking.engine.types import (
    Capacity,
    Condition,
    Encoder,
    Held,
    Need,
    Offer,
    OfferText,
    Outcome,
    Part,
    Place,
    Reason,
    Scored,
    Vector,
)
from matchmaking.engine.units import Unit as EngineUnit
from matchmaking.engine.units import Units
from matchmaking.models import TextVector

# Suppliers are compared by what they offer; who looks for customers is compared with what others buy (row 27).
Side = Literal["supply", "demand"]

_FORGOTTEN_AT_ONCE = 5000
_BATCH = 5000
# Marking a vector as read at each reading would write a row for a row; nothing hangs on the very day.
_MARKED_EVERY = datetime.timedelta(days=15)
_STAYS_UNREAD = datetime.timedelta(days=60)
_LANGUAGES = ("zh", "en")


# -- vectors --------------------------------------------------------------------------------------


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _batches(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _mark_before() -> datetime.date:
    return timezone.localdate() - _MARKED_EVERY


class KeptEncoder:
    """An encoder that looks a text up before it reads it: no text is ever encoded twice."""

    def __init__(self, inner: Encoder) -> None:
        self.inner = inner

    @property
    def version(self) -> str:
        return self.inner.version

    def encode(self, texts: Sequence[str]) -> Vector:
        if isinstance(self.inner, NoEncoder) or not texts:
            return self.inner.encode(texts)
        by_digest = {digest(text): text for text in texts}
        known: dict[bytes, Vector] = {}
        for keys in _batches(list(by_digest)):
            rows = TextVector.objects.filter(encoder=self.version, digest__in=keys)
            last = _mark_before()
            old = []
            for key, stored, day in rows.values_list("digest", "vector", "read_on").iterator():
                known[bytes(key)] = np.frombuffer(stored, "<f2").astype(np.float32)
                if day < last:
                    old.append(bytes(key))
            if old:
                self._mark(old)
        for keys in _batches([key for key in by_digest if key not in known]):
            fresh = self.inner.encode([by_digest[key] for key in keys])
            TextVector.objects.bulk_create(
                [
                    TextVector(encoder=self.version, digest=key, vector=row.astype("<f2").tobytes())
                    for key, row in zip(keys, fresh, strict=True)
                ],
                ignore_conflicts=True,
                batch_size=1000,
            )
            known.update(zip(keys, fresh, strict=True))
        return np.stack([known[digest(text)] for text in texts])

    def mark_read(self, texts: Iterable[str]) -> None:
        """Says of texts that they are still compared, though nobody has asked for their vectors."""
        for keys in _batches(list({digest(text) for text in texts})):
            self._mark(keys)

    def _mark(self, keys: Sequence[bytes]) -> None:
        # Whoever holds one of the rows is marking it, so nobody waits and no two wait for each other.
        with transaction.atomic():
            rows = TextVector.objects.filter(
                encoder=self.version, digest__in=keys, read_on__lt=_mark_before()
            ).select_for_update(skip_locked=True)
            TextVector.objects.filter(pk__in=rows.values("pk")).update(read_on=timezone.localdate())

    def forget_unread(self) -> int:
        """Removes vectors of former encoders and of texts that nobody has read for long. How many."""
        if isinstance(self.inner, NoEncoder):
            return 0  # switched off, not replaced
        last = timezone.localdate() - _STAYS_UNREAD
        unread = TextVector.objects.filter(~Q(encoder=self.version) | Q(read_on__lt=last))
        count = 0
        while keys := list(unread.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
            count += TextVector.objects.filter(pk__in=keys).delete()[0]
        return count


@cache
def encoder() -> KeptEncoder:
    """The encoder of this process; its weights are loaded with the first unknown text."""
    off = settings.MATCHING_ENCODER == "none"
    return KeptEncoder(NoEncoder() if off else UniversalSentenceEncoder(settings.MATCHING_INDEX))


def engine_version() -> str:
    return f"{ENGINE_VERSION} {encoder().version}"


# -- reference data -------------------------------------------------------------------------------


class Places:
    """Where regions lie: codes from the country down, groups, and the nearest known centre."""

    def __init__(self, around: Iterable[Region | None] | None = None) -> None:
        """Of all regions, or of some and those they lie in: for distances, so without groups."""
        rows = Region.objects.all()
        if around is not None:
            rows = rows.filter(code__in={code for one in around if one for code in one.codes})
        self._regions = {
            code: (path, longitude, latitude)
            for code, path, longitude, latitude in rows.values_list(
                "code", "path", "longitude", "latitude"
            )
        }
        self._groups: dict[str, set[str]] = defaultdict(set)
        if around is not None:
            return
        pairs = RegionGroup.objects.filter(is_active=True).values_list("code", "regions__code")
        for group, member in pairs:
            self._groups[member].add(group)

    def of(
        self, code: str | None, longitude: float | None = None, latitude: float | None = None
    ) -> Place:
        """A party's place: its own coordinates, else the centre of its region or of what that lies in."""
        known = self._regions.get(code or "")
        codes = tuple(known[0].split("/")) if known else ()
        about = longitude is None or latitude is None
        if about:
            longitude, latitude = self._centre(codes)
        return Place(
            regions=codes,
            groups=frozenset().union(*(self._groups.get(code, set()) for code in codes)),
            longitude=longitude,
            latitude=latitude,
            about=about and longitude is not None,
        )

    def _centre(self, codes: Sequence[str]) -> tuple[float | None, float | None]:
        # The country's own centre is nobody's place.
        for code in reversed(codes[1:]):
            _, longitude, latitude = self._regions[code]
            if longitude is not None and latitude is not None:
                return longitude, latitude
        return None, None


def read_taxonomy() -> Taxonomy:
    rows = Category.objects.filter(is_active=True).values(
        "code",
        "parent__code",
        "level",
        "name_zh",
        "name_en",
        "synonyms_zh",
        "synonyms_en",
        "description_zh",
        "description_en",
        "segment__code",
    )
    return Taxonomy(
        [
            CategoryRow.from_mapping(
                {
                    **row,
                    "parent": row["parent__code"],
                    "segments": [row["segment__code"]] if row["segment__code"] else [],
                }
            )
            for row in rows
        ]
    )


def read_units() -> Units:
    return Units.of(
        EngineUnit(
            unit.code,
            unit.dimension,
            unit.factor,
            (unit.name_zh, unit.name_en, *unit.synonyms_zh, *unit.synonyms_en),
        )
        for unit in Unit.objects.filter(is_active=True)
    )


def reference_state() -> str:
    """Changes with any category, unit or group: what an administrator edits reaches the next run (row 2)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT md5(string_agg(hash_record_extended(c, 0)::text, ' ' ORDER BY id)) FROM chains_category c)"
            " || (SELECT md5(string_agg(hash_record_extended(u, 0)::text, ' ' ORDER BY id)) FROM chains_unit u)"
            " || (SELECT count(*) FROM chains_regiongroup_regions)"
            " || (SELECT count(*) FROM chains_region)"
        )
        return str(cursor.fetchone()[0])


# -- offers ---------------------------------------------------------------------------------------


class Source(NamedTuple):
    """Where a text of an offer comes from: a capability or a line by its id; None for the summary."""

    row: int | None
    language: str

    @classmethod
    def of(cls, text_id: int) -> Source:
        return cls(text_id // 2 or None, _LANGUAGES[text_id % 2])

    @property
    def text_id(self) -> int:
        return 2 * (self.row or 0) + _LANGUAGES.index(self.language)


def offers(
    side: Side, places: Places, enterprises: Collection[int] | None = None
) -> Iterator[Offer]:
    """Verified enterprises with what stands for them on that side; those about whom nothing is said are left out."""
    rows = Enterprise.objects.verified().order_by("pk")
    if enterprises is not None:
        rows = rows.filter(pk__in=enterprises)
    texts = (_capability_texts if side == "supply" else _line_texts)(enterprises)
    certifications = _held(Certification.objects, enterprises)
    qualifications = _held(Qualification.objects, enterprises)
    makers = _makers(enterprises) if side == "demand" else frozenset()
    values = rows.values(
        "pk",
        "kind_id",
        "group_id",
        "region__code",
        "longitude",
        "latitude",
        "country",
        "summary",
        "summary_language",
    )
    row: dict[str, Any]
    for row in values.iterator(chunk_size=_BATCH):  # type: ignore[assignment]
        own = texts.get(row["pk"], [])
        # A summary says what a house makes. Where its capabilities say that already it stands for nothing more,
        # least of all for what the house buys.
        if row["summary"] and not own and row["pk"] not in makers:
            source = Source(None, row["summary_language"])
            own = [OfferText(source.text_id, row["summary"], source.language)]
        if own:
            yield Offer(
                id=row["pk"],
                kind=row["kind_id"],
                texts=tuple(own),
                group=row["group_id"],
                certifications=certifications.get(row["pk"], ()),
                qualifications=qualifications.get(row["pk"], ()),
                place=places.of(row["region__code"], row["longitude"], row["latitude"]),
                country=row["country"],
            )


def _makers(enterprises: Collection[int] | None) -> frozenset[int]:
    rows = Capability.objects.published()
    if enterprises is not None:
        rows = rows.filter(enterprise__in=enterprises)
    return frozenset(rows.values_list("enterprise_id", flat=True))


def _capability_texts(enterprises: Collection[int] | None) -> dict[int, list[OfferText]]:
    rows = Capability.objects.published().order_by("pk")
    categories = Capability.categories.through.objects.filter(category__is_active=True)
    cooperation = Capability.cooperation_kinds.through.objects.all()
    if enterprises is not None:
        rows = rows.filter(enterprise__in=enterprises)
        categories = categories.filter(capability__enterprise__in=enterprises)
        cooperation = cooperation.filter(capability__enterprise__in=enterprises)
    codes = _grouped(categories.order_by("pk").values_list("capability_id", "category__code"))
    kinds = _grouped(
        cooperation.order_by("pk").values_list("capability_id", "cooperationkind__code")
    )
    found: dict[int, list[OfferText]] = defaultdict(list)
    values = rows.values(
        "pk",
        "enterprise_id",
        "title_zh",
        "title_en",
        "text_zh",
        "text_en",
        "yearly_capacity",
        "unit__code",
        "lead_time_days",
        "sample_days",
    )
    row: dict[str, Any]
    for row in values.iterator(chunk_size=_BATCH):  # type: ignore[assignment]
        amount = row["yearly_capacity"]
        for language in _LANGUAGES:
            words = f"{row[f'title_{language}']}\n{row[f'text_{language}']}".strip()
            if words:
                found[row["enterprise_id"]].append(
                    OfferText(
                        id=Source(row["pk"], language).text_id,
                        text=words,
                        language=language,
                        categories=tuple(codes.get(row["pk"], ())),
                        capacity=None
                        if amount is None
                        else Capacity(float(amount), row["unit__code"]),
                        lead_time_days=row["lead_time_days"],
                        sample_days=row["sample_days"],
                        cooperation_kinds=frozenset(kinds.get(row["pk"], ())),
                    )
                )
    return found


def texts_of(capability: Capability) -> list[str]:
    """A capability's texts as they are compared."""
    texts = (
        f"{capability.title_zh}\n{capability.text_zh}".strip(),
        f"{capability.title_en}\n{capability.text_en}".strip(),
    )
    return [text for text in texts if text]


def may_meet(need: Need, offer: Offer) -> bool:
    """Never paired: the same enterprise or group, and kinds that are not among the counterparts (rows 10, 27)."""
    return (
        need.enterprise != offer.id
        and (need.group is None or need.group != offer.group)
        and (not need.counterparts or offer.kind in need.counterparts)
    )


def _line_texts(enterprises: Collection[int] | None) -> dict[int, list[OfferText]]:
    """What enterprises buy: the lines they look for suppliers of.

    Only what is public: what an embargo holds back would reach others through the reasons of their scores.
    """
    rows = RequirementLine.objects.open().filter(
        requirement__status=Requirement.Status.PUBLISHED,
        requirement__seeks=Requirement.Seeks.SUPPLIER,
    )
    if enterprises is not None:
        rows = rows.filter(requirement__enterprise__in=enterprises)
    found: dict[int, list[OfferText]] = defaultdict(list)
    values = rows.order_by("pk").values_list(
        "pk",
        "requirement__enterprise_id",
        "text",
        "specification",
        "language",
        "category__code",
    )
    for pk, enterprise, text, specification, language, category in values.iterator():
        found[enterprise].append(
            OfferText(
                id=Source(pk, language).text_id,
                text=compared_text(text, specification),
                language=language,
                categories=(category,) if category else (),
            )
        )
    return found


def _held(proofs: Any, enterprises: Collection[int] | None) -> dict[int, tuple[Held, ...]]:
    """Codes of what is verified and in date, then of what is only stated."""
    found: dict[int, tuple[Held, ...]] = defaultdict(tuple)
    for rows, verified in ((proofs.in_force(), True), (proofs.claimed(), False)):
        own = rows if enterprises is None else rows.filter(enterprise__in=enterprises)
        for enterprise, code in own.order_by("pk").values_list("enterprise_id", "kind__code"):
            found[enterprise] += (Held(code, verified),)
    return found


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


# -- needs ----------------------------------------------------------------------------------------


def needs(lines: QuerySet[RequirementLine], places: Places) -> dict[int, Need]:
    """Lines as needs, by id, in the order of their ids. What a requirement says is read once for all its lines."""
    rows = _read(lines.order_by("pk"))
    requirements = {row.requirement for row in rows}
    common, conditions = _common(requirements, places), _conditions(requirements)
    return {
        row.pk: Need(
            id=row.pk,
            text=row.text,
            language=row.language,
            category=row.category,
            conditions=_of_line(row.pk, conditions[row.requirement]),
            **common[row.requirement],
        )
        for row in rows
    }


def bases(lines: QuerySet[RequirementLine]) -> dict[int, str]:
    """What `basis_of_need` says of lines, read without what else a need is made of."""
    rows = _read(lines)
    musts = _conditions({row.requirement for row in rows}, strength="must")
    return {
        row.pk: _basis(row.text, row.category, _of_line(row.pk, musts[row.requirement]))
        for row in rows
    }


class _Line(NamedTuple):
    """What a line says by itself."""

    pk: int
    requirement: int
    text: str
    category: str | None
    language: str


def _read(lines: QuerySet[RequirementLine]) -> list[_Line]:
    rows = lines.values_list(
        "pk",
        "requirement_id",
        "text",
        "specification",
        "category__code",
        "category__is_active",
        "language",
    )
    return [
        _Line(
            pk,
            requirement,
            compared_text(text, specification),
            category if is_active else None,
            language,
        )
        for pk, requirement, text, specification, category, is_active, language in rows
    ]


# By the line that it is made for; None for one that holds for all.
_Conditions = Sequence[tuple[int | None, Condition]]


def _common(requirements: Collection[int], places: Places) -> dict[int, dict[str, Any]]:
    """The fields that all lines of a requirement have in common."""
    kinds = _grouped(
        Requirement.cooperation_kinds.through.objects.filter(
            requirement__in=requirements
        ).values_list("requirement_id", "cooperationkind__code")
    )
    rows = Requirement.objects.filter(pk__in=requirements).values_list(
        "pk",
        "docking_kind__counterparts",
        "enterprise_id",
        "enterprise__group_id",
        "region__code",
        "enterprise__region__code",
        "enterprise__longitude",
        "enterprise__latitude",
    )
    return {
        pk: {
            "enterprise": enterprise,
            "group": group,
            "counterparts": frozenset(counterparts),
            "cooperation_kinds": frozenset(kinds.get(pk, ())),
            "place": _delivery(places, region, home, longitude, latitude),
        }
        for pk, counterparts, enterprise, group, region, home, longitude, latitude in rows
    }


def _conditions(
    requirements: Collection[int], **only: str
) -> defaultdict[int, list[tuple[int | None, Condition]]]:
    rows = ConditionRow.objects.filter(requirement__in=requirements, **only).order_by("pk")
    columns = ("pk", "kind", "strength", "parameter", "text")
    found: defaultdict[int, list[tuple[int | None, Condition]]] = defaultdict(list)
    for requirement, line, *values in rows.values_list("requirement_id", "line_id", *columns):
        found[requirement].append((line, _condition(*values)))
    return found


def _of_line(line: int, conditions: _Conditions) -> tuple[Condition, ...]:
    return tuple(one for own, one in conditions if own in (None, line))


def _condition(
    pk: int, kind: Any, strength: Any, parameter: Mapping[str, Any], text: str
) -> Condition:
    value = parameter.get("value")
    return Condition(
        id=pk,
        kind=kind,
        strength=strength,
        codes=tuple(parameter.get("codes", ())),
        value=None if value is None else float(value),
        unit=parameter.get("unit", ""),
        text=text,
    )


def _delivery(
    places: Places,
    region: str | None,
    home: str | None,
    longitude: float | None,
    latitude: float | None,
) -> Place:
    """Where the goods go: the region named, else where the buyer is. At home the buyer's own coordinates are known."""
    if region is None or region == home:
        return places.of(home, longitude, latitude)
    return places.of(region)


def ways(
    requirement: Requirement, suppliers: Sequence[Enterprise]
) -> list[tuple[float | None, bool]]:
    """Kilometres from each supplier to where the goods go, where both are known, and whether they are no more than about."""
    region, buyer = requirement.region, requirement.enterprise
    home = buyer.region
    places = Places([region, home, *(one.region for one in suppliers)])
    there = _delivery(
        places,
        region.code if region else None,
        home.code if home else None,
        buyer.longitude,
        buyer.latitude,
    )
    here = [
        places.of(one.region.code if one.region else None, one.longitude, one.latitude)
        for one in suppliers
    ]
    ways = great_circle(PlaceColumns.of([there]), PlaceColumns.of(here))
    return [
        (None if isnan(km) else round(float(km), 1), there.about or place.about)
        for km, place in zip(ways, here, strict=True)
    ]


# -- scores ---------------------------------------------------------------------------------------


SCORE_COLUMNS = (
    "tenths misses_must parts reasons outcomes capability_id text_language basis fingerprint"
)


class ScoreRow(NamedTuple):
    """What the engine gives of a Score: the figures that its match holds too, and all as `SCORE_COLUMNS`, apart by tabs.

    JSON knows a tab only as `\\t`; nothing is an empty text.
    """

    tenths: int
    misses_must: bool
    columns: str


def as_row(scored: Scored, basis: str, text: OfferText, side: Side) -> ScoreRow:
    """`basis` is that of its need."""
    source = Source.of(scored.text)
    capability = source.row if side == "supply" and source.row is not None else ""
    columns = (
        f"{scored.tenths}\t{scored.misses_must}"
        f"\t{_listed(scored.parts)}\t{_listed(scored.reasons)}\t{_listed(scored.outcomes)}"
        f"\t{capability}\t{source.language}\t{basis}:{basis_of_text(text)}\t{scored.fingerprint}"
    )
    return ScoreRow(scored.tenths, scored.misses_must, columns)


def _listed(values: Sequence[Part | Reason | Outcome]) -> str:
    return f"[{','.join([value.json for value in values])}]"


def read_row(row: ScoreRow) -> dict[str, Any]:
    """The same as the fields that a model takes."""
    fields: dict[str, Any] = dict(zip(SCORE_COLUMNS.split(), row.columns.split("\t"), strict=True))
    fields |= {name: json.loads(fields[name]) for name in ("parts", "reasons", "outcomes")}
    capability = fields["capability_id"]
    fields["capability_id"] = int(capability) if capability else None
    return fields | {
        "tenths": row.tenths,
        "misses_must": row.misses_must,
        "fingerprint": int(fields["fingerprint"]),
    }


def basis_of_need(need: Need) -> str:
    """Changes when text, category or a must condition of the line changes: a decision then rests on old words."""
    return _basis(need.text, need.category, need.conditions)


def _basis(text: str, category: str | None, conditions: Iterable[Condition]) -> str:
    musts = [(c.kind, c.codes, c.value, c.unit, c.text) for c in conditions if c.strength == "must"]
    return digest(repr((text, category, musts))).hex()[:32]


def basis_of_text(text: OfferText) -> str:
    return _basis_of(text.text, text.categories)


# A text stands for its supplier beside line after line.
@lru_cache(maxsize=40_000)
def _basis_of(text: str, categories: tuple[str, ...]) -> str:
    return digest(repr((text, sorted(categories)))).hex()[:32]
