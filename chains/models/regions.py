from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chains.models.base import Reference, ReferenceQuerySet, TimeStamped
from chains.models.colours import HEADER_TEXT, carries_text, contrast

COUNTRY = "000000"


def lies_within(field: str, regions: Iterable[Region]) -> Q:
    """The region that `field` names is one of these or lies below one; of none given, nothing does."""
    condition = Q(pk__in=())
    for region in regions:
        condition |= Q(**{f"{field}__path": region.path})
        condition |= Q(**{f"{field}__path__startswith": f"{region.path}/"})
    return condition


class RegionQuerySet(ReferenceQuerySet["Region"]):
    def within(self, region: Region) -> Self:
        """The region itself and all below it."""
        return self.filter(Q(pk=region.pk) | Q(path__startswith=f"{region.path}/"))

    def provinces(self) -> Self:
        return self.filter(level=Region.Level.PROVINCE)


class Region(Reference):
    """An administrative region of China by its official code (GB/T 2260), or a zone of ours."""

    class Level(models.TextChoices):
        COUNTRY = "country", _("country")
        PROVINCE = "province", _("province")
        PREFECTURE = "prefecture", _("prefecture")
        COUNTY = "county", _("county")
        ZONE = "zone", _("zone")

    level = models.CharField(max_length=12, choices=Level.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    # Codes from the country down, "000000/330000/330400/330421": a subtree is one index range.
    path = models.CharField(max_length=60, unique=True)
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    # What is typed to find it: both names, pinyin, initials, code; folded.
    search_text = models.TextField(default="", blank=True)

    objects = RegionQuerySet.as_manager()  # type: ignore[misc]  # the parent's manager, narrowed

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(fields=["path"], name="region_path", opclasses=["varchar_pattern_ops"])
        ]

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes from the country down to this region."""
        return tuple(self.path.split("/"))

    @property
    def province_code(self) -> str | None:
        return self.codes[1] if len(self.codes) > 1 else None

    def contains(self, other: Region) -> bool:
        return other.path == self.path or other.path.startswith(f"{self.path}/")


class Cluster(Reference):
    """An industrial cluster a place is known for: where, and of which chain."""

    region = models.ForeignKey(Region, models.PROTECT, related_name="clusters")
    chain = models.ForeignKey("chains.Chain", models.PROTECT, related_name="clusters")

    class Meta(Reference.Meta):
        pass


class RegionGroup(Reference):
    """Regions that act together across provinces, such as the Yangtze River Delta."""

    regions = models.ManyToManyField(Region, related_name="groups")

    class Meta(Reference.Meta):
        pass


class Province(TimeStamped):
    """The tenant: one province that is served here, with its name, promise and calendar."""

    region = models.OneToOneField(Region, models.PROTECT, related_name="served_as")
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    verification_days = models.PositiveSmallIntegerField(default=3)
    holidays = ArrayField(models.DateField(), default=list, blank=True)
    gap_public = models.BooleanField(default=False)
    # What the header of its pages carries: a small picture (PNG or JPEG, found by its content) and a colour.
    logo = models.BinaryField(null=True, blank=True)
    colour = models.CharField(
        max_length=7,
        blank=True,
        default="",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Write the colour as #0b5563."))],
    )

    class Meta:
        ordering = ["region__code"]

    def __str__(self) -> str:
        return f"{self.name_zh} · {self.name_en}"

    def clean(self) -> None:
        if re.fullmatch("#[0-9a-fA-F]{6}", self.colour) and not carries_text(self.colour):
            ratio = contrast(self.colour, HEADER_TEXT)
            raise ValidationError(
                {
                    "colour": _(
                        "White text cannot be read on this colour: the contrast is %(ratio)s to 1, and 4.5 to 1 is needed. Choose a darker one."
                    )
                    % {"ratio": f"{ratio:.1f}"}
                }
            )
