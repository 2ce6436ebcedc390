from __future__ import annotations

from events.models.agenda import AgendaItem, ChecklistItem
from events.models.checkin import CheckIn
from events.models.documents import EventDocument
from events.models.event import Draw, Event, EventLevel, EventStaff, Listing
from events.models.form import FormAnswer, FormQuestion
from events.models.invitation import Invitation
from events.models.leading import LeadingGuest
from events.models.letters import Announcement, LetterTemplate
from events.models.programmes import Programme, Series, Target
from events.models.registration import Delegate, Registration, Tier

__all__ = [
    "AgendaItem",
    "Announcement",
    "CheckIn",
    "ChecklistItem",
    "Delegate",
    "Draw",
    "Event",
    "EventDocument",
    "EventLevel",
    "EventStaff",
    "FormAnswer",
    "FormQuestion",
    "Invitation",
    "LeadingGuest",
    "LetterTemplate",
    "Listing",
    "Programme",
    "Registration",
    "Series",
    "Target",
    "Tier",
]
