from __future__ import annotations

from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [("events", "0004_check_in")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="reminded_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="reminder_days",
            field=models.PositiveSmallIntegerField(
                db_default=3, default=3, verbose_name="days before the event to remind guests"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="sequence",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("reminder_days__lte", 30)),
                name="event_reminds_within_a_month",
                violation_error_message="Guests are reminded at most 30 days before.",
            ),
        ),
    ]
