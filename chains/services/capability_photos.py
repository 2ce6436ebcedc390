"""Photos of what an enterprise offers; seen by whoever sees the capability."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from chains import audit, changes, permissions, pictures, searchtext
from chains.errors import DomainError
from chains.models import Capability, CapabilityPhoto, Enterprise, User
from chains.services import enterprises

# Of one enterprise, drafts among them: those are free, and disks are not.
MOST_BYTES = 200 * 1024 * 1024


def add(
    *, capability: Capability, upload: UploadedFile[Any], caption: str, by: User
) -> CapabilityPhoto:
    """Keep a photo, drawn anew, with the words for those who do not see it."""
    _check_right(capability, by)
    caption = " ".join(caption.split())
    if not caption:
        raise DomainError(_("Say what the photo shows."), code="photo.caption")
    # Before anything is locked: unpacking takes its time.
    picture = pictures.drawn_anew(cast("IO[bytes]", upload))
    return _keep(capability, picture, caption[:120], by)


@transaction.atomic
def _keep(
    capability: Capability, picture: pictures.Picture, caption: str, by: User
) -> CapabilityPhoto:
    # Of two uploads at the same moment the second counts the first.
    enterprise = Enterprise.objects.locked(capability.enterprise_id)
    # It may have been merged, or a draft deleted, while the picture was drawn.
    if not Capability.objects.filter(pk=capability.pk, enterprise=enterprise).exists():
        raise DomainError(_("This capability is gone."), code="photo.gone")
    if capability.photos.count() >= CapabilityPhoto.MOST:
        raise DomainError(
            _("A capability shows %(most)d photos at most. Take one off first.")
            % {"most": CapabilityPhoto.MOST},
            code="photo.too_many",
        )
    kept = CapabilityPhoto.objects.filter(capability__enterprise=enterprise).aggregate(
        size=Sum("size")
    )["size"]
    if (kept or 0) + len(picture.content) > MOST_BYTES:
        raise DomainError(
            _("The photos of your enterprise come to %(most)d MB. Take some off first.")
            % {"most": MOST_BYTES // (1024 * 1024)},
            code="photo.no_room",
        )
    row = CapabilityPhoto(
        capability=capability,
        caption=caption,
        language=searchtext.language_of(caption),
        width=picture.width,
        height=picture.height,
        # The sender's own name for it may say where and when.
        original_name=f"photo.{'jpg' if picture.kind == 'jpeg' else picture.kind}",
        content_type=picture.content_type,
    )
    enterprises.keep_content(row=row, content=picture.content, ending=picture.kind, by=by)
    _record(row, "stored", by, size=row.size)
    return row


@transaction.atomic
def remove(*, photo: CapabilityPhoto, by: User) -> None:
    row = CapabilityPhoto.objects.select_for_update(of=("self",)).filter(pk=photo.pk).first()
    if row is None:
        raise DomainError(_("This photo has been taken off."), code="photo.gone")
    _check_right(row.capability, by)
    _record(row, "removed", by)
    row.forget_content()
    row.delete()


def _check_right(capability: Capability, by: User) -> None:
    if not permissions.can_edit(by, capability.enterprise):
        raise DomainError(
            _("Only the owner and the editors of the enterprise can do this."),
            code="capability.forbidden",
        )


def _record(row: CapabilityPhoto, verb: str, by: User, **data: int) -> None:
    audit.record(by, f"photo.{verb}", row, capability=row.capability.public_id, **data)
    changes.record("photo", row, verb)
