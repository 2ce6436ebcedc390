from __future__ import annotations

import os

# Slow to read: at the start, so that the first who searches does not wait for it.
import pypinyin  # noqa: F401
from django.core.wsgi import get_wsgi_application

from matchmaking import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
embedded.provide()

application = get_wsgi_application()
