"""The process that owns both servers of one folder."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import TextIO

import psutil

from matchmaking.embedded import refusals
from matchmaking.embedded.places import SERVER_USER, Places, programs_for, run_as
from matchmaking.embedded.processes import die_with_parent

LINUX = sys.platform == "linux"
LINGER = float(os.environ.get("EMBEDDED_LINGER", "1.0"))  # seconds it waits for a next user
RESTARTS, WITHIN = 5, 60.0  # more restarts of a server within so many seconds are hopeless

# Given on the command line, so that nothing on disk has to be edited.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "logging_collector": "off",
    "recovery_init_sync_method": "syncfs" if LINUX else "fsync",
}
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "io_method": "sync",
}
# Without a UTF-8 character type trigrams and text search are blind for Chinese; the wheel has no
# ICU, and a plain "C" sorts alike everywhere.
LOCALE = [
    "--locale=C",
    "--lc-ctype=C.UTF-8" if LINUX else "--lc-ctype=en_US.UTF-8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
]


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # a full disk must not end the keeper
        print(time.strftime("%Y-%m-%d %H:%M:%S"), sentence, flush=True)


def _own(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, pwd.getpwnam(SERVER_USER).pw_gid)


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True
    return False


class Keeper:
    def __init__(self, places: Places, state: Path, *, throwaway: bool) -> None:
        self.places, self.state, self.throwaway = places, state, throwaway
        self.programs = programs_for(places)
        self.postgres: subprocess.Popen[bytes] | None = None
        self.valkey: subprocess.Popen[bytes] | None = None
        self.restarts: deque[float] = deque(maxlen=RESTARTS)
        self.stopping = False

    def run(self, report: TextIO) -> int:
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, self._stop)
        lock = self.places.keeper.open("a")
        fcntl.flock(lock, fcntl.LOCK_EX)  # at most a moment: users only look whether it is held
        try:
            with report:
                try:
                    self._start()
                except refusals.Refusal as refusal:
                    report.write(refusal.report())
                    return 1
                except OSError as error:
                    report.write(refusals.explain(self.places.home, str(error)).report())
                    return 1
                report.write("ready")
            return self._watch()
        finally:
            self._end()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _start(self) -> None:
        self.places.addresses.unlink(missing_ok=True)
        self._check_version()
        self._end_orphans()
        for folder in (self.places.sockets, self.places.valkey_data):
            _own(folder)
        if not self.places.data.exists():
            self._create_database()
        self._start_postgres()
        self._start_valkey()
        self._write_addresses()

    def _check_version(self) -> None:
        mark = self.places.data / "PG_VERSION"
        if not self.places.data.exists():
            return
        asked = [str(self.programs.postgres), "--version"]
        version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        ours = version.split()[2].split(".")[0]
        if not mark.exists():
            raise refusals.damaged(self.places.data)
        found = mark.read_text().strip()
        if found != ours:
            raise refusals.other_version(self.places.data, found, ours)
        if not (self.places.data / "global" / "pg_control").exists():
            raise refusals.damaged(self.places.data)

    def _create_database(self) -> None:
        if shutil.disk_usage(self.places.home).free < refusals.NEEDED:
            raise refusals.disk_full(self.places.home)
        # Made beside its place and renamed when complete: a half-made one is never taken for data.
        fresh = self.places.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _own(fresh)
        made = subprocess.run(
            [
                *(self.programs.initdb, "-D", fresh, "-U", "postgres", "--auth=trust"),
                # No sync: seconds on a busy disk, to guard a database that is still empty.
                *("--encoding=UTF8", *LOCALE, "--no-instructions", "--no-sync"),
            ],
            check=False,
            cwd=fresh,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
            **run_as(),
        )
        output = made.stdout.decode(errors="replace")
        _say(output)
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            killed = "SIGXFSZ" if made.returncode == -signal.SIGXFSZ else ""
            raise refusals.explain(self.places.home, f"{output}{killed}")
        fresh.rename(self.places.data)

    def _end_orphans(self) -> None:
        """Stop servers of this folder that lost their keeper.

        We hold the keeper's lock, so a pid file without a living server of this very folder is
        stale; after a restart of the machine its number may name a stranger, who is left alone.
        """
        pid_files = {
            self.places.data / "postmaster.pid": str(self.places.data),
            self.places.valkey_data / "valkey.pid": str(self.places.valkey_socket),
        }
        for file, mark in pid_files.items():
            if not file.exists():
                continue
            with contextlib.suppress(psutil.NoSuchProcess, ValueError, IndexError):
                process = psutil.Process(int(file.read_text().split()[0]))
                if not _is_over(process) and _serves(process, mark):
                    _say(f"ending the orphan {process.pid}")
                    _end(process)
            file.unlink(missing_ok=True)

    def _start_postgres(self) -> None:
        settings = SETTINGS | (THROWAWAY if self.throwaway else {})
        settings["unix_socket_directories"] = str(self.places.sockets)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.postgres = self._spawn(
            [str(self.programs.postgres), "-D", str(self.places.data), *options], signal.SIGINT
        )
        while (
            subprocess.run(self._ready_command(), check=False).returncode != 0
        ):  # recovery may take long
            if self.postgres.poll() is not None:
                raise self._explain("PostgreSQL", self.postgres.returncode)
            if self.stopping:
                return
            time.sleep(0.03)

    def _ready_command(self) -> list[str]:
        program, sockets = str(self.programs.pg_isready), str(self.places.sockets)
        return [program, "-q", "-h", sockets, "-p", SETTINGS["port"], "-U", "postgres"]

    def _start_valkey(self) -> None:
        saved = ["--appendonly", "yes", "--appendfsync", "everysec"]
        kept = ["--appendonly", "no"] if self.throwaway else saved
        # Without "force" it refuses to end where it cannot write, as on a full disk.
        kept += ["--save", "", "--shutdown-on-sigterm", "force"]
        self.places.valkey_socket.unlink(missing_ok=True)
        self.valkey = self._spawn(
            [
                *(str(self.programs.valkey), "--port", "0", "--daemonize", "no", *kept),
                *("--unixsocket", str(self.places.valkey_socket), "--unixsocketperm", "700"),
                *("--pidfile", str(self.places.valkey_data / "valkey.pid")),
                *("--dir", str(self.places.valkey_data), "--maxmemory-policy", "noeviction"),
            ],
            signal.SIGTERM,
        )
        while not _answers(self.places.valkey_socket):
            if self.valkey.poll() is not None:
                raise self._explain("Valkey", self.valkey.returncode)
            if self.stopping:
                return
            time.sleep(0.02)

    def _spawn(self, command: list[str], last_signal: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            cwd=self.places.sockets,
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
            start_new_session=True,  # a Ctrl-C for the application is not one for its servers
            preexec_fn=functools.partial(die_with_parent, last_signal),  # noqa: PLW1509 -- one thread
            **run_as(),
        )

    def _explain(self, server: str, returncode: int) -> refusals.Refusal:
        _say(f"{server} ended with {returncode} while it was starting")
        if returncode == -signal.SIGXFSZ:
            return refusals.disk_full(self.places.home)
        return refusals.explain(self.places.home)

    def _write_addresses(self) -> None:
        if self.postgres is None or self.valkey is None:
            return  # told to stop while starting
        servers = {
            "DATABASE_URL": f"postgresql://postgres@:5432/postgres?host={self.places.sockets}",
            # kombu's name for a Redis socket; Django's cache has another
            "BROKER_URL": f"redis+socket://{self.places.valkey_socket}",
            "CACHE_URL": f"unix://{self.places.valkey_socket}?db=1",
            "ready": self._ready_command(),
            "postgres": self.postgres.pid,
            "valkey": self.valkey.pid,
            "keeper": os.getpid(),
        }
        draft = self.places.addresses.with_suffix(".new")
        draft.write_text(json.dumps(servers, indent=1))
        draft.rename(self.places.addresses)

    def _watch(self) -> int:
        users = self.places.users.open("a")
        quiet_since: float | None = None
        while not self.stopping:
            time.sleep(0.2)
            try:
                self._restart_what_ended()
            except refusals.Refusal as refusal:
                _say(refusal.en)
                return 1
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                quiet_since = None
                continue
            quiet_since = quiet_since or time.monotonic()
            if time.monotonic() - quiet_since >= LINGER:
                break  # still holding the lock: newcomers wait until we are gone
            fcntl.flock(users, fcntl.LOCK_UN)
        return 0

    def _restart_what_ended(self) -> None:
        for name, server, start in (
            ("PostgreSQL", self.postgres, self._start_postgres),
            ("Valkey", self.valkey, self._start_valkey),
        ):
            if server is None or server.poll() is None:
                continue
            _say(f"{name} ended with {server.returncode}; starting it again")
            now = time.monotonic()
            if len(self.restarts) == RESTARTS and now - self.restarts[0] < WITHIN:
                raise refusals.explain(self.places.home)
            self.restarts.append(now)
            try:
                start()
            except refusals.Refusal as refusal:
                # E.g. children of a killed postmaster that have not noticed yet: tried again.
                _say(refusal.en)
                time.sleep(0.5)
                continue
            with contextlib.suppress(OSError):  # a full disk: the old addresses still hold
                self._write_addresses()

    def _end(self) -> None:
        for server, sig, patience in (
            (self.valkey, signal.SIGTERM, 10),
            (self.postgres, signal.SIGINT, 60),
        ):
            if server is None or server.poll() is not None:
                continue
            server.send_signal(sig)
            try:
                server.wait(patience)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        self.places.addresses.unlink(missing_ok=True)
        if self.throwaway:
            for folder in (self.places.home, self.state):
                shutil.rmtree(folder, ignore_errors=True)


def _serves(process: psutil.Process, mark: str) -> bool:
    return any(mark in word for word in process.cmdline())


def _is_over(process: psutil.Process) -> bool:
    # A zombie is over too: nobody may be there to collect it, as in a container without init.
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _end(process: psutil.Process) -> None:
    # For PostgreSQL: fast, then immediate shutdown, which the next start recovers from.
    for sig in (signal.SIGINT, signal.SIGQUIT):
        process.send_signal(sig)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if _is_over(process):
                return
            time.sleep(0.05)
    raise refusals.stuck_orphan(process.pid)
