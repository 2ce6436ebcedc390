from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("events", "0006_release_of_the_list"),
        ("matchmaking", "0005_interest_answers_and_thread"),
    ]

    operations = [
        migrations.AddField(
            model_name="interest",
            name="origin",
            field=models.CharField(
                choices=[("site", "On the site"), ("hall", "From the hall")],
                db_default="site",
                default="site",
                max_length=4,
                verbose_name="origin",
            ),
        ),
        migrations.AddField(
            model_name="interest",
            name="event",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interests",
                to="events.event",
            ),
        ),
        migrations.AddField(
            model_name="interest",
            name="delegate",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interests",
                to="events.delegate",
            ),
        ),
        migrations.AlterField(
            model_name="interest",
            name="sent_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="interest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("event__isnull", False), ("origin", "hall")),
                    models.Q(("delegate", None), ("event", None), ("origin", "site")),
                    _connector="OR",
                ),
                name="interest_from_a_hall_names_its_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="interest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sent_by__isnull", False), ("delegate__isnull", False), _connector="OR"
                ),
                name="interest_is_sent_by_somebody",
            ),
        ),
    ]
