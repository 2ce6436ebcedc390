"""Every benchmark, one after another: `make bench`, or `make bench PARTS="pages sides"`; JSON lines.

Each part may take so many minutes – four times what it takes on two idle cores – and all of them together three hours.
Ends with 1 where a goal is missed, a part fails or takes too long, or a figure that is promised was not told; a sentence
for each stands at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import goals, stage
from matchmaking import embedded

TOGETHER = 180.0  # minutes


@dataclass(frozen=True, slots=True)
class Part:
    module: str
    minutes: float
    arguments: Sequence[str] = ()

    def __str__(self) -> str:
        return " ".join([self.module, *self.arguments])


PARTS = (
    Part("start", 15),
    Part("hostile", 15),
    Part("matching", 15),
    Part("publish", 15, ("--size", "demo")),
    Part("kills", 20),
    Part("rush", 20),
    Part("ceremony", 15),
    Part("pages", 40),  # the first time it seeds the year
    Part("sides", 20),
    Part("publish", 40, ("--size", "year")),
    Part("growth", 90),
)


@dataclass
class Outcome:
    told: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict) and "benchmark" in row:
                self.told.append(row)


def unlisted() -> list[str]:
    """Benchmarks that nobody would run, and parts that are not there."""
    folder = Path(__file__).parent
    there = {path.stem for path in folder.glob("*.py") if "\ndef main(" in path.read_text("utf-8")}
    return sorted((there - {"__main__"}) ^ {part.module for part in PARTS})


def run(part: Part, minutes: float, outcome: Outcome) -> None:
    """Ends with the part, or ends it."""
    command = [sys.executable, "-m", f"benchmarks.{part.module}", *part.arguments]
    began, before = time.monotonic(), len(outcome.told)
    is_late = threading.Event()

    def stop() -> None:
        is_late.set()
        end(process)

    with subprocess.Popen(
        command,
        cwd=stage.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=functools.partial(embedded.die_with_parent, signal.SIGTERM),  # noqa: PLW1509 -- no thread yet
    ) as process:
        late = threading.Timer(60 * minutes, stop)
        late.start()
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                outcome.hear(line)
            code = process.wait()
        finally:
            late.cancel()
            end(process)
    took = time.monotonic() - began
    stage.report("part", part=str(part), wall_s=took, ended_with=code)
    if is_late.is_set():
        outcome.faults.append(f"{part} was stopped after {minutes:.0f} minutes.")
    elif code != 0:
        outcome.faults.append(f"{part} failed with {code}; what it said stands above.")
    elif len(outcome.told) == before:
        outcome.faults.append(f"{part} told no figure.")


def end(process: subprocess.Popen[str]) -> None:
    """With all that it started; its servers end when nobody uses them."""
    for sig, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def missed(told: Sequence[dict[str, Any]]) -> list[str]:
    sentences = []
    for row in told:
        for goal in row.get("goals", ()):
            if goal["met"]:
                continue
            of = ", ".join(str(row[name]) for name in _NAMES if name in row)
            figure = goal["goal"].split()[0]
            said = f"Missed: {row['benchmark']} ({of}): {goal['goal']}, found {row.get(figure)}."
            if goal.get("for_an_idle_machine"):
                said += f" It is meant for an idle machine; others took {goal['taken_by_others']:.0%} of this one."
            sentences.append(said)
    return sentences


_NAMES = ("size", "page", "way", "step", "texts", "start", "processes")


def untold(told: Sequence[dict[str, Any]]) -> list[str]:
    """Promises of which nothing was heard. A kept database is not seeded again."""
    return [
        f"Nothing told of {goal.benchmark} {dict(goal.of) or ''}: {goal}."
        for goal in goals.GOALS
        if goal.benchmark != "seed"
        and not any(goal.is_about(row["benchmark"], row) for row in told)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help="only these")
    parser.add_argument("--minutes", type=float, default=TOGETHER, help="all of them together")
    options = parser.parse_args()
    if wrong := unlisted():
        sys.exit(f"Not in step with the list of parts: {', '.join(wrong)}.")
    if unknown := {*options.parts} - {part.module for part in PARTS}:
        sys.exit(f"There is no part {', '.join(sorted(unknown))}.")
    outcome, over = Outcome(), time.monotonic() + 60 * options.minutes
    for part in PARTS:
        if options.parts and part.module not in options.parts:
            continue
        left = (over - time.monotonic()) / 60
        if left <= 0:
            outcome.faults.append(f"{part} was not run: {options.minutes:.0f} minutes were over.")
            continue
        run(part, min(part.minutes, left), outcome)
    faults = [*outcome.faults, *missed(outcome.told)]
    faults += [] if options.parts else untold(outcome.told)
    met = sum(goal["met"] for row in outcome.told for goal in row.get("goals", ()))
    print(f"{met} goals met, {len(faults)} to mend.", *faults, sep="\n", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
