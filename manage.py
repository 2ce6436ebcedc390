#!/usr/bin/env python
from __future__ import annotations

import os
import sys

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from matchmaking import embedded

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
    embedded.provide()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"A setting is wrong: {error}\n设置有误：{error}")
    except OperationalError as error:
        # Without a code it did not come from the server: there was none to answer.
        if not isinstance(error.__cause__, psycopg.Error) or error.__cause__.sqlstate is not None:
            raise
        why = str(error).splitlines()[0]
        sys.exit(f"The database does not answer: {why}\n数据库没有响应：{why}")
