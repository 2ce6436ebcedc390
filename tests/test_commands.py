"""What the commands say on a machine where something is missing."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRETENDS = """#!/bin/sh
case "$2" in
    *ensurepip*) exit {bare};;
    *-venv*) echo python3.12-venv;;
    *version_info*) echo {version};;
esac
"""


@pytest.fixture
def path(tmp_path):
    """A PATH that holds only the Pythons a test puts there."""

    def add(name, *, old=0, bare=0):
        program = tmp_path / name
        program.parent.mkdir(exist_ok=True)
        version = "3.9 False" if old else "3.12 True"
        program.write_text(PRETENDS.format(version=version, bare=bare))
        program.chmod(0o755)
        return program

    add.folder = tmp_path
    return add


def choose(path, **environment):
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "python.sh")],
        env={"PATH": f"{path.folder}/shims:{path.folder}", **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_python_that_is_new_enough_is_taken(path):
    found = path("python3")

    chosen = choose(path)

    assert (chosen.returncode, chosen.stdout, chosen.stderr) == (0, f"{found}\n", "")


def test_newer_python_beside_an_old_one_is_taken(path):
    path("python3", old=1)
    found = path("python3.12")

    assert choose(path).stdout == f"{found}\n"


@pytest.mark.parametrize("fault", [{"old": 1}, {"bare": 1}])
def test_python_of_pyenv_is_the_second_choice(path, fault):
    shim = path("shims/python3")
    optimised = path("python3.12")

    assert choose(path).stdout == f"{optimised}\n"
    path("python3.12", **fault)
    assert choose(path).stdout == f"{shim}\n"


def test_python_that_was_named_is_the_only_choice(path):
    path("python3")
    named = path("a folder/python3.12")
    assert choose(path, PYTHON=str(named)).stdout == f"{named}\n"

    path("a folder/python3.12", old=1)
    assert choose(path, PYTHON=str(named)).returncode == 1


def test_python_that_is_too_old_is_said_in_one_sentence_per_language(path):
    path("python3", old=1)

    chosen = choose(path)

    assert (chosen.returncode, chosen.stdout) == (1, "")
    assert chosen.stderr == (
        "Python 3.9 (python3) is too old: 3.11 or newer is needed."
        " Name one: make demo PYTHON=/path/to/python3.11\n"
        "Python 3.9（python3）版本过低，需要 3.11 或更新版本。可指定：make demo PYTHON=/path/to/python3.11\n"
    )


def test_missing_python_is_said(path):
    chosen = choose(path)

    assert chosen.returncode == 1
    assert chosen.stderr.splitlines()[0] == (
        "There is no Python here: 3.11 or newer is needed."
        " Name one: make demo PYTHON=/path/to/python3.11"
    )


@pytest.mark.parametrize("named", ["/bin/true", "/bin/false", "/nowhere/python3"])
def test_named_program_that_is_no_python_is_refused(path, named):
    """Some end well whatever they are told."""
    path("python3")

    chosen = choose(path, PYTHON=named)

    assert (chosen.returncode, chosen.stdout) == (1, "")
    assert chosen.stderr.splitlines()[0] == (
        f"PYTHON names {named}, which is no Python that runs."
        " Name one of 3.11 or newer: make demo PYTHON=/path/to/python3.11"
    )


def test_python_without_venv_is_said_with_the_package_to_install(path):
    path("python3", bare=1)

    chosen = choose(path)

    assert chosen.returncode == 1
    assert chosen.stderr == (
        "python3 has no venv module. Install it (Debian, Ubuntu: apt-get install python3.12-venv).\n"
        "python3 缺少 venv 模块，请先安装（Debian、Ubuntu：apt-get install python3.12-venv）。\n"
    )


def test_help_names_every_verb():
    makefile = (ROOT / "Makefile").read_text()
    verbs = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())

    shown = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert set(re.findall(r"^  make ([\w-]+)", shown.stdout, re.MULTILINE)) == verbs


STORIES = """
import pytest

@pytest.mark.browser
def test_a_story_in_a_browser(): ...

@pytest.mark.browser
def test_another_story_in_a_browser(): ...

def test_something_else(): ...
"""


def run_stories(tmp_path, **environment):
    """The suite's own plugin over three tests, on a machine without Chromium unless told so."""
    (tmp_path / "test_stories.py").write_text(STORIES)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.servers", "-q", str(tmp_path)],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name != "CI"},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_XDIST_WORKER": "none",  # this run needs no servers of its own
            "CHROMIUM": "/nowhere/chromium",
            **environment,
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_browser_stories_without_a_browser_are_skipped_and_counted_in_the_last_line(tmp_path):
    ran = run_stories(tmp_path)

    *_, closing, last = ran.stdout.splitlines()
    assert re.fullmatch(r"1 passed, 2 skipped in [\d.]+s", closing)
    assert last == (
        "2 browser stories skipped: there is no Chromium on this machine"
        " (apt-get install chromium, or name one in CHROMIUM=/path)."
    )
    assert ran.returncode == 0


def test_browser_stories_without_a_browser_fail_where_ci_is_set(tmp_path):
    ran = run_stories(tmp_path, CI="true")

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "2 browser stories must run where CI is set" in ran.stdout + ran.stderr


def test_browser_stories_with_a_browser_run(tmp_path):
    ran = run_stories(tmp_path, CI="true", CHROMIUM=sys.executable)

    assert re.fullmatch(r"3 passed in [\d.]+s", ran.stdout.splitlines()[-1])


@pytest.fixture
def environment(tmp_path):
    """A virtual environment with one whole package, and one of which pip was interrupted."""
    packages = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages"
    for name, is_whole in (("whole-1.0", True), ("half-2.0", False)):
        (packages / f"{name}.dist-info").mkdir(parents=True)
        (packages / f"{name}.dist-info" / "METADATA").touch()
        if is_whole:
            (packages / f"{name}.dist-info" / "INSTALLER").write_text("pip\n")
    return tmp_path / ".venv"


def test_package_whose_installation_was_cut_off_is_installed_again(environment, monkeypatch):
    installer = runpy.run_path(str(ROOT / "scripts" / "install.py"))
    installed = []
    monkeypatch.setitem(
        installer["install"].__globals__,
        "run_pip",
        lambda _python, wanted, *_: installed.append(wanted) or (0, []),
    )

    installer["install"](environment / "bin" / "python", ["whole==1.0", "half==2.0"], 0)

    # What pip finds named it takes for whole: so nothing may be left of the name.
    left = [path.name for path in environment.glob("lib/*/site-packages/*")]
    assert left == ["whole-1.0.dist-info"]
    assert sorted(installed) == [["half==2.0"], ["whole==1.0"]]


def test_second_installation_waits_for_what_the_first_left_running(environment, monkeypatch):
    installer = runpy.run_path(str(ROOT / "scripts" / "install.py"))
    told, is_in = threading.Event(), threading.Event()
    said = []
    monkeypatch.setitem(
        installer["alone"].__wrapped__.__globals__,
        "print",
        lambda text, **_: said.append(text) or told.set(),
    )
    with installer["alone"](environment) as lock:
        left = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock])

    def second():
        with installer["alone"](environment):
            is_in.set()

    waiting = threading.Thread(target=second)
    waiting.start()

    assert told.wait(10)
    assert said[0].startswith(f"Another installation into {environment} is at work")
    assert not is_in.is_set()
    left.stdin.close()
    assert is_in.wait(10)
    assert left.wait(10) == 0
    waiting.join()
