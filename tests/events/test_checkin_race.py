"""R14: many doors at once. Sixteen database sessions, each a connection of its own."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.utils import timezone

from events import statistics
from events.models import CheckIn
from events.services import checkin
from tests.events.services.test_checkin import desk_of, guest, scan, today
from tests.faults.test_rush import SESSIONS, at_once


@pytest.mark.race
def test_sixteen_doors_at_once_let_one_person_in_once(committed):
    event = today()
    person, by = guest(event), desk_of(event)
    same = uuid.uuid4()
    answers = []

    def door(nonce):
        answers.append(scan(event, by, person.token, nonce=nonce).row.answer)

    errors = at_once(
        [*(lambda: door(uuid.uuid4()) for _ in range(SESSIONS)), *([lambda: door(same)] * SESSIONS)]
    )

    assert errors == []
    assert len(answers) == 2 * SESSIONS
    stored = CheckIn.objects.filter(event=event)
    assert stored.count() == SESSIONS + 1
    assert stored.filter(answer="welcome").count() == 1
    assert statistics.heads(event).inside == 1


@pytest.mark.race
def test_a_naive_door_lets_one_person_in_many_times(committed):
    """The negative control: whoever asks before writing, without the lock, welcomes the same badge at every door."""
    event = today()
    person, by = guest(event), desk_of(event)
    all_have_read = threading.Barrier(SESSIONS)

    def naive():
        first = checkin.first_valid(person)
        all_have_read.wait(timeout=30)
        CheckIn.objects.create(
            event=event, delegate=person, staff=by, scanned_at=timezone.now(), nonce=uuid.uuid4(),
            kind="in", answer="welcome" if first is None else "again",
        )  # fmt: skip

    assert at_once([naive] * SESSIONS) == []
    assert CheckIn.objects.filter(answer="welcome").count() == SESSIONS
