from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Q

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [("events", "0013_event_cluster")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="delegates_until",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="delegates can be changed until"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=Q(delegates_until=None) | Q(delegates_until__lte=F("ends_at")),
                name="event_names_no_delegates_after_it_ends",
                violation_error_message="Delegates are named before the event ends.",
            ),
        ),
    ]
