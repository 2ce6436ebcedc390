"""Files that become rows of the register: uploaded, their columns confirmed, read by a worker piece by piece."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, notifications, permissions
from chains.doorbell import ring
from chains.errors import DomainError
from chains.models import Enterprise, Import, ImportRow, User
from chains.services.import_capabilities import Capabilities
from chains.services.import_enterprises import Enterprises
from chains.services.import_rows import ReadRow
from chains.spreadsheets import MAX_BYTES, Layout, Proposal

Status = Import.Status
TASK = "chains.tasks.read_import"
# A message that never came to an end is given up after so many workers.
ATTEMPTS = 6
# Rows that could not be kept are there to be put right for so long.
KEPT_DAYS = 14

# --- The file on its way ------------------------------------------------------------------------------


@transaction.atomic
def upload(
    *,
    kind: str,
    enterprise: Enterprise,
    file_name: str,
    content: bytes,
    proposal: Proposal,
    by: User,
    key: str = "",
) -> Import:
    """Keep a file that could be read, with what its columns are taken for. Sent again under the same `key` it is the
    one that was kept."""
    _check_right(kind, enterprise, by)
    if len(content) > MAX_BYTES:
        raise DomainError(_("The file is too large. Split it."), code="file.too_big")
    sha256 = hashlib.sha256(content).hexdigest()
    if key:
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
        sent = Import.objects.filter(asked_by=by, key=key).defer("content").first()
        if sent is not None:
            if (sent.kind, sent.enterprise_id, sent.sha256) == (kind, enterprise.pk, sha256):
                return sent
            raise DomainError(
                _("Something else was sent under this key. Use a new key for new rows."),
                code="import.key_taken",
            )
    job = Import.objects.create(
        kind=kind,
        enterprise=enterprise,
        asked_by=by,
        file_name=" ".join(file_name.split())[:200],
        content=content,
        layout=_layout_data(proposal.layout, {}, {}),
        rows_total=proposal.row_count,
        key=key,
        sha256=sha256,
    )
    audit.record(by, "import.uploaded", job, kind=kind, size=len(content))
    changes.record("import", job, "uploaded")
    return job


def _check_right(kind: str, enterprise: Enterprise, by: User) -> None:
    if kind == Import.Kind.CAPABILITIES:
        allowed = permissions.can_edit(by, enterprise)
    elif kind == Import.Kind.LINES:
        allowed = permissions.can_post_for(by, enterprise)
    else:
        allowed = any(role.body_id == enterprise.pk for role in by.organiser_roles)
    if not allowed:
        raise DomainError(
            _("Lists of enterprises are imported by organisers, capabilities by their enterprise."),
            code="import.forbidden",
        )


def _layout_data(layout: Layout, heads: dict[int, str], chosen: dict[str, str]) -> dict[str, Any]:
    return {
        "heads": {str(place): title for place, title in heads.items()},
        "sheet": layout.sheet,
        "first": layout.first,
        "depth": layout.depth,
        "fields": {str(place): name for place, name in layout.fields.items()},
        "chosen": chosen,
    }


@transaction.atomic
def start(
    *, job: Import, layout: Layout, heads: dict[int, str], chosen: dict[str, str], by: User
) -> Import:
    """Have the file read with these columns. `heads` is what the file calls them, `chosen` (folded title → field) is
    remembered for the next one."""
    job = _locked(job, by)
    if job.status != Status.UPLOADED:
        return job  # pressed twice
    job.layout = _layout_data(layout, heads, chosen)
    job.status = Status.QUEUED
    job.save(update_fields=["layout", "status", "updated_at"])
    audit.record(by, "import.asked_to_be_read", job, fields=sorted(set(layout.fields.values())))
    changes.record("import", job, "queued")
    ring(TASK, job.pk)
    return job


@transaction.atomic
def settle(
    *, job: Import, layout: Layout, heads: dict[int, str], chosen: dict[str, str], by: User
) -> Import:
    """The file was read at once, where the person looked at its columns; what was chosen is remembered."""
    job = _locked(job, by)
    if not job.has_ended:
        job.layout = _layout_data(layout, heads, chosen)
        job.save(update_fields=["layout"])
        _end(job, Status.DONE, by)
    return job


def layout_of(job: Import) -> Layout:
    data = job.layout
    fields = {int(place): name for place, name in data["fields"].items()}
    return Layout(data["sheet"], data["first"], data["depth"], fields)


def remembered(kind: str, enterprise: Enterprise) -> dict[str, str]:
    """What this body has chosen for columns of such files before; the last word holds."""
    before = Import.objects.filter(kind=kind, enterprise=enterprise)
    chosen: dict[str, str] = {}
    for layout in before.order_by("-pk").values_list("layout", flat=True)[:20]:
        chosen = {**layout.get("chosen", {}), **chosen}
    return chosen


@transaction.atomic
def pause(*, job: Import, by: User | None = None) -> None:
    """Let other work go first: the next worker goes on where this one stopped."""
    Import.objects.filter(pk=job.pk, status=Status.RUNNING).update(lease_until=None)
    audit.record(by, "import.paused", job, rows=job.rows_done)
    changes.record("import", job, "paused")
    ring(TASK, job.pk)


@transaction.atomic
def discard(*, job: Import, by: User) -> Import:
    """Drop the file before it is read; what has been kept of one that is being read stays."""
    job = _locked(job, by)
    if job.has_ended:
        return job
    _end(job, Status.DISCARDED, by)
    return job


def _locked(job: Import, by: User) -> Import:
    job = (
        Import.objects.select_for_update(of=("self",))
        .defer("content")
        .select_related("enterprise", "asked_by")
        .get(pk=job.pk)
    )
    if job.asked_by_id != by.pk:
        raise DomainError(_("Somebody else has uploaded this file."), code="import.forbidden")
    _check_right(job.kind, job.enterprise, by)
    return job


def _end(job: Import, status: str, by: User | None, error: str = "") -> None:
    job.status, job.error = status, error[:300]
    job.content, job.lease_until, job.finished_at = b"", None, timezone.now()
    job.save(
        update_fields=["status", "error", "content", "lease_until", "finished_at", "updated_at"]
    )
    audit.record(
        by,
        f"import.{'given_up_as_failed' if status == Status.FAILED else status}",
        job,
        created=job.created_count,
        changed=job.changed_count,
        same=job.same_count,
        bad=job.bad_count,
    )
    changes.record("import", job, status)


@transaction.atomic
def finish(*, job: Import, by: User | None = None) -> None:
    """The last row has been read."""
    _end(job, Status.DONE, by)
    if job.rows_total > SMALL:
        _tell(job)


# A file that is read while the person waits needs no letter.
SMALL = 300


@transaction.atomic
def fail(*, job: Import, error: str, by: User | None = None) -> None:
    """The file as a whole cannot be read any further; what was kept stays, and is found again the next time."""
    _end(job, Status.FAILED, by, error)
    _tell(job)


def _tell(job: Import) -> None:
    context: dict[str, Any] = {"import": job.public_id}
    notifications.post(job.asked_by, "import_done", **context)


def sweep() -> list[int]:
    """Those that wait for a worker although their ring or worker was lost; gives up what has cost too many."""
    waiting = list(
        Import.objects.waiting().defer("content").select_related("asked_by", "enterprise")
    )
    for job in waiting:
        if job.attempts >= ATTEMPTS:
            fail(job=job, error=_("Reading broke off several times. Split the file."))
    old = timezone.now() - datetime.timedelta(days=KEPT_DAYS)
    ImportRow.objects.filter(job__finished_at__lt=old).delete()
    abandoned = Import.objects.filter(status=Status.UPLOADED, created_at__lt=old).defer("content")
    for job in abandoned.select_related("asked_by", "enterprise")[:50]:
        with transaction.atomic():
            _end(job, Status.DISCARDED, None)
    return [job.pk for job in waiting if not job.has_ended]


# --- A piece of it ------------------------------------------------------------------------------------


def keep(
    *, job: Import, rows: Sequence[ReadRow], total: int, lease: datetime.timedelta, by: User
) -> None:
    """Keep the next rows, all in one transaction with how far the file has come: a worker that is killed leaves no row
    half written and repeats none."""
    come_to = job.rows_done
    for last in (False, True):
        try:
            with transaction.atomic():
                _keep(job, rows, total, lease, by, come_to)
        except IntegrityError:
            # Somebody registered one of these numbers in this moment: now it is found.
            if last:
                raise
        else:
            return


def _keep(
    job: Import,
    rows: Sequence[ReadRow],
    total: int,
    lease: datetime.timedelta,
    by: User,
    come_to: int,
) -> None:
    stored = Import.objects.select_for_update().defer("content").get(pk=job.pk)
    if stored.has_ended:
        raise DomainError(_("The import has been discarded meanwhile."), code="import.ended")
    if stored.rows_done != come_to:
        # This worker was held up past its lease: whoever took over counts on from here.
        raise DomainError(_("Another worker goes on with this import."), code="import.ended")
    _check_right(job.kind, job.enterprise, by)
    good = [row for row in rows if row.draft is not None]
    keeper = Enterprises(job, by) if job.kind == Import.Kind.ENTERPRISES else Capabilities(job, by)
    done = keeper.keep(good)
    ImportRow.objects.bulk_create(
        ImportRow(
            job=job,
            number=row.number,
            is_kept=row.draft is not None,
            cells=row.cells if row.draft is None else {},
            notes=row.notes,
        )
        for row in rows
        if row.notes
    )
    job.rows_total = total
    job.rows_done = stored.rows_done + len(rows)
    job.created_count = stored.created_count + done.created
    job.changed_count = stored.changed_count + done.changed
    job.same_count = stored.same_count + done.same
    job.bad_count = stored.bad_count + len(rows) - len(good)
    job.lease_until, job.attempts = timezone.now() + lease, 0
    job.save(
        update_fields=[
            "rows_total", "rows_done", "created_count", "changed_count", "same_count", "bad_count",
            "lease_until", "attempts", "updated_at",
        ]
    )  # fmt: skip
