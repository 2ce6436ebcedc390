"""The ground all benchmarks stand on: real servers, a seeded database, a web server on loopback.

A database of one size is made once and kept under `.servers/bench-<size>`; `python -m benchmarks.stage` makes
it and prints how long that took.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks import goals
from matchmaking import embedded

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
# A path, and the session of who opens it; "" is nobody's.
Visit = tuple[str, str]


def report(benchmark: str, **figures: Any) -> None:
    """One line: the figures, and whether they are what the project promises."""
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }
    row: dict[str, Any] = {"benchmark": benchmark, **rounded}
    if judged := [_judged(goal, figures) for goal in goals.about(benchmark, figures)]:
        row["goals"] = judged
    print(json.dumps(row, ensure_ascii=False), flush=True)


def _judged(goal: goals.Goal, figures: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"goal": str(goal), "met": goal.is_met(figures.get(goal.figure))}
    if goal.is_idle:
        found |= {"for_an_idle_machine": True, "taken_by_others": taken_by_others()}
    return found


def taken_by_others() -> float:
    """The share of the machine that programs outside this family have had since this one began."""
    passed = time.monotonic() - _BEGAN
    busy, own = _busy() - _BUSY, _of_the_family()
    return round(max(0.0, busy - own) / max(passed * (psutil.cpu_count() or 1), 0.001), 2)


def _busy() -> float:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # A guest's time stands in that of its host's programs too.
    return float(
        sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    )


def _of_the_family() -> float:
    """Those that have ended too: each counts its own."""
    me, spent = psutil.Process(), 0.0
    for one in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            spent += sum(one.cpu_times()[:4])
    return spent


_BEGAN, _BUSY = time.monotonic(), _busy()


def provide(size: str) -> None:
    """Start the servers of this size's database, fill it if it is empty, and name them in the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
    if "BENCH_DATABASE" in os.environ:  # a database that stands already
        return
    state = ROOT / ".servers" / f"bench-{size}"
    for name in ("EMBEDDED_STATE", "DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    embedded.provide(state=state)
    with (state / "seeding.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another benchmark may be at it
        _fill(size, state / f"seeded-{size}")


def _fill(size: str, done: Path) -> None:
    if done.exists():  # kept from an older state of the code
        _manage("migrate", "-v", "0")
        return
    began, busy = time.monotonic(), cpu_of_children()
    for command in (
        ["migrate", "-v", "0"],
        ["import_reference", "-v", "0"],
        ["seed_demo", "--size", size],
    ):
        _manage(*command)
    done.touch()
    asked = cpu_of_database(database())
    spent = cpu_of_children() - busy
    took = time.monotonic() - began
    report("seed", size=size, wall_s=took, cpu_s=spent, database_cpu_s=asked)


def cpu_of_children() -> float:
    """CPU seconds of the programs started here that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _manage(*command: str) -> None:
    subprocess.run(
        [PYTHON, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | {"DEMO": "true"},  # its accounts have a password that everybody knows
        check=True,
        stdout=sys.stderr,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def web() -> Iterator[tuple[int, psutil.Process]]:
    """gunicorn on a free loopback port, as `make demo` runs it; ends with the block."""
    port = free_port()
    command = [PYTHON, "-m", "gunicorn", "matchmaking.wsgi"]
    command += ["-b", f"127.0.0.1:{port}", "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"LOG_LEVEL": "ERROR"})
    try:
        wait(lambda: get(port, "/healthz")[0] == 200, 30)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)  # on a busy machine it takes its time to let go of its connections


def wait(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.05)
    raise SystemExit(f"not ready within {seconds} s")


def get(
    port: int, path: str, connection: http.client.HTTPConnection | None = None, session: str = ""
) -> tuple[int, float]:
    """Status and seconds of one GET; on a kept connection when one is given, by whoever is signed in there."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Accept-Language": "zh-CN", "Accept-Encoding": "gzip"}
    if session:
        headers["Cookie"] = f"sessionid={session}"
    began = time.perf_counter()
    own.request("GET", path, headers=headers)
    answer = own.getresponse()
    answer.read()
    if connection is None:
        own.close()
    return answer.status, time.perf_counter() - began


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and all its children so far."""
    spent = 0.0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # ended while we looked
            spent += sum(one.cpu_times()[:2])
    return spent


def database() -> psutil.Process | None:
    """The postmaster of the database in the environment; None when it is not on this machine."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as session:
        row = session.execute("SELECT pg_backend_pid()").fetchone()
        # Asked while the session stands: with it its process ends, and there would be nobody to ask for a parent.
        with contextlib.suppress(psutil.Error):
            return psutil.Process(row[0]).parent() if row else None
    return None


def cpu_of_database(postmaster: psutil.Process | None) -> float:
    """CPU seconds of all sessions so far, of those that have ended too."""
    if postmaster is None:
        return 0.0
    ended = postmaster.cpu_times()
    return cpu_of(postmaster) + float(ended.children_user + ended.children_system)


def load(port: int, visits: list[Visit], clients: int) -> list[tuple[int, float]]:
    """All visits made once by so many clients at once; status and seconds of each."""
    waiting, results, lock = list(reversed(visits)), [], threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                if not waiting:
                    break
                path, session = waiting.pop()
            outcome = get(port, path, connection, session)
            with lock:
                results.append(outcome)
        connection.close()

    team = [threading.Thread(target=client) for _ in range(clients)]
    for one in team:
        one.start()
    for one in team:
        one.join()
    return results


def measure(
    port: int, server: psutil.Process, visits: list[Visit], clients: int
) -> dict[str, float | int | None]:
    """What so many visits cost a web server and its database, once its processes have read their code."""
    load(port, [visits[0], visits[-1]] * 2, 4)
    postmaster = database()
    before, busy = cpu_of(server), cpu_of_database(postmaster)
    results = load(port, visits, clients)
    spent, asked = cpu_of(server) - before, cpu_of_database(postmaster) - busy
    seconds = [took for _status, took in results]
    return {
        "requests": len(results),
        "failed": sum(status != 200 for status, _took in results),
        "cpu_ms_per_request": 1000 * spent / len(results),
        "database_cpu_ms_per_request": 1000 * asked / len(results) if postmaster else None,
        "p50_ms": 1000 * percentile(seconds, 0.5),
        "p95_ms": 1000 * percentile(seconds, 0.95),
        "clients": clients,
    }


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["demo"]:
        provide(wanted)
