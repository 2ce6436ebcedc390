from __future__ import annotations

from matchmaking.models.alerts import Alert, DeadlineFeed, Digest, SavedSearch, Wake
from matchmaking.models.interests import (
    Interest,
    InterestAttachment,
    InterestMessage,
    InterestNote,
)
from matchmaking.models.matches import Match, Score
from matchmaking.models.review import Decision, Dismissal, Lease
from matchmaking.models.runs import MatchRun, RunShard, TextVector, Weighting

__all__ = [
    "Alert",
    "DeadlineFeed",
    "Decision",
    "Digest",
    "Dismissal",
    "Interest",
    "InterestAttachment",
    "InterestMessage",
    "InterestNote",
    "Lease",
    "Match",
    "MatchRun",
    "RunShard",
    "SavedSearch",
    "Score",
    "TextVector",
    "Wake",
    "Weighting",
]
