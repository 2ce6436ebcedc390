from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from chains import labels


class MatchmakingConfig(AppConfig):
    name = "matchmaking"
    verbose_name = pgettext_lazy("application", "Matchmaking")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        labels.translate(self)
        # Makes the Celery application current, so that ring() knows the broker. Not in
        # matchmaking/__init__.py: importing the engine must load neither Django nor Celery.
        import_module("matchmaking.celery")
