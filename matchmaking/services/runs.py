"""Runs: every open line against every supplier, in shards that survive the worker that works on them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, sweeping
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import (
    Capability,
    Enterprise,
    Region,
    Requirement,
    RequirementLine,
    User,
)
from matchmaking import adapters, permissions
from matchmaking.models import Match, MatchRun, RunShard, Weighting

# An error that stays after so many tries will stay; a worker may be killed oftener than that.
ATTEMPTS = 3
CLAIMS = 20
SHARDS_STAY = datetime.timedelta(days=7)
RETIRED_AT_ONCE = 1000
ALLOWED_EVERY = datetime.timedelta(hours=1)
# What a shard should take: long beside the cost of a task, short beside a worker's lease.
_SHARD_SECONDS = 1.0
# Of what is left at the end of a long run a worker takes this part at a time, and not less than so many lines or the
# same part of a shard.
_LAST_IN, _LEAST_LINES = 4, 10


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
    # Lines of one kind find the same texts, and what a shard has read of one it need not read for the next.
    kind = Coalesce("category__code", "category_suggested__code")
    ids = list(chosen.order_by(kind, "pk").values_list("pk", flat=True))
    _one_after_another(scope, requirement or line or enterprise)
    if by is not None and line is not None:
        _refuse_too_soon(line, by)
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
    RunShard.objects.bulk_create(
        RunShard(run=run, number=number, line_ids=own)
        for number, own in enumerate(_cut(ids, _lines_per_shard()), 1)
    )
    audit.record(by, "run.started", run, scope=scope, lines=len(ids))
    changes.record("run", run, "started")
    _ring_for(run, 0, settings.MATCHING_SHARDS_AHEAD)
    finish_if_done(run, by)
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
    if enterprise is not None and not enterprise.is_verified:
        raise DomainError(
            _("Only verified enterprises are matched. This one waits for its desk."),
            code="run.not_verified",
        )


def _refuse_too_soon(line: RequirementLine, by: User) -> None:
    """An owner's own line once an hour; desks as often as they need. Asked by one after another: of many requests at
    once each would find none before it."""
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
    milliseconds = 5 + texts / 10_000
    return max(1, min(200, int(1000 * _SHARD_SECONDS / milliseconds)))


def _cut(ids: list[int], size: int) -> Iterator[list[int]]:
    """Lines in shards of one size, and the last ones of a long run in ever smaller: workers that share it end together,
    not one of them a shard later (guided self-scheduling, Polychronopoulos and Kuck 1987)."""
    is_long = len(ids) > _LAST_IN * size
    least = max(1, min(_LEAST_LINES, size // _LAST_IN))
    begin = 0
    while begin < len(ids):
        left = len(ids) - begin
        step = min(size, max(left // _LAST_IN, least)) if is_long else size
        if left - step < least:
            step = left
        yield ids[begin : begin + step]
        begin += step


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


def ring_next(run: MatchRun) -> None:
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


# -- ending a run ---------------------------------------------------------------------------------


def finish_if_done(run: MatchRun, by: User | None) -> None:
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
    _end_what_has_closed(run)
    audit.record(by, "run.finished", run, lines=run.lines_total)
    changes.record("run", run, "finished")
    _ring_for_the_one_behind(run)


def _end_what_has_closed(run: MatchRun) -> None:
    """A supplier or a line may have closed while its shard was being ranked. Asked in three plain questions: in one the
    database has to guess how many rows there are, and a first run fills tables that it knows as empty."""
    lines = {pk for ids in run.shards.values_list("line_ids", flat=True) for pk in ids}
    scored = RequirementLine.objects.scored().filter(pk__in=lines)
    open_still = set(scored.values_list("pk", flat=True))
    Match.objects.live().filter(line__in=lines - open_still).end()
    without_supplier = (
        Match.objects.live()
        .filter(line__in=open_still)
        .exclude(supplier__status=Enterprise.Status.VERIFIED)
    )
    Match.objects.filter(pk__in=list(without_supplier.values_list("pk", flat=True))).end()


@transaction.atomic
def finish(*, run: MatchRun, by: User | None = None) -> None:
    """End a run whose shards are all done; for the sweeper, after a worker died between the two."""
    finish_if_done(run, by)


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


# -- for pages ------------------------------------------------------------------------------------


def standing(requirement: Requirement) -> Literal["", "pending", "stopped"]:
    """Whether its matches are there: approved or amended since the last run over it, they are not. A run that failed or
    was cancelled brings none, however long one waits."""
    if not requirement.is_accepted:
        return ""
    rows = MatchRun.objects.filter(
        Q(scope=MatchRun.Scope.ALL) | Q(scope=MatchRun.Scope.REQUIREMENT, requirement=requirement)
    )
    since = requirement.amended_at or requirement.approved_at
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    ends = set(rows.order_by().values_list("status", flat=True).distinct())
    if MatchRun.Status.DONE in ends:
        return ""
    return "stopped" if ends and ends <= MatchRun.STOPPED else "pending"
