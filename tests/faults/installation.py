"""An installation of its own for one test: a database that keeps what it commits, and the web server upon it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest
from django.conf import settings as current

from matchmaking import embedded
from matchmaking.embedded import keeper
from tests.faults.nursery import Nursery
from tests.faults.workers import Workers, environment


def use(state: Path, *, throwaway: bool = False) -> dict:
    """Servers that end as soon as nobody uses them any more."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("EMBEDDED_LINGER", "0.1")
        return embedded.use(state, throwaway=throwaway)


class Installation:
    """A copy of the test's database on a server of its own, and the application's web server upon it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.servers = use(self.state)
        self.url = self.servers["DATABASE_URL"].replace("/postgres?", "/rush?")
        self.web: psutil.Process | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.nursery = Nursery(self.environment())
        self.workers = Workers(self.state, self.nursery)

    def copy(self) -> None:
        programs = keeper.programs_for(keeper.Places(self.state)).postgres.parent
        source = environment()["DATABASE_URL"]
        subprocess.run(
            [programs / "createdb", "-h", self.state / "s", "-U", "postgres", "rush"], check=True
        )
        with subprocess.Popen(
            [programs / "pg_dump", "-Fc", "-Z0", source], stdout=subprocess.PIPE
        ) as dump:
            subprocess.run(
                [programs / "pg_restore", "--exit-on-error", "-d", self.url],
                stdin=dump.stdout,
                check=True,
            )
        assert dump.returncode == 0

    def keep(self) -> None:
        """Note how the copy stands, to come back to it."""
        with psycopg.connect(self.servers["DATABASE_URL"], autocommit=True) as session:
            session.execute("CREATE DATABASE kept TEMPLATE rush STRATEGY file_copy")

    def renew(self) -> None:
        """Come back to what was kept, with servers that have not been killed yet: a keeper gives up after some kills."""
        assert embedded.release(self.state, patience=30)
        use(self.state)
        with psycopg.connect(self.servers["DATABASE_URL"], autocommit=True) as session:
            session.execute("ALTER SYSTEM RESET ALL")
            session.execute("SELECT pg_reload_conf()")
            session.execute("DROP DATABASE rush WITH (FORCE)")
            session.execute("CREATE DATABASE rush TEMPLATE kept STRATEGY file_copy")

    def set(self, **settings: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as session:
            for name, value in settings.items():
                session.execute(f"ALTER SYSTEM SET {name} = {value}")
            session.execute("SELECT pg_reload_conf()")

    def _addresses(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url,
            "BROKER_URL": self.servers["BROKER_URL"],
            "CACHE_URL": self.servers["CACHE_URL"],
            "SECRET_KEY": current.SECRET_KEY,
            "MATCHING_ENCODER": "none",
        }

    def environment(self) -> dict[str, str]:
        found = environment(**self._addresses())
        found.pop("EMBEDDED_STATE", None)
        return found

    def start_web(self) -> None:
        words = ["-b", f"127.0.0.1:{self.port}", "-w", "3", "--threads", "1"]
        self.web = self.nursery.serve(self.state / "web.log", words)

    def start_worker(self) -> None:
        self.workers.fork(beat=False, processes=1)

    def worker_is_ready(self) -> bool:
        """It takes tasks, and has said so in the log."""
        return " ready." in self.workers.logs()

    def kill(self) -> None:
        """Nobody gets to finish a sentence: not the database, none of its backends, no broker, web process or worker."""
        self.kill_server("postgres")
        self.kill_server("valkey")
        self.kill_application()

    def kill_server(self, name: str) -> None:
        """One of the two servers, with all that belongs to it."""
        first = psutil.Process(embedded.look(self.state)[name])
        for one in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def kill_web(self) -> None:
        if self.web is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()
            self.web = None  # its number may soon be somebody else's

    def rows(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.url, autocommit=True) as session:
            return session.execute(sql).fetchall()

    def kill_application(self) -> None:
        self.kill_web()
        self.workers.kill_all()

    def end(self) -> None:
        self.kill_application()
        self.nursery.end()
        assert embedded.release(self.state, patience=30)
        shutil.rmtree(self.state, ignore_errors=True)
