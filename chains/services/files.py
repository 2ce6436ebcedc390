"""What people sent and what has to go again."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator

from django.apps import apps
from django.core.files.storage import Storage, default_storage
from django.utils import timezone

from chains.models import StoredFile

log = logging.getLogger(__name__)

FOLDER = "evidence"
# An upload that is still running has written its file and not yet its row.
_AGE = datetime.timedelta(days=1)
# More than these and a tenth of all is no leftover of a broken-off request.
MOST = 100


def sweep() -> int:
    """Delete files that no row names.

    A file goes after the row is gone, and is written before the row is there: a process killed between the two, or a
    disk that was full, leaves content nobody can reach, and erase, any more.
    """
    before = timezone.now() - _AGE
    named = {
        name
        for model in apps.get_models()
        if issubclass(model, StoredFile)
        for name in model.with_content().values_list("file", flat=True)
    }
    seen = list(_below(default_storage, FOLDER))
    left = [
        name
        for name in seen
        if name not in named and default_storage.get_modified_time(name) < before
    ]
    if len(left) > MOST and len(left) > len(seen) // 10:
        # A folder of another installation, or a database of another day: nothing a night may decide.
        log.error("%s of %s files are named by no row: none is deleted", len(left), len(seen))
        return 0
    for name in left:
        default_storage.delete(name)
    if left:
        log.info("Deleted %s files that no row named", len(left))
    return len(left)


def _below(storage: Storage, folder: str) -> Iterator[str]:
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _below(storage, f"{folder}/{name}")
