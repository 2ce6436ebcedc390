from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import User
from events.models import Event, FormQuestion
from events.services import events

MOST = 20
MOST_CHOICES = 30


@transaction.atomic
def set_questions(
    *, event: Event, questions: Sequence[Mapping[str, Any]], by: User
) -> list[FormQuestion]:
    """The form in its order; those known by `public_id` are changed, new ones made, left-out ones taken off it.

    What has been answered keeps its meaning: it can be reordered, required or not, given more choices, retired. A
    consent may be worded anew; whoever gave it before gave it to the wording of then.
    """
    event = events.managed(event, by, Event.Status.DRAFT, Event.Status.PUBLISHED)
    if len(questions) > MOST:
        raise DomainError(
            _("A form asks at most %(most)d questions.") % {"most": MOST}, code="question.too_many"
        )
    # Locked before it is asked whether they were answered: an answer that is being written is waited for.
    asked = event.questions.asked().select_for_update().order_by("pk")
    known = {row.public_id: row for row in asked}
    kept = []
    for order, wanted in enumerate(questions, 1):
        row = known.pop(str(wanted.get("public_id") or ""), None)
        kept.append(_set(event, row, order, wanted))
    for row in known.values():
        _take_off(row)
    event.asks_questions = bool(kept)
    event.save(update_fields=["asks_questions", "updated_at"])
    audit.record(by, "event.questions_set", event, questions=len(kept), removed=len(known))
    changes.record("event", event, "changed")
    return kept


def _set(
    event: Event, row: FormQuestion | None, order: int, wanted: Mapping[str, Any]
) -> FormQuestion:
    kind, zh, en = wanted["kind"], wanted["text_zh"].strip(), wanted["text_en"].strip()
    choices = _choices(kind, wanted.get("choices", ()), row)
    if not zh or not en:
        raise DomainError(
            _("Write each question in Chinese and in English."), code="question.without_text"
        )
    is_reworded = row is not None and (row.text_zh, row.text_en) != (zh, en)
    if row is not None and row.answers.exists():
        _check_meaning(row, kind, choices, is_reworded=is_reworded)
        if is_reworded:
            row.version += 1
    row = row or FormQuestion(event=event)
    row.kind, row.text_zh, row.text_en, row.choices = kind, zh, en, choices
    row.is_required, row.order = bool(wanted.get("is_required")), order
    row.save()
    return row


def _check_meaning(
    row: FormQuestion, kind: str, choices: list[dict[str, str]], *, is_reworded: bool
) -> None:
    is_consent = kind == FormQuestion.Kind.CONSENT
    if (
        kind != row.kind
        or (is_reworded and not is_consent)
        or choices[: len(row.choices)] != row.choices
    ):
        raise DomainError(
            _(
                "“%(question)s” has been answered and stays as it is. Take it off the form and ask anew."
            )
            % {"question": row.text_zh},
            code="question.answered",
        )


def _choices(
    kind: str, wanted: Sequence[tuple[str, str]], row: FormQuestion | None
) -> list[dict[str, str]]:
    """With codes that stay with their words."""
    if kind not in FormQuestion.CHOOSING:
        return []
    if not 2 <= len(wanted) <= MOST_CHOICES:
        raise DomainError(
            _("Give from 2 to %(most)d answers to choose from, one a line.")
            % {"most": MOST_CHOICES},
            code="question.choices",
        )
    before = {(c["zh"], c["en"]): c["code"] for c in row.choices} if row is not None else {}
    number = max((int(code) for code in before.values()), default=0)
    rows = []
    for zh, en in wanted:
        code = before.get((zh, en))
        if code is None:
            number += 1
            code = str(number)
        rows.append({"code": code, "zh": zh, "en": en})
    return rows


def _take_off(row: FormQuestion) -> None:
    """Out of the form; what was answered stays to be read."""
    if not row.answers.exists():
        row.delete()
        return
    row.retired_at = timezone.now()
    row.save(update_fields=["retired_at", "updated_at"])
