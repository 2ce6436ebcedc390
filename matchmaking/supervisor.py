"""Run web, worker and beat beside their servers; stop all of it in order on Ctrl-C.

`make demo` and `make run` are this. It knows nothing of Django: it starts programs, watches them
and says in both languages what a person has to know.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import functools
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from matchmaking import embedded
from matchmaking.embedded import Refusal

ROOT = Path(__file__).parents[1]
PACKAGES = ("chains", "events", "matchmaking")
HOST = "127.0.0.1"
SILENCE = 10.0  # seconds without a line before a step says that it is still busy
PATIENCE = 90.0  # seconds until the home page has to answer


@dataclass(frozen=True)
class Program:
    """One long-running part of the application."""

    name: str
    command: Sequence[str]
    grace: float  # seconds between the polite signal and SIGKILL
    turn: int = 0  # of stopping: the lower the sooner; equal ones from last to first
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One piece of preparation, done again only when one of its files has changed."""

    name: str
    en: str
    zh: str
    command: Sequence[str]
    files: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_database: bool = True  # and so what was done to it before

    def fingerprint(self) -> str:
        mark = hashlib.sha256(os.environ.get("DATABASE_URL", "").encode())
        for pattern in self.files:
            for path in sorted(ROOT.glob(pattern)):
                seen = path.stat()
                mark.update(f"{path.relative_to(ROOT)} {seen.st_size} {seen.st_mtime_ns}".encode())
        return mark.hexdigest()


def programs(port: int) -> list[Program]:
    """In order of starting: web alone first, so that its page comes soon.

    Stopping: beat rings nothing new, then web answers what it has accepted, then the worker ends
    its tasks while its servers still run.
    """
    worker = [sys.executable, "-m", "matchmaking.worker", "2"]
    beat = [sys.executable, "-m", "celery", "-q", "-A", "matchmaking.celery"]
    beat += ["beat", "-l", "WARNING", "--pidfile="]
    web = [sys.executable, "-m", "gunicorn", "matchmaking.wsgi"]
    return [
        Program("web", [*web, "-b", f"{HOST}:{port}"], grace=15, turn=2),
        Program("worker", worker, grace=30, turn=3),
        Program("beat", beat, grace=5, turn=1),
    ]


def steps(*, demo: bool) -> list[Step]:
    manage = [sys.executable, "manage.py"]
    babel = [sys.executable, "-m", "babel.messages.frontend", "-q"]
    found = [
        Step(
            "messages",
            "Translations",
            "编译译文",
            [*babel, "compile", "-d", "locale", "-D", "django"],
            ["locale/*/LC_MESSAGES/django.po"],
            needs_database=False,
        ),
        Step(
            "migrate",
            "Database tables",
            "数据库表",
            [*manage, "migrate", "-v", "0", "--no-input"],
            ["*/migrations/*.py", "requirements.lock"],
        ),
        Step(
            "import_reference",
            "Reference data: chains, categories, regions",
            "参考数据：产业链、产品类别、地区",
            [*manage, "import_reference"],
            ["chains/reference/**/*.json", "chains/management/commands/import_reference.py"],
        ),
        Step(
            "collectstatic",
            "Styles and scripts",
            "页面样式与脚本",
            [*manage, "collectstatic", "-v", "0", "--no-input"],
            ["static/**/*", "requirements.lock"],
            {"HASHED_STATIC": "true"},  # the settings choose plain names until there is a manifest
            needs_database=False,
        ),
    ]
    if demo:
        seeding = [*manage, "seed_demo"]
        found.append(
            Step("seed_demo", "Demo data (one to two minutes)", "演示数据（约一至两分钟）", seeding)
        )
    return [step for step in found if _is_there(step)]


def _is_there(step: Step) -> bool:
    if step.name == "messages":
        return any(ROOT.glob(step.files[0]))
    return step.name in ("migrate", "collectstatic") or has_command(step.name)


def has_command(name: str) -> bool:
    return any((ROOT / p / "management" / "commands" / f"{name}.py").exists() for p in PACKAGES)


def say(en: str, zh: str = "") -> None:
    # The terminal may be gone: what runs has to be stopped in order all the same.
    with contextlib.suppress(OSError):
        print(en, zh, sep="\n" if zh else "", flush=True)


@dataclass
class _Running:
    program: Program
    process: subprocess.Popen[bytes]
    output: int
    rest: bytes = b""  # of a line whose end has not come yet


@dataclass
class Supervisor:
    """Starts programs, shows their output, and stops them in turn."""

    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    servers: Path | None = None  # the folder of our own servers; None when others are named
    seen: dict[str, object] | None = None
    signals: list[int] = field(default_factory=list)
    running: list[_Running] = field(default_factory=list)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def listen(self) -> None:
        """Take over Ctrl-C and friends, also where a script started us with them ignored."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda number, _frame: self.signals.append(number))

    def start(self, program: Program) -> _Running:
        output, write = os.pipe()
        process = subprocess.Popen(
            program.command,
            cwd=ROOT,
            env={**self.environment, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=write,
            start_new_session=True,  # Ctrl-C reaches only the supervisor
            pass_fds=embedded.held(),  # so that what is still draining keeps its servers
            preexec_fn=functools.partial(embedded.die_with_parent, signal.SIGTERM),  # noqa: PLW1509 -- one thread
        )
        os.close(write)
        started = _Running(program, process, output)
        self.running.append(started)
        self.selector.register(output, selectors.EVENT_READ, started)
        return started

    def pump(self, seconds: float) -> bool:
        """Show what the programs say for up to so many seconds; whether they said anything."""
        if not self.selector.get_map():
            time.sleep(seconds)  # select() without files would return at once on some systems
            return False
        ready = self.selector.select(seconds)
        for key, _ in ready:
            started: _Running = key.data
            chunk = os.read(key.fd, 65536)
            if not chunk:
                self.selector.unregister(key.fileobj)
            *lines, started.rest = (started.rest + chunk).split(b"\n")
            if not chunk and started.rest:
                lines, started.rest = [*lines, started.rest], b""
            for line in lines:
                say(f"{started.program.name:>8} | {line.decode(errors='replace')}")
        return bool(ready)

    def ended(self) -> _Running | None:
        return next((one for one in self.running if one.process.poll() is not None), None)

    def stop(self, started: _Running) -> int:
        """End one program: politely, then, at a second Ctrl-C or when its time is over, hard."""
        began, process = time.monotonic(), started.process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            self.pump(0.1)
            if time.monotonic() - began > started.program.grace or len(self.signals) > 1:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with contextlib.suppress(ProcessLookupError):
            # What a killed gunicorn master or a stuck pool left behind.
            os.killpg(process.pid, signal.SIGKILL)
        while self.selector.get_map() and self.pump(0):
            pass
        with contextlib.suppress(KeyError):
            self.selector.unregister(started.output)
        os.close(started.output)
        self.running.remove(started)
        return process.returncode

    def stop_all(self) -> None:
        started_last_first = list(reversed(self.running))
        for started in sorted(started_last_first, key=lambda one: one.program.turn):
            began = time.monotonic()
            code = self.stop(started)
            say(f"{started.program.name} stopped in {time.monotonic() - began:.1f} s ({code})")

    def do(self, steps: Sequence[Step], done: Callable[[Step], None]) -> None:
        """Run these beside each other to their ends, showing that they are alive."""
        self.look_after_servers()
        began = spoken = time.monotonic()
        left = [
            (step, self.start(Program(step.name, step.command, 10, environment=step.environment)))
            for step in steps
        ]
        while left and not self.signals:
            if self.pump(0.1):
                spoken = time.monotonic()
            elif time.monotonic() - spoken > SILENCE:
                spoken = time.monotonic()
                say(f"      … {spoken - began:.0f} s")
            for step, started in [one for one in left if one[1].process.poll() is not None]:
                left.remove((step, started))
                code = self.stop(started)
                if code == 0:
                    done(step)
                elif not self.signals:
                    raise self.reason(step, code)  # the others are stopped with everything else
        for _, started in left:
            self.stop(started)

    def reason(self, step: Step, code: int) -> Refusal:
        """What befell disk and servers explains a failure better than the step can."""
        self.look_after_servers()
        return embedded.disk_is_full(self.servers or ROOT) or _step_failed(step, code)

    def wait_for_page(self, address: str) -> bool:
        """Until the home page answers; False when it does not, which is said, or we have to stop."""
        end = time.monotonic() + PATIENCE
        while not self.signals and self.ended() is None:
            self.pump(0.1)
            self.look_after_servers()
            status = _status_of(address)
            if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return True
            if status is not None:
                say(
                    f"{address} answers with error {status}; the lines above say why.",
                    f"{address} 返回错误 {status}，原因见上面的输出。",
                )
                return False
            if time.monotonic() > end:
                say(
                    f"{address} did not answer within {PATIENCE:.0f} seconds.",
                    f"{address} 在 {PATIENCE:.0f} 秒内没有响应。",
                )
                return False
        return False

    def watch(self) -> int:
        """Until a signal (0) or until something ends that nobody asked to (1)."""
        while not self.signals:
            self.pump(0.5)
            dead = self.ended()
            if dead is not None:
                name, code = dead.program.name, dead.process.returncode
                say(
                    f"{name} ended by itself with {code}; stopping the rest.",
                    f"{name} 意外退出（{code}），正在停止其余程序。",
                )
                if full := embedded.disk_is_full(self.servers or ROOT):
                    say(full.en, full.zh)  # the likely reason, whatever the program said
                return 1
            self.look_after_servers()
        return 0

    def look_after_servers(self) -> None:
        """Say when a keeper had to restart a server; get a new keeper when that one is gone."""
        if self.servers is None:
            return
        before, self.seen = self.seen, embedded.look(self.servers)
        if self.seen is None:
            embedded.use(self.servers)  # refuses with the reason when it cannot
            self.seen = embedded.look(self.servers)
        for server, name in (("postgres", "PostgreSQL"), ("valkey", "Valkey")):
            if before and self.seen and self.seen[server] != before[server]:
                say(
                    f"{name} had ended; it was started again and the saved data is intact.",
                    f"{name} 曾意外停止，现已重新启动，已保存的数据完好。",
                )


def _status_of(address: str) -> int | None:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 -- our own page
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None  # does not listen yet


def _step_failed(step: Step, code: int) -> Refusal:
    return Refusal(
        f"{step.en}: failed with {code}. The lines above say why; then run the same command again.",
        f"{step.zh}：失败（{code}）。原因见上面的输出，处理后请重新运行同一命令。",
    )


def claim(state: Path, address: str) -> int:
    """Be the only supervisor of this folder for the life of this process."""
    state.mkdir(parents=True, exist_ok=True)
    file = os.open(state / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(file, 200).decode() or "?"
        os.close(file)
        raise Refusal(
            f"This copy is running already, at {other}. Use that one, or stop it with Ctrl-C first.",
            f"本项目已在运行：{other}。请直接使用，或先在其终端按 Ctrl-C 停止。",
        ) from None
    os.ftruncate(file, 0)
    os.write(file, address.encode())
    return file


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise Refusal(
                    f"Port {port} is reserved for the administrator. Choose one above 1023:"
                    " `make demo PORT=8001`.",
                    f"端口 {port} 仅管理员可用。请选择 1023 以上的端口：make demo PORT=8001。",
                ) from None
            raise Refusal(
                f"Port {port} is in use by another program. Choose another one:"
                f" `make demo PORT={port + 1}`.",
                f"端口 {port} 已被其他程序占用。请换一个端口：make demo PORT={port + 1}。",
            ) from None


def parse_port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise Refusal(
        f"PORT is {text!r}; it has to be a number from 1 to 65535.",
        f"PORT 为 {text!r}，应为 1 到 65535 之间的数字。",
    )


def _reset(state: Path) -> None:
    if "EMBEDDED_STATE" not in os.environ and "DATABASE_URL" in os.environ:
        raise Refusal(
            "RESET=1 deletes only the project's own database; DATABASE_URL names another one."
            " Empty that one yourself.",
            "RESET=1 只会删除项目自带的数据库，而 DATABASE_URL 指定了其他数据库，请自行清空。",
        )
    embedded.reset(state)


def _noted(notes: Path) -> dict[str, str]:
    """What was prepared before; cut off in the middle, as by a full disk, it says nothing."""
    try:
        found: dict[str, str] = json.loads(notes.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def prepare(supervisor: Supervisor, state: Path, *, demo: bool) -> None:
    notes = state / "prepared.json"
    done = _noted(notes)
    todo = [step for step in steps(demo=demo) if done.get(step.name) != step.fingerprint()]

    def note(step: Step) -> None:
        done[step.name] = step.fingerprint()
        notes.write_text(json.dumps(done, indent=1))

    number = 0
    for together in _rounds(todo):
        for step in together:
            number += 1
            say(f"[{number}/{len(todo)}] {step.en} · {step.zh}")
        supervisor.do(together, note)
        if supervisor.signals:
            return


def _rounds(todo: Sequence[Step]) -> list[list[Step]]:
    """Steps of the database one after another; all that need none beside the second.

    The first shows whether settings and database are good: what is wrong with them is said once.
    """
    beside = [step for step in todo if not step.needs_database]
    others = [step for step in todo if step.needs_database]
    rounds = [others[:1], [*beside, *others[1:2]], *([step] for step in others[2:])]
    return [together for together in rounds if together]


def _accounts(supervisor: Supervisor) -> str:
    if not has_command("demo_accounts"):
        return ""
    command = [sys.executable, "manage.py", "demo_accounts"]
    asked = subprocess.run(
        command, cwd=ROOT, env=supervisor.environment, check=False, capture_output=True, text=True
    )
    return asked.stdout if asked.returncode == 0 else ""


def _banner(address: str, accounts: str, seconds: float) -> None:
    line = "─" * 72
    say(f"\n{line}\n  Ready after {seconds:.0f} s · 已就绪：  {address}")
    if accounts:
        say(f"\n{accounts.rstrip()}")
    say(f"\n  Ctrl-C stops everything and keeps the data. · 按 Ctrl-C 停止，数据会保留。\n{line}\n")


def run(*, state: Path, demo: bool, port: int, reset: bool) -> int:
    began = time.monotonic()
    address = f"http://{HOST}:{port}/"
    claimed = claim(state, address)
    check_port(port)
    if reset:
        _reset(state)  # takes the claim's file with it
        os.close(claimed)
        claim(state, address)
    supervisor = Supervisor()
    supervisor.listen()
    say("[0] PostgreSQL, Valkey · 启动数据库与消息队列")
    embedded.provide(state=state)
    supervisor.servers = state if "EMBEDDED_STATE" in os.environ else None
    supervisor.environment = {
        "DEMO": "true" if demo else "false",
        "SITE_URL": address.rstrip("/"),
        **os.environ,
        "STATE_DIR": str(state),
        "PYTHONUNBUFFERED": "1",
    }
    try:
        return _serve(supervisor, state, address, began, demo=demo, port=port)
    finally:
        supervisor.stop_all()
        if supervisor.servers is not None:
            stopped = embedded.release(state, patience=15)
            say(
                "PostgreSQL and Valkey stopped; the data is kept."
                if stopped
                else "PostgreSQL and Valkey go on for another program that uses them.",
                "数据库与消息队列已停止，数据已保留。"
                if stopped
                else "仍有其他程序在使用数据库与消息队列，它们将继续运行。",
            )


def _serve(
    supervisor: Supervisor,
    state: Path,
    address: str,
    began: float,
    *,
    demo: bool,
    port: int,
) -> int:
    prepare(supervisor, state, demo=demo)
    if supervisor.signals:
        return 0
    web, *others = programs(port)
    supervisor.start(web)
    answers = supervisor.wait_for_page(address)
    seconds = time.monotonic() - began
    for program in others:
        supervisor.start(program)
    if answers:
        _banner(address, _accounts(supervisor) if demo else "", seconds)
    return supervisor.watch()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m matchmaking.supervisor", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="fill in the demo data first")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
    parser.add_argument("--reset", action="store_true", help="delete the data and start over")
    options = parser.parse_args(arguments)
    env = os.environ
    state = Path(env.get("EMBEDDED_STATE") or env.get("STATE_DIR") or embedded.STATE).absolute()
    try:
        port = parse_port(options.port)
        return run(state=state, demo=options.demo, port=port, reset=options.reset)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
    except PermissionError:
        print(embedded.owned_by_another(state), file=sys.stderr)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = embedded.explain(state, str(error)) if full else embedded.unusable(state, error)
        print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
