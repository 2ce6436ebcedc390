from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.base import TimeStamped

if TYPE_CHECKING:
    from chains.models.enterprises import Enterprise
    from chains.models.requirements import Requirement


class Contact(TimeStamped):
    """How to reach a person at an enterprise. The only place where phone, e-mail and WeChat stand."""

    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="contacts")
    name = models.CharField(_("name"), max_length=80)
    job_title = models.CharField(_("job title"), max_length=80, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    wechat = models.CharField(_("WeChat"), max_length=60, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(phone="", email="", wechat=""),
                name="contact_can_be_reached",
                violation_error_message=_(
                    "Enter a phone number, an e-mail address or a WeChat name."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.public_id  # never the name: this lands in logs and in the admin


class ContactRevealQuerySet(models.QuerySet["ContactReveal"]):
    def of_requirement(self, requirement: Requirement) -> Self:
        """Looks at whom the buyer named, its own or the association's that posted for it; suppliers' contacts, which
        came with their interests, are theirs to count."""
        bodies = [requirement.enterprise_id, requirement.posted_by_id]
        return self.filter(requirement=requirement, contact__enterprise__in=filter(None, bodies))

    def of_enterprise(self, enterprise: Enterprise) -> Self:
        """Looks at any contact of the enterprise's, whatever it was opened for."""
        return self.filter(contact__enterprise=enterprise)

    def this_month(self) -> Self:
        today = timezone.localdate()
        return self.filter(at__year=today.year, at__month=today.month)

    def in_full(self) -> Self:
        return self.select_related("enterprise", "requirement").order_by("-at", "-pk")

    def figures(self) -> dict[str, int]:
        """How often somebody looked, how many enterprises – whoever has none counts as one – and how often a desk."""
        desk = models.Q(right=ContactReveal.Right.DESK)
        found = self.aggregate(
            looks=models.Count("pk", filter=~desk),
            enterprises=models.Count("enterprise", filter=~desk, distinct=True),
            persons=models.Count("user", filter=models.Q(enterprise=None) & ~desk, distinct=True),
            desks=models.Count("pk", filter=desk),
        )
        return {**found, "openers": found["enterprises"] + found["persons"]}


class ContactReveal(models.Model):
    """Who saw which contact, when and by what right. Append-only."""

    class Right(models.TextChoices):
        POLICY = "policy", _("open by policy")
        INTEREST_SENT = "interest_sent", _("interest sent")
        INTEREST_ACCEPTED = "interest_accepted", _("interest accepted")
        DESK = "desk", _("desk")

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="reveals")
    requirement = models.ForeignKey(
        "chains.Requirement", models.PROTECT, null=True, related_name="contact_reveals"
    )
    user = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, null=True, related_name="+")
    right = models.CharField(max_length=20, choices=Right.choices)
    purpose = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = ContactRevealQuerySet.as_manager()

    class Meta:
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(right="desk") | ~models.Q(purpose=""),
                name="contact_reveal_by_a_desk_states_its_purpose",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} {self.right}"
