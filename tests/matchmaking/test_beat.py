from __future__ import annotations

import datetime

import pytest
import time_machine
from celery.beat import PersistentScheduler

from matchmaking.beat import Scheduler
from matchmaking.celery import app

NOON = datetime.datetime(2026, 11, 26, 4, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def rung(kind, folder, moments):
    """What is rung for at each moment, by a beat that is started anew at the one that has a file already."""
    counts, rings = [], []
    beat = None
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            if beat is None or moment.microsecond:
                if beat is not None:
                    beat.close()
                beat = kind(app=app, schedule_filename=str(folder / "schedule"))
                beat.apply_entry = lambda entry, producer=None: rings.append(entry.name)  # noqa: ARG005
            rings.clear()
            for _turn in range(60):
                if beat.tick():
                    break
            counts.append(sorted({*rings} & {"release lists", "read changes"}))
    beat.close()
    return counts


ALL = ["read changes", "release lists"]


@pytest.mark.parametrize(("kind", "expected"), [(Scheduler, ALL), (PersistentScheduler, [])])
def test_clock_that_is_put_back_stops_nothing(kind, expected, tmp_path):
    """The control: Celery's own beat waits the hour."""
    step = datetime.timedelta(seconds=6)

    found = rung(kind, tmp_path, [NOON, NOON + step, NOON - HOUR, NOON - HOUR + step])

    assert found[1] == ALL
    assert found[3] == expected


@pytest.mark.parametrize(("kind", "expected"), [(Scheduler, ALL), (PersistentScheduler, [])])
def test_start_with_a_wrong_date_is_forgotten(kind, expected, tmp_path):
    step = datetime.timedelta(seconds=6)
    again = NOON.replace(microsecond=1)  # another start, on the schedule that the first one left

    found = rung(kind, tmp_path, [NOON + 24 * HOUR, NOON + 24 * HOUR + step, again, again + step])

    assert found[1] == ALL
    assert found[3] == expected
