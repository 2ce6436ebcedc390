from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from matchmaking import embedded
from tests.faults.nursery import Nursery
from tests.faults.workers import environment

# After so many seconds the broker hands a message that nobody has acknowledged to another worker.
VISIBILITY = 4


@pytest.fixture(scope="session")
def cluster():
    """The folder of a database as it was just made, to be copied: to make one takes ten times as long."""
    state = Path(tempfile.mkdtemp(prefix="mm-made-"))
    state.chmod(0o755)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("EMBEDDED_LINGER", "0.1")
        embedded.use(state)
        assert embedded.release(state, patience=20)
    yield state / "postgres"
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def new_state(cluster):
    """Makes a folder for servers, reachable for the user they run as, with a database that holds nothing yet."""

    def made(prefix):
        state = Path(tempfile.mkdtemp(prefix=prefix))
        state.chmod(0o755)
        subprocess.run(["cp", "-a", cluster, state], check=True)
        return state

    return made


@pytest.fixture(scope="session")
def broker(new_state):
    """Servers whose broker keeps nothing: killed, it has lost every message. Their addresses and folder."""
    state = new_state("mm-broker-")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("EMBEDDED_LINGER", "0.1")
        yield embedded.use(state, throwaway=True), state
        assert embedded.release(state, patience=20)


@pytest.fixture(scope="session")
def nursery(django_db_setup, broker):
    """Forks workers upon the test's database."""
    servers, _state = broker
    process = Nursery(
        environment(
            BROKER_URL=servers["BROKER_URL"],
            CACHE_URL=servers["CACHE_URL"],
            VISIBILITY_TIMEOUT=str(VISIBILITY),
            MATCHING_ENCODER="none",
            LOG_LEVEL="WARNING",
        )
    )
    yield process
    process.end()
