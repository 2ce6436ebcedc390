from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains.models import TimeStamped
from chains.models.base import new_public_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chains.models import Enterprise


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def sent(self) -> Self:
        return self.filter(status=Invitation.Status.SENT)

    def admitting(self, enterprises: Iterable[Enterprise]) -> Self:
        """By which the enterprises may register although registration is not open."""
        return self.filter(
            enterprise__in=[one.pk for one in enterprises],
            admits_always=True,
            status__in=(Invitation.Status.SENT, Invitation.Status.REGISTERED),
        )


class Invitation(TimeStamped):
    """An enterprise is asked to come, with a reason; known ones without members get theirs on paper, by the code."""

    class Status(models.TextChoices):
        SENT = "sent", pgettext_lazy("invitation", "Sent")
        REGISTERED = "registered", pgettext_lazy("invitation", "Registered")
        DECLINED = "declined", pgettext_lazy("invitation", "Declined")
        EXPIRED = "expired", pgettext_lazy("invitation", "Expired")

    class Cause(models.TextChoices):
        GAP = "gap", _("A gap in the chain")
        MATCH = "match", _("Fits what is asked for")
        BY_HAND = "by_hand", _("Chosen by hand")

    event = models.ForeignKey("events.Event", models.PROTECT, related_name="invitations")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="invitations")
    cause = models.CharField(_("cause"), max_length=8, choices=Cause.choices)
    reason = models.CharField(_("reason"), max_length=300)
    # In the link of the letter: whoever holds it may decline. To register one signs in.
    code = models.CharField(max_length=12, unique=True, default=new_public_id)
    admits_always = models.BooleanField(
        _("admits before registration opens and after it closes"), default=False
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    invited_by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "enterprise"], name="invitation_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="invitation_says_why"),
            models.CheckConstraint(
                condition=Q(status="sent", answered_at=None)
                | ~Q(status="sent") & Q(answered_at__isnull=False),
                name="invitation_answered_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
