"""What a shard finds out: its lines ranked. Nothing is written here, and no row is locked while it takes its time."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from chains.models import Requirement, RequirementLine
from matchmaking import adapters, market
from matchmaking.database.planner import look_up_by_index
from matchmaking.engine.proposals import Reading
from matchmaking.engine.scoring import KEPT, Ranker
from matchmaking.engine.types import Need, Scored, Unchanged
from matchmaking.engine.weights import Weights
from matchmaking.models import Match, MatchRun, Score, Weighting


@dataclass(slots=True)
class Finding:
    """What a shard found out, before anything is written."""

    places: adapters.Places
    needs: dict[int, Need]
    began: datetime.datetime = field(default_factory=timezone.now)
    scores: dict[tuple[int, int], adapters.ScoreRow] = field(default_factory=dict)
    # Ids of scores that would come out as they are.
    unchanged: dict[tuple[int, int], int] = field(default_factory=dict)
    weightings: dict[int, int] = field(default_factory=dict)
    # Digests of all that a decided pair's supplier says today.
    said: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    suggested: dict[int, Reading] = field(default_factory=dict)
    _bases: dict[int, str] = field(default_factory=dict)

    def basis_of(self, line: int) -> str:
        """Digest of what a line asks, made once for all its pairs."""
        if line not in self._bases:
            self._bases[line] = adapters.basis_of_need(self.needs[line])
        return self._bases[line]


def find(run: MatchRun, line_ids: Sequence[int], *, anew: bool = False) -> Finding:
    """Rank the lines of a shard. Scores that would come out as they are stay as they are, unless all are made `anew`."""
    began = timezone.now()
    known = market.current()
    rows = RequirementLine.objects.scored().filter(pk__in=line_ids)
    finding = Finding(known.places, adapters.needs(rows, known.places), began)
    chosen = _Weightings(run)
    groups: dict[tuple[adapters.Side, int], list[Need]] = defaultdict(list)
    about = rows.values_list("pk", "requirement__seeks", "requirement__enterprise__province_id")
    for pk, seeks, province in about.order_by("pk"):
        if pk in finding.needs:
            finding.weightings[pk] = chosen.of(province).pk
            groups[side_of(seeks), finding.weightings[pk]].append(finding.needs[pk])
    decided = _decided(line_ids)
    # A supplier's own run is made because it has changed: all its scores do.
    stored = {} if anew or run.enterprise_id is not None else _stored(run, finding)
    for (side, weighting), needs in groups.items():
        ranker = known.ranker(side, chosen.weights[weighting])
        for found in _ranked(ranker, needs, run.enterprise_id, decided, stored):
            if isinstance(found, Unchanged):
                finding.unchanged[found.need, found.offer] = stored[found.need, found.offer].score
            else:
                keep(finding, ranker, side, found)
        _listen(finding, ranker, needs, decided)
    if run.enterprise_id is None:
        if run.scope == MatchRun.Scope.ALL:
            # Words change by an amendment, which has its own run, and with the categories no score stays: here only
            # what was never read as it stands.
            rows = rows.filter(category_suggested=None)
            rows = rows.exclude(pk__in=_read_before(finding, stored))
        finding.suggested = known.suggested(rows)
    return finding


class _Stored(NamedTuple):
    score: int
    fingerprint: int
    run: int | None


@transaction.atomic
def _stored(run: MatchRun, finding: Finding) -> dict[tuple[int, int], _Stored]:
    """Scores of the lines that may stay: of live pairs, of the same engine and the same weighting."""
    look_up_by_index()
    live = Match.objects.live().filter(line__in=finding.needs, score__isnull=False)
    pairs = {
        score: (line, supplier)
        for line, supplier, score in live.values_list("line_id", "supplier_id", "score_id")
    }
    # Asked apart: joined, all scores there are would be read for each shard, and what is dead among them as well.
    rows = Score.objects.filter(pk__in=pairs, engine_version=run.engine_version)
    return {
        pairs[pk]: _Stored(pk, fingerprint, wrote)
        for pk, weighting, fingerprint, wrote in rows.values_list(
            "pk", "weighting_id", "fingerprint", "run_id"
        )
        if fingerprint is not None and weighting == finding.weightings[pairs[pk][0]]
    }


def _read_before(finding: Finding, stored: Mapping[tuple[int, int], _Stored]) -> set[int]:
    """Lines of which a score stays that was written with what was read of the line. A supplier's run reads no line, nor
    does who asks about a pair: by theirs a line whose own run failed would stay unread for ever."""
    wrote = {pair: stored[pair].run for pair in finding.unchanged}
    reading = MatchRun.objects.filter(pk__in=set(wrote.values()), enterprise=None)
    known = set(reading.values_list("pk", flat=True))
    return {line for (line, _supplier), run in wrote.items() if run in known}


def _ranked(
    ranker: Ranker,
    needs: Sequence[Need],
    supplier: int | None,
    decided: dict[int, list[int]],
    stored: Mapping[tuple[int, int], _Stored],
) -> Iterator[Scored | Unchanged]:
    """One after the other: a pair is kept as a few texts, and what it was told in makes room for the next."""
    if supplier is not None:
        yield from against(ranker, needs, supplier)
        return
    known = {pair: row.fingerprint for pair, row in stored.items()}
    best = set()
    for one in ranker.rank_anew(needs, known, KEPT):
        best.add((one.need, one.offer))
        yield one
    # What was decided on keeps its status and gets its new score, among the best or not.
    for need in needs:
        for other in decided[need.id]:
            if (need.id, other) not in best:
                yield from against(ranker, [need], other)


def _listen(
    finding: Finding, ranker: Ranker, needs: Sequence[Need], decided: dict[int, list[int]]
) -> None:
    for need in needs:
        for supplier in decided[need.id]:
            offer = ranker.index.offers.get(supplier)
            if offer is not None:
                finding.said[need.id, supplier] = set(map(adapters.basis_of_text, offer.texts))


class _Weightings:
    """Which weighting counts for which line of a run."""

    def __init__(self, run: MatchRun) -> None:
        self._shared = run.weighting
        rows = [run.weighting]
        if run.weighting.status == Weighting.Status.ACTIVE and run.weighting.province_id is None:
            rows += Weighting.objects.active().filter(province__isnull=False)
        self._by_province = {row.province_id: row for row in rows}
        self.weights = {row.pk: Weights(**row.weights) for row in rows}

    def of(self, province: int | None) -> Weighting:
        return self._by_province.get(province, self._shared)


def side_of(seeks: str) -> adapters.Side:
    return "demand" if seeks == Requirement.Seeks.CUSTOMER else "supply"


def against(ranker: Ranker, needs: Sequence[Need], supplier: int) -> list[Scored]:
    """One supplier against some lines, but those that may never be paired with it."""
    offer = ranker.index.offers.get(supplier)
    if offer is None:
        return []
    allowed = [need for need in needs if adapters.may_meet(need, offer)]
    return ranker.score_offer(allowed, supplier) if allowed else []


@transaction.atomic
def _decided(line_ids: Sequence[int]) -> dict[int, list[int]]:
    """Suppliers on whose pairs somebody decided, by line."""
    look_up_by_index()
    found: dict[int, list[int]] = defaultdict(list)
    rows = Match.objects.filter(line__in=line_ids, status__in=Match.DECIDED).order_by("supplier")
    for line, supplier in rows.values_list("line_id", "supplier_id"):
        found[line].append(supplier)
    return found


def keep(finding: Finding, ranker: Ranker, side: adapters.Side, scored: Scored) -> None:
    for text in ranker.index.offers[scored.offer].texts:
        if text.id == scored.text:
            break
    row = adapters.as_row(scored, finding.basis_of(scored.need), text, side)
    finding.scores[scored.need, scored.offer] = row
