"""The beat that rings for all that is done by the clock."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import PersistentScheduler

logger = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):
    """Celery's own, which would wait for a clock that was put back to come to where it was: for an hour nothing would
    be swept, published or sent; after a start with a wrong date, for as long as that lay ahead."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = self.app.now()
        ahead = [
            entry
            for entry in self.schedule.values()
            if entry.last_run_at and entry.last_run_at > now
        ]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            logger.warning("The clock was put back: beat counts anew from now.")
            self._heap = None
        return float(super().tick(*args, **kwargs))
