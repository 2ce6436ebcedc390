from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext_lazy as _

from chains.models import Language, Requirement, StoredFile, TimeStamped

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
        """Those that the buyer has not answered, in time or not."""
        return self.filter(status__in=Interest.WAITING)

    def with_last_word(self) -> Self:
        """Annotates whose message the thread ends with, "" where nobody asked back."""
        last = InterestMessage.objects.filter(interest=OuterRef("pk")).order_by("-pk")
        return self.annotate(last_word=Coalesce(Subquery(last.values("side")[:1]), Value("")))

    def standing(self) -> Self:
        return self.exclude(status=Interest.Status.WITHDRAWN)


class Interest(TimeStamped):
    """A supplier says "we can": it goes to the buyer at once, with the supplier's contact."""

    class Status(models.TextChoices):
        SENT = "sent", _("Sent")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        NO_ANSWER = "no_answer", _("No answer in time")

    WAITING = (Status.SENT, Status.NO_ANSWER)

    # For queries what `due_on` is for a row: of what is null LEAST takes no notice.
    DUE_DAY = Least("answer_by_on", "requirement__answer_by_on")

    class Origin(models.TextChoices):
        """Where the supplier answered: at its desk, or in the hall by the code on the screen (row 47)."""

        SITE = "site", _("On the site")
        HALL = "hall", _("From the hall")

    class DeclineReason(models.TextChoices):
        FILLED = "filled", _("Already filled")
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        SPECIFICATION = "specification", _("Specification does not fit")
        CAPACITY = "capacity", _("Capacity does not fit")
        DELIVERY = "delivery", _("Delivery time does not fit")
        PRICE = "price", _("Price does not fit")
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
    # A sentence beside the reason; the supplier reads it.
    decline_note = models.CharField(max_length=300, blank=True, db_default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    # By which day the buyer had promised an answer when it came: an amendment moves the requirement's, not this one.
    answer_by_on = models.DateField(null=True, blank=True)
    # [{"key": "q1", "question": "…", "answer": "…"}]: the question as it stood when it was answered. Of an open point
    # it is the condition's text, beside its "kind", "parameter" and "line": each reads it in the own language.
    answers: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True, db_default=Value([], models.JSONField())
    )
    # The buyer's own mark; no supplier sees it.
    is_shortlisted = models.BooleanField(default=False, db_default=False)
    # When the buyer was last reminded of it: once before each day it named.
    nudged_at = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(
        _("origin"), max_length=4, choices=Origin.choices, default=Origin.SITE, db_default="site"
    )
    # In whose hall, and which delegate, known by the badge, who has no account to answer with.
    event = models.ForeignKey(
        "events.Event", models.PROTECT, null=True, blank=True, related_name="interests"
    )
    delegate = models.ForeignKey(
        "events.Delegate", models.PROTECT, null=True, blank=True, related_name="interests"
    )
    sent_by = models.ForeignKey("chains.User", models.PROTECT, null=True, related_name="+")

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
            models.CheckConstraint(
                condition=Q(origin="hall", event__isnull=False)
                | Q(origin="site", event=None, delegate=None),
                name="interest_from_a_hall_names_its_event",
            ),
            models.CheckConstraint(
                condition=Q(sent_by__isnull=False) | Q(delegate__isnull=False),
                name="interest_is_sent_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["requirement"], condition=Q(status="sent"), name="interest_waiting"
            ),
            models.Index(fields=["enterprise", "created_at"], name="interest_sent_by_week"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_waiting(self) -> bool:
        return self.status in self.WAITING

    @property
    def due_on(self) -> datetime.date | None:
        """By which day the buyer owes the answer: the one it had promised, or an earlier one it has named since."""
        named = (self.answer_by_on, self.requirement.answer_by_on)
        return min((day for day in named if day is not None), default=None)


class InterestNote(TimeStamped):
    """What the buyer's people tell each other about an interest. Never leaves their enterprise."""

    interest = models.ForeignKey(Interest, models.PROTECT, related_name="notes")
    text = models.CharField(max_length=500)
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.public_id


class InterestMessage(TimeStamped):
    """The buyer asks back, the supplier replies: one thread an interest."""

    class Side(models.TextChoices):
        BUYER = "buyer", _("Buyer")
        SUPPLIER = "supplier", _("Supplier")

    interest = models.ForeignKey(Interest, models.PROTECT, related_name="thread")
    side = models.CharField(max_length=8, choices=Side.choices)
    text = models.CharField(max_length=1000)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.public_id


class InterestAttachmentQuerySet(models.QuerySet["InterestAttachment"]):
    def standing(self) -> Self:
        return self.filter(removed_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """With the interest, as long as it stands."""
        seen = Interest.objects.visible_to(user).standing()
        return self.standing().filter(interest__in=seen.values("pk"))


class InterestAttachment(StoredFile):
    """A file for the buyer: a data sheet, a drawing, a certificate. Both sides open it, nobody else."""

    MOST = 5

    interest = models.ForeignKey(Interest, models.PROTECT, related_name="attachments")
    # Taken back by the supplier before the buyer answered: it stands no more, and neither does its content.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = InterestAttachmentQuerySet.as_manager()

    @classmethod
    def with_content(cls) -> InterestAttachmentQuerySet:
        return cls.objects.standing()

    class Meta:
        ordering = ["pk"]
