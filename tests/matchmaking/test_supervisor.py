"""The supervisor with tiny programs in place of web, worker and beat."""

from __future__ import annotations

import errno
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import OperationalError, connections

import manage
from matchmaking import embedded, supervisor
from matchmaking.embedded import refusals

ROOT = Path(__file__).parents[2]
POLITE = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit(0)))
print("up", os.getpid(), flush=True)
while True:
    signal.pause()
"""
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", os.getpid(), flush=True)
while True:
    signal.pause()
"""
MORTAL = "import time; print('up 0', flush=True); time.sleep(0.5); raise SystemExit(3)"
WITH_CHILD = """
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"up %d\\n" % os.getpid())  # whole lines from two processes
time.sleep(60)
"""
SUPERVISE = """
import sys
from matchmaking.supervisor import Program, Supervisor
supervisor = Supervisor()
supervisor.listen()
for name, code, grace in zip(*[iter(sys.argv[1:])] * 3):
    supervisor.start(Program(name, [sys.executable, "-c", code], float(grace)))
code = supervisor.watch()
supervisor.stop_all()
sys.exit(code)
"""


@pytest.fixture
def supervise():
    """Starts a supervisor over (name, code, grace) and waits until all its programs are up."""
    started = []

    def start(*programs):
        words = [str(word) for program in programs for word in program]
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        pids = {}
        while len(pids) < sum(2 if "fork" in code else 1 for _, code, _ in programs):
            name, _, said = process.stdout.readline().partition("|")
            assert said, "the supervisor ended too soon"
            pids[int(said.split()[1])] = name.strip()
        return process, list(pids)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def ending(process):
    """What was said since then, without times and pids; and the exit code."""
    said, _ = process.communicate(timeout=20)
    lines = [line.split(" stopped in ")[0].strip() for line in said.splitlines()]
    codes = [line.rpartition("(")[2].rstrip(")") for line in said.splitlines() if "stopped" in line]
    return lines, codes, process.returncode


def are_gone(pids, seconds=10.0):
    end = time.monotonic() + seconds
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(psutil.pid_exists(pid) for pid in pids)


def test_interrupt_stops_from_last_to_first_and_ends_well(supervise):
    process, pids = supervise(("worker", POLITE, 9), ("web", POLITE, 9), ("beat", POLITE, 9))

    process.send_signal(signal.SIGINT)

    lines = ["beat | bye", "beat", "web | bye", "web", "worker | bye", "worker"]
    assert ending(process) == (lines, ["0", "0", "0"], 0)
    assert are_gone(pids)


def test_interrupt_works_where_a_script_had_it_ignored():
    """A program started with `&` from a script ignores SIGINT unless it says otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, "web", POLITE, "9"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    )
    process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert ending(process) == (["web | bye", "web"], ["0"], 0)


def test_one_program_that_ends_stops_the_others_and_fails(supervise):
    process, pids = supervise(("worker", POLITE, 9), ("web", MORTAL, 9))

    said = [
        "web ended by itself with 3; stopping the rest.",
        "web 意外退出（3），正在停止其余程序。",
    ]
    lines, codes, code = ending(process)
    assert (lines, code) == ([*said, "web", "worker | bye", "worker"], 1)
    assert codes[-2:] == ["3", "0"]
    assert are_gone(pid for pid in pids if pid)


def test_second_interrupt_is_hard(supervise):
    process, pids = supervise(("worker", STUBBORN, 60), ("web", STUBBORN, 60))

    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None  # it waits for what does not want to stop
    process.send_signal(signal.SIGINT)

    assert ending(process) == (["web", "worker"], ["-9", "-9"], 0)
    assert are_gone(pids)


def test_program_that_outlasts_its_grace_is_killed(supervise):
    process, pids = supervise(("worker", STUBBORN, 0.3))

    process.send_signal(signal.SIGTERM)

    assert ending(process) == (["worker"], ["-9"], 0)
    assert are_gone(pids)


def test_children_of_a_program_do_not_outlive_it(supervise):
    process, pids = supervise(("web", WITH_CHILD, 9))

    process.send_signal(signal.SIGINT)

    assert ending(process)[2] == 0
    assert are_gone(pids)


def test_killed_supervisor_leaves_nothing_behind(supervise):
    process, pids = supervise(("worker", POLITE, 9), ("web", POLITE, 9), ("beat", POLITE, 9))

    process.kill()
    process.wait()

    assert are_gone(pids)


def test_without_the_death_signal_a_killed_supervisor_leaves_its_programs():
    """Negative control for the test above."""
    code = SUPERVISE.replace(
        "supervisor = Supervisor()",
        "from matchmaking import embedded\n"
        "embedded.die_with_parent = lambda sig: None\n"
        "supervisor = Supervisor()",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "web", POLITE, "9"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(process.stdout.readline().split()[-1])

    process.kill()
    process.wait()
    process.stdout.close()

    assert not are_gone([pid], seconds=1)
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def quick(monkeypatch):
    """Steps that only note that they ran."""
    folder = Path(tempfile.mkdtemp(prefix="mm-steps-"))
    monkeypatch.setattr(supervisor, "ROOT", folder)
    (folder / "data.json").write_text("{}")
    code = "import sys; open('ran', 'a').write(sys.argv[1])"

    def steps(*, demo):
        command = [sys.executable, "-c", code]
        return [
            supervisor.Step("first", "First", "第一", [*command, "1"], ["data.*"]),
            supervisor.Step("second", "Second", "第二", [*command, "2"]),
        ]

    monkeypatch.setattr(supervisor, "steps", steps)
    yield folder
    shutil.rmtree(folder)


def test_prepare_repeats_only_what_has_changed(quick):
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)
    assert (quick / "ran").read_text() == "12"

    (quick / "data.json").write_text('{"more": 1}')
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)

    assert (quick / "ran").read_text() == "121"


def test_prepare_stops_at_a_step_that_fails_and_tries_it_again(quick, monkeypatch, capsys):
    good = supervisor.steps(demo=True)
    bad = supervisor.Step("bad", "Bad", "坏", [sys.executable, "-c", "print('why'); exit(4)"])
    monkeypatch.setattr(supervisor, "steps", lambda **_: [good[0], bad, good[1]])

    with pytest.raises(embedded.Refusal) as refusal:
        supervisor.prepare(supervisor.Supervisor(), quick, demo=True)

    assert refusal.value.en == (
        "Bad: failed with 4. The lines above say why; then run the same command again."
    )
    assert capsys.readouterr().out == "[1/3] First · 第一\n[2/3] Bad · 坏\n     bad | why\n"
    monkeypatch.setattr(supervisor, "steps", lambda **_: good)
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)
    assert (quick / "ran").read_text() == "12"


def test_step_that_fails_on_a_full_disk_says_so(quick, monkeypatch):
    bad = supervisor.Step("bad", "Bad", "坏", [sys.executable, "-c", "exit(4)"])
    monkeypatch.setattr(supervisor, "steps", lambda **_: [bad])
    full = shutil.disk_usage(quick)._replace(free=5 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(embedded.Refusal, match=f"The disk of {quick} is full: 5 MB free"):
        supervisor.prepare(supervisor.Supervisor(), quick, demo=True)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (psycopg.OperationalError("connection failed"), "The database does not answer: away"),
        (psycopg.errors.AdminShutdown("terminating"), "The database does not answer: away"),
        (psycopg.errors.DiskFull("could not extend"), "The disk of the database is full: away. Make room and run this again."),
        (psycopg.errors.DeadlockDetected("deadlock"), None),
        (None, None),
    ],
)  # fmt: skip
def test_command_whose_database_is_away_or_full_says_so(cause, sentence):
    error = OperationalError("away\nDETAIL: more")
    error.__cause__ = cause

    said = manage.explain(error)

    assert (said and said.splitlines()[0]) == sentence


def test_steps_without_database_run_beside_the_second_that_needs_it(quick, monkeypatch, capsys):
    """The two wait for each other: one after another both would wait in vain."""
    meets = (
        "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\n"
        "end = time.monotonic() + 20\n"
        "while not pathlib.Path(sys.argv[2]).exists():\n"
        "    assert time.monotonic() < end, 'alone'\n    time.sleep(0.01)"
    )
    command = [sys.executable, "-c", meets]
    first, last = supervisor.steps(demo=True)
    beside = supervisor.Step("a", "Beside", "并行", [*command, "a", "b"], needs_database=False)
    second = supervisor.Step("b", "Second", "第二", [*command, "b", "a"])
    monkeypatch.setattr(supervisor, "steps", lambda **_: [beside, first, second, last])

    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)

    assert (quick / "ran").read_text() == "12"
    said = capsys.readouterr().out.splitlines()
    assert said == ["[1/4] First · 第一", "[2/4] Beside · 并行", "[3/4] Second · 第二", "[4/4] Second · 第二"]  # fmt: skip


def test_database_steps_are_done_again_for_another_database(quick, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://one/")
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)
    monkeypatch.setenv("DATABASE_URL", "postgresql://two/")
    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)

    assert (quick / "ran").read_text() == "1212"


def test_second_supervisor_of_a_copy_is_told_where_the_first_one_is(tmp_path):
    held = supervisor.claim(tmp_path, "http://127.0.0.1:8000/")

    with pytest.raises(embedded.Refusal) as refusal:
        supervisor.claim(tmp_path, "http://127.0.0.1:8001/")

    assert str(refusal.value) == (
        "This copy is running already, at http://127.0.0.1:8000/."
        " Use that one, or stop it with Ctrl-C first.\n"
        "本项目已在运行：http://127.0.0.1:8000/。请直接使用，或先在其终端按 Ctrl-C 停止。"
    )
    os.close(held)
    os.close(supervisor.claim(tmp_path, "http://127.0.0.1:8001/"))


def test_port_in_use_is_said_in_one_sentence_per_language(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "matchmaking.supervisor", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "EMBEDDED_STATE": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )

    assert ended.stderr == (
        f"Port {port} is in use by another program. Choose another one: `make demo PORT={port + 1}`.\n"
        f"端口 {port} 已被其他程序占用。请换一个端口：make demo PORT={port + 1}。\n"
    )
    assert (ended.returncode, ended.stdout) == (1, "")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_is_said_in_one_sentence_per_language(tmp_path, monkeypatch, capsys, number):
    monkeypatch.setenv("EMBEDDED_STATE", str(tmp_path))

    def no_room(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(supervisor, "claim", no_room)

    assert supervisor.main([]) == 1
    assert capsys.readouterr().err == f"{refusals.disk_full(tmp_path)}\n"


def test_program_that_ends_on_a_full_disk_is_told_with_the_reason(monkeypatch, capsys):
    full = shutil.disk_usage("/")._replace(free=1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    watcher = supervisor.Supervisor()
    watcher.start(supervisor.Program("beat", [sys.executable, "-c", "exit(1)"], 9))

    assert watcher.watch() == 1

    watcher.stop_all()
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == [
        "beat ended by itself with 1; stopping the rest.",
        "beat 意外退出（1），正在停止其余程序。",
        *str(refusals.disk_full(ROOT)).splitlines(),
    ]


def test_folder_of_another_user_is_said_in_one_sentence_per_language(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EMBEDDED_STATE", str(tmp_path))

    def closed(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(supervisor, "claim", closed)

    assert supervisor.main([]) == 1
    assert capsys.readouterr().err == f"{refusals.owned_by_another(tmp_path)}\n"


def test_port_that_is_free_is_accepted():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    supervisor.check_port(port)


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "８０００", "-1", "80 00"])
def test_port_that_is_none_is_refused(text):
    with pytest.raises(embedded.Refusal, match="has to be a number from 1 to 65535"):
        supervisor.parse_port(text)


def test_reset_leaves_a_database_of_ones_own_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("EMBEDDED_STATE", raising=False)
    (tmp_path / "kept").touch()

    with pytest.raises(embedded.Refusal, match="DATABASE_URL names another one"):
        supervisor._reset(tmp_path)

    assert (tmp_path / "kept").exists()


def test_programs_are_web_worker_and_beat_on_the_loopback_only():
    found = supervisor.programs(8123)

    assert [program.name for program in found] == ["web", "worker", "beat"]
    assert found[0].command[1:] == [
        *("-m", "gunicorn", "matchmaking.wsgi"),
        *("-b", "127.0.0.1:8123"),
    ]


def test_web_processes_are_forked_from_one_that_holds_no_connection(monkeypatch):
    closed = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(True))

    served = runpy.run_path(ROOT / "gunicorn.conf.py")
    served["pre_fork"](None, None)

    assert (served["preload_app"], served["control_socket_disable"]) == (True, True)
    assert closed == [True]


def test_beat_stops_first_and_the_worker_last():
    by_turn = sorted(supervisor.programs(8123), key=lambda program: program.turn)

    assert [program.name for program in by_turn] == ["beat", "web", "worker"]


def test_turn_of_stopping_may_differ_from_the_order_of_starting():
    starter = supervisor.Supervisor()
    command = [sys.executable, "-c", POLITE]
    for name, turn in (("web", 2), ("worker", 3), ("beat", 1)):
        starter.start(supervisor.Program(name, command, 9, turn))
    stopped = []
    starter.stop = lambda started: stopped.append(started.program.name) or 0

    starter.stop_all()

    del starter.stop
    assert stopped == ["beat", "web", "worker"]
    starter.stop_all()


def run_supervisor(state, **environment):
    kept = {n: v for n, v in os.environ.items() if n not in ("EMBEDDED_STATE", "SECRET_KEY")}
    return subprocess.run(
        [sys.executable, "-m", "matchmaking.supervisor", "--port", "8771"],
        cwd=ROOT,
        env={**kept, "STATE_DIR": str(state), **environment},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", ["file/below", "file"])
def test_folder_that_is_none_is_said_in_one_sentence_per_language(tmp_path, name):
    (tmp_path / "file").touch()

    ended = run_supervisor(tmp_path / name)

    assert ended.returncode == 1
    assert ended.stdout == ""
    en, zh = ended.stderr.splitlines()
    assert en.startswith(f"{tmp_path / name} cannot be used: ")
    assert zh.startswith(f"无法使用 {tmp_path / name}：")


def test_read_only_folder_is_said_in_one_sentence_per_language(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EMBEDDED_STATE", str(tmp_path))

    def read_only(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(supervisor, "claim", read_only)

    assert supervisor.main([]) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        f"{tmp_path} cannot be used: Read-only file system."
        " Make it a folder that can be written to, or name another one in EMBEDDED_STATE."
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which the steps before the database are done once for all."""
    return tmp_path_factory.mktemp("prepared")


SECRET = "x" * 40
NOWHERE = "postgresql://u:p@127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DATABASE_URL": "mysql://x", "SECRET_KEY": SECRET}, "A setting is wrong: DATABASE_URL begins with 'mysql'; write postgresql://user:password@host:5432/name."),
        ({"DATABASE_URL": NOWHERE}, "A setting is wrong: SECRET_KEY is not set; production needs at least 32 random characters."),
        ({"DATABASE_URL": NOWHERE, "SECRET_KEY": "short"}, "A setting is wrong: SECRET_KEY has 5 characters; it needs at least 32."),
        ({"DATABASE_URL": NOWHERE, "SECRET_KEY": SECRET, "VISIBILITY_TIMEOUT": "soon"}, "A setting is wrong: VISIBILITY_TIMEOUT is 'soon'; write a whole number such as 60."),
        ({"DATABASE_URL": NOWHERE, "SECRET_KEY": SECRET, "EMAIL_URL": "pop3:"}, "A setting is wrong: EMAIL_URL is 'pop3:'; write console:, file:///folder or smtp://user:password@host:25."),
        ({"DATABASE_URL": NOWHERE, "SECRET_KEY": SECRET}, "The database does not answer: connection failed: "),
    ],
)  # fmt: skip
def test_wrong_setting_is_said_in_a_sentence(prepared, environment, sentence):
    ended = run_supervisor(prepared, **environment)

    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert f"migrate | {sentence}" in said
    assert "Traceback" not in said


def test_notes_that_were_cut_off_are_no_notes(quick):
    (quick / "prepared.json").write_text("{")

    supervisor.prepare(supervisor.Supervisor(), quick, demo=True)

    assert (quick / "ran").read_text() == "12"
