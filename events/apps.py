from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from chains import labels


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = pgettext_lazy("application", "Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        labels.translate(self)
