from __future__ import annotations

import pytest
from django.urls import reverse

from matchmaking.models import MatchRun
from matchmaking.services import calibration, runs
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    region,
)
from tests.factories.matchmaking import MatchRunFactory, draft_weighting
from tests.matchmaking.services.test_runs import ASKED

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(client):
    user = OrganiserRoleFactory().user
    client.force_login(user)
    return user


def test_organiser_starts_a_run_and_lands_on_its_progress(client, organiser):
    requirement = RequirementFactory(lines=[ASKED])
    page = client.get(reverse("matchmaking:run_list"))
    assert f'<option value="{requirement.public_id}"' in page.content.decode()

    answer = client.post(reverse("matchmaking:run_start"), {"requirement": requirement.public_id})

    run = MatchRun.objects.get()
    assert (run.requirement, run.asked_by) == (requirement, organiser)
    assert answer.url == reverse("matchmaking:run_detail", args=[run.public_id])
    shown = client.get(answer.url).content.decode()
    assert '<progress class="w-100" id="progress" max="1" value="0">' in shown
    assert 'hx-trigger="every 2s"' in shown
    assert "It waits for a worker." in shown


def test_progress_is_swapped_alone_and_stops_asking_when_the_run_is_over(client, organiser):
    run = MatchRunFactory(
        scope="requirement",
        requirement=RequirementFactory(lines=[ASKED]),
        lines_total=4,
        lines_done=4,
    )

    html = client.get(
        reverse("matchmaking:run_detail", args=[run.public_id]), headers={"HX-Request": "true"}
    ).content.decode()

    assert html.strip().startswith('<section id="panel"')
    assert "hx-get" not in html
    assert 'max="4" value="4"' in html


def test_page_says_how_many_scores_a_run_has_written(client, organiser):
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=organiser)
    MatchRun.objects.filter(pk=run.pk).update(scores_written=4321)

    page = client.get(reverse("matchmaking:run_detail", args=[run.public_id])).content.decode()

    assert "4,321" in page


def test_run_of_another_region_is_not_there(client, organiser):
    elsewhere = RequirementFactory(
        enterprise=EnterpriseFactory(region=region("330106")), lines=[ASKED]
    )
    run = runs.start(requirement=elsewhere, by=None)
    detail = reverse("matchmaking:run_detail", args=[run.public_id])
    cancel = reverse("matchmaking:run_cancel", args=[run.public_id])

    assert run.public_id not in client.get(reverse("matchmaking:run_list")).content.decode()
    assert client.get(detail).status_code == 404
    assert client.post(cancel).status_code == 404
    start = client.post(reverse("matchmaking:run_start"), {"requirement": elsewhere.public_id})
    assert start.status_code == 403


def test_owner_sees_the_own_run_and_no_other(client):
    requirement = RequirementFactory(lines=[ASKED])
    owner = MembershipFactory(enterprise=requirement.enterprise).user
    client.force_login(owner)
    other = runs.start(requirement=requirement, by=None)

    answer = client.post(
        reverse("matchmaking:run_start"), {"line": requirement.lines.get().public_id}
    )
    again = client.post(
        reverse("matchmaking:run_start"), {"line": requirement.lines.get().public_id}, follow=True
    )

    own = MatchRun.objects.get(scope="line")
    assert answer.url == reverse("matchmaking:run_detail", args=[own.public_id])
    shown = again.content.decode()
    assert "within the last hour" in shown
    assert own.public_id in shown
    assert other.public_id not in shown


def test_office_finds_the_run_over_everything_that_a_new_weighting_started(client):
    user = OrganiserRoleFactory(region=region("330000")).user
    client.force_login(user)
    calibration.activate(weighting=draft_weighting(region("330000")), reason="试行", by=user)

    run = MatchRun.objects.get(scope="all")
    listed = client.get(reverse("matchmaking:run_list")).content.decode()
    page = client.get(reverse("matchmaking:run_detail", args=[run.public_id])).content.decode()
    rows = client.get("/api/v1/runs/").json()["results"]

    assert run.public_id in listed
    assert "Cancel the run" not in page
    assert [row["public_id"] for row in rows] == [run.public_id]


def test_cancel_ends_the_run(client, organiser):
    run = runs.start(requirement=RequirementFactory(lines=[ASKED]), by=organiser)

    shown = client.post(
        reverse("matchmaking:run_cancel", args=[run.public_id]), follow=True
    ).content.decode()

    run.refresh_from_db()
    assert run.status == "cancelled"
    assert "The run was cancelled." in shown
    assert "Cancel the run" not in shown


def test_everything_is_for_the_administrator(client, organiser):
    RequirementFactory(lines=[ASKED])
    assert client.post(reverse("matchmaking:run_start"), {"everything": "1"}).status_code == 403

    client.force_login(AdministratorFactory())
    client.post(reverse("matchmaking:run_start"), {"everything": "1"})

    assert list(MatchRun.objects.values_list("scope", "lines_total")) == [("all", 1)]


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_the_same_queries_whatever_its_length(
    client, organiser, count, django_assert_num_queries
):
    for _n in range(count):
        runs.start(requirement=RequirementFactory(lines=[ASKED]), by=None)
    client.get(reverse("matchmaking:run_list"))

    with django_assert_num_queries(8):
        client.get(reverse("matchmaking:run_list"))


def test_list_without_runs_says_what_starts_one(client, organiser):
    assert "No run yet" in client.get(reverse("matchmaking:run_list")).content.decode()
