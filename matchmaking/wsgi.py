from __future__ import annotations

import os

# Slow to read: at the start, so that the first who searches does not wait for it.
import pypinyin  # noqa: F401
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse
from django.utils import translation

from matchmaking import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
embedded.provide()

application = get_wsgi_application()
# All pages are read with their addresses, which are put together for each language; otherwise the first visitor of each
# process would wait for it.
for language, _name in settings.LANGUAGES:
    with translation.override(language):
        reverse("home")
