"""From "published" to "suggested", and a run over everything, through real workers; JSON lines.

The first worker may have to build the index; the second finds it on the shelf, and so would any other process. The
run over everything is made by one process, then by two, as if it were the first, its rows written included; then
again by two when nothing has changed since, and when one supplier of a hundred has. Last the run of a single supplier
over all open lines.

`python -m benchmarks.publish [--size demo|year]`. The brute force of rapidfuzz is measured on a slice of the same
lines and texts in the same run, so that the two figures share one machine and one minute.
"""

# ruff: noqa: PLC0415 -- the servers are named before Django reads its settings
from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil

from benchmarks import stage

TRIES = 5
EVERY_LINE, EVERY_TEXT = 50, 10
PROCESSES = (1, 2)


# Looks at memory; to tell what is shared, at each of some.
LOOKS_EVERY, SHARED_EVERY = 0.5, 8


class Watch:
    """Peak memory of a family of processes, looked at twice a second. What it shares is told by going through all of its
    pages, which takes a twentieth of a core when done as often: that is looked at now and then."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.largest, self.together = process, 0.0, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        for number in itertools.count():
            if self._over.wait(LOOKS_EVERY):
                return
            together = 0.0
            for one in [self.process, *self.process.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    self.largest = max(self.largest, one.memory_info().rss)
                    if number % SHARED_EVERY == 0:
                        info = one.memory_full_info()
                        together += getattr(info, "pss", info.rss)
            self.together = max(self.together, together)


@contextlib.contextmanager
def beat() -> Iterator[None]:
    """Without the clock that comes with every worker a ring that came too soon would never be made up for."""
    schedule = stage.ROOT / ".servers" / "bench-beat"
    command = [sys.executable, "-m", "celery", "-q", "-A", "matchmaking.celery", "beat"]
    command += ["--loglevel", "WARNING", "--schedule", str(schedule), "--pidfile="]
    running = subprocess.Popen(command, cwd=stage.ROOT, env=os.environ | {"LOG_LEVEL": "ERROR"})
    try:
        yield
    finally:
        running.terminate()
        running.wait(30)


@contextlib.contextmanager
def worker(start: str, size: str, processes: int = 2) -> Iterator[psutil.Process]:
    """The worker as the supervisor starts it; ready once it answers, which it does when the market stands."""
    from celery import current_app

    began = time.perf_counter()
    command = [sys.executable, "-m", "matchmaking.worker", str(processes)]
    running = subprocess.Popen(command, cwd=stage.ROOT, env=os.environ | {"LOG_LEVEL": "ERROR"})
    try:
        # Answers late on a busy machine: the first one ends the waiting.
        stage.wait(lambda: bool(current_app.control.ping(timeout=0.5, limit=1)), 900)
        process = psutil.Process(running.pid)
        stage.report(
            "worker_ready",
            size=size,
            start=start,
            processes=processes,
            wall_s=time.perf_counter() - began,
            cpu_s=stage.cpu_of(process),
        )
        yield process
    finally:
        running.terminate()
        running.wait(60)


def publish(number: int) -> float:
    """Seconds from the desk's approval until the worker's matches stand in the database."""
    from django.utils import timezone

    from chains.models import Requirement, RequirementLine, User
    from chains.services import requirements
    from matchmaking.models import MatchRun

    desk = User.objects.filter(is_staff=True).first() or User.objects.create_superuser(
        "benchmark@example.com"
    )
    model = Requirement.objects.published().filter(seeks="supplier").order_by("pk")[number]
    row = Requirement.objects.create(
        enterprise=model.enterprise,
        docking_kind=model.docking_kind,
        region=model.region,
        contact=model.contact,
        title=model.title,
        language=model.language,
        closes_on=timezone.localdate() + datetime.timedelta(days=20),
        answer_by_on=timezone.localdate() + datetime.timedelta(days=30),
        status=Requirement.Status.SUBMITTED,
        submitted_at=timezone.now(),
    )
    for line in model.lines.order_by("number")[:16]:
        RequirementLine.objects.create(
            requirement=row,
            number=line.number,
            text=f"{line.text} {number}",
            language=line.language,
            category=line.category,
        )
    began = time.perf_counter()
    requirements.approve(requirement=row, by=desk)
    # Not until each line has a match: there may be one that nobody fits.
    done = MatchRun.objects.filter(requirement=row, status=MatchRun.Status.DONE)
    stage.wait(done.exists, 120)
    took = time.perf_counter() - began
    row.refresh_from_db()
    requirements.take_down(requirement=row, reason="benchmark", by=desk)
    return took


def brute_force(lines: list[str], texts: list[str]) -> float:
    """CPU seconds rapidfuzz WRatio would take for all pairs, from a slice of them."""
    from rapidfuzz import fuzz
    from rapidfuzz.process import cdist

    some, others = lines[::EVERY_LINE] or lines, texts[::EVERY_TEXT] or texts
    began = time.process_time()
    cdist(some, others, scorer=fuzz.WRatio, workers=1)
    return (time.process_time() - began) * len(lines) * len(texts) / (len(some) * len(others))


def leave_nothing_over() -> None:
    """A run that an earlier benchmark left behind would go first, and a second over the same waits for it."""
    from matchmaking.models import MatchRun
    from matchmaking.services import runs

    for run in MatchRun.objects.unfinished():
        runs.cancel(run=run, by=None)


def forget_pairs() -> None:
    """So that a run finds none that it could leave as it is; what somebody has decided on stays."""
    import pgtrigger
    from django.db import connection, transaction

    # The guard of a match asks for its scores one by one; the statement before has deleted them.
    unguarded = pgtrigger.ignore("matchmaking.Match:stays_while_named")
    with unguarded, transaction.atomic(), connection.cursor() as cursor:
        for statement in (
            # A shard that is being written ends first, and the next one waits.
            "LOCK TABLE matchmaking_runshard IN EXCLUSIVE MODE",
            """UPDATE matchmaking_match m SET score_id = NULL
               WHERE NOT EXISTS (SELECT FROM matchmaking_decision d WHERE d.match_id = m.id)""",
            """DELETE FROM matchmaking_score s USING matchmaking_match m
               WHERE s.match_id = m.id AND m.score_id IS NULL""",
            "DELETE FROM matchmaking_match WHERE score_id IS NULL",
        ):
            cursor.execute(statement)
    with connection.cursor() as cursor:
        # A first run writes to tables that nothing was ever deleted from, and nobody tidies up meanwhile.
        cursor.execute("VACUUM (FULL, ANALYZE) matchmaking_match, matchmaking_score")
        cursor.execute("CHECKPOINT")


def change_suppliers() -> int:
    """One supplier of a hundred delivers a day later than before. How many."""
    from django.db.models import F, Value
    from django.db.models.functions import Coalesce

    from chains.models import Capability, Change

    published = Capability.objects.published()
    owners = sorted(set(published.values_list("enterprise", flat=True)))[::100]
    rows = published.filter(enterprise__in=owners)
    targets = list(rows.values_list("public_id", flat=True))
    rows.update(lead_time_days=Coalesce(F("lead_time_days"), Value(20)) + 1)
    Change.objects.bulk_create(
        Change(noun="capability", target=target, verb="amended") for target in targets
    )
    return len(owners)


def full_run(process: psutil.Process) -> dict[str, Any]:
    """What one costs, its rows written included."""
    from matchmaking.models import MatchRun
    from matchmaking.services import runs

    postmaster = stage.database()
    began, cpu, asked = (
        time.perf_counter(),
        stage.cpu_of(process),
        stage.cpu_of_database(postmaster),
    )
    with Watch(process) as watch:
        run = runs.start(everything=True, by=None)
        stage.wait(lambda: MatchRun.objects.get(pk=run.pk).is_finished, 1200)
    wall, cpu = time.perf_counter() - began, stage.cpu_of(process) - cpu
    asked = stage.cpu_of_database(postmaster) - asked
    run.refresh_from_db()
    return {
        "status": run.status,
        "rows_written": run.scores_written,
        "wall_s": wall,
        "worker_cpu_s": cpu,
        "database_cpu_s": asked,
        "peak_mb_of_one_process": round(watch.largest / 2**20),
        "peak_mb_together": round(watch.together / 2**20),
    }


def first_run(process: psutil.Process, size: str, processes: int, alone: float | None) -> float:
    """Seconds it took; `alone` are those of one process."""
    from chains.models import Capability, RequirementLine
    from matchmaking import adapters
    from matchmaking.models import MatchRun

    # What the worker still has to catch up with writes the same rows.
    stage.wait(lambda: not MatchRun.objects.unfinished().exists(), 1200)
    forget_pairs()
    figures = full_run(process)
    wall, cpu = figures["wall_s"], figures["worker_cpu_s"]
    lines = [line.full_text for line in RequirementLine.objects.scored()]
    texts = [text for row in Capability.objects.published() for text in adapters.texts_of(row)]
    brute = brute_force(lines, texts)
    figures |= {
        "lines": len(lines),
        "texts": len(texts),
        "pairs_per_s": round(len(lines) * len(texts) / wall),
        "wratio_cpu_s_scaled": brute,
        "times_less_cpu_than_wratio": brute / cpu,
    }
    if alone is not None:
        figures["times_the_speed_of_one"] = alone / wall
    stage.report("full_run", size=size, processes=processes, **figures)
    return float(wall)


def later_runs(process: psutil.Process, size: str, processes: int) -> None:
    """Over what a run has been over already."""
    about = {"size": size, "processes": processes}
    stage.report("full_run_again", **about, suppliers_changed=0, **full_run(process))
    changed = change_suppliers()
    stage.report("full_run_again", **about, suppliers_changed=changed, **full_run(process))


def one_supplier(size: str) -> None:
    """Seconds until a supplier that has changed stands at every open line that it is good enough for."""
    from chains.models import Enterprise
    from matchmaking.models import MatchRun
    from matchmaking.services import runs

    offering = Enterprise.objects.filter(capabilities__status="published")
    waits = []
    for supplier in offering.distinct().order_by("pk")[:TRIES]:
        began = time.perf_counter()
        run = runs.start(enterprise=supplier, by=None)
        stage.wait(MatchRun.objects.filter(pk=run.pk, status=MatchRun.Status.DONE).exists, 300)
        waits.append(time.perf_counter() - began)
    stage.report(
        "one_supplier", size=size, lines=run.lines_total, median_s=statistics.median(waits)
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=["demo", "year"], default="demo")
    size = parser.parse_args().size
    stage.provide(size)
    # Not between the figures.
    os.environ["EMAIL_URL"] = f"file://{stage.ROOT / '.servers' / 'bench-mail'}"

    import django

    django.setup()
    leave_nothing_over()
    with worker("first", size):
        pass
    with beat():
        with worker("second", size):
            first = publish(0)
            waits = [publish(number) for number in range(1, 1 + TRIES)]
            stage.report(
                "publish_to_suggestions",
                size=size,
                first_s=first,
                median_s=statistics.median(waits),
                worst_s=max(waits),
            )
        alone = None
        for processes in PROCESSES:
            with worker("full run", size, processes) as process:
                took = first_run(process, size, processes, alone)
                alone = alone or took
                if processes == PROCESSES[-1]:
                    later_runs(process, size, processes)
                    one_supplier(size)


if __name__ == "__main__":
    main()
