from __future__ import annotations

import datetime
import re

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from events.models import Listing
from matchmaking.models import Lease, Match
from matchmaking.services import pairs
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, organiser_of
from tests.factories.matchmaking import InterestFactory, MatchFactory, ScoreFactory, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client):
    user = OrganiserRoleFactory().user
    client.force_login(user)
    return user


def line_with(count=1, **fields):
    line = RequirementFactory(lines=["三分体接线盒，1500 V"]).lines.get()
    for number in range(count):
        MatchFactory(line=line, tenths=900 - number, **fields)
    return line


def address(name, line, query=""):
    return reverse(f"matchmaking:{name}", args=[line.public_id]) + query


def cards(page):
    return re.findall(r'<li class="card cand[^"]*" id="m-(\w+)"', page)


# -- the queue ------------------------------------------------------------------------------------


def test_review_queue_of_a_stranger_is_refused(client):
    client.force_login(UserFactory())

    answer = client.get(reverse("matchmaking:review_queue"))

    assert answer.status_code == 403
    assert "Matches are reviewed by organisers." in answer.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_review_queue_asks_as_many_queries_for_one_line_as_for_three(
    client, reviewer, django_assert_num_queries, count
):
    for _ in range(count):
        line_with(2)

    with django_assert_num_queries(11):
        page = client.get(reverse("matchmaking:review_queue")).content.decode()

    assert page.count('<th scope="row">') == count


def test_review_queue_counts_lines_by_state(client, reviewer):
    line_with()
    line_with(status="deferred")
    line_with(status="deferred", deferred_until_on=timezone.localdate())
    line_with(status="approved", is_stale=True)
    line_with(misses_must=True)

    page = client.get(reverse("matchmaking:review_queue")).content.decode()

    assert re.findall(r"(To decide|Deferred|Stale|All) \((\d)\)", page) == [
        ("To decide", "2"), ("Deferred", "1"), ("Stale", "1"), ("All", "4"),
    ]  # fmt: skip
    assert "2 of 4 lines reviewed" in page


def test_review_queue_shows_own_region_and_own_events_only(client, reviewer):
    mine = line_with()
    theirs = RequirementFactory(
        enterprise=EnterpriseFactory(region=region("340104")), lines=["a"]
    ).lines.get()
    MatchFactory(line=theirs)
    event = EventFactory(region=region("330421"), host=reviewer.active_roles[0].body)

    def shown(query=""):
        page = client.get(reverse("matchmaking:review_queue") + query).content.decode()
        return {line for line in (mine, theirs) if address("review_line", line) in page}

    assert shown() == {mine}
    Listing.objects.create(event=event, requirement=theirs.requirement, code="AB12")
    assert shown() == {mine, theirs}
    assert shown("?event=region") == {mine}
    assert shown(f"?event={event.public_id}") == {theirs}


@pytest.mark.parametrize(
    ("band", "expected"),
    [
        ("", {900, 700}),
        ("high", {900}),
        ("mid", {700}),
        ("low", {300}),
        ("any", {900, 700, 300}),
        ("misses", {800}),
    ],
)
def test_review_queue_filters_by_band(client, reviewer, band, expected):
    lines = {tenths: line_with(0) for tenths in (900, 700, 300, 800)}
    for tenths, line in lines.items():
        MatchFactory(line=line, tenths=tenths, misses_must=tenths == 800)

    page = client.get(reverse("matchmaking:review_queue") + f"?band={band}").content.decode()

    assert {tenths for tenths, line in lines.items() if line.public_id in page} == expected


def test_review_queue_next_passes_over_what_a_colleague_holds(client, reviewer):
    first, second = line_with(), line_with()
    Lease.objects.create(
        line=first,
        by=OrganiserRoleFactory().user,
        expires_at=timezone.now() + datetime.timedelta(minutes=5),
    )

    answer = client.get(reverse("matchmaking:review_queue") + "?next=1")

    assert answer.url == address("review_line", second)


# -- one line -------------------------------------------------------------------------------------


def test_review_line_takes_the_lease_and_marks_both_texts(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒，1500 V"]).lines.get()
    maker = supplier("1500 V 三分体接线盒")
    match = MatchFactory(line=line, supplier=maker, score=None)
    match.score = ScoreFactory(match=match, capability=maker.capabilities.get())
    match.save()

    page = client.get(address("review_line", line)).content.decode()

    lease = Lease.objects.get()
    assert (lease.line, lease.by) == (line, reviewer)
    assert f"You hold this line until {timezone.localtime(lease.expires_at):%H:%M}." in page
    assert page.count("<mark>") >= 4  # the same words twice, in each text


def test_review_line_held_by_a_colleague_leads_to_the_next_free_one(client, reviewer):
    first, second = line_with(), line_with()
    Lease.objects.create(
        line=first,
        by=OrganiserRoleFactory().user,
        expires_at=timezone.now() + datetime.timedelta(minutes=5),
    )

    answer = client.get(address("review_line", first), follow=True)

    assert answer.redirect_chain == [(address("review_line", second), 302)]
    assert "A colleague holds this line until" in answer.content.decode()


def test_review_line_held_by_a_colleague_and_no_other_leads_to_the_queue(client, reviewer):
    line = line_with()
    Lease.objects.create(
        line=line,
        by=OrganiserRoleFactory().user,
        expires_at=timezone.now() + datetime.timedelta(minutes=5),
    )

    answer = client.get(address("review_line", line), follow=True)

    assert answer.redirect_chain == [(reverse("matchmaking:review_queue"), 302)]
    assert "No other line waits for you here." in answer.content.decode()


def test_review_line_puts_those_that_miss_a_must_apart_at_the_end(client, reviewer):
    line = line_with(2)
    apart = MatchFactory(line=line, tenths=990, misses_must=True)

    page = client.get(address("review_line", line)).content.decode()

    assert "3 candidates" in page
    assert apart.public_id not in cards(page)
    assert page.index("1 misses a must") > page.index(cards(page)[-1])


def test_review_line_shows_the_best_and_what_is_decided_the_rest_behind_a_link(client, reviewer):
    line = line_with(14)
    decided = MatchFactory(line=line, tenths=100, status="rejected")

    page = client.get(address("review_line", line)).content.decode()

    assert len(cards(page)) == 13
    assert decided.public_id in cards(page)
    assert "Show 2 weaker candidates" in page
    assert len(cards(client.get(address("review_line", line, "?all=1")).content.decode())) == 15


@pytest.mark.parametrize("count", [1, 3])
def test_review_line_asks_as_many_queries_for_one_candidate_as_for_three(
    client, reviewer, django_assert_num_queries, count
):
    line = line_with(count)
    client.get(address("review_line", line))

    with django_assert_num_queries(22):
        page = client.get(address("review_line", line)).content.decode()

    assert len(cards(page)) == count


@pytest.mark.parametrize("name", ["review_line", "review_decide", "review_bulk", "review_add"])
def test_review_pages_do_not_exist_for_strangers(client, name):
    line = line_with()
    match = Match.objects.get()
    for stranger in (
        UserFactory(),
        MembershipFactory(enterprise=line.requirement.enterprise).user,
        MembershipFactory(enterprise=match.supplier).user,
        OrganiserRoleFactory(region=region("330200")).user,
    ):
        client.force_login(stranger)
        ask = client.get if name == "review_line" else client.post
        assert ask(address(name, line), {"match": match.public_id}).status_code == 404

    assert not Lease.objects.exists()


# -- deciding -------------------------------------------------------------------------------------


def decide(client, match, verdict, **data):
    htmx = data.pop("htmx", False)
    return client.post(
        address("review_decide", match.line),
        {"match": match.public_id, "verdict": verdict, **data},
        headers={"HX-Request": "true"} if htmx else {},
    )


@pytest.mark.parametrize(
    ("verdict", "data", "status"),
    [
        ("approve", {}, "approved"),
        ("reject", {"reason": "too_far"}, "rejected"),
        ("defer", {"days": "7"}, "deferred"),
    ],
)
def test_review_decide_without_javascript_goes_on_to_the_next_card(
    client, reviewer, verdict, data, status
):
    line = line_with(2)
    first, second = Match.objects.by_score()

    answer = decide(client, first, verdict, band="high", **data)

    first.refresh_from_db()
    assert first.status == status
    assert answer.url == address("review_line", line, f"?band=high#m-{second.public_id}")
    if verdict == "defer":
        assert first.deferred_until_on == timezone.localdate() + datetime.timedelta(7)


def test_review_decide_with_htmx_gives_back_the_card_with_its_undo(client, reviewer):
    line_with(2)
    match = Match.objects.by_score().last()

    answer = decide(client, match, "approve", htmx=True)

    page = answer.content.decode()
    assert (answer.status_code, cards(page)) == (200, [match.public_id])
    assert 'value="undo"' in page
    assert "rank 2" in page
    decide(client, match, "undo", htmx=True)
    match.refresh_from_db()
    assert match.status == "proposed"


def test_review_decide_reject_without_a_reason_says_so_on_the_card(client, reviewer):
    line_with()
    match = Match.objects.get()

    answer = decide(client, match, "reject", htmx=True)

    assert answer.status_code == 422
    assert "Choose a reason for rejecting." in answer.content.decode()


def test_review_decide_on_a_line_taken_over_meanwhile_is_told(client, reviewer):
    line = line_with()
    match = Match.objects.get()
    Lease.objects.create(
        line=line,
        by=OrganiserRoleFactory().user,
        expires_at=timezone.now() + datetime.timedelta(minutes=5),
    )

    answer = decide(client, match, "approve", htmx=True)

    assert answer.status_code == 409
    assert "A colleague holds this line until" in answer.content.decode()
    match.refresh_from_db()
    assert match.status == "proposed"


def test_review_bulk_approves_the_selected(client, reviewer):
    line = line_with(3)
    chosen = [match.public_id for match in Match.objects.by_score()[:2]]

    answer = client.post(address("review_bulk", line), {"match": chosen}, follow=True)

    assert "2 candidates approved." in answer.content.decode()
    assert set(Match.objects.approved().values_list("public_id", flat=True)) == set(chosen)


def test_review_bulk_of_another_lines_candidates_touches_nothing(client, reviewer):
    line, other = line_with(), line_with()
    foreign = Match.objects.get(line=other)

    client.post(address("review_bulk", line), {"match": [foreign.public_id]})

    assert not Match.objects.approved().exists()


def test_review_add_finds_a_supplier_by_its_english_name(client, reviewer):
    line = line_with()
    maker = supplier("三分体接线盒", name_en="Harbour Junction Electric")
    maker.search_text = "harbour junction electric"
    maker.save()

    answer = client.post(
        address("review_add", line), {"name": "harbour", "reason": "delivered before"}
    )

    match = Match.objects.get(supplier=maker)
    assert answer.url == address("review_line", line, f"#m-{match.public_id}")
    assert (match.status, match.origin) == ("approved", "by_hand")


def test_review_add_of_a_name_that_several_bear_asks_which(client, reviewer):
    line = line_with()
    makers = [supplier("接线盒", search_text="harbour") for _ in range(2)]

    answer = client.post(address("review_add", line), {"name": "harbour", "reason": "known"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert [maker.public_id in page for maker in makers] == [True, True]
    assert 'value="known"' in page
    client.post(
        address("review_add", line),
        {"name": "harbour", "reason": "known", "supplier": makers[1].public_id},
    )
    assert Match.objects.get(origin="by_hand").supplier == makers[1]


def test_review_add_of_an_unknown_name_says_so(client, reviewer):
    line = line_with()

    answer = client.post(address("review_add", line), {"name": "nobody", "reason": "x"})

    assert "No verified enterprise is called this." in answer.content.decode()


# -- why ------------------------------------------------------------------------------------------


def test_match_why_adds_up_in_writing_and_gives_the_same_numbers_later(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒，1500 V"]).lines.get()
    maker = supplier("1500 V 三分体接线盒")

    address = reverse("matchmaking:pair_why", args=[line.public_id, maker.public_id])

    offered = client.get(address)
    assert "Not scored yet" in offered.content.decode()
    assert not Match.objects.exists()
    first = client.post(address, follow=True).content.decode()
    second = client.get(address, follow=True).content.decode()

    match = Match.objects.get()
    parts = [part["tenths"] for part in match.score.parts]
    assert sum(parts) == match.tenths
    total = " + ".join(f"{part / 10:g}" for part in parts)
    assert f"{total} = <b>{match.tenths / 10:g}</b>" in first
    assert re.sub(r'value="\w{64}"', "", first) == re.sub(r'value="\w{64}"', "", second)
    assert match.score.engine_version in first


def test_match_why_shows_the_other_texts_that_a_reason_speaks_of(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒，带旁路二极管，含导热垫片"]).lines.get()
    maker = supplier("三分体接线盒，旁路二极管")
    CapabilityFactory(enterprise=maker, title_zh="导热垫片", text_zh="导热垫片与硅脂")
    CapabilityFactory(enterprise=maker, title_zh="办公家具", text_zh="桌椅")
    CapabilityFactory(enterprise=maker, title_zh="旧款", text_zh="导热垫片", status="hidden")
    address = reverse("matchmaking:pair_why", args=[line.public_id, maker.public_id])

    page = client.post(address, follow=True).content.decode()

    (told,) = [r for r in Match.objects.get().score.reasons if r["code"] == "text.elsewhere"]
    assert told["params"]["terms"] == ["导热垫片"]
    asked, _, offered = page.partition("</h3>")[2].partition("Offered")
    assert "<mark>旁路二极管<sup>2</sup></mark>，含<mark>导热垫片<sup>3</sup></mark>" in asked
    others = offered.partition("Other texts of the supplier</h3>")[2].partition("</section>")[0]
    assert "<mark>导热垫片<sup>3</sup></mark><br>导热垫片与硅脂" in others
    assert "<mark>导热垫片" not in offered.partition("Other texts")[0]
    assert "桌椅" not in page
    assert "旧款" not in page


def test_match_why_shows_no_other_texts_where_no_reason_speaks_of_them(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒"]).lines.get()
    maker = supplier("三分体接线盒，IP68")
    CapabilityFactory(enterprise=maker, title_zh="三分体接线盒", text_zh="桌椅")
    match = MatchFactory(line=line, supplier=maker)

    page = client.get(reverse("matchmaking:match_why", args=[match.public_id])).content.decode()

    assert "Other texts of the supplier" not in page
    assert "桌椅" not in page


def test_match_why_shows_history_to_reviewers_only(client):
    match = MatchFactory(line=RequirementFactory(lines=["接线盒"]).lines.get(), status="approved")
    address = reverse("matchmaking:match_why", args=[match.public_id])
    seen = {}
    for name, user in {
        "reviewer": OrganiserRoleFactory().user,
        "supplier": MembershipFactory(enterprise=match.supplier, role="viewer").user,
        "buyer": MembershipFactory(enterprise=match.line.requirement.enterprise).user,
    }.items():
        client.force_login(user)
        seen[name] = "History</h2>" in client.get(address).content.decode()

    assert seen == {"reviewer": True, "supplier": False, "buyer": False}


@pytest.mark.parametrize(
    ("status", "published", "supplier_sees", "buyer_sees"),
    [
        ("proposed", True, 200, 404),
        ("approved", True, 200, 200),
        ("rejected", True, 404, 404),
        ("approved", False, 404, 404),
    ],
)
def test_match_why_for_the_two_sides(client, status, published, supplier_sees, buyer_sees):
    requirement = RequirementFactory(lines=["接线盒"], **({} if published else {"approved": True}))
    match = MatchFactory(line=requirement.lines.get(), status=status)
    address = reverse("matchmaking:match_why", args=[match.public_id])
    answers = []
    for enterprise in (match.supplier, requirement.enterprise, EnterpriseFactory()):
        client.force_login(MembershipFactory(enterprise=enterprise).user)
        answers.append(client.get(address).status_code)

    assert answers == [supplier_sees, buyer_sees, 404]


def test_pair_why_of_a_stranger_does_not_exist_and_computes_nothing(client):
    line = RequirementFactory(lines=["接线盒"]).lines.get()
    maker = supplier("接线盒")
    client.force_login(MembershipFactory().user)

    address = reverse("matchmaking:pair_why", args=[line.public_id, maker.public_id])

    assert client.get(address).status_code == 404
    assert client.post(address).status_code == 404
    assert not Match.objects.exists()


def test_pair_why_of_an_interest_that_no_run_found_is_for_its_buyer_too(client):
    line = RequirementFactory(lines=["接线盒"]).lines.get()
    maker, other = supplier("三分体接线盒"), supplier("接线盒")
    InterestFactory(requirement=line.requirement, enterprise=maker).lines.set([line])
    client.force_login(MembershipFactory(enterprise=line.requirement.enterprise).user)
    address = reverse("matchmaking:pair_why", args=[line.public_id, maker.public_id])
    page = reverse("matchmaking:requirement_interests", args=[line.requirement.public_id])

    assert f'<form method="post" action="{address}">' in client.get(page).content.decode()
    answer = client.post(address, follow=True)

    assert (answer.status_code, Match.objects.get().supplier) == (200, maker)
    uninterested = reverse("matchmaking:pair_why", args=[line.public_id, other.public_id])
    assert client.post(uninterested).status_code == 404


def test_pair_why_that_cannot_be_scored_says_why(client, reviewer):
    line = RequirementFactory(lines=["接线盒"]).lines.get()
    address = reverse("matchmaking:pair_why", args=[line.public_id, EnterpriseFactory().public_id])

    page = client.post(address, follow=True).content.decode()

    assert "has published nothing that could be compared" in page
    assert not Match.objects.exists()


def test_pair_why_for_the_supplier_itself_computes_its_own_pair(client):
    line = RequirementFactory(lines=["接线盒"]).lines.get()
    maker = supplier("三分体接线盒")
    client.force_login(MembershipFactory(enterprise=maker).user)

    answer = client.post(
        reverse("matchmaking:pair_why", args=[line.public_id, maker.public_id]), follow=True
    )

    match = Match.objects.get()
    assert answer.redirect_chain == [
        (reverse("matchmaking:match_why", args=[match.public_id]), 302)
    ]
    assert answer.status_code == 200


def test_match_why_speaks_chinese(client, reviewer):
    match = MatchFactory(line=RequirementFactory(lines=["接线盒"]).lines.get())
    with translation.override("zh-hans"):
        page = client.get(
            reverse("matchmaking:match_why", args=[match.public_id]),
            headers={"accept-language": "zh-hans"},
        ).content.decode()

    assert "为何是这个分数" in page
    assert "Why this score" not in page


def test_events_moderator_reviews_what_is_listed(client):
    requirement = RequirementFactory(
        enterprise=EnterpriseFactory(region=region("340104")), lines=["a"]
    )
    match = MatchFactory(line=requirement.lines.get())
    event = EventFactory()
    Listing.objects.create(event=event, requirement=requirement, code="AB12")
    organiser = organiser_of(event)
    client.force_login(organiser)

    decide(client, match, "approve")

    match.refresh_from_db()
    assert match.status == "approved"


# -- what a page says once and in its own words --------------------------------------------------


def test_filters_that_are_not_known_are_named_and_left_out(client, reviewer):
    line = line_with()

    page = client.get(reverse("matchmaking:review_queue"), {"event": "nothing", "chain": "C99"})

    html = " ".join(page.content.decode().split())
    assert "Event: “nothing” is not known here." in html
    assert "Chain: “C99” is not known here." in html
    assert [row.pk for row in page.context["lines"]] == [line.pk]


def test_line_without_a_specification_is_printed_once_with_its_marks(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒"]).lines.get()
    pairs.compute_pair(line=line, supplier=supplier("三分体接线盒"), by=None)
    Match.objects.update(status="proposed")

    html = client.get(address("review_line", line)).content.decode()

    heading = html.partition('id="rq"')[2].partition("</h2>")[0]
    assert "<mark>" in heading
    assert 'id="asked"' not in html


def test_line_with_a_specification_shows_both(client, reviewer):
    line = RequirementFactory(lines=["三分体接线盒"]).lines.get()
    line.specification = "1500 V"
    line.save()
    MatchFactory(line=line, supplier=supplier("三分体接线盒"), tenths=900)

    html = client.get(address("review_line", line)).content.decode()

    assert "1500 V" in html.partition('id="asked"')[2].partition("</p>")[0]


def test_why_says_what_lists_show_of_its_score(client, reviewer):
    match = MatchFactory(line=line_with(0), tenths=749)

    html = client.get(reverse("matchmaking:match_why", args=[match.public_id])).content.decode()

    assert "Lists show whole points, tenths cut off: 74 here." in html
