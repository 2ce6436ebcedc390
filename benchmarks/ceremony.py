"""From the moment of a list to the wall: a real worker and its clock, a real browser showing the hall screen, JSON lines.

`python -m benchmarks.ceremony [--size demo|year]`. The same requirement is looked for on the event's public page, as
somebody does who reloads it in the hall.
"""

# ruff: noqa: PLC0415 -- the servers are named before Django reads its settings
from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import shutil
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import stage
from benchmarks.publish import beat, worker

TIMES = 3
AHEAD = 30.0  # seconds from setting the moment to the moment; a busy machine opens the first page in ten
LATE = 60.0  # seconds after which it counts as broken, not as slow
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def prepare(number: int) -> tuple[Any, Any, str]:
    """An event with one approved requirement on its list, its organiser, and the words that nobody may read yet."""
    from django.utils import timezone

    from chains.models import OrganiserRole, Requirement
    from events.models import Event
    from events.services import events

    role = (
        OrganiserRole.objects.current()
        .filter(role="organiser", region__level="province")
        .select_related("body", "region", "user")
        .first()
    )
    if role is None:
        raise SystemExit("There is no organiser of a province.")
    now = timezone.now()
    event = events.create(
        by=role.user,
        host=role.body,
        name_zh=f"发布测量 {number}",
        name_en=f"Measured release {number}",
        level_id="provincial",
        region=role.region,
        place="A",
        starts_at=now,
        ends_at=now + datetime.timedelta(hours=3),
        registration_opens_at=now - datetime.timedelta(days=1),
        registration_closes_at=now + datetime.timedelta(hours=1),
    )
    Event.objects.filter(pk=event.pk).update(status=Event.Status.PUBLISHED, published_at=now)
    event.refresh_from_db()
    words = f"Measured words {number} {now:%H%M%S}"
    model = Requirement.objects.published().filter(seeks="supplier").order_by("pk")[number]
    requirement = Requirement.objects.create(
        enterprise=model.enterprise,
        docking_kind=model.docking_kind,
        region=model.region,
        contact=model.contact,
        title=words,
        language="en",
        closes_on=timezone.localdate() + datetime.timedelta(days=20),
        answer_by_on=timezone.localdate() + datetime.timedelta(days=30),
        status=Requirement.Status.APPROVED,
        submitted_at=now,
        approved_at=now,
    )
    requirement.lines.create(number=1, text="Junction box", language="en")
    events.list_requirement(event=event, requirement=requirement, by=role.user)
    return event, role.user, words


def public_page(address: str, words: str, until: float) -> float:
    """When the words stand there for somebody who reloads the page five times a second."""
    while time.time() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
            if words in answer.read().decode():
                return time.time()
        time.sleep(0.2)
    raise SystemExit(f"The page did not show its list within {LATE:.0f} seconds of the moment.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["demo", "year"], default="demo")
    size = parser.parse_args().size
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium on this machine: apt-get install chromium")
    stage.provide(size)
    # Not between the figures.
    os.environ["EMAIL_URL"] = f"file://{stage.ROOT / '.servers' / 'bench-mail'}"

    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse
    from playwright.sync_api import sync_playwright

    from events.services import events

    with (
        worker("ceremony", size),
        beat(),
        stage.web() as (port, _web),
        ThreadPoolExecutor(1) as beside,
        sync_playwright() as driver,
    ):
        site = f"http://127.0.0.1:{port}"
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        walls, pages = [], []
        for number in range(TIMES):
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the driver runs a loop of its own
            event, organiser, words = prepare(number)
            moment = time.time() + AHEAD
            at = datetime.datetime.fromtimestamp(moment, tz=datetime.UTC)
            events.set_list_moment(event=event, at=at, by=organiser)
            client = Client()
            client.force_login(organiser)
            name = settings.SESSION_COOKIE_NAME
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])
            page = context.new_page()
            page.goto(site + reverse("matchmaking:hall_screen", args=[event.public_id]))
            assert page.locator("[data-phase=before]").count() == 1
            assert words not in page.content()
            address = site + reverse("events:event_detail", args=[event.public_id])
            shown = beside.submit(public_page, address, words, moment + LATE)
            page.get_by_text(words).wait_for(timeout=(AHEAD + LATE) * 1000)
            walls.append(time.time() - moment)
            pages.append(shown.result() - moment)
            context.close()
        browser.close()
    stage.report(
        "moment_to_wall",
        size=size,
        times=TIMES,
        wall_median_s=stage.percentile(walls, 0.5),
        wall_worst_s=max(walls),
        wall_first_s=min(walls),
        page_median_s=stage.percentile(pages, 0.5),
        page_worst_s=max(pages),
        page_first_s=min(pages),
    )


if __name__ == "__main__":
    main()
