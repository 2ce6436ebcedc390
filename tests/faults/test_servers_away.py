"""R20: what people and probes are told while a server is away, and that all comes back by itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import time
from urllib.parse import urlencode

import pytest

from matchmaking import embedded

# The scene is made outside of the tests; without one that asks for the database there would be none.
pytestmark = pytest.mark.django_db

SENTENCE = {
    "en": "It comes back by itself. Nothing you sent was half stored",
    "zh-hans": "服务会自动恢复，您提交的内容没有只存一半的情况",
}


@pytest.fixture(scope="module")
def place(installation):
    """One for all tests here: each finds it working, and leaves it so."""
    installation.start_web()
    return installation


@pytest.fixture(autouse=True)
def web_answers(place, until):
    until(lambda: ask(place, "/readyz")[0] == 200, 40)


def ask(place, path, body=None, *, language="en", **headers):
    """Status, text, headers and seconds of one answer; status 0 where nobody listens."""
    wire = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
    began = time.monotonic()
    with contextlib.closing(wire):
        try:
            wire.request(
                "GET" if body is None else "POST",
                path,
                body,
                {"Accept-Language": language, **headers},
            )
            answer = wire.getresponse()
            text = answer.read().decode()
        except OSError:
            return 0, "", {}, 0.0
    return answer.status, text, dict(answer.headers), time.monotonic() - began


def ask_warm(place, path, language="en", headers=None):
    """The quickest of three: each web process builds its templates once, and the machine may be busy."""
    answers = [ask(place, path, language=language, **(headers or {})) for _ in range(3)]
    assert len({answer[0] for answer in answers}) == 1
    return min(answers, key=lambda answer: answer[3])


def register(place):
    token, body = next(iter(place.asking.values()))
    sent = {"Content-Type": "application/json", "Authorization": f"Token {token}"}
    return ask(place, "/api/v1/registrations/", body, **sent)


@contextlib.contextmanager
def away(place, server):
    """Killed, and its keeper held still so that nobody starts it again meanwhile."""
    found = embedded.look(place.state)
    os.kill(found["keeper"], signal.SIGSTOP)
    try:
        place.kill_server(server)
        yield
    finally:
        os.kill(found["keeper"], signal.SIGCONT)


def test_pages_say_that_the_database_is_away_and_come_back_by_themselves(place, until):
    assert ask(place, "/")[0] == ask(place, "/readyz")[0] == 200
    with away(place, "postgres"):
        for path in ("/", "/requirements/", "/accounts/login/", "/admin/", "/my/requirements/"):
            for language, sentence in SENTENCE.items():
                cookie = {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}
                status, text, headers, seconds = ask_warm(place, path, language, cookie)
                if path == "/accounts/login/" and status == 200:
                    continue  # a page that needs no database
                assert (status, headers.get("Retry-After")) == (503, "5"), (path, text[:300])
                assert sentence in text
                assert seconds < 3
        status, text, headers, seconds = register(place)
        assert (status, json.loads(text)["code"]) == (503, "service.away")
        assert headers["Content-Type"] == "application/problem+json"
        status, text, _headers, seconds = ask_warm(place, "/readyz")
        assert (status, json.loads(text)) == (503, {"database": "down", "cache": "ok"})
        assert seconds < 3
        assert ask(place, "/healthz")[0] == 200

    until(lambda: ask(place, "/readyz")[0] == 200, 20)
    assert ask(place, "/")[0] == 200
    assert register(place)[0] == 201


def test_probe_tells_a_database_that_hangs_within_three_seconds(place, until):
    """It is not gone, it does not answer: whoever waits on a standing connection waits for ever."""
    assert ask(place, "/readyz")[0] == 200
    postgres = embedded.look(place.state)["postgres"]
    os.kill(postgres, signal.SIGSTOP)
    try:
        status, text, _headers, seconds = ask_warm(place, "/readyz")
    finally:
        os.kill(postgres, signal.SIGCONT)

    assert (status, json.loads(text)["database"]) == (503, "down")
    assert seconds < 3
    until(lambda: ask(place, "/readyz")[0] == 200, 20)


def test_pages_and_registrations_work_without_broker_and_cache(place, until):
    with away(place, "valkey"):
        status, text, _headers, seconds = ask_warm(place, "/readyz")
        assert (status, json.loads(text)) == (200, {"database": "ok", "cache": "down"})
        assert seconds < 3
        for path in ("/", "/requirements/", f"/requirements/{place.requirement}/", "/enterprises/"):
            status, _text, _headers, seconds = ask_warm(place, path)
            assert (status, seconds < 5) == (200, True), path
        status, text, _headers, seconds = register(place)
        assert status == 201, (place.state / "web.log").read_text()[-3000:]
        assert json.loads(text)["status"] == "confirmed"
        assert seconds < 10  # the ring gives up, the page does not wait for it
        # Guesses at passwords are counted in the cache: nobody signs in uncounted, and the sentence says why not.
        token = "0" * 32
        form = urlencode({"login": "a@example.com", "password": "x", "csrfmiddlewaretoken": token})
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={token}",
        }
        status, text, _headers, _seconds = ask(place, "/accounts/login/", form, **sent)
        assert status == 503
        assert SENTENCE["en"] in text

    until(lambda: json.loads(ask(place, "/readyz")[1])["cache"] == "ok", 20)
    assert json.loads(register(place)[1])["status"] == "confirmed"
    [(rows,)] = place.rows("SELECT count(*) FROM events_registration")
    assert rows == 1
