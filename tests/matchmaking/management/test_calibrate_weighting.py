from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from chains.models import AuditEntry
from matchmaking.models import MatchRun, Weighting
from tests.factories.chains import OrganiserRoleFactory, region
from tests.factories.matchmaking import draft_weighting, reviewed_market

pytestmark = pytest.mark.django_db
HERE = ("--province", "330000")


def say(*arguments):
    out = io.StringIO()
    call_command("calibrate_weighting", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def desk():
    zhejiang = region("330000")
    return OrganiserRoleFactory(region=zhejiang, body__region=zhejiang).user


def test_look_reports_bands_and_writes_nothing():
    reviewed_market(requirements=3)

    said = say(*HERE)

    assert said.startswith(
        "In force: version 1: text 45, category 25, conditions 20, locality 10\n"
    )
    assert "Decisions that teach: 24 on 3 requirements" in said
    assert "Too few to learn from." in said
    assert [line.split()[0] for line in said.splitlines()[-5:]] == ["0-20", "20-40", "40-60", "60-80", "80-100"]  # fmt: skip
    assert sum(int(line.split()[1]) for line in said.splitlines()[-5:]) == 24
    assert Weighting.objects.count() == 1


def test_learn_drafts_and_activate_needs_a_person_with_the_right(desk):
    reviewed_market()

    said = say(*HERE, "--learn")

    assert "Version 2 is drafted from 256 decisions." in said
    assert "The new version is better on decisions it was not learned from." in said
    assert "precision@10" in said
    draft = Weighting.objects.get(status="draft")
    for missing, words in (
        ((), "A weighting is put in force by a person"),
        (("--by", "nobody@example.com"), "There is no account nobody@example.com."),
        (("--by", OrganiserRoleFactory().user.email, "--reason", "r"), "Only an organiser at province level"),
        (("--by", desk.email), "Write why the weighting changes"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match=words):
            say(*HERE, "--activate", "2", *missing)
    assert Weighting.objects.get(pk=draft.pk).status == "draft"

    say(*HERE, "--activate", "2", "--by", desk.email, "--reason", "near ones")

    assert Weighting.objects.get(pk=draft.pk).status == "active"
    assert AuditEntry.objects.get(action="weighting.activated").actor == desk.pk
    say(*HERE, "--roll-back", "1", "--by", desk.email, "--reason", "back")
    assert Weighting.objects.get(pk=draft.pk).status == "retired"
    assert MatchRun.objects.filter(scope="all").count() == 2


def test_refusals_speak_the_language_of_what_the_command_prints():
    with (
        translation.override("zh-hans"),
        pytest.raises(CommandError, match="Needed are 200 on 30 requirements"),
    ):
        say(*HERE, "--learn")


def test_learning_from_too_few_says_how_many_are_needed():
    with pytest.raises(CommandError, match="Needed are 200 on 30 requirements"):
        say(*HERE, "--learn")


def test_preview_counts_and_writes_nothing():
    reviewed_market(requirements=2)
    draft_weighting(region("330000"), text=15, locality=40)

    said = say(*HERE, "--preview", "2")

    assert said.startswith("Of 2 lists of open lines (2 are open), ")
    assert said.count("\n") == 11
    assert not MatchRun.objects.exists()


def test_unknown_province_and_version_are_named():
    with pytest.raises(CommandError, match=r"There is no province 1\."):
        say("--province", "1")
    with pytest.raises(CommandError, match=r"There is no version 9\."):
        say("--preview", "9")
