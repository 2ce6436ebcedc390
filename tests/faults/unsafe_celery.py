"""The worker as Celery would have it: acknowledged first, worked on afterwards."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "matchmaking.settings")

app = Celery("unsafe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(task_acks_late=False, task_reject_on_worker_lost=False)
app.autodiscover_tasks()
