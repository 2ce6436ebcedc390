from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chains.models import Language, Requirement, TimeStamped

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models import User


class InterestQuerySet(models.QuerySet["Interest"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The supplier's own, and those sent to one's own requirements."""
        return self.filter(
            Q(enterprise__in=getattr(user, "enterprise_ids", ()))
            | Q(requirement__in=Requirement.objects.own(user).values("pk"))
        )

    def waiting(self) -> Self:
        return self.filter(status=Interest.Status.SENT)

    def standing(self) -> Self:
        return self.exclude(status=Interest.Status.WITHDRAWN)


class Interest(TimeStamped):
    """A supplier says "we can": it goes to the buyer at once, with the supplier's contact."""

    class Status(models.TextChoices):
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class DeclineReason(models.TextChoices):
        FILLED = "filled", _("Already filled")
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        CAPACITY = "capacity", _("Capacity does not fit")
        CERTIFICATE = "certificate", _("A certificate is missing")
        TERMS = "terms", _("Terms do not fit")
        OTHER = "other", _("Other")

    requirement = models.ForeignKey("chains.Requirement", models.PROTECT, related_name="interests")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="interests")
    lines = models.ManyToManyField("chains.RequirementLine", related_name="interests")
    message = models.TextField(_("message to the buyer"), max_length=2000, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    contact = models.ForeignKey("chains.Contact", models.PROTECT, related_name="interests")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT)
    decline_reason = models.CharField(max_length=16, choices=DeclineReason.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    objects = InterestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requirement", "enterprise"],
                condition=~Q(status="withdrawn"),
                name="interest_once_unless_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(status="declined") & ~Q(decline_reason="")
                | ~Q(status="declined") & Q(decline_reason=""),
                name="interest_declined_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
