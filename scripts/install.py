"""Fill the virtual environment from requirements.lock: `python scripts/install.py .venv [--dev]`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOM = 1500  # MB: packages, their downloads, and a first database
HELPERS = 2  # of pip at once
DEV = "# dev"  # ends the lines of requirements.lock that only tests and checks need


def refuse(en: str, zh: str) -> None:
    sys.exit(f"{en}\n{zh}")


def check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 1024**2
    if free < ROOM:
        refuse(
            f"The disk of {folder} is full: {free} MB free, about {ROOM} MB needed.",
            f"{folder} 所在磁盘空间不足：剩余 {free} MB，约需 {ROOM} MB。",
        )


def locked(*, dev: bool) -> list[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [
        line
        for line in lines
        if line.strip() and not line.startswith("#") and (dev or not line.endswith(DEV))
    ]


@contextlib.contextmanager
def alone(target: Path) -> Iterator[int]:
    """Nobody else fills this environment meanwhile, not even what a killed installation left running."""
    target.mkdir(parents=True, exist_ok=True)
    lock = os.open(target, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"Another installation into {target} is at work; waiting for its end."
                f"\n另一个安装进程正在写入 {target}，等待其结束。",
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def make_environment(target: Path) -> Path:
    python = target / "bin" / "python"
    asked = [str(python), "-m", "pip", "--version"]
    works = (
        python.exists()
        and subprocess.run(asked, check=False, capture_output=True).returncode == 0
        and not any(path.name.startswith("pip-") for path in cut_off(target))
    )
    if not works:  # new, cut off while it was made, or its Python has moved away
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=False)
        if made.returncode != 0:
            refuse(
                f"{target} could not be made; the lines above say why.",
                f"无法创建 {target}，原因见上面的输出。",
            )
    return python


def cut_off(target: Path) -> list[Path]:
    """Packages whose installation was interrupted: pip names itself last, and takes what has a name for whole."""
    found = target.glob("lib/python*/site-packages/*.dist-info")
    return [path for path in found if not (path / "INSTALLER").exists()]


def install(python: Path, wanted: list[str], lock: int) -> None:
    """Two of pip share the work: each reads, unpacks and waits for the network on its own.

    Nothing depends on the order, for the lock names everything. What is imported is compiled then; compiling all of it
    beforehand takes a third of the whole installation, most of it for nothing.
    """
    for path in cut_off(python.parents[1]):
        shutil.rmtree(path)
    progress, running = Progress(len(wanted)), list[subprocess.Popen[str]]()
    with ThreadPoolExecutor(HELPERS) as pool:
        shares = [wanted[number::HELPERS] for number in range(HELPERS)]
        try:
            ended = list(
                pool.map(lambda share: run_pip(python, share, lock, running, progress), shares)
            )
        except KeyboardInterrupt:
            for process in running:
                process.terminate()
            raise
    said = next((lines for code, lines in ended if code != 0), None)
    if said is not None:
        print("\n".join(said[-12:]), file=sys.stderr)
        check_room(python.parents[1])
        refuse(
            "The packages could not be installed; the lines above say why."
            " Behind a slow or closed network set PIP_INDEX_URL to an index you can reach.",
            "软件包安装失败，原因见上面的输出。网络受限时，请将 PIP_INDEX_URL 设为可访问的软件源。",
        )


def run_pip(
    python: Path,
    wanted: list[str],
    lock: int,
    running: list[subprocess.Popen[str]],
    progress: Progress,
) -> tuple[int, list[str]]:
    """How it ended, and everything it said."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(wanted))
        file.flush()
        pip = [str(python), "-m", "pip", "install", "--no-deps", "--disable-pip-version-check"]
        process = subprocess.Popen(
            [*pip, "--no-input", "--no-compile", "--progress-bar", "off", "-r", file.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[lock],
        )
        running.append(process)
        said = []
        for line in process.stdout or ():
            said.append(line.rstrip())
            progress.show(line)
        return process.wait(), said


class Progress:
    """One short line per package, whichever pip takes it up."""

    def __init__(self, total: int) -> None:
        self._total, self._count, self._unpacks = total, 0, False
        self._lock = threading.Lock()

    def show(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        with self._lock:
            if verb in ("Collecting", "Processing", "Requirement", "Ignoring"):
                self._count += 1
                name = rest.removeprefix("already satisfied: ").split()[0]
                name = name.rpartition("/")[2].rstrip(":")
                print(f"      {self._count:3}/{self._total}  {name}", flush=True)
            elif line.startswith("Installing collected") and not self._unpacks:
                self._unpacks = True
                print("      … unpacking, some seconds · 正在解包，需数秒", flush=True)


def main(target: str, *flags: str) -> None:
    began = time.monotonic()
    check_room(ROOT)
    wanted = locked(dev="--dev" in flags)
    print(
        f"Installing {len(wanted)} packages into {target} – about a minute, once."
        f"\n正在安装 {len(wanted)} 个软件包到 {target}，约一分钟，仅首次需要。",
        flush=True,
    )
    with alone(Path(target)) as lock:
        install(make_environment(Path(target)), wanted, lock)
    print(f"      {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        refuse(
            "Stopped. The same command goes on from here.",
            "已停止。再次运行同一命令即可继续。",
        )
