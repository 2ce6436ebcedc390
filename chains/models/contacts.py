from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from chains.models.base import TimeStamped


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
