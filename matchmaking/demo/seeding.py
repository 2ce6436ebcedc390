"""The demo from its seed to its last decision, in one transaction: interrupted, it leaves no row behind."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from chains import audit
from chains.doorbell import quiet
from chains.models import Change, ChangeReader, Notification, Region, Requirement, RequirementLine
from events.services import events
from matchmaking import adapters
from matchmaking.demo import gatherings, participants, postings
from matchmaking.demo.clock import at, days_ago, gathered, turned
from matchmaking.demo.decisions import NIGHT, Reviewed
from matchmaking.demo.history import History, know_unclaimed
from matchmaking.demo.reading import Reading, reading
from matchmaking.engine.encoder import NoEncoder
from matchmaking.market import forget, taxonomy
from matchmaking.models import MatchRun, RunShard
from matchmaking.services import runs, scoring
from matchmaking.tasks import lease

Tell = Callable[[str], None]
_READERS = ("matching", "events")


def seed_demo(*, seed: int, factor: float, tell: Tell) -> dict[str, Any]:
    """Returns what is true about it and stands nowhere in the application."""
    market = participants.plan(seed, factor)
    asked = postings.plan(seed, market)
    history = History(market, asked)
    season = gatherings.Season(seed, factor, market)
    with (
        reading(_texts(market, asked)) as read,
        quiet(),
        _seldom_swept(),
        transaction.atomic(),
        _without_savepoints(),
    ):
        step = partial(timed, tell=tell)
        step("desks", history.found_province)
        step("participants", history.register_all)
        step("events", lambda: season.announce(history.bodies, history.users))
        step("requirements", lambda: _post(history, season))
        step("guests", lambda: season.let_register(history.bodies, history.users))
        know_unclaimed(market, round(40 * factor))
        step("reading", lambda: keep(read))
        step("matching", match_everything)
        with gathered():
            step("decisions", Reviewed(history, seed).decide)
        close(size="demo", seed=seed, factor=factor)
    return {
        "seed": seed,
        "broken": market.broken,
        "single": {s: history.bodies[k].public_id for s, k in market.single.items()},
        **history.truth,
    }


def timed(name: str, work: Callable[[], object], tell: Tell) -> None:
    """On a busy machine only the processor's time tells what a step costs."""
    began, worked = time.monotonic(), time.process_time()
    work()
    passed, worked = time.monotonic() - began, time.process_time() - worked
    tell(f"{name}: {passed:.1f} s, {worked:.1f} s of processor")


def _texts(market: participants.Market, asked: list[postings.Posting]) -> list[str]:
    """All that will be compared: the register's own words, then what the plan says."""
    if isinstance(adapters.encoder().inner, NoEncoder):
        return []
    terms = [term for leaf in taxonomy().leaves for term in leaf.terms]
    offers = [text for one in market.people for offer in one.offers for text in offer.texts]
    return [*terms, *offers, *(line.full_text for one in asked for line in one.lines)]


def keep(read: Reading) -> None:
    """Store the vectors that the other process has found meanwhile."""
    if read.texts:
        adapters.KeptEncoder(read).encode(read.texts)


@contextmanager
def _seldom_swept() -> Iterator[None]:
    """What is loaded by now stays for good: looking through it for rubbish again and again takes a twentieth."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@contextmanager
def _without_savepoints() -> Iterator[None]:
    """Each service would set one and lift it again, a third of all statements. A refusal ends the seed anyway."""
    features = connection.features
    features.uses_savepoints = False
    try:
        yield
    finally:
        del features.uses_savepoints  # the class says what the database can


def _post(history: History, season: gatherings.Season) -> None:
    """Everything asked for; some of it on the list of the opening event, held back until its moment."""
    opening, by = season.events[gatherings.OPENING], history.users["province"]

    def hold_back(requirement: Any) -> None:
        events.list_requirement(event=opening, requirement=requirement, by=by, is_featured=True)

    history.post_all(hold_back)
    listed = 0
    with at(days_ago(1.5)):
        for posting, requirement in history.requirements:
            package = posting.owner == "buyer" and len(posting.lines) == 16
            if posting.state != "published" or not (posting.project or posting.is_urgent):
                continue
            if listed < 14 or package:
                events.list_requirement(
                    event=opening, requirement=requirement, by=by, is_featured=package
                )
                listed += 1


def match_everything() -> None:
    """Here and now, so that the first page shows matches before any worker has started: one run over everything in
    the night after which reviewers began, then one for each requirement that came later."""
    # Matches and scores are left out: told that they are empty, the planner would go through them row by row.
    analyse("chains")
    forget()
    night = days_ago(NIGHT, 2)
    earlier = RequirementLine.objects.scored().filter(requirement__published_at__lte=night)
    with turned(night):
        _score(runs.start(everything=True, lines=earlier, by=None))
    later = Requirement.objects.scored().exclude(published_at__lte=night)
    for requirement in later.select_related("enterprise__region").order_by("pk"):
        _score(runs.start(requirement=requirement, by=None))
    analyse("matchmaking", "events")


def _score(run: MatchRun) -> None:
    for pk in run.shards.order_by("number").values_list("pk", flat=True):
        shard = RunShard.objects.claim(pk, lease())
        if shard is not None:
            scoring.score(shard=shard)
    run.refresh_from_db()
    if run.status != MatchRun.Status.DONE:
        raise RuntimeError(f"{run.get_scope_display()}: the run ended as {run.status}.")


def analyse(*packages: str) -> None:
    """Tell the planner what has been written; inside a transaction nobody else does."""
    tables = [
        connection.ops.quote_name(model._meta.db_table)
        for package in packages
        for model in apps.get_app_config(package).get_models()
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def close(*, size: str, seed: int, factor: float) -> None:
    """Say in the trail what stands, and leave nothing to do: no mails, readers of the feed begin behind it."""
    audit.record(
        None, "demo.seeded", Region.objects.get(code="330000"), size=size, seed=seed, factor=factor
    )
    Notification.objects.filter(channel="email", status="unsent").update(status="stopped")
    last = Change.objects.order_by("transaction", "pk").last()
    if last is not None:
        for name in _READERS:
            ChangeReader.objects.update_or_create(
                name=name, defaults={"transaction": last.transaction, "change": last.pk}
            )
