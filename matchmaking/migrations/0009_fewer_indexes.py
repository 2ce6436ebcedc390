from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("matchmaking", "0008_vectors_read_on")]

    operations = [
        migrations.AlterField(
            "match",
            "line",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="chains.requirementline",
            ),
        ),
        migrations.AlterField(
            "score",
            "match",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scores",
                to="matchmaking.match",
            ),
        ),
    ]
