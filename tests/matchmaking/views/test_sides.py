"""What supplier and buyer see and do."""

from __future__ import annotations

import csv
import datetime
import io
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.models import AuditEntry, ContactReveal, Requirement
from chains.templatetags.localised import day
from matchmaking.models import Dismissal, Interest, Match, MatchRun
from matchmaking.services import contacts, interests
from tests.factories.chains import (
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
)
from tests.factories.matchmaking import (
    InterestFactory,
    MatchFactory,
    MatchRunFactory,
    ScoreFactory,
    weighting_1,
)

pytestmark = pytest.mark.django_db

FOR_YOU = "/for-you/"


@pytest.fixture
def seller(client):
    """An editor of a verified maker with a published capability that a run has compared."""
    member = MembershipFactory(role="editor")
    CapabilityFactory(enterprise=member.enterprise)
    client.force_login(member.user)
    return member


@pytest.fixture
def buyer(client):
    member = MembershipFactory(role="editor")
    client.force_login(member.user)
    return member


def fits(enterprise, *, lines=("a", "b"), first=814, **fields):
    """A requirement whose first line fits the enterprise."""
    requirement = RequirementFactory(lines=list(lines), **fields)
    MatchFactory(line=requirement.lines.get(number=1), supplier=enterprise, tenths=first)
    return requirement


def at(name, row, query=""):
    return reverse(f"matchmaking:{name}", args=[row.public_id]) + query


# -- for you --------------------------------------------------------------------------------------


def test_for_you_lists_requirements_best_first_with_fits_and_reasons(client, seller):
    MatchRunFactory()
    weaker, better = fits(seller.enterprise, first=700), fits(seller.enterprise, first=870)

    page = client.get(FOR_YOU).content.decode()

    assert "2 requirements fit what you offer" in page
    assert page.index(better.title) < page.index(weaker.title)
    assert page.count("Fits 1 of 2 lines") == 2
    assert "Both texts say “接线盒”" in page


def test_for_you_says_how_the_buyer_answers_and_what_is_left_of_the_week(client, seller):
    MatchRunFactory()
    buyer, quiet = fits(seller.enterprise).enterprise, fits(seller.enterprise).enterprise
    asked = RequirementFactory(enterprise=buyer)
    InterestFactory(requirement=asked, status="accepted", answered_at=timezone.now())
    InterestFactory(requirement=asked, status="no_answer")
    InterestFactory(requirement__enterprise=quiet)  # still waits
    InterestFactory.create_batch(3, enterprise=seller.enterprise)

    page = client.get(FOR_YOU).content.decode()

    assert re.findall(r"answered (\d+)% of (\d+) in time", page) == [("50", "2")]
    assert "7 of 10 interests left this week; the next week begins on" in page


def test_list_of_requirements_is_sorted_by_own_scores_for_those_who_have_some(client, seller):
    plain = RequirementFactory(lines=["a"], closes_on=timezone.localdate())
    weaker, better = fits(seller.enterprise, first=700), fits(seller.enterprise, first=870)
    MatchFactory(line=plain.lines.get(), tenths=990)  # of somebody else
    address = reverse("matchmaking:requirement_list") + "?sort=fit"

    def order():
        page = client.get(address).content.decode()
        rows = sorted([plain, weaker, better], key=lambda row: page.index(row.public_id))
        return rows, "Best match for me" in page

    assert order() == ([better, weaker, plain], True)
    client.force_login(UserFactory())
    assert order() == ([plain, weaker, better], False)
    client.logout()
    assert order() == ([plain, weaker, better], False)


def test_for_you_shows_no_rank_and_no_other_supplier(client, seller):
    requirement = fits(seller.enterprise)
    rival = MatchFactory(line=requirement.lines.get(number=1), tenths=950)

    page = client.get(FOR_YOU).content.decode()

    assert "rank" not in page
    assert "95" not in re.findall(r"<b>(\d+)</b>", page)
    assert rival.supplier.name not in page
    assert rival.supplier.name_en not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "rejected"},
        {"status": "ended"},
        {"misses_must": True},
        {"tenths": Match.FITS_FROM - 1},
    ],
)
def test_for_you_leaves_out_what_does_not_fit(client, seller, fields):
    MatchFactory(
        line=RequirementFactory(lines=["a"]).lines.get(), supplier=seller.enterprise, **fields
    )

    page = client.get(FOR_YOU).content.decode()

    assert "<article" not in page
    assert "Nothing open fits what you offer" in page or "Pending" in page


@pytest.mark.parametrize(
    ("docking_kind", "mark"),
    [
        ("supply_sales", 500),
        ("rd_collab", 500),
        ("talent", 450),
        ("finance", 450),
        ("project_landing", 450),
    ],
)
def test_mark_is_lower_where_no_goods_are_asked_for(client, seller, docking_kind, mark):
    """A bank says little in the words of who needs its money (row 10)."""
    below, on = (RequirementFactory(docking_kind_id=docking_kind, lines=["a"]) for _ in range(2))
    MatchFactory(line=below.lines.get(), supplier=seller.enterprise, tenths=mark - 1)
    MatchFactory(line=on.lines.get(), supplier=seller.enterprise, tenths=mark)
    missed = MatchFactory(
        line=RequirementFactory(docking_kind_id=docking_kind, lines=["a"]).lines.get(),
        supplier=seller.enterprise,
        tenths=mark,
        misses_must=True,
    )

    page = client.get(FOR_YOU).content.decode()

    assert on.title in page
    assert below.title not in page
    assert missed.line.requirement.title not in page


@pytest.mark.parametrize(
    "fields", [{"approved": True}, {"status": "closed", "close_reason": "filled"}]
)
def test_for_you_waits_for_publication_and_ends_with_it(client, seller, fields):
    requirement = fits(seller.enterprise, **fields)

    assert requirement.title not in client.get(FOR_YOU).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_for_you_asks_as_many_queries_for_one_card_as_for_three(
    client, seller, django_assert_num_queries, count
):
    MatchRunFactory()
    for _ in range(count):
        fits(seller.enterprise)
    client.get(FOR_YOU)

    with django_assert_num_queries(19):
        page = client.get(FOR_YOU).content.decode()

    assert page.count("<article") == count


def test_for_you_filters_by_chain_and_cooperation(client, seller):
    fits(seller.enterprise)

    page = client.get(FOR_YOU + "?chain=H2").content.decode()
    unknown = client.get(FOR_YOU + "?chain=nope").content.decode()

    assert "Nothing fits with this filter" in page
    assert "<article" not in page
    assert "Chain: “nope” is not known here." in unknown
    assert "<article" in unknown


def test_for_you_says_what_is_missing(client):
    nobody = UserFactory()
    client.force_login(nobody)
    assert "Suggestions are made for an enterprise" in client.get(FOR_YOU).content.decode()

    client.force_login(MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user)
    assert "Your enterprise is not verified yet" in client.get(FOR_YOU).content.decode()

    client.force_login(MembershipFactory().user)
    assert "No published capability to compare" in client.get(FOR_YOU).content.decode()


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_for_you_is_pending_until_the_worker_has_compared(client, seller, status):
    RequirementFactory(lines=["a"])
    assert "Pending" in client.get(FOR_YOU).content.decode()

    run = MatchRunFactory(status="running")
    assert "Pending" in client.get(FOR_YOU).content.decode()

    MatchRun.objects.filter(pk=run.pk).update(status=status)
    page = client.get(FOR_YOU).content.decode()
    assert "Pending" not in page
    assert "Nothing open fits what you offer" in page


def test_dismiss_of_a_card_takes_the_whole_requirement_away_for_good(client, seller):
    requirement = fits(seller.enterprise)
    line = requirement.lines.get(number=1)

    page = client.post(at("dismiss", line), {"reason": "too_far", "whole": "1"}, follow=True)

    assert "Dismissed. It will not come back." in page.content.decode()
    assert requirement.title not in page.content.decode()
    assert Dismissal.objects.count() == 2
    MatchFactory(line=requirement.lines.get(number=2), supplier=seller.enterprise)
    assert requirement.title not in client.get(FOR_YOU).content.decode()


def test_dismiss_without_a_reason_says_so(client, seller):
    requirement = fits(seller.enterprise)

    page = client.post(at("dismiss", requirement.lines.get(number=1)), follow=True)

    assert "Choose a reason" in page.content.decode()
    assert not Dismissal.objects.exists()


def test_dismiss_of_a_line_that_is_not_public_does_not_exist(client, seller):
    line = RequirementFactory(approved=True, lines=["a"]).lines.get()

    assert client.post(at("dismiss", line), {"reason": "too_far"}).status_code == 404


# -- sending --------------------------------------------------------------------------------------


def answer_form(requirement, contact, **other):
    return {
        "interest-message": "We can.",
        "interest-lines": [requirement.lines.get(number=1).public_id],
        "interest-contact": contact.public_id,
        **other,
    }


def test_interest_is_sent_from_the_requirement_page(client, seller):
    contact = ContactFactory(enterprise=seller.enterprise)
    requirement = fits(seller.enterprise)
    page = client.get(at("requirement_detail", requirement)).content.decode()
    assert re.search(r'value="\w{12}"[^>]*checked', page)  # the line that fits is chosen already

    answer = client.post(
        at("interest_send", requirement), answer_form(requirement, contact), follow=True
    )

    page = answer.content.decode()
    assert "Interest sent. The buyer has it now, with your contact." in page
    assert "Change it" in page
    assert Interest.objects.get().message == "We can."


def test_interest_without_a_line_comes_back_with_what_was_typed(client, seller):
    contact = ContactFactory(enterprise=seller.enterprise)
    requirement = fits(seller.enterprise)
    data = answer_form(requirement, contact, **{"interest-lines": []})

    answer = client.post(at("interest_send", requirement), data)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose at least one open line that you can supply." in page
    assert "We can.</textarea>" in page
    assert not Interest.objects.exists()


@pytest.mark.parametrize("field", ["interest-lines", "interest-contact"])
def test_interest_with_somebody_elses_line_or_contact_is_refused(client, seller, field):
    contact = ContactFactory(enterprise=seller.enterprise)
    requirement = fits(seller.enterprise)
    foreign = {
        "interest-lines": RequirementFactory(lines=["x"]).lines.get().public_id,
        "interest-contact": ContactFactory().public_id,
    }

    data = answer_form(requirement, contact, **{field: foreign[field]})

    assert client.post(at("interest_send", requirement), data).status_code == 422
    assert not Interest.objects.exists()


def test_interest_panel_says_to_each_reader_what_they_can_do(client):
    requirement = RequirementFactory(lines=["a"])
    page = client.get(at("requirement_detail", requirement)).content.decode()
    assert "Sign in to tell the buyer that you can supply." in page

    for user, sentence in [
        (UserFactory(), "Interests are sent in the name of an enterprise."),
        (MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user, "is not verified yet"),
        (MembershipFactory(role="viewer").user, "You read for your enterprise."),
        (MembershipFactory().user, "Add a contact of your enterprise first."),
    ]:
        client.force_login(user)
        page = client.get(at("requirement_detail", requirement)).content.decode()
        assert sentence in page
        assert "interest-message" not in page

    for user in (
        MembershipFactory(enterprise=requirement.enterprise).user,
        OrganiserRoleFactory().user,
    ):
        client.force_login(user)
        page = client.get(at("requirement_detail", requirement)).content.decode()
        assert 'id="interest"' not in page


@pytest.mark.parametrize("count", [1, 3])
def test_my_interests_asks_as_many_queries_for_one_as_for_three(
    client, seller, django_assert_num_queries, count
):
    for _ in range(count):
        InterestFactory(enterprise=seller.enterprise).lines.set(
            RequirementFactory(lines=["a"]).lines.all()
        )

    with django_assert_num_queries(11):
        page = client.get(reverse("matchmaking:my_interests")).content.decode()

    assert page.count('<th scope="row">') == count


def test_my_interests_withdraws_what_waits_and_only_ones_own(client, seller):
    own, foreign = InterestFactory(enterprise=seller.enterprise), InterestFactory()

    assert client.post(at("interest_withdraw", foreign)).status_code == 404
    page = client.post(at("interest_withdraw", own), follow=True).content.decode()

    assert "The interest is withdrawn." in page
    assert set(Interest.objects.values_list("pk", "status")) == {
        (own.pk, "withdrawn"), (foreign.pk, "sent"),
    }  # fmt: skip


# -- the buyer ------------------------------------------------------------------------------------


def test_requirement_desk_shows_recommended_suppliers_only(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    line = requirement.lines.get()
    approved, proposed = MatchFactory(line=line, status="approved"), MatchFactory(line=line)

    page = client.get(at("requirement_desk", requirement)).content.decode()

    assert approved.supplier.name_en in page
    assert proposed.supplier.name_en not in page


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_requirement_desk_says_that_a_run_ended_before_its_time(client, buyer, status):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    run = MatchRunFactory(status="running")
    assert "Pending" in client.get(at("requirement_desk", requirement)).content.decode()

    MatchRun.objects.filter(pk=run.pk).update(status=status)
    page = client.get(at("requirement_desk", requirement)).content.decode()

    assert "Pending" not in page
    assert "stopped before its end" in page


def test_requirement_desk_under_embargo_shows_no_recommendation_yet(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, approved=True, lines=["a"])
    match = MatchFactory(line=requirement.lines.get(), status="approved")

    page = client.get(at("requirement_desk", requirement)).content.decode()

    assert match.supplier.name_en not in page


def test_requirement_desk_asks_for_the_answers_that_wait(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"])
    for status in ({}, {"status": "accepted"}, {"status": "withdrawn"}):
        InterestFactory(requirement=requirement, **status).lines.set(
            requirement.lines.filter(number=1)
        )

    page = client.get(at("requirement_desk", requirement)).content.decode()

    assert "1 of 2 interests waits for your answer." in page or "1 of 2 interests wait" in page
    assert "Answer 1 interest" in page
    assert "1 line: nobody fits yet" in page


@pytest.mark.parametrize("count", [1, 3])
def test_requirement_desk_asks_as_many_queries_for_one_line_as_for_three(
    client, buyer, django_assert_num_queries, count
):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"] * count)
    for line in requirement.lines.all():
        MatchFactory(line=line, status="approved")
        InterestFactory(requirement=requirement).lines.set([line])

    with django_assert_num_queries(13):
        page = client.get(at("requirement_desk", requirement)).content.decode()

    assert page.count('id="line-') == count


def test_line_filled_from_the_desk(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"])

    page = client.post(at("line_filled", requirement.lines.get(number=2)), follow=True)

    assert "Line 2 is filled." in page.content.decode()
    assert list(requirement.lines.values_list("status", flat=True)) == ["open", "filled"]


def test_line_no_longer_needed_is_withdrawn_from_the_desk_and_the_last_one_closes_all(
    client, buyer
):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"])
    first, second = (at("line_withdrawn", line) for line in requirement.lines.order_by("number"))
    desk = client.get(at("requirement_desk", requirement)).content.decode()

    page = client.post(first, {"outcome": "elsewhere"}, follow=True).content.decode()
    client.post(second, {"outcome": "not_needed"})

    assert f'action="{first}"' in desk
    assert '<span class="tag line">Found elsewhere</span>' in page
    assert "Line 1 is withdrawn." in page
    requirement.refresh_from_db()
    assert (requirement.status, requirement.close_reason) == ("closed", "withdrawn")
    assert AuditEntry.objects.filter(action="line.withdrawn").count() == 2


def test_owner_matches_a_line_again_once_an_hour(client, buyer):
    weighting_1()
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"])
    address = at("line_match", requirement.lines.get(number=2))
    desk = client.get(at("requirement_desk", requirement)).content.decode()

    first = client.post(address, follow=True).content.decode()
    second = client.post(address, follow=True).content.decode()

    assert f'action="{address}"' in desk
    assert "Line 2 is being matched again." in first
    assert "This line was matched within the last hour." in second
    run = MatchRun.objects.get()
    assert (run.scope, run.line.number, run.asked_by) == ("line", 2, buyer.user)


def test_requirement_desk_export_has_the_rows_and_no_contact(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["=1+1", "b"])
    match = MatchFactory(line=requirement.lines.get(number=1), status="approved")
    interest = InterestFactory(requirement=requirement)
    interest.lines.set(requirement.lines.filter(number=1))

    answer = client.get(
        reverse("matchmaking:requirement_desk_export", args=[requirement.public_id, "csv"])
    )

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[:2] + row[8:12] for row in rows if row and row[0] in ("1", "2")] == [
        ["1", "'=1+1", match.supplier.name_en, "81.4", "1", "1"],
        ["2", "b", "", "", "0", "0"],
    ]
    for contact in (interest.contact, requirement.contact):
        assert contact.phone not in text
        assert contact.email not in text


@pytest.mark.parametrize("count", [1, 3])
def test_my_requirements_asks_as_many_queries_for_one_as_for_three(
    client, buyer, django_assert_num_queries, count
):
    for _ in range(count):
        requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a", "b"])
        InterestFactory(requirement=requirement)
        MatchFactory(line=requirement.lines.get(number=1), status="approved")

    with django_assert_num_queries(10):
        page = client.get(reverse("matchmaking:my_requirements")).content.decode()

    assert page.count('<th scope="row">') == count
    assert page.count("1 to answer") == count


def test_my_requirements_by_state(client, buyer):
    draft = RequirementFactory(enterprise=buyer.enterprise, draft=True, title="a draft")
    published = RequirementFactory(enterprise=buyer.enterprise)

    page = client.get(reverse("matchmaking:my_requirements") + "?state=draft").content.decode()

    assert draft.title in page
    assert published.title not in page


@pytest.mark.parametrize("count", [1, 3])
def test_requirement_interests_asks_as_many_queries_for_one_as_for_three(
    client, buyer, django_assert_num_queries, count
):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    line = requirement.lines.get()
    for _ in range(count):
        interest = InterestFactory(requirement=requirement)
        interest.lines.set([line])
        MatchFactory(line=line, supplier=interest.enterprise)

    with django_assert_num_queries(20):
        page = client.get(at("requirement_interests", requirement)).content.decode()

    assert page.count('<th scope="col">') == count


def test_requirement_interests_stand_by_score_with_their_conditions(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    condition = requirement.conditions.create(kind="distance", strength="must", text="80 km")
    line = requirement.lines.get()
    found = {}
    for tenths in (600, 900):
        interest = InterestFactory(requirement=requirement, message=f"message {tenths}")
        interest.lines.set([line])
        match = MatchFactory(line=line, supplier=interest.enterprise, tenths=tenths, score=None)
        match.score = match.scores.create(
            weighting=MatchRunFactory().weighting,
            engine_version="test",
            tenths=tenths,
            misses_must=False,
            parts=[],
            reasons=[],
            outcomes=[
                {
                    "condition": condition.pk, "kind": "distance", "strength": "must",
                    "verdict": "met", "tenths": 0, "max_tenths": 0, "counted_in": "locality",
                    "fact": {"code": "distance.met", "tone": "for", "params": {"km": tenths / 100, "asked": 80, "strength": "must"}},
                }
            ],
        )  # fmt: skip
        match.save()
        found[tenths] = interest
    unscored = InterestFactory(requirement=requirement, message="message 0")
    unscored.lines.set([line])

    page = client.get(at("requirement_interests", requirement, "?line=1")).content.decode()

    assert re.findall(r"message \d+", page) == ["message 900", "message 600", "message 0"]
    assert "9 km away" in page
    assert "not among the best fifty, so not scored" in page


def test_buyer_asks_marks_notes_and_declines_from_the_table_and_supplier_sees_its_part(
    client, buyer
):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    requirement.questions.create(order=1, text="Who tests it?")
    answers = [{"key": "q1", "question": "Who tests it?", "answer": "Our own lab."}]
    interest = InterestFactory(requirement=requirement, answers=answers)
    for one in (interest, InterestFactory(requirement=requirement)):
        one.lines.set(requirement.lines.all())
    supplier = MembershipFactory(enterprise=interest.enterprise, role="editor").user
    table = at("requirement_interests", requirement)

    for verb, more in (
        ("ask", {"text": "20 sets by May?"}),
        ("shortlist", {}),
        ("note", {"text": "Ask for the mould."}),
    ):
        assert (
            client.post(at("interest_answer", interest), {"answer": verb, **more}).status_code
            == 302
        )
    page = client.get(table).content.decode()
    for said in (
        "Our own lab.",
        "Not answered",
        "20 sets by May?",
        "Ask for the mould.",
        "Short list (1)",
    ):
        assert said in page
    short = client.get(f"{table}?show=short")
    assert [column["interest"] for column in short.context["columns"]] == [interest]

    client.force_login(supplier)
    mine = client.get(at("requirement_detail", requirement)).content.decode()
    assert "20 sets by May?" in mine
    assert "mould" not in mine
    assert "Asked back" in client.get(reverse("matchmaking:my_interests")).content.decode()
    assert client.post(at("interest_reply", interest), {"text": "Yes, 20."}).status_code == 302

    client.force_login(buyer.user)
    assert "Yes, 20." in client.get(table).content.decode()
    client.post(
        at("interest_answer", interest),
        {"answer": "decline", "reason": "delivery", "note": "We need all 64."},
    )
    assert "You answered 100% of 1 interests in time" in client.get(table).content.decode()
    client.force_login(supplier)
    page = client.get(reverse("matchmaking:my_interests")).content.decode()
    assert "Declined: Delivery time does not fit" in page
    assert "We need all 64." in page


def test_interest_form_asks_the_questions_and_says_what_is_left_of_the_week(client, seller):
    requirement = RequirementFactory(lines=["a"])
    requirement.questions.create(order=1, text="Who tests it?")
    contact = ContactFactory(enterprise=seller.enterprise)
    InterestFactory.create_batch(2, enterprise=seller.enterprise)

    page = client.get(at("requirement_detail", requirement)).content.decode()
    assert "Who tests it?" in page
    assert "Question 1 of 1 from the buyer" in page
    assert "8 of 10 interests left this week; the next week begins on" in page

    form = answer_form(requirement, contact, **{"interest-answer-q1": "We do."})
    client.post(at("interest_send", requirement), form)
    assert Interest.objects.get(requirement=requirement).answers[0]["answer"] == "We do."
    InterestFactory.create_batch(7, enterprise=seller.enterprise)
    other = RequirementFactory(lines=["a"])
    answer = client.post(at("interest_send", other), answer_form(other, contact))
    assert answer.status_code == 422
    assert "has sent 10 interests this week" in answer.content.decode()


def test_open_point_is_asked_in_a_sentence_and_stands_over_its_answers(client, seller, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    point = requirement.conditions.create(
        kind="sample_time", text="10 天", parameter={"value": 10, "unit": "day"}
    )
    free = requirement.conditions.create(kind="other", text="须驻厂监造")
    match = MatchFactory(line=requirement.lines.get(), supplier=seller.enterprise, score=None)
    outcomes = [
        {"condition": point.pk, "verdict": "unproven"},
        {"condition": free.pk, "verdict": None},
    ]
    match.score = ScoreFactory(match=match, outcomes=outcomes)
    match.save()
    contact = ContactFactory(enterprise=seller.enterprise)
    asked = "Can you send samples within 10 days?"

    client.force_login(seller.user)
    page = client.get(at("requirement_detail", requirement)).content.decode()
    assert asked in page
    assert "Question 1 of 2: an open point" in page
    assert "Question 2 of 2: a condition in the buyer&#x27;s own words" in page
    told = client.get(
        f"/api/v1/requirements/{requirement.public_id}/asked/",
        {"enterprise": seller.enterprise.public_id},
    )
    key = f"c{point.pk}"
    assert told.json()[0] == {"key": key, "question": asked, "is_open_point": True}
    form = answer_form(requirement, contact, **{f"interest-answer-c{point.pk}": "In 8 days."})
    assert client.post(at("interest_send", requirement), form).status_code == 302
    # Another supplier answered before the words were kept with what they mean.
    old = {"key": f"c{point.pk}", "question": "10 天", "answer": "In 9 days."}
    InterestFactory(requirement=requirement, answers=[old])

    client.force_login(buyer.user)
    address = at("requirement_interests", requirement)
    page = client.get(address).content.decode()
    assert page.count(asked) == 1
    assert "In 8 days." in page
    assert "In 9 days." in page
    answer = client.get(address + "?export=csv")
    sheet = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert {row[asked] for row in sheet[:2]} == {"In 8 days.", "In 9 days."}
    rows = client.get("/api/v1/interests/").json()["results"]
    said = {row["answers"][0]["answer"]: row["answers"][0]["question"] for row in rows}
    assert said == {
        "In 8 days.": asked,
        "In 9 days.": "Can you meet this, in the buyer's words: “10 天”?",
    }


def test_requirement_interests_beyond_five_are_on_the_next_page(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    for _ in range(6):
        InterestFactory(requirement=requirement)

    first = client.get(at("requirement_interests", requirement)).content.decode()
    second = client.get(at("requirement_interests", requirement, "?page=2")).content.decode()

    assert [page.count('<th scope="col">') for page in (first, second)] == [5, 1]


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({"answer": "accept"}, "accepted", "Accepted. The supplier can open your contact now."),
        ({"answer": "decline", "reason": "capacity"}, "declined", "The supplier sees the reason."),
        ({"answer": "decline"}, "sent", "Choose a reason"),
    ],
)
def test_interest_answer(client, buyer, data, status, sentence):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    interest = InterestFactory(requirement=requirement)

    page = client.post(at("interest_answer", interest), data, follow=True).content.decode()

    interest.refresh_from_db()
    assert interest.status == status
    assert sentence in page


def test_interest_answer_never_leads_to_another_site(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    interest = InterestFactory(requirement=requirement)

    answer = client.post(
        at("interest_answer", interest), {"answer": "accept", "next": "https://example.org/"}
    )

    assert answer.url == at("requirement_interests", requirement)


@pytest.mark.parametrize(
    "name",
    [
        "requirement_desk",
        "requirement_interests",
        "contact_log",
    ],
)
def test_desk_pages_do_not_exist_for_strangers(client, seller, name):
    requirement = fits(seller.enterprise)

    assert client.get(at(name, requirement)).status_code == 404


def test_desk_verbs_do_not_exist_for_strangers(client, seller):
    requirement = fits(seller.enterprise)
    interest = InterestFactory(requirement=requirement)

    assert client.post(at("line_filled", requirement.lines.get(number=1))).status_code == 404
    assert client.post(at("interest_answer", interest), {"answer": "accept"}).status_code == 404
    assert client.post(at("interest_contact", interest)).status_code == 404
    export = reverse("matchmaking:requirement_desk_export", args=[requirement.public_id, "csv"])
    assert client.get(export).status_code == 404


# -- contacts -------------------------------------------------------------------------------------


def test_contact_comes_with_the_click_and_not_with_the_page(client, seller):
    requirement = RequirementFactory(contact_policy="verified", lines=["a"])
    contact = requirement.contact
    before = client.get(at("requirement_detail", requirement)).content.decode()

    answer = client.post(at("contact_reveal", requirement))

    assert contact.phone not in before
    assert contact.phone in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert ContactReveal.objects.count() == 1


def test_contact_comes_into_the_panel_with_htmx(client, seller):
    requirement = RequirementFactory(contact_policy="members", lines=["a"])

    page = client.post(
        at("contact_reveal", requirement), headers={"HX-Request": "true"}
    ).content.decode()

    assert requirement.contact.email in page
    assert "<html" not in page


def test_contact_of_those_not_entitled_is_refused_with_the_policy(client, seller):
    requirement = RequirementFactory(contact_policy="accepted", lines=["a"])

    answer = client.post(at("contact_reveal", requirement))

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "The contact opens once the buyer has accepted your interest." in page
    assert requirement.contact.phone not in page


def test_contact_for_a_desk_asks_for_the_purpose_first(client):
    requirement = RequirementFactory(lines=["a"])
    client.force_login(OrganiserRoleFactory().user)
    assert "For what purpose?" in client.get(at("requirement_detail", requirement)).content.decode()

    empty = client.post(at("contact_reveal", requirement))
    told = client.post(at("contact_reveal", requirement), {"purpose": "drawings"})

    assert (empty.status_code, told.status_code) == (422, 200)
    assert requirement.contact.phone not in empty.content.decode()
    assert requirement.contact.phone in told.content.decode()


def test_contact_log_tells_the_owner_who_looked(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, contact_policy="verified")
    viewer = MembershipFactory()
    client.force_login(viewer.user)
    client.post(at("contact_reveal", requirement))
    client.force_login(buyer.user)

    page = client.get(at("contact_log", requirement)).content.decode()

    assert "1 enterprise opened your contact." in page
    assert viewer.enterprise.name_en in page
    assert "open by policy" in page
    assert requirement.contact.phone not in page


def test_supplier_contact_opens_to_the_buyer_from_the_comparison(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, lines=["a"])
    interest = InterestFactory(requirement=requirement)
    before = client.get(at("requirement_interests", requirement)).content.decode()

    page = client.post(at("interest_contact", interest)).content.decode()

    assert interest.contact.phone not in before
    assert interest.contact.name not in before
    assert interest.contact.phone in page


CANARY = {
    "name": "Zq Canary Person",
    "phone": "000-9999-1357",
    "email": "zq-canary@example.com",
    "wechat": "zqcanarychat",
}


def bodies(client, addresses):
    for address in addresses:
        answer = client.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        yield address, body.decode("utf-8", "replace")


def test_no_page_of_either_side_or_the_desk_holds_a_contact_before_the_click(client):
    """Canaries in both contacts; every page of this slice in every role that may read it."""
    requirement = RequirementFactory(lines=["a"], contact_policy="accepted")
    requirement.contact = ContactFactory(enterprise=requirement.enterprise, **CANARY)
    requirement.save()
    interest = InterestFactory(requirement=requirement)
    interest.contact = ContactFactory(enterprise=interest.enterprise, **CANARY)
    interest.save()
    interest.lines.set(requirement.lines.all())
    line = requirement.lines.get()
    match = MatchFactory(line=line, supplier=interest.enterprise, status="approved")
    rights = {
        "supplier": MembershipFactory(enterprise=interest.enterprise, role="viewer").user,
        "rival": MembershipFactory().user,
        "pending": MembershipFactory(enterprise=EnterpriseFactory(pending=True)).user,
        "buyer": MembershipFactory(enterprise=requirement.enterprise).user,
        "desk": OrganiserRoleFactory().user,
        "nobody": UserFactory(),
        "visitor": None,
    }
    export = [requirement.public_id, "csv"]
    addresses = [
        FOR_YOU,
        reverse("matchmaking:my_interests"),
        reverse("matchmaking:my_requirements"),
        reverse("matchmaking:review_queue"),
        at("requirement_detail", requirement),
        at("requirement_desk", requirement),
        at("requirement_interests", requirement),
        at("contact_log", requirement),
        at("review_line", line),
        at("match_why", match),
        reverse("matchmaking:requirement_desk_export", args=export),
        reverse("matchmaking:requirement_export", args=["csv"]),
    ]
    seen = 0
    for role, user in rights.items():
        client.logout()
        if user is not None:
            client.force_login(user)
        for address, body in bodies(client, addresses):
            seen += requirement.title in body
            for value in CANARY.values():
                assert value not in body, (role, address)
    assert seen >= 20  # there was something to leak from

    # The negative control: the same search finds the canary where it belongs.
    client.force_login(rights["buyer"])
    shown = client.post(at("interest_contact", interest)).content.decode()
    assert [value in shown for value in CANARY.values()] == [True] * 4
    assert timezone.localdate() == timezone.localdate(ContactReveal.objects.get().at)


def test_draft_with_lines_is_submitted_from_the_list(client):
    member = MembershipFactory(role="editor")
    draft = RequirementFactory(enterprise=member.enterprise, status="draft", lines=["接线盒"])
    client.force_login(member.user)
    address = reverse("chains:requirement_submit", args=[draft.public_id])

    assert address in client.get(reverse("matchmaking:my_requirements")).content.decode()
    member.role = "viewer"
    member.save()
    assert address not in client.get(reverse("matchmaking:my_requirements")).content.decode()


# -- what has closed ------------------------------------------------------------------------------


def linked(page):
    """Addresses of requirements that a page leads to."""
    return set(re.findall(r'href="(/requirements/\w{12}/[^"#]*)', page))


@pytest.mark.parametrize("reason", ["expired", "filled", "withdrawn"])
def test_supplier_reads_and_answers_on_what_has_closed(client, seller, reason):
    requirement = RequirementFactory(lines=["a"], status="closed", close_reason=reason)
    interest = InterestFactory(
        requirement=requirement,
        enterprise=seller.enterprise,
        status="accepted",
        answered_at=timezone.now(),
        answers=[{"key": "q1", "question": "When?", "answer": "In May."}],
    )
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    interests.ask_back(interest=interest, text="Can you paint?", by=buyer)
    waits = InterestFactory(enterprise=seller.enterprise, status="withdrawn")
    waits.requirement.status, waits.requirement.close_reason = "closed", reason
    waits.requirement.save()

    mine = client.get("/my/interests/").content.decode()
    notices = client.get("/notifications/").content.decode()

    page = at("requirement_detail", requirement)
    assert {address.split("?")[0] for address in linked(mine) | linked(notices)} == {page}
    answer = client.get(page)
    assert "Can you paint?" in answer.content.decode()
    assert "Express interest" not in re.findall(r"<button[^>]*>([^<]*)", answer.content.decode())
    replied = client.post(at("interest_reply", interest), {"text": "Yes."}, follow=True)
    assert (replied.status_code, replied.wsgi_request.path) == (200, page)
    assert client.post(at("contact_reveal", requirement)).status_code == 200
    api = f"/api/v1/requirements/{requirement.public_id}/"
    assert client.get(api).json()["status"] == "closed"
    assert client.post(f"{api}contact/").json()["phone"] == requirement.contact.phone
    # It takes no more.
    sent = client.post(at("interest_send", requirement), {"lines": ["1"], "message": "x"})
    assert sent.status_code == 422
    # To everybody else it is gone.
    client.force_login(MembershipFactory().user)
    assert client.get(page).status_code == 404
    assert client.get(api).status_code == 404


def test_what_a_desk_has_taken_down_is_gone_for_its_suppliers_too(client, seller):
    requirement = RequirementFactory(lines=["a"], status="closed", close_reason="taken_down")
    InterestFactory(requirement=requirement, enterprise=seller.enterprise, status="accepted")

    mine = client.get("/my/interests/").content.decode()

    assert requirement.title in mine
    assert linked(mine) == set()
    assert at("contact_reveal", requirement) not in mine
    assert client.get(at("requirement_detail", requirement)).status_code == 404
    assert client.post(at("contact_reveal", requirement)).status_code == 404
    assert client.post(f"/api/v1/requirements/{requirement.public_id}/contact/").status_code == 404


def test_supplier_reads_the_day_it_was_promised_not_the_one_named_since(client, seller):
    interest = InterestFactory(enterprise=seller.enterprise)
    Requirement.objects.update(answer_by_on=interest.answer_by_on + datetime.timedelta(days=9))
    promised = day(interest.answer_by_on)

    for address in ("/my/interests/", at("requirement_detail", interest.requirement)):
        page = client.get(address).content.decode()
        assert f"answers by {promised}" in page


# -- who opened the supplier's contact --------------------------------------------------------------


def test_supplier_reads_who_opened_its_contact_on_pages_in_its_sheet_and_by_the_api(client):
    supplier = MembershipFactory(role="editor")
    interest = InterestFactory(enterprise=supplier.enterprise)
    buyer = MembershipFactory(enterprise=interest.requirement.enterprise)
    desk = OrganiserRoleFactory()
    contacts.reveal_supplier(interest=interest, by=buyer.user)
    contacts.reveal_supplier(interest=interest, by=desk.user, purpose="asks who calls")
    client.force_login(supplier.user)
    house = supplier.enterprise.public_id

    for name in ("chains:enterprise_status", "chains:contact_edit"):
        page = client.get(reverse(name, args=[house])).content.decode()
        assert "Contact openings this month: 1, by 1 enterprise. By desks: 1." in page
        assert at("enterprise_contact_log", supplier.enterprise) in page
    log = client.get(at("enterprise_contact_log", supplier.enterprise)).content.decode()
    sheet = client.get(at("enterprise_contact_log", supplier.enterprise, "?export=csv"))
    rows = list(csv.reader(io.StringIO(sheet.getvalue().decode("utf-8-sig"))))
    looks = client.get(f"/api/v1/enterprises/{house}/contact-log/").json()["results"]

    for text in (buyer.enterprise.name_en, desk.body.name_en, "asks who calls"):
        assert text in log
    assert at("requirement_detail", interest.requirement) in log
    title = interest.requirement.title
    assert [[row[0], *row[2:]] for row in rows if title in row] == [
        [desk.body.name_en, title, "desk", "asks who calls"],
        [buyer.enterprise.name_en, title, "interest sent", ""],
    ]
    assert [(one["right"], one["purpose"], one["requirement"]) for one in looks] == [
        ("desk", "asks who calls", interest.requirement.public_id),
        ("interest_sent", "", interest.requirement.public_id),
    ]
    assert looks[0]["desk"]["name"] == desk.body.name
    assert looks[1]["enterprise"]["public_id"] == buyer.enterprise.public_id
    # Nothing of the persons, on either side.
    for text in (log, sheet.getvalue().decode(), str(looks)):
        for person in (buyer.user, desk.user):
            assert person.email not in text
        assert interest.contact.phone not in text


def test_buyer_reads_the_log_of_its_requirement_by_the_api(client, buyer):
    requirement = RequirementFactory(enterprise=buyer.enterprise, contact_policy="verified")
    viewer = MembershipFactory()
    contacts.reveal(requirement=requirement, by=viewer.user)
    address = f"/api/v1/requirements/{requirement.public_id}/contact-log/"

    (look,) = client.get(address).json()["results"]

    assert (look["right"], look["desk"]) == ("policy", None)
    assert look["enterprise"]["public_id"] == viewer.enterprise.public_id
    client.force_login(viewer.user)
    assert client.get(address).status_code == 404


def test_suspended_buyer_is_refused_a_supplier_s_contact_on_the_page_and_by_the_api(client, buyer):
    interest = InterestFactory(requirement__enterprise=buyer.enterprise)
    buyer.enterprise.status = "suspended"
    buyer.enterprise.save()

    table = client.get(at("requirement_interests", interest.requirement)).content.decode()
    posted = client.post(at("interest_contact", interest))
    asked = client.post(f"/api/v1/interests/{interest.public_id}/contact/")

    assert interest.enterprise.name_en in table
    assert at("interest_contact", interest) not in table
    assert (posted.status_code, asked.status_code) == (403, 403)
    assert "suspended and can only read" in posted.content.decode()
    assert not ContactReveal.objects.exists()
