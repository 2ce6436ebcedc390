from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from chains.models.base import Reference


class Chain(Reference):
    class Kind(models.TextChoices):
        ICONIC = "iconic", _("iconic chain")
        NEW_ENERGY = "new_energy", _("new energy")
        GENERAL = "general", _("general")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    # Null = shared by all; else the chain of that province alone (row 7).
    province = models.ForeignKey("chains.Region", models.PROTECT, null=True, blank=True)
    summary_zh = models.TextField(blank=True)
    summary_en = models.TextField(blank=True)

    class Meta(Reference.Meta):
        pass


class Segment(Reference):
    class Position(models.TextChoices):
        UPSTREAM = "upstream", _("upstream")
        MIDSTREAM = "midstream", _("midstream")
        DOWNSTREAM = "downstream", _("downstream")
        SUPPORTING = "supporting", _("supporting")

    chain = models.ForeignKey(Chain, models.PROTECT, related_name="segments")
    position = models.CharField(max_length=12, choices=Position.choices)
    feeds: models.ManyToManyField[Segment, SegmentLink] = models.ManyToManyField(
        "self", through="SegmentLink", symmetrical=False, related_name="fed_by"
    )

    class Meta(Reference.Meta):
        pass


class SegmentLink(models.Model):
    """`source` feeds `target`; a link may cross chains."""

    source = models.ForeignKey(Segment, models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Segment, models.CASCADE, related_name="links_in")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target"], name="segment_link_once"),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="segment_link_joins_two_segments"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"


class Category(Reference):
    """A product or service in a tree of three levels; a leaf stands in exactly one segment."""

    LEAF = 3

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    level = models.PositiveSmallIntegerField()
    chain = models.ForeignKey(Chain, models.PROTECT, related_name="categories")
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="categories"
    )
    synonyms_zh = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    synonyms_en = ArrayField(models.CharField(max_length=160), default=list, blank=True)
    description_zh = models.TextField(blank=True)
    description_en = models.TextField(blank=True)
    # Pointers into GB/T 4754 and HS, given only where the author was sure.
    standards = ArrayField(models.CharField(max_length=60), default=list, blank=True)

    class Meta(Reference.Meta):
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(
                condition=Q(level__in=[1, 2, 3]), name="category_level_is_1_to_3"
            ),
            models.CheckConstraint(
                condition=Q(level=3, segment__isnull=False) | Q(level__lt=3, segment__isnull=True),
                name="category_leaf_has_one_segment",
                violation_error_message=_(
                    "A category of the third level stands in exactly one segment; the levels above have none."
                ),
            ),
            models.CheckConstraint(
                condition=Q(level=1, parent__isnull=True) | Q(level__gt=1, parent__isnull=False),
                name="category_below_the_top_has_a_parent",
                violation_error_message=_("Choose the category above this one."),
            ),
        ]


class Unit(Reference):
    """A unit of measure; only units of one dimension are ever compared."""

    dimension = models.CharField(max_length=20)
    factor = models.FloatField(default=1)  # to the first unit of its dimension
    synonyms_zh = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    synonyms_en = ArrayField(models.CharField(max_length=40), default=list, blank=True)

    class Meta(Reference.Meta):
        pass


class ParticipantKind(Reference):
    """What sort of body takes part. Only some count as enterprises (row 16)."""

    counts_as_enterprise = models.BooleanField(default=False)
    note_zh = models.CharField(max_length=200, blank=True)
    note_en = models.CharField(max_length=200, blank=True)

    class Meta(Reference.Meta):
        pass


class DockingDirection(Reference):
    class Meta(Reference.Meta):
        pass


class DockingKind(Reference):
    """The kind of docking; its direction is read from here and stored nowhere else (row 9)."""

    class Family(models.TextChoices):
        PRODUCTION_SALES = "production_sales", _("production and sales")
        TALENT = "talent", _("talent")
        FINANCE = "finance", _("industry and finance")
        LANDING = "landing", _("project landing")
        INNOVATION = "innovation", _("innovation")

    # What is asked for and offered there is people, money or a site.
    BEYOND_GOODS = (Family.TALENT, Family.FINANCE, Family.LANDING)

    direction = models.ForeignKey(
        DockingDirection, models.PROTECT, to_field="code", related_name="kinds"
    )
    family = models.CharField(max_length=20, choices=Family.choices)
    # Participant kinds that may be scored against a requirement of this kind (row 10).
    counterparts = ArrayField(models.CharField(max_length=40), default=list)
    description_zh = models.CharField(max_length=200, blank=True)
    description_en = models.CharField(max_length=200, blank=True)

    class Meta(Reference.Meta):
        pass


class CooperationKind(Reference):
    class Group(models.TextChoices):
        TRADE = "trade", _("trade")
        INNOVATION = "innovation", _("innovation")
        CAPITAL = "capital", _("capital")
        PROJECT = "project", _("project")
        TALENT = "talent", _("talent")

    group = models.CharField(max_length=12, choices=Group.choices)
    amount_meaning_zh = models.CharField(max_length=60, blank=True)
    amount_meaning_en = models.CharField(max_length=80, blank=True)

    class Meta(Reference.Meta):
        pass


class QualificationKind(Reference):
    """A title an authority grants, such as little giant; `counted_as` names the unions it counts in."""

    group = models.CharField(max_length=20)
    counted_as = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    issuer_zh = models.CharField(max_length=120, blank=True)
    issuer_en = models.CharField(max_length=160, blank=True)
    synonyms_zh = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    synonyms_en = ArrayField(models.CharField(max_length=120), default=list, blank=True)

    class Meta(Reference.Meta):
        pass


class CertificationKind(Reference):
    group = models.CharField(max_length=20)
    scope_zh = models.CharField(max_length=120, blank=True)
    scope_en = models.CharField(max_length=160, blank=True)
    synonyms_zh = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    synonyms_en = ArrayField(models.CharField(max_length=120), default=list, blank=True)

    class Meta(Reference.Meta):
        pass
