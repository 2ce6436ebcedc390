"""Asking enterprises to come, with a reason; one letter each, and a link by which they say no."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, sweeping
from chains.errors import DomainError
from chains.models import Enterprise, User
from chains.models.enterprises import EnterpriseQuerySet
from events.models import Event, Invitation, Registration
from events.services import events

Status = Invitation.Status
# In one go; who asks more than these at once is not choosing.
MOST = 500


@transaction.atomic
def invite(
    *,
    event: Event,
    enterprises: Sequence[Enterprise],
    cause: Invitation.Cause,
    reason: str,
    by: User,
    admits_always: bool = False,
) -> list[Invitation]:
    """Ask those of the enterprises that are neither invited nor registered yet. Known ones without members get no letter:
    theirs is handed over, by its code."""
    event = events.managed(event, by, Event.Status.PUBLISHED)
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise DomainError(
            _("Say why they should come: they read it in the letter."),
            code="invitation.no_reason",
            field="reason",
        )
    if len(enterprises) > MOST:
        raise DomainError(
            _("At most %(most)d can be invited at once. Narrow the search.") % {"most": MOST},
            code="invitation.too_many",
        )
    wanted = (
        invitable(event)
        .filter(pk__in=[one.pk for one in enterprises])
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    rows = Invitation.objects.bulk_create(
        Invitation(
            event=event,
            enterprise=enterprise,
            cause=cause,
            reason=reason,
            admits_always=admits_always,
            invited_by=by,
        )
        for enterprise in wanted
    )
    if rows:
        audit.record(by, "event.invited", event, invitations=len(rows), cause=str(cause))
        changes.record("event", event, "invited")
        _write(event, rows)
    return rows


def invitable(event: Event) -> EnterpriseQuerySet:
    """Who can be asked: neither invited before nor registered, and not suspended or merged."""
    registered = event.registrations.exclude(status__in=Registration.ENDED)
    return (
        Enterprise.objects.exclude(
            status__in=(Enterprise.Status.SUSPENDED, Enterprise.Status.MERGED)
        )
        .exclude(pk__in=event.invitations.values("enterprise"))
        .exclude(pk__in=registered.values("enterprise"))
    )


def _write(event: Event, rows: Sequence[Invitation]) -> None:
    editors = User.objects.editors_by_enterprise(row.enterprise_id for row in rows)
    letters = [
        (
            user,
            {
                "event": event.public_id,
                "enterprise": row.enterprise.public_id,
                "invitation": row.public_id,
            },
        )
        for row in rows
        for user in editors.get(row.enterprise_id, ())
    ]
    notifications.post_all(letters, "event_invitation")


@transaction.atomic
def decline(*, invitation: Invitation, by: User | None = None) -> Invitation:
    """By the link of the letter; nobody has to sign in to say no. Registering later is open as to all."""
    row = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if row.status != Status.SENT:
        return row
    return _answer(row, Status.DECLINED, by)


@transaction.atomic
def note_registration(*, registration: Registration, by: User | None = None) -> None:
    """Whoever was invited has registered; one that had declined has thought better of it."""
    for row in Invitation.objects.select_for_update(no_key=True).filter(
        event=registration.event_id,
        enterprise=registration.enterprise_id,
        status__in=(Status.SENT, Status.DECLINED),
    ):
        _answer(row, Status.REGISTERED, by)


def expire_due() -> int:
    """The system's: what nobody has answered when the event is over, or called off."""
    over = Event.objects.filter(
        status__in=(Event.Status.HELD, Event.Status.ARCHIVED, Event.Status.CANCELLED),
        invitations__status=Status.SENT,
    ).distinct()
    return sweeping.each(over.order_by("pk"), _expire)


@transaction.atomic
def _expire(event: Event) -> int:
    now = timezone.now()
    count = event.invitations.sent().update(status=Status.EXPIRED, answered_at=now, updated_at=now)
    if count:
        audit.record(None, "event.invitations_expired", event, invitations=count)
        changes.record("event", event, "invitations_expired")
    return count


def _answer(row: Invitation, status: Invitation.Status, by: User | None) -> Invitation:
    row.status, row.answered_at = status, timezone.now()
    row.save(update_fields=["status", "answered_at", "updated_at"])
    audit.record(by, f"invitation.{status}", row, event=row.event.public_id)
    changes.record("invitation", row, str(status))
    return row
