#!/usr/bin/env python
from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from matchmaking import embedded

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
    embedded.provide()
    execute_from_command_line(sys.argv)
