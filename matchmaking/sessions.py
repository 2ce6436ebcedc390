"""Sessions as Django keeps them in the database; asked for on every page of who has signed in, so written down once."""

from __future__ import annotations

import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from chains.prepared import Prepared

_LASTING = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now),
    str,
    datetime.datetime,
)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        row = _LASTING.first(self.session_key, timezone.now())
        if row is None:
            self._session_key = None
        return row
