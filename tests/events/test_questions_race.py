"""A question is changed while the first answer to it is being written. Two sessions, each a connection of its own."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import DatabaseError, connection, connections

from chains.errors import DomainError
from events.models import Delegate, FormAnswer, FormQuestion, Registration, Tier
from events.services import answers, questions, registration
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, organiser_of

pytestmark = pytest.mark.race


@pytest.fixture
def scene(committed):
    event = EventFactory(seats=2)
    by = organiser_of(event)
    wanted = {"kind": "text", "text_zh": "几人用餐", "text_en": "How many eat?"}
    (question,) = questions.set_questions(event=event, questions=[wanted], by=by)
    event.refresh_from_db()
    return event, by, question


def elsewhere(job):
    """Run in a session of its own to its end; what it raised."""
    raised = []

    def session():
        try:
            job()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=session)
    thread.start()
    return thread, raised


def apply(event, who, question):
    return registration.register(
        event=event,
        enterprise=who.enterprise,
        seats=1,
        by=who.user,
        delegates=["Delegate A"],
        answers={question.public_id: "two"},
    )


@pytest.mark.parametrize("is_held", [True, False])
def test_a_question_taken_off_before_its_first_answer_stands_is_a_sentence_and_takes_no_seat(
    scene, monkeypatch, is_held
):
    """Without the lock on the questions – the negative control – the answer points at a row that is gone."""
    event, by, question = scene
    who, checked = MembershipFactory(), answers.checked

    def checked_then_taken_off(*args):
        given = checked(*args)
        thread, raised = elsewhere(
            lambda: questions.set_questions(event=event, questions=[], by=by)
        )
        thread.join(timeout=30)
        assert raised == []
        return given

    monkeypatch.setattr(answers, "checked", checked_then_taken_off)
    if not is_held:
        monkeypatch.setattr(answers, "_hold", lambda _questions: None)

    with pytest.raises(DomainError if is_held else DatabaseError) as refused:
        apply(event, who, question)

    if is_held:
        assert refused.value.code == "answer.questions_changed"
    assert not FormQuestion.objects.exists()
    assert not Registration.objects.exists()
    assert not Delegate.objects.exists()
    assert Tier.objects.get().taken == 0


def test_an_answer_being_written_holds_no_seat_and_is_waited_for_by_who_changes_the_question(
    scene, monkeypatch
):
    event, by, question = scene
    first, second = MembershipFactory(), MembershipFactory()
    write, ends = answers.write, []

    def write_while_others_come(**given):
        count = write(**given)
        # Whoever has nothing to answer goes past: the seats are not locked yet.
        thread, raised = elsewhere(
            lambda: registration.register(
                event=plain, enterprise=second.enterprise, seats=1, by=second.user
            )
        )
        thread.join(timeout=30)
        assert raised == []
        ends.append(elsewhere(lambda: questions.set_questions(event=event, questions=[], by=by)))
        until_somebody_waits()
        return count

    plain = type(event).objects.get(pk=event.pk)
    plain.asks_questions = False
    monkeypatch.setattr(answers, "write", write_while_others_come)

    mine = apply(event, first, question)

    ((thread, raised),) = ends
    thread.join(timeout=30)
    assert raised == []
    assert mine.status == "confirmed"
    assert Registration.objects.get(enterprise=second.enterprise).queue_no < mine.queue_no
    # It found the answer, so the question was retired and not deleted.
    assert FormAnswer.objects.get().question == question
    assert FormQuestion.objects.get().retired_at is not None


def until_somebody_waits():
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for the answer")
