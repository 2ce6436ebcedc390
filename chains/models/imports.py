from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.base import TimeStamped

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models.people import User


# No worker takes anything for so long: the clock was put back since.
NO_LEASE = datetime.timedelta(hours=1)


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Whoever uploaded it: a file holds more than the register will."""
        return self.filter(asked_by=getattr(user, "pk", None))

    def waiting(self) -> Self:
        """Asked for, and no worker is at it: never begun, or its lease has run out."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=now + NO_LEASE)
        return self.filter(free, status__in=[Import.Status.QUEUED, Import.Status.RUNNING])

    def claim(self, pk: int, lease: datetime.timedelta) -> Import | None:
        """Take it for this worker; None when another one holds or has ended it."""
        taken = (
            self.waiting()
            .filter(pk=pk)
            .update(
                status=Import.Status.RUNNING,
                lease_until=timezone.now() + lease,
                attempts=F("attempts") + 1,
            )
        )
        rows = self.select_related("enterprise__region", "asked_by")
        return rows.get(pk=pk) if taken else None


class Import(TimeStamped):
    """A spreadsheet on its way into the register: its file until it is read, then what could not be kept of it."""

    class Kind(models.TextChoices):
        ENTERPRISES = "enterprises", _("Enterprises and suppliers")
        CAPABILITIES = "capabilities", _("Capabilities")
        LINES = "lines", _("Lines of a requirement")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("Columns to check")
        QUEUED = "queued", _("Waits for a worker")
        RUNNING = "running", _("Being read")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        DISCARDED = "discarded", _("Discarded")

    ENDED = (Status.DONE, Status.FAILED, Status.DISCARDED)

    kind = models.CharField(max_length=12, choices=Kind.choices)
    # In whose name: the enterprise whose capabilities these are, or the body the organiser works for.
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="imports")
    asked_by = models.ForeignKey("chains.User", models.PROTECT, related_name="imports")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UPLOADED)
    file_name = models.CharField(max_length=200)
    # Empty as soon as it has been read: names and telephones stand nowhere longer than they must.
    content = models.BinaryField(default=bytes)
    # Where the rows stand and what the columns become; `chosen` remembers it by the titles for the next file.
    layout: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    created_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    same_count = models.PositiveIntegerField(default=0)
    bad_count = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # By which a program that sends again, not knowing whether it was heard, finds what it has sent; and of what.
    key = models.CharField(max_length=64, blank=True, default="", db_default="")
    sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")

    objects = ImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "key"], condition=~Q(key=""), name="import_once_a_key"
            )
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["queued", "running"]),
                name="import_waiting",
            ),
            models.Index(fields=["enterprise", "kind", "-id"], name="import_of_enterprise"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def kept_count(self) -> int:
        return self.created_count + self.changed_count + self.same_count


class ImportRow(models.Model):
    """A row of an import that was not kept, or was kept and is worth a look. Goes some days after it has ended."""

    job = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # as the file counts
    is_kept = models.BooleanField(default=False)
    # Place of the column → what stood there; of those that are not kept, to give them back.
    cells: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    # [{"column": "C", "header": "数量", "sentence": "…"}] in the language of who uploaded it
    notes: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(
        default=list
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="import_row_number_once")
        ]

    def __str__(self) -> str:
        return str(self.number)
