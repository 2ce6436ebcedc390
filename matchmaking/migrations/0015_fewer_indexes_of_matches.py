from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from matchmaking.database.locks import taken_at_once


class Migration(migrations.Migration):
    """A moment for 250,000 matches."""

    dependencies = [("matchmaking", "0014_runs_count_their_scores")]

    operations = [
        taken_at_once("matchmaking_match"),
        migrations.RemoveIndex("match", "match_of_a_line"),
        migrations.RemoveIndex("match", "match_of_a_supplier"),
        migrations.AddIndex(
            "match", models.Index(fields=["supplier", "-tenths"], name="match_of_a_supplier")
        ),
        migrations.AlterField(
            "match",
            "supplier",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="chains.enterprise",
            ),
        ),
    ]
