"""What the project promises of itself in figures; each row of a benchmark is held to those that are about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """`figure` of the rows that have all of `of`; one that `is_idle` means a machine on which nothing else runs."""

    benchmark: str
    of: Mapping[str, object]
    figure: str
    at_most: float | None = None
    at_least: float | None = None
    is_idle: bool = False

    def is_about(self, benchmark: str, row: Mapping[str, Any]) -> bool:
        return benchmark == self.benchmark and all(
            row.get(name) == value for name, value in self.of.items()
        )

    def is_met(self, found: float | None) -> bool:
        """A figure that is missing proves nothing."""
        return bool(
            found is not None
            and (self.at_most is None or found <= self.at_most)
            and (self.at_least is None or found >= self.at_least)
        )

    def __str__(self) -> str:
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in (("≥", self.at_least), ("≤", self.at_most))
            if bound is not None
        ]
        return f"{self.figure} {' and '.join(bounds)}"


def _goals(benchmark: str, *rows: tuple[Mapping[str, object], str, str, float, bool]) -> list[Goal]:
    return [
        Goal(
            benchmark,
            of,
            figure,
            at_most=bound if sign == "≤" else None,
            at_least=bound if sign == "≥" else None,
            is_idle=is_idle,
        )
        for of, figure, sign, bound, is_idle in rows
    ]


IDLE, ANY = True, False
YEAR, DEMO = {"size": "year"}, {"size": "demo"}


def _page(name: str, milliseconds: float) -> tuple[Mapping[str, object], str, str, float, bool]:
    return {"page": name, **YEAR}, "cpu_ms_per_request", "≤", milliseconds, ANY


def _quick(name: str, milliseconds: float) -> tuple[Mapping[str, object], str, str, float, bool]:
    return {"page": name, **YEAR}, "p95_ms", "≤", milliseconds, IDLE


GOALS = [
    *_goals("start", ({}, "first_s", "≤", 180, IDLE), ({}, "second_s", "≤", 10, IDLE)),
    *_goals("seed", (YEAR, "wall_s", "≤", 360, IDLE)),
    *_goals(
        "worker_ready",
        ({"start": "second", **YEAR}, "cpu_s", "≤", 3, ANY),
    ),
    *_goals(
        "publish_to_suggestions",
        (DEMO, "worst_s", "≤", 2, IDLE),
        (YEAR, "worst_s", "≤", 2, IDLE),
    ),
    *_goals(
        "full_run",
        ({"processes": 2, **YEAR}, "wall_s", "≤", 15, IDLE),
        ({"processes": 2, **YEAR}, "peak_mb_of_one_process", "≤", 1024, ANY),
        ({"processes": 2, **YEAR}, "times_the_speed_of_one", "≥", 1.5, IDLE),
    ),
    *_goals(
        "matching",
        ({"step": "match all"}, "peak_rss_mb", "≤", 1024, ANY),
        ({"step": "match all"}, "cpu_s", "≤", 16, ANY),  # eight seconds of two workers
        ({"step": "rapidfuzz WRatio, slice scaled"}, "times_ours", "≥", 100, ANY),
        ({"step": "rapidfuzz token_set_ratio, slice scaled"}, "times_ours", "≥", 28, ANY),
        ({"step": "one line"}, "p50_cpu_ms", "≤", 15, ANY),
    ),
    *_goals(
        "growth",
        ({"step": "in memory", "texts": 60_000}, "peak_rss_mb", "≤", 1024, ANY),
        ({"step": "pgvector, whole engine", "texts": 60_000}, "peak_rss_mb", "≤", 1024, ANY),
        ({"step": "ten times the texts"}, "times_the_work", "≤", 10, ANY),
        ({"step": "pgvector", "texts": 600_000}, "recall_at_100", "≥", 0.97, ANY),
        ({"step": "pgvector", "texts": 600_000}, "one_line_cpu_ms", "≤", 50, ANY),
        ({"step": "pgvector", "texts": 600_000}, "one_line_ms_p50", "≤", 50, IDLE),
    ),
    *_goals(
        "kills",
        ({}, "same_rows", "≥", True, ANY),
        ({}, "kills", "≥", 10, ANY),
    ),
    *_goals(
        "rush",
        ({"way": "service"}, "per_second", "≥", 300, IDLE),
        ({"way": "service"}, "oversold", "≤", 0, ANY),
        ({"way": "service"}, "ranks_in_order", "≥", True, ANY),
        ({"way": "naive"}, "oversold", "≥", 1, ANY),  # or the others prove nothing
        ({"way": "http"}, "per_second", "≥", 150, IDLE),
        ({"way": "http"}, "p95_ms", "≤", 1000, IDLE),
        ({"way": "http"}, "failed", "≤", 0, ANY),
        ({"way": "http"}, "oversold", "≤", 0, ANY),
        ({"way": "http"}, "ranks_in_order", "≥", True, ANY),
    ),
    *_goals(
        "pages",
        *(({"page": name}, "failed", "≤", 0, ANY) for name in ("first page", "search", "home")),
        _page("first page", 8),
        _page("mixed", 8),
        _page("new filters", 15),
        _page("enterprises", 12),
        _page("enterprises, new filters", 25),
        _page("events", 10),
        _page("chain map", 10),
        _page("home", 10),
        _quick("first page", 150),
        _quick("mixed", 150),
        _quick("search alone", 100),
    ),
    *_goals(
        "sides",
        *(
            goal
            for name in ("for you", "comparison")
            for goal in (
                _page(name, 60),
                _quick(name, 500),
                ({"page": name}, "more_queries_for_more_rows", "≤", 0, ANY),
                ({"page": name}, "failed", "≤", 0, ANY),
            )
        ),
        ({"page": "import"}, "seconds", "≤", 60, IDLE),
    ),
]


def about(benchmark: str, row: Mapping[str, Any]) -> list[Goal]:
    return [goal for goal in GOALS if goal.is_about(benchmark, row)]
