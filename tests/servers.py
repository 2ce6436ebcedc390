"""Loaded with `-p tests.servers`: starts PostgreSQL and Valkey, and knows whether there is a browser.

pytest-django reads the settings before any conftest.py is read; a conftest would be too late.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from matchmaking import embedded

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_CHROMIUM = "there is no Chromium on this machine"
HOW_TO_GET_IT = "apt-get install chromium, or name one in CHROMIUM=/path"
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")

skipped: list[str] = []
# Importing and collecting throws nothing away that would be worth looking for.
gc.disable()

if os.environ.pop("EMBEDDED_STATE", None):  # started below a running demo: not on its servers
    for address in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        os.environ.pop(address, None)
# Rows of a test vanish without a trace in the feed; a test that keeps an index says where.
os.environ["MATCHING_INDEX"] = "off"
# The vectors of all words take each process seven seconds. What they add is tested with the engine, and on the page
# that proposes categories.
os.environ["MATCHING_ENCODER"] = "none"
# What asks for a second factor says so itself.
os.environ["SECOND_FACTOR"] = "urged"
os.environ["SMS_SENDER"] = "tests.sms.Kept"
# Each process has servers of its own, the workers of xdist too: the feed of changes waits for the oldest running
# transaction of the whole server, and clearing a cache empties it for everybody. Who only hands out needs none.
if not any(word.startswith(("-n", "--numprocesses")) for word in sys.argv[1:]):
    state = Path(tempfile.mkdtemp(prefix="mm-"))
    state.chmod(0o755)  # as root the servers run as another user; what matters inside is 0700
    embedded.provide(throwaway=True, state=state)


def chromium() -> str | None:
    """The path of a Chromium from the system's packages, or of the one named in CHROMIUM."""
    named = os.environ.get("CHROMIUM")
    if named is not None:
        return named if Path(named).exists() else None
    return next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


# Most of their time passes waiting for a killed server: the first process works at them, one after the other, while the
# others have the cores.
WAITING = "tests/faults/"
# What takes longest begins first: begun last, it would be waited for alone. Before all what needs no database, until
# the first process has made one that the others copy.
LONGEST = (
    f"{WAITING}test_killed_worker.py",
    f"{WAITING}test_killed_servers.py",
    f"{WAITING}test_embedded.py",
    WAITING,
    "matchmaking/engine/",
    "tests/matchmaking/engine/",
    "tests/test_rights.py",
    "tests/test_pages.py",
    "tests/matchmaking/test_demo_small.py",
    "tests/test_lists.py",
    "tests/test_hostile_pages.py",
    "tests/matchmaking/api/test_hostile.py",
    "tests/chains/test_spreadsheets.py",
    "tests/test_leaks.py",  # reads what the walks of the rights have kept
)
# Their tests go to whoever is free, one by one; those of any other file stay together, with what they have in common.
SCATTERED = ("tests/test_rights.py", "tests/test_pages.py", "tests/test_hostile_pages.py")

# They ask one tree of categories, whose terms take a process ten seconds to read.
OF_ONE_TREE = tuple(
    f"tests/matchmaking/engine/test_{name}.py"
    for name in ("taxonomy", "proposals", "minimal_pairs", "evaluation")
)


def place_of(item) -> int:
    """Where the item's file stands among the longest; all others come after them, in the order they have."""
    name = item.nodeid
    return next((n for n, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


class ByFile(LoadScopeScheduling):
    """Hands out whole files in the order of the collection; only the first process takes those that mostly wait."""

    def __init__(self, config, log):
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid):
        if nodeid.startswith(OF_ONE_TREE):
            return OF_ONE_TREE[0]
        return nodeid if nodeid.startswith(SCATTERED) else nodeid.split("::", 1)[0]

    def _assign_work_unit(self, node):
        waits = node is self.nodes[0]
        chosen = (scope for scope in self.workqueue if scope.startswith(WAITING) == waits)
        self.workqueue.move_to_end(next(chosen, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish():
    # What stands now stands to the end: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    items.sort(key=place_of)
    if chromium() is not None:
        return
    stories = [item for item in items if item.get_closest_marker("browser")]
    if stories and CI:
        raise pytest.UsageError(
            f"{len(stories)} browser stories must run where CI is set: {NO_CHROMIUM} ({HOW_TO_GET_IT})."
        )
    for item in stories:
        item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


def pytest_runtest_logreport(report):
    if report.skipped and isinstance(report.longrepr, tuple) and NO_CHROMIUM in report.longrepr[2]:
        skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Say last, after pytest's own closing line, what did not run."""
    if skipped:
        said = f"{len(skipped)} browser stories skipped: {NO_CHROMIUM} ({HOW_TO_GET_IT})."
        config.get_terminal_writer().line(said)
