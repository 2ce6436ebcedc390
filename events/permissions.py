"""Who may do what at an event. The scope is the event: its host, its co-hosts, its managers."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Collection

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils import timezone

from chains.calendar import midnight
from chains.models import Enterprise, Region, Requirement, User, lies_within
from chains.models.people import scope_of
from chains.models.requirements import RequirementQuerySet
from chains.permissions import (
    Anyone,
    Desk,
    can_edit,
    is_own_case,
    is_own_requirement,
    is_signed_in,
    without_own,
)
from events.models import Delegate, Event, EventStaff, Listing, Registration, Series
from events.models.event import roles_at_events

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


def moderated_by(user: Anyone) -> QuerySet[Event]:
    """Events at which the user is a moderator; that ends with the event."""
    if not is_signed_in(user) or EventStaff.Role.MODERATOR not in roles_at_events(user):
        return Event.objects.none()
    return Event.objects.filter(
        status=Event.Status.PUBLISHED, staff__user=user, staff__role=EventStaff.Role.MODERATOR
    )


class EventDesk(Desk):
    """The desks of regions and those of events.

    A moderator returns, approves and refuses what is listed at the event. Who organises an event decides for those that
    take part in it and lie outside every served province: no desk of a region is theirs.
    """

    def is_held_by(self, user: User) -> bool:
        return super().is_held_by(user) or bool(roles_at_events(user))

    def enterprises(self, user: User) -> QuerySet[Enterprise]:
        return Enterprise.objects.filter(
            Q(pk__in=super().enterprises(user).values("pk"))
            | Q(pk__in=_guests_from_outside(user).values("pk"))
        )

    def requirements(self, user: User) -> QuerySet[Requirement]:
        return Requirement.objects.filter(
            Q(pk__in=super().requirements(user).values("pk"))
            | Q(pk__in=_asked_from_outside(user).values("pk"))
            | Q(pk__in=_listed_for_moderator(user).values("pk"))
        )

    def to_moderate(self, user: User) -> QuerySet[Requirement]:
        submitted = _listed_for_moderator(user).submitted()
        rows = Requirement.objects.filter(
            Q(pk__in=super().to_moderate(user).values("pk"))
            | Q(pk__in=_asked_from_outside(user).to_moderate().values("pk"))
            | Q(pk__in=submitted.values("pk"))
        )
        return without_own(rows, user)

    def shared(self, requirements: Collection[Requirement], user: User) -> set[int]:
        """A moderator shares what is listed at the event with the desk of its region."""
        listed = Listing.objects.filter(event__in=moderated_by(user), requirement__in=requirements)
        return set(listed.values_list("requirement", flat=True))

    def unserved(self, enterprises: Collection[int], user: User) -> set[int]:
        events = _first_events(enterprises)
        organised = set(
            Event.objects.organised_by(user)
            .filter(pk__in=set(events.values()))
            .values_list("pk", flat=True)
            if events
            else ()
        )
        alone = super().unserved([pk for pk in enterprises if pk not in events], user)
        return alone | {pk for pk, event in events.items() if event in organised}

    def may_verify(self, user: Anyone, enterprise: Enterprise) -> bool:
        if super().may_verify(user, enterprise):
            return True
        return (
            is_signed_in(user)
            and not is_own_case(user, enterprise)
            and _guests_from_outside(user).filter(pk=enterprise.pk).exists()
        )

    def may_moderate(self, user: Anyone, requirement: Requirement) -> bool:
        if self.may_take_down(user, requirement):
            return True
        return (
            is_signed_in(user)
            and not is_own_requirement(user, requirement)
            and _listed_for_moderator(user).filter(pk=requirement.pk).exists()
        )

    def may_take_down(self, user: Anyone, requirement: Requirement) -> bool:
        if super().may_take_down(user, requirement):
            return True
        return (
            is_signed_in(user)
            and not is_own_requirement(user, requirement)
            and _asked_from_outside(user).filter(pk=requirement.pk).exists()
        )


DESK = EventDesk()


def _first_events(enterprises: Collection[int]) -> dict[int, int]:
    """Outside every served province the desk is that of the first event applied for: enterprise → event."""
    outside = Enterprise.objects.outside_served_provinces().filter(pk__in=enterprises)
    applied = Registration.objects.exclude(status__in=Registration.ENDED).order_by("-pk")
    return dict(
        applied.filter(enterprise__in=outside.values("pk")).values_list("enterprise", "event")
    )


def requirements_to_list(user: User) -> RequirementQuerySet:
    """What the user may put on a list: what is public, and what lies on the user's own desks."""
    return Requirement.objects.filter(
        Q(pk__in=Requirement.objects.visible_to(user).values("pk"))
        | Q(pk__in=DESK.requirements(user).values("pk"))
    )


def _guests_from_outside(user: User) -> QuerySet[Enterprise]:
    if not DESK.is_held_by(user):
        return Enterprise.objects.none()
    applied = Registration.objects.filter(event__in=Event.objects.organised_by(user)).exclude(
        status__in=Registration.ENDED
    )
    return Enterprise.objects.outside_served_provinces().filter(pk__in=applied.values("enterprise"))


def _asked_from_outside(user: User) -> RequirementQuerySet:
    """By guests of the user's events, or listed there; drafts stay with their owner."""
    if not DESK.is_held_by(user):
        return Requirement.objects.none()
    listed = Listing.objects.filter(event__in=Event.objects.organised_by(user))
    outside = Enterprise.objects.outside_served_provinces()
    return Requirement.objects.exclude(status=Requirement.Status.DRAFT).filter(
        Q(enterprise__in=_guests_from_outside(user).values("pk"))
        | Q(enterprise__in=outside.values("pk"), pk__in=listed.values("requirement"))
    )


def _listed_for_moderator(user: User) -> RequirementQuerySet:
    listed = Listing.objects.filter(event__in=moderated_by(user))
    return Requirement.objects.exclude(status=Requirement.Status.DRAFT).filter(
        pk__in=listed.values("requirement")
    )


def can_register(user: Anyone, enterprise: Enterprise) -> bool:
    """Apply, name delegates, leave: editors of the enterprise, whether it is verified yet or not."""
    return can_edit(user, enterprise)


# What stands in a letter answers for one application by one reader: who asks again has a new number and a new letter.
_LETTERS = signing.Signer(salt="events.registration.letter")


def link_for(registration: Registration, user: int) -> str:
    """The part of an address by which the reader of a letter answers without signing in."""
    return _LETTERS.sign(f"{registration.public_id}.{registration.queue_no}.{user}")


def by_link(link: str) -> tuple[Registration, User] | None:
    """Whose registration a letter is about and who reads it; their rights are asked when they answer."""
    try:
        public_id, number, user = _LETTERS.unsign(link).split(".")
    except (signing.BadSignature, ValueError):
        return None
    row = (
        Registration.objects.filter(public_id=public_id, queue_no=number)
        .select_related("event__region__parent", "enterprise")
        .first()
    )
    reader = User.objects.filter(pk=user, is_active=True).first()
    return None if row is None or reader is None else (row, reader)


# A phone that has opened a badge answers from the hall in the name of the delegate's enterprise, and does nothing else.
# It keeps this, never the key of the badge; with a new key, as with a new delegate, it is worth nothing.
_PHONES = signing.Signer(salt="events.delegate.phone")
PHONE_COOKIE = "badge"
# Below it lie the pages of the open call; no other page is sent the pass.
HALL_PATH = "/l/"


def pass_of(delegate: Delegate) -> str:
    return _PHONES.sign(f"{delegate.public_id}.{_digest(delegate.token)}")


def by_pass(text: str) -> Delegate | None:
    """Whose badge a phone has opened; what it may do with it is asked when it does."""
    try:
        public_id, digest = _PHONES.unsign(text).split(".")
    except (signing.BadSignature, ValueError):
        return None
    row = (
        Delegate.objects.filter(public_id=public_id)
        .select_related("event", "registration__enterprise")
        .first()
    )
    return row if row is not None and secrets.compare_digest(digest, _digest(row.token)) else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def hall_days(event: Event) -> tuple[datetime.datetime, datetime.datetime]:
    """The days of the event, whole: who comes early or stays late is in the hall all the same."""
    first, last = timezone.localdate(event.starts_at), timezone.localdate(event.ends_at)
    return midnight(first), midnight(last + datetime.timedelta(days=1))


def why_not_in_hall(delegate: Delegate, event: Event) -> str:
    """Why a badge does not answer at this event: a code; empty where it does."""
    first, end = hall_days(event)
    reasons = (
        (delegate.event_id != event.pk, "other_event"),
        (event.status not in (Event.Status.PUBLISHED, Event.Status.HELD), "event_off"),
        (delegate.status != Delegate.Status.ACTIVE, "replaced"),
        (delegate.registration.status != Registration.Status.CONFIRMED, "no_seat"),
        (not first <= timezone.now() < end, "other_day"),
    )
    return next((code for is_so, code in reasons if is_so), "")


def can_show(user: Anyone, event: Event) -> bool:
    """Put the screen of the hall on the wall: who organises the event, its moderators, its desk on its days."""
    return can_see_guests(user, event) or moderated_by(user).filter(pk=event.pk).exists()


def can_see_guests(user: Anyone, event: Event) -> bool:
    if can_manage(user, event):
        return True
    first, last = desk_days(event)
    return first <= timezone.now() <= last and is_at_desk(user, event)


def is_at_desk(user: Anyone, event: Event) -> bool:
    return is_signed_in(user) and event.staff.filter(user=user, role=EventStaff.Role.DESK).exists()


def desk_days(event: Event) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when the desk sees the guests."""
    return event.starts_at - DESK_MARGIN, event.ends_at + DESK_MARGIN


def can_check_in(user: Anyone, event: Event) -> bool:
    """Who organises the event, and its desk on the days of the event; a day longer, for what was kept offline."""
    return can_manage(user, event) or works_at_doors(user, event)


def desk_opens_at(user: Anyone, event: Event) -> datetime.datetime | None:
    """From when the desk sees the guests, as long as its people still wait for that."""
    first = desk_days(event)[0]
    return first if timezone.now() < first and is_at_desk(user, event) else None


def works_at_doors(user: Anyone, event: Event) -> bool:
    """The desk, while the doors are its business."""
    first = midnight(timezone.localdate(event.starts_at))
    return first <= timezone.now() <= desk_days(event)[1] and is_at_desk(user, event)


def can_own_programme(user: Anyone, body: Enterprise) -> bool:
    """Programmes, series and targets: organisers of the body that keeps them, and the administrator."""
    return is_signed_in(user) and (
        user.is_administrator or any(role.body_id == body.pk for role in user.organiser_roles)
    )


def can_put(user: Anyone, event: Event, series: Series) -> bool:
    """Whoever organises the event, into a series they see; the body of the series, public events of its region too."""
    if not is_signed_in(user):
        return False
    if can_manage(user, event):
        return Series.objects.visible_to(user).filter(pk=series.pk).exists()
    return (
        can_own_programme(user, series.programme.owner)
        and event.status != Event.Status.DRAFT
        and (
            user.is_administrator
            or any(region.contains(event.region) for region in user.organiser_regions)
        )
    )


def registrations_to_read(user: Anyone) -> QuerySet[Registration]:
    """Whose names stand behind a figure: those of events one organises, and of the regions of one's desks."""
    if getattr(user, "is_administrator", False):
        return Registration.objects.all()
    return Registration.objects.filter(
        Q(event__in=Event.objects.organised_by(user).values("pk"))
        | lies_within("event__region", scope_of(user))
    )
