"""The shipped register – chains, segments, categories, regions, units, kinds – into the database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from chains import search, searchtext
from chains.models import (
    Category,
    CertificationKind,
    Chain,
    CooperationKind,
    DockingDirection,
    DockingKind,
    ParticipantKind,
    Province,
    QualificationKind,
    Region,
    RegionGroup,
    Segment,
    SegmentLink,
    Unit,
)

FOLDER = Path(__file__).parents[2] / "reference"
DELTA = "YRD"

Row = dict[str, Any]


class Command(BaseCommand):
    help = (
        "Import the shipped reference data. Rows that exist already keep what an administrator "
        "made of them, unless --update is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--update", action="store_true", help="overwrite existing rows as shipped"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        counts: dict[str, int] = {}
        with transaction.atomic():
            for name, step in STEPS.items():
                counts[name] = step(options["update"])
            if options["dry_run"]:
                transaction.set_rollback(True)
        search.prepare()
        new = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        if options["verbosity"]:
            self.stdout.write(f"Reference data: {new or 'nothing new'}.")


def read(name: str) -> list[Row]:
    rows: list[Row] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def save(model: type[models.Model], rows: Iterable[Row], update: bool) -> int:
    """Create the rows that are missing, by code; the others too when `update`. Returns how many were written."""
    rows = list(rows)
    manager = model._default_manager
    known = set(manager.values_list("code", flat=True))
    fresh = [model(**row) for row in rows if row["code"] not in known]
    manager.bulk_create(fresh, batch_size=500)
    if not update or len(fresh) == len(rows):
        return len(fresh)
    fields = [name for name in rows[0] if name != "code"]
    manager.bulk_create(
        [model(**row) for row in rows if row["code"] in known],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=fields,
        batch_size=500,
    )
    return len(rows)


def pick(row: Row, *names: str) -> Row:
    return {name: row[name] for name in ("code", "name_zh", "name_en", *names)}


def numbered(rows: list[Row]) -> list[Row]:
    return [{**row, "order": row.get("order", place)} for place, row in enumerate(rows, 1)]


def ids(model: type[models.Model]) -> dict[str, int]:
    return dict(model._default_manager.values_list("code", "pk"))


def regions(update: bool) -> int:
    shipped = read("regions")
    parents = {row["code"]: row["parent"] for row in shipped}
    written = 0
    for level in ("country", "province", "prefecture", "county"):
        known = ids(Region)
        rows = [
            {
                **pick(row, "level"),
                "parent_id": known[row["parent"]] if row["parent"] else None,
                "path": "/".join(lineage(row["code"], parents)),
                "longitude": row.get("lon"),
                "latitude": row.get("lat"),
                "search_text": searchtext.document(
                    row["name_zh"], names=[row["name_zh"]], synonyms=[row["name_en"], row["code"]]
                ),
            }
            for row in shipped
            if row["level"] == level
        ]
        written += save(Region, rows, update)
    group, created = RegionGroup.objects.get_or_create(
        code=DELTA,
        defaults={"name_zh": "长三角", "name_en": "Yangtze River Delta"},
    )
    if created:
        group.regions.set(
            Region.objects.filter(
                code__in=[r["code"] for r in shipped if r["yrd"] and r["level"] == "province"]
            )
        )
    return written


def lineage(code: str, parents: dict[str, str | None]) -> list[str]:
    above = parents[code]
    return [*(lineage(above, parents) if above else []), code]


def provinces(_update: bool) -> int:
    """The first tenant: Zhejiang, whose ten iconic chains are shipped."""
    if Province.objects.exists():
        return 0
    Province.objects.create(
        region=Region.objects.get(code="330000"), name_zh="浙江省", name_en="Zhejiang"
    )
    return 1


def units(update: bool) -> int:
    return save(
        Unit,
        (
            pick(row, "dimension", "factor", "synonyms_zh", "synonyms_en", "order")
            for row in read("units")
        ),
        update,
    )


def directions(update: bool) -> int:
    return save(
        DockingDirection, (pick(row, "order") for row in read("docking_directions")), update
    )


def docking_kinds(update: bool) -> int:
    rows = (
        {
            **pick(row, "family", "counterparts", "order"),
            "direction_id": row["direction"],
            "description_zh": row["desc_zh"],
            "description_en": row["desc_en"],
        }
        for row in read("docking_kinds")
    )
    return save(DockingKind, rows, update)


def cooperation_kinds(update: bool) -> int:
    names = ("group", "amount_meaning_zh", "amount_meaning_en", "order")
    return save(CooperationKind, (pick(row, *names) for row in read("cooperation_kinds")), update)


def participant_kinds(update: bool) -> int:
    names = ("counts_as_enterprise", "note_zh", "note_en", "order")
    return save(ParticipantKind, (pick(row, *names) for row in read("participant_kinds")), update)


def qualifications(update: bool) -> int:
    names = ("group", "counted_as", "issuer_zh", "issuer_en", "synonyms_zh", "synonyms_en", "order")
    return save(QualificationKind, (pick(row, *names) for row in read("qualifications")), update)


def certifications(update: bool) -> int:
    names = ("group", "scope_zh", "scope_en", "synonyms_zh", "synonyms_en", "order")
    return save(CertificationKind, (pick(row, *names) for row in read("certifications")), update)


def levels(update: bool) -> int:
    # events stands above this package: its rows are reached by name, never imported.
    level = apps.get_model("events", "EventLevel")
    rows = (
        {
            **pick(row, "order"),
            "description_zh": row["desc_zh"],
            "description_en": row["desc_en"],
        }
        for row in read("event_levels")
    )
    return save(level, rows, update)


def chains(update: bool) -> int:
    known = ids(Region)
    rows = (
        {
            **pick(row, "kind", "summary_zh", "summary_en", "order"),
            "province_id": known[row["province"]] if row["province"] else None,
        }
        for row in read("chains")
    )
    return save(Chain, rows, update)


def segments(update: bool) -> int:
    known, shipped = ids(Chain), read("segments")
    written = save(
        Segment,
        ({**pick(row, "position", "order"), "chain_id": known[row["chain"]]} for row in shipped),
        update,
    )
    if written:
        codes = ids(Segment)
        SegmentLink.objects.bulk_create(
            (
                SegmentLink(source_id=codes[row["code"]], target_id=codes[target])
                for row in shipped
                for target in row["feeds"]
            ),
            ignore_conflicts=True,
        )
    return written


def categories(update: bool) -> int:
    chain_ids, segment_ids, shipped = ids(Chain), ids(Segment), numbered(read("categories"))
    written = 0
    for level in (1, 2, 3):
        known = ids(Category)
        rows = [
            {
                **pick(row, "level", "synonyms_zh", "synonyms_en", "order"),
                "parent_id": known[row["parent"]] if row["parent"] else None,
                "chain_id": chain_ids[row["code"][:2]],
                "segment_id": segment_ids[row["segments"][0]] if level == Category.LEAF else None,
                "description_zh": row.get("description_zh", ""),
                "description_en": row.get("description_en", ""),
                "standards": row.get("standard", []),
            }
            for row in shipped
            if row["level"] == level
        ]
        written += save(Category, rows, update)
    return written


STEPS: dict[str, Callable[[bool], int]] = {
    "regions": regions,
    "provinces": provinces,
    "units": units,
    "directions": directions,
    "docking kinds": docking_kinds,
    "cooperation kinds": cooperation_kinds,
    "participant kinds": participant_kinds,
    "qualifications": qualifications,
    "certifications": certifications,
    "event levels": levels,
    "chains": chains,
    "segments": segments,
    "categories": categories,
}
