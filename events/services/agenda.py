"""The day as guests see it, and what is to be done until then: each saved whole from its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import OrganiserRole, User
from chains.templatetags.localised import localised
from events.models import AgendaItem, ChecklistItem, Event
from events.services import events

Status = Event.Status
_PART = ("starts_at", "ends_at", "title_zh", "title_en", "room_zh", "room_en", "note_zh", "note_en")


@transaction.atomic
def set_agenda(*, event: Event, parts: Sequence[Mapping[str, Any]], by: User) -> list[AgendaItem]:
    """The parts of the day; those known by `public_id` are changed, new ones made, left-out ones removed."""
    event = events.managed(event, by, Status.DRAFT, Status.PUBLISHED)
    known = {row.public_id: row for row in event.agenda.all()}
    kept = []
    for wanted in parts:
        row = known.pop(str(wanted.get("public_id") or ""), None) or AgendaItem(event=event)
        for name in _PART:
            setattr(row, name, wanted[name])
        _check_part(event, row)
        row.save()
        kept.append(row)
    for row in known.values():
        row.delete()
    audit.record(by, "event.agenda_set", event, parts=len(kept), removed=len(known))
    changes.record("event", event, "changed")
    return kept


def _check_part(event: Event, part: AgendaItem) -> None:
    try:
        part.validate_constraints()
    except ValidationError as found:
        raise DomainError(
            f"{localised(part, 'title')}: {' '.join(found.messages)}", code="agenda.times"
        ) from found
    days = [timezone.localdate(moment) for moment in (event.starts_at, event.ends_at)]
    if (
        not days[0]
        <= timezone.localdate(part.starts_at)
        <= timezone.localdate(part.ends_at)
        <= days[1]
    ):
        raise DomainError(
            _("“%(part)s” lies outside the days of the event.")
            % {"part": localised(part, "title")},
            code="agenda.other_day",
        )


def colleagues(event: Event) -> list[User]:
    """Whom something can be given to do: who works for a host, and the staff of the event."""
    bodies = [event.host_id, *event.co_hosts.values_list("pk", flat=True)]
    roles = OrganiserRole.objects.current().filter(
        body__in=bodies, role=OrganiserRole.Role.ORGANISER
    )
    found = User.objects.filter(
        Q(pk__in=roles.values("user")) | Q(event_staff__event=event), is_active=True
    )
    return list(found.distinct().order_by("pk"))


@transaction.atomic
def set_checklist(
    *, event: Event, items: Sequence[Mapping[str, Any]], by: User
) -> list[ChecklistItem]:
    """What is to be done in its order, who does it and until when; ticked off when it is done."""
    event = events.managed(event, by, Status.DRAFT, Status.PUBLISHED, Status.HELD)
    known = {row.public_id: row for row in event.checklist.all()}
    people = {user.pk for user in colleagues(event)}
    kept = []
    for order, wanted in enumerate(items, 1):
        row = known.pop(str(wanted.get("public_id") or ""), None) or ChecklistItem(event=event)
        owner = wanted.get("owner")
        if owner is not None and owner.pk not in people and owner.pk != row.owner_id:
            raise DomainError(
                _("Choose somebody who works for a host of this event or on its staff."),
                code="checklist.owner",
            )
        row.text, row.owner, row.due_on, row.order = wanted["text"], owner, wanted["due_on"], order
        row.done_at = (row.done_at or timezone.now()) if wanted.get("is_done") else None
        row.save()
        kept.append(row)
    for row in known.values():
        row.delete()
    done = sum(row.done_at is not None for row in kept)
    audit.record(by, "event.checklist_set", event, items=len(kept), done=done)
    changes.record("event", event, "changed")
    return kept
