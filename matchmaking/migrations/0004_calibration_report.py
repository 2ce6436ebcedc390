from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [("matchmaking", "0003_score_basis")]
    operations = [
        migrations.AddField(
            model_name="weighting",
            name="report",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="weighting",
            name="based_on",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successors",
                to="matchmaking.weighting",
            ),
        ),
    ]
