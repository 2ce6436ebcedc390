from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Change, EnterpriseGroup, Notification
from matchmaking.models import Dismissal, Interest, Match
from matchmaking.services import interests, suggestions
from tests.factories.chains import (
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    RequirementFactory,
)
from tests.factories.matchmaking import InterestFactory, MatchFactory

pytestmark = pytest.mark.django_db


def scene(**fields):
    """A published requirement of two lines, and an editor of a verified supplier with a contact."""
    requirement = fields.pop("requirement", None) or RequirementFactory(lines=["a", "b"])
    member = MembershipFactory(role="editor", **fields)
    return requirement, member, ContactFactory(enterprise=member.enterprise)


def send(requirement, member, contact, **other):
    values = {
        "lines": list(requirement.lines.filter(number=1)),
        "message": "We make this.",
        "contact": contact,
        **other,
    }
    return interests.express(
        requirement=requirement, enterprise=member.enterprise, by=member.user, **values
    )


def traces(noun, verb):
    return (
        AuditEntry.objects.filter(action=f"{noun}.{verb}").count(),
        Change.objects.filter(noun=noun, verb=verb).count(),
    )


def test_express_sends_it_to_the_buyer_at_once():
    requirement, member, contact = scene()
    buyer = MembershipFactory(enterprise=requirement.enterprise).user

    interest = send(requirement, member, contact, message="我们可供")

    assert (interest.status, interest.language, interest.contact) == ("sent", "zh", contact)
    assert list(interest.lines.values_list("number", flat=True)) == [1]
    assert traces("interest", "sent") == (1, 1)
    notice = Notification.objects.get(channel="email")
    assert (notice.kind, notice.to) == ("interest_received", buyer)
    assert set(notice.context) == {"requirement", "enterprise", "interest"}


def test_express_twice_is_one_interest_and_says_nothing_new():
    requirement, member, contact = scene()
    MembershipFactory(enterprise=requirement.enterprise)
    first = send(requirement, member, contact)

    second = send(requirement, member, contact)

    assert second == first
    assert Interest.objects.count() == 1
    assert traces("interest", "sent") == (1, 1)
    assert traces("interest", "changed") == (0, 0)
    assert Notification.objects.filter(channel="email").count() == 1


def test_express_again_with_other_words_changes_the_one_that_waits():
    requirement, member, contact = scene()
    send(requirement, member, contact)

    interest = send(
        requirement, member, contact, message="And faster.", lines=list(requirement.lines.all())
    )

    assert (Interest.objects.count(), interest.message, interest.lines.count()) == (
        1,
        "And faster.",
        2,
    )
    assert traces("interest", "changed") == (1, 1)


@pytest.mark.race
def test_express_from_two_tabs_at_once_is_one_interest(committed):
    requirement, member, contact = scene()
    lines = list(requirement.lines.all())
    start = threading.Barrier(16)
    faults: list[Exception] = []

    def tab(number):
        try:
            start.wait()
            send(requirement, member, contact, lines=lines, message=f"tab {number}")
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=tab, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert Interest.objects.count() == 1
    assert traces("interest", "sent") == (1, 1)


def test_express_after_a_withdrawal_is_a_new_one():
    requirement, member, contact = scene()
    interests.withdraw(interest=send(requirement, member, contact), by=member.user)

    send(requirement, member, contact)

    assert sorted(Interest.objects.values_list("status", flat=True)) == ["sent", "withdrawn"]
    assert traces("interest", "withdrawn") == (1, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"enterprise__pending": True}, "Your enterprise is not verified yet"),
        ({"role": "viewer"}, "Only the owner and the editors of a verified enterprise"),
        ({"status": "requested"}, "Only the owner and the editors of a verified enterprise"),
        ({"enterprise__status": "suspended"}, "Your enterprise is not verified yet"),
    ],
)
def test_express_without_the_right_is_refused(fields, sentence):
    requirement = RequirementFactory(lines=["a"])
    member = MembershipFactory(**{"role": "editor", **fields})
    contact = ContactFactory(enterprise=member.enterprise)

    with pytest.raises(DomainError, match=sentence) as refused:
        send(requirement, member, contact)

    assert refused.value.is_refusal
    assert not Interest.objects.exists()


def test_express_to_ones_own_house_is_refused():
    group = EnterpriseGroup.objects.create(name="示例集团")
    own = RequirementFactory(lines=["a"], enterprise=EnterpriseFactory(group=group))
    affiliate = MembershipFactory(enterprise=EnterpriseFactory(group=group))

    with pytest.raises(DomainError, match="of your own house"):
        send(own, affiliate, ContactFactory(enterprise=affiliate.enterprise))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "closed", "close_reason": "filled"},
        {"status": "approved"},
        {"closes_on": timezone.localdate() - datetime.timedelta(days=1)},
    ],
)
def test_express_in_what_takes_none_is_refused(fields):
    requirement, member, contact = scene(requirement=RequirementFactory(lines=["a"], **fields))

    with pytest.raises(DomainError, match="takes no interests any more"):
        send(requirement, member, contact)


def test_express_needs_an_open_line_of_this_requirement_and_an_own_contact():
    requirement, member, contact = scene()
    other = RequirementFactory(lines=["x"]).lines.get()
    requirement.lines.filter(number=2).update(status="filled")

    for lines in ([], [other], list(requirement.lines.filter(number=2))):
        with pytest.raises(DomainError, match="at least one open line"):
            send(requirement, member, contact, lines=lines)
    with pytest.raises(DomainError, match="Choose a contact of your enterprise"):
        send(requirement, member, ContactFactory())


def test_accept_opens_and_tells_the_supplier():
    requirement, member, contact = scene()
    buyer = MembershipFactory(enterprise=requirement.enterprise, role="editor").user
    interest = send(requirement, member, contact)

    interests.accept(interest=interest, by=buyer)
    interests.accept(interest=interest, by=buyer)  # a second click

    interest.refresh_from_db()
    assert (interest.status, interest.answered_at is not None) == ("accepted", True)
    assert traces("interest", "accepted") == (1, 1)
    notices = Notification.objects.filter(channel="email", kind="interest_accepted")
    assert list(notices.values_list("to", flat=True)) == [member.user.pk]


def test_decline_needs_a_reason_that_the_supplier_sees():
    requirement, member, contact = scene()
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    interest = send(requirement, member, contact)

    with pytest.raises(DomainError, match="Choose a reason"):
        interests.decline(interest=interest, reason="", by=buyer)
    interests.decline(interest=interest, reason="capacity", by=buyer)

    interest.refresh_from_db()
    assert (interest.status, interest.decline_reason) == ("declined", "capacity")
    assert traces("interest", "declined") == (1, 1)
    with pytest.raises(DomainError, match="can no longer be changed: Declined"):
        interests.accept(interest=interest, by=buyer)
    with pytest.raises(DomainError, match="can no longer be changed: Declined"):
        interests.withdraw(interest=interest, by=member.user)
    with pytest.raises(DomainError, match="can no longer be changed: Declined"):
        send(requirement, member, contact, message="please")


@pytest.mark.parametrize("role", ["viewer", None])
def test_answer_by_others_than_the_buyers_editors_is_refused(role):
    interest = InterestFactory()
    person = (
        MembershipFactory(enterprise=interest.requirement.enterprise, role=role)
        if role
        else MembershipFactory(enterprise=interest.enterprise)
    ).user

    for answer in (
        lambda: interests.accept(interest=interest, by=person),
        lambda: interests.decline(interest=interest, reason="other", by=person),
    ):
        with pytest.raises(DomainError) as refused:
            answer()
        assert refused.value.code == "interest.forbidden"


def test_withdraw_by_the_buyer_is_refused():
    interest = InterestFactory()
    buyer = MembershipFactory(enterprise=interest.requirement.enterprise).user

    with pytest.raises(DomainError) as refused:
        interests.withdraw(interest=interest, by=buyer)

    assert refused.value.code == "interest.forbidden"


# -- dismissing -----------------------------------------------------------------------------------


def test_dismiss_takes_the_line_out_of_the_suggestions_for_good():
    requirement, member, _ = scene()
    for line in requirement.lines.all():
        MatchFactory(line=line, supplier=member.enterprise)
    line = requirement.lines.get(number=1)

    for _click in range(2):
        suggestions.dismiss(
            line=line, enterprise=member.enterprise, reason="too_far", by=member.user
        )

    assert Dismissal.objects.get().reason == "too_far"
    assert traces("dismissal", "made") == (1, 1)
    left = Match.objects.suggested_for(member.enterprise)
    assert list(left.values_list("line__number", flat=True)) == [2]


def test_dismiss_by_one_supplier_leaves_the_line_to_the_others():
    requirement, member, _ = scene()
    rival = MatchFactory(line=requirement.lines.get(number=1))
    suggestions.dismiss_requirement(
        requirement=requirement, enterprise=member.enterprise, reason="quantity", by=member.user
    )

    assert Dismissal.objects.count() == 2
    assert Match.objects.suggested_for(rival.supplier).get() == rival


def test_dismiss_needs_a_reason_and_the_right():
    requirement, member, _ = scene()
    viewer = MembershipFactory(enterprise=member.enterprise, role="viewer").user
    line = requirement.lines.get(number=1)

    with pytest.raises(DomainError, match="Choose a reason"):
        suggestions.dismiss(line=line, enterprise=member.enterprise, reason="", by=member.user)
    with pytest.raises(DomainError) as refused:
        suggestions.dismiss(line=line, enterprise=member.enterprise, reason="too_far", by=viewer)
    assert refused.value.code == "dismissal.forbidden"
