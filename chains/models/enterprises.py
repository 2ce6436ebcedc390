from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chains.models.base import Language, SignsOf, TimeStamped
from chains.models.people import scope_of
from chains.models.regions import Province, Region, lies_within

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models.people import User


class EnterpriseGroup(TimeStamped):
    """Affiliates: never matched with each other (row 27), counted once in gaps."""

    name = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.name


class EnterpriseQuerySet(models.QuerySet["Enterprise"]):
    def verified(self) -> Self:
        return self.filter(status=Enterprise.Status.VERIFIED)

    def counted(self) -> Self:
        """Those that count as enterprises; a bank or a university does not (row 16)."""
        return self.filter(kind__counts_as_enterprise=True)

    def pending(self) -> Self:
        return self.filter(status=Enterprise.Status.PENDING)

    def locked(self, pk: int) -> Enterprise:
        """The row to the end of the transaction: of two at the same moment the second sees what the first has done."""
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)

    def own(self, user: User | AnonymousUser) -> Self:
        return self.filter(pk__in=getattr(user, "enterprise_ids", ()))

    def in_scope_of(self, user: User | AnonymousUser) -> Self:
        """Those in the region of the user's organiser or analyst roles; all for the administrator."""
        if getattr(user, "is_administrator", False):
            return self
        return self.filter(lies_within("region", scope_of(user)))

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Verified ones for everyone; own ones and those of one's desk whatever their state."""
        if getattr(user, "is_administrator", False):
            return self
        own = Q(pk__in=getattr(user, "enterprise_ids", ()))
        desk = lies_within("region", scope_of(user))
        return self.filter(Q(status=Enterprise.Status.VERIFIED) | own | desk)

    def within(self, region: Region) -> Self:
        return self.filter(lies_within("region", [region]))

    def outside_served_provinces(self) -> Self:
        """From a province that is no tenant here, or from abroad."""
        served = Province.objects.values("region")
        return self.filter(Q(province=None) | ~Q(province__in=served))

    def with_qualification(self, codes: list[str], on: datetime.date | None = None) -> Self:
        held = Qualification.objects.in_force(on).filter(
            enterprise=OuterRef("pk"), kind__code__in=codes
        )
        return self.filter(Exists(held))


class Enterprise(TimeStamped):
    """Any body on the register (参会单位): an enterprise, a university, a bank, an authority."""

    class Scheme(models.TextChoices):
        USCC = "uscc", _("Unified social credit code")
        FOREIGN = "foreign", _("Register number abroad")
        OTHER = "other", _("No number")

    class Status(models.TextChoices):
        UNCLAIMED = "unclaimed", _("Known, not a member")
        PENDING = "pending", _("Waits for its desk")
        VERIFIED = "verified", _("Verified")
        RETURNED = "returned", _("Returned")
        SUSPENDED = "suspended", _("Suspended")
        MERGED = "merged", _("Merged")

    kind = models.ForeignKey(
        "chains.ParticipantKind",
        models.PROTECT,
        to_field="code",
        default="enterprise",
        verbose_name=_("kind"),
    )
    scheme = models.CharField(max_length=8, choices=Scheme.choices, default=Scheme.USCC)
    country = models.CharField(max_length=2, default="CN")  # ISO 3166-1 alpha-2
    number = models.CharField(max_length=40, null=True, blank=True)
    # As written by the member when the check character did not fit and they confirmed it.
    number_confirmed = models.BooleanField(default=False)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    region = models.ForeignKey(
        "chains.Region", models.PROTECT, null=True, blank=True, related_name="enterprises"
    )
    # Derived from the region and stored: the tenant this row belongs to.
    province = models.ForeignKey(
        "chains.Region", models.PROTECT, null=True, blank=True, related_name="+"
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    summary = models.TextField(_("summary"), blank=True, max_length=2000)
    summary_language = models.CharField(max_length=2, choices=Language.choices, default=Language.ZH)
    website = models.URLField(_("website"), blank=True)
    group = models.ForeignKey(
        EnterpriseGroup, models.PROTECT, null=True, blank=True, related_name="members"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UNCLAIMED)
    submitted_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.TextField(blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="absorbed"
    )
    # chains.searchtext.document() of names, aliases, pinyin, summary; pinyin sort key of the name.
    search_text = models.TextField(default="", blank=True, editable=False)
    sort_key = models.CharField(max_length=400, default="", blank=True, editable=False)

    objects = EnterpriseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "scheme",
                "country",
                Upper("number"),
                condition=Q(number__isnull=False) & ~Q(status="merged"),
                name="enterprise_number_once",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=False)
                | Q(scheme="other")
                | Q(status__in=["unclaimed", "merged"]),
                name="enterprise_without_number_is_unclaimed_or_has_none",
            ),
            models.CheckConstraint(
                condition=Q(region__isnull=False)
                | ~Q(country="CN")
                | Q(status__in=["unclaimed", "merged"]),
                name="enterprise_in_china_has_a_region",
            ),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True)),
                name="enterprise_merged_names_its_survivor",
            ),
            models.CheckConstraint(
                condition=~Q(status="verified") | Q(verified_at__isnull=False),
                name="enterprise_verified_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "sort_key"], name="enterprise_status_sort"),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="enterprise_search"),
            GinIndex(SignsOf(F("search_text")), name="enterprise_signs"),
        ]
        # Matches name it without a constraint.
        triggers = [pgtrigger.Protect(name="stays", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    @property
    def is_verified(self) -> bool:
        return self.status == self.Status.VERIFIED

    @property
    def is_suspended(self) -> bool:
        return self.status == self.Status.SUSPENDED

    @property
    def affiliates(self) -> EnterpriseQuerySet:
        """The others of its group; a row that was merged is none of its own any more."""
        if self.group_id is None:
            return Enterprise.objects.none()
        others = Enterprise.objects.filter(group=self.group_id).exclude(pk=self.pk)
        return others.exclude(status=self.Status.MERGED).order_by("sort_key", "pk")


class GroupProposal(TimeStamped):
    """An enterprise says that another is of its group; it is so once an owner of the other one has said so too."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", pgettext_lazy("group", "Proposed")
        ACCEPTED = "accepted", pgettext_lazy("group", "Confirmed")
        DECLINED = "declined", pgettext_lazy("group", "Declined")
        WITHDRAWN = "withdrawn", pgettext_lazy("group", "Withdrawn")

    proposer = models.ForeignKey(Enterprise, models.PROTECT, related_name="group_proposals_sent")
    partner = models.ForeignKey(Enterprise, models.PROTECT, related_name="group_proposals_received")
    # Of the group to be founded; empty where the proposer is in one.
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["proposer", "partner"],
                condition=Q(status="proposed"),
                name="group_proposal_once_while_open",
            ),
            models.CheckConstraint(
                condition=~Q(proposer=models.F("partner")), name="group_proposal_joins_two_bodies"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class EnterpriseAlias(models.Model):
    class Kind(models.TextChoices):
        ZH = "zh", _("Chinese")
        EN = "en", _("English")
        PINYIN = "pinyin", _("pinyin")
        FORMER = "former", _("former name")
        OTHER = "other", _("other")

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, related_name="aliases")
    text = models.CharField(max_length=200)
    normalised = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "normalised"], name="enterprise_alias_once"
            )
        ]
        indexes = [models.Index(fields=["normalised"], name="enterprise_alias_normalised")]

    def __str__(self) -> str:
        return self.text


class StoredFile(TimeStamped):
    """A file somebody sent, outside the web root, with what was found out about it."""

    file = models.FileField(upload_to="evidence/%Y/%m/")
    original_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)  # found by content, never as claimed
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.public_id

    @classmethod
    def with_content(cls) -> models.QuerySet[Any]:
        """Rows whose content is still to be there."""
        return cls._default_manager.all()

    def forget_content(self) -> None:
        """Its file goes once the transaction has committed; what a crash leaves behind is swept at night."""
        storage, name = self.file.storage, self.file.name or ""
        transaction.on_commit(lambda: storage.delete(name), robust=True)


class Evidence(StoredFile):
    """A file that proves something to a desk: a licence, a title, a certificate."""

    class Purpose(models.TextChoices):
        LICENCE = "licence", _("Licence")
        QUALIFICATION = "qualification", _("Qualification")
        CERTIFICATION = "certification", _("Certificate")
        # What a registration form asked for: for those who organise the event, for no desk.
        REGISTRATION = "registration", _("Answer to a registration form")

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="evidence")
    purpose = models.CharField(max_length=14, choices=Purpose.choices)


_Proof_co = TypeVar("_Proof_co", bound="Proof", covariant=True)


class ProofQuerySet(models.QuerySet[_Proof_co]):
    def in_force(self, on: datetime.date | None = None) -> Self:
        """Verified and valid on the day, though revoked since; what is merely claimed or had ended is not."""
        day = on or timezone.localdate()
        return self.filter(
            Q(valid_from__lte=day),
            Q(valid_until_on=None) | Q(valid_until_on__gte=day),
            Q(status=Proof.Status.VERIFIED) | Q(revoked_on__gt=day),
        )

    def claimed(self) -> Self:
        return self.filter(status=Proof.Status.CLAIMED)


class Proof(TimeStamped):
    """What qualifications and certifications share: a claim that a desk verifies, with a term."""

    class Status(models.TextChoices):
        CLAIMED = "claimed", _("Stated")
        VERIFIED = "verified", _("Verified")
        REFUSED = "refused", _("Refused")
        REVOKED = "revoked", _("Revoked")

    issuer = models.CharField(_("issuer"), max_length=200, blank=True)
    evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField(_("valid from"))
    valid_until_on = models.DateField(_("valid until"), null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CLAIMED)
    reason = models.CharField(max_length=300, blank=True)
    # From this day on it is held no more; it was held before.
    revoked_on = models.DateField(null=True, blank=True)
    # When the enterprise was told last that it ends soon; empty again when its term changes.
    reminded_at = models.DateTimeField(null=True, blank=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_in_force(self) -> bool:
        day = timezone.localdate()
        return (
            self.status == self.Status.VERIFIED
            and self.valid_from <= day
            and (self.valid_until_on is None or self.valid_until_on >= day)
        )


class Qualification(Proof):
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="qualifications")
    kind = models.ForeignKey("chains.QualificationKind", models.PROTECT)
    batch = models.CharField(_("batch"), max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "kind", "valid_from"],
                condition=~Q(status="refused"),
                name="qualification_once_unless_refused",
            ),
            models.CheckConstraint(
                condition=Q(valid_until_on=None) | Q(valid_until_on__gte=models.F("valid_from")),
                name="qualification_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(revoked_on=None) | Q(status="revoked"),
                name="qualification_with_a_day_of_revoking_is_revoked",
            ),
        ]


class Certification(Proof):
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="certifications")
    kind = models.ForeignKey("chains.CertificationKind", models.PROTECT)
    number = models.CharField(_("certificate number"), max_length=80, blank=True)
    scope = models.CharField(_("scope"), max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "kind", "number", "valid_from"],
                condition=~Q(status="refused"),
                name="certification_once_unless_refused",
            ),
            models.CheckConstraint(
                condition=Q(valid_until_on=None) | Q(valid_until_on__gte=models.F("valid_from")),
                name="certification_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(revoked_on=None) | Q(status="revoked"),
                name="certification_with_a_day_of_revoking_is_revoked",
            ),
        ]


class CapabilityQuerySet(models.QuerySet["Capability"]):
    def on_view(self) -> Self:
        """Published, by an enterprise that stands verified in the register."""
        return self.published().filter(enterprise__status=Enterprise.Status.VERIFIED)

    def published(self) -> Self:
        return self.filter(
            Q(valid_until_on=None) | Q(valid_until_on__gte=timezone.localdate()),
            status=Capability.Status.PUBLISHED,
        )

    def visible_to(self, user: User | AnonymousUser) -> Self:
        own = Q(enterprise__in=getattr(user, "enterprise_ids", ()))
        public = Q(status=Capability.Status.PUBLISHED, enterprise__status="verified")
        return self.filter(own | public)


class Capability(TimeStamped):
    """Something an enterprise can supply, in the words a buyer would use."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    MAX_CATEGORIES = 5

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="capabilities")
    title_zh = models.CharField(_("title in Chinese"), max_length=120, blank=True)
    title_en = models.CharField(_("title in English"), max_length=160, blank=True)
    text_zh = models.TextField(_("text in Chinese"), max_length=2000, blank=True)
    text_en = models.TextField(_("text in English"), max_length=3000, blank=True)
    categories = models.ManyToManyField("chains.Category", blank=True, related_name="capabilities")
    cooperation_kinds = models.ManyToManyField("chains.CooperationKind", blank=True)
    certifications = models.ManyToManyField(Certification, blank=True)
    # A year's worth; what was typed a month is multiplied when saved.
    yearly_capacity = models.DecimalField(
        _("capacity"), max_digits=18, decimal_places=3, null=True, blank=True
    )
    unit = models.ForeignKey("chains.Unit", models.PROTECT, null=True, blank=True)
    lead_time_days = models.PositiveSmallIntegerField(_("delivery, days"), null=True, blank=True)
    sample_days = models.PositiveSmallIntegerField(
        _("sample lead time, days"), null=True, blank=True
    )
    is_new = models.BooleanField(_("new product"), default=False)
    valid_until_on = models.DateField(_("valid until"), null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True)
    search_text = models.TextField(default="", db_default="", blank=True, editable=False)

    objects = CapabilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "capabilities"
        constraints = [
            models.CheckConstraint(
                condition=~(Q(title_zh="") & Q(title_en="")),
                name="capability_has_a_title",
                violation_error_message=_("Enter a title in Chinese or in English."),
            ),
            models.CheckConstraint(
                condition=Q(yearly_capacity=None) | Q(unit__isnull=False),
                name="capability_capacity_has_a_unit",
                violation_error_message=_("Choose the unit of the capacity."),
            ),
        ]
        indexes = [
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="capability_search"),
            GinIndex(SignsOf(F("search_text")), name="capability_signs"),
        ]
        # Scores name it without a constraint; nobody has scored a draft.
        triggers = [
            pgtrigger.Protect(
                name="only_drafts_go",
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__status="draft"),
            )
        ]

    def __str__(self) -> str:
        return self.title_zh or self.title_en


class CapabilityPhotoQuerySet(models.QuerySet["CapabilityPhoto"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of what is published by an enterprise on view, and all of one's own."""
        own = Q(capability__enterprise__in=getattr(user, "enterprise_ids", ()))
        public = Q(
            capability__in=Capability.objects.published(),
            capability__enterprise__in=Enterprise.objects.visible_to(user),
        )
        return self.filter(own | public)


class CapabilityPhoto(StoredFile):
    """What a product or a line looks like: written anew from what was sent, so that only the picture is in it."""

    MOST = 6

    capability = models.ForeignKey(Capability, models.CASCADE, related_name="photos")
    caption = models.CharField(_("what it shows"), max_length=120)
    language = models.CharField(max_length=2, choices=Language.choices)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    objects = CapabilityPhotoQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    @property
    def version(self) -> str:
        """Stands in its address: another content has another one."""
        return self.sha256[:16]


class CapabilityReference(models.Model):
    """What was supplied already, and for whom, in the owner's words."""

    MOST = 10

    capability = models.ForeignKey(Capability, models.CASCADE, related_name="references")
    order = models.PositiveSmallIntegerField()
    text = models.CharField(_("what was supplied"), max_length=200)
    customer = models.CharField(_("for whom"), max_length=120, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    place = models.CharField(_("where"), max_length=80, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices)

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(
                fields=["capability", "order"], name="capability_reference_order_once"
            ),
            models.CheckConstraint(
                condition=Q(order__gte=1, order__lte=10), name="capability_reference_at_most_ten"
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def in_words(self) -> str:
        """All its words in one line."""
        return " ".join(filter(None, [self.text, self.customer, self.place]))
