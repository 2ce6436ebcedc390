from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains.models.base import Language, SignsOf, TimeStamped
from chains.models.enterprises import StoredFile
from chains.models.people import Mandate, scope_of
from chains.models.regions import lies_within

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models.people import User


class Period(models.TextChoices):
    ONCE = "once", _("once")
    MONTH = "month", _("a month")
    YEAR = "year", _("a year")


class Project(TimeStamped):
    """An investment project that explains why things are needed (row 22)."""

    class Stage(models.TextChoices):
        PLANNED = "planned", _("planned")
        UNDER_CONSTRUCTION = "under_construction", _("under construction")
        PRODUCING = "producing", _("producing")
        STOPPED = "stopped", _("stopped")

    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="projects")
    name = models.CharField(_("name"), max_length=160)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    chain = models.ForeignKey("chains.Chain", models.PROTECT, null=True, blank=True)
    region = models.ForeignKey("chains.Region", models.PROTECT, null=True, blank=True)
    amount_cents = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default="CNY")
    stage = models.CharField(max_length=20, choices=Stage.choices, default=Stage.PLANNED)
    needed_by_on = models.DateField(_("needed by"), null=True, blank=True)
    is_public = models.BooleanField(_("shown to everyone"), default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents=None) | Q(amount_cents__gte=0),
                name="project_amount_is_not_negative",
            )
        ]

    def __str__(self) -> str:
        return self.name


def _own(user: User | AnonymousUser) -> Q:
    """Of one's enterprises, and of those one's association acts for while the mandate lasts."""
    ids = getattr(user, "enterprise_ids", ())
    members = Mandate.objects.active().filter(association__in=ids).values("member")
    return Q(enterprise__in=ids) | Q(enterprise__in=members)


class RequirementQuerySet(models.QuerySet["Requirement"]):
    def published(self) -> Self:
        return self.filter(status=Requirement.Status.PUBLISHED)

    def open(self) -> Self:
        """Published and still taking interests."""
        return self.published().filter(Q(closes_on=None) | Q(closes_on__gte=timezone.localdate()))

    def submitted(self) -> Self:
        return self.filter(status=Requirement.Status.SUBMITTED)

    def to_moderate(self) -> Self:
        """What a desk has to look at: submitted ones, and published ones amended since it looked."""
        return self.filter(
            Q(status=Requirement.Status.SUBMITTED)
            | Q(status__in=Requirement.ACCEPTED)
            & Q(amended_at__isnull=False)
            & (Q(amendment_seen_at=None) | Q(amendment_seen_at__lt=F("amended_at")))
        )

    def overdue(self) -> Self:
        """Open although the day they were needed by has passed: their owner forgot to close them, or to say a new day."""
        return self.filter(status__in=Requirement.ACCEPTED, needed_by_on__lt=timezone.localdate())

    def scored(self) -> Self:
        """Those a run works on: approved ones too, so that review can begin before an embargo ends."""
        return self.filter(status__in=Requirement.ACCEPTED)

    def own(self, user: User | AnonymousUser) -> Self:
        return self.filter(_own(user))

    def in_scope_of(self, user: User | AnonymousUser) -> Self:
        """What the user's desks moderate: the owner's region decides. Drafts stay with their owner."""
        if getattr(user, "is_administrator", False):
            return self.exclude(status=Requirement.Status.DRAFT)
        scope = lies_within("enterprise__region", scope_of(user))
        return self.filter(scope).exclude(status=Requirement.Status.DRAFT)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Published ones for everyone; own ones; what one's desk moderates.

        Organisers of an event see what is listed there as well: matchmaking.permissions adds that.
        """
        desk = ~Q(status=Requirement.Status.DRAFT)
        if not getattr(user, "is_administrator", False):
            desk &= lies_within("enterprise__region", scope_of(user))
        return self.filter(Q(status=Requirement.Status.PUBLISHED) | _own(user) | desk)

    def with_line_count(self) -> Self:
        return self.annotate(line_count=models.Count("lines", distinct=True))


class Requirement(TimeStamped):
    """One posting by one enterprise: what it needs, until when, and who may see its contact."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        RETURNED = "returned", _("Returned")
        APPROVED = "approved", _("Approved")
        PUBLISHED = "published", _("Published")
        CLOSED = "closed", _("Closed")

    ACCEPTED = (Status.APPROVED, Status.PUBLISHED)

    class CloseReason(models.TextChoices):
        FILLED = "filled", _("Filled")
        WITHDRAWN = "withdrawn", _("Withdrawn by its owner")
        EXPIRED = "expired", _("Past its closing date")
        REFUSED = "refused", _("Not accepted for publication")
        TAKEN_DOWN = "taken_down", _("Taken down")
        UNANSWERED = "unanswered", _("Not corrected in time")
        ENTERPRISE_SUSPENDED = "enterprise_suspended", _("Enterprise suspended")

    class Outcome(models.TextChoices):
        """How a need ended that its owner closes."""

        HERE = "here", _("Found here")
        ELSEWHERE = "elsewhere", _("Found elsewhere")
        NOT_NEEDED = "not_needed", _("No longer needed")

    class Seeks(models.TextChoices):
        SUPPLIER = "supplier", _("Suppliers")
        CUSTOMER = "customer", _("Customers")
        PARTNER = "partner", _("Partners")

    class ContactPolicy(models.TextChoices):
        MEMBERS = "members", _("Any member")
        VERIFIED = "verified", _("Verified enterprises")
        ACCEPTED = "accepted", _("After I accept")

    MAX_LINES = 200
    MAX_QUESTIONS = 3
    STALE = datetime.timedelta(days=90)

    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="requirements")
    posted_by = models.ForeignKey(
        "chains.Enterprise",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requirements_posted",
    )
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="requirements"
    )
    docking_kind = models.ForeignKey(
        "chains.DockingKind", models.PROTECT, to_field="code", default="supply_sales"
    )
    seeks = models.CharField(
        _("seeks"), max_length=10, choices=Seeks.choices, default=Seeks.SUPPLIER
    )
    cooperation_kinds = models.ManyToManyField("chains.CooperationKind", blank=True)
    chain = models.ForeignKey(
        "chains.Chain", models.PROTECT, null=True, blank=True, related_name="requirements"
    )
    region = models.ForeignKey(
        "chains.Region", models.PROTECT, null=True, blank=True, related_name="+"
    )
    title = models.CharField(_("title"), max_length=160)
    text = models.TextField(_("description"), max_length=4000, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    needed_by_on = models.DateField(_("needed by"), null=True, blank=True)
    closes_on = models.DateField(_("interests until"), null=True, blank=True)
    answer_by_on = models.DateField(_("you answer by"), null=True, blank=True)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    import_substitution = models.BooleanField(_("replaces an imported product"), default=False)
    contact = models.ForeignKey(
        "chains.Contact", models.PROTECT, null=True, blank=True, related_name="requirements"
    )
    contact_policy = models.CharField(
        max_length=10, choices=ContactPolicy.choices, default=ContactPolicy.ACCEPTED
    )
    # More suppliers are told, a few a day, until so many interests stand; without it nobody is woken.
    wanted_interests = models.PositiveSmallIntegerField(
        _("interests you want"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
    )
    embargoed_until = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    close_reason = models.CharField(max_length=24, choices=CloseReason.choices, blank=True)
    close_note = models.CharField(max_length=300, blank=True)
    close_outcome = models.CharField(
        max_length=10, choices=Outcome.choices, blank=True, default="", db_default=""
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    amended_at = models.DateTimeField(null=True, blank=True)
    # When a desk looked at the last amendment, which took effect at once.
    amendment_seen_at = models.DateTimeField(null=True, blank=True)
    # Folded words of title, text and lines; stored so that search and lists never join for it.
    search_text = models.TextField(default="", blank=True, editable=False)
    summary = models.CharField(max_length=200, default="", blank=True, editable=False)

    objects = RequirementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="closed") & ~Q(close_reason="")
                | ~Q(status="closed") & Q(close_reason=""),
                name="requirement_closed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status="published") | Q(published_at__isnull=False),
                name="requirement_published_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | (Q(closes_on__isnull=False) & Q(answer_by_on__isnull=False)),
                name="requirement_submitted_has_its_dates",
            ),
            models.CheckConstraint(
                condition=Q(closes_on=None)
                | Q(answer_by_on=None)
                | Q(answer_by_on__gte=F("closes_on")),
                name="requirement_answers_after_it_closes",
                violation_error_message=_(
                    "The day by which you answer cannot be before the day interests close."
                ),
            ),
            models.CheckConstraint(
                condition=Q(posted_by=None) | ~Q(posted_by=F("enterprise")),
                name="requirement_posted_by_another_body",
            ),
            models.CheckConstraint(
                condition=Q(wanted_interests=None)
                | Q(wanted_interests__gte=1, wanted_interests__lte=50),
                name="requirement_wants_one_to_fifty_interests",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "closes_on"], name="requirement_status_closes"),
            models.Index(
                fields=["-published_at", "-id"],
                name="requirement_newest",
                condition=Q(status="published"),
            ),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="requirement_search"),
            GinIndex(SignsOf(F("search_text")), name="requirement_signs"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        return self.status == self.Status.PUBLISHED

    @property
    def is_accepted(self) -> bool:
        """By its desk: what is changed from now on is an amendment, shown at once."""
        return self.status in self.ACCEPTED

    @property
    def open_remarks(self) -> list[Remark]:
        """What the desk asked for when it returned it last. One query."""
        if self.status != self.Status.RETURNED:
            return []
        return list(self.remarks.filter(at__gte=self.submitted_at))

    @property
    def amendment_waits(self) -> bool:
        """Amended, and no desk has looked at it since."""
        return self.amended_at is not None and (
            self.amendment_seen_at is None or self.amendment_seen_at < self.amended_at
        )

    @property
    def waits_since(self) -> datetime.datetime | None:
        """Since when its desk has it before it."""
        return self.amended_at if self.amendment_waits else self.submitted_at

    @property
    def is_overdue(self) -> bool:
        """Still open although the day it was needed by has passed."""
        return (
            self.is_accepted
            and self.needed_by_on is not None
            and self.needed_by_on < timezone.localdate()
        )

    @property
    def is_stale(self) -> bool:
        """Open for a quarter of a year, and nobody of its house has touched it since."""
        last = max(filter(None, [self.published_at, self.amended_at]), default=None)
        return self.is_published and last is not None and last < timezone.now() - self.STALE

    @property
    def takes_interests(self) -> bool:
        """Published, and its closing day has not passed in the time of the place."""
        return self.is_published and (
            self.closes_on is None or self.closes_on >= timezone.localdate()
        )


class RequirementLineQuerySet(models.QuerySet["RequirementLine"]):
    def open(self) -> Self:
        return self.filter(status=RequirementLine.Status.OPEN)

    def in_open_requirements(self) -> Self:
        return self.open().filter(
            Q(requirement__closes_on=None) | Q(requirement__closes_on__gte=timezone.localdate()),
            requirement__status=Requirement.Status.PUBLISHED,
        )

    def scored(self) -> Self:
        """Open lines of approved and published requirements: what a run works on."""
        return self.open().filter(requirement__status__in=Requirement.ACCEPTED)


class RequirementLine(TimeStamped):
    """One product asked for; matched on its own (row 19)."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        FILLED = "filled", _("Filled")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="lines")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(_("what"), max_length=500)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    category = models.ForeignKey(
        "chains.Category", models.PROTECT, null=True, blank=True, related_name="lines"
    )
    category_suggested = models.ForeignKey(
        "chains.Category", models.PROTECT, null=True, blank=True, related_name="+"
    )
    segment = models.ForeignKey(
        "chains.Segment", models.PROTECT, null=True, blank=True, related_name="lines"
    )
    quantity = models.DecimalField(
        _("quantity"), max_digits=18, decimal_places=3, null=True, blank=True
    )
    unit = models.ForeignKey("chains.Unit", models.PROTECT, null=True, blank=True)
    period = models.CharField(max_length=6, choices=Period.choices, default=Period.ONCE)
    needed_by_on = models.DateField(_("needed by"), null=True, blank=True)
    specification = models.CharField(_("specification"), max_length=1000, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    # How the need ended that its owner closed; empty while it is open, and where it was left out of an amendment.
    outcome = models.CharField(
        max_length=10, choices=Requirement.Outcome.choices, blank=True, default="", db_default=""
    )

    objects = RequirementLineQuerySet.as_manager()

    class Meta:
        ordering = ["requirement", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["requirement", "number"],
                name="requirement_line_number_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=200),
                name="requirement_line_number_is_1_to_200",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="requirement_line_quantity_is_positive",
                violation_error_message=_("Enter a quantity above 0."),
            ),
        ]
        indexes = [
            models.Index(fields=["category", "status"], name="requirement_line_category"),
            models.Index(fields=["segment", "status"], name="requirement_line_segment"),
        ]
        # Matches name it without a constraint; nobody has matched what was not yet accepted, and that never goes back.
        triggers = [
            pgtrigger.Trigger(
                name="accepted_stay",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT FROM chains_requirement
                         WHERE id = OLD.requirement_id AND status IN ('approved', 'published', 'closed')
                    ) THEN
                        RAISE EXCEPTION 'Cannot delete rows from % once they were accepted', TG_TABLE_NAME;
                    END IF;
                    RETURN OLD;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def full_text(self) -> str:
        return compared_text(self.text, self.specification)


def compared_text(text: str, specification: str) -> str:
    """What of a line is compared: the product and its specification."""
    return f"{text} {specification}".strip()


class Condition(models.Model):
    """What a requirement, or one of its lines, asks of the supplier beyond the product."""

    class Kind(models.TextChoices):
        CERTIFICATION = "certification", _("Certification")
        QUALIFICATION = "qualification", _("Qualification")
        REGION = "region", _("Region")
        DISTANCE = "distance", _("Distance")
        CAPACITY = "capacity", _("Capacity")
        LEAD_TIME = "lead_time", _("Lead time")
        SAMPLE_TIME = "sample_time", _("Sample time")
        COOPERATION = "cooperation", _("Cooperation")
        ORIGIN = "origin", _("Origin")
        OTHER = "other", _("Other, shown only")

    class Strength(models.TextChoices):
        MUST = "must", _("Must")
        PREFER = "prefer", _("Prefer")

    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="conditions")
    # Null = for all lines of the requirement.
    line = models.ForeignKey(
        RequirementLine, models.CASCADE, null=True, blank=True, related_name="conditions"
    )
    kind = models.CharField(max_length=14, choices=Kind.choices)
    strength = models.CharField(max_length=6, choices=Strength.choices, default=Strength.MUST)
    # {"codes": [...]} any of them; or {"value": 80, "unit": "km"}; `text` as typed is always kept.
    parameter: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Question(models.Model):
    """Asked of every supplier that sends an interest; at most three."""

    requirement = models.ForeignKey(Requirement, models.CASCADE, related_name="questions")
    order = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["requirement", "order"], name="question_order_once"),
            models.CheckConstraint(
                condition=Q(order__gte=1, order__lte=3), name="question_at_most_three"
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Remark(models.Model):
    """What the desk asks to be changed, on the whole or on one line; kept as history."""

    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="remarks")
    line = models.ForeignKey(
        RequirementLine, models.SET_NULL, null=True, blank=True, related_name="remarks"
    )
    line_number = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=30, blank=True)  # of a saved reason
    text = models.CharField(max_length=500)
    by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class RequirementFileQuerySet(models.QuerySet["RequirementFile"]):
    def standing(self) -> Self:
        return self.filter(removed_at=None)


class RequirementFile(StoredFile):
    """A drawing, a data sheet: opens to suppliers as its owner has said."""

    MOST = 10

    class Visibility(models.TextChoices):
        ACCEPTED = "accepted", _("Suppliers whose interest I accepted")
        VERIFIED = "verified", _("Verified enterprises")
        PUBLIC = "public", pgettext_lazy("file", "Everybody")

    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="files")
    visibility = models.CharField(
        _("who may open it"),
        max_length=10,
        choices=Visibility.choices,
        default=Visibility.ACCEPTED,
    )
    # Taken off by its owner: it stands no more, and neither does its content.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = RequirementFileQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    @classmethod
    def with_content(cls) -> RequirementFileQuerySet:
        return cls.objects.standing()
