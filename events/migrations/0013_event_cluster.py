from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chains", "0015_cluster"), ("events", "0012_offer_reminder")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="cluster",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="chains.cluster",
            ),
        ),
    ]
