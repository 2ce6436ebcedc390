from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Count, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import MD5, Concat
from django.utils.translation import gettext_lazy as _

from chains.models import Enterprise, TimeStamped, lies_within
from chains.models.base import ALPHABET
from events.models.event import Event

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models import User


def new_token() -> str:
    return secrets.token_urlsafe(24)  # 192 bit


def new_short_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(6))


class TierQuerySet(models.QuerySet["Tier"]):
    def locked(self) -> Self:
        """In one order, for whoever changes seats or queue of their event; until the transaction ends."""
        return self.select_for_update(no_key=True).order_by("pk")


class Tier(TimeStamped):
    """A share of an event's seats: reserved for some until a moment, or general."""

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="tiers")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    # Any of these lets an enterprise into the tier; both empty = the general tier.
    qualifications = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    participant_kinds = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    seats = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)
    reserved_until = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    order = models.PositiveSmallIntegerField(default=0)
    is_general = models.BooleanField(default=False)

    objects = TierQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            # Whatever the code does, the database never lets a seat too many be taken (R1).
            models.CheckConstraint(
                condition=Q(taken__gte=0) & Q(taken__lte=F("seats")),
                name="tier_never_takes_more_than_its_seats",
            ),
            models.UniqueConstraint(
                fields=["event"], condition=Q(is_general=True), name="tier_general_once"
            ),
            models.CheckConstraint(
                condition=Q(is_general=False)
                | Q(qualifications=[], participant_kinds=[], reserved_until=None),
                name="tier_general_is_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"

    @property
    def free(self) -> int:
        return self.seats - self.taken

    def take(self, seats: int) -> None:
        """So many more of a locked tier, fewer where negative."""
        done = Tier.objects.filter(pk=self.pk, seats__gte=F("taken") + seats).update(
            taken=F("taken") + seats
        )
        assert done, "the row is locked: nobody can have taken them"
        self.taken += seats


class _Lot(Func):
    """SHA-256 of what is published, in hexadecimal digits: nobody needs this program to compute it."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = models.CharField()


_WAS_DRAWN = Q(queue_no__lte=F("event__draw__last_no"))
# How each published rule orders the queue after what was moved by hand. The lot drawn when one joins is the digest of
# the registration's random public id: fixed once drawn, and not to be chosen. That of a draw with a seed is the digest
# of seed, colon and public id; whoever came after the draw, or before there is one, stands by arrival.
QUEUE_ORDER: dict[str, tuple[Any, ...]] = {
    Event.WaitingRule.ARRIVAL: ("-priority", "queue_no"),
    Event.WaitingRule.TIER_THEN_ARRIVAL: (
        "-priority",
        "tier__is_general",
        "tier__order",
        "tier_id",
        "queue_no",
    ),
    Event.WaitingRule.DRAW: ("-priority", MD5("public_id"), "queue_no"),
    Event.WaitingRule.SEEDED_DRAW: (
        "-priority",
        Case(When(_WAS_DRAWN, then=0), default=1),
        Case(
            When(_WAS_DRAWN, then=_Lot(Concat("event__draw__seed", Value(":"), "public_id"))),
            default=Value(""),
        ),
        "queue_no",
    ),
}


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Own registrations, those of events the user organises, and those that wait for the user's decision."""
        return self.filter(
            Q(enterprise__in=getattr(user, "enterprise_ids", ()))
            | Q(event__in=Event.objects.organised_by(user).values("pk"))
            | Q(pk__in=Registration.objects.decided_by(user).values("pk"))
        )

    def locked(self) -> Self:
        """For a verb on one of them: nobody else changes it until this transaction ends."""
        return self.select_for_update(of=("self",), no_key=True).select_related(
            "event", "enterprise"
        )

    def of_hosts(self) -> Self:
        """Of bodies that hold the event themselves."""
        host = Q(enterprise=F("event__host"))
        co_host = Q(
            enterprise__in=Event.co_hosts.through.objects.filter(event=OuterRef("event")).values(
                "enterprise"
            )
        )
        return self.filter(host | co_host)

    def decided_by(self, user: User | AnonymousUser) -> Self:
        """Those the user may approve, decline and move: of events the user organises.

        Nobody decides on their own body's case. A host's own one goes to whoever else organises the event, to the
        desks up the region tree and, where there may be none, to the administrator.
        """
        if getattr(user, "pk", None) is None:
            return self.none()
        scope = Q(event__in=Event.objects.organised_by(user).values("pk"))
        is_administrator = getattr(user, "is_administrator", False)
        regions = getattr(user, "organiser_regions", ())
        if is_administrator or regions:
            hosts = Registration.objects.of_hosts()
            if not is_administrator:
                hosts = hosts.filter(lies_within("event__region", regions)).exclude(
                    event__region__in=[region.pk for region in regions]
                )
            scope |= Q(pk__in=hosts.values("pk"))
        return self.filter(scope).exclude(enterprise__in=getattr(user, "own_bodies", ()))

    def to_admit(self) -> Self:
        """What waits for a decision: an application to an event that looks at each, by who is verified."""
        return self.filter(
            status=Registration.Status.SUBMITTED,
            event__status=Event.Status.PUBLISHED,
            event__admission=Event.Admission.REVIEWED,
            enterprise__status=Enterprise.Status.VERIFIED,
        )

    def waiting(self) -> Self:
        return self.filter(status=Registration.Status.WAITLISTED)

    def in_the_pool(self) -> Self:
        """Who takes part in the draw of the event: registered in time, decided yet or not."""
        return self.filter(
            status__in=(Registration.Status.SUBMITTED, Registration.Status.WAITLISTED),
            queued_at__lte=F("event__draws_at"),
        )

    def taking_seats(self) -> Self:
        """Of those that wait, whose turn may come: a suspended enterprise reads, nothing else. It keeps its place."""
        return self.waiting().exclude(enterprise__status="suspended")

    def confirmed(self) -> Self:
        return self.filter(status=Registration.Status.CONFIRMED)

    def came(self) -> Self:
        """Participation: known once the event is held."""
        return self.confirmed().filter(attended__gt=0)

    def offered(self) -> Self:
        return self.filter(status=Registration.Status.OFFERED)

    def with_unnamed_seats(self) -> Self:
        """Of those that hold seats, where nobody is named for one of them."""
        named = Count("delegates", filter=Q(delegates__status="active"))
        return self.alias(named=named).filter(seats_held__gt=F("named"))

    def in_queue_order(self, rule: str) -> Self:
        """The order in which seats are offered; rank is the place in it, computed, never stored."""
        return self.order_by(*QUEUE_ORDER[rule])


class Registration(TimeStamped):
    """An enterprise's place at an event: seats for its delegates, or a turn on the waiting list."""

    class Status(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        CONFIRMED = "confirmed", _("Confirmed")
        WAITLISTED = "waitlisted", _("On the waiting list")
        OFFERED = "offered", _("Offered")
        LAPSED = "lapsed", _("Offer lapsed")
        DECLINED = "declined", _("Declined")
        CANCELLED = "cancelled", _("Cancelled")

    class Purpose(models.TextChoices):
        BUY = "buy", _("Buy")
        SUPPLY = "supply", _("Supply")
        FINANCE = "finance", _("Finance")
        TALENT = "talent", _("Talent")
        OBSERVE = "observe", _("Observe")

    ENDED = (Status.DECLINED, Status.CANCELLED, Status.LAPSED)
    HOLDING = (Status.CONFIRMED, Status.OFFERED)

    # `registration_once` finds them by the event too.
    event = models.ForeignKey(
        "events.Event", models.PROTECT, related_name="registrations", db_index=False
    )
    enterprise = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, related_name="registrations"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SUBMITTED)
    purposes = ArrayField(
        models.CharField(max_length=8, choices=Purpose.choices), default=list, blank=True
    )
    seats_asked = models.PositiveSmallIntegerField()
    accepts_partial = models.BooleanField(default=False)
    # The enterprise agreed that the public reads its name as that of a participant.
    may_be_named = models.BooleanField(default=False, db_default=False)
    tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="registrations"
    )
    seats_held = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(null=True, blank=True)
    queue_no = models.BigIntegerField(null=True, blank=True)  # from registration_queue_seq
    # Seats are held for an offer until then.
    offer_expires_at = models.DateTimeField(null=True, blank=True)
    # When whoever has not answered is reminded; empty once that is done.
    offer_reminds_at = models.DateTimeField(null=True, blank=True)
    # Since when it stands first and asks for more than is free.
    blocks_since = models.DateTimeField(null=True, blank=True)
    priority = models.SmallIntegerField(default=0)
    priority_reason = models.CharField(max_length=300, blank=True)
    decline_reason = models.CharField(max_length=300, blank=True)
    # Frozen when the event is held: the persons who came, and what the enterprise verifiably was on that day.
    attended = models.PositiveSmallIntegerField(null=True, blank=True)
    qualifications_held = ArrayField(models.CharField(max_length=32), null=True, blank=True)
    # Why it was corrected by hand; empty for what the doors say.
    attendance_note = models.CharField(max_length=300, blank=True, db_default="")

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "enterprise"], name="registration_once"),
            models.CheckConstraint(
                condition=Q(seats_asked__gte=1), name="registration_asks_for_a_seat"
            ),
            models.CheckConstraint(
                condition=(
                    Q(status__in=["confirmed", "offered"], seats_held__gte=1, tier__isnull=False)
                    | (~Q(status__in=["confirmed", "offered"]) & Q(seats_held=0))
                ),
                name="registration_holds_seats_when_confirmed_or_offered",
            ),
            models.CheckConstraint(
                condition=Q(status="offered", offer_expires_at__isnull=False)
                | (~Q(status="offered") & Q(offer_expires_at=None)),
                name="registration_offer_has_a_deadline",
            ),
            models.CheckConstraint(
                condition=Q(blocks_since=None) | Q(status="waitlisted"),
                name="registration_blocks_only_while_it_waits",
            ),
            models.CheckConstraint(
                condition=~Q(status="waitlisted") | Q(queue_no__isnull=False),
                name="registration_waiting_has_a_queue_number",
            ),
            models.CheckConstraint(
                condition=Q(seats_held__lte=F("seats_asked")),
                name="registration_holds_no_more_than_asked",
            ),
            models.CheckConstraint(
                condition=Q(priority=0) | ~Q(priority_reason=""),
                name="registration_moved_by_hand_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["event", "-priority", "queue_no"],
                name="registration_queue",
                condition=Q(status="waitlisted"),
            ),
            # The sweeper asks every half minute which offers have lapsed.
            models.Index(
                fields=["offer_expires_at"],
                name="registration_offers",
                condition=Q(status="offered"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    def surplus_delegates(self) -> models.QuerySet[Delegate]:
        """Those named last, where fewer seats are held than were asked for."""
        active = self.delegates.filter(status=Delegate.Status.ACTIVE).order_by("pk")
        return self.delegates.filter(pk__in=active.values("pk")[self.seats_held :])


class Delegate(TimeStamped):
    """A named person of a registration: one seat, one code."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        REPLACED = "replaced", _("Replaced")

    registration = models.ForeignKey(Registration, models.PROTECT, related_name="delegates")
    # Stored with the delegate so that the short code can be unique per event.
    event = models.ForeignKey("events.Event", models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    job_title = models.CharField(_("job title"), max_length=80, blank=True)
    token = models.CharField(max_length=48, unique=True, default=new_token)
    short_code = models.CharField(max_length=8, default=new_short_code)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "short_code"], name="delegate_short_code_once_per_event"
            )
        ]

    def __str__(self) -> str:
        return self.public_id
