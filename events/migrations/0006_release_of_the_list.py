from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone

from chains import migrating


def keep_what_is_public(apps, _schema_editor):
    """Lists whose moment has passed are public already."""
    events = apps.get_model("events", "Event").objects
    events.filter(list_published_at__lte=timezone.now()).update(
        list_released_at=F("list_published_at")
    )


class Migration(migrating.Migration):
    dependencies = [("events", "0005_event_calendar_and_reminder")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="list_is_held",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="list is held back"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="list_released_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="list went public"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=Q(list_is_held=False) | Q(list_published_at=None, list_released_at=None),
                name="event_list_is_held_or_has_a_moment",
            ),
        ),
        migrations.RunPython(keep_what_is_public, migrations.RunPython.noop, elidable=True),
    ]
