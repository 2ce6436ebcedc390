"""Drawings and data sheets of a requirement, open to suppliers as its owner says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from chains import audit, changes, permissions
from chains.errors import DomainError
from chains.models import Enterprise, Requirement, RequirementFile, User
from chains.services import enterprises, requirements

# Of one enterprise, over all that is not closed: drafts are free, and disks are not.
MOST_BYTES = 500 * 1024 * 1024
KINDS = {**enterprises.CONTENT_TYPES, **enterprises.DRAWINGS}


@transaction.atomic
def attach(
    *, requirement: Requirement, upload: UploadedFile[Any], visibility: str, by: User
) -> RequirementFile:
    """A PDF, a picture, a drawing or a workbook, by its content. Put to what is published it is an amendment: the desk looks at it afterwards."""
    # Of two uploads at the same moment the second counts the first.
    Enterprise.objects.locked(requirement.enterprise_id)
    requirement = _to_change(requirement, by)
    if visibility not in RequirementFile.Visibility.values:
        raise DomainError(_("Choose who may open it."), code="attachment.visibility")
    _check_room(requirement, upload)
    if requirement.files.standing().count() >= RequirementFile.MOST:
        raise DomainError(
            _("A requirement carries %(most)d files at most. Take one off first.")
            % {"most": RequirementFile.MOST},
            code="attachment.too_many",
        )
    row = RequirementFile(requirement=requirement, visibility=visibility)
    enterprises.keep_file(row=row, upload=upload, by=by, kinds=KINDS)
    _record(row, "stored", by, visibility=visibility, size=row.size)
    _amended(requirement)
    return row


@transaction.atomic
def open_to(*, attachment: RequirementFile, visibility: str, by: User) -> RequirementFile:
    """Say anew who may open it; who has opened it meanwhile has it."""
    requirement = _to_change(attachment.requirement, by)
    row = _standing(requirement, attachment)
    if visibility not in RequirementFile.Visibility.values:
        raise DomainError(_("Choose who may open it."), code="attachment.visibility")
    if row.visibility == visibility:
        return row
    row.visibility = visibility
    row.save(update_fields=["visibility", "updated_at"])
    _record(row, "shown", by, visibility=visibility)
    _amended(requirement)
    return row


@transaction.atomic
def detach(*, attachment: RequirementFile, by: User) -> RequirementFile:
    """Take it off: its content goes, that there was one stays."""
    row = _standing(_to_change(attachment.requirement, by), attachment)
    row.removed_at = timezone.now()
    row.save(update_fields=["removed_at", "updated_at"])
    _record(row, "removed", by)
    row.forget_content()
    return row


@transaction.atomic
def note_look(
    *, attachment: RequirementFile, by: User, may: Callable[[User, RequirementFile], bool]
) -> RequirementFile:
    """Somebody of another house opens it: written down. Whose interest was accepted is known above."""
    if not may(by, attachment):
        raise DomainError(_("This file is not open to you."), code="attachment.forbidden")
    _record(attachment, "opened", by)
    return attachment


@transaction.atomic
def copy(*, requirement: Requirement, draft: Requirement, by: User) -> int:
    """The files go along to a copy, each as one of its own; those for which there is no room stay behind. How many came."""
    Enterprise.objects.locked(draft.enterprise_id)
    requirements.check_poster(by, requirement.enterprise)
    requirements.check_poster(by, draft.enterprise)
    came = 0
    for former in requirement.files.standing():
        if _kept(draft) + former.size > MOST_BYTES:
            break
        try:
            with former.file.open("rb") as stored:
                content = stored.read()
        except FileNotFoundError:
            continue
        row = RequirementFile(
            requirement=draft,
            visibility=former.visibility,
            original_name=former.original_name,
            content_type=former.content_type,
        )
        ending = (former.file.name or "").rpartition(".")[2]
        enterprises.keep_content(row=row, content=content, ending=ending, by=by)
        _record(row, "stored", by, visibility=row.visibility, size=row.size)
        came += 1
    return came


def may_change(*, requirement: Requirement, by: User) -> bool:
    return permissions.can_post_for(by, requirement.enterprise) and _is_at_hand(requirement)


def _is_at_hand(requirement: Requirement) -> bool:
    """Neither with the desk nor closed."""
    return requirement.status not in (Requirement.Status.CLOSED, Requirement.Status.SUBMITTED)


def _to_change(requirement: Requirement, by: User) -> Requirement:
    requirement = requirements.locked(requirement)
    requirements.check_poster(by, requirement.enterprise)
    if not _is_at_hand(requirement):
        raise DomainError(
            _("Its files cannot be changed while it lies with the desk or is closed."),
            code="requirement.state",
        )
    return requirement


def _kept(requirement: Requirement) -> int:
    """Bytes of its enterprise in all that is not closed."""
    found = (
        RequirementFile.objects.standing()
        .filter(requirement__enterprise=requirement.enterprise_id)
        .exclude(requirement__status=Requirement.Status.CLOSED)
        .aggregate(size=Sum("size"))
    )
    return found["size"] or 0


def _check_room(requirement: Requirement, upload: UploadedFile[Any]) -> None:
    if _kept(requirement) + (upload.size or 0) > MOST_BYTES:
        raise DomainError(
            _("The files of your open requirements come to %(most)d MB. Take some off first.")
            % {"most": MOST_BYTES // (1024 * 1024)},
            code="attachment.no_room",
        )


def _standing(requirement: Requirement, attachment: RequirementFile) -> RequirementFile:
    row = requirement.files.standing().filter(pk=attachment.pk).first()
    if row is None:
        raise DomainError(_("This file has been taken off."), code="attachment.gone")
    return row


def _amended(requirement: Requirement) -> None:
    if requirement.is_accepted:
        requirement.amended_at = timezone.now()
        requirement.save(update_fields=["amended_at", "updated_at"])


def _record(row: RequirementFile, verb: str, by: User, **data: int | str) -> None:
    audit.record(by, f"attachment.{verb}", row, requirement=row.requirement.public_id, **data)
    changes.record("attachment", row, verb)
