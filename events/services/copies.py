"""This year's event from last year's."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import AuditEntry, Enterprise, User
from events import permissions
from events.models import AgendaItem, ChecklistItem, Event, FormQuestion, LetterTemplate, Series
from events.services import events

_AS_THEY_ARE = (
    "level", "region", "cluster", "place", "place_en", "map_url", "text", "text_en", "delegates_per_enterprise", "admission", "waiting_rule",
    "offer_hours", "walk_ins", "reminder_days",
)  # fmt: skip
_SHIFTED = ("ends_at", "registration_opens_at", "registration_closes_at")


@transaction.atomic
def copy(
    *,
    event: Event,
    host: Enterprise,
    name_zh: str,
    name_en: str,
    starts_at: datetime.datetime,
    by: User,
) -> Event:
    """A draft with everything that was prepared, its dates shifted; people and the list of requirements stay behind."""
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
        tiers=_tiers(event, shift),
        chains=list(event.chains.all()),
        docking_kinds=list(event.docking_kinds.all()),
        series=_series_of(event, timezone.localtime(starts_at).year, by),
        co_hosts=list(event.co_hosts.exclude(pk=host.pk)),
        **{name: getattr(event, name) for name in _AS_THEY_ARE},
        **{name: getattr(event, name) + shift for name in _SHIFTED},
        delegates_until=event.delegates_until and event.delegates_until + shift,
    )
    _copy_questions(event, new)
    LetterTemplate.objects.bulk_create(
        LetterTemplate(
            event=new, kind=row.kind, subject_zh=row.subject_zh, subject_en=row.subject_en,
            body_zh=row.body_zh, body_en=row.body_en,
        )
        for row in event.letter_templates.order_by("pk")
    )  # fmt: skip
    AgendaItem.objects.bulk_create(
        AgendaItem(
            event=new, starts_at=row.starts_at + shift, ends_at=row.ends_at + shift, title_zh=row.title_zh,
            title_en=row.title_en, room_zh=row.room_zh, room_en=row.room_en, note_zh=row.note_zh, note_en=row.note_en,
        )
        for row in event.agenda.all()
    )  # fmt: skip
    days = timezone.localtime(starts_at).date() - timezone.localtime(event.starts_at).date()
    ChecklistItem.objects.bulk_create(
        ChecklistItem(
            event=new, text=row.text, order=row.order, due_on=row.due_on and row.due_on + days
        )
        for row in event.checklist.all()
    )
    audit.record(by, "event.copied", new, source=event.public_id)
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


def _copy_questions(event: Event, new: Event) -> None:
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
