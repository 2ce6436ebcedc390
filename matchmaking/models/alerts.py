from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core import signing
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models import Membership, TimeStamped

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models import User

FOR_YOU = "for_you"
_CALENDARS = signing.Signer(salt="matchmaking.alerts.calendar")
_STOPS = signing.Signer(salt="matchmaking.alerts.stop")


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """A person's own, nobody else's."""
        return self.filter(user=user.pk)


class SavedSearch(TimeStamped):
    """A state of the catalogue that a person wants to hear of; its owner's own note, and deleted like one."""

    MOST = 20

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="saved_searches")
    name = models.CharField(_("name"), max_length=80)
    # Words and filters as they stand in the address of the catalogue, in a fixed order.
    query = models.CharField(max_length=1000)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "saved searches"
        constraints = [models.UniqueConstraint(fields=["user", "query"], name="saved_search_once")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def href(self) -> str:
        return f"{reverse('matchmaking:requirement_list')}?{self.query}"


class DigestManager(models.Manager["Digest"]):
    """With what each letter tells: a list of letters asks once for all."""

    def get_queryset(self) -> models.QuerySet[Digest]:
        alerts = models.Prefetch("alerts", Alert.objects.for_letters(), to_attr="told")
        return super().get_queryset().prefetch_related(alerts)


class Digest(TimeStamped):
    """One letter with requirements for one person."""

    # Told in full; the rest is a number.
    SHOWN = 10

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="digests")

    objects = DigestManager()

    def __str__(self) -> str:
        return self.public_id

    @property
    def standing(self) -> list[Alert]:
        """What is still worth telling when the letter goes out or is read."""
        told: list[Alert] = self.told  # type: ignore[attr-defined]  # the manager's
        return [alert for alert in told if alert.requirement.takes_interests]

    @property
    def news(self) -> list[Alert]:
        return [alert for alert in self.standing if not alert.reminders]

    @property
    def reminders(self) -> list[Alert]:
        return [alert for alert in self.standing if alert.reminders]

    @property
    def more_path(self) -> str:
        """Where a list shows what the letter leaves out."""
        search = next((alert.search for alert in self.news if alert.search), None)
        return search.href if search is not None else reverse("matchmaking:for_you")

    @property
    def has_passed(self) -> bool:
        return not self.standing

    @property
    def stop_path(self) -> str:
        """Where the reader stops the topics of this letter by one click, without signing in."""
        return reverse("matchmaking:alert_stop", args=[_STOPS.sign(self.public_id)])

    @staticmethod
    def id_of(link: str) -> str | None:
        try:
            return _STOPS.unsign(link)
        except signing.BadSignature:
            return None


class AlertQuerySet(models.QuerySet["Alert"]):
    def for_letters(self) -> Self:
        """Without what its reader has answered or dismissed since; the best first."""
        own = Membership.objects.active().filter(user=models.OuterRef("user"))
        return (
            self.exclude(
                models.Exists(
                    own.filter(enterprise__interests__requirement=models.OuterRef("requirement"))
                )
            )
            .exclude(
                models.Exists(
                    own.filter(
                        enterprise__dismissals__line__requirement=models.OuterRef("requirement")
                    )
                )
            )
            .select_related("requirement__enterprise", "requirement__region__parent", "search")
            .order_by(models.F("tenths").desc(nulls_last=True), "requirement__closes_on", "pk")
        )


class Alert(TimeStamped):
    """A person was told of a requirement: once, whatever topics find it, and reminded twice at most."""

    class Cause(models.TextChoices):
        FOR_YOU = FOR_YOU, _("For you")
        SEARCH = "search", _("Saved search")
        WANTED = "wanted", _("The buyer looks for more suppliers")

    MOST_REMINDERS = 2

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="alerts")
    requirement = models.ForeignKey("chains.Requirement", models.PROTECT, related_name="alerts")
    # The letter that tells of it last.
    digest = models.ForeignKey(Digest, models.PROTECT, related_name="alerts")
    cause = models.CharField(max_length=8, choices=Cause.choices)
    search = models.ForeignKey(
        SavedSearch, models.SET_NULL, null=True, blank=True, related_name="alerts"
    )
    # Of the best own pair, where it was found by one.
    tenths = models.PositiveSmallIntegerField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField(default=timezone.now)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "requirement"], name="alert_once"),
            models.CheckConstraint(
                condition=Q(reminders__lte=2), name="alert_reminds_twice_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def topic(self) -> str:
        """By whose preference it is sent; nothing once its saved search is gone."""
        if self.cause != self.Cause.SEARCH:
            return FOR_YOU
        return self.search.public_id if self.search is not None else ""


class Wake(TimeStamped):
    """A supplier was told, beyond its own topics, that a buyer waits for more interests."""

    requirement = models.ForeignKey("chains.Requirement", models.PROTECT, related_name="wakes")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="wakes")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["requirement", "enterprise"], name="wake_once")
        ]

    def __str__(self) -> str:
        return self.public_id


class DeadlineFeed(TimeStamped):
    """A person's calendar of deadlines: its address is signed over `serial`, so a new one ends the old one."""

    user = models.OneToOneField("chains.User", models.PROTECT, related_name="deadline_feed")
    serial = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.public_id

    @property
    def path(self) -> str:
        key = _CALENDARS.sign(f"{self.public_id}.{self.serial}")
        return reverse("matchmaking:deadlines", args=[key])

    @classmethod
    def at(cls, key: str) -> DeadlineFeed | None:
        """Whose calendar an address opens; nobody's once it was renewed or the account is closed."""
        try:
            public_id, serial = _CALENDARS.unsign(key).split(".")
        except (signing.BadSignature, ValueError):
            return None
        rows = cls.objects.filter(public_id=public_id, serial=serial, user__is_active=True)
        return rows.select_related("user").first()
