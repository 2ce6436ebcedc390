"""Write requirements.lock anew from pyproject.toml and requirements.in: `make lock`.

Two fresh environments, so that the lock tells what only tests and checks need (`# dev`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = """\
# Every dependency pinned; made by `make lock` from pyproject.toml and requirements.in.
# Lines that end in "# dev" are needed for tests and checks only. No index addresses here.
"""


def freeze(python: Path, wanted: list[str]) -> list[str]:
    subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    frozen = [python, "-m", "pip", "freeze", "--exclude", "setuptools"]
    return subprocess.run(frozen, check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extra = [
        line
        for line in (ROOT / "requirements.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        runtime = freeze(python, project["project"]["dependencies"])
        everything = freeze(python, project["dependency-groups"]["dev"])
    names = {line.partition("==")[0] for line in extra}
    lines = [
        line if line in runtime else f"{line}  # dev"
        for line in everything
        if line and line.partition("==")[0] not in names
    ]
    LOCK.write_text(HEADER + "\n".join(sorted([*lines, *extra], key=str.casefold)) + "\n")
    print(f"{LOCK.name}: {len(lines) + len(extra)} packages")


if __name__ == "__main__":
    main()
