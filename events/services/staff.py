"""Persons who work at an event without working for its hosts."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes, notifications
from chains.errors import DomainError
from chains.models import User
from events.models import Event, EventStaff
from events.services import events

Status = Event.Status


@transaction.atomic
def appoint(*, event: Event, email: str, role: str, by: User) -> EventStaff:
    """Let the person with this account work at the event; asked twice, nothing happens."""
    event = events.managed(event, by, Status.DRAFT, Status.PUBLISHED)
    user = User.objects.at_address(email).filter(is_active=True).first()
    if user is None:
        raise DomainError(
            _("No account has this address. Ask the person to sign up first."),
            code="staff.without_account",
        )
    row, created = EventStaff.objects.get_or_create(
        event=event, user=user, role=EventStaff.Role(role)
    )
    if created:
        audit.record(by, "eventstaff.added", row, event=event.public_id, role=row.role)
        changes.record("eventstaff", row, "added")
        notifications.post(user, "staff_appointed", event=event.public_id, role=row.role)
    return row


@transaction.atomic
def release(*, staff: EventStaff, by: User) -> None:
    """The right ends at once; the trail keeps that it was there."""
    event = events.managed(staff.event, by, Status.DRAFT, Status.PUBLISHED)
    audit.record(by, "eventstaff.removed", staff, event=event.public_id, role=staff.role)
    changes.record("eventstaff", staff, "removed")
    staff.delete()
