from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from chains import audit
from chains.doorbell import quiet
from chains.models import (
    AuditEntry,
    Change,
    ChangeReader,
    Enterprise,
    Notification,
    Region,
    Requirement,
    RequirementLine,
)
from matchmaking.demo import participants, postings
from matchmaking.demo.history import History
from matchmaking.models import Match, MatchRun, RunShard
from matchmaking.services import matching
from matchmaking.tasks import lease

SEED = 20230411
READERS = ("matching", "events")


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Fill an empty register with invented bodies, requirements, events, matches and accounts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", choices=["demo", "year"], default="demo")
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument(
            "--factor", type=float, default=1.0, help="scales the number of participants"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stands = AuditEntry.objects.filter(action="demo.seeded").order_by("pk").first()
        if stands is not None:
            self._say(
                f"The demo data stands already ({stands.data['size']}, seed {stands.data['seed']}): {_counts()}. Nothing was done."
            )
            return
        self._refuse()
        began = time.monotonic()
        # One transaction: interrupted, it leaves nothing behind and the next start begins anew.
        with quiet(), transaction.atomic():
            truth = self._seed_demo(options["seed"], options["factor"])
            audit.record(
                None,
                "demo.seeded",
                Region.objects.get(code="330000"),
                size=options["size"],
                seed=options["seed"],
                factor=options["factor"],
            )
            _leave_nothing_to_do()
        _write_truth(truth)
        self._say(f"Demo data in {time.monotonic() - began:.0f} s: {_counts()}.")

    def _refuse(self) -> None:
        if not settings.DEMO:
            raise CommandError(
                "This makes accounts whose password everybody knows. Set DEMO=true if that is meant."
            )
        if not Region.objects.exists():
            raise CommandError("There is no reference data yet. Run: manage.py import_reference")
        if Enterprise.objects.exists():
            raise CommandError("The register is not empty. Demo data goes only into an empty one.")

    def _seed_demo(self, seed: int, factor: float) -> dict[str, Any]:
        market = participants.plan(seed, factor)
        history = History(market, postings.plan(seed, factor, market))
        self._step("accounts and desks", history.found_province)
        self._step("participants", history.register_all)
        self._step("requirements", history.post_all)
        self._step("matching", _match)
        return {
            "seed": seed,
            "broken": market.broken,
            "single": {s: history.bodies[k].public_id for s, k in market.single.items()},
            **history.truth,
        }

    def _step(self, name: str, work: Any) -> None:
        began = time.monotonic()
        work()
        if self._verbosity > 1:
            self.stdout.write(f"  {name}: {time.monotonic() - began:.1f} s")

    _verbosity = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._verbosity = options["verbosity"]
        return super().execute(*args, **options)

    def _say(self, text: str) -> None:
        if self._verbosity:
            self.stdout.write(text)


def _match() -> None:
    """One run over everything, here and now: the first page shows matches before any worker has started."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    run = matching.start(everything=True, by=None)
    for pk in run.shards.order_by("number").values_list("pk", flat=True):
        shard = RunShard.objects.claim(pk, lease())
        if shard is not None:
            matching.score(shard=shard)
    run.refresh_from_db()
    if run.status != MatchRun.Status.DONE:
        raise CommandError(f"The run over all lines ended as {run.status}.")


def _leave_nothing_to_do() -> None:
    """What the seed told is known: no mails about it, and the readers of the feed begin behind it."""
    Notification.objects.filter(channel="email", status="unsent").update(status="stopped")
    last = Change.objects.order_by("transaction", "pk").last()
    if last is not None:
        for name in READERS:
            ChangeReader.objects.update_or_create(
                name=name, defaults={"transaction": last.transaction, "change": last.pk}
            )


def _write_truth(truth: dict[str, Any]) -> None:
    """What is planted, for tests and measurements; the application never reads it."""
    folder = Path(settings.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), "utf-8")


def _counts() -> str:
    return (
        f"{Enterprise.objects.count()} participants, {Requirement.objects.count()} requirements with "
        f"{RequirementLine.objects.count()} lines, {Match.objects.live().count()} matches"
    )
