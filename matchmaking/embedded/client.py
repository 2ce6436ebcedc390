"""What a process does that wants to use the servers."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from matchmaking.embedded import refusals
from matchmaking.embedded.places import Places, is_locked, places_for

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".servers"
ADDRESSES = ("DATABASE_URL", "BROKER_URL", "CACHE_URL")
RECOVERY = 600  # seconds: crash recovery of a large database
LOG_LIMIT = 5 * 1024**2

# Numbers, not file objects: nothing may close them before this process dies.
_held: dict[Path, tuple[Places, int]] = {}


def provide(*, throwaway: bool = False, state: Path | None = None) -> None:
    """Fill in DATABASE_URL, BROKER_URL and CACHE_URL where the environment lacks them.

    The first thing a program does; where that is impossible, it ends with the reason.
    """
    env = os.environ
    if "EMBEDDED_STATE" not in env and "DATABASE_URL" in env and "BROKER_URL" in env:
        return
    # A child inherits the addresses and this name, so that it holds the lock as well.
    folder = env.setdefault("EMBEDDED_STATE", str(state or STATE))
    try:
        if env.get("EMBEDDED") == "off":
            raise refusals.switched_off()
        servers = use(Path(folder), throwaway=throwaway)
    except refusals.Refusal as refusal:
        sys.exit(str(refusal))
    except PermissionError:
        sys.exit(str(refusals.owned_by_another(Path(folder))))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            sys.exit(str(refusals.explain(Path(folder), str(error))))
        sys.exit(str(refusals.unusable(Path(folder), error)))
    for name in ADDRESSES:
        env.setdefault(name, servers[name])


def use(state: Path, *, throwaway: bool = False) -> dict[str, Any]:
    """Start both servers unless they run already; keep them for the life of this process."""
    state = state.absolute()
    places = places_for(state)
    if state not in _held:
        _held[state] = places, _lock_for_life(places.users)
    try:
        return _start_once(places, state, throwaway=throwaway)
    except BaseException:
        release(state)
        raise


def _lock_for_life(path: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_SH)  # waits while a keeper is shutting down
        if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
            return file
        os.close(file)  # deleted by a reset while we waited


def _start_once(places: Places, state: Path, *, throwaway: bool) -> dict[str, Any]:
    with places.starting.open("a") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not (is_locked(places.keeper) and places.addresses.exists()):
            _start_keeper(places, state, throwaway=throwaway)
    servers: dict[str, Any] = json.loads(places.addresses.read_text())
    end = time.monotonic() + RECOVERY
    while _is_silent(servers):
        if time.monotonic() > end or not is_locked(places.keeper):
            raise refusals.explain(places.home)
        time.sleep(0.05)
    return servers


def _is_silent(servers: dict[str, Any]) -> bool:
    return subprocess.run(servers["ready"], check=False).returncode != 0


def _start_keeper(places: Places, state: Path, *, throwaway: bool) -> None:
    if full := refusals.disk_is_full(places.home):
        raise full
    if places.log.exists() and places.log.stat().st_size > LOG_LIMIT:
        places.log.replace(places.log.with_suffix(".log.1"))
    # The keeper reports through a pipe, which works on a full disk too.
    read, write = os.pipe()
    command = [sys.executable, "-m", "matchmaking.embedded", "keep", str(places.home), str(state)]
    with places.log.open("ab") as log:
        keeper = subprocess.Popen(
            [*command, str(write), "throwaway" if throwaway else "lasting"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[write],
            start_new_session=True,
            cwd=ROOT,
        )
    os.close(write)
    with os.fdopen(read) as pipe:
        report = pipe.read()  # ends when the keeper is ready, or gone
    if report == "ready":
        keeper.returncode = 0  # it outlives us: keeps Popen.__del__ from warning
        return
    keeper.wait()
    if not report:
        raise refusals.explain(places.home)
    raise refusals.Refusal(**json.loads(report))


def look(state: Path) -> dict[str, Any] | None:
    """The servers' addresses and process ids as their keeper last wrote them; None without one."""
    places = places_for(state.absolute())
    if not is_locked(places.keeper):
        return None
    try:
        servers: dict[str, Any] = json.loads(places.addresses.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return servers


def held() -> list[int]:
    """Numbers of the locks this process holds, for children that use the servers too."""
    return [number for _, number in _held.values()]


def release(state: Path, *, patience: float = 0) -> bool:
    """Stop using the servers. True when they have ended within `patience` seconds."""
    if state.absolute() not in _held:
        return True
    places, number = _held.pop(state.absolute())
    os.close(number)
    end = time.monotonic() + patience
    while is_locked(places.keeper):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def reset(state: Path) -> None:
    """Delete the servers' data, unless somebody uses them."""
    state = state.absolute()
    places = places_for(state)
    with places.users.open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusals.in_use(places.home) from None
        for folder in {places.home, state}:
            shutil.rmtree(folder)
