"""What the system does by the clock, row by row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

_Row = TypeVar("_Row")


def each(rows: Iterable[_Row], act: Callable[[_Row], int]) -> int:
    """How much was done, each row in a transaction of its own that `act` opens. What fails for one row is logged and
    tried again by the next sweep; the rows behind it do not wait for it. A database that is away ends the sweep."""
    done = 0
    for row in rows:
        try:
            done += act(row)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("%s failed for %s.", act, row)
    return done
