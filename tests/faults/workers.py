"""Real worker processes against the test database, and the doorbell that reaches them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from celery import Celery
from django.db import connection

SAFE = "matchmaking.celery"
# Acknowledges a message before it is worked on: what Celery does unless told otherwise.
UNSAFE = "tests.faults.unsafe_celery"


def environment(**more: str) -> dict[str, str]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    address = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {
        **os.environ,
        "DATABASE_URL": address,
        "PYTHONWARNINGS": "ignore",
        "CELERY_SKIP_CHECKS": "1",
        **more,
    }


@dataclass(frozen=True, slots=True)
class Forked:
    """A tree that the nursery started; the kernel collects it."""

    pid: int

    def wait(self) -> None:
        pass


class Workers:
    """Worker trees of this test; whatever is left of them ends with it."""

    def __init__(self, folder, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        self.trees: list[subprocess.Popen[bytes] | Forked] = []  # those that live
        self.number = 0
        self.nursery: subprocess.Popen[str] | None = None

    def start(self, *, beat: bool = True, processes: int = 2) -> subprocess.Popen:
        """A tree as an operator starts it."""
        self.number += 1
        log = self._log().open("wb")
        tree = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", SAFE, *self._arguments(processes, beat=beat)],
            env=environment(**self.settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.trees.append(tree)
        return tree

    def fork(self, app: str = SAFE, *, beat: bool = True, processes: int = 2) -> Forked:
        """The same tree without the seconds that importing takes."""
        if self.nursery is None:
            self.nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery", app],
                env=environment(**self.settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        self.number += 1
        words = [str(self._log()), *self._arguments(processes, beat=beat)]
        self.nursery.stdin.write(f"{json.dumps(words)}\n")
        tree = Forked(int(self.nursery.stdout.readline()))
        self.trees.append(tree)
        return tree

    def _log(self):
        return self.folder / f"worker-{self.number}.log"

    def _arguments(self, processes: int, *, beat: bool) -> list[str]:
        words = [
            "worker", "--concurrency", str(processes), "--loglevel", "INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]  # fmt: skip
        if beat:
            words += ["--beat", "--schedule", str(self.folder / f"schedule-{self.number}")]
        return words

    def kill(self, tree: subprocess.Popen | Forked) -> None:
        """SIGKILL for the whole tree: nobody in it gets to say goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tree.pid, signal.SIGKILL)
        tree.wait()
        self.trees.remove(tree)  # its number may soon be somebody else's

    def kill_trees(self) -> None:
        for tree in list(self.trees):
            self.kill(tree)

    def kill_all(self) -> None:
        self.kill_trees()
        if self.nursery is not None:
            self.nursery.stdin.close()
            self.nursery.wait(10)
            self.nursery.stdout.close()

    def logs(self) -> str:
        return "\n".join(
            path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("worker-*.log"))
        )


def bell(monkeypatch, address: str | None = None) -> None:
    """Rings of the test process reach the broker, whatever broker its own settings name."""
    app = Celery(broker=address or os.environ["BROKER_URL"])
    monkeypatch.setattr("chains.doorbell._send", app.send_task)
