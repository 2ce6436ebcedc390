from __future__ import annotations

import datetime
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Category,
    Change,
    Mandate,
    Notification,
    Remark,
    Requirement,
    RequirementLine,
    Unit,
)
from chains.services import projects, requirement_drafts, requirements
from chains.services.requirement_writing import ConditionDraft, LineDraft
from chains.services.requirements import RemarkDraft
from tests.factories.chains import (
    AdministratorFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)

pytestmark = pytest.mark.django_db


def in_days(count):
    return timezone.localdate() + datetime.timedelta(days=count)


def trail(row):
    """What the audit trail and the feed say about a row, without the preparations of the test."""
    return (
        list(
            AuditEntry.objects.filter(target__endswith=row.public_id).values_list(
                "action", flat=True
            )
        ),
        list(Change.objects.filter(target=row.public_id).values_list("noun", "verb")),
    )


def complete_draft(member, **fields):
    return requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        title="光伏接线盒",
        lines=[
            LineDraft(text="三分体接线盒", quantity=Decimal(900), unit=Unit.objects.get(code="set"))
        ],
        contact=ContactFactory(enterprise=member.enterprise),
        closes_on=in_days(10),
        answer_by_on=in_days(17),
        **fields,
    )


def desk():
    return OrganiserRoleFactory().user


# --- Drafts -------------------------------------------------------------------------------------------


def test_save_draft_keeps_lines_conditions_questions_and_what_search_reads():
    member = MembershipFactory()
    leaf = Category.objects.filter(level=3).order_by("code")[0]

    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        title="接线盒",
        lines=[
            LineDraft(text="三分体接线盒", category=leaf, specification="IP68"),
            LineDraft(
                text="MES software",
                conditions=[ConditionDraft(kind="sample_time", text="3 weeks")],
            ),
        ],
        conditions=[ConditionDraft(kind="certification", text="TÜV or CQC", strength="must")],
        questions=["Have you supplied before?", " "],
    )

    assert list(draft.lines.values_list("number", "text", "language", "segment", "status")) == [
        (1, "三分体接线盒", "zh", leaf.segment_id, "open"),
        (2, "MES software", "en", None, "open"),
    ]
    assert list(draft.conditions.values_list("line__number", "kind", "parameter")) == [
        (2, "sample_time", {"value": 21, "unit": "day"}),
        (None, "certification", {"codes": ["TUV", "CQC"]}),
    ]
    assert list(draft.questions.values_list("order", "text")) == [(1, "Have you supplied before?")]
    assert draft.summary == "三分体接线盒；MES software"
    assert "ip68" in draft.search_text
    assert draft.status == "draft"
    assert trail(draft) == (["requirement.created"], [("requirement", "created")])


def test_save_draft_again_changes_the_same_lines_and_deletes_what_is_left_out():
    member = MembershipFactory()
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        lines=[LineDraft(text="A"), LineDraft(text="B"), LineDraft(text="C")],
    )
    first, _second, third = draft.lines.order_by("number")

    requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        requirement=draft,
        lines=[
            LineDraft(public_id=third.public_id, text="C"),
            LineDraft(public_id=first.public_id, text="A2"),
        ],
    )

    assert list(draft.lines.order_by("number").values_list("pk", "number", "text")) == [
        (third.pk, 1, "C"),
        (first.pk, 2, "A2"),
    ]
    assert draft.title == "A"  # without a title the first line names the draft


def test_save_draft_by_a_stranger_or_a_viewer_is_refused():
    enterprise = EnterpriseFactory()
    viewer = MembershipFactory(enterprise=enterprise, role="viewer").user

    for user in (UserFactory(), viewer):
        with pytest.raises(DomainError, match="Only editors") as refused:
            requirement_drafts.save(enterprise=enterprise, by=user, title="X")
        assert refused.value.is_refusal

    assert not Requirement.objects.exists()


def test_save_draft_of_a_suspended_enterprise_is_refused():
    member = MembershipFactory(enterprise__status="suspended")

    with pytest.raises(DomainError, match="suspended"):
        requirement_drafts.save(enterprise=member.enterprise, by=member.user, title="X")


def test_save_draft_of_a_pending_enterprise_is_kept_but_cannot_be_submitted():
    member = MembershipFactory(enterprise__status="pending")
    draft = complete_draft(member)

    with pytest.raises(DomainError, match="waits for its desk"):
        requirements.submit(requirement=draft, by=member.user)

    draft.refresh_from_db()
    assert draft.status == "draft"


def test_save_draft_of_201_lines_is_refused_and_200_are_kept():
    member = MembershipFactory()
    lines = [LineDraft(text=f"Part {n}") for n in range(1, 202)]

    with pytest.raises(DomainError, match="takes 200 lines; there are 201"):
        requirement_drafts.save(enterprise=member.enterprise, by=member.user, lines=lines)
    draft = requirement_drafts.save(enterprise=member.enterprise, by=member.user, lines=lines[:200])

    assert draft.lines.count() == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"questions": ["a", "b", "c", "d"]}, "at most three"),
        (
            {"closes_on": datetime.date(2030, 1, 2), "answer_by_on": datetime.date(2030, 1, 1)},
            "cannot be before",
        ),
        ({"lines": [LineDraft(text=" ")]}, "Line 1: enter the product"),
        ({"lines": [LineDraft(text="a", quantity=Decimal(0))]}, "Line 1: enter a quantity above 0"),
        (
            {"conditions": [ConditionDraft(kind="certification", text="nothing known")]},
            "Nothing on the list",
        ),
    ],
)
def test_save_draft_that_breaks_a_rule_is_refused_whole(fields, sentence):
    member = MembershipFactory()

    with pytest.raises(DomainError, match=sentence):
        requirement_drafts.save(enterprise=member.enterprise, by=member.user, title="X", **fields)

    assert not Requirement.objects.exists()
    assert not AuditEntry.objects.exists()


def test_save_draft_with_a_contact_or_project_of_another_enterprise_is_refused():
    member = MembershipFactory()
    project = projects.save(enterprise=member.enterprise, by=member.user, name="产线")
    other = MembershipFactory()

    with pytest.raises(DomainError, match="contact belongs"):
        requirement_drafts.save(
            enterprise=member.enterprise, by=member.user, title="X", contact=ContactFactory()
        )
    with pytest.raises(DomainError, match="project belongs"):
        requirement_drafts.save(
            enterprise=other.enterprise, by=other.user, title="X", project=project
        )


def test_save_draft_by_an_association_with_a_mandate_names_the_association():
    member, association = EnterpriseFactory(), MembershipFactory(enterprise__kind_id="association")
    mandate = Mandate.objects.create(
        association=association.enterprise, member=member, status="active"
    )

    draft = requirement_drafts.save(enterprise=member, by=association.user, title="X")

    assert (draft.enterprise, draft.posted_by) == (member, association.enterprise)
    mandate.status = "ended"
    mandate.save()
    with pytest.raises(DomainError, match="Only editors"):
        requirement_drafts.save(
            enterprise=member, by=association.user, requirement=draft, title="Y"
        )


def test_delete_draft_removes_it_with_its_parts_and_nothing_else_can_be_deleted():
    member = MembershipFactory()
    draft = complete_draft(member)
    submitted = RequirementFactory(submitted=True, enterprise=member.enterprise, lines=["x"])

    requirement_drafts.delete(requirement=draft, by=member.user)
    with pytest.raises(DomainError, match="Submitted"):
        requirement_drafts.delete(requirement=submitted, by=member.user)

    assert list(Requirement.objects.values_list("pk", flat=True)) == [submitted.pk]
    assert trail(draft)[0] == ["requirement.created", "requirement.deleted"]


def test_copy_of_a_closed_requirement_is_a_draft_with_open_lines_and_no_dates():
    member = MembershipFactory()
    draft = complete_draft(member, text="Long text")
    requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        requirement=draft,
        conditions=[ConditionDraft(kind="distance", text="80 km", strength="prefer")],
        questions=["Q"],
    )
    requirements.submit(requirement=draft, by=member.user)
    requirements.withdraw(requirement=draft, by=member.user)

    twin = requirement_drafts.copy(requirement=draft, by=member.user)

    assert (twin.status, twin.closes_on, twin.title, twin.text) == (
        "draft",
        None,
        "光伏接线盒",
        "Long text",
    )
    assert list(twin.lines.values_list("text", "status")) == [("三分体接线盒", "open")]
    assert list(twin.conditions.values_list("parameter", flat=True)) == [
        {"value": 80, "unit": "km"}
    ]
    assert list(twin.questions.values_list("text", flat=True)) == ["Q"]


# --- The desk -----------------------------------------------------------------------------------------


def test_copy_and_submission_name_no_contact_of_another_house():
    association = MembershipFactory(enterprise__kind_id="association")
    old = RequirementFactory(
        posted_by=association.enterprise,
        contact=ContactFactory(enterprise=association.enterprise),
        lines=["a"],
    )
    owner = MembershipFactory(enterprise=old.enterprise).user

    draft = requirement_drafts.copy(requirement=old, by=owner)

    assert (draft.posted_by, draft.contact) == (None, None)
    # A draft that was copied with it before is asked for another one.
    day = timezone.localdate() + datetime.timedelta(days=9)
    draft.contact, draft.closes_on, draft.answer_by_on = old.contact, day, day
    draft.save()
    with pytest.raises(DomainError) as refused:
        requirements.submit(requirement=draft, by=owner)
    assert refused.value.params["missing"] == {
        "contact": "This contact belongs to another enterprise."
    }
    # Under a mandate the association copies its own with it.
    Mandate.objects.create(
        association=association.enterprise, member=old.enterprise, status="active"
    )
    again = requirement_drafts.copy(requirement=old, by=association.user)
    assert (again.posted_by, again.contact) == (association.enterprise, old.contact)


def test_submit_tells_the_desk_and_a_second_click_changes_nothing():
    member, organiser = MembershipFactory(), desk()
    draft = complete_draft(member)

    requirements.submit(requirement=draft, by=member.user)
    again = requirements.submit(requirement=draft, by=member.user)

    assert again.status == "submitted"
    assert trail(draft) == (
        ["requirement.created", "requirement.submitted"],
        [("requirement", "created"), ("requirement", "submitted")],
    )
    assert list(Notification.objects.values_list("to", "kind", "channel")) == [
        (organiser.pk, "requirement_submitted", "in_app")
    ]


def test_submit_of_an_incomplete_draft_names_everything_that_is_missing():
    member = MembershipFactory()
    draft = requirement_drafts.save(
        enterprise=member.enterprise,
        by=member.user,
        title="X",
        lines=[LineDraft(text="a", quantity=Decimal(2))],
        closes_on=timezone.localdate(),
        answer_by_on=in_days(3),
    )

    with pytest.raises(DomainError) as refused:
        requirements.submit(requirement=draft, by=member.user)

    assert refused.value.params["missing"] == {
        "line-1-unit": "Line 1: choose the unit.",
        "closes_on": "Choose a closing day after today.",
        "contact": "Choose a contact.",
    }


def test_return_with_remarks_tells_the_owner_and_can_be_submitted_again():
    member, organiser = MembershipFactory(), desk()
    draft = requirements.submit(requirement=complete_draft(member), by=member.user)
    line = draft.lines.get()

    requirements.return_(
        requirement=draft,
        by=organiser,
        remarks=[
            RemarkDraft(line=line, code="vague"),
            RemarkDraft(text="Good text"),
            RemarkDraft(),
        ],
    )

    draft.refresh_from_db()
    assert draft.status == "returned"
    assert list(Remark.objects.values_list("line_number", "code", "text", "by")) == [
        (1, "vague", "", organiser.pk),
        (None, "", "Good text", organiser.pk),
    ]
    assert set(
        Notification.objects.filter(kind="requirement_returned").values_list("to", "channel")
    ) == {(member.user.pk, "in_app"), (member.user.pk, "email")}
    requirements.submit(requirement=draft, by=member.user)
    assert trail(draft)[0] == [
        "requirement.created",
        "requirement.submitted",
        "requirement.returned",
        "requirement.submitted",
    ]


def test_return_without_a_remark_is_refused():
    requirement = RequirementFactory(submitted=True)

    with pytest.raises(DomainError, match="at least one remark"):
        requirements.return_(requirement=requirement, remarks=[RemarkDraft(text=" ")], by=desk())

    assert trail(requirement) == ([], [])


def test_approve_publishes_at_once_and_a_second_click_changes_nothing():
    requirement, organiser = RequirementFactory(submitted=True, lines=["x"]), desk()

    requirements.approve(requirement=requirement, by=organiser)
    again = requirements.approve(requirement=requirement, by=organiser)

    assert again.status == "published"
    assert trail(requirement) == (
        ["requirement.approved", "requirement.published"],
        [("requirement", "approved"), ("requirement", "published")],
    )


def test_approve_under_an_embargo_is_published_by_the_system_when_it_ends():
    later = timezone.now() + datetime.timedelta(hours=1)
    requirement = RequirementFactory(submitted=True, embargoed_until=later)

    requirements.approve(requirement=requirement, by=desk())

    requirement.refresh_from_db()
    assert requirement.status == "approved"
    assert requirements.publish_due() == 0
    Requirement.objects.update(embargoed_until=timezone.now() - datetime.timedelta(seconds=1))
    assert requirements.publish_due() == 1
    assert requirements.publish_due() == 0
    requirement.refresh_from_db()
    assert requirement.status == "published"
    assert AuditEntry.objects.get(action="requirement.published").actor is None


def test_set_embargo_frees_an_approved_one_and_never_hides_a_published_one():
    later = timezone.now() + datetime.timedelta(days=1)
    approved = RequirementFactory(approved=True, embargoed_until=later)
    published = RequirementFactory()

    requirements.set_embargo(requirement=approved, until=None)
    requirements.set_embargo(requirement=published, until=later)

    approved.refresh_from_db()
    published.refresh_from_db()
    assert (approved.status, published.status, published.embargoed_until) == (
        "published",
        "published",
        None,
    )
    assert trail(published) == ([], [])


def test_approve_past_the_closing_day_is_refused():
    requirement = RequirementFactory(submitted=True, closes_on=in_days(-1), answer_by_on=in_days(3))

    with pytest.raises(DomainError, match="closing day has passed"):
        requirements.approve(requirement=requirement, by=desk())


@pytest.mark.parametrize("verb", ["approve", "return_", "refuse"])
def test_desk_verbs_by_those_without_the_right_are_refused(verb):
    requirement = RequirementFactory(submitted=True)
    member = MembershipFactory(enterprise=requirement.enterprise).user
    elsewhere = OrganiserRoleFactory(region=region("330100")).user
    analyst = OrganiserRoleFactory(role="analyst").user
    # The desk's own case: an organiser who is a member of the enterprise.
    own = OrganiserRoleFactory().user
    MembershipFactory(user=own, enterprise=requirement.enterprise)
    arguments = {
        "return_": {"remarks": [RemarkDraft(text="x")]},
        "refuse": {"reason": "advertising"},
    }

    for user in (UserFactory(), member, elsewhere, analyst, own):
        with pytest.raises(DomainError, match="Only the desk") as refused:
            getattr(requirements, verb)(requirement=requirement, by=user, **arguments.get(verb, {}))
        assert refused.value.is_refusal

    requirement.refresh_from_db()
    assert requirement.status == "submitted"
    assert trail(requirement) == ([], [])


def test_administrator_moderates_where_no_desk_is():
    requirement = RequirementFactory(submitted=True)

    requirements.approve(requirement=requirement, by=AdministratorFactory())

    requirement.refresh_from_db()
    assert requirement.status == "published"


def test_refuse_closes_it_with_the_saved_reason():
    requirement = RequirementFactory(submitted=True)
    member = MembershipFactory(enterprise=requirement.enterprise)

    requirements.refuse(
        requirement=requirement, reason="advertising", note="No line is a need.", by=desk()
    )

    requirement.refresh_from_db()
    assert (requirement.status, requirement.close_reason, requirement.close_note) == (
        "closed",
        "refused",
        "No line is a need.",
    )
    assert Remark.objects.get().code == "advertising"
    assert trail(requirement) == (["requirement.refused"], [("requirement", "closed")])
    assert set(Notification.objects.values_list("to", "kind")) == {
        (member.user.pk, "requirement_refused")
    }


def test_take_down_removes_what_is_published_and_needs_a_reason():
    requirement, organiser = RequirementFactory(), desk()

    with pytest.raises(DomainError, match="State the reason"):
        requirements.take_down(requirement=requirement, reason=" ", by=organiser)
    requirements.take_down(requirement=requirement, reason="misleading", by=organiser)

    requirement.refresh_from_db()
    assert (requirement.status, requirement.close_reason) == ("closed", "taken_down")
    assert trail(requirement)[0] == ["requirement.taken_down"]


# --- Published ----------------------------------------------------------------------------------------


def test_amend_takes_effect_at_once_and_waits_for_the_desk():
    member, organiser = MembershipFactory(), desk()
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["A", "B"])
    first, second = requirement.lines.order_by("number")

    requirements.amend(
        requirement=requirement,
        by=member.user,
        title="New title",
        lines=[LineDraft(public_id=first.public_id, text="A amended"), LineDraft(text="C")],
    )

    requirement.refresh_from_db()
    assert (requirement.status, requirement.title, requirement.amendment_waits) == (
        "published",
        "New title",
        True,
    )
    assert list(requirement.lines.order_by("number").values_list("number", "text", "status")) == [
        (1, "A amended", "open"),
        (2, "B", "withdrawn"),
        (3, "C", "open"),
    ]
    entry = AuditEntry.objects.get(action="requirement.amended")
    assert entry.data == {"fields": ["title"], "lines": [1, 2, 3]}
    assert trail(second)[1] == [("line", "withdrawn")]
    assert list(Requirement.objects.to_moderate()) == [requirement]
    requirements.see_amendment(requirement=requirement, by=organiser)
    assert not Requirement.objects.to_moderate().exists()


def test_amend_of_a_draft_or_without_lines_is_refused():
    member = MembershipFactory()
    draft = complete_draft(member)
    published = RequirementFactory(enterprise=member.enterprise, lines=["A"])

    with pytest.raises(DomainError, match="Draft"):
        requirements.amend(requirement=draft, by=member.user, title="X")
    with pytest.raises(DomainError, match="at least one line"):
        requirements.amend(requirement=published, by=member.user, lines=[])

    assert published.lines.get().status == "open"


def test_fill_line_closes_the_requirement_with_its_last_open_line():
    member = MembershipFactory()
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["A", "B"])
    first, second = requirement.lines.order_by("number")

    requirements.withdraw_line(line=first, by=member.user)
    requirement.refresh_from_db()
    assert requirement.status == "published"
    requirements.fill_line(line=second, by=member.user)
    requirements.fill_line(line=second, by=member.user)

    requirement.refresh_from_db()
    assert (requirement.status, requirement.close_reason) == ("closed", "filled")
    assert requirement.close_outcome == "here"
    assert trail(second) == (["line.filled"], [("line", "filled")])
    assert trail(requirement) == (["requirement.filled"], [("requirement", "closed")])


def test_last_line_withdrawn_closes_with_the_best_that_became_of_any():
    member = MembershipFactory()
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["A", "B"])
    first, second = requirement.lines.order_by("number")

    with pytest.raises(DomainError, match="Say how it ended"):
        requirements.withdraw_line(line=first, by=member.user, outcome="here")
    requirements.withdraw_line(line=first, by=member.user, outcome="elsewhere")
    requirements.withdraw_line(line=second, by=member.user, outcome="not_needed")

    requirement.refresh_from_db()
    assert (requirement.close_reason, requirement.close_outcome) == ("withdrawn", "elsewhere")
    assert list(requirement.lines.order_by("number").values_list("outcome", flat=True)) == [
        "elsewhere",
        "not_needed",
    ]


def test_requirement_with_a_filled_line_is_never_closed_as_found_elsewhere():
    member = MembershipFactory()
    requirement = RequirementFactory(enterprise=member.enterprise, lines=["A", "B"])
    first, second = requirement.lines.order_by("number")
    # Filled when lines did not say yet how they ended.
    RequirementLine.objects.filter(pk=first.pk).update(status="filled")

    requirements.withdraw_line(line=second, by=member.user, outcome="elsewhere")

    requirement.refresh_from_db()
    assert (requirement.close_reason, requirement.close_outcome) == ("filled", "here")


def test_fill_line_by_a_stranger_is_refused():
    requirement = RequirementFactory(lines=["A"])

    with pytest.raises(DomainError, match="Only editors"):
        requirements.fill_line(line=requirement.lines.get(), by=MembershipFactory().user)

    assert requirement.lines.get().status == RequirementLine.Status.OPEN


@pytest.mark.parametrize("trait", ["submitted", "approved", "published"])
def test_withdraw_closes_from_every_state_after_the_draft_and_twice_is_harmless(trait):
    member = MembershipFactory()
    traits = {} if trait == "published" else {trait: True}
    requirement = RequirementFactory(enterprise=member.enterprise, **traits)

    requirements.withdraw(requirement=requirement, by=member.user)
    requirements.withdraw(requirement=requirement, by=member.user)

    requirement.refresh_from_db()
    assert requirement.close_reason == "withdrawn"
    assert trail(requirement) == (["requirement.withdrawn"], [("requirement", "closed")])


def test_close_due_ends_what_an_embargo_held_back_beyond_its_closing_day():
    later = timezone.now() + datetime.timedelta(days=60)
    late = RequirementFactory(approved=True, closes_on=in_days(-1), embargoed_until=later)
    today = RequirementFactory(approved=True, closes_on=in_days(0), embargoed_until=later)

    assert requirements.close_due() == 1

    states = dict(Requirement.objects.values_list("pk", "close_reason"))
    assert states == {late.pk: "expired", today.pk: ""}


def test_publish_due_leaves_what_is_past_its_closing_day():
    late = RequirementFactory(
        approved=True, closes_on=in_days(-1), embargoed_until=timezone.now(), lines=["A"]
    )

    assert requirements.publish_due() == 0
    assert Requirement.objects.get(pk=late.pk).status == "approved"
    assert requirements.close_due() == 1


def test_close_due_ends_what_is_past_its_last_answer_and_what_was_not_corrected():
    member = MembershipFactory()
    common = {"enterprise": member.enterprise, "lines": ["A"]}
    expired = RequirementFactory(closes_on=in_days(-9), answer_by_on=in_days(-1), **common)
    answering = RequirementFactory(closes_on=in_days(-9), answer_by_on=in_days(0), **common)
    left = RequirementFactory(
        status="returned",
        published_at=None,
        returned_at=timezone.now() - datetime.timedelta(days=10, minutes=1),
        **common,
    )
    fresh = RequirementFactory(
        status="returned",
        published_at=None,
        returned_at=timezone.now() - datetime.timedelta(days=9, hours=23),
        **common,
    )

    assert requirements.close_due() == 2
    assert requirements.close_due() == 0

    states = dict(Requirement.objects.values_list("pk", "close_reason"))
    assert states == {expired.pk: "expired", answering.pk: "", left.pk: "unanswered", fresh.pk: ""}
    assert set(Notification.objects.values_list("kind", flat=True)) == {
        "requirement_expired",
        "requirement_unanswered",
    }
    assert AuditEntry.objects.get(action="requirement.unanswered").actor is None


def test_close_suspended_ends_all_that_is_under_way_but_drafts():
    enterprise = EnterpriseFactory(status="suspended")
    published = RequirementFactory(enterprise=enterprise)
    draft = RequirementFactory(enterprise=enterprise, draft=True)

    assert requirements.close_suspended(enterprise=enterprise, by=desk()) == 1

    published.refresh_from_db()
    draft.refresh_from_db()
    assert (published.close_reason, draft.status) == ("enterprise_suspended", "draft")


# --- Two at once --------------------------------------------------------------------------------------


def together(*calls):
    """Run the calls at the same moment, each on its own connection; returns what each raised."""
    gate = threading.Barrier(len(calls))
    faults = []

    def run(call):
        gate.wait()
        try:
            call()
        except DomainError as fault:
            faults.append(fault.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return faults


@pytest.mark.race
def test_publish_due_by_eight_sweepers_at_once_publishes_once(committed):
    requirement = RequirementFactory(
        approved=True, embargoed_until=timezone.now() - datetime.timedelta(seconds=1)
    )

    faults = together(*[requirements.publish_due] * 8)

    assert faults == []
    assert trail(requirement) == (["requirement.published"], [("requirement", "published")])


@pytest.mark.race
def test_approve_and_withdraw_at_once_end_in_one_story(committed):
    requirement = RequirementFactory(submitted=True, lines=["x"])
    member = MembershipFactory(enterprise=requirement.enterprise)
    organisers = [desk() for _ in range(4)]

    together(
        *(lambda by=by: requirements.approve(requirement=requirement, by=by) for by in organisers),
        *[lambda: requirements.withdraw(requirement=requirement, by=member.user)] * 4,
    )

    requirement.refresh_from_db()
    actions = trail(requirement)[0]
    assert requirement.close_reason == "withdrawn"
    assert actions in (
        ["requirement.withdrawn"],
        ["requirement.approved", "requirement.published", "requirement.withdrawn"],
    )


@pytest.mark.race
def test_publish_due_without_the_lock_publishes_more_than_once(committed, monkeypatch):
    """The negative control: what the lock is for does happen without it."""
    requirement = RequirementFactory(
        approved=True, embargoed_until=timezone.now() - datetime.timedelta(seconds=1)
    )
    read = threading.Barrier(4)

    def unlocked(pk):
        row = Requirement.objects.select_related("enterprise__region").get(pk=pk)
        read.wait(10)
        return row

    monkeypatch.setattr(requirements, "_lock", unlocked)

    together(*[requirements.publish_due] * 4)

    assert trail(requirement)[0] == ["requirement.published"] * 4


def test_suspended_association_posts_for_nobody():
    member, association = EnterpriseFactory(), MembershipFactory(enterprise__kind_id="association")
    Mandate.objects.create(association=association.enterprise, member=member, status="active")
    association.enterprise.status = "suspended"
    association.enterprise.save()

    with pytest.raises(DomainError, match="Only editors"):
        requirement_drafts.save(enterprise=member, by=association.user, title="X")
