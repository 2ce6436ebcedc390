from __future__ import annotations

from collections.abc import Sequence

from celery import shared_task
from django.db import InterfaceError, OperationalError

from chains import changes, notifications
from chains.models import Change, Enterprise, User
from events.models import Announcement, Event, Registration
from events.services import (
    admission,
    announcements,
    events,
    invitations,
    offers,
    tiers,
    waiting_list,
)

Status = Registration.Status
# Whom a new time or place concerns.
CONCERNED = (Status.SUBMITTED, Status.WAITLISTED, Status.OFFERED, Status.CONFIRMED)

# A task that meets a database that is down is acknowledged and lost unless it asks to be run again.
LOST = (OperationalError, InterfaceError)
_TOLD = {
    "submitted", "confirmed", "waitlisted", "offered", "reminded", "skipped", "lapsed", "declined", "cancelled",
}  # fmt: skip

# "extended": what a row that was not verified, or was suspended, had applied for is that of a verified one now.
_CAN_BE_DECIDED = {"verified", "extended"}
_QUEUES_DIFFER = {"suspended", "reinstated", "extended"}

# By which an invited one has come, if only to the queue.
_CAME = {"submitted", "confirmed", "waitlisted"}


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def release_reserved_seats() -> None:
    tiers.release_due_tiers()


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def keep_waiting_lists() -> None:
    """Offers nobody answered lapse, those half over are called to mind, and no seat stays free that somebody in the
    queue would take."""
    offers.lapse_due_offers()
    offers.remind_due()
    waiting_list.promote_where_seats_are_free()


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def release_lists() -> None:
    """The ceremony: what is on a list opens with it."""
    events.release_due_lists()


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def mark_events_held() -> None:
    events.mark_held()
    invitations.expire_due()


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def remind_guests() -> None:
    events.remind_due()


@shared_task(autoretry_for=LOST, retry_backoff=1, retry_backoff_max=10, max_retries=8)
def read_changes() -> None:
    """What the register and the gathering have to say: seats for the newly verified, news for the registered."""
    while changes.read("events", _act):
        pass


def _act(facts: Sequence[Change]) -> None:
    for change in facts:
        if change.noun == "enterprise":
            _follow(change)
        elif change.noun == "registration" and change.verb in _TOLD:
            _tell(change.target, change.verb)
        elif (change.noun, change.verb) == ("event", "moved"):
            _tell_guests(change.target, "event_moved", CONCERNED)
        elif (change.noun, change.verb) == ("announcement", "sent"):
            _announce(change.target)
        elif (change.noun, change.verb) == ("event", "reminded"):
            _tell_guests(change.target, "event_reminder", (Status.CONFIRMED,))


def _follow(change: Change) -> None:
    if change.verb in _CAN_BE_DECIDED:
        _decide_submissions(change.target)
    if change.verb in _QUEUES_DIFFER:
        _promote_around(change.target)


def _decide_submissions(public_id: str) -> None:
    for enterprise in Enterprise.objects.filter(public_id=public_id):
        admission.confirm_waiting_submissions(enterprise)


def _promote_around(public_id: str) -> None:
    for enterprise in Enterprise.objects.filter(public_id=public_id):
        waiting_list.promote_around(enterprise)


def _tell(public_id: str, verb: str) -> None:
    """The editors of the enterprise learn where they stand; of a cancelled event, why."""
    row = Registration.objects.select_related("event").filter(public_id=public_id).first()
    if row is None:
        return
    if verb in _CAME:
        invitations.note_registration(registration=row)
    kind = f"registration_{verb}"
    if verb == "cancelled" and row.event.status == Event.Status.CANCELLED:
        kind = "event_cancelled"
    for user in User.objects.editors_of([row.enterprise_id]):
        notifications.post(user, kind, registration=row.public_id, event=row.event.public_id)


def _tell_guests(public_id: str, kind: str, states: Sequence[Status]) -> None:
    rows = list(Registration.objects.filter(event__public_id=public_id, status__in=states))
    editors = User.objects.editors_by_enterprise(row.enterprise_id for row in rows)
    letters = [
        (user, {"registration": row.public_id, "event": public_id})
        for row in rows
        for user in editors.get(row.enterprise_id, ())
    ]
    notifications.post_all(letters, kind)


def _announce(public_id: str) -> None:
    row = Announcement.objects.select_related("event").filter(public_id=public_id).first()
    if row is None:
        return
    about = {"event": row.event.public_id, "announcement": public_id}
    letters = [
        (user, {**about, "registration": registration.public_id})
        for user, registration in announcements.recipients(row.event, row.audience, row.tier)
    ]
    notifications.post_all(letters, "event_announcement")
