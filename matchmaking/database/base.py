"""Django's PostgreSQL, which asks a connection that is kept between requests whether it still stands without a query.

Named by the settings as a backend; Django looks for this module in the package.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """A server that has gone away has closed the connection, and that can be read: nothing to read, nothing to ask.

        Each request begins with this question, and the query for it was a seventh of what a registration asks.
        """
        kept = self.connection
        if kept is None or kept.closed:
            return False
        waiting = select.poll()
        waiting.register(kept.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
