from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from chains import labels


class ChainsConfig(AppConfig):
    name = "chains"
    verbose_name = pgettext_lazy("application", "Chains")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        labels.translate(self)
