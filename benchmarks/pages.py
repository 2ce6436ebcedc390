"""The public pages on `year` data: CPU-ms a request of the web server and of the database, p95 at 16 clients.

Goals (R18): the first page of the requirements ≤ 8 CPU-ms, new filters ≤ 15; enterprises ≤ 12, new filters ≤ 25;
events, a map and the home page ≤ 10; p95 ≤ 150 ms; a search alone ≤ 100 ms.

`new filters` asks for a new address each time, so nothing kept helps; `mixed` asks as visitors do, half of them
for the first page. A search is asked for once: `search` by all clients, `search alone` by one.
"""

from __future__ import annotations

import itertools
import sys
from urllib.parse import quote

from benchmarks import stage

CLIENTS = 16
REQUESTS = 400
CHAINS = ("PV", "LB", "H2", "IC", "NV", "IE", "GS")
# Two characters, three, a phrase; English, a standard; pinyin, initials; one slip; two words; nothing.
WORDS = (
    "玻璃", "电池", "轴承", "阀门", "接线盒", "双极板", "光伏玻璃", "燃料电池", "junction box", "bearing", "glass",
    "IEC 61215", "GB/T 19001", "M10", "dianchi", "jiexianhe", "qhgf", "接线合", "invertor", "bearnig", "电池 浙江",
    "轴承 嘉兴", "钙钛矿", "zzzzqqq",
)  # fmt: skip


def pages() -> dict[str, tuple[list[str], int]]:
    """For each row of the report the addresses and the number of clients."""
    sorts = ("closing", "needed", "newest")
    every = [
        f"/requirements/?chain={chain}&sort={sort}&page={page}"
        for page, chain, sort in itertools.product(range(1, 20), CHAINS, sorts)
    ]
    enterprises = [
        f"/enterprises/?chain={chain}&{also}&page={page}"
        for page, chain, also in itertools.product(
            range(1, 15),
            CHAINS,
            ("kind=enterprise", "qualification=high_tech", "region=330000", ""),
        )
    ]
    first = "/requirements/"
    searches = [f"/search/?q={quote(word)}" for word in WORDS]
    return {
        "first page": ([first] * REQUESTS, CLIENTS),
        "mixed": ([first if i % 2 else every[i % 40] for i in range(REQUESTS)], CLIENTS),
        "new filters": (every[:REQUESTS], CLIENTS),
        "enterprises": (["/enterprises/"] * REQUESTS, CLIENTS),
        "enterprises, new filters": (enterprises[: REQUESTS // 2], CLIENTS),
        "search": ([f"{path}&n={n}" for n in range(4) for path in searches], CLIENTS),
        "search alone": ([f"{path}&n={n}" for n in range(4, 8) for path in searches], 1),
        "events": (["/events/"] * REQUESTS, CLIENTS),
        "chain map": ([f"/chains/{CHAINS[i % 7]}/" for i in range(REQUESTS)], CLIENTS),
        "home": (["/"] * REQUESTS, CLIENTS),
    }


def main(size: str = "year", *chosen: str) -> None:
    stage.provide(size)
    with stage.web() as (port, server):
        for name, (paths, clients) in pages().items():
            if not chosen or name in chosen:
                found = stage.measure(port, server, [(path, "") for path in paths], clients)
                stage.report("pages", page=name, size=size, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
