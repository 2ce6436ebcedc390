"""Whoever is signed in, on `year` data: "For you", the buyer's comparison, an organiser's guests and overview, and
a list of 10,000 rows read in.

Goals: "For you" and the comparison ≤ 60 CPU-ms a request and p95 ≤ 500 ms at 16 clients with the same number of
queries for many rows as for few; 10,000 rows of a list kept within 60 s.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from typing import Any

from benchmarks import stage

CLIENTS = 16
REQUESTS = 200
READERS = 20
ROWS = 10_000


def session_of(user: Any) -> str:
    from django.test import Client  # noqa: PLC0415 -- Django is set up by main

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def member_of(enterprise: int) -> Any:
    """Somebody who acts for it; data of a year has few accounts."""
    from chains.models import Membership, User  # noqa: PLC0415 -- as above

    row = Membership.objects.active().filter(enterprise=enterprise).select_related("user").first()
    if row is not None:
        return row.user
    user, _created = User.objects.get_or_create(email=f"bench-{enterprise}@bench.example")
    Membership.objects.create(user=user, enterprise_id=enterprise, role="owner", status="active")
    return user


ANSWERS = 25


def answered() -> None:
    """One comparison at least that is full: the requirement with most pairs hears of its best suppliers."""
    from django.db.models import Count  # noqa: PLC0415 -- Django is set up by main

    from chains.models import Contact, Requirement  # noqa: PLC0415 -- as above
    from matchmaking.models import Interest, Match  # noqa: PLC0415 -- as above

    per = Interest.objects.standing().order_by().values("requirement").annotate(n=Count("pk"))
    if per.filter(n__gte=ANSWERS).exists():
        return
    wanted = Match.objects.live().filter(line__requirement__status="published").order_by()
    first = wanted.values("line__requirement").annotate(n=Count("supplier", distinct=True))
    requirement = Requirement.objects.get(pk=first.order_by("-n")[0]["line__requirement"])
    suppliers = wanted.filter(line__requirement=requirement).values("supplier").distinct()
    for row in suppliers[:ANSWERS]:
        contact, _created = Contact.objects.get_or_create(
            enterprise_id=row["supplier"], name="示例联系人", phone="000-0000-0000"
        )
        Interest.objects.get_or_create(
            requirement=requirement,
            enterprise_id=row["supplier"],
            defaults={
                "contact": contact,
                "message": "可供第 1 项。",
                "language": "zh",
                "sent_by": member_of(row["supplier"]),
            },
        )


def pages() -> dict[str, list[tuple[str, Any]]]:
    """Addresses and who opens them, the fullest pages first."""
    from django.db.models import Count  # noqa: PLC0415 -- as above

    from matchmaking.models import Interest, Match  # noqa: PLC0415 -- as above

    answered()
    pairs = Match.objects.live().order_by().values("supplier").annotate(n=Count("pk"))
    suppliers = pairs.order_by("-n", "supplier").values_list("supplier", flat=True)[:READERS]
    sent = Interest.objects.standing().order_by()
    asked = sent.values("requirement__public_id", "requirement__enterprise").annotate(n=Count("pk"))
    return {
        "for you": [("/for-you/", member_of(pk)) for pk in suppliers],
        "comparison": [
            (
                f"/my/requirements/{row['requirement__public_id']}/interests/",
                member_of(row["requirement__enterprise"]),
            )
            for row in asked.order_by("-n", "requirement__public_id")[:READERS]
        ],
        **pages_of_organisers(),
    }


def pages_of_organisers() -> dict[str, list[tuple[str, Any]]]:
    from django.db.models import Count  # noqa: PLC0415 -- as above

    from chains.models import OrganiserRole  # noqa: PLC0415 -- as above
    from events.models import Event  # noqa: PLC0415 -- as above

    roles = OrganiserRole.objects.current().filter(role="organiser").select_related("user")
    people = {role.body_id: role.user for role in roles.order_by("pk")}
    events = Event.objects.filter(host__in=people).annotate(n=Count("registrations"))
    full = list(events.order_by("-n", "pk")[:READERS])
    return {
        "guests": [(f"/events/{row.public_id}/guests/", people[row.host_id]) for row in full],
        "overview": [(f"/events/{row.public_id}/overview/", people[row.host_id]) for row in full],
    }


def queries(path: str, user: Any) -> int:
    from django.db import connection  # noqa: PLC0415 -- as above
    from django.test import Client  # noqa: PLC0415 -- as above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 -- as above

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    return len(asked)


def measure(name: str, chosen: list[tuple[str, Any]], size: str) -> None:
    asked = [queries(path, user) for path, user in (chosen[0], chosen[-1])]
    own = [(path, session_of(user)) for path, user in chosen]
    with stage.web() as (port, server):
        visits = [own[n % len(own)] for n in range(REQUESTS)]
        found = stage.measure(port, server, visits, CLIENTS)
    more = asked[0] - asked[1]
    stage.report(
        "sides", page=name, size=size, queries=asked, more_queries_for_more_rows=more, **found
    )


def rows_as_csv() -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["企业名称", "所在地", "联系人", "手机"])
    for n in range(ROWS):
        phone = f"139{n:08d}"
        writer.writerow([f"示例导入{n}号机械有限公司", "浙江省嘉兴市嘉善县", f"联系{n}", phone])
    return file.getvalue().encode("gb18030")


def read_in(size: str) -> None:
    """As the worker does it, in this process: from the uploaded bytes to the last kept row; taken back at the end."""
    from django.db import transaction  # noqa: PLC0415 -- Django is set up by main

    from chains import tasks  # noqa: PLC0415 -- as above
    from chains.forms.import_columns import columns_of, words_of  # noqa: PLC0415 -- as above
    from chains.models import Enterprise, Import, OrganiserRole  # noqa: PLC0415 -- as above
    from chains.services import imports  # noqa: PLC0415 -- as above
    from chains.spreadsheets import open_sheets, propose  # noqa: PLC0415 -- as above

    role = OrganiserRole.objects.current().select_related("user", "body").order_by("pk")[0]
    content = rows_as_csv()
    with transaction.atomic():
        known = Enterprise.objects.count()
        began, busy = time.perf_counter(), time.process_time()
        proposal = propose(open_sheets(content), columns_of("enterprises"))
        job = imports.upload(
            kind="enterprises",
            enterprise=role.body,
            content=content,
            file_name="bench.csv",
            proposal=proposal,
            by=role.user,
        )
        layout = proposal.layout
        imports.start(job=job, layout=layout, by=role.user, **words_of(proposal, layout))
        while Import.objects.get(pk=job.pk).status in ("queued", "running"):
            tasks.read_import(job.pk)
        stage.report(
            "sides",
            page="import",
            size=size,
            rows=ROWS,
            kept=Enterprise.objects.count() - known,
            seconds=time.perf_counter() - began,
            cpu_seconds=time.process_time() - busy,
        )
        transaction.set_rollback(True)


def main(size: str = "year", *chosen: str) -> None:
    stage.provide(size)
    import django  # noqa: PLC0415 -- reads the environment that has just been made

    django.setup()
    for name, visits in pages().items():
        if (not chosen or name in chosen) and visits:
            measure(name, visits, size)
    if not chosen or "import" in chosen:
        read_in(size)


if __name__ == "__main__":
    main(*sys.argv[1:])
