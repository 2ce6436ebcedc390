from __future__ import annotations

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    """Constraints and indexes that go, and triggers that come: nothing here takes long on a full table."""

    dependencies = [
        ("chains", "0026_rows_that_stay"),
        ("matchmaking", "0011_promised_day"),
    ]

    operations = [
        # A shard that a worker is writing ends first; tables taken from under it would have each wait for the other.
        migrations.RunSQL(
            "LOCK TABLE matchmaking_runshard IN EXCLUSIVE MODE", migrations.RunSQL.noop
        ),
        # Django makes them for the sake of LIKE; nobody looks for a part of a public id.
        migrations.RunSQL(
            """
            DROP INDEX IF EXISTS matchmaking_match_public_id_1dee6ceb_like;
            DROP INDEX IF EXISTS matchmaking_score_public_id_1f45f337_like;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="match",
            name="score",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="matchmaking.score",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="supplier",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="chains.enterprise",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="capability",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="chains.capability",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="match",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scores",
                to="matchmaking.match",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="run",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scores",
                to="matchmaking.matchrun",
            ),
        ),
        migrations.AlterField(
            model_name="score",
            name="weighting",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="matchmaking.weighting",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="match",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_while_named",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (SELECT FROM matchmaking_score WHERE match_id = OLD.id) THEN\n                RAISE EXCEPTION 'A row of % is still named', TG_TABLE_NAME\n                    USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            RETURN OLD;\n        ",
                    hash="7e0403603e2ded1ff5a01db125da5629fba12d0a",
                    operation="DELETE",
                    pgid="pgtrigger_stays_while_named_67956",
                    table="matchmaking_match",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="matchrun",
            trigger=pgtrigger.compiler.Trigger(
                name="stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="a9b80c1c89a6315184f7595807659c3c592261d7",
                    operation="DELETE",
                    pgid="pgtrigger_stays_ecc20",
                    table="matchmaking_matchrun",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="score",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_while_named",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (SELECT FROM matchmaking_match WHERE id = OLD.match_id AND score_id = OLD.id) THEN\n                RAISE EXCEPTION 'A row of % is still named', TG_TABLE_NAME\n                    USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            RETURN OLD;\n        ",
                    hash="230bcc5ffb1aeae56b0e4c5795f828d026250204",
                    operation="DELETE",
                    pgid="pgtrigger_stays_while_named_11ae7",
                    table="matchmaking_score",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="weighting",
            trigger=pgtrigger.compiler.Trigger(
                name="stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="1d96457f6d3a237bf2461a53ed555f3fc809db12",
                    operation="DELETE",
                    pgid="pgtrigger_stays_3cae9",
                    table="matchmaking_weighting",
                    when="BEFORE",
                ),
            ),
        ),
    ]
