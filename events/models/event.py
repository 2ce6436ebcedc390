from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models import Reference, TimeStamped
from chains.prepared import Prepared

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models import User


# Staff of an event leave with it: the day after, to clear up, is their last.
STAFF_STAYS = datetime.timedelta(days=1)


class EventLevel(Reference):
    """Who hosts: nation, delta, province, city, county, industry. Independent of the region's level."""

    description_zh = models.CharField(max_length=200, blank=True)
    description_en = models.CharField(max_length=200, blank=True)

    class Meta(Reference.Meta):
        pass


class EventQuerySet(models.QuerySet["Event"]):
    def public(self) -> Self:
        return self.exclude(status=Event.Status.DRAFT)

    def upcoming(self) -> Self:
        return self.filter(status=Event.Status.PUBLISHED, ends_at__gte=timezone.now())

    def organised_by(self, user: User | AnonymousUser) -> Self:
        """Events whose host or co-host body the user works for, or where the user is a manager."""
        bodies = [r.body_id for r in getattr(user, "organiser_roles", ())]
        if not bodies and EventStaff.Role.MANAGER not in roles_at_events(user):
            return self.none()
        scope = Q(host__in=bodies) | Q(co_hosts__in=bodies)
        if getattr(user, "pk", None) is not None:
            scope |= Q(
                staff__user=user.pk,
                staff__role=EventStaff.Role.MANAGER,
                ends_at__gte=timezone.now() - STAFF_STAYS,
            )
        return self.filter(pk__in=Event.objects.filter(scope).values("pk"))

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All but drafts for everyone; drafts for those who organise them."""
        if getattr(user, "is_administrator", False):
            return self
        return self.filter(
            ~Q(status=Event.Status.DRAFT) | Q(pk__in=Event.objects.organised_by(user).values("pk"))
        )

    def with_seats(self) -> Self:
        """Adds `seats` and `seats_taken` over all tiers."""
        return self.annotate(seats=Sum("tiers__seats"), seats_taken=Sum("tiers__taken"))


class Event(TimeStamped):
    """A docking event (对接会): where and when a chain meets."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        HELD = "held", _("Held")
        ARCHIVED = "archived", _("Archived")
        CANCELLED = "cancelled", _("Cancelled")

    class Admission(models.TextChoices):
        AUTOMATIC = "automatic", _("automatic")
        REVIEWED = "reviewed", _("reviewed by the organiser")

    class WaitingRule(models.TextChoices):
        ARRIVAL = "arrival", _("by arrival")
        TIER_THEN_ARRIVAL = "tier_then_arrival", _("by tier, then by arrival")
        DRAW = "draw", _("by a lot drawn when one joins")
        SEEDED_DRAW = "seeded_draw", _("by a draw with a published seed")

    class WalkIns(models.TextChoices):
        """Whom the desk lets in who holds no badge."""

        NOBODY = "nobody", _("nobody without a badge")
        COLLEAGUES = "colleagues", _("colleagues, on seats nobody is named for")
        FREE_SEATS = "free_seats", _("everybody on the register while general seats are free")

    name_zh = models.CharField(_("name in Chinese"), max_length=160)
    name_en = models.CharField(_("name in English"), max_length=200)
    level = models.ForeignKey(EventLevel, models.PROTECT, to_field="code", verbose_name=_("level"))
    host = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="events_hosted")
    co_hosts = models.ManyToManyField(
        "chains.Enterprise", blank=True, related_name="events_co_hosted"
    )
    region = models.ForeignKey("chains.Region", models.PROTECT, related_name="events")
    cluster = models.ForeignKey(
        "chains.Cluster", models.PROTECT, null=True, blank=True, related_name="events"
    )
    chains = models.ManyToManyField("chains.Chain", blank=True, related_name="events")
    docking_kinds = models.ManyToManyField("chains.DockingKind", blank=True)
    series = models.ManyToManyField("events.Series", blank=True, related_name="events")
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    place = models.CharField(_("place"), max_length=200, blank=True)
    place_en = models.CharField(_("place in English"), max_length=200, blank=True)
    map_url = models.URLField(
        _("address of a map"), max_length=300, blank=True, default="", db_default=""
    )
    text = models.TextField(_("description"), max_length=4000, blank=True)
    text_en = models.TextField(_("description in English"), max_length=4000, blank=True)
    delegates_per_enterprise = models.PositiveSmallIntegerField(
        _("most delegates of one enterprise"), default=2
    )
    admission = models.CharField(
        max_length=10, choices=Admission.choices, default=Admission.AUTOMATIC
    )
    waiting_rule = models.CharField(
        max_length=20, choices=WaitingRule.choices, default=WaitingRule.ARRIVAL
    )
    # Announced with the event, for a draw with a published seed: when it is, and what binds its seed before anybody can
    # know which numbers take part – words for a number that becomes public then, or the digest of one that is kept.
    draws_at = models.DateTimeField(_("moment of the draw"), null=True, blank=True)
    draw_source_zh = models.CharField(max_length=300, blank=True, default="", db_default="")
    draw_source_en = models.CharField(max_length=300, blank=True, default="", db_default="")
    draw_commitment = models.CharField(max_length=64, blank=True, default="", db_default="")
    # How long an offer from the waiting list stands, and how long a head that asks for more than is free holds it up.
    offer_hours = models.PositiveSmallIntegerField(
        _("hours to answer an offer"), default=24, db_default=24
    )
    walk_ins = models.CharField(
        _("walk-ins"),
        max_length=10,
        choices=WalkIns.choices,
        default=WalkIns.COLLEAGUES,
        db_default="colleagues",
    )
    registration_opens_at = models.DateTimeField(_("registration opens"))
    registration_closes_at = models.DateTimeField(_("registration closes"))
    # Badges are printed after it; null where names may change until the end.
    delegates_until = models.DateTimeField(
        _("delegates can be changed until"), null=True, blank=True
    )
    # How long before it starts those who are confirmed are reminded; 0 = not at all.
    reminder_days = models.PositiveSmallIntegerField(
        _("days before the event to remind guests"), default=3, db_default=3
    )
    reminded_at = models.DateTimeField(null=True, blank=True)
    # Whether its form asks anything: told by the event itself, so that registering asks the database no more.
    asks_questions = models.BooleanField(default=False, db_default=False, editable=False)
    # Rises with each change of time, place or state that calendars have to follow.
    sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    list_published_at = models.DateTimeField(_("list goes public"), null=True, blank=True)
    # Held back without a moment: until one is set, at the latest until the event ends.
    list_is_held = models.BooleanField(_("list is held back"), default=False, db_default=False)
    # When its list did go public, once for all; from then on there is no moment to move.
    list_released_at = models.DateTimeField(
        _("list went public"), null=True, blank=True, editable=False
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    cancel_reason = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    # chains.searchtext.document() of names and places.
    search_text = models.TextField(default="", blank=True, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["status", "starts_at"], name="event_status_starts"),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="event_search"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="event_ends_after_it_starts",
                violation_error_message=_("The event ends after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(registration_closes_at__gt=F("registration_opens_at")),
                name="event_registration_closes_after_it_opens",
                violation_error_message=_("Registration closes after it opens."),
            ),
            models.CheckConstraint(
                condition=Q(delegates_until=None) | Q(delegates_until__lte=F("ends_at")),
                name="event_names_no_delegates_after_it_ends",
                violation_error_message=_("Delegates are named before the event ends."),
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | ~Q(cancel_reason=""),
                name="event_cancelled_says_why",
            ),
            models.CheckConstraint(
                condition=Q(list_is_held=False) | Q(list_published_at=None, list_released_at=None),
                name="event_list_is_held_or_has_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(delegates_per_enterprise__gte=1),
                name="event_lets_a_delegate_in",
            ),
            models.CheckConstraint(
                condition=Q(draw_commitment="") | Q(draw_commitment__regex="^[0-9a-f]{64}$"),
                name="event_commits_to_a_digest",
                violation_error_message=_("A SHA-256 digest has 64 places, 0–9 and a–f."),
            ),
            models.CheckConstraint(
                condition=Q(offer_hours__gte=1, offer_hours__lte=336),
                name="event_offers_stand_up_to_two_weeks",
                violation_error_message=_("An offer stands from 1 hour to 336 hours."),
            ),
            models.CheckConstraint(
                condition=Q(reminder_days__lte=30),
                name="event_reminds_within_a_month",
                violation_error_message=_("Guests are reminded at most 30 days before."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"

    @property
    def reminds_at(self) -> datetime.datetime | None:
        """From when those who are confirmed are reminded; None where they are not."""
        days = self.reminder_days
        return self.starts_at - datetime.timedelta(days=days) if days else None

    @property
    def keeps_list_back(self) -> bool:
        """Its list is not public yet as one; single requirements on it may have been before they were listed."""
        if self.list_released_at is not None:
            return False
        return self.list_published_at is not None or (
            self.list_is_held and timezone.now() < self.ends_at
        )

    @property
    def takes_delegates(self) -> bool:
        """Whether those who come may still be named and changed."""
        return self.status == self.Status.PUBLISHED and (
            self.delegates_until is None or timezone.now() < self.delegates_until
        )

    @property
    def awaits_draw(self) -> bool:
        """Whether all who register wait for its draw: until then nobody is given a seat."""
        return (
            self.waiting_rule == self.WaitingRule.SEEDED_DRAW
            and not Draw.objects.filter(event=self.pk).exists()
        )

    @property
    def is_open_for_registration(self) -> bool:
        return (
            self.status == self.Status.PUBLISHED
            and self.registration_opens_at <= timezone.now() < self.registration_closes_at
        )


class Draw(TimeStamped):
    """The draw of an event, once for all: its published seed, and the numbers that took part in the order they drew."""

    event = models.OneToOneField(Event, models.PROTECT, related_name="draw")
    seed = models.CharField(max_length=200)
    # Queue numbers up to this one took part; who came later stands behind.
    last_no = models.BigIntegerField()
    # Public ids of registrations: what everybody can compute the order from, and no name.
    numbers = ArrayField(models.CharField(max_length=12))

    def __str__(self) -> str:
        return self.public_id


class EventStaff(TimeStamped):
    """A person who works at the event without working for its host; ends with the event."""

    class Role(models.TextChoices):
        MANAGER = "manager", _("Manager")
        DESK = "desk", _("Desk")
        MODERATOR = "moderator", _("Moderator")

    event = models.ForeignKey(Event, models.PROTECT, related_name="staff")
    user = models.ForeignKey("chains.User", models.PROTECT, related_name="event_staff")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        verbose_name_plural = "event staff"
        constraints = [
            models.UniqueConstraint(fields=["event", "user", "role"], name="event_staff_once")
        ]

    def __str__(self) -> str:
        return self.public_id


_STAFF = Prepared(lambda user: EventStaff.objects.filter(user=user).order_by(), int)


def roles_at_events(user: User | AnonymousUser) -> frozenset[str]:
    """As what the user works at any event, past ones too; kept with the user as memberships are.

    Who works at none, as nearly everybody, is spared the long conditions by which rows hang together with one's events.
    """
    if user.pk is None:
        return frozenset()
    if user.event_roles is None:
        user.event_roles = frozenset(row.role for row in _STAFF(user.pk))
    return user.event_roles


class ListingQuerySet(models.QuerySet["Listing"]):
    def featured_first(self) -> Self:
        return self.order_by("-is_featured", "order", "pk")


class Listing(TimeStamped):
    """A requirement on an event's list. The event's moment is the requirement's embargo (row 21)."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="listings")
    requirement = models.ForeignKey("chains.Requirement", models.PROTECT, related_name="listings")
    order = models.PositiveSmallIntegerField(default=0)
    is_featured = models.BooleanField(default=False)
    code = models.CharField(max_length=8, unique=True)
    objects = ListingQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "requirement"], name="listing_once")
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def address(self) -> str:
        """Where its printed code leads: the open call."""
        return settings.SITE_URL + reverse("matchmaking:open_call", args=[self.code])
