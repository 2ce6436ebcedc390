"""How gunicorn serves this project wherever it is started in this folder: demo, image, tests, benchmarks.

Its command line goes before what stands here.
"""

from __future__ import annotations

from django.db import connections

# On two cores three answered a rush a sixth faster than two, and four no faster: `python -m benchmarks.rush`.
workers = 3
threads = 4
# Read once and forked: each further process starts at once and shares the memory of what was read.
preload_app = True
# Nobody steers it through a socket in somebody's home folder.
control_socket_disable = True


def when_ready(server: object) -> None:  # noqa: ARG001 -- the server's hook
    """The application is read and nothing is forked yet: what the first suggestion needs is shared by all."""
    from matchmaking import market  # noqa: PLC0415 -- models can be read only now

    market.warm_suggestions()


def pre_fork(server: object, worker: object) -> None:  # noqa: ARG001 -- the server's hook
    """Two processes may never speak over one connection."""
    connections.close_all()
