from __future__ import annotations

import datetime
import threading
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Notification
from events.models import Listing
from matchmaking.models import Decision, Lease, Match
from matchmaking.services import following, review
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, organiser_of
from tests.factories.matchmaking import MatchFactory, supplier

pytestmark = pytest.mark.django_db


def pair(**fields):
    """A proposed pair of a published line in Jiashan, and a reviewer of the city above it."""
    requirement = fields.pop("requirement", None) or RequirementFactory(lines=["三分体接线盒"])
    match = MatchFactory(line=requirement.lines.get(number=1), **fields)
    return match, OrganiserRoleFactory().user


def traces(verb):
    return (
        AuditEntry.objects.filter(action=f"match.{verb}").count(),
        Change.objects.filter(noun="match", verb=verb).count(),
    )


# -- the lease ------------------------------------------------------------------------------------


def test_take_lease_holds_the_line_for_ten_minutes_and_again():
    match, reviewer = pair()
    first = review.take_lease(line=match.line, by=reviewer)

    second = review.take_lease(line=match.line, by=reviewer)

    assert second.pk == first.pk
    left = second.expires_at - timezone.now()
    assert datetime.timedelta(minutes=9, seconds=50) < left <= datetime.timedelta(minutes=10)


def test_take_lease_of_a_line_that_a_colleague_holds_says_until_when():
    match, reviewer = pair()
    lease = review.take_lease(line=match.line, by=reviewer)

    with pytest.raises(DomainError) as refused:
        review.take_lease(line=match.line, by=OrganiserRoleFactory().user)

    time = f"{timezone.localtime(lease.expires_at):%H:%M}"
    assert (
        str(refused.value)
        == f"A colleague holds this line until {time}. Take another one meanwhile."
    )
    assert refused.value.code == "line.held"
    assert Lease.objects.get().by == reviewer


def test_take_lease_after_it_lapsed_passes_it_on(yesterday):
    match, reviewer = pair()
    Lease.objects.create(line=match.line, by=reviewer, expires_at=yesterday)
    colleague = OrganiserRoleFactory().user

    review.take_lease(line=match.line, by=colleague)

    assert Lease.objects.get().by == colleague


def test_take_lease_of_the_next_line_gives_the_last_one_free():
    requirement = RequirementFactory(lines=["a", "b"])
    reviewer = OrganiserRoleFactory().user
    for line in requirement.lines.all():
        MatchFactory(line=line)
        review.take_lease(line=line, by=reviewer)

    assert list(Lease.objects.values_list("line__number", flat=True)) == [2]


def test_release_lease_gives_the_line_to_the_next():
    match, reviewer = pair()
    review.take_lease(line=match.line, by=reviewer)

    review.release_lease(line=match.line, by=reviewer)

    assert not Lease.objects.exists()


def naive_hold(line, by):
    """What a careless implementation does: look, then write."""
    lease, _new = Lease.objects.update_or_create(
        line=line, defaults={"by": by, "expires_at": timezone.now() + review.LEASE}
    )
    return lease


def at_once(takers):
    """Each in a session of its own, started together; the refusals' codes, None where there was none."""
    start, codes = threading.Barrier(len(takers)), []

    def run(take):
        code = None
        start.wait()
        try:
            take()
        except DomainError as error:
            code = error.code
        finally:
            connection.close()
        codes.append(code)

    threads = [threading.Thread(target=run, args=[take]) for take in takers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


@pytest.mark.race
@pytest.mark.parametrize("careful", [True, False])
def test_take_lease_from_sixteen_sessions_at_once_gives_it_to_one(committed, monkeypatch, careful):
    """Negative control: without the condition in the statement all of them believe that they hold the line."""
    match, _ = pair()
    reviewers = [OrganiserRoleFactory().user for _ in range(16)]
    if not careful:
        monkeypatch.setattr(review, "_hold", naive_hold)

    codes = at_once(
        [partial(review.take_lease, line=match.line, by=reviewer) for reviewer in reviewers]
    )

    assert sorted(codes, key=str) == ([None] + ["line.held"] * 15 if careful else [None] * 16)


@pytest.mark.race
def test_approve_by_two_reviewers_at_once_is_one_decision(committed):
    match, first = pair()
    second = OrganiserRoleFactory().user

    codes = at_once([partial(review.approve, match=match, by=by) for by in (first, second)])

    assert sorted(codes, key=str) == [None, "line.held"]
    assert Decision.objects.count() == 1


# -- decisions ------------------------------------------------------------------------------------


def test_approve_recommends_and_records_on_which_score():
    match, reviewer = pair()

    review.approve(match=match, by=reviewer, note="knows the buyer")

    match.refresh_from_db()
    assert (match.status, match.is_stale, match.decided_at is not None) == ("approved", False, True)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.note, decision.score, decision.by) == (
        "approved", "knows the buyer", match.score, reviewer,
    )  # fmt: skip
    assert traces("approved") == (1, 1)
    assert AuditEntry.objects.get(action="match.approved").data == {
        "line": match.line.public_id, "tenths": 814, "before": "proposed", "reason": "",
    }  # fmt: skip
    assert Lease.objects.get().by == reviewer


def test_approve_what_a_colleague_approved_meanwhile_is_told():
    match, reviewer = pair()
    review.approve(match=match, by=reviewer)
    Lease.objects.all().delete()

    with pytest.raises(DomainError, match="decided meanwhile: Approved"):
        review.approve(match=match, by=OrganiserRoleFactory().user)

    assert Decision.objects.count() == 1


def test_decide_on_a_line_that_a_colleague_holds_is_refused():
    match, reviewer = pair()
    review.take_lease(line=match.line, by=OrganiserRoleFactory().user)

    for decide in (
        lambda: review.approve(match=match, by=reviewer),
        lambda: review.reject(match=match, reason="too_far", by=reviewer),
        lambda: review.defer(match=match, by=reviewer),
    ):
        with pytest.raises(DomainError) as refused:
            decide()
        assert refused.value.code == "line.held"

    assert not Decision.objects.exists()


def test_reject_needs_a_reason_and_other_needs_a_note():
    match, reviewer = pair()

    with pytest.raises(DomainError, match="Choose a reason for rejecting"):
        review.reject(match=match, reason="", by=reviewer)
    with pytest.raises(DomainError, match="what is the other reason"):
        review.reject(match=match, reason="other", by=reviewer)
    review.reject(match=match, reason="capacity", by=reviewer)

    match.refresh_from_db()
    assert match.status == "rejected"
    assert Decision.objects.get().reason == "capacity"
    assert traces("rejected") == (1, 1)


def test_defer_until_a_day_that_has_passed_is_refused():
    match, reviewer = pair()

    with pytest.raises(DomainError, match="Choose a day after today"):
        review.defer(match=match, by=reviewer, until_on=timezone.localdate())


def test_defer_comes_back_to_decide_when_its_day_has_come():
    match, reviewer = pair()
    review.defer(match=match, by=reviewer, until_on=timezone.localdate() + datetime.timedelta(3))
    assert not Match.objects.to_decide().exists()

    Match.objects.update(deferred_until_on=timezone.localdate())

    assert Match.objects.to_decide().get() == match
    assert traces("deferred") == (1, 1)


@pytest.mark.parametrize("decide", ["approve", "reject", "defer"])
def test_undo_of_each_decision_puts_it_back_and_keeps_both_on_record(decide):
    match, reviewer = pair()
    extra = {"reason": "too_far"} if decide == "reject" else {}
    getattr(review, decide)(match=match, by=reviewer, **extra)

    review.undo(match=match, by=reviewer)

    match.refresh_from_db()
    assert (match.status, match.decided_at, match.deferred_until_on) == ("proposed", None, None)
    assert list(Decision.objects.values_list("verdict", flat=True))[1] == "undone"
    assert traces("undone") == (1, 1)


def test_undo_without_a_decision_is_refused():
    match, reviewer = pair()

    with pytest.raises(DomainError, match="There is no decision to undo"):
        review.undo(match=match, by=reviewer)


def test_approve_one_that_misses_a_must_needs_a_reason():
    match, reviewer = pair(misses_must=True)

    with pytest.raises(DomainError, match="misses a must"):
        review.approve(match=match, by=reviewer)
    review.approve(match=match, by=reviewer, reason="new line in June")

    assert Decision.objects.get().note == "new line in June"


def test_approve_a_stale_approval_again_clears_it():
    match, reviewer = pair(status="approved", is_stale=True)

    review.approve(match=match, by=reviewer)

    match.refresh_from_db()
    assert (match.status, match.is_stale) == ("approved", False)


def test_approve_many_is_all_or_nothing_and_passes_over_what_is_approved():
    requirement = RequirementFactory(lines=["a"])
    line, reviewer = requirement.lines.get(), OrganiserRoleFactory().user
    good, done, bad = (
        MatchFactory(line=line),
        MatchFactory(line=line, status="approved"),
        MatchFactory(line=line, misses_must=True),
    )

    with pytest.raises(DomainError):
        review.approve_many(matches=[good, bad], by=reviewer)
    assert not Decision.objects.exists()
    approved = review.approve_many(matches=[good, done], by=reviewer)

    assert approved == [good]
    assert Decision.objects.get().match == good


def test_decide_on_a_closed_line_says_so():
    match, reviewer = pair()
    match.line.status = "filled"
    match.line.save()

    with pytest.raises(DomainError, match="no longer open"):
        review.approve(match=match, by=reviewer)


@pytest.mark.parametrize(
    "stranger",
    [
        lambda _requirement: UserFactory(),
        lambda _requirement: OrganiserRoleFactory(region=region("330200")).user,
        lambda _requirement: OrganiserRoleFactory(role="analyst").user,
        lambda requirement: MembershipFactory(enterprise=requirement.enterprise).user,
        lambda requirement: (
            MembershipFactory(
                enterprise=requirement.enterprise, user=OrganiserRoleFactory().user
            ).user
        ),
    ],
    ids=["anyone", "another city", "analyst", "the buyer", "desk in its own case"],
)
def test_decide_without_the_right_is_refused(stranger):
    match, _ = pair()
    person = stranger(match.line.requirement)

    for verb in (
        lambda: review.take_lease(line=match.line, by=person),
        lambda: review.approve(match=match, by=person),
        lambda: review.reject(match=match, reason="too_far", by=person),
        lambda: review.defer(match=match, by=person),
        lambda: review.undo(match=match, by=person),
        lambda: review.add_by_hand(line=match.line, supplier=match.supplier, reason="x", by=person),
    ):
        with pytest.raises(DomainError) as refused:
            verb()
        assert refused.value.code == "match.forbidden"

    match.refresh_from_db()
    assert match.status == "proposed"


def test_approve_by_the_organiser_of_an_event_that_lists_it():
    match, _ = pair()
    event = EventFactory(region=region("340100"))
    Listing.objects.create(event=event, requirement=match.line.requirement, code="AB12")
    organiser = organiser_of(event)

    review.approve(match=match, by=organiser)

    match.refresh_from_db()
    assert match.status == "approved"


# -- notices --------------------------------------------------------------------------------------


def told():
    return sorted(Notification.objects.filter(channel="email").values_list("kind", "to"))


def test_approve_tells_buyer_and_supplier_once_a_day():
    requirement = RequirementFactory(lines=["a", "b"])
    maker = EnterpriseFactory()
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    seller = MembershipFactory(enterprise=maker, role="editor").user
    MembershipFactory(enterprise=maker, role="viewer")
    reviewer = OrganiserRoleFactory().user

    for line in requirement.lines.all():
        review.approve(match=MatchFactory(line=line, supplier=maker), by=reviewer)

    assert told() == [("recommended", seller.pk), ("suppliers_recommended", buyer.pk)]


def test_approve_under_an_embargo_tells_nobody_until_it_is_published():
    requirement = RequirementFactory(approved=True, lines=["a"])
    MembershipFactory(enterprise=requirement.enterprise)
    match, reviewer = pair(requirement=requirement)
    MembershipFactory(enterprise=match.supplier)
    review.approve(match=match, by=reviewer)
    assert told() == []

    requirement.status, requirement.published_at = "published", timezone.now()
    requirement.save()
    fact = Change.objects.create(noun="requirement", target=requirement.public_id, verb="published")
    following.react(facts=[fact])

    assert [kind for kind, _to in told()] == ["recommended", "suppliers_recommended"]


def test_announce_leaves_to_the_approval_what_was_approved_after_publication():
    requirement = RequirementFactory(
        lines=["a"], published_at=timezone.now() - datetime.timedelta(1)
    )
    MembershipFactory(enterprise=requirement.enterprise)
    match, reviewer = pair(requirement=requirement)
    review.approve(match=match, by=reviewer)
    Notification.objects.all().delete()

    assert review.announce(requirement=requirement) == 0

    assert told() == []


# -- by hand --------------------------------------------------------------------------------------


def test_add_by_hand_scores_the_pair_and_approves_it_with_the_reason():
    requirement = RequirementFactory(lines=["三分体接线盒，1500 V"])
    maker, reviewer = supplier("1500 V 三分体接线盒"), OrganiserRoleFactory().user

    match = review.add_by_hand(
        line=requirement.lines.get(), supplier=maker, reason="delivered before", by=reviewer
    )

    match.refresh_from_db()
    assert (match.status, match.origin, match.score is not None) == ("approved", "by_hand", True)
    assert Decision.objects.get().note == "delivered before"
    assert traces("computed") == traces("approved") == (1, 1)


def test_add_by_hand_without_a_reason_is_refused():
    match, reviewer = pair()

    with pytest.raises(DomainError, match="Write why this supplier fits"):
        review.add_by_hand(line=match.line, supplier=match.supplier, reason=" ", by=reviewer)


def test_add_by_hand_of_the_buyer_itself_is_refused():
    match, reviewer = pair()
    buyer = match.line.requirement.enterprise
    buyer.summary = "接线盒"
    buyer.save()

    with pytest.raises(DomainError, match="never matched with itself"):
        review.add_by_hand(line=match.line, supplier=buyer, reason="x", by=reviewer)


def test_add_by_hand_of_one_that_was_rejected_asks_to_undo_first():
    match, reviewer = pair(status="rejected")

    with pytest.raises(DomainError, match="decided meanwhile: Rejected"):
        review.add_by_hand(line=match.line, supplier=match.supplier, reason="x", by=reviewer)
