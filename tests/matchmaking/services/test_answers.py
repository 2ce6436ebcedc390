"""Questions, quota, the thread and the buyer's duty to answer (J7, J8)."""

from __future__ import annotations

import datetime
import threading

import pytest
import time_machine
from django.core import mail
from django.db import connection

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Condition, Notification
from chains.services import requirements
from chains.tasks import deliver_notifications
from matchmaking import statistics, tasks
from matchmaking.models import Interest
from matchmaking.services import interests
from tests.factories.chains import (
    ContactFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
)
from tests.factories.matchmaking import InterestFactory, MatchFactory, ScoreFactory
from tests.matchmaking.services.test_interests import scene, send

pytestmark = pytest.mark.django_db


def kinds(user):
    return list(
        Notification.objects.filter(to=user, channel="in_app")
        .order_by("pk")
        .values_list("kind", flat=True)
    )


# --- Questions ----------------------------------------------------------------------------------------


def test_questions_are_the_buyers_then_open_points_of_the_pair_and_never_more_than_three():
    requirement, member, contact = scene()
    requirement.questions.create(order=1, text="Who tests it?")
    conditions = [
        Condition.objects.create(requirement=requirement, kind="certification", text=text)
        for text in ("ISO 9001", "CQC", "TÜV", "IP68")
    ]
    match = MatchFactory(
        line=requirement.lines.get(number=1), supplier=member.enterprise, score=None
    )
    verdicts = ("met", "unproven", "unproven", "unproven")
    match.score = ScoreFactory(
        match=match,
        outcomes=[
            {"condition": one.pk, "verdict": verdict}
            for one, verdict in zip(conditions, verdicts, strict=True)
        ],
    )
    match.save()
    other = MembershipFactory().enterprise

    asked = interests.asked(requirement, member.enterprise)

    keys = ["q1", f"c{conditions[1].pk}", f"c{conditions[2].pk}"]
    assert [(one.key, one.text, one.is_open_point) for one in asked] == [
        ("q1", "Who tests it?", False),
        (keys[1], "CQC", True),
        (keys[2], "TÜV", True),
    ]
    # An open point is known to the pair only.
    assert [one.key for one in interests.asked(requirement, other)] == ["q1"]

    sent = send(requirement, member, contact, answers={"q1": " Our lab. ", keys[1]: "", "q9": "?"})
    assert sent.answers == [{"key": "q1", "question": "Who tests it?", "answer": "Our lab."}]
    requirement.questions.update(text="Who tests it, and where?")
    sent.refresh_from_db()
    assert sent.answers[0]["question"] == "Who tests it?"
    with pytest.raises(DomainError, match="longer than 500"):
        send(requirement, member, contact, answers={"q1": "x" * 501})


def open_point(requirement, kind, text, *, line=None, **other):
    at = requirement.lines.get(number=line) if line else None
    return requirement.conditions.create(kind=kind, text=text, line=at, **other)


def left_open(requirement, supplier, number, *conditions, **fields):
    """A pair of this line whose score leaves these conditions as they are: free text is judged by nobody."""
    line = requirement.lines.get(number=number)
    match = MatchFactory(line=line, supplier=supplier, score=None, **fields)
    match.score = ScoreFactory(
        match=match,
        outcomes=[
            {"condition": one.pk, "verdict": None if one.kind == "other" else "unproven"}
            for one in conditions
        ],
    )
    match.save()


def test_open_points_of_every_line_are_asked_and_kept_for_those_that_are_chosen():
    requirement, member, contact = scene()
    supplier = member.enterprise
    samples = open_point(
        requirement, "sample_time", "10 天", line=2, parameter={"value": 10, "unit": "day"}
    )
    wish = open_point(requirement, "certification", "CQC", strength="prefer")
    free = open_point(requirement, "other", "须驻厂监造", line=1)
    far = open_point(requirement, "lead_time", "20 天", line=1, parameter={"value": 20})
    left_open(requirement, supplier, 1, wish, free, far, tenths=400, misses_must=True)
    left_open(requirement, supplier, 2, samples, wish, tenths=300)

    asked = interests.asked(requirement, supplier)

    # The line that misses a must stands behind, a wish behind a must.
    assert [one.key for one in asked] == [f"c{one.pk}" for one in (samples, wish, far)]
    assert [one.line for one in asked] == [2, None, 1]
    sent = send(
        requirement,
        member,
        contact,
        lines=list(requirement.lines.filter(number=2)),
        answers={f"c{samples.pk}": "In 8.", f"c{wish.pk}": "Yes.", f"c{far.pk}": "In 15."},
    )
    assert sent.answers == [
        {"key": f"c{samples.pk}", "question": "10 天", "answer": "In 8.", "kind": "sample_time", "parameter": {"value": 10, "unit": "day"}, "line": 2},
        {"key": f"c{wish.pk}", "question": "CQC", "answer": "Yes.", "kind": "certification", "parameter": {}, "line": None},
    ]  # fmt: skip

    # Once it is sent, the lines it is about are asked of, with what only can be read.
    sent.lines.set(requirement.lines.filter(number=1))
    asked = interests.asked(requirement, supplier)
    assert [one.key for one in asked] == [f"c{one.pk}" for one in (far, wish, free)]


# --- The quota ----------------------------------------------------------------------------------------


@time_machine.travel("2026-11-29 23:59:00+08:00", tick=False)
def test_eleventh_of_a_week_is_refused_with_the_day_it_can_be_sent():
    requirement, member, contact = scene()
    InterestFactory.create_batch(9, enterprise=member.enterprise)
    InterestFactory(enterprise=member.enterprise, status="withdrawn")

    assert interests.quota(member.enterprise) == interests.Quota(0, datetime.date(2026, 11, 30))
    with pytest.raises(DomainError) as refused:
        send(requirement, member, contact)
    assert (refused.value.code, refused.value.params["resets_on"]) == (
        "interest.quota",
        "2026-11-30",
    )
    assert "from 30 Nov 2026" in str(refused.value)
    # What has been sent may still be changed.
    old = Interest.objects.standing().filter(enterprise=member.enterprise).first()
    old.requirement.lines.create(number=1, text="x")
    send(old.requirement, member, contact, message="More.")

    with time_machine.travel("2026-11-30 00:00:00+08:00", tick=False):
        assert interests.quota(member.enterprise).left == 10
        assert send(requirement, member, contact).status == "sent"


@pytest.mark.race
def test_quota_holds_when_many_are_sent_at_once(committed):
    requirements = [RequirementFactory(lines=["a"]) for _ in range(16)]
    member = MembershipFactory(role="editor")
    contact = ContactFactory(enterprise=member.enterprise)
    start, refused = threading.Barrier(16), []

    def tab(requirement):
        try:
            start.wait()
            send(requirement, member, contact)
        except DomainError as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=tab, args=[one]) for one in requirements]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (Interest.objects.count(), refused) == (10, ["interest.quota"] * 6)


# --- The thread, the short list, the notes ------------------------------------------------------------


def test_buyer_asks_back_and_supplier_replies_only_when_asked():
    requirement, member, contact = scene()
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    interest = send(requirement, member, contact)

    with pytest.raises(DomainError, match="asked nothing"):
        interests.reply(interest=interest, text="We also paint.", by=member.user)
    interests.ask_back(interest=interest, text=" 45 天内能否先交 20 台？ ", by=buyer)
    interests.reply(interest=interest, text="Yes.", by=member.user)

    assert [(m.side, m.text, m.language) for m in interest.thread.all()] == [
        ("buyer", "45 天内能否先交 20 台？", "zh"),
        ("supplier", "Yes.", "en"),
    ]
    assert kinds(member.user) == ["interest_asked"]
    assert kinds(buyer) == ["interest_received", "interest_replied"]
    for verb in ("asked", "replied"):
        assert AuditEntry.objects.filter(action=f"interest.{verb}").count() == 1
        assert Change.objects.filter(noun="interest", verb=verb).count() == 1
    with pytest.raises(DomainError, match="Only the owner"):
        interests.ask_back(interest=interest, text="x", by=member.user)
    interests.decline(interest=interest, reason="delivery", note="We need 80 a month.", by=buyer)
    interest.refresh_from_db()
    assert interest.decline_note == "We need 80 a month."
    for say, by in ((interests.ask_back, buyer), (interests.reply, member.user)):
        with pytest.raises(DomainError, match="can no longer"):
            say(interest=interest, text="x", by=by)


def test_short_list_and_notes_are_the_buyers_own():
    interest = InterestFactory()
    buyer = MembershipFactory(enterprise=interest.requirement.enterprise, role="editor").user
    supplier = MembershipFactory(enterprise=interest.enterprise).user

    interests.shortlist(interest=interest, on=True, by=buyer)
    interests.shortlist(interest=interest, on=True, by=buyer)
    interests.note(interest=interest, text="Ask for the mould.", by=buyer)

    interest.refresh_from_db()
    assert interest.is_shortlisted
    assert [one.text for one in interest.notes.all()] == ["Ask for the mould."]
    assert AuditEntry.objects.filter(action="interest.shortlisted").count() == 1
    assert not Notification.objects.filter(to=supplier).exists()
    assert "mould" not in str(AuditEntry.objects.filter(action="interest.noted").get().data)
    for verb in (
        lambda: interests.shortlist(interest=interest, on=False, by=supplier),
        lambda: interests.note(interest=interest, text="x", by=supplier),
    ):
        with pytest.raises(DomainError, match="Only the owner"):
            verb()


# --- The duty to answer -------------------------------------------------------------------------------


def test_buyer_and_desk_are_reminded_once_then_silence_has_a_name_and_late_answers_count_as_late():
    day = datetime.date(2026, 12, 5)
    requirement = RequirementFactory(lines=["a"], answer_by_on=day, closes_on=day)
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    desk = OrganiserRoleFactory().user
    waiting = InterestFactory.create_batch(3, requirement=requirement)
    supplier = MembershipFactory(enterprise=waiting[0].enterprise).user
    answered = InterestFactory(requirement=requirement)

    with time_machine.travel("2026-12-02 23:59:59+08:00", tick=False):
        tasks.keep_answers_due()
        assert (kinds(buyer), kinds(desk)) == ([], [])
        interests.accept(interest=answered, by=buyer)
    with time_machine.travel("2026-12-03 00:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        tasks.keep_answers_due()
    assert (kinds(buyer), kinds(desk)) == (["answers_due"], ["answers_due_desk"])
    notice = Notification.objects.get(kind="answers_due", channel="email")
    assert notice.context == {"requirement": requirement.public_id, "waiting": 3}
    assert AuditEntry.objects.get(action="requirement.answers_reminded").actor is None

    with time_machine.travel("2026-12-05 23:59:59+08:00", tick=False):
        tasks.keep_answers_due()
        assert Interest.objects.filter(status="sent").count() == 3
    with time_machine.travel("2026-12-06 00:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        tasks.keep_answers_due()
        assert Interest.objects.filter(status="no_answer").count() == 3
        assert kinds(supplier) == ["interest_no_answer"]
        assert Change.objects.filter(noun="interest", verb="left_unanswered").count() == 3
        assert statistics.answer_rate(requirement.enterprise) == statistics.AnswerRate(4, 1)

        interests.accept(interest=waiting[0], by=buyer)
        interests.decline(interest=waiting[1], reason="other", by=buyer)
        interests.withdraw(
            interest=waiting[2], by=MembershipFactory(enterprise=waiting[2].enterprise).user
        )
        assert kinds(supplier) == ["interest_no_answer", "interest_accepted"]
        rate = statistics.answer_rate(requirement.enterprise)
        assert (rate.due, rate.in_time, rate.percent) == (3, 1, 33)


def test_day_that_a_supplier_was_promised_is_not_moved_by_an_amendment():
    day, later = datetime.date(2026, 12, 5), datetime.date(2026, 12, 20)
    requirement, member, contact = scene(
        requirement=RequirementFactory(lines=["a"], answer_by_on=day, closes_on=day)
    )
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    with time_machine.travel("2026-12-01 09:00:00+08:00", tick=False):
        first = send(requirement, member, contact)
        requirements.amend(requirement=requirement, by=buyer, answer_by_on=later, closes_on=later)
        requirement.refresh_from_db()
        other = MembershipFactory(role="editor")
        second = send(requirement, other, ContactFactory(enterprise=other.enterprise))
        # What is changed in it afterwards is answered by the same day.
        first = send(requirement, member, contact, message="And we paint.")

    assert (first.answer_by_on, second.answer_by_on) == (day, later)
    with time_machine.travel("2026-12-06 00:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        for one in (first, second):
            one.refresh_from_db()
        assert (first.status, second.status) == ("no_answer", "sent")
        for one in (first, second):
            interests.accept(interest=one, by=buyer)
        rate = statistics.answer_rate(requirement.enterprise)
        assert (rate.due, rate.in_time) == (2, 1)


def test_earlier_day_named_afterwards_holds_for_those_who_wait():
    day, earlier = datetime.date(2026, 12, 20), datetime.date(2026, 12, 5)
    requirement, member, contact = scene(
        requirement=RequirementFactory(lines=["a"], answer_by_on=day, closes_on=earlier)
    )
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    with time_machine.travel("2026-12-01 09:00:00+08:00", tick=False):
        interest = send(requirement, member, contact)
        requirements.amend(requirement=requirement, by=buyer, answer_by_on=earlier)

    with time_machine.travel("2026-12-06 00:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        interest.refresh_from_db()
        assert (interest.status, interest.due_on) == ("no_answer", earlier)
        interests.accept(interest=interest, by=buyer)
        rate = statistics.answer_rate(requirement.enterprise)
        assert (rate.due, rate.in_time) == (1, 0)


def test_buyer_that_postpones_is_reminded_again_of_all_that_wait_before_the_new_day():
    day, later = datetime.date(2026, 12, 5), datetime.date(2026, 12, 20)
    requirement = RequirementFactory(lines=["a"], answer_by_on=day, closes_on=day)
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    InterestFactory(requirement=requirement)
    with time_machine.travel("2026-12-03 09:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        requirements.amend(requirement=requirement, by=buyer, answer_by_on=later, closes_on=later)
        requirement.refresh_from_db()
        InterestFactory(requirement=requirement)
    with time_machine.travel("2026-12-17 23:59:59+08:00", tick=False):
        tasks.keep_answers_due()
    assert kinds(buyer) == ["answers_due"]

    with time_machine.travel("2026-12-18 00:00:00+08:00", tick=False):
        tasks.keep_answers_due()
        tasks.keep_answers_due()

    assert kinds(buyer) == ["answers_due", "answers_due"]
    last = Notification.objects.filter(kind="answers_due").order_by("pk").last()
    assert last.context["waiting"] == 2


# --- What the buyer has changed -----------------------------------------------------------------------


def test_each_amendment_reaches_everybody_and_several_at_once_by_one_letter():
    requirement, member, contact = scene()
    buyer = MembershipFactory(enterprise=requirement.enterprise).user
    send(requirement, member, contact)

    def amend(at, title):
        with time_machine.travel(f"2026-12-01 {at}:00+08:00", tick=False):
            requirements.amend(requirement=requirement, by=buyer, title=title)
            requirement.refresh_from_db()
            tell()

    def tell():
        interests.tell_interested(requirement=requirement, kind="requirement_changed")

    def letters(at):
        with time_machine.travel(f"2026-12-01 {at}:00+08:00", tick=False):
            mail.outbox.clear()
            deliver_notifications()
            tell()  # the same fact once more says nothing
        return [letter.body for letter in mail.outbox if letter.to == [member.user.email]]

    requirement.closes_on = requirement.answer_by_on = datetime.date(2026, 12, 30)
    requirement.save()
    amend("08:00", "Boxes, 400")
    (first,) = letters("08:01")
    amend("08:30", "Boxes, 500")
    late = MembershipFactory(role="editor")
    send(requirement, late, ContactFactory(enterprise=late.enterprise))
    amend("09:00", "Boxes, 600")
    assert letters("14:00") == []
    (second,) = letters("14:02")

    assert ("Boxes, 400" in first, "Boxes, 600" in second) == (True, True)
    # Whoever came in between hears of the next at once.
    assert kinds(late.user) == ["requirement_changed"]
    assert kinds(member.user) == ["requirement_changed"] * 2
    assert letters("23:59") == []
