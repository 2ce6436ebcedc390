"""R2: web, worker, broker and PostgreSQL are killed in the middle of a rush; what was acknowledged is there afterwards.

All that is killed was started here: servers of its own, with a database that keeps what it commits, as an installation
has it, a web server and a worker upon them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections import Counter, deque

import pytest

from tests.faults.conftest import APPLICANTS, SEATS

CLIENTS = 12
KILLED_AFTER = (13, 35)  # acknowledged registrations

# The scene is made outside of the tests; without one that asks for the database there would be none.
pytestmark = pytest.mark.django_db


@pytest.fixture
def rush(prepared):
    """For each test anew: nobody has asked yet."""
    prepared.renew()
    yield prepared, prepared.asking
    prepared.kill_application()


def ask(place, token, body):
    """One request, its status and its answer; None where the connection broke."""
    try:
        wire = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
        with contextlib.closing(wire):
            wire.request(
                "POST",
                "/api/v1/registrations/",
                body,
                {"Content-Type": "application/json", "Authorization": f"Token {token}"},
            )
            answer = wire.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if answer.status == 201 else text[:200]
    except (OSError, http.client.HTTPException):
        return None


def run(place, asking, until, killed_after=KILLED_AFTER):
    """Everybody asks until there is an answer. All acknowledged answers, and the other statuses seen."""
    waiting, ledger, others = deque(asking), [], Counter()
    kills, lock = deque(killed_after), threading.Lock()

    def client():
        while waiting:
            try:
                enterprise = waiting.popleft()
            except IndexError:
                return
            while (answer := ask(place, *asking[enterprise])) is None or answer[0] != 201:
                others[answer and answer[0]] += 1
                time.sleep(
                    0.1
                )  # a person too waits before asking again; the servers need the cores
            with lock:
                ledger.append(answer[1])
                if kills and len(ledger) >= kills[0]:
                    kills.popleft()
                    place.kill()  # the moment the answer is here
                    place.start_web()
                    place.start_worker()

    place.start_web()
    place.start_worker()
    until(place.worker_is_ready, 90)
    clients = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join(timeout=120)
    assert not any(one.is_alive() for one in clients)
    assert not kills
    return ledger, others


def faults(place, ledger):
    """What an applicant or the organiser would complain about."""
    found = []
    held = dict(place.rows("SELECT public_id, (status, seats_held)::text FROM events_registration"))
    for answer in ledger:
        told = f"({answer['status']},{answer['seats_held']})"
        if held.get(answer["public_id"]) != told:
            found.append(f"lost: told {told}, stands {held.get(answer['public_id'])}")
    [(rows, applicants, seats)] = place.rows(
        "SELECT count(*), count(DISTINCT enterprise_id), sum(seats_held) FROM events_registration"
    )
    if rows != applicants:
        found.append(f"doubled: {rows} rows for {applicants} enterprises")
    [(taken, room)] = place.rows("SELECT sum(taken), sum(seats) FROM events_tier")
    if not taken == seats <= room:
        found.append(f"oversold: {taken} taken, {seats} held, {room} there")
    [(trail, news)] = place.rows(
        "SELECT (SELECT count(*) FROM chains_auditentry WHERE action LIKE 'registration.%'),"
        " (SELECT count(*) FROM chains_change WHERE noun = 'registration')"
    )
    if (trail, news) != (rows, rows):
        found.append(f"untold: {rows} rows, {trail} lines in the trail, {news} facts in the feed")
    return found


def test_acknowledged_registrations_survive_web_worker_broker_and_database_killed(rush, until):
    place, asking = rush

    ledger, others = run(place, asking, until)

    assert faults(place, ledger) == []
    assert len({answer["enterprise"]["public_id"] for answer in ledger}) == APPLICANTS
    assert Counter(answer["status"] for answer in ledger) == {
        "confirmed": SEATS,
        "waitlisted": APPLICANTS - SEATS,
    }
    assert others[None] > 0  # somebody was cut off in the middle
    assert set(others) <= {None, 503}, others
    # Whoever asks again, after all this, is told the same.
    for answer in ledger:
        assert ask(place, *asking[answer["enterprise"]["public_id"]]) == (201, answer)
    assert faults(place, ledger) == []


def test_database_that_answers_before_it_has_written_loses_registrations(rush, until):
    """The negative control: the same kill, and what was acknowledged is gone."""
    place, asking = rush
    place.set(synchronous_commit="off", wal_writer_delay="'10s'")

    ledger, _others = run(place, asking, until, killed_after=(20,))

    assert [fault for fault in faults(place, ledger) if fault.startswith("lost")] != []
