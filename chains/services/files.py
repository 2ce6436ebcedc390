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
    swept = 0
    for name in _below(default_storage, FOLDER):
        if name not in named and default_storage.get_modified_time(name) < before:
            default_storage.delete(name)
            swept += 1
    if swept:
        log.info("Deleted %s files that no row named", swept)
    return swept


def _below(storage: Storage, folder: str) -> Iterator[str]:
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _below(storage, f"{folder}/{name}")
