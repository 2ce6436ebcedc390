"""This year's event from last year's."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from chains import audit, changes
from chains.errors import DomainError
from chains.models import AuditEntry, Enterprise, User
from chains.services import enterprises
from events import permissions
from events.models import (
    AgendaItem,
    ChecklistItem,
    Event,
    EventDocument,
    FormQuestion,
    LetterTemplate,
    Series,
)
from events.services import events

_AS_THEY_ARE = (
    "level", "region", "cluster", "place", "place_en", "map_url", "text", "text_en", "delegates_per_enterprise", "admission", "waiting_rule",
    "offer_hours", "walk_ins", "reminder_days",
)  # fmt: skip
_SHIFTED = ("ends_at", "registration_opens_at", "registration_closes_at")


class Part(models.TextChoices):
    """What may come along or stay behind; all else that was prepared always comes, people never do."""

    TIERS = "tiers", gettext_lazy("Tiers with their seats")
    QUESTIONS = "questions", gettext_lazy("Questions of the form")
    LETTERS = "letters", gettext_lazy("Own words in letters")
    AGENDA = "agenda", gettext_lazy("Agenda")
    CHECKLIST = "checklist", gettext_lazy("Checklist, nothing of it done yet")
    CO_HOSTS = "co_hosts", gettext_lazy("Co-hosts")
    DOCUMENTS = "documents", pgettext_lazy("event", "Documents")


# A programme or a plan of the hall tells of the year it was written for.
USUAL = tuple(part for part in Part if part != Part.DOCUMENTS)


@transaction.atomic
def copy(
    *,
    event: Event,
    host: Enterprise,
    name_zh: str,
    name_en: str,
    starts_at: datetime.datetime,
    by: User,
    parts: Collection[str] = USUAL,
) -> Event:
    """A draft with what was prepared and is chosen, its dates shifted; people and the list of requirements stay behind."""
    if not permissions.can_manage(by, event):
        raise DomainError(
            _("You can start from events you organise yourself."), code="event.forbidden"
        )
    shift = starts_at - event.starts_at
    new = events.create(
        by=by,
        host=host,
        name_zh=name_zh,
        name_en=name_en,
        starts_at=starts_at,
        tiers=_tiers(event, shift) if Part.TIERS in parts else (),
        chains=list(event.chains.all()),
        docking_kinds=list(event.docking_kinds.all()),
        series=_series_of(event, timezone.localtime(starts_at).year, by),
        co_hosts=list(event.co_hosts.exclude(pk=host.pk)) if Part.CO_HOSTS in parts else (),
        **{name: getattr(event, name) for name in _AS_THEY_ARE},
        **{name: getattr(event, name) + shift for name in _SHIFTED},
        # Where a seed comes from names a number of that year: it is announced anew.
        **{
            name: (at := getattr(event, name)) and at + shift
            for name in ("delegates_until", "draws_at")
        },
    )
    for part, take in _TAKEN.items():
        if part in parts:
            take(event, new, shift, by)
    chosen = [part.value for part in Part if part in parts]
    audit.record(by, "event.copied", new, source=event.public_id, parts=chosen)
    changes.record("event", new, "copied")
    return new


def _tiers(event: Event, shift: datetime.timedelta) -> list[dict[str, object]]:
    # As they were set: what came free in a reserved tier has become general since.
    last = AuditEntry.objects.filter(target=audit.label(event), action="event.seats_set").last()
    as_set: dict[str, int] = last.data["seats"] if last is not None else {}
    return [
        {
            "name_zh": tier.name_zh,
            "name_en": tier.name_en,
            "seats": as_set.get(tier.public_id, tier.seats),
            "is_general": tier.is_general,
            "qualifications": tier.qualifications,
            "participant_kinds": tier.participant_kinds,
            "reserved_until": tier.reserved_until and tier.reserved_until + shift,
        }
        for tier in event.tiers.all()
    ]


def _series_of(event: Event, year: int, by: User) -> list[Series]:
    """The same programmes, in the series of the new year where there is one already."""
    programmes = event.series.values("programme")
    return list(Series.objects.visible_to(by).filter(programme__in=programmes, year=year))


def _questions(event: Event, new: Event, _shift: datetime.timedelta, _by: User) -> None:
    rows = FormQuestion.objects.bulk_create(
        FormQuestion(
            event=new, kind=row.kind, text_zh=row.text_zh, text_en=row.text_en, choices=row.choices,
            is_required=row.is_required, order=row.order,
        )
        for row in event.questions.asked()
    )  # fmt: skip
    if rows:
        new.asks_questions = True
        new.save(update_fields=["asks_questions", "updated_at"])


def _letters(event: Event, new: Event, _shift: datetime.timedelta, _by: User) -> None:
    LetterTemplate.objects.bulk_create(
        LetterTemplate(
            event=new, kind=row.kind, subject_zh=row.subject_zh, subject_en=row.subject_en,
            body_zh=row.body_zh, body_en=row.body_en,
        )
        for row in event.letter_templates.order_by("pk")
    )  # fmt: skip


def _agenda(event: Event, new: Event, shift: datetime.timedelta, _by: User) -> None:
    AgendaItem.objects.bulk_create(
        AgendaItem(
            event=new, starts_at=row.starts_at + shift, ends_at=row.ends_at + shift, title_zh=row.title_zh,
            title_en=row.title_en, room_zh=row.room_zh, room_en=row.room_en, note_zh=row.note_zh, note_en=row.note_en,
        )
        for row in event.agenda.all()
    )  # fmt: skip


def _checklist(event: Event, new: Event, _shift: datetime.timedelta, _by: User) -> None:
    days = timezone.localdate(new.starts_at) - timezone.localdate(event.starts_at)
    ChecklistItem.objects.bulk_create(
        ChecklistItem(
            event=new, text=row.text, order=row.order, due_on=row.due_on and row.due_on + days
        )
        for row in event.checklist.all()
    )


def _documents(event: Event, new: Event, _shift: datetime.timedelta, by: User) -> None:
    """Each as a file of its own: taken off one event it stays at the other."""
    for row in event.documents.all():
        twin = EventDocument(
            event=new, title_zh=row.title_zh, title_en=row.title_en, original_name=row.original_name,
            content_type=row.content_type,
        )  # fmt: skip
        try:
            with row.file.open("rb") as stored:
                content = stored.read()
        except FileNotFoundError:
            continue  # lost from the disk: what else was prepared comes along
        ending = (row.file.name or "").rpartition(".")[2]
        enterprises.keep_content(row=twin, content=content, ending=ending, by=by)


_TAKEN: dict[Part, Callable[[Event, Event, datetime.timedelta, User], None]] = {
    Part.QUESTIONS: _questions,
    Part.LETTERS: _letters,
    Part.AGENDA: _agenda,
    Part.CHECKLIST: _checklist,
    Part.DOCUMENTS: _documents,
}
