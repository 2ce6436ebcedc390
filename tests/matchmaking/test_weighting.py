from __future__ import annotations

import dataclasses
from importlib import import_module

import pytest

from matchmaking.engine.weights import WEIGHTING_1
from matchmaking.models import Weighting

shipped = import_module("matchmaking.migrations.0002_weighting_1")


def test_migration_ships_the_constants_of_the_engine():
    """A change of the constants is a new version with a migration of its own, never an edit of the first one."""
    assert dataclasses.asdict(WEIGHTING_1) == shipped.WEIGHTS


@pytest.mark.django_db
def test_first_weighting_of_an_installation_is_that_of_the_engine():
    row = Weighting.objects.get(version=1, province=None)

    assert (row.status, row.weights) == ("active", dataclasses.asdict(WEIGHTING_1))
