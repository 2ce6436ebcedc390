from __future__ import annotations

import pgtrigger
from django.db import models


class AuditEntry(models.Model):
    """Who did what to which row. No foreign keys, no personal data: it outlives everything else."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.BigIntegerField(null=True)  # User id; null = the system
    action = models.CharField(max_length=60)  # noun.past_participle
    target = models.CharField(max_length=80)  # app.Model:public_id
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["pk"]
        indexes = [models.Index(fields=["target", "id"], name="audit_target")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
