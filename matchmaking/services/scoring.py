"""Scores of a shard written down: all of them, or nothing."""

from __future__ import annotations

import datetime
import gc
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from chains import audit, changes
from chains.models import Category, RequirementLine, User
from chains.models.base import ALPHABET
from matchmaking import adapters
from matchmaking.database.planner import look_up_by_index
from matchmaking.engine.proposals import Reading
from matchmaking.engine.scoring import KEPT
from matchmaking.engine.selection import kept
from matchmaking.models import Match, MatchRun, RunShard, Score
from matchmaking.services import findings
from matchmaking.services.findings import Finding
from matchmaking.services.runs import finish_if_done, ring_next


class LostError(Exception):
    """The shard is no longer this worker's: its lease ran out, or the run was cancelled. Nothing is written."""


class _MovedError(Exception):
    """A score that was to stay has been replaced, or its match has ended, while the lines were ranked."""


def score(*, shard: RunShard, by: User | None = None) -> None:
    """Score a claimed shard and write all of it, or nothing: repeated, it leaves the same rows."""
    run = shard.run
    MatchRun.objects.filter(pk=run.pk, status=MatchRun.Status.QUEUED).update(
        status=MatchRun.Status.RUNNING, started_at=timezone.now()
    )
    with _no_garbage():
        try:
            _settle(shard, findings.find(run, shard.line_ids), by)
        except _MovedError:
            # With every score made anew there is none that could move.
            _settle(shard, findings.find(run, shard.line_ids, anew=True), by)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """What a shard finds are hundreds of thousands of values that all stay until it is written: looking for garbage
    among them, over and over, would cost a sixth of finding them. What it leaves is kept for the next shard, and goes
    by itself when nobody names it any more: nobody looks through that either."""
    if not gc.isenabled():
        yield
        return
    # What is garbage already would stay with it.
    gc.collect()
    gc.disable()
    try:
        yield
        # Not after an error: one of the database is tied to its own traceback, and through that to all that was found.
        gc.freeze()
    finally:
        gc.enable()


@transaction.atomic
def _settle(shard: RunShard, finding: Finding, by: User | None) -> None:
    run = shard.run
    look_up_by_index()
    held = RunShard.objects.filter(
        pk=shard.pk, status=RunShard.Status.RUNNING, attempts=shard.attempts
    )
    # From here until the end nobody else can claim it.
    if not held.update(status=RunShard.Status.DONE, lease_until=None):
        raise LostError
    lines, written = _write(run, finding)
    if run.enterprise_id is None:
        RunShard.objects.filter(pk=shard.pk).update(settled_ids=sorted(lines))
    # The run's row is locked last and for a moment: its shards count themselves one after another.
    counted = MatchRun.objects.filter(pk=run.pk, status=MatchRun.Status.RUNNING).update(
        lines_done=F("lines_done") + len(shard.line_ids),
        scores_written=F("scores_written") + written,
    )
    if not counted:
        raise LostError
    audit.record(
        by,
        "run.scored",
        run,
        shard=shard.number,
        lines=len(finding.needs),
        matches=len(finding.scores) + len(finding.unchanged),
    )
    changes.record("run", run, "scored", wake=False)
    ring_next(run)
    finish_if_done(run, by)


def _write(run: MatchRun, finding: Finding) -> tuple[set[int], int]:
    """Matches, scores and suggested categories of a shard, under a lock on its lines; says which lines it settled, and
    how many scores it wrote."""
    lines = _as_ranked(finding, locked(finding.needs))
    # A later run has read all that this one has, and perhaps more; what it left as it was does not name it.
    lines.difference_update(*RunShard.objects.settled_later(run, lines))
    stored = _stored(run, finding, lines)
    _refuse_moved(finding, stored, lines)
    for match in stored:
        if match.scored_later:
            # A worker that was slow knows less than what has been written meanwhile.
            finding.scores.pop((match.line_id, match.supplier_id), None)
    if run.enterprise_id is not None:
        _leave_out_the_rest(finding, stored, run.enterprise_id)
    known = {(match.line_id, match.supplier_id): match for match in stored}
    scores = {pair: row for pair, row in finding.scores.items() if pair[0] in lines}
    if scores:
        _write_scores(run, finding, scores, known)
    stale = [
        match.pk
        for match in stored
        if match.status in Match.DECIDED
        and not match.scored_later
        and _rests_on_other_words(match, finding)
    ]
    Match.objects.filter(pk__in=stale).update(is_stale=True)
    fallen = [
        match.pk
        for match in stored
        if match.status == Match.Status.PROPOSED
        and not match.scored_later
        and (match.line_id, match.supplier_id) not in scores
        and (match.line_id, match.supplier_id) not in finding.unchanged
        and run.enterprise_id in (None, match.supplier_id)
    ]
    Match.objects.filter(pk__in=fallen).end()
    drop_old_scores({match.line_id for match in stored} & {line for line, _ in scores})
    suggest_categories(
        suggested={line: read for line, read in finding.suggested.items() if line in lines}
    )
    return lines, len(scores)


class _Stored(NamedTuple):
    """What writing needs of a match: making rows into models would take as long as finding them."""

    pk: int
    line_id: int
    supplier_id: int
    status: str
    score_id: int | None
    tenths: int
    misses_must: bool
    basis: str | None
    scored_later: bool


def _stored(run: MatchRun, finding: Finding, lines: Collection[int]) -> list[_Stored]:
    """The matches of the lines as they stand, in a fixed order."""
    rows = Match.objects.filter(line__in=lines).order_by("line_id", "supplier_id")
    columns = ("pk", "line_id", "supplier_id", "status", "score_id", "tenths", "misses_must")
    matches = list(rows.values_list(*columns))
    # Asked apart, as when finding.
    scores = Score.objects.filter(pk__in=[match[4] for match in matches])
    about = {
        pk: (basis, _is_later(run, finding, by, at))
        for pk, basis, by, at in scores.values_list("pk", "basis", "run_id", "created_at")
    }
    return [_Stored(*match, *about.get(match[4], (None, False))) for match in matches]


def _is_later(run: MatchRun, finding: Finding, by: int | None, at: datetime.datetime) -> bool:
    """Of a run that was started after this one, or computed on request after this one began to read the market.
    Whatever changed since has a run of its own that is later still."""
    return at > finding.began if by is None else by > run.pk


def _refuse_moved(finding: Finding, stored: Sequence[_Stored], lines: Collection[int]) -> None:
    """What was to stay must stand, or have been scored by a later run."""
    standing = {
        (match.line_id, match.supplier_id)
        for match in stored
        if match.scored_later
        or (
            match.status != Match.Status.ENDED
            and match.score_id == finding.unchanged.get((match.line_id, match.supplier_id))
        )
    }
    if any(pair[0] in lines and pair not in standing for pair in finding.unchanged):
        raise _MovedError


def _write_scores(
    run: MatchRun,
    finding: Finding,
    scores: Mapping[tuple[int, int], adapters.ScoreRow],
    known: Mapping[tuple[int, int], _Stored],
) -> None:
    """The scores, and matches where a pair has none. Their ids are drawn first, so that a match is written once, with
    its score."""
    now = str(timezone.now())
    fresh = sorted(pair for pair in scores if pair not in known)
    ids = {pair: match.pk for pair, match in known.items()}
    ids |= zip(fresh, _drawn(Match, len(fresh)), strict=True)
    score_ids = dict(zip(scores, _drawn(Score, len(scores)), strict=True))
    alike = f"{now}\t{now}\t{Match.Status.PROPOSED.value}\tfalse\t{Match.Origin.ENGINE.value}"
    _copy(
        Match,
        "id public_id line_id supplier_id score_id tenths misses_must"
        " created_at updated_at status is_stale origin",
        [
            f"{ids[pair]}\t{public_id}\t{pair[0]}\t{pair[1]}\t{score_ids[pair]}"
            f"\t{scores[pair].tenths}\t{scores[pair].misses_must}\t{alike}"
            for pair, public_id in zip(fresh, _public_ids(len(fresh)), strict=True)
        ],
    )
    alike = f"{run.pk}\t{run.engine_version}\t{now}\t{now}"
    _copy(
        Score,
        f"id match_id weighting_id run_id engine_version created_at updated_at {adapters.SCORE_COLUMNS}",
        [
            f"{pk}\t{ids[pair]}\t{finding.weightings[pair[0]]}\t{alike}\t{scores[pair].columns}"
            for pair, pk in score_ids.items()
        ],
    )
    if replaced := [score_ids[pair] for pair in scores if pair in known]:
        _point_to(replaced)


def _drawn(model: type[Match | Score], count: int) -> list[int]:
    """Ids that nobody else will get."""
    with connection.cursor() as cursor:
        # In a query of its own the sequence is looked up once.
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _copy(model: type[Match | Score], columns: str, rows: Sequence[str]) -> None:
    """Rows by COPY, as one text: thousands of scores with their reasons as parameters, or value by value, would cost
    more than finding them. Columns stand apart by a space, values by a tab.

    Only JSON holds a backslash, and it knows no tab and no end of a line but as `\\t` and `\\n`: doubling it is all there
    is to escape. Nothing is an empty text, so that stands for null, which needs no backslash of its own.
    """
    names = columns.replace(" ", ", ")
    statement = f"COPY {model._meta.db_table} ({names}) FROM STDIN (NULL '')"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write("\n".join(rows).replace("\\", "\\\\"))


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


def locked(needs: Collection[int]) -> set[int]:
    """Lines that are still to be scored; runs that meet on one wait here, in one order."""
    rows = RequirementLine.objects.scored().filter(pk__in=needs).order_by("pk")
    return set(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _as_ranked(finding: Finding, lines: Collection[int]) -> set[int]:
    """Without the lines that were amended while they were being ranked: their own run may have written already,
    and will if it has not."""
    today = adapters.bases(RequirementLine.objects.filter(pk__in=lines))
    return {line for line, basis in today.items() if basis == finding.basis_of(line)}


def _leave_out_the_rest(finding: Finding, stored: Sequence[_Stored], supplier: int) -> None:
    """A single supplier joins the best of a line only if it stands among them; who is pushed out ends."""
    rivals: dict[int, list[tuple[bool, int, int]]] = defaultdict(list)
    own = {match.line_id: match for match in stored if match.supplier_id == supplier}
    for match in stored:
        if match.status != Match.Status.ENDED and match.supplier_id != supplier:
            rivals[match.line_id].append((match.misses_must, match.tenths, match.supplier_id))
    pushed: list[tuple[int, int]] = []
    for (line, offer), row in list(finding.scores.items()):
        mine = own.get(line)
        misses, tenths, ids = zip(*rivals[line], (row.misses_must, row.tenths, offer), strict=True)
        places = kept(np.array(misses), np.array(tenths), np.array(ids), KEPT)
        best = {ids[place] for place in places.tolist()}
        if offer in best:
            pushed += [(line, rival) for rival in ids if rival not in best]
        elif mine is None or mine.status not in Match.DECIDED:
            del finding.scores[line, offer]
    proposed = {
        (match.line_id, match.supplier_id): match.pk
        for match in stored
        if match.status == Match.Status.PROPOSED and not match.scored_later
    }
    Match.objects.filter(pk__in=[proposed[pair] for pair in pushed if pair in proposed]).end()


def _rests_on_other_words(match: _Stored, finding: Finding) -> bool:
    """Text, category or a must condition has changed since the score the decision was made on."""
    said = finding.said.get((match.line_id, match.supplier_id))
    if not match.basis or said is None:
        return False
    asked, _colon, offered = match.basis.partition(":")
    return asked != finding.basis_of(match.line_id) or offered not in said


def _point_to(scores: Collection[int]) -> None:
    """Make these the current ones of matches that had others. An ended pair that is among the best again is proposed
    anew."""
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
             WHERE s.match_id = m.id AND s.id = ANY(%s)
            """,
            [list(scores)],
        )


def drop_old_scores(lines: Collection[int]) -> None:
    """Kept are the current ones and those decided on. The lines of a shard bound the work."""
    if not lines:
        return
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
