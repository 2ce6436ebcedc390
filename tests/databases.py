"""One migrated database for all processes of a run: made by the one that comes first, copied by the others.

Each has servers of its own (tests/servers.py says why), and to migrate takes most of a minute's work.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from django.db import connection

from matchmaking.embedded import keeper

# On servers that somebody named there may be no programs that fit them: there, each process makes its own.
ARE_COPIED = "PYTEST_XDIST_WORKER" in os.environ and "EMBEDDED_STATE" in os.environ


def _address(name: str) -> str:
    return os.environ["DATABASE_URL"].replace("/postgres?", f"/{name}?")


def _program(name: str) -> Path:
    places = keeper.Places(Path(os.environ["EMBEDDED_STATE"]))
    return keeper.programs_for(places).postgres.with_name(name)


def keep(kept: Path) -> None:
    draft = kept.with_suffix(".new")
    source = _address(connection.settings_dict["NAME"])
    subprocess.run([_program("pg_dump"), "-Fc", "-Z0", "-f", draft, source], check=True)
    draft.rename(kept)


def copy(kept: Path) -> None:
    name = connection.settings_dict["TEST"]["NAME"]
    create = ["-c", f'CREATE DATABASE "{name}"']
    subprocess.run([_program("psql"), "-q", *create, _address("postgres")], check=True)
    restore = [_program("pg_restore"), "--exit-on-error", "--single-transaction"]
    subprocess.run([*restore, "-d", _address(name), kept], check=True)
