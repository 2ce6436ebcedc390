"""What `make bench` says of figures that miss their goal, and of parts that fail."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import __main__ as bench
from benchmarks import goals, stage


def test_every_benchmark_is_a_part_and_every_part_is_there(monkeypatch):
    assert bench.unlisted() == []

    monkeypatch.setattr(bench, "PARTS", (*bench.PARTS[1:], bench.Part("nowhere", 1)))

    assert bench.unlisted() == ["nowhere", "start"]


@pytest.fixture
def told(monkeypatch, capsys):
    """The row that a benchmark prints, on a machine of which others take nearly half."""
    monkeypatch.setattr(stage, "taken_by_others", lambda: 0.42)

    def report(benchmark, **figures):
        stage.report(benchmark, **figures)
        return json.loads(capsys.readouterr().out)

    return report


def test_row_says_of_each_goal_whether_it_is_met(told):
    measured = np.float64(151.2)  # what comes out of an array is no bool either when it is compared
    row = told("rush", way="http", per_second=measured, p95_ms=1001.0, failed=0, oversold=0)

    assert row["goals"] == [
        {"goal": "per_second ≥ 150", "met": True, "for_an_idle_machine": True, "taken_by_others": 0.42},
        {"goal": "p95_ms ≤ 1000", "met": False, "for_an_idle_machine": True, "taken_by_others": 0.42},
        {"goal": "failed ≤ 0", "met": True},
        {"goal": "oversold ≤ 0", "met": True},
        {"goal": "ranks_in_order ≥ 1", "met": False},  # a figure that is missing
    ]  # fmt: skip
    assert "goals" not in told("rush", way="lock and count", per_second=1)


def test_each_missed_goal_is_one_sentence(told):
    rows = [
        told("pages", page="first page", size="year", cpu_ms_per_request=8.5, p95_ms=151.0, failed=0),
        told("kills", same_rows=True, kills=10),
    ]  # fmt: skip

    assert bench.missed(rows) == [
        "Missed: pages (year, first page): cpu_ms_per_request ≤ 8, found 8.5.",
        (
            "Missed: pages (year, first page): p95_ms ≤ 150, found 151.0."
            " It is meant for an idle machine; others took 42% of this one."
        ),
    ]


def test_promise_of_which_no_row_tells_is_named(monkeypatch):
    goal = goals.Goal("pages", {"page": "home"}, "p95_ms", at_most=150)
    monkeypatch.setattr(goals, "GOALS", [goal])

    assert bench.untold([{"benchmark": "pages", "page": "home", "p95_ms": 3}]) == []
    assert bench.untold([{"benchmark": "pages", "page": "events"}]) == [
        "Nothing told of pages {'page': 'home'}: p95_ms ≤ 150."
    ]


def test_part_that_is_not_there_or_takes_too_long_is_a_fault(capsys):
    outcome = bench.Outcome()

    bench.run(bench.Part("nowhere", 1), 1, outcome)
    bench.run(bench.Part("start", 1), 0, outcome)

    assert outcome.faults == [
        "nowhere failed with 1; what it said stands above.",
        "start was stopped after 0 minutes.",
    ]
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["part"], row["ended_with"]) for row in rows] == [("nowhere", 1), ("start", -15)]
