from __future__ import annotations

from matchmaking.models.interests import Interest, InterestMessage, InterestNote
from matchmaking.models.matches import Match, Score
from matchmaking.models.review import Decision, Dismissal, Lease
from matchmaking.models.runs import MatchRun, RunShard, TextVector, Weighting

__all__ = [
    "Decision",
    "Dismissal",
    "Interest",
    "InterestMessage",
    "InterestNote",
    "Lease",
    "Match",
    "MatchRun",
    "RunShard",
    "Score",
    "TextVector",
    "Weighting",
]
