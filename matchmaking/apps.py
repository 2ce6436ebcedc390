from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class MatchmakingConfig(AppConfig):
    name = "matchmaking"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Makes the Celery application current, so that ring() knows the broker. Not in
        # matchmaking/__init__.py: importing the engine must load neither Django nor Celery.
        import_module("matchmaking.celery")
