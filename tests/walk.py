"""Walks the table of addresses as each role and keeps what came back: once for all tests that read it."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import io
import json
import logging
import pickle
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.http import HttpResponseNotFound
from django.template import Template
from django.test import Client
from django.urls import reverse
from django.utils.translation import get_language
from django.views.defaults import page_not_found

from chains import prepared
from tests import routes, world

OPEN_THROTTLE = mock.patch(
    "rest_framework.throttling.SimpleRateThrottle.allow_request", return_value=True
)


class KeptPage:
    """Draws the page of a 404 once for each reader: nothing of what was asked for comes into it but its address."""

    def __init__(self):
        self.drawn = {}

    def __call__(self, request, exception):
        # A message that waits is shown on the next page, whichever that is. Once shown, its cookie stays and is empty.
        if request.COOKIES.get("messages"):
            return page_not_found(request, exception)
        reader = request.user.pk, get_language()
        if reader not in self.drawn:
            self.drawn[reader] = page_not_found(request, exception).content
        return HttpResponseNotFound(self.drawn[reader])


class Untouched:
    """The database as it stood before each of many requests, which mostly read.

    The first statement of a request that may write has a savepoint put before it, to go back to when the request is
    over. Until then who asks – the session, the account, what it belongs to – is asked for once for all of them: what
    stands in rows that nobody wrote is the same a moment later.
    """

    READS = re.compile(r"\s*SELECT\b", re.IGNORECASE)

    def __init__(self):
        self.savepoint = None
        self.is_asked = self.is_written = False
        self.kept = {}

    @contextlib.contextmanager
    def watched(self):
        ask = prepared.Written.found

        def found(written, params):
            if self.is_written or not self.is_asked:
                return ask(written, params)
            asked = [one for one in params if not isinstance(one, datetime.datetime)]
            key = written.sql, *map(repr, asked)
            if key not in self.kept:
                self.kept[key] = ask(written, params)
            return self.kept[key]

        with connection.execute_wrapper(self), mock.patch.object(prepared.Written, "found", found):
            yield

    def __call__(self, execute, sql, params, many, context):
        if not self.is_written and not self.READS.match(sql):
            if self.is_asked:
                self.is_written = True  # the statement that makes the savepoint comes by here too
                self.savepoint = self.savepoint or connection.savepoint()
            else:
                self.kept.clear()
        return execute(sql, params, many, context)

    @contextlib.contextmanager
    def request(self, *, is_guarded=False):
        """With `is_guarded` a statement may fail that only reads: nothing could be asked after it."""
        waiting = list(connection.run_on_commit)
        self.is_written = True
        if is_guarded:
            self.savepoint = connection.savepoint()
        self.is_asked, self.is_written = True, False
        try:
            yield
        finally:
            connection.needs_rollback = False
            connection.run_on_commit = waiting
            self.is_written = True
            if self.savepoint is not None:
                connection.savepoint_rollback(self.savepoint)
                connection.savepoint_commit(self.savepoint)
                self.savepoint = None
            self.is_asked = self.is_written = False


def plainly(template, context):
    """As without tests: Django's own way there keeps a copy of the context of each template, for who asks for it."""
    return template.nodelist.render(context)


@contextlib.contextmanager
def many_requests(untouched):
    """What holds for all requests of a walk; each is made within `request()` of what is given."""
    plain = mock.patch.object(Template, "_render", plainly)
    with OPEN_THROTTLE, plain, transaction.atomic(), untouched.watched():
        yield
        transaction.set_rollback(True)


@dataclass(frozen=True, slots=True)
class Answer:
    role: str
    row: routes.Row
    status: str
    canaries: frozenset[str]  # groups of texts that not everybody may read


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.text = []

    def emit(self, record):
        self.text.append(self.format(record))


def canaries_in(text: str) -> frozenset[str]:
    return frozenset(
        group for group, words in world.CANARIES.items() if any(word in text for word in words)
    )


def text_of(response) -> str:
    """What a reader gets, headers included; a workbook is unpacked."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    text = body.decode("utf-8", "replace")
    if response.headers.get("Content-Type", "").startswith("application/json"):
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return f"{response.headers}\n{text}"


def status_of(response) -> str:
    if response.status_code != 302:
        return str(response.status_code)
    return "in" if "/accounts/login/" in response["Location"] else "go"


def _public(value, place):
    return getattr(place, value[1:]).public_id if value.startswith("@") else value


def address_of(row, place) -> str:
    args = {key: _public(value, place) for key, value in row.args.items()}
    if row.on:
        args["public_id"] = getattr(place, row.on).public_id
    return reverse(row.name, kwargs=args)


def ask(client, row, place):
    address = address_of(row, place)
    data = {key: _public(value, place) for key, value in row.data.items()}
    if row.method == "get":
        return client.get(address, {key: _public(value, place) for key, value in row.query.items()})
    if row.name.startswith("api-"):
        return getattr(client, row.method)(address, data, content_type="application/json")
    return client.post(address, data)


def walk(place, rows, roles=world.ROLES) -> list[Answer]:
    """Asks for each row as each role; what a request changes is taken back before the next one."""
    found = []
    clients = {role: client_of(role, place) for role in roles}
    untouched = Untouched()
    kept_page = mock.patch("django.conf.urls.handler404", KeptPage())
    with kept_page, many_requests(untouched):
        for role, client in clients.items():
            for row in rows:
                if not _walks(role, row):
                    continue
                with untouched.request():
                    response = ask(client, row, place)
                    text = text_of(response)
                found.append(Answer(role, row, status_of(response), canaries_in(text)))
    return found


def _walks(role, row) -> bool:
    # The table says nothing of those beside: they read, and open contacts, and that is what can leak.
    if role in world.BESIDE:
        return row.method == "get" or "contact" in row.name
    return role in row.roles


def client_of(role, place):
    client, person = Client(), place.people[role]
    if person.is_authenticated:
        client.force_login(get_user_model().objects.get(pk=person.pk))
    return client


def opened(addresses, client, said) -> dict:
    """What is said of each answer, by its address."""
    untouched, found = Untouched(), {}
    with many_requests(untouched):
        for address in addresses:
            with untouched.request():
                found[address] = said(client.get(address))
    return found


def faults(answers, table=routes.TABLE) -> list[str]:
    """Where somebody got something else than the table says."""
    said = []
    for answer in answers:
        place = answer.row.roles.index(answer.role)
        wanted = answer.row.expected.split()[place]
        if answer.status != wanted:
            said.append(
                f"{answer.row.method} {answer.row.label} as {answer.role}: {answer.status}, not {wanted}"
            )
    return said


def everything(shared: Path, place) -> tuple[list[Answer], frozenset[str]]:
    """All answers, and the canaries found in the log meanwhile."""
    roles = (*world.ROLES, *world.BESIDE)
    # First what nobody else walks just now, so that two processes share the way.
    for role in roles:
        of_role(role, shared, place, waits=False)
    parts = [of_role(role, shared, place) for role in roles]
    return [answer for answers, _log in parts for answer in answers], frozenset().union(
        *(log for _answers, log in parts)
    )


def of_role(role: str, shared: Path, place, *, waits: bool = True):
    """What one role gets, walked once in a run of the tests; None when another process is at it."""
    kept = shared / f"walk-{role}.pickle"
    with kept.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            return None
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_walked(role, place)))
        return pickle.loads(kept.read_bytes())


def _walked(role, place):
    lines = Lines()
    # Nobody else listens: thousands of lines would be written down four times.
    with mock.patch.object(logging.getLogger(), "handlers", [lines]), transaction.atomic():
        if role in world.BESIDE:
            place = world.joined(place, role)
        answers = tuple(walk(place, routes.TABLE, (role,)))
        transaction.set_rollback(True)
    return answers, canaries_in("\n".join(lines.text))


def by_group(answers) -> dict[str, dict[str, set[str]]]:
    """Which texts were shown to whom, and where."""
    shown = defaultdict(lambda: defaultdict(set))
    for answer in answers:
        for group in answer.canaries:
            shown[group][answer.role].add(answer.row.label)
    return {group: dict(roles) for group, roles in shown.items()}
