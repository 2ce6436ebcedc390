"""Built indexes on disk: mapped into memory, so all processes of a machine share them, and a new one need not build.

A folder for each content that cannot be compared with another (encoder, categories, database); in it a folder a
build. A build is complete the moment it has its name, and is read-only from then on.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

from django.conf import settings
from django.db import connection
from django.utils import timezone

from chains import changes
from matchmaking.engine import ENGINE_VERSION
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.taxonomy import Taxonomy
from matchmaking.engine.types import Encoder

logger = logging.getLogger(__name__)

# Another version of the program may still be reading its own while this one is rolled out.
_STRANGERS_STAY = 3600.0


@dataclass(frozen=True, slots=True)
class Build:
    """One kept index, and where the feed of changes has to be read on from."""

    folder: Path
    since: int
    day: datetime.date


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is kept of one content. Losing any of it costs time, never a result: trouble is logged and survived."""

    root: Path

    @classmethod
    def of(cls, *content: str) -> Self | None:
        """None where `MATCHING_INDEX` switches keeping off."""
        if settings.MATCHING_INDEX is None:
            return None
        whole = "\n".join((ENGINE_VERSION, _database(), *content))
        return cls(Path(settings.MATCHING_INDEX) / hashlib.sha256(whole.encode()).hexdigest()[:24])

    def newest(self, side: str) -> Build | None:
        for folder in sorted(self._builds(side), reverse=True):
            with suppress(OSError, ValueError, KeyError):
                told = json.loads((folder / "build.json").read_text("utf-8"))
                day = datetime.date.fromisoformat(told["day"])
                # What has changed since may be forgotten.
                if (timezone.localdate() - day).days >= settings.CHANGES_KEPT_DAYS - 1:
                    continue
                # After a restore to an earlier moment the feed's numbers begin again below.
                if told["since"] <= changes.oldest_running():
                    return Build(folder, told["since"], day)
        return None

    def load(self, build: Build, taxonomy: Taxonomy, encoder: Encoder) -> OfferIndex | None:
        try:
            return OfferIndex.load(build.folder, taxonomy, encoder)
        except (OSError, ValueError, KeyError, EOFError):
            logger.warning("The kept index in %s cannot be read; it is built anew.", build.folder)
            shutil.rmtree(build.folder, ignore_errors=True)
            return None

    def save(self, side: str, index: OfferIndex, since: int, day: datetime.date) -> None:
        """Writes a build beside the older ones, gives it its name, then throws the older ones away."""
        place = self.root / side
        draft = place / f".{time.time_ns()}"
        try:
            draft.mkdir(parents=True, mode=0o700)
            index.save(draft)
            told = {"since": since, "day": day.isoformat()}
            (draft / "build.json").write_text(json.dumps(told), "utf-8")
            older = [*self._builds(side), *place.glob(".*")]
            draft.rename(place / draft.name[1:])
        except OSError as error:
            logger.warning("The index cannot be kept in %s: %s.", place, error)
            shutil.rmtree(draft, ignore_errors=True)
            return
        # Who has one of these mapped keeps its pages until it lets go.
        for folder in (*older, *self._strangers()):
            if folder != draft:
                shutil.rmtree(folder, ignore_errors=True)

    def load_terms(self, taxonomy: Taxonomy, encoder: Encoder) -> bool:
        with suppress(OSError, ValueError, KeyError, BadZipFile):
            return taxonomy.load(self.root, encoder)
        return False

    def save_terms(self, taxonomy: Taxonomy, encoder: Encoder) -> None:
        with suppress(OSError):
            taxonomy.save(self.root, encoder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process of this machine builds, the others wait and load. A killed one lets go by itself."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.root / "lock").open("w")
        except OSError as error:
            logger.warning("No index can be kept in %s: %s.", self.root, error)
            yield
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _builds(self, side: str) -> Sequence[Path]:
        return [folder for folder in (self.root / side).glob("[0-9]*") if folder.is_dir()]

    def _strangers(self) -> Iterator[Path]:
        for other in self.root.parent.iterdir():
            with suppress(OSError):
                # The unpacked encoder belongs to all contents.
                if other.name.startswith("encoder-"):
                    continue
                if other != self.root and time.time() - other.stat().st_mtime > _STRANGERS_STAY:
                    yield other


def _database() -> str:
    """Tells apart clusters, and a database from one restored beside it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier::text || ' ' || d.oid::text"
            " FROM pg_control_system(), pg_database d WHERE d.datname = current_database()"
        )
        return str(cursor.fetchone()[0])
