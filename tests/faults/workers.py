"""Real worker processes against the test database, and the doorbell that reaches them."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
from celery import Celery
from django.db import connection

from tests.faults.nursery import Nursery

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


class Workers:
    """Worker trees of this test; whatever is left of them ends with it."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder = folder
        self.nursery = nursery
        self.trees: list[psutil.Process] = []  # those that live
        self.number = 0

    def fork(self, app: str = SAFE, *, beat: bool = True, processes: int = 2) -> psutil.Process:
        """A tree as an operator starts it, without the seconds that importing takes."""
        if not self.number:
            self.nursery.read()
        self.number += 1
        tree = self.nursery.work(self._log(), app, self._arguments(processes, beat=beat))
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

    def kill(self, tree: psutil.Process) -> None:
        """SIGKILL for the whole tree: nobody in it gets to say goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tree.pid, signal.SIGKILL)
        tree.wait()
        self.trees.remove(tree)  # its number may soon be somebody else's

    def kill_all(self) -> None:
        for tree in list(self.trees):
            self.kill(tree)

    def logs(self) -> str:
        return "\n".join(
            path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("worker-*.log"))
        )


def bell(monkeypatch, address: str | None = None) -> None:
    """Rings of the test process reach the broker, whatever broker its own settings name."""
    app = Celery(broker=address or os.environ["BROKER_URL"], set_as_current=False)
    monkeypatch.setattr("chains.doorbell._send", app.send_task)
