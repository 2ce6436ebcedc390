"""Whether the Chinese catalogue is complete and in step with the texts: part of `make check`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("chains", "events", "matchmaking", "templates")
CATALOGUE = Path("locale/zh_Hans/LC_MESSAGES/django.po")


def read(root: Path) -> Catalog:
    with (root / CATALOGUE).open("rb") as file:
        return read_po(file, locale="zh_Hans")


def read_made(root: Path) -> Catalog:
    """What makemessages has just made: it leaves room for two plural forms under a header that names one."""
    lines = (root / CATALOGUE).read_bytes().splitlines(keepends=True)
    return read_po(line for line in lines if not line.startswith(b'"Plural-Forms'))


def keys(catalogue: Catalog) -> set[tuple[str, str | None]]:
    found = {(message.id, message.context) for message in catalogue if message.id}
    return {(key if isinstance(key, str) else key[0], context) for key, context in found}


def incomplete(catalogue: Catalog) -> list[str]:
    faults = []
    for message in catalogue:
        said = message.string if isinstance(message.string, str) else "".join(message.string[:1])
        if message.id and (message.fuzzy or not said):
            faults.append(f"not translated: {message.id!r}")
    return faults


def collect() -> Catalog:
    """What makemessages finds now, in a copy: the check changes nothing here."""
    with tempfile.TemporaryDirectory() as folder:
        for name in SOURCES:
            shutil.copytree(
                ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("*.json")
            )
        (Path(folder) / "locale").mkdir()
        django_admin = str(Path(sys.executable).with_name("django-admin"))
        subprocess.run(
            [
                django_admin,
                "makemessages",
                "-l",
                "zh_Hans",
                "--no-wrap",
                "--no-location",
                "-v",
                "0",
            ],
            cwd=folder,
            check=True,
        )
        return read_made(Path(folder))


def main() -> int:
    catalogue = read(ROOT)
    faults = incomplete(catalogue)
    if shutil.which("xgettext"):
        wanted, had = keys(collect()), keys(catalogue)
        faults += [f"not in the catalogue: {key[0]!r}" for key in sorted(wanted - had, key=str)]
        faults += [f"not used any more: {key[0]!r}" for key in sorted(had - wanted, key=str)]
    else:
        print("No gettext here: that every text is in the catalogue was not checked.")
    for fault in faults:
        print(fault)
    if faults:
        print(f"{CATALOGUE}: {len(faults)} to mend; `make messages` collects the texts.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
