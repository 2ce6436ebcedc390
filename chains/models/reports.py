from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chains.models.base import TimeStamped
from chains.models.people import User

if TYPE_CHECKING:
    from chains.models.enterprises import Enterprise


class ReportQuerySet(models.QuerySet["Report"]):
    def open(self) -> Self:
        return self.filter(status=Report.Status.OPEN)

    def with_case(self) -> Self:
        """What was reported, and what its desk is known by."""
        return self.select_related(
            "requirement__enterprise__region",
            "requirement__posted_by",
            "enterprise__region",
            "capability__enterprise__region",
        )

    def of(self, user: User | AnonymousUser) -> Self:
        return self.filter(by=user.pk)


class Report(TimeStamped):
    """Somebody says that a published requirement or capability, or an enterprise, abuses the platform; a desk decides."""

    class Reason(models.TextChoices):
        NOT_A_NEED = "not_a_need", _("No real need, only asks for prices")
        ADVERTISING = "advertising", _("Advertising")
        MISLEADING = "misleading", _("Misleading or wrong")
        CONTACT_DATA = "contact_data", _("Names a person or telephone number")
        UNLAWFUL = "unlawful", _("Not permitted by law")
        OTHER = "other", _("Something else")

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("Upheld")
        DISMISSED = "dismissed", _("Dismissed")

    requirement = models.ForeignKey(
        "chains.Requirement", models.PROTECT, null=True, blank=True, related_name="reports"
    )
    enterprise = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, null=True, blank=True, related_name="reports"
    )
    capability = models.ForeignKey(
        "chains.Capability", models.PROTECT, null=True, blank=True, related_name="reports"
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    note = models.CharField(_("in your words"), max_length=500, blank=True)
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_by = models.ForeignKey(
        "chains.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(requirement__isnull=False, enterprise=None, capability=None)
                | Q(requirement=None, enterprise__isnull=False, capability=None)
                | Q(requirement=None, enterprise=None, capability__isnull=False),
                name="report_is_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=["by", "requirement"],
                condition=Q(status="open", requirement__isnull=False),
                name="report_of_a_requirement_once_while_open",
            ),
            models.UniqueConstraint(
                fields=["by", "enterprise"],
                condition=Q(status="open", enterprise__isnull=False),
                name="report_of_an_enterprise_once_while_open",
            ),
            models.UniqueConstraint(
                fields=["by", "capability"],
                condition=Q(status="open", capability__isnull=False),
                name="report_of_a_capability_once_while_open",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def reported(self) -> Enterprise:
        """Whose desk decides."""
        if self.requirement is not None:
            return self.requirement.enterprise
        found = self.enterprise if self.capability is None else self.capability.enterprise
        assert found is not None, "a constraint holds that it is about something"
        return found
