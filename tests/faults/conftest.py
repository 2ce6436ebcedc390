from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token

from matchmaking import embedded
from tests.conftest import empty_all_but_shipped_rows
from tests.factories.chains import MembershipFactory, RequirementFactory
from tests.factories.events import EventFactory
from tests.faults.installation import Installation, use
from tests.faults.nursery import Nursery
from tests.faults.workers import environment

# After so many seconds the broker hands a message that nobody has acknowledged to another worker.
VISIBILITY = 4
APPLICANTS, SEATS = 60, 15


@pytest.fixture(scope="session")
def cluster():
    """The folder of a database as it was just made, to be copied: to make one takes ten times as long."""
    state = Path(tempfile.mkdtemp(prefix="mm-made-"))
    state.chmod(0o755)
    use(state)
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
    yield use(state, throwaway=True), state
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


@pytest.fixture(scope="session")
def prepared(django_db_setup, django_db_blocker, new_state):
    """An installation with an event of few seats, and many who want one, each with a token and what they ask."""
    with pytest.MonkeyPatch.context() as monkeypatch, django_db_blocker.unblock():
        monkeypatch.setattr("chains.doorbell._send", lambda *_: None)
        event = EventFactory(seats=SEATS)
        asking = {}
        for _ in range(APPLICANTS):
            who = MembershipFactory()
            token = Token.objects.create(user=who.user)
            body = {"event": event.public_id, "enterprise": who.enterprise.public_id, "seats": 1}
            asking[who.enterprise.public_id] = (token.key, json.dumps(body))
        requirement = RequirementFactory(enterprise=who.enterprise, lines=["三分体接线盒"])
        place = Installation(new_state("mm-rush-"))
        place.asking, place.requirement = asking, requirement.public_id
        place.copy()
        place.keep()
        empty_all_but_shipped_rows()
        connection.close()
    yield place
    place.end()


@pytest.fixture(scope="module")
def installation(prepared):
    """As it was prepared, whatever the module before has done to it."""
    prepared.renew()
    yield prepared
    prepared.kill_application()
