"""What those who register answer to the questions of the event's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Evidence, User
from chains.services import enterprises
from chains.templatetags.localised import localised
from events.models import Event, FormAnswer, FormQuestion, Registration
from events.services import seating

Kind = FormQuestion.Kind
TEXT_MOST = 1000


class Given(NamedTuple):
    """An answer that fits its question; None where there is none."""

    question: FormQuestion
    value: Any


def checked(
    event: Event, answers: Mapping[str, Any], known: Sequence[FormAnswer] = ()
) -> list[Given]:
    """Answers by the public id of their question, each as its kind wants it; what is missing is named.

    A file that was given before is kept where no other comes.
    """
    questions = {row.public_id: row for row in event.questions.asked()}
    unknown = set(answers) - set(questions)
    if unknown:
        raise DomainError(
            _("This event does not ask: %(names)s.") % {"names": _(", ").join(sorted(unknown))},
            code="answer.unknown_question",
            field="answers",
        )
    has_file = {row.question_id for row in known if row.evidence_id}
    given = [Given(row, _READ[row.kind](row, answers.get(key))) for key, row in questions.items()]
    missing = [
        localised(one.question, "text")
        for one in given
        if one.question.is_required and not one.value and one.question.pk not in has_file
    ]
    if missing:
        raise DomainError(
            _("Still to be answered: %(questions)s") % {"questions": _(", ").join(missing)},
            code="answer.missing",
            field="answers",
        )
    return given


def write(*, registration: Registration, answers: Sequence[Given], by: User) -> int:
    """Keep checked answers; called inside a verb that has checked the right. How many there are."""
    count = 0
    _hold([question for question, _value in answers])
    for question, value in answers:
        if question.kind == Kind.FILE:
            count += _write_file(registration, question, value, by)
        elif value:
            FormAnswer.objects.update_or_create(
                registration=registration, question=question, defaults=_fields(question, value)
            )
            count += 1
        else:
            registration.answers.filter(question=question).delete()
    return count


def _hold(questions: Sequence[FormQuestion]) -> None:
    """Until the answers stand nobody rewords the questions or takes them off; any number may answer at once."""
    asked = {question.pk: question.updated_at for question in questions}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, updated_at FROM events_formquestion"
            " WHERE id = ANY(%s) AND retired_at IS NULL ORDER BY id FOR SHARE",
            [list(asked)],
        )
        if dict(cursor.fetchall()) != asked:
            raise DomainError(
                _("The organiser has just changed the questions. Nothing is lost: send it again."),
                code="answer.questions_changed",
            )


@transaction.atomic
def change(*, registration: Registration, answers: Mapping[str, Any], by: User) -> Registration:
    """The applicant answers anew, as long as one can register."""
    row = Registration.objects.locked().get(pk=registration.pk)
    seating.check_owner(row, by)
    if not may_change(row):
        raise DomainError(
            _("Answers can be changed until registration closes. Write to the organiser."),
            code="answer.closed",
        )
    known = list(row.answers.all())
    count = write(registration=row, answers=checked(row.event, answers, known), by=by)
    audit.record(by, "registration.answered", row, answers=count)
    changes.record("registration", row, "answered")
    return row


def may_change(registration: Registration) -> bool:
    event = registration.event
    return (
        not registration.has_ended
        and event.status == Event.Status.PUBLISHED
        and timezone.now() < event.registration_closes_at
    )


@transaction.atomic
def record_view(*, answer: FormAnswer, by: User) -> None:
    """An organiser has opened a file; the enterprise's own members are not logged."""
    if answer.registration.enterprise_id not in by.enterprise_ids:
        audit.record(by, "answer.viewed", answer, registration=answer.registration.public_id)


# ---- one kind after the other ----


def _text(question: FormQuestion, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise _unfit(question)
    text = (value or "").strip()
    if len(text) > TEXT_MOST or "\0" in text:
        raise _unfit(question)
    return text


def _choice(question: FormQuestion, value: Any) -> list[str]:
    chosen = _choices(question, value or None)
    if len(chosen) > 1:
        raise _unfit(question)
    return chosen


def _choices(question: FormQuestion, value: Any) -> list[str]:
    # A form has no lists of one.
    wanted = [value] if isinstance(value, str) else [] if value is None else value
    codes = [choice["code"] for choice in question.choices]
    if not isinstance(wanted, list | tuple) or not set(wanted) <= set(codes):
        raise _unfit(question)
    return [code for code in codes if code in wanted]


def _consent(question: FormQuestion, value: Any) -> bool:
    said = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if said not in (None, True, False):
        raise _unfit(question)
    return bool(said)


def _file(question: FormQuestion, value: Any) -> UploadedFile[Any] | None:
    if value is not None and not isinstance(value, UploadedFile):
        raise DomainError(
            _("“%(question)s” asks for a file: send one.")
            % {"question": localised(question, "text")},
            code="answer.file",
            field="answers",
        )
    return value


def _unfit(question: FormQuestion) -> DomainError:
    return DomainError(
        _("This does not answer “%(question)s”. Choose one of its answers, or write less.")
        % {"question": localised(question, "text")},
        code="answer.unfit",
        field="answers",
    )


_READ: dict[str, Callable[[FormQuestion, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.CONSENT: _consent,
    Kind.FILE: _file,
}


def _fields(question: FormQuestion, value: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"version": question.version}
    if question.kind == Kind.TEXT:
        return {**fields, "text": value}
    if question.kind == Kind.CONSENT:
        return {**fields, "has_agreed": True, "wording": localised(question, "text")}
    return {**fields, "chosen": value}


def _write_file(
    registration: Registration, question: FormQuestion, upload: UploadedFile[Any] | None, by: User
) -> bool:
    if upload is None:
        return registration.answers.filter(question=question).exists()
    evidence = enterprises.store_evidence(
        enterprise=registration.enterprise,
        purpose=Evidence.Purpose.REGISTRATION,
        upload=upload,
        by=by,
    )
    FormAnswer.objects.update_or_create(
        registration=registration,
        question=question,
        defaults={"evidence": evidence, "version": question.version},
    )
    return True
