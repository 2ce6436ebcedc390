from __future__ import annotations

from events.models.checkin import CheckIn
from events.models.event import Event, EventLevel, EventStaff, Listing
from events.models.programmes import Programme, Series, Target
from events.models.registration import Delegate, Registration, Tier

__all__ = [
    "CheckIn",
    "Delegate",
    "Event",
    "EventLevel",
    "EventStaff",
    "Listing",
    "Programme",
    "Registration",
    "Series",
    "Target",
    "Tier",
]
