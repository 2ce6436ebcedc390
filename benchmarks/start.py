"""First and second `make demo` from an empty folder until the home page answers (goals ≤ 180 s and ≤ 10 s)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import stage


def start(folder: Path) -> float:
    port = stage.free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("EMBEDDED_STATE", "DATABASE_URL", "BROKER_URL", "CACHE_URL", "VIRTUAL_ENV")
    }
    began = time.monotonic()
    demo = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        cwd=folder,
        env=environment,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        stage.wait(lambda: stage.get(port, "/")[0] == 200, 600)
        return time.monotonic() - began
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(60)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="chaindock-start-"))
    try:
        subprocess.run(["git", "clone", "-q", stage.ROOT, folder / "clone"], check=True)
        first = start(folder / "clone")
        second = start(folder / "clone")
        stage.report("start", first_s=first, second_s=second)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
