"""The public list: CPU-ms a request and p95 at 16 clients on `year` data (goal ≤ 8 CPU-ms, ≤ 150 ms; R18).

`distinct` asks for a new address each time, so no kept fragment helps; `mixed` asks as visitors do, half of them
for the first page; `plain` only for the first page.
"""

from __future__ import annotations

import itertools
import sys
from urllib.parse import quote

from benchmarks import stage

CLIENTS = 16
REQUESTS = 800


def main(size: str = "year") -> None:
    stage.provide(size)
    chains = ["PV", "LB", "H2", "IC", "NV", "IE", "GS"]
    sorts = ["closing", "needed", "newest"]
    every = [
        f"/requirements/?chain={chain}&sort={sort}&page={page}"
        for page, chain, sort in itertools.product(range(1, 80), chains, sorts)
    ]
    first = "/requirements/"
    kinds = {
        "distinct": every[:REQUESTS],
        "mixed": [first if i % 2 else every[i % 40] for i in range(REQUESTS)],
        "plain": [first] * REQUESTS,
        "enterprises": [f"/enterprises/?page={page}" for page in range(1, REQUESTS // 2)],
        "search": [
            f"/search/?q={quote(word)}" for word in ("玻璃", "接线盒", "junction", "dianchi")
        ]
        * 50,
    }
    with stage.web() as (port, process):
        stage.load(port, [first, *every[-4:]], 4)
        for name, paths in kinds.items():
            before = stage.cpu_of(process)
            results = stage.load(port, paths, CLIENTS)
            spent = stage.cpu_of(process) - before
            seconds = [took for _status, took in results]
            stage.report(
                "pages",
                page=name,
                size=size,
                requests=len(results),
                failed=sum(status != 200 for status, _took in results),
                cpu_ms_per_request=1000 * spent / len(results),
                p50_ms=1000 * stage.percentile(seconds, 0.5),
                p95_ms=1000 * stage.percentile(seconds, 0.95),
                clients=CLIENTS,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
