"""A run over everything, killed again and again, beside one that nobody disturbs; JSON lines.

`python -m benchmarks.kills [--size demo|year] [--kills 10] [--seed 1]`. The whole tree of workers is killed at moments
drawn by chance over the run and another is started; in the end the same rows must stand in the database as after the
undisturbed run, half of them written again and half of them left. Ends with 1 where they do not.
"""

# ruff: noqa: PLC0415 -- the servers are named before Django reads its settings
from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import stage

if TYPE_CHECKING:
    from matchmaking.models import MatchRun

PROCESSES = 2
# Seconds after which a message that nobody has acknowledged comes back; a shard is held for three quarters of it. One
# of many lines takes long on a busy machine, and a worker that loses it has worked for nothing.
VISIBILITY = {"demo": "20", "year": "60"}
LONGEST = 3600.0


class Tree:
    """Workers and their clock in a process group of their own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "celery", "-q", "-A", "matchmaking.celery", "worker"]
        command += ["--concurrency", str(PROCESSES), "--without-gossip", "--without-mingle"]
        command += ["--loglevel", "WARNING", "--beat", "--schedule", str(folder / "schedule")]
        self.running = subprocess.Popen(
            command,
            cwd=stage.ROOT,
            env=os.environ | {"LOG_LEVEL": "ERROR"},
            start_new_session=True,
        )

    def kill(self) -> None:
        """Nobody in it gets to say goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()


@contextlib.contextmanager
def tree(folder: Path) -> Iterator[list[Tree]]:
    """The one that is at work stands last; it is killed in the end like the others."""
    trees = [Tree(folder)]
    try:
        yield trees
    finally:
        for one in trees:
            one.kill()


def rows() -> tuple[int, str]:
    """How many pairs there are, and a digest of all that is known of them, without ids and times."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), md5(string_agg(md5(concat_ws('|', m.line_id, m.supplier_id, m.status, m.tenths,
                   m.misses_must, s.tenths, s.misses_must, s.parts, s.reasons, s.outcomes, s.capability_id,
                   s.text_language, s.basis)), '' ORDER BY m.line_id, m.supplier_id))
              FROM matchmaking_match m JOIN matchmaking_score s ON s.id = m.score_id WHERE m.status <> 'ended'
            """
        )
        count, digest = cursor.fetchone()
        return int(count), str(digest)


def state(run: MatchRun) -> MatchRun:
    from matchmaking.models import MatchRun

    return MatchRun.objects.get(pk=run.pk)


def start() -> MatchRun:
    from matchmaking.services import runs

    return runs.start(everything=True, by=None)


def forget_fingerprints() -> None:
    """A run that finds all as it was writes nothing, and there would be nothing to kill: every second pair is scored
    anew, the others stay."""
    import pgtrigger
    from django.db.models import F

    from matchmaking.models import Score

    with pgtrigger.ignore("matchmaking.Score:immutable"):
        Score.objects.annotate(odd=F("pk") % 2).filter(odd=1).update(fingerprint=None)


def undisturbed(folder: Path) -> float:
    with tree(folder):
        began = time.monotonic()
        run = start()
        stage.wait(lambda: state(run).is_finished, LONGEST)
        return time.monotonic() - began


def killed(folder: Path, kills: int, dice: random.Random) -> tuple[MatchRun, float]:
    """Kills over the whole run: at a share of its lines each, and up to a second later."""
    moments = sorted(dice.random() for _ in range(kills))
    with tree(folder) as trees:
        began = time.monotonic()
        run = start()
        for number, share in enumerate(moments, 1):

            def is_reached(share: float = share) -> bool:
                now = state(run)
                return now.is_finished or now.lines_done >= share * now.lines_total

            stage.wait(is_reached, LONGEST)
            time.sleep(dice.random())
            now = state(run)
            stage.report("kill", number=number, lines_done=now.lines_done, status=now.status)
            trees[-1].kill()
            trees.append(Tree(folder))
        stage.wait(lambda: state(run).is_finished, LONGEST)
        return state(run), time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["demo", "year"], default="demo")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["VISIBILITY_TIMEOUT"] = VISIBILITY[options.size]
    stage.provide(options.size)

    import django

    django.setup()
    from django.db.models import Sum

    from chains.models import AuditEntry
    from matchmaking.services import runs

    # The smaller the shards, the more of them a kill can hit.
    if options.size == "demo":
        runs._lines_per_shard = lambda: 1  # noqa: SLF001
    with tempfile.TemporaryDirectory(prefix="chaindock-kills-") as place:
        folder = Path(place)
        wall = undisturbed(folder)
        expected = rows()
        forget_fingerprints()
        run, longer = killed(folder, options.kills, random.Random(options.seed))
    found = rows()
    shards = run.shards.count()
    trail = AuditEntry.objects.filter(target=f"matchmaking.MatchRun:{run.public_id}")
    told = trail.filter(action="run.scored").count()
    claims = run.shards.aggregate(n=Sum("attempts"))["n"]
    same = found == expected and run.status == "done" and told == shards
    stage.report(
        "kills",
        size=options.size,
        kills=options.kills,
        same_rows=same,
        pairs=found[0],
        pairs_undisturbed=expected[0],
        status=run.status,
        lines=f"{run.lines_done}/{run.lines_total}",
        shards=shards,
        shards_told=told,
        claims=claims,
        rows_written=run.scores_written,
        undisturbed_s=wall,
        killed_s=longer,
    )
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
