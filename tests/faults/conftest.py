from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from matchmaking import embedded


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
