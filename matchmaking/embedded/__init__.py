"""PostgreSQL and Valkey out of Python wheels, for machines that have neither.

One keeper process per state folder owns both servers. Every process that uses them holds a shared
file lock for as long as it lives; the kernel drops it on any death, kill -9 included. When nobody
holds it any more, the keeper stops both servers and leaves.
"""

from __future__ import annotations

from matchmaking.embedded.client import STATE, held, look, provide, release, reset, use
from matchmaking.embedded.places import is_locked
from matchmaking.embedded.processes import die_with_parent
from matchmaking.embedded.refusals import (
    Refusal,
    disk_is_full,
    explain,
    owned_by_another,
    unusable,
)

__all__ = [
    "STATE",
    "Refusal",
    "die_with_parent",
    "disk_is_full",
    "explain",
    "held",
    "is_locked",
    "look",
    "owned_by_another",
    "provide",
    "release",
    "reset",
    "unusable",
    "use",
]
