"""Real worker processes against the test database, and the doorbell that reaches them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
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


class Workers:
    """Worker trees of this test; whatever is left of them ends with it."""

    def __init__(self, folder, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        self.trees: list[subprocess.Popen[bytes]] = []

    def start(self, app: str = SAFE, *, beat: bool = True, processes: int = 2) -> subprocess.Popen:
        number = len(self.trees)
        command = [
            sys.executable, "-m", "celery", "-A", app, "worker", "--concurrency", str(processes),
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
        ]  # fmt: skip
        if beat:
            command += ["--beat", "--schedule", str(self.folder / f"schedule-{number}")]
        log = (self.folder / f"worker-{number}.log").open("wb")
        tree = subprocess.Popen(
            command,
            env=environment(**self.settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.trees.append(tree)
        return tree

    def kill(self, tree: subprocess.Popen) -> None:
        """SIGKILL for the whole tree: nobody in it gets to say goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tree.pid, signal.SIGKILL)
        tree.wait()

    def kill_all(self) -> None:
        for tree in self.trees:
            self.kill(tree)

    def logs(self) -> str:
        return "\n".join(
            path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("worker-*.log"))
        )


def bell(monkeypatch) -> None:
    """Rings of the test process reach the broker, whatever broker its own settings name."""
    app = Celery(broker=os.environ["BROKER_URL"])
    monkeypatch.setattr("chains.doorbell._send", app.send_task)
