from __future__ import annotations

import os
from importlib import import_module

# Slow to read: at the start, so that the first who searches does not wait for it.
import pypinyin  # noqa: F401
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from matchmaking import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
embedded.provide()

application = get_wsgi_application()
# All pages are read with their addresses; otherwise the first visitor of each process would wait for it.
import_module(settings.ROOT_URLCONF)
