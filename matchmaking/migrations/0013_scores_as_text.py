from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import matchmaking.models.matches

JSON_COLUMNS = ("parts", "reasons", "outcomes")


def as_type(kind: str) -> str:
    """In one statement, so that the table is written once."""
    columns = ", ".join(f"ALTER {name} TYPE {kind} USING {name}::{kind}" for name in JSON_COLUMNS)
    return f"ALTER TABLE matchmaking_score {columns}"


class Migration(migrations.Migration):
    """Scores are written once more, six seconds for 225,000; nobody reads them meanwhile.

    A process of the release before goes on: it reads text as JSON as it is, what it writes as JSON becomes text, and it
    still fills the column of public ids. That column is empty in new rows and goes with the release after this one.
    """

    dependencies = [
        ("chains", "0027_accepted_lines_stay"),
        ("matchmaking", "0012_names_without_constraints"),
    ]

    operations = [
        # A shard that a worker is writing ends first; tables taken from under it would have each wait for the other.
        migrations.RunSQL(
            "LOCK TABLE matchmaking_runshard IN EXCLUSIVE MODE", migrations.RunSQL.noop
        ),
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    """
                    ALTER TABLE matchmaking_score
                        DROP CONSTRAINT matchmaking_score_public_id_key,
                        ALTER public_id DROP NOT NULL
                    """,
                    migrations.RunSQL.noop,
                )
            ],
            [migrations.RemoveField(model_name="score", name="public_id")],
        ),
        migrations.AlterField(
            model_name="match",
            name="line",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="chains.requirementline",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(as_type("text"), as_type("jsonb"))],
            [
                migrations.AlterField(
                    model_name="score",
                    name="parts",
                    field=matchmaking.models.matches.JSONAsText(),
                ),
                migrations.AlterField(
                    model_name="score",
                    name="reasons",
                    field=matchmaking.models.matches.JSONAsText(),
                ),
                migrations.AlterField(
                    model_name="score",
                    name="outcomes",
                    field=matchmaking.models.matches.JSONAsText(default=list),
                ),
            ],
        ),
    ]
