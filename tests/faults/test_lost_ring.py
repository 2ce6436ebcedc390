"""The database is the queue of record: a ring makes it quick, a lost ring makes it late, nothing makes it lost."""

from __future__ import annotations

import pytest
from django.db import transaction

from chains import changes
from matchmaking.models import Match
from matchmaking.services import runs
from tests.factories.chains import RequirementFactory
from tests.factories.matchmaking import supplier, weighting_1
from tests.faults.workers import Workers, bell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workers(tmp_path, nursery, real_doorbell):
    trees = Workers(tmp_path, nursery)
    yield trees
    trees.kill_all()


def approve(text):
    with transaction.atomic():
        requirement = RequirementFactory(lines=[text])
        changes.record("requirement", requirement, "approved")
    return requirement


def test_approval_reaches_the_matches_with_a_ring_and_without(workers, broker, monkeypatch, until):
    weighting_1()
    maker = supplier("三分体接线盒，1500 V，IP68")

    def matched(requirement):
        return Match.objects.filter(line__requirement=requirement, supplier=maker).exists()

    monkeypatch.setattr("chains.doorbell._send", lambda *_: None)
    unheard = approve("采购三分体接线盒")
    assert runs.standing(unheard) == "pending"
    workers.fork(processes=1)
    until(lambda: matched(unheard), 40)  # beat reads the feed every 5 s
    until(lambda: not runs.standing(unheard), 5)

    servers, _state = broker
    bell(monkeypatch, servers["BROKER_URL"])
    heard = approve("采购接线盒，1500 V")
    until(lambda: matched(heard), 10)
