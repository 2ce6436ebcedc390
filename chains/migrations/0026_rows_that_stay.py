from __future__ import annotations

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("chains", "0025_day_a_proof_was_revoked"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="capability",
            trigger=pgtrigger.compiler.Trigger(
                name="only_drafts_go",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (OLD.\"status\" = 'draft'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="01efdfd24df9231c73736cd23a8111140d0e7f1a",
                    operation="DELETE",
                    pgid="pgtrigger_only_drafts_go_3de98",
                    table="chains_capability",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="enterprise",
            trigger=pgtrigger.compiler.Trigger(
                name="stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="b4bbf1c28a28e7e42bf43af55a80e6108e446136",
                    operation="DELETE",
                    pgid="pgtrigger_stays_6f22d",
                    table="chains_enterprise",
                    when="BEFORE",
                ),
            ),
        ),
    ]
