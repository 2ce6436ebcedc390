"""What everybody may read about an event before it: a programme, a plan of the hall, a call."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from chains import audit, changes
from chains.errors import DomainError
from chains.models import User
from chains.services import enterprises
from events.models import Event, EventDocument
from events.services import events

Status = Event.Status
MOST = 20


@transaction.atomic
def add(
    *, event: Event, title_zh: str, title_en: str, upload: UploadedFile[Any], by: User
) -> EventDocument:
    event = events.managed(event, by, Status.DRAFT, Status.PUBLISHED, Status.HELD)
    if event.documents.count() >= MOST:
        raise DomainError(
            _("An event has at most %(most)d documents. Remove one first.") % {"most": MOST},
            code="document.too_many",
        )
    row = EventDocument(event=event, title_zh=title_zh.strip(), title_en=title_en.strip())
    enterprises.keep_file(row=row, upload=upload, by=by)
    audit.record(by, "document.added", row, event=event.public_id, size=row.size)
    changes.record("event", event, "changed")
    return row


@transaction.atomic
def remove(*, document: EventDocument, by: User) -> None:
    event = events.managed(document.event, by, Status.DRAFT, Status.PUBLISHED, Status.HELD)
    audit.record(by, "document.removed", document, event=event.public_id)
    changes.record("event", event, "changed")
    storage, name = document.file.storage, document.file.name or ""
    document.delete()
    # The file goes with the row, never before it.
    transaction.on_commit(lambda: storage.delete(name), robust=True)
