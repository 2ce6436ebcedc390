from __future__ import annotations

import pytest
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils import translation

from chains.models import Province
from matchmaking.models import MatchRun, Weighting
from matchmaking.services import calibration
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)
from tests.factories.matchmaking import draft_weighting, reviewed_market, weighting_1

pytestmark = pytest.mark.django_db
PAGE = "/calibration/"


@pytest.fixture
def zhejiang():
    return region("330000")


@pytest.fixture
def desk(client, zhejiang):
    body = EnterpriseFactory(
        name="示例省经信厅", name_en="Demo Provincial Department", region=zhejiang
    )
    user = OrganiserRoleFactory(region=zhejiang, body=body).user
    client.force_login(user)
    return user


@pytest.fixture
def learned(zhejiang, desk):
    reviewed_market()
    return calibration.learn(province=zhejiang, by=desk)


def detail(weighting):
    return reverse("matchmaking:weighting_detail", args=[weighting.public_id])


def activation(weighting):
    return reverse("matchmaking:weighting_activate", args=[weighting.public_id])


def text(answer):
    return " ".join(answer.content.decode().split())


# --- The list -------------------------------------------------------------------------------------------


def test_too_few_decisions_are_counted_beside_what_is_needed_and_the_table_is_shown(client, desk):
    reviewed_market(requirements=3)

    html = text(client.get(PAGE))

    assert '<th scope="row" class="fw-normal">Decisions that teach</th><td class="num">24</td><td class="num">200</td>' in html  # fmt: skip
    assert '<td class="num">3</td><td class="num">30</td>' in html
    assert "Too few to learn from yet" in html
    assert "Draft a new version" not in html
    rows = html.split("Share approved</th>")[1].split("</table>")[0]
    assert rows.count('<th scope="row"') == 5
    assert "60–80</th>" in rows
    assert "Version 1</a>" in html
    assert "shipped with the software" in html


def test_nothing_decided_yet_says_so(client, desk):
    html = text(client.get(PAGE))

    assert "Nothing has been decided yet." in html
    assert '<td class="num">0</td><td class="num">200</td>' in html


def test_city_organiser_reads_and_gets_no_button(client):
    reviewed_market()
    client.force_login(OrganiserRoleFactory().user)

    html = text(client.get(PAGE))

    assert '<td class="num">256</td><td class="num">200</td>' in html
    assert "Draft a new version" not in html
    assert "An organiser at province level or the administrator can draft a new version." in html
    assert client.post(reverse("matchmaking:calibration_learn")).status_code == 403
    assert not Weighting.objects.filter(status="draft").exists()


def test_who_works_at_no_desk_is_refused(client):
    client.force_login(UserFactory())

    assert client.get(PAGE).status_code == 403
    assert client.post(reverse("matchmaking:calibration_learn")).status_code == 403


def test_other_province_is_not_there(client, desk):
    theirs = draft_weighting(region("440000"))

    assert client.get(PAGE, {"province": "440000"}).status_code == 404
    assert client.get(detail(theirs)).status_code == 404
    assert client.get(activation(theirs)).status_code == 404
    assert client.post(activation(theirs), {"reason": "mine"}).status_code == 404


def test_administrator_looks_at_all_together_or_at_one_province(client, zhejiang):
    Province.objects.get_or_create(region=zhejiang)
    reviewed_market(requirements=2)
    reviewed_market(requirements=1, region=region("440305"))
    client.force_login(AdministratorFactory())

    together, one = text(client.get(PAGE)), text(client.get(PAGE, {"province": "330000"}))

    assert '<td class="num">24</td><td class="num">200</td>' in together
    assert '<td class="num">16</td><td class="num">200</td>' in one
    assert '<option value="330000" selected>Zhejiang</option>' in one


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_the_same_queries_whatever_its_length(
    client, desk, zhejiang, count, django_assert_num_queries
):
    reviewed_market(requirements=count)
    for number in range(count):
        draft = draft_weighting(zhejiang, version=2 + number)
        calibration.activate(weighting=draft, reason="near ones", by=desk)
    client.get(PAGE)

    with django_assert_num_queries(15):
        html = text(client.get(PAGE))

    assert html.count("near ones") == count


# --- Learning and one version ---------------------------------------------------------------------------


def test_learning_drafts_a_version_and_leads_to_its_report(client, desk):
    reviewed_market()
    assert "Draft a new version" in text(client.get(PAGE))

    answer = client.post(reverse("matchmaking:calibration_learn"), follow=True)

    draft = Weighting.objects.get(status="draft")
    assert answer.redirect_chain[-1][0] == detail(draft)
    html = text(answer)
    assert "Version 2 is drafted. Nothing changes until it is activated." in html
    assert "puts approved suppliers further up than the old one" in html
    for title in ("Precision@10", "By industrial chain", "Does it favour the big ones?", "Chinese → Chinese"):  # fmt: skip
        assert title in html
    assert "Demo Provincial Department" in html
    old, new = (draft.report["measures"]["precision"][name] for name in ("old", "new"))
    assert floatformat(old, 3) in html
    assert floatformat(new, 3) in html


def test_history_names_the_person_to_the_own_office_and_the_administrator_alone(
    client, learned, desk
):
    role = desk.active_roles[0]
    readers = {
        "who did it": desk,
        "colleague": OrganiserRoleFactory(region=role.region, body=role.body).user,
        "analyst of the office": OrganiserRoleFactory(role="analyst", region=role.region, body=role.body).user,
        "administrator": AdministratorFactory(),
        "city": OrganiserRoleFactory().user,
    }  # fmt: skip
    offices, named = set(), {}
    for who, reader in readers.items():
        client.force_login(reader)
        pages = PAGE + "?province=330000", detail(learned)
        html = "".join(text(client.get(page)).split('<main id="main"')[1] for page in pages)
        if html.count("Demo Provincial Department") == 2:
            offices.add(who)
        named[who] = html.count(desk.email)

    assert offices == {*readers}
    assert named == {
        "who did it": 2, "colleague": 2, "analyst of the office": 2, "administrator": 2, "city": 0,
    }  # fmt: skip


def test_refusal_to_learn_is_told_on_the_page(client, desk):
    html = text(client.post(reverse("matchmaking:calibration_learn"), follow=True))

    assert "Too few decisions to learn from: 0 on 0 requirements" in html


def test_preview_shows_what_would_change_on_request(client, desk, learned):
    before = text(client.get(detail(learned)))
    after = text(client.get(detail(learned), {"preview": "1"}))

    assert "would show other suppliers" not in before
    found = calibration.preview(weighting=learned, by=desk)
    assert f"Of 32 lists of open lines, {found.changed} would show other suppliers among the first ten, and {found.reordered} the same ones in another order." in after  # fmt: skip
    assert found.movers[0].match.supplier.name_en in after


def test_shared_report_is_withheld_from_a_province(client, desk, learned):
    Weighting.objects.filter(pk=learned.pk).update(province=None, status="retired")

    html = text(client.get(detail(learned)))

    assert "its report is the administrator’s" in html
    assert "Precision@10" not in html
    client.force_login(AdministratorFactory())
    assert "Precision@10" in text(client.get(detail(learned)))


# --- In force -------------------------------------------------------------------------------------------


def test_activation_asks_for_a_reason_and_tells_what_it_does(client, desk, learned):
    page = text(client.get(activation(learned)))
    assert "It replaces version 1 for the lines of buyers in Zhejiang." in page

    without = client.post(activation(learned), {"instead_of": weighting_1().public_id})
    answer = client.post(
        activation(learned),
        {"reason": "Near ones first.", "instead_of": weighting_1().public_id},
        follow=True,
    )

    assert without.status_code == 422
    assert "Write why the weighting changes" in text(without)
    learned.refresh_from_db()
    assert learned.status == "active"
    assert MatchRun.objects.filter(scope="all").count() == 1
    html = text(answer)
    assert "Version 2 is in force. Every open line is scored anew." in html
    assert '<span lang="en">Near ones first.</span>' in html


def test_activation_after_a_colleague_was_faster_is_refused_with_a_sentence(
    client, desk, zhejiang, learned
):
    seen = weighting_1().public_id
    other = draft_weighting(zhejiang, version=3)
    calibration.activate(weighting=other, reason="first", by=desk)

    answer = client.post(activation(learned), {"reason": "second", "instead_of": seen})

    assert answer.status_code == 422
    assert "Meanwhile version 3 has been put in force." in text(answer)
    learned.refresh_from_db()
    assert learned.status == "draft"


def test_roll_back_and_return_to_the_shared_one(client, desk, zhejiang):
    first, second = draft_weighting(zhejiang), draft_weighting(zhejiang, version=3)
    for row in (first, second):
        calibration.activate(weighting=row, reason="try", by=desk)
    assert "Roll back to this version…" in text(client.get(detail(first)))
    assert "Return to the shared version…" in text(client.get(detail(weighting_1())))

    client.post(activation(first), {"reason": "back", "instead_of": second.public_id})
    in_between = dict(Weighting.objects.values_list("version", "status"))
    client.post(activation(weighting_1()), {"reason": "shared", "instead_of": first.public_id})

    assert in_between == {1: "active", 2: "active", 3: "retired"}
    assert dict(Weighting.objects.values_list("version", "status")) == {
        1: "active",
        2: "retired",
        3: "retired",
    }


def test_city_organiser_may_not_activate(client, desk, learned):
    client.force_login(OrganiserRoleFactory().user)

    assert "Activate…" not in text(client.get(detail(learned)))
    assert client.get(activation(learned)).status_code == 403
    assert client.post(activation(learned), {"reason": "mine"}).status_code == 403
    learned.refresh_from_db()
    assert learned.status == "draft"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_are_in_one_language(client, desk, learned, language):
    client.cookies["django_language"] = language
    with translation.override(language):
        pages = [
            client.get(address).content.decode()
            for address in (PAGE, f"{detail(learned)}?preview=1", activation(learned))
        ]

    words = ("权重与校准", "前 10 准确率", "启用第 2 版？")
    if language == "en":
        words = ("Weighting and calibration", "Precision@10", "Activate version 2?")
    assert [word in page for word, page in zip(words, pages, strict=True)] == [True] * 3
    assert ("Version" in "".join(pages)) == (language == "en")


def test_runs_and_review_lead_here(client, desk):
    for page in ("matchmaking:run_list", "matchmaking:review_queue"):
        assert f'href="{PAGE}"' in client.get(reverse(page)).content.decode()
