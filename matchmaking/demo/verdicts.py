"""How the invented reviewers decide: by what was truly asked and offered, never by points, so that points are tested."""

from __future__ import annotations

from matchmaking.demo.participants import Offer, Participant
from matchmaking.demo.postings import Line, Posting
from matchmaking.demo.texts import Amount
from matchmaking.models import Decision

_TIMES_A_YEAR = {"once": 1, "month": 12, "year": 1}
_NEARNESS = ("region", "distance")


def verdict(
    posting: Posting, line: Line, supplier: Participant, *, has_nearby: bool
) -> tuple[Decision.Verdict, str]:
    """`has_nearby`: a maker of the province is recommended for the line already."""
    made = [offer for offer in supplier.offers if offer.leaf == line.leaf]
    terms = [*posting.terms, *line.terms]
    demanded = {
        term.text.replace(" ", "")
        for term in terms
        if term.kind == "certification" and term.strength == "must"
    }
    if not made:
        return Decision.Verdict.REJECTED, Decision.Reason.WRONG_PRODUCT
    if not demanded <= {*supplier.certifications}:
        return Decision.Verdict.REJECTED, Decision.Reason.CERTIFICATE
    if not any(_makes_enough(offer, line.amount) for offer in made):
        return Decision.Verdict.REJECTED, Decision.Reason.CAPACITY
    is_near_wanted = any(term.kind in _NEARNESS for term in terms)
    if is_near_wanted and has_nearby and not supplier.in_zhejiang:
        return Decision.Verdict.REJECTED, Decision.Reason.TOO_FAR
    if all(offer.is_new for offer in made):
        return Decision.Verdict.DEFERRED, ""
    return Decision.Verdict.APPROVED, ""


def _makes_enough(offer: Offer, asked: Amount | None) -> bool:
    """What cannot be compared is taken on trust."""
    made = offer.capacity
    if made is None or asked is None or made.unit != asked.unit:
        return True
    return made.value >= asked.value * _TIMES_A_YEAR[asked.period]
