from __future__ import annotations

import pytest

from chains.models import AuditEntry, Change, RequirementLine
from matchmaking import adapters, tasks
from matchmaking.models import Match, MatchRun, RunShard, Score
from matchmaking.services import matching
from tests.factories.chains import EnterpriseFactory, RequirementFactory
from tests.factories.matchmaking import supplier, weighting_1

pytestmark = pytest.mark.django_db

BOX = "三分体接线盒，1500 V，25 A，IP68，适配 210 组件"
FRAME = "光伏组件铝合金边框，阳极氧化，6063-T5"


def work(run: MatchRun) -> MatchRun:
    """Do what the worker does for all shards."""
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)
    run.refresh_from_db()
    return run


def test_run_over_a_requirement_proposes_the_right_supplier_first():
    maker, other = supplier(BOX), supplier(FRAME)
    requirement = RequirementFactory(lines=["采购三分体接线盒，1500 V，IP68", "组件铝边框"])

    run = work(matching.start(requirement=requirement, by=None))

    assert (run.status, run.lines_done, run.lines_total) == ("done", 2, 2)
    best = [
        line.matches.by_score().values_list("supplier", flat=True)[0]
        for line in requirement.lines.order_by("number")
    ]
    assert best == [maker.pk, other.pk]
    match = Match.objects.by_score().filter(line__number=1).first()
    assert match.status == "proposed"
    assert sum(part["tenths"] for part in match.score.parts) == match.tenths == match.score.tenths
    assert match.score.capability == maker.capabilities.get()
    assert match.score.engine_version == adapters.engine_version()
    assert match.score.weighting == weighting_1()
