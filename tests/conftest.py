from __future__ import annotations

import copy
import datetime
import fcntl
import itertools
import os
import time
from unittest import mock

import hypothesis
import pytest
from django.apps import apps
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.contrib.staticfiles.views import serve
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from django.utils import timezone, translation

from chains.models import Province, Reference, RegionGroup, SegmentLink
from matchmaking.models import Weighting
from matchmaking.templatetags import reasons
from tests import databases, world
from tests.servers import CHROMIUM_ARGUMENTS, chromium

# At each run a few tries of what says nothing else, in the night as many as Hypothesis thinks right.
hypothesis.settings.register_profile("run", max_examples=40)
if "FUZZ_EXAMPLES" not in os.environ:
    hypothesis.settings.load_profile("run")


@pytest.fixture(autouse=True)
def clean_cache():
    """The cache is real and outlives a test: sign-in throttles count in it."""
    yield
    caches["default"].clear()  # all caches lie in one database
    # Names of reference rows are kept a minute; each test counts its own query.
    reasons.names.forget()


@pytest.fixture(autouse=True)
def english():
    """Sentences are asserted in English unless a test activates Chinese."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_settings():
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LANGUAGE_CODE="en",
        # Rings go nowhere in tests: a task is called by the test that wants it.
        CELERY_BROKER_URL="memory://",
    ):
        yield


FOLDERS = itertools.count()


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path_factory):
    """A folder for the files of each test; whoever stores one makes it."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / f"media-{next(FOLDERS)}"


@pytest.fixture
def settled_feed(monkeypatch):
    """The feed gives only what is older than every running transaction; a test lives inside one. Here all counts."""
    monkeypatch.setattr(
        "chains.models.changes.ChangeQuerySet.after",
        lambda rows, reader: rows.filter(pk__gt=reader.change).order_by("pk"),
    )


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch, request):
    """Collects the rings instead of sending them; `live_worker` tests switch this off by a marker-free fixture."""
    if "real_doorbell" in request.fixturenames:
        yield None
        return
    rings: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr("chains.doorbell._send", lambda task, args: rings.append((task, args)))
    monkeypatch.setattr("chains.doorbell._send_later", lambda _task: None)
    yield rings


@pytest.fixture
def real_doorbell():
    """Names the wish that rings reach the broker."""


@pytest.fixture(scope="session")
def turn(shared):
    """The turn to make the database; whoever waited for it finds one to copy."""
    with (shared / "database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


@pytest.fixture(scope="session")
def is_copied(turn, shared, django_db_modify_db_settings):
    kept = shared / "database.dump"
    if not (databases.ARE_COPIED and kept.exists()):
        return False
    turn.close()
    databases.copy(kept)
    return True


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb, is_copied):
    return django_db_keepdb or is_copied


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, is_copied, turn, shared, django_db_blocker):
    """The shipped reference data stands in the test database once for all tests."""
    if not is_copied:
        with django_db_blocker.unblock():
            call_command("import_reference", verbosity=0)
        if databases.ARE_COPIED:
            databases.keep(shared / "database.dump")
        turn.close()
    yield
    # A thread of the live server or a process that was killed may hold a session a moment longer; with one open the
    # database cannot go, and the last test, whichever it is, would be blamed.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )


def empty_all_but_shipped_rows(_case=None):
    """What follows a test with committed rows. Django's flush would take the shipped data along, which costs
    seconds to put back; nothing kept here refers to a row that goes. Only tables with rows are emptied: to truncate
    all makes hundreds of files anew."""
    kept = {m._meta.db_table for m in apps.get_models() if issubclass(m, Reference)}
    kept |= {
        m._meta.db_table for m in (Weighting, Province, SegmentLink, RegionGroup.regions.through)
    }
    kept |= {"django_content_type", "auth_permission", "django_site", "django_migrations"}
    tables = [
        connection.ops.quote_name(table)
        for table in sorted(set(connection.introspection.table_names()) - kept)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever still writes is waited for, as by a truncation.
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger, in any order
        filled = " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables)
        cursor.execute(filled)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")
        # What a test learned goes, and what was shipped is in force again.
        cursor.execute("DELETE FROM matchmaking_weighting WHERE based_on_id IS NOT NULL")
        cursor.execute("UPDATE matchmaking_weighting SET status = 'active'")


TransactionTestCase._fixture_teardown = empty_all_but_shipped_rows


@pytest.fixture(scope="module")
def standing_world(django_db_setup, django_db_blocker, tmp_path_factory):
    """The small market of tests/world.py, built once for the tests of a module that take back what they change."""
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), transaction.atomic():
        with (
            override_settings(MEDIA_ROOT=media),
            mock.patch("chains.doorbell._send"),
            translation.override("en"),
        ):
            place = world.build()
        place.media = media
        yield place
        transaction.set_rollback(True)


@pytest.fixture
def place(standing_world, settings):
    """Its rows as if they had just been made: what a test sets at them or learns from them stays with it."""
    settings.MEDIA_ROOT = standing_world.media
    return copy.deepcopy(standing_world)


@pytest.fixture
def committed(transactional_db):
    """Rows that other connections see; the shipped data stands."""


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that the processes of one run of the tests have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def yesterday():
    return timezone.now() - datetime.timedelta(days=1)


def serve_to_be_kept(self, request):
    """Files as an installation serves them: a browser that may not keep them asks for each with every page."""
    answer = serve(request, self.file_path(request.path), insecure=True)
    answer["Cache-Control"] = "max-age=3600"
    return answer


StaticFilesHandler.serve = serve_to_be_kept


@pytest.fixture(scope="session")
def live_server(django_db_setup, live_server):
    """Made after the database, so that it ends before it: its threads hold sessions as long as a browser holds them."""
    return live_server


@pytest.fixture(scope="session")
def browser(django_db_setup):
    """Chromium from the system's packages, driven by Playwright; it too ends before the database."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- slow import

    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # its event loop lives in this thread
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=path,
            args=CHROMIUM_ARGUMENTS,
        )
        yield instance
        instance.close()


@pytest.fixture
def page(browser):
    """A page at 1440 px whose console must stay empty.

    Wait for the page that a click leads to by `expect_event("load")`: `expect_navigation` is content with htmx, which
    replaces the history's state when it swaps the first piece in.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    instance = context.new_page()
    complaints: list[str] = []
    instance.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    instance.on("pageerror", lambda error: complaints.append(str(error)))
    instance.complaints = complaints
    yield instance
    context.close()


@pytest.fixture
def until():
    """Wait for a condition that another process brings about; fails with the last value."""

    def wait(condition, seconds=10.0):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                pytest.fail(f"not true within {seconds} s: {value!r}")
            time.sleep(0.05)

    return wait
