"""Keys that no constraint looks after (ADR 29): what they name is there when they are written, and triggers keep it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from matchmaking import market
from matchmaking.models import Match, Score
from tests.factories.chains import CapabilityFactory, RequirementFactory
from tests.factories.matchmaking import forget_fingerprints, supplier
from tests.matchmaking.services.test_runs import ASKED, BOX, FRAME, rescore

pytestmark = pytest.mark.django_db


def unconstrained():
    """By "model.field"."""
    return {
        f"{model.__name__}.{field.name}": field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.remote_field is not None and not getattr(field, "db_constraint", True)
    }


def delete(row):
    """Past all that Django itself would ask."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


def test_keys_without_a_constraint_are_those_that_a_run_writes_for_each_pair():
    assert sorted(unconstrained()) == [
        "Match.line",
        "Match.score",
        "Match.supplier",
        "Score.capability",
        "Score.match",
        "Score.run",
        "Score.weighting",
    ]


def test_whatever_they_name_stands_after_runs_that_write_anew_and_replace():
    supplier(BOX), supplier(FRAME)
    requirement = RequirementFactory(lines=[ASKED, "边框"])
    rescore(requirement)
    supplier("光伏接线盒与连接器")
    forget_fingerprints()
    market.forget()
    rescore(requirement)

    assert Score.objects.count() == Match.objects.count() == 6
    assert Match.objects.filter(score__match=F("pk")).count() == 6
    for field in unconstrained().values():
        named = field.model._default_manager.exclude(**{field.attname: None})
        known = field.related_model._default_manager.values("pk")
        assert named.exists()
        assert not named.exclude(**{f"{field.attname}__in": known}).exists(), field


@pytest.mark.parametrize("name", sorted(unconstrained()))
def test_what_they_name_is_not_deleted(name):
    supplier(BOX)
    rescore(RequirementFactory(lines=[ASKED]))
    field = unconstrained()[name]
    row = field.model._default_manager.select_related(field.name).get()

    with pytest.raises(DatabaseError, match=r"Cannot delete rows|is still named"):
        delete(getattr(row, field.name))


def test_score_that_no_match_names_any_more_and_a_draft_that_none_names_may_go():
    supplier(BOX)
    rescore(RequirementFactory(lines=[ASKED]))
    match, draft = Match.objects.get(), CapabilityFactory(status="draft")
    line = RequirementFactory(status="draft", lines=["边框"]).lines.get()
    score = match.score
    Match.objects.update(score=None)

    for row in (score, match, draft, line):
        delete(row)
        assert not type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("status", ["approved", "published", "closed"])
def test_a_line_stays_that_was_accepted_once(status):
    why = "filled" if status == "closed" else ""
    line = RequirementFactory(status=status, close_reason=why, lines=["边框"]).lines.get()

    with pytest.raises(DatabaseError, match="once they were accepted"):
        delete(line)
