from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from matchmaking.models import Match, MatchRun
from tests.factories.chains import RequirementFactory
from tests.factories.matchmaking import supplier
from tests.matchmaking.services.test_runs import ASKED, BOX

pytestmark = pytest.mark.django_db


def say(*arguments):
    out = io.StringIO()
    call_command("match", *arguments, stdout=out)
    return out.getvalue().strip()


def test_match_here_does_the_work_of_a_worker():
    supplier(BOX)
    requirement = RequirementFactory(lines=[ASKED])

    said = say("--requirement", requirement.public_id, "--here")

    run = MatchRun.objects.get()
    assert said == f"Run {run.public_id}: done, 1 of 1 lines."
    assert Match.objects.count() == 1


def test_match_leaves_the_work_to_the_workers():
    RequirementFactory(lines=[ASKED, ASKED])

    assert say("--all").endswith("queued, 0 of 2 lines.")


def test_match_dry_run_starts_nothing():
    RequirementFactory(lines=[ASKED])

    assert say("--all", "--dry-run") == "1 open lines would be matched at most."
    assert not MatchRun.objects.exists()


def test_match_of_something_unknown_says_so():
    with pytest.raises(CommandError, match=r"There is no line nowhere\."):
        call_command("match", "--line", "nowhere")


def test_match_that_is_refused_says_so_in_the_language_of_its_other_words():
    draft = RequirementFactory(lines=[ASKED], status="draft")

    with (
        translation.override("zh-hans"),
        pytest.raises(CommandError, match="Only open lines of approved requirements"),
    ):
        call_command("match", "--requirement", draft.public_id)
