"""Runs: every open line against every supplier, in shards that survive the worker that works on them."""

from __future__ import annotations

import datetime
import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import (
    Capability,
    Category,
    Enterprise,
    Region,
    Requirement,
    RequirementLine,
    User,
)
from chains.models.base import ALPHABET
from chains.permissions import is_member
from matchmaking import adapters, market, permissions
from matchmaking.engine.proposals import Reading
from matchmaking.engine.scoring import KEPT, Ranker
from matchmaking.engine.types import Need, Scored
from matchmaking.engine.weights import Weights
from matchmaking.models import Match, MatchRun, RunShard, Score, Weighting
from matchmaking.models.matches import MatchQuerySet

# An error that stays after so many tries will stay; a worker may be killed oftener than that.
ATTEMPTS = 3
CLAIMS = 20
SHARDS_STAY = datetime.timedelta(days=7)
RETIRED_AT_ONCE = 1000
ALLOWED_EVERY = datetime.timedelta(hours=1)
# What a shard should take: long beside the cost of a task, short beside a worker's lease.
_SHARD_SECONDS = 1.0


class LostError(Exception):
    """The shard is no longer this worker's: its lease ran out, or the run was cancelled. Nothing is written."""


# -- starting -------------------------------------------------------------------------------------


@transaction.atomic
def start(
    *,
    by: User | None,
    requirement: Requirement | None = None,
    line: RequirementLine | None = None,
    enterprise: Enterprise | None = None,
    everything: bool = False,
    weighting: Weighting | None = None,
    lines: QuerySet[RequirementLine] | None = None,
) -> MatchRun:
    """Queue a run over one scope and wake the workers. `lines` narrows what an enterprise is compared with."""
    if [requirement, line, enterprise, everything or None].count(None) != 3:
        raise ValueError("A run has one scope.")
    _refuse_start(by, requirement, line, enterprise)
    chosen = RequirementLine.objects.scored() if lines is None else lines
    scope, buyer = MatchRun.Scope.ALL, requirement
    if requirement is not None:
        scope, chosen = MatchRun.Scope.REQUIREMENT, chosen.filter(requirement=requirement)
    elif line is not None:
        scope, chosen = MatchRun.Scope.LINE, chosen.filter(pk=line.pk)
        buyer = line.requirement
    elif enterprise is not None:
        scope = MatchRun.Scope.ENTERPRISE
    ids = list(chosen.order_by("pk").values_list("pk", flat=True))
    _one_after_another(scope, requirement or line or enterprise)
    if buyer is not None and not ids:
        raise DomainError(
            _("Only open lines of approved requirements are matched."), code="run.nothing_open"
        )
    run = MatchRun.objects.create(
        scope=scope,
        requirement=requirement,
        line=line,
        enterprise=enterprise,
        weighting=weighting or weighting_of(buyer.enterprise.province if buyer else None),
        engine_version=adapters.engine_version(),
        lines_total=len(ids),
        asked_by=by,
    )
    size = _lines_per_shard()
    RunShard.objects.bulk_create(
        RunShard(run=run, number=number, line_ids=ids[begin : begin + size])
        for number, begin in enumerate(range(0, len(ids), size), 1)
    )
    audit.record(by, "run.started", run, scope=scope, lines=len(ids))
    changes.record("run", run, "started")
    _ring_for(run, 0, settings.MATCHING_SHARDS_AHEAD)
    _finish_if_done(run, by)
    return run


def _one_after_another(
    scope: str, target: Requirement | RequirementLine | Enterprise | None
) -> None:
    """Runs over the same get their numbers in the order in which they become visible: the earlier goes first."""
    key = f"match run {scope} {target.pk if target is not None else ''}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _refuse_start(
    by: User | None,
    requirement: Requirement | None,
    line: RequirementLine | None,
    enterprise: Enterprise | None,
) -> None:
    if by is not None and not permissions.can_start_run(
        by, requirement=requirement, line=line, enterprise=enterprise
    ):
        raise DomainError(_("You cannot start this run."), code="run.forbidden")
    if by is not None and line is not None:
        _refuse_too_soon(line, by)
    if enterprise is not None and not enterprise.is_verified:
        raise DomainError(
            _("Only verified enterprises are matched. This one waits for its desk."),
            code="run.not_verified",
        )


def _refuse_too_soon(line: RequirementLine, by: User) -> None:
    """An owner's own line once an hour; desks as often as they need."""
    if by.is_administrator or permissions.can_review(by, line):
        return
    since = timezone.now() - ALLOWED_EVERY
    last = MatchRun.objects.filter(line=line, created_at__gt=since).order_by("-pk").first()
    if last is not None and last.asked_by_id is not None:
        raise DomainError(
            _("This line was matched within the last hour. You can start it again at %(time)s.")
            % {"time": f"{timezone.localtime(last.created_at + ALLOWED_EVERY):%H:%M}"},
            code="run.too_soon",
        )


def weighting_of(province: Region | None) -> Weighting:
    """The weighting in force for a buyer's province: its own, else the one shared by all."""
    rows = Weighting.objects.active().filter(Q(province=None) | Q(province=province))
    found = rows.order_by(F("province").asc(nulls_last=True)).first()
    if found is None:
        raise DomainError(
            _("No weighting is active. An administrator has to activate one."),
            code="run.no_weighting",
        )
    return found


def _lines_per_shard() -> int:
    """As many lines as take about a second against the suppliers there are."""
    texts = Capability.objects.published().count()
    milliseconds = 30 + texts / 4_000
    return max(1, min(200, int(1000 * _SHARD_SECONDS / milliseconds)))


def _ring_for(run: MatchRun, first: int, count: int = 1) -> None:
    """Wake workers for some of the queued shards. Few are rung for at a time, so that a short run never waits
    behind a long one."""
    queued = run.shards.overdue().filter(status=RunShard.Status.QUEUED).order_by("number")
    for pk in queued.values_list("pk", flat=True)[first : first + count]:
        ring("matchmaking.tasks.score_shard", pk)


def _ring_for_the_one_behind(run: MatchRun) -> None:
    """A run over the same has waited for this one to end."""
    behind = MatchRun.objects.unfinished().alike(run).exclude(pk=run.pk).order_by("pk").first()
    if behind is not None:
        _ring_for(behind, 0, settings.MATCHING_SHARDS_AHEAD)


def _ring_next(run: MatchRun) -> None:
    """A shard is done, one more may be rung for: the first that no ring is out for yet.

    Asked in one query: a shard claimed between two would shift the others, and one would be left to the sweeper.
    """
    ahead = settings.MATCHING_SHARDS_AHEAD
    left = run.shards.filter(status__in=[RunShard.Status.RUNNING, RunShard.Status.QUEUED])
    rows = list(left.order_by("-status", "number").values_list("pk", "status")[: 2 * ahead + 64])
    queued = [pk for pk, status in rows if status == RunShard.Status.QUEUED]
    place = max(0, ahead - 1 - (len(rows) - len(queued)))
    for pk in queued[place : place + 1]:
        ring("matchmaking.tasks.score_shard", pk)


# -- scoring --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Finding:
    """What a shard found out, before anything is written."""

    places: adapters.Places
    needs: dict[int, Need]
    began: datetime.datetime = field(default_factory=timezone.now)
    scores: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    weightings: dict[int, int] = field(default_factory=dict)
    # Digests of all that a decided pair's supplier says today.
    said: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    suggested: dict[int, Reading] = field(default_factory=dict)


def score(*, shard: RunShard, by: User | None = None) -> None:
    """Score a claimed shard and write all of it, or nothing: repeated, it leaves the same rows."""
    run = shard.run
    MatchRun.objects.filter(pk=run.pk, status=MatchRun.Status.QUEUED).update(
        status=MatchRun.Status.RUNNING, started_at=timezone.now()
    )
    finding = _find(run, shard.line_ids)
    with transaction.atomic():
        # From here until the end nobody else can claim it.
        held = RunShard.objects.filter(
            pk=shard.pk, status=RunShard.Status.RUNNING, attempts=shard.attempts
        ).update(status=RunShard.Status.DONE, lease_until=None)
        if not held:
            raise LostError
        _write(run, finding)
        # The run's row is locked last and for a moment: its shards count themselves one after another.
        counted = MatchRun.objects.filter(pk=run.pk, status=MatchRun.Status.RUNNING).update(
            lines_done=F("lines_done") + len(shard.line_ids)
        )
        if not counted:
            raise LostError
        audit.record(
            by,
            "run.scored",
            run,
            shard=shard.number,
            lines=len(finding.needs),
            matches=len(finding.scores),
        )
        changes.record("run", run, "scored")
        _ring_next(run)
        _finish_if_done(run, by)


def _find(run: MatchRun, line_ids: Sequence[int]) -> Finding:
    """Rank the lines; no row is locked while this takes its time."""
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
            groups[_side(seeks), finding.weightings[pk]].append(finding.needs[pk])
    decided = _decided(line_ids)
    for (side, weighting), needs in groups.items():
        ranker = known.ranker(side, chosen.weights[weighting])
        for scored in _ranked(ranker, needs, run.enterprise_id, decided):
            _keep(finding, ranker, side, scored)
        _listen(finding, ranker, needs, decided)
    if run.enterprise_id is None:
        if run.scope == MatchRun.Scope.ALL:
            # Words change by an amendment, which has its own run: here only what was never read.
            rows = rows.filter(category_suggested=None)
        finding.suggested = known.suggested(rows)
    return finding


def _ranked(
    ranker: Ranker, needs: Sequence[Need], supplier: int | None, decided: dict[int, list[int]]
) -> list[Scored]:
    if supplier is not None:
        return _against(ranker, needs, supplier)
    found = ranker.rank(needs, KEPT)
    # What was decided on keeps its status and gets its new score, among the best or not.
    for need in needs:
        for other in decided[need.id]:
            found += _against(ranker, [need], other)
    return found


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


def _side(seeks: str) -> adapters.Side:
    return "demand" if seeks == Requirement.Seeks.CUSTOMER else "supply"


def _against(ranker: Ranker, needs: Sequence[Need], supplier: int) -> list[Scored]:
    """One supplier against some lines, but those that may never be paired with it."""
    offer = ranker.index.offers.get(supplier)
    if offer is None:
        return []
    allowed = [need for need in needs if adapters.may_meet(need, offer)]
    return ranker.score_offer(allowed, supplier) if allowed else []


def _decided(line_ids: Sequence[int]) -> dict[int, list[int]]:
    """Suppliers on whose pairs somebody decided, by line."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Match.objects.filter(line__in=line_ids, status__in=Match.DECIDED).order_by("supplier")
    for line, supplier in rows.values_list("line_id", "supplier_id"):
        found[line].append(supplier)
    return found


def _keep(finding: Finding, ranker: Ranker, side: adapters.Side, scored: Scored) -> None:
    offer = ranker.index.offers[scored.offer]
    text = next(text for text in offer.texts if text.id == scored.text)
    row = adapters.as_row(scored, finding.needs[scored.need], text, side)
    finding.scores[scored.need, scored.offer] = row


# -- writing --------------------------------------------------------------------------------------


def _write(run: MatchRun, finding: Finding) -> None:
    """Matches, scores and suggested categories of a shard, under a lock on its lines."""
    lines = _as_ranked(finding, _locked(finding.needs))
    stored = list(
        Match.objects.filter(line__in=lines)
        .with_scored_later(run, finding.began)
        .select_related("score")
        .defer("score__parts", "score__reasons", "score__outcomes")
        .order_by("line", "supplier")
    )
    for match in stored:
        if match.scored_later:
            # A worker that was slow knows less than what has been written meanwhile.
            finding.scores.pop((match.line_id, match.supplier_id), None)
    if run.enterprise_id is not None:
        _leave_out_the_rest(finding, stored, run.enterprise_id)
    known = {(match.line_id, match.supplier_id): match for match in stored}
    scores = {pair: row for pair, row in finding.scores.items() if pair[0] in lines}
    now = timezone.now()
    fresh = sorted(pair for pair in scores if pair not in known)
    _copy(
        Match,
        {
            "public_id": _public_ids(len(fresh)),
            "line_id": [line for line, _ in fresh],
            "supplier_id": [supplier for _, supplier in fresh],
            "created_at": repeat(now),
            "updated_at": repeat(now),
            "tenths": repeat(0),
            "misses_must": repeat(False),
            "status": repeat(Match.Status.PROPOSED),
            "is_stale": repeat(False),
            "origin": repeat(Match.Origin.ENGINE),
        },
    )
    ids = {
        (line, supplier): pk
        for pk, line, supplier in Match.objects.filter(line__in=lines).values_list(
            "pk", "line_id", "supplier_id"
        )
    }
    rows = list(scores.values())
    json_columns = ("parts", "reasons", "outcomes")
    _copy(
        Score,
        {
            "public_id": _public_ids(len(rows)),
            "match_id": [ids[pair] for pair in scores],
            "run_id": repeat(run.pk),
            "weighting_id": [finding.weightings[line] for line, _ in scores],
            "engine_version": repeat(run.engine_version),
            "created_at": repeat(now),
            "updated_at": repeat(now),
            **{
                name: [
                    json.dumps(row[name], ensure_ascii=False) if name in json_columns else row[name]
                    for row in rows
                ]
                for name in (rows[0] if rows else ())
            },
        },
    )
    stale = [
        match.pk
        for match in stored
        if match.status in Match.DECIDED
        and not match.scored_later
        and _rests_on_other_words(match, finding)
    ]
    Match.objects.filter(pk__in=stale).update(is_stale=True)
    _point_to_scores(run, lines)
    fallen = [
        match.pk
        for match in stored
        if match.status == Match.Status.PROPOSED
        and not match.scored_later
        and (match.line_id, match.supplier_id) not in scores
        and run.enterprise_id in (None, match.supplier_id)
    ]
    _end(Match.objects.filter(pk__in=fallen))
    _drop_old_scores(lines)
    suggest_categories(
        suggested={line: read for line, read in finding.suggested.items() if line in lines}
    )


def _copy(model: type[Match | Score], columns: dict[str, Iterable[Any]]) -> None:
    """Rows by COPY: thousands of scores with their reasons as parameters would cost more than finding them."""
    names = ", ".join(columns)
    statement = f"COPY {model._meta.db_table} ({names}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in zip(*columns.values(), strict=False):
            copy.write_row(row)


# A byte as a letter, evenly: 9 × 27 values are used, the rest is thrown away.
_LETTERS = bytes(ord(ALPHABET[value % len(ALPHABET)]) for value in range(256))
_UNEVEN = bytes(range(256 - 256 % len(ALPHABET), 256))


def _public_ids(count: int) -> list[str]:
    """The same as `new_public_id`, a thousand times faster for many."""
    drawn = b""
    while len(drawn) < 12 * count:
        drawn += secrets.token_bytes(13 * count).translate(_LETTERS, _UNEVEN)
    letters = drawn.decode("ascii")
    return [letters[start : start + 12] for start in range(0, 12 * count, 12)]


def _locked(needs: Collection[int]) -> set[int]:
    """Lines that are still to be scored; runs that meet on one wait here, in one order."""
    rows = RequirementLine.objects.scored().filter(pk__in=needs).order_by("pk")
    return set(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _as_ranked(finding: Finding, locked: Collection[int]) -> set[int]:
    """Without the lines that were amended while they were being ranked: their own run may have written already,
    and will if it has not."""
    today = adapters.needs(RequirementLine.objects.filter(pk__in=locked), finding.places)
    return {
        line
        for line, need in today.items()
        if adapters.basis_of_need(need) == adapters.basis_of_need(finding.needs[line])
    }


def _leave_out_the_rest(finding: Finding, stored: Sequence[Match], supplier: int) -> None:
    """A single supplier joins the best of a line only if it stands among them; who is pushed out ends."""
    rivals: dict[int, list[tuple[bool, int, int]]] = defaultdict(list)
    own = {match.line_id: match for match in stored if match.supplier_id == supplier}
    for match in stored:
        if match.status != Match.Status.ENDED and match.supplier_id != supplier:
            rivals[match.line_id].append((match.misses_must, -match.tenths, match.supplier_id))
    pushed: list[tuple[int, int]] = []
    for (line, offer), row in list(finding.scores.items()):
        place = (row["misses_must"], -row["tenths"], offer)
        before = sum(rival < place for rival in rivals[line])
        mine = own.get(line)
        if before >= KEPT and (mine is None or mine.status not in Match.DECIDED):
            del finding.scores[line, offer]
        elif len(rivals[line]) >= KEPT:
            pushed += [(line, rival[2]) for rival in sorted(rivals[line])[KEPT - 1 :]]
    proposed = {
        (match.line_id, match.supplier_id): match.pk
        for match in stored
        if match.status == Match.Status.PROPOSED and not match.scored_later
    }
    _end(Match.objects.filter(pk__in=[proposed[pair] for pair in pushed if pair in proposed]))


def _rests_on_other_words(match: Match, finding: Finding) -> bool:
    """Text, category or a must condition has changed since the score the decision was made on."""
    said = finding.said.get((match.line_id, match.supplier_id))
    if match.score is None or not match.score.basis or said is None:
        return False
    asked, _colon, offered = match.score.basis.partition(":")
    need = finding.needs[match.line_id]
    return asked != adapters.basis_of_need(need) or offered not in said


def _point_to_scores(run: MatchRun, lines: Collection[int]) -> None:
    """Make this run's scores the current ones. An ended pair that is among the best again is proposed anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE matchmaking_match m
               SET score_id = s.id, tenths = s.tenths, misses_must = s.misses_must, updated_at = now(),
                   decided_at = CASE m.status WHEN 'ended' THEN NULL ELSE m.decided_at END,
                   deferred_until_on = CASE m.status WHEN 'ended' THEN NULL ELSE m.deferred_until_on END,
                   is_stale = m.is_stale AND m.status <> 'ended',
                   status = CASE m.status WHEN 'ended' THEN 'proposed' ELSE m.status END
              FROM matchmaking_score s
             WHERE s.match_id = m.id AND s.run_id = %s AND m.line_id = ANY(%s)
            """,
            [run.pk, sorted(lines)],
        )


def _drop_old_scores(lines: Collection[int]) -> None:
    """Kept are the current ones and those decided on. The lines of a shard bound the work."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM matchmaking_score s USING matchmaking_match m
             WHERE s.match_id = m.id AND m.line_id = ANY(%s) AND s.id <> m.score_id
               AND NOT EXISTS (SELECT FROM matchmaking_decision d WHERE d.score_id = s.id)
            """,
            [sorted(lines)],
        )


@transaction.atomic
def suggest_categories(
    *,
    suggested: Mapping[int, Reading],
    by: User | None = None,  # noqa: ARG001 -- every verb has its actor
) -> None:
    """Write down the categories read in lines, and the segment where neither is given: everybody sees it, so only
    what is sure. A reading is no decision: it leaves no trace but itself."""
    codes = {reading.code for reading in suggested.values()}
    categories = Category.objects.in_bulk(codes, field_name="code")
    by_reading: dict[Reading, list[int]] = defaultdict(list)
    for line, reading in suggested.items():
        by_reading[reading].append(line)
    for reading, lines in by_reading.items():
        category = categories[reading.code]
        rows = RequirementLine.objects.filter(pk__in=lines)
        rows.exclude(category_suggested=category).update(category_suggested=category)
        if reading.is_sure:
            rows.filter(segment=None, category=None).update(segment=category.segment_id)


def _end(matches: MatchQuerySet) -> int:
    return matches.live().update(status=Match.Status.ENDED, updated_at=timezone.now())


# -- ending a run ---------------------------------------------------------------------------------


def _finish_if_done(run: MatchRun, by: User | None) -> None:
    """The last shard ends the run, once: whoever comes second finds it no longer running."""
    left = RunShard.objects.filter(run=OuterRef("pk")).exclude(status=RunShard.Status.DONE)
    ended = (
        MatchRun.objects.unfinished()
        .filter(pk=run.pk)
        .exclude(Exists(left))
        .update(status=MatchRun.Status.DONE, finished_at=timezone.now())
    )
    if not ended:
        return
    # A supplier or a line may have closed while its shard was being ranked.
    gone = Match.objects.live().exclude(
        supplier__status=Enterprise.Status.VERIFIED,
        line__in=RequirementLine.objects.scored(),
    )
    _end(gone.filter(pk__in=gone.filter(scores__run=run).values("pk")))
    audit.record(by, "run.finished", run, lines=run.lines_total)
    changes.record("run", run, "finished")
    _ring_for_the_one_behind(run)


@transaction.atomic
def finish(*, run: MatchRun, by: User | None = None) -> None:
    """End a run whose shards are all done; for the sweeper, after a worker died between the two."""
    _finish_if_done(run, by)


@transaction.atomic
def fail(*, shard: RunShard, error: str, by: User | None = None) -> None:
    """Give a shard back after an error; after the third the whole run fails, with a sentence."""
    if shard.attempts < ATTEMPTS:
        RunShard.objects.filter(
            pk=shard.pk, status=RunShard.Status.RUNNING, attempts=shard.attempts
        ).update(status=RunShard.Status.QUEUED, lease_until=None, error=error[:300])
        ring("matchmaking.tasks.score_shard", shard.pk)
        return
    _give_up(shard, error, by)


def _give_up(shard: RunShard, error: str, by: User | None) -> None:
    RunShard.objects.filter(pk=shard.pk).exclude(status=RunShard.Status.DONE).update(
        status=RunShard.Status.FAILED, lease_until=None, error=error[:300]
    )
    sentence = _(
        "Part %(number)d of the run failed %(times)d times. Start it again; if that fails too, tell the administrator."
    ) % {"number": shard.number, "times": shard.attempts}
    failed = (
        MatchRun.objects.unfinished()
        .filter(pk=shard.run_id)
        .update(status=MatchRun.Status.FAILED, finished_at=timezone.now(), error=sentence)
    )
    if failed:
        audit.record(by, "run.failed", shard.run, shard=shard.number, attempts=shard.attempts)
        changes.record("run", shard.run, "failed")
        _ring_for_the_one_behind(shard.run)


@transaction.atomic
def cancel(*, run: MatchRun, by: User | None) -> None:
    """Stop a run: what is done stays, shards under way write nothing more."""
    if by is not None and not permissions.can_cancel_run(by, run):
        raise DomainError(_("You cannot cancel this run."), code="run.forbidden")
    stopped = (
        MatchRun.objects.unfinished()
        .filter(pk=run.pk)
        .update(status=MatchRun.Status.CANCELLED, finished_at=timezone.now())
    )
    if not stopped:
        raise DomainError(
            _("This run has already ended. There is nothing to cancel."), code="run.ended"
        )
    audit.record(by, "run.cancelled", run)
    changes.record("run", run, "cancelled")
    _ring_for_the_one_behind(run)


def sweep(*, by: User | None = None) -> list[int]:
    """Shards to ring for again: their ring was lost, or the worker that held them. Ends what only lacks its end."""
    due: list[int] = []

    def look_after(run: MatchRun) -> int:
        overdue = run.shards.overdue().order_by("number")
        for shard in overdue.filter(attempts__gte=CLAIMS).select_related("run"):
            with transaction.atomic():
                _give_up(shard, "The worker ended each time.", by)
        due.extend(overdue.values_list("pk", flat=True)[: settings.MATCHING_SHARDS_AHEAD])
        finish(run=run, by=by)
        return 1

    sweeping.each(MatchRun.objects.unfinished().order_by("pk"), look_after)
    return due


def retire_shards(
    *,
    by: User | None = None,  # noqa: ARG001 -- every verb has its actor
) -> int:
    """Throw away how runs that ended a while ago had been cut up; a bounded number at a time, so that nobody waits
    for it. The run itself, its trail and its scores stay, so this leaves no trace of its own."""
    old = RunShard.objects.filter(run__finished_at__lt=timezone.now() - SHARDS_STAY)
    rows = list(old.order_by("pk").values_list("pk", flat=True)[:RETIRED_AT_ONCE])
    return RunShard.objects.filter(pk__in=rows).delete()[0]


# -- single pairs ---------------------------------------------------------------------------------


@transaction.atomic
def compute_pair(*, line: RequirementLine, supplier: Enterprise, by: User | None) -> Match:
    """Score one pair on request and keep it; a pair that has a current score is answered with that.

    A new pair is kept as ended: only a run or a reviewer puts a supplier among those of a line.
    """
    requirement = line.requirement
    own = by is not None and is_member(by, supplier) and requirement.is_published
    if by is not None and not own and not permissions.can_review(by, line):
        raise DomainError(_("You cannot see this pair."), code="match.forbidden")
    match = Match.objects.filter(line=line, supplier=supplier).select_related("score").first()
    if match is not None and match.score is not None and match.status != Match.Status.ENDED:
        return match
    if not _locked([line.pk]):
        raise DomainError(
            _("Only open lines of approved requirements are matched."), code="match.not_open"
        )
    weighting = weighting_of(requirement.enterprise.province)
    side = _side(requirement.seeks)
    # After the line's row, and without a row locked inside: who waits for this never holds what its holder wants.
    with market.alone() as known:
        ranker = known.ranker(side, Weights(**weighting.weights))
        need = market.need_of(line)
        _refuse_pair(need, supplier, ranker)
        found = _against(ranker, [need], supplier.pk)
        finding = Finding(known.places, {line.pk: need})
        _keep(finding, ranker, side, found[0])
    match, _created = Match.objects.get_or_create(
        line=line, supplier=supplier, defaults={"status": Match.Status.ENDED}
    )
    row = finding.scores[line.pk, supplier.pk]
    match.score = Score.objects.create(
        match=match, weighting=weighting, engine_version=adapters.engine_version(), **row
    )
    match.tenths, match.misses_must = row["tenths"], row["misses_must"]
    match.save(update_fields=["score", "tenths", "misses_must", "updated_at"])
    _drop_old_scores([line.pk])
    audit.record(by, "match.computed", match)
    changes.record("match", match, "computed")
    return match


def _refuse_pair(need: Need, supplier: Enterprise, ranker: Ranker) -> None:
    """The exclusions of a run, as sentences."""
    if not supplier.is_verified:
        raise DomainError(
            _("Only verified enterprises are matched. This one waits for its desk."),
            code="match.not_verified",
        )
    if supplier.pk == need.enterprise or (
        need.group is not None and need.group == supplier.group_id
    ):
        raise DomainError(
            _("An enterprise is never matched with itself or its affiliates."),
            code="match.same_house",
        )
    if need.counterparts and supplier.kind_id not in need.counterparts:
        raise DomainError(
            _("A requirement of this docking kind is not matched with this kind of participant."),
            code="match.other_kind",
        )
    if supplier.pk not in ranker.index.offers:
        raise DomainError(
            _("This enterprise has published nothing that could be compared."),
            code="match.nothing_offered",
        )


@transaction.atomic
def end_matches_of_line(*, line: RequirementLine, by: User | None = None) -> int:
    """A filled, withdrawn or closed line has no matches any more; decisions stay on record."""
    ended = _end(Match.objects.filter(line=line))
    if ended:
        audit.record(by, "match.ended", line, matches=ended)
        changes.record("line", line, "unmatched")
    return ended


@transaction.atomic
def end_matches_of_enterprise(*, enterprise: Enterprise, by: User | None = None) -> int:
    """A suspended or merged enterprise is out of every line, and so are its own lines."""
    rows = Match.objects.filter(
        Q(supplier=enterprise) | Q(line__requirement__enterprise=enterprise)
    )
    ended = _end(Match.objects.filter(pk__in=rows.values("pk")))
    if ended:
        audit.record(by, "match.ended", enterprise, matches=ended)
        changes.record("enterprise", enterprise, "unmatched")
    return ended


# -- for pages ------------------------------------------------------------------------------------


def pending_ids(requirements: Iterable[Requirement]) -> set[int]:
    """Those of the requirements whose lines still wait for a worker; one query, however many there are."""
    rows = {row.pk: row for row in requirements if row.is_accepted}
    if not rows:
        return set()
    done = MatchRun.objects.filter(
        Q(scope=MatchRun.Scope.ALL) | Q(scope=MatchRun.Scope.REQUIREMENT, requirement__in=rows),
        status=MatchRun.Status.DONE,
    )
    latest = dict(done.order_by().values_list("requirement").annotate(Max("created_at")))
    waiting = set()
    for pk, row in rows.items():
        runs = [at for at in (latest.get(None), latest.get(pk)) if at is not None]
        since = row.amended_at or row.approved_at
        if not runs or (since is not None and max(runs) < since):
            waiting.add(pk)
    return waiting


def pending(requirement: Requirement) -> bool:
    """Its matches are not there yet: approved or amended since the last run over it."""
    return requirement.pk in pending_ids([requirement])
