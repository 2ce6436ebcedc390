"""R14: the doors of an event over a network that loses three answers in ten and is away for a while.

Two doors in real browsers scan the same guests, so every guest comes twice. The numbers of the promise – 500 scans,
outages of two minutes – take ten minutes: `SCANS=500 OUTAGE=120 make test TESTS=tests/faults/test_bad_network.py`.
"""

from __future__ import annotations

import os
import time

import pytest
from django.urls import reverse

from events import statistics
from events.models import CheckIn
from tests.faults.network import BadNetwork
from tests.stories.test_j18_doors import doors

GATES = ("North", "South")
SCANS = int(os.environ.get("SCANS") or 24)
OUTAGE = float(os.environ.get("OUTAGE") or 0.5)

# What staff do, only faster: type the code of a badge and press Enter.
SCAN = """(code) => {
  const form = document.querySelector('[data-main]')
  form.elements.code.value = code
  form.requestSubmit()
}"""
IS_IDLE = """() => new Promise((done) => {
  const ask = indexedDB.open('check-in', 1)
  ask.onsuccess = () => {
    const all = ask.result.transaction('scans').objectStore('scans').count()
    all.onsuccess = () => { ask.result.close(); done(all.result === 0 && !window.onTheWay) }
  }
})"""
# Counts what the page has sent and got no answer to yet.
COUNTING = """
window.onTheWay = 0
const send = window.fetch
window.fetch = (...about) => { onTheWay++; return send(...about).finally(() => { onTheWay-- }) }
"""


def opened(browser, network, path, session, gate):
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": session, "url": network.address}])
    context.add_init_script(COUNTING)
    page = context.new_page()
    page.goto(network.address + path)
    page.fill("#gate", gate)
    return page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keeps_its_number", [True, False])
def test_r14_doors_store_each_scan_once_and_count_each_head_once(
    live_server, client, browser, until, keeps_its_number
):
    event, people, staff = doors(SCANS // len(GATES))
    client.force_login(staff)
    session = client.cookies["sessionid"].value
    path = reverse("events:check_in", args=[event.public_id])

    with BadNetwork(live_server.url, is_renumbering=not keeps_its_number) as network:
        pages = [opened(browser, network, path, session, gate) for gate in GATES]
        for number, person in enumerate(people):
            if number == len(people) // 2:
                network.is_away = True
                gone_at = time.monotonic()
            for page in pages:
                page.evaluate(SCAN, person.short_code)
                page.wait_for_timeout(20)
        for page in pages:
            page.wait_for_timeout(max(0, 1000 * (gone_at + OUTAGE - time.monotonic())))
        network.is_away = False
        until(lambda: all(page.evaluate(IS_IDLE) for page in pages), 300)
        for page in pages:
            page.context.close()

    assert (network.cut > 0, network.refused > 0) == (True, True)
    stored = CheckIn.objects.filter(event=event)
    assert (stored.count() == len(people) * len(GATES)) is keeps_its_number
    assert statistics.heads(event).inside == len(people)
    if keeps_its_number:
        assert sorted(stored.values_list("answer", flat=True)) == (
            ["again"] * len(people) + ["welcome"] * len(people)
        )
