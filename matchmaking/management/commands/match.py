"""Starts a match run from the command line, or does it here without a worker."""

from __future__ import annotations

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from chains.errors import DomainError
from chains.models import Enterprise, Requirement, RequirementLine
from matchmaking.models import MatchRun, RunShard
from matchmaking.services import runs, scoring

MODELS = {"requirement": Requirement, "line": RequirementLine, "enterprise": Enterprise}


class Command(BaseCommand):
    help = "Start a match run over everything, or over one requirement, line or enterprise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--all", action="store_true", help="every open line")
        for name in MODELS:
            scope.add_argument(f"--{name}", metavar="ID", help=f"public id of the {name}")
        parser.add_argument("--here", action="store_true", help="do the work in this process")
        parser.add_argument("--dry-run", action="store_true", help="count, start nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            lines = RequirementLine.objects.scored().count()
            self.stdout.write(f"{lines} open lines would be matched at most.")
            return
        # What is printed here is English; what services refuse would be the installation's.
        with translation.override("en"):
            try:
                run = runs.start(by=None, **self._target(options))
            except DomainError as error:
                raise CommandError(str(error)) from error
        if options["here"]:
            self._work(run)
        run.refresh_from_db()
        self.stdout.write(
            f"Run {run.public_id}: {run.status}, {run.lines_done} of {run.lines_total} lines."
        )

    def _target(self, options: dict[str, Any]) -> dict[str, Any]:
        model: Any
        for name, model in MODELS.items():
            if options[name]:
                row = model.objects.filter(public_id=options[name]).first()
                if row is None:
                    raise CommandError(f"There is no {name} {options[name]}.")
                return {name: row}
        return {"everything": True}

    def _work(self, run: MatchRun) -> None:
        lease = datetime.timedelta(minutes=10)
        for pk in run.shards.order_by("number").values_list("pk", flat=True):
            shard = RunShard.objects.claim(pk, lease)
            if shard is not None:
                scoring.score(shard=shard)
