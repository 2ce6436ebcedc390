from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.base import TimeStamped

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models.people import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unsent(self) -> Self:
        return self.filter(status=Notification.Status.UNSENT, due_at__lte=timezone.now())

    def about(self, **ids: str) -> Self:
        """Those whose context names these rows, by public id."""
        return self.filter(context__contains=ids)

    def in_app(self, user: User | AnonymousUser) -> Self:
        """What the person is shown in the application."""
        return self.filter(to=user.pk, channel=Notification.Channel.IN_APP)

    def unread(self) -> Self:
        return self.filter(channel=Notification.Channel.IN_APP, read_at=None)


class Notification(TimeStamped):
    """The outbox: written with the fact it tells of, sent afterwards, never twice."""

    class Channel(models.TextChoices):
        IN_APP = "in_app", _("in the application")
        EMAIL = "email", _("e-mail")

    class Status(models.TextChoices):
        UNSENT = "unsent", _("unsent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    to = models.ForeignKey("chains.User", models.PROTECT, related_name="notifications")
    kind = models.CharField(max_length=40)  # templates emails/<kind>.*
    context = models.JSONField(default=dict)  # ids only, no personal data
    channel = models.CharField(max_length=8, choices=Channel.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.UNSENT)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                name="notification_unsent",
                condition=models.Q(status="unsent"),
            ),
            models.Index(fields=["to", "-id"], name="notification_inbox"),
            # What a row has been told of to others: `about`.
            GinIndex(OpClass("context", name="jsonb_path_ops"), name="notification_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Preference(TimeStamped):
    """How often a person wants to hear of a topic; without a row the topic's own default holds."""

    class Rhythm(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        DAILY = "daily", _("Daily")
        WEEKLY = "weekly", _("Weekly")
        NEVER = "never", _("Never")

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="preferences")
    topic = models.CharField(max_length=20)  # "for_you", or the public id of a saved search
    rhythm = models.CharField(max_length=8, choices=Rhythm.choices)
    # What happened before is no news to whoever asks from now on.
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "topic"], name="preference_once_a_topic")
        ]

    def __str__(self) -> str:
        return f"{self.topic}: {self.rhythm}"


class MailRefusal(TimeStamped):
    """The mailbox of an account refuses letters for good. It stands for one address: with another one it is over."""

    user = models.OneToOneField("chains.User", models.PROTECT, related_name="mail_refusal")
    # Of the address: the address itself stands once, in the account.
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=20)  # what the mail server said, as 5.1.1 or 550

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"

    @staticmethod
    def digest_of(address: str) -> str:
        return hashlib.sha256(address.strip().lower().encode()).hexdigest()

    @property
    def stands(self) -> bool:
        return self.digest == self.digest_of(self.user.email)
