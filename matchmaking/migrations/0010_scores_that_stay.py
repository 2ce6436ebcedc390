from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns that come without writing a row, and an index that goes: nothing here takes long on a full table."""

    dependencies = [("matchmaking", "0009_fewer_indexes")]

    operations = [
        migrations.AddField("score", "fingerprint", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField(
            "runshard",
            "settled_ids",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), blank=True, db_default=[], default=list
            ),
        ),
        migrations.AlterField(
            "score",
            "weighting",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="matchmaking.weighting",
            ),
        ),
    ]
