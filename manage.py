#!/usr/bin/env python
from __future__ import annotations

import os
import sys

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from matchmaking import embedded


def explain(error: OperationalError) -> str | None:
    """What happened to the database, where that is what happened; nothing for a fault of ours."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    why = str(error).splitlines()[0]
    # Without a code it did not come from the server: there was none to answer.
    if cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P")):
        return f"The database does not answer: {why}\n数据库没有响应：{why}"
    if isinstance(cause, psycopg.errors.DiskFull):
        return (
            f"The disk of the database is full: {why}. Make room and run this again.\n"
            f"数据库所在磁盘已满：{why}。请清理空间后重新运行。"
        )
    return None


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
    embedded.provide()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"A setting is wrong: {error}\n设置有误：{error}")
    except OperationalError as error:
        if (said := explain(error)) is None:
            raise
        sys.exit(said)
