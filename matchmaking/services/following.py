"""What the matching does about facts of the register: runs for what is new, an end for what is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from chains.models import (
    Capability,
    Change,
    Enterprise,
    Requirement,
    RequirementLine,
    User,
)
from matchmaking import adapters, market
from matchmaking.models import MatchRun
from matchmaking.services import interests, merging, pairs, review, runs, scoring

# More suppliers changed at once than this, and one run over everything is the shorter way.
_SUPPLIERS_AT_ONCE = 8
_RESCORED_BY = frozenset({"approved", "amended"})
# Facts that leave what is offered and asked as it was.
_IDLE = {
    "enterprise": ("submitted", "registered", "claimed", "unmatched", "merge_proposed"),
    "line": ("unmatched",),
}


@dataclass(slots=True)
class News:
    """What a batch of facts comes down to: each requirement and each supplier once, however often it was told."""

    rescore: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    suppliers: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    buyers: set[int] = field(default_factory=set)


def react(*, facts: Sequence[Change], by: User | None = None) -> None:
    """Turn facts of the register into runs, and end the matches of what is no longer there."""
    # What runs tell of themselves, shard by shard, is for others.
    facts = [fact for fact in facts if fact.noun != "run"]
    if not facts:
        return
    news = _news([fact for fact in facts if fact.verb not in _IDLE.get(fact.noun, ())])
    _end_what_is_gone(news, by)
    _end_within_houses(facts, by)
    for requirement in Requirement.objects.scored().filter(pk__in=news.rescore).order_by("pk"):
        lines = requirement.lines.open().count()
        if lines and not _is_waiting(lines, requirement=requirement):
            runs.start(requirement=requirement, by=by)
    _compare_anew(news, by)
    _tell_interested(facts)
    merged = {fact.target for fact in facts if (fact.noun, fact.verb) == ("enterprise", "merged")}
    for enterprise in Enterprise.objects.filter(public_id__in=merged).order_by("pk"):
        merging.gather(loser=enterprise, by=by)
    out = {fact.target for fact in facts if (fact.noun, fact.verb) == ("requirement", "published")}
    for requirement in Requirement.objects.published().filter(public_id__in=out).order_by("pk"):
        review.announce(requirement=requirement, by=by)


def _tell_interested(facts: Sequence[Change]) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.noun == "requirement" and fact.verb in ("amended", "closed"):
            told[fact.target].add(fact.verb)
    for requirement in Requirement.objects.filter(public_id__in=told).order_by("pk"):
        if requirement.status == Requirement.Status.CLOSED:
            # After its last day each one has heard what became of it.
            if requirement.close_reason != Requirement.CloseReason.EXPIRED:
                interests.tell_interested(requirement=requirement, kind="requirement_ended")
        elif requirement.is_published:
            interests.tell_interested(requirement=requirement, kind="requirement_changed")


def _end_what_is_gone(news: News, by: User | None) -> None:
    gone = RequirementLine.objects.filter(
        Q(pk__in=news.lines) | Q(requirement__in=news.closed)
    ).order_by("pk")
    for line in gone:
        pairs.end_matches_of_line(line=line, by=by)
    for enterprise in Enterprise.objects.filter(pk__in=news.gone).order_by("pk"):
        pairs.end_matches_of_enterprise(enterprise=enterprise, by=by)


def _end_within_houses(facts: Sequence[Change], by: User | None) -> None:
    grouped = {fact.target for fact in facts if (fact.noun, fact.verb) == ("enterprise", "grouped")}
    for enterprise in Enterprise.objects.filter(public_id__in=grouped).order_by("pk"):
        pairs.end_matches_with_affiliates(enterprise=enterprise, by=by)


def _compare_anew(news: News, by: User | None) -> None:
    """Runs for suppliers that offer something else now, or one over everything when they are many."""
    lines = RequirementLine.objects.scored()
    count = lines.count()
    if not count or _is_waiting(count, scope=MatchRun.Scope.ALL):
        return
    if len(news.suppliers) > _SUPPLIERS_AT_ONCE:
        runs.start(everything=True, by=by)
        return
    verified = Enterprise.objects.verified().order_by("pk")
    for enterprise in verified.filter(pk__in=news.suppliers):
        if not _is_waiting(count, enterprise=enterprise):
            runs.start(enterprise=enterprise, by=by)
    # Who looks for customers is compared with what others buy: a buyer's lines are news to those (row 27).
    sought = lines.filter(requirement__seeks=Requirement.Seeks.CUSTOMER)
    if news.buyers and sought.exists():
        for enterprise in verified.filter(pk__in=news.buyers - news.suppliers):
            runs.start(enterprise=enterprise, lines=sought, by=by)


def _is_waiting(lines: int, **target: Any) -> bool:
    """A run over all those lines has not begun: it will read whatever has changed meanwhile."""
    return MatchRun.objects.filter(
        status=MatchRun.Status.QUEUED, lines_total__gte=lines, **target
    ).exists()


def _news(facts: Sequence[Change]) -> News:
    news = News()
    verbs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for fact in facts:
        verbs[fact.noun][fact.target].add(fact.verb)
    told = verbs["requirement"]
    for row in Requirement.objects.filter(public_id__in=told):
        if row.status == Requirement.Status.CLOSED:
            news.closed.add(row.pk)
            news.buyers.add(row.enterprise_id)
        # Published after an embargo it has been scored already; published without that step it has not.
        elif row.is_accepted and (told[row.public_id] & _RESCORED_BY or not row.runs.exists()):
            news.rescore.add(row.pk)
            news.buyers.add(row.enterprise_id)
        elif "published" in told[row.public_id]:
            news.buyers.add(row.enterprise_id)
    # Whoever has left a group is no affiliate of those that stayed: as suppliers they are compared with its lines.
    alone = [target for target, said in verbs["enterprise"].items() if "ungrouped" in said]
    apart = Requirement.objects.scored().filter(enterprise__public_id__in=alone)
    news.rescore.update(apart.values_list("pk", flat=True))
    lines = RequirementLine.objects.filter(public_id__in=verbs["line"])
    closed = lines.exclude(status=RequirementLine.Status.OPEN)
    news.lines.update(closed.values_list("pk", flat=True))
    for pk, status in Enterprise.objects.filter(pk__in=_offering(facts)).values_list(
        "pk", "status"
    ):
        (news.suppliers if status == Enterprise.Status.VERIFIED else news.gone).add(pk)
    return news


def _offering(facts: Sequence[Change]) -> set[int]:
    """Enterprises whose offer the facts may have changed; a draft offers nothing yet."""
    written = [fact.target for fact in facts if fact.noun == "capability"]
    drafts = set(
        Capability.objects.filter(
            public_id__in=written, status=Capability.Status.DRAFT
        ).values_list("public_id", flat=True)
    )
    return market.enterprises_of(
        (fact.pk, fact.transaction, fact.noun, fact.target)
        for fact in facts
        if fact.noun in ("enterprise", "capability", "qualification", "certification")
        and fact.target not in drafts
    )


def read_texts(*, facts: Sequence[Change], by: User | None = None) -> None:
    """Keep the vectors of what has been written, and the categories of lines that wait for moderation."""
    encode = adapters.encoder().encode
    written = {fact.target for fact in facts if fact.noun == "capability"}
    capabilities = Capability.objects.filter(public_id__in=written)
    encode([text for row in capabilities for text in adapters.texts_of(row)])
    asked = {fact.target for fact in facts if fact.noun == "requirement"}
    lines = list(RequirementLine.objects.open().filter(requirement__public_id__in=asked))
    encode([line.full_text for line in lines])
    unread = [line for line in lines if line.category_suggested_id is None]
    if unread:
        scoring.suggest_categories(suggested=market.current().suggested(unread), by=by)
