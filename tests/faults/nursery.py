"""Worker trees in a moment: forked from a process that has imported and read everything a worker needs.

Ten kills need a dozen trees, and most of a tree's start is importing and reading the market. Each line read is the
arguments of one worker; its process id is answered, and its output goes to the file named first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module

import django
from celery import Celery

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


def bear(app: Celery, log: str, arguments: list[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()  # a group of its own, as a tree started from a shell: one kill reaches all of it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        app.worker_main(arguments)
    finally:
        os._exit(1)


def main() -> None:
    app = import_module(sys.argv[1]).app
    django.setup()
    app.loader.import_default_modules()
    app.finalize()
    for name in LATE:
        import_module(name)
    import_module("matchmaking.tasks").warm()  # what a tree does first; each reads on from here
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits here: the kernel collects them
    for line in sys.stdin:
        log, *arguments = json.loads(line)
        sys.stdout.write(f"{bear(app, log, arguments)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
