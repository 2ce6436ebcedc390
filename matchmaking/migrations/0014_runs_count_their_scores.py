from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from matchmaking.database.locks import taken_at_once


class Migration(migrations.Migration):
    """Counts what stands: a moment for 250,000 scores. A worker of the release before goes on beside it; what it writes
    from here on is not counted."""

    dependencies = [("matchmaking", "0013_scores_as_text")]

    operations = [
        taken_at_once("matchmaking_matchrun", "matchmaking_score"),
        migrations.AddField(
            "matchrun", "scores_written", models.PositiveIntegerField(db_default=0, default=0)
        ),
        migrations.RunSQL(
            """
            UPDATE matchmaking_matchrun r
               SET scores_written = s.number
              FROM (SELECT run_id, count(*) AS number FROM matchmaking_score GROUP BY run_id) s
             WHERE s.run_id = r.id
            """,
            migrations.RunSQL.noop,
            elidable=True,
        ),
        migrations.AlterField(
            "score",
            "run",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scores",
                to="matchmaking.matchrun",
            ),
        ),
    ]
