from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from matchmaking import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
embedded.provide()

application = get_wsgi_application()
