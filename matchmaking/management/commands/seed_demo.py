from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chains.models import AuditEntry, Enterprise, Region, Requirement, RequirementLine
from events.models import Event
from matchmaking.demo import bulk, seeding
from matchmaking.models import Match

SEED = 20230411


class Command(BaseCommand):
    help = (
        "Fill an empty register with invented bodies, requirements, events, matches and accounts."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", choices=["demo", "year"], default="demo")
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--factor", type=float, default=1.0, help="scales all numbers")

    def handle(self, *args: Any, **options: Any) -> None:
        self._verbosity = options["verbosity"]
        stands = AuditEntry.objects.filter(action="demo.seeded").order_by("pk").first()
        if stands is not None:
            self._say(f"The demo data stands already: {_counts()}. Nothing was done.")
            return
        _refuse()
        began = time.monotonic()
        seed = seeding.seed_demo if options["size"] == "demo" else bulk.seed_year
        truth = seed(seed=options["seed"], factor=options["factor"], tell=self._tell)
        _write(truth)
        self._say(f"Demo data in {time.monotonic() - began:.0f} s: {_counts()}.")

    def _say(self, text: str) -> None:
        if self._verbosity:
            self.stdout.write(text)

    def _tell(self, text: str) -> None:
        if self._verbosity > 1:
            self.stdout.write(f"  {text}")
            self.stdout.flush()


def _refuse() -> None:
    if not settings.DEMO:
        raise CommandError(
            "This makes accounts whose password everybody knows. Set DEMO=true if that is meant."
        )
    if not Region.objects.exists():
        raise CommandError("There is no reference data yet. Run: manage.py import_reference")
    if Enterprise.objects.exists():
        raise CommandError("The register is not empty. Demo data goes only into an empty one.")


def _write(truth: dict[str, Any]) -> None:
    """What is planted, for tests and measurements; the application never reads it."""
    folder = Path(settings.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), "utf-8")


def _counts() -> str:
    counts = {
        "participants": Enterprise.objects.exclude(status="unclaimed").count(),
        "requirements": Requirement.objects.count(),
        "lines": RequirementLine.objects.count(),
        "events": Event.objects.count(),
        "matches": Match.objects.live().count(),
    }
    return ", ".join(f"{number} {name}" for name, number in counts.items())
