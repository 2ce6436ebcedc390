"""Who may do what at an event. The scope is the event: its host, its co-hosts, its managers."""

from __future__ import annotations

import datetime

from django.utils import timezone

from chains.models import Enterprise, Region
from chains.permissions import Anyone, can_edit, is_signed_in
from events.models import Event, EventStaff, Registration

# The desk sees the guests on the days of the event, one before and one after.
DESK_MARGIN = datetime.timedelta(days=1)


def can_create(user: Anyone, host: Enterprise, region: Region) -> bool:
    """With one's own body as host, in a region of one's own role."""
    return is_signed_in(user) and any(
        role.body_id == host.pk and role.region.contains(region) for role in user.organiser_roles
    )


def can_manage(user: Anyone, event: Event) -> bool:
    """Edit, publish, cancel, tiers, guests, list: whoever works for a host or manages the event."""
    return is_signed_in(user) and Event.objects.organised_by(user).filter(pk=event.pk).exists()


def is_host(user: Anyone, event: Event) -> bool:
    """Works for the host itself; a co-host does not get the names of delegates as a file."""
    return is_signed_in(user) and any(
        role.body_id == event.host_id for role in user.organiser_roles
    )


def can_decide(user: Anyone, registration: Registration) -> bool:
    """Approve, decline, move. One's own body's case goes to the next desk up the region tree."""
    return (
        is_signed_in(user)
        and Registration.objects.decided_by(user).filter(pk=registration.pk).exists()
    )


def can_register(user: Anyone, enterprise: Enterprise) -> bool:
    """Apply, name delegates, leave: editors of the enterprise, whether it is verified yet or not."""
    return can_edit(user, enterprise)


def can_see_guests(user: Anyone, event: Event) -> bool:
    if can_manage(user, event):
        return True
    now = timezone.now()
    return (
        is_signed_in(user)
        and event.starts_at - DESK_MARGIN <= now <= event.ends_at + DESK_MARGIN
        and event.staff.filter(user=user, role=EventStaff.Role.DESK).exists()
    )


def can_own_programme(user: Anyone, body: Enterprise) -> bool:
    return is_signed_in(user) and any(role.body_id == body.pk for role in user.organiser_roles)
