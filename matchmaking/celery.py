from __future__ import annotations

import os

from celery import Celery, signals
from django.db import close_old_connections

# No servers are started here: AppConfig.ready() imports this module, and tools that only read
# the models (mypy, makemessages) must start nothing. The supervisor provides the addresses.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")
# A worker has a process for each core; threads of the matrix library on top of them only wait for each other.
# Read once, when numpy is imported: this module comes before.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# They are made before anything starts (migrate, the container's start), and for them a worker would import every page.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("matchmaking")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# As each request begins: what the server ended, or what is older than CONN_MAX_AGE, is left.
signals.task_prerun.connect(close_old_connections)
