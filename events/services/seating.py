"""What the verbs on seats share: the lock, the guards, the end of a registration and its lines in trail and feed.

Every change of an event's seats first locks the rows of its tiers in one order. That makes arrivals at one event
stand in one line: nobody overtakes, and two promoters never meet. What keeps the seats from being sold twice is not
the lock but the conditional UPDATE of the tier's row, and below it the CHECK of the table.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import Enterprise, Qualification, User
from events import permissions
from events.models import Event, Registration, Tier

Status = Registration.Status


def tier_of(enterprise: Enterprise, tiers: Iterable[Tier]) -> Tier:
    """The first reserved tier the enterprise belongs to today, else the general one."""
    tiers = sorted(tiers, key=lambda tier: (tier.is_general, tier.order, tier.pk))
    wanted = {code for tier in tiers for code in tier.qualifications}
    held = (
        set(
            Qualification.objects.in_force()
            .filter(enterprise=enterprise, kind__code__in=wanted)
            .values_list("kind__code", flat=True)
        )
        if wanted
        else set()
    )
    for tier in tiers:
        if (
            tier.is_general
            or enterprise.kind_id in tier.participant_kinds
            or held.intersection(tier.qualifications)
        ):
            return tier
    raise DomainError(_("This event has no general seats yet."), code="event.without_seats")


def locked(registration: Registration) -> tuple[list[Tier], Registration]:
    """The event's tiers, nobody else changing seats or queue until this transaction ends; and the row as it stands."""
    return list(registration.event.tiers.locked()), fresh(registration)


def fresh(registration: Registration) -> Registration:
    return Registration.objects.select_related("event", "enterprise", "tier").get(
        pk=registration.pk
    )


def tier_held(registration: Registration, tiers: Iterable[Tier]) -> Tier:
    """That of whose seats the registration holds some, among the locked ones."""
    return next(tier for tier in tiers if tier.pk == registration.tier_id)


# ---- guards ----


def check_owner(registration: Registration, by: User) -> None:
    if not permissions.can_register(by, registration.enterprise):
        raise DomainError(
            _("Only editors of the enterprise can answer for its registration."),
            code="registration.forbidden",
        )


def check_decider(registration: Registration, by: User) -> None:
    if not permissions.can_decide(by, registration):
        raise DomainError(
            _(
                "Only organisers of this event can decide on its registrations, and nobody on their own body's."
            ),
            code="registration.forbidden",
        )


def check_running(registration: Registration) -> None:
    if registration.event.status != Event.Status.PUBLISHED:
        raise DomainError(
            _("The event is over or was cancelled. Its registrations stay as they are."),
            code="registration.event_over",
        )


def checked_reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise DomainError(
            _("Say why: the reason is kept and shown."),
            code="registration.without_reason",
            field="reason",
        )
    return text[:300]


# ---- inside a verb ----


def record(*, registration: Registration, by: User | None, **data: int) -> None:
    audit.record(by, f"registration.{registration.status}", registration, **data)
    changes.record("registration", registration, registration.status)


def end(
    *,
    registration: Registration,
    tiers: Iterable[Tier],
    by: User | None,
    reason: str = "",
    status: Status = Status.CANCELLED,
) -> None:
    """End one and give its seats back to the tier they came from. Who has ended is never offered a seat again."""
    if registration.seats_held:
        tier_held(registration, tiers).take(-registration.seats_held)
    freed = registration.seats_held
    registration.status, registration.seats_held = status, 0
    registration.offer_expires_at = registration.offer_reminds_at = None
    registration.blocks_since = None
    registration.decline_reason = reason
    registration.priority, registration.priority_reason = 0, ""
    registration.save(
        update_fields=[
            "status", "seats_held", "offer_expires_at", "offer_reminds_at", "blocks_since", "decline_reason", "priority",
            "priority_reason", "updated_at",
        ]
    )  # fmt: skip
    record(registration=registration, by=by, seats=freed)
