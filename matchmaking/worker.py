"""A worker, as `celery worker` starts it, without reading the other commands of Celery: a fifth of a start.

`python -m matchmaking.worker [processes]`
"""

from __future__ import annotations

import gc
import logging
import sys

from matchmaking.celery import app


def main() -> None:
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else None
    # What a start reads stays: looking for garbage among it finds none.
    gc.disable()
    # Mingling waits a whole second for other workers to tell which tasks were called back, gossip has every worker read
    # what all others tell of themselves. Nothing is called back here, and shards are claimed in the database.
    worker = app.Worker(
        concurrency=processes,
        loglevel=logging.INFO,
        quiet=True,
        without_mingle=True,
        without_gossip=True,
    )
    gc.enable()
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
