"""Worker trees and web servers in a moment: forked from a process that has imported and read everything they need.

Ten kills need a dozen trees, and most of a tree's start is importing and reading the market. Each line read is an order
(`read`, `work` or `serve`) and what it needs to know; answered is the process id of what was forked, or 0.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import django
import psutil
from celery import Celery

ROOT = Path(__file__).parents[2]
# What Celery imports only once a worker starts.
LATE = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.beat",
    "celery.bin.celery",
    "celery.concurrency.asynpool",
    "celery.concurrency.prefork",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.loops",
    "celery.worker.strategy",
    "kombu.transport.redis",
)


class Nursery:
    """The process that forks, as its tests see it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def _ask(self, *order: str | list[str]) -> int:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        self._process.stdin.write(f"{json.dumps(order)}\n")
        return int(self._process.stdout.readline())

    def read(self) -> None:
        """Read the market anew: rows of the test before have vanished without a trace in the feed."""
        self._ask("read")

    def work(self, log: Path, app: str, arguments: list[str]) -> psutil.Process:
        """A worker tree of the Celery app in that module."""
        return psutil.Process(self._ask("work", str(log), app, arguments))

    def serve(self, log: Path, arguments: list[str]) -> psutil.Process:
        """A web server and its processes."""
        return psutil.Process(self._ask("serve", str(log), arguments))

    def end(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(10)
            self._process.stdout.close()


def bear(log: str) -> int:
    """Fork; the child has a group of its own, as one started from a shell: one kill reaches all of it."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return 0


def application(module: str) -> Celery:
    app = import_module(module).app
    app.loader.import_default_modules()
    app.finalize()
    return app


def work(log: str, module: str, arguments: list[str]) -> int:
    application("matchmaking.celery")
    for name in LATE:
        import_module(name)
    pid = bear(log)
    if not pid:
        try:
            application(module).worker_main(arguments)
        finally:
            os._exit(1)
    return pid


def serve(log: str, arguments: list[str]) -> int:
    import_module("matchmaking.wsgi")
    server = import_module("gunicorn.app.wsgiapp")
    pid = bear(log)
    if not pid:
        try:
            sys.argv = ["gunicorn", "matchmaking.wsgi", *arguments]
            server.run()
        finally:
            os._exit(1)
    return pid


def read() -> int:
    import_module("matchmaking.market").forget()
    import_module("matchmaking.tasks").warm()  # what a tree does first; each reads on from here
    return 0


def main() -> None:
    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits here: the kernel collects them
    for line in sys.stdin:
        order, *about = json.loads(line)
        sys.stdout.write(f"{ORDERS[order](*about)}\n")
        sys.stdout.flush()


ORDERS = {"read": read, "work": work, "serve": serve}

if __name__ == "__main__":
    main()
