"""The rush for seats (R1): 5,000 applicants, 500 seats, 50 clients.

In the database: claims a second with the right checked, the line in the trail and the news (goal ≥ 300/s), beside the
way that locks the event and counts, and the naive way, which must oversell. Through HTTP: gunicorn on loopback, 50
connections (goals: ≥ 150 answers/s, p95 ≤ 1.0 s). Each line says how many seats were sold beyond those there are, and
the processor time of one claim, which means something on a busy machine too: that of Python (in the database the fifty
clients are the service; through HTTP it is gunicorn, and the browsers stand apart) and that of PostgreSQL. `python -m
benchmarks.rush 1000` asks with fewer applicants for as many seats fewer.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import django
from django.conf import settings

from benchmarks import stage
from matchmaking import embedded

CLIENTS = 50
APPLICANTS = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
SEATS = APPLICANTS // 10
FORK = multiprocessing.get_context("fork")


def provide() -> None:
    """A database of its own, with durable commits; its rows are made anew for each measurement."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "matchmaking.settings"
    for name in ("EMBEDDED_STATE", "DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    embedded.provide(state=stage.ROOT / ".servers" / "bench-rush")
    for command in (["migrate", "-v", "0"], ["import_reference", "-v", "0"]):
        subprocess.run(
            [stage.PYTHON, "manage.py", *command], cwd=stage.ROOT, check=True, stdout=sys.stderr
        )


def applicants(count: int) -> list[tuple[int, int]]:
    """Verified enterprises, each with an owner: pairs of enterprise and user."""
    from chains.models import Enterprise, Membership, Region, User  # noqa: PLC0415 -- slow import

    region = Region.objects.get(code="330421")
    now = django.utils.timezone.now()
    mark = f"{time.time_ns():x}"
    enterprises = Enterprise.objects.bulk_create(
        Enterprise(
            name=f"示例 {mark} {n}", scheme="other", kind_id="enterprise", region=region,
            status="verified", verified_at=now,
        )
        for n in range(count)
    )  # fmt: skip
    users = User.objects.bulk_create(
        User(email=f"{mark}-{n}@example.com", password="!") for n in range(count)
    )
    Membership.objects.bulk_create(
        Membership(user=user, enterprise=enterprise, role="owner", status="active")
        for user, enterprise in zip(users, enterprises, strict=True)
    )
    return [(e.pk, u.pk) for e, u in zip(enterprises, users, strict=True)]


def event() -> int:
    from chains.models import Enterprise, Region  # noqa: PLC0415 -- slow import
    from events.models import Event, Tier  # noqa: PLC0415 -- slow import

    region, now = Region.objects.get(code="330421"), django.utils.timezone.now()
    host, _made = Enterprise.objects.get_or_create(
        name="示例县经信局", scheme="other", kind_id="government", region=region
    )
    row = Event.objects.create(
        name_zh="抢位", name_en="Rush", level_id="county", host=host, region=region,
        starts_at=now + timedelta(days=9), ends_at=now + timedelta(days=10), status="published",
        registration_opens_at=now - timedelta(days=1), registration_closes_at=now + timedelta(days=5),
    )  # fmt: skip
    Tier.objects.create(
        event=row, name_zh="普通席", name_en="General", seats=SEATS, is_general=True
    )
    return row.pk


# ---- three ways to give a seat ----


def by_service(event: Any, enterprise: Any, user: Any) -> None:
    from events.services import registration  # noqa: PLC0415 -- slow import

    registration.register(event=event, enterprise=enterprise, seats=1, by=user)


def by_lock_and_count(event: Any, enterprise: Any, user: Any) -> None:
    """SELECT … FOR UPDATE on the event, count, insert; the same rows in the trail and the feed."""
    _read_then_write(event, enterprise, user, is_locked=True)


def naive(event: Any, enterprise: Any, user: Any) -> None:
    _read_then_write(event, enterprise, user, is_locked=False)


def _read_then_write(event: Any, enterprise: Any, by: Any, *, is_locked: bool) -> None:
    from django.db import transaction  # noqa: PLC0415 -- slow import
    from django.db.models import Sum  # noqa: PLC0415 -- slow import

    from chains import audit, changes  # noqa: PLC0415 -- slow import
    from chains.permissions import can_edit  # noqa: PLC0415 -- slow import
    from events.models import Event, Registration, Tier  # noqa: PLC0415 -- slow import

    with transaction.atomic():
        assert can_edit(by, enterprise)
        rows = Event.objects.select_for_update() if is_locked else Event.objects
        rows.get(pk=event.pk)
        held = Registration.objects.filter(event=event).aggregate(n=Sum("seats_held"))["n"] or 0
        has_room = held < SEATS
        row = Registration.objects.create(
            event=event,
            enterprise=enterprise,
            status="confirmed" if has_room else "waitlisted",
            seats_asked=1,
            seats_held=1 if has_room else 0,
            queue_no=enterprise.pk,
            tier=Tier.objects.get(event=event),
        )
        audit.record(by, f"registration.{row.status}", row)
        changes.record("registration", row, row.status)


# ---- measuring ----


def client(
    way: Callable[[Any, Any, Any], None],
    event_id: int,
    jobs: list[tuple[int, int]],
    go: Any,
    out: Any,
) -> None:
    from chains.models import Enterprise, User  # noqa: PLC0415 -- slow import
    from events.models import Event  # noqa: PLC0415 -- slow import

    place = Event.objects.get(pk=event_id)
    enterprises = Enterprise.objects.in_bulk([enterprise for enterprise, _user in jobs])
    users = User.objects.in_bulk([user for _enterprise, user in jobs])
    go.wait()
    took = []
    for enterprise_id, user_id in jobs:
        began = time.perf_counter()
        way(place, enterprises[enterprise_id], users[user_id])
        took.append(time.perf_counter() - began)
    out.put(took)


def at_once(target: Callable[..., None], shares: list[Any], *args: Any) -> tuple[float, list[Any]]:
    """One process a share, all let go together; seconds from then to the last answer."""
    from django.db import connections  # noqa: PLC0415 -- slow import

    connections.close_all()  # a forked process must not share a socket
    go, out = FORK.Barrier(len(shares) + 1), FORK.Queue()
    team = [FORK.Process(target=target, args=(*args, share, go, out)) for share in shares]
    for one in team:
        one.start()
    go.wait()
    began = time.perf_counter()
    results = [result for _one in team for result in out.get()]
    seconds = time.perf_counter() - began
    for one in team:
        one.join()
    return seconds, results


def result(event_id: int) -> dict[str, Any]:
    from django.db.models import Count, Q, Sum  # noqa: PLC0415 -- slow import

    from events.models import Event, Registration  # noqa: PLC0415 -- slow import
    from events.services import waiting_list  # noqa: PLC0415 -- slow import

    rows = Registration.objects.filter(event=event_id)
    found = rows.aggregate(
        held=Sum("seats_held"),
        waiting=Count("pk", filter=Q(status="waitlisted")),
        applicants=Count("enterprise", distinct=True),
    )
    queue = list(rows.filter(status="waitlisted").order_by("queue_no"))
    ranks = waiting_list.ranks(Event.objects.get(pk=event_id), queue)
    return {
        "seats": SEATS,
        "confirmed": found["held"],
        "oversold": max(0, found["held"] - SEATS),
        "waiting": found["waiting"],
        "applicants": found["applicants"],
        "ranks_in_order": [ranks[row.pk] for row in queue] == list(range(1, len(queue) + 1)),
    }


def spent_by_children() -> float:
    """Processor seconds of the processes forked here that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def in_the_database(name: str, way: Callable[[Any, Any, Any], None], count: int) -> None:
    jobs, event_id = applicants(count), event()
    before = spent_by_children(), stage.cpu_of_database(stage.database())
    seconds, took = at_once(client, [jobs[n::CLIENTS] for n in range(CLIENTS)], way, event_id)
    python = spent_by_children() - before[0]
    postgres = stage.cpu_of_database(stage.database()) - before[1]
    stage.report(
        "rush",
        way=name,
        clients=CLIENTS,
        claims=len(took),
        per_second=len(took) / seconds,
        p95_ms=1000 * stage.percentile(took, 0.95),
        python_cpu_ms=1000 * python / len(took),
        postgres_cpu_ms=1000 * postgres / len(took),
        **result(event_id),
    )


class Browser:
    """One connection: posts the form of each enterprise with its session, does not follow the redirect."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.waiting = list(reversed(requests))
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.took: list[tuple[int, float]] = []

    def ask(self) -> bool:
        if not self.waiting:
            return False
        self.began, self.read = time.perf_counter(), b""
        self.socket.sendall(self.waiting.pop())
        return True

    def hear(self) -> bool:
        """Whether the answer is here."""
        got = self.socket.recv(65536)
        self.read += got
        head, end, body = self.read.partition(b"\r\n\r\n")
        if got and not (end and len(body) >= int(_LENGTH.search(head)[1])):  # type: ignore[index]  # all our answers have one
            return False
        status = int(head[9:12] or 0)
        self.took.append((status, time.perf_counter() - self.began))
        return True


_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_POST = """POST {path} HTTP/1.1\r
Host: 127.0.0.1\r
Cookie: sessionid={session}; csrftoken={token}\r
Content-Type: application/x-www-form-urlencoded\r
Content-Length: {length}\r
\r
{body}"""


def post(path: str, session: str, enterprise: str) -> bytes:
    token = "b" * 32
    body = urlencode({"csrfmiddlewaretoken": token, "enterprise": enterprise, "seats": "1"})
    return _POST.format(
        path=path, session=session, token=token, length=len(body), body=body
    ).encode()


def browse(port: int, path: str, jobs: list[tuple[str, str]], go: Any, out: Any) -> None:
    """All browsers in one process that does little else: what it takes is not there for the server."""
    requests = [post(path, session, enterprise) for session, enterprise in jobs]
    browsers = [Browser(port, requests[n::CLIENTS]) for n in range(CLIENTS)]
    with selectors.DefaultSelector() as selector:
        go.wait()
        for one in browsers:
            if one.ask():
                selector.register(one.socket, selectors.EVENT_READ, one)
        while selector.get_map():
            for key, _events in selector.select():
                if key.data.hear() and not key.data.ask():
                    selector.unregister(key.fileobj)
    out.put([answer for one in browsers for answer in one.took])


def through_http() -> None:
    from django.contrib.auth import (  # noqa: PLC0415 -- slow import
        BACKEND_SESSION_KEY,
        HASH_SESSION_KEY,
        SESSION_KEY,
    )
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 -- slow import

    from chains.models import Enterprise, User  # noqa: PLC0415 -- slow import
    from events.models import Event  # noqa: PLC0415 -- slow import

    event_id, pairs = event(), applicants(APPLICANTS * 3 // 10)
    users = User.objects.in_bulk([user for _enterprise, user in pairs])
    names = dict(
        Enterprise.objects.filter(pk__in=[e for e, _u in pairs]).values_list("pk", "public_id")
    )
    jobs = []
    for enterprise, user in pairs:
        store = SessionStore()
        store[SESSION_KEY] = str(user)
        store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        store[HASH_SESSION_KEY] = users[user].get_session_auth_hash()
        store.create()
        jobs.append((store.session_key, names[enterprise]))
    path = f"/events/{Event.objects.get(pk=event_id).public_id}/register/"
    with stage.web() as (port, process):
        before = stage.cpu_of(process), stage.cpu_of_database(stage.database()), spent_by_children()
        seconds, answers = at_once(browse, [jobs], port, path)
        python = stage.cpu_of(process) - before[0]
        postgres = stage.cpu_of_database(stage.database()) - before[1]
        browsers = spent_by_children() - before[2]
    took = [one for _status, one in answers]
    stage.report(
        "rush",
        way="http",
        connections=CLIENTS,
        answers=len(answers),
        failed=sum(status != 302 for status, _one in answers),
        per_second=len(answers) / seconds,
        p95_ms=1000 * stage.percentile(took, 0.95),
        python_cpu_ms=1000 * python / len(answers),
        postgres_cpu_ms=1000 * postgres / len(answers),
        browsers_cpu_ms=1000 * browsers / len(answers),
        **result(event_id),
    )


def main() -> None:
    provide()
    django.setup()
    # Read before the clients are forked: fifty of them reading the code at once would be most of what is measured.
    import chains.changes  # noqa: PLC0415 -- after setup
    import chains.doorbell  # noqa: PLC0415 -- after setup
    import events.services.registration  # noqa: F401, PLC0415 -- as above

    chains.doorbell._send = lambda _task, _args: None  # type: ignore[assignment]  # noqa: SLF001 -- nobody answers here
    in_the_database("service", by_service, APPLICANTS)
    in_the_database("lock and count", by_lock_and_count, APPLICANTS // 4)
    in_the_database("naive", naive, APPLICANTS // 4)
    through_http()


if __name__ == "__main__":
    main()
