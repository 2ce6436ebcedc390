"""What docker-compose.yml starts, started without Docker: the same words, the same health checks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.nursery import ROOT
from tests.test_compose import SERVICES

# The scene is made outside of the tests; without one that asks for the database there would be none.
pytestmark = pytest.mark.django_db


@pytest.fixture
def start(installation, tmp_path):
    """A service by its name, as the image would run it: its words, the addresses, the state's folder."""
    environment = {
        **installation.environment(),
        "STATE_DIR": str(tmp_path),
        "EMBEDDED": "off",
        "HOSTNAME": os.uname().nodename,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    started = []

    def run(name):
        with (tmp_path / f"{name}.log").open("wb") as log:
            one = subprocess.Popen(
                SERVICES[name]["command"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(one)
        return one

    def has_begun(name):
        """A worker says so; before that there is no use in asking it, which takes a Python of its own each time."""
        return name != "worker" or " ready." in (tmp_path / "worker.log").read_text()

    def is_healthy(name):
        kind, words = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD-SHELL"
        asked = words.replace("$$", "$").replace("/srv/state", shlex.quote(str(tmp_path)))
        return (
            subprocess.run(
                ["/bin/sh", "-c", asked],
                cwd=ROOT,
                env=environment,
                check=False,
                capture_output=True,
            ).returncode
            == 0
        )

    run.has_begun = has_begun
    run.is_healthy = is_healthy
    yield run
    for one in started:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
        one.wait()


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_service_becomes_healthy_and_stops_in_order(start, until, name):
    assert not start.is_healthy(name)  # the control: the check can fail
    service = start(name)

    until(lambda: service.poll() is not None or start.has_begun(name), 60)
    until(lambda: service.poll() is not None or start.is_healthy(name), 60)

    assert service.poll() is None
    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0


def test_setup_migrates_and_may_be_repeated(start):
    service = start("setup")

    assert service.wait(120) == 0
