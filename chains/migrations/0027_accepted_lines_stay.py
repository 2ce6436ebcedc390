from __future__ import annotations

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("chains", "0026_rows_that_stay"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="requirementline",
            trigger=pgtrigger.compiler.Trigger(
                name="accepted_stay",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF EXISTS (\n                        SELECT FROM chains_requirement\n                         WHERE id = OLD.requirement_id AND status IN ('approved', 'published', 'closed')\n                    ) THEN\n                        RAISE EXCEPTION 'Cannot delete rows from % once they were accepted', TG_TABLE_NAME;\n                    END IF;\n                    RETURN OLD;\n                ",
                    hash="2cea15a98b67ffcdded10d7a2f0208906baec2c8",
                    operation="DELETE",
                    pgid="pgtrigger_accepted_stay_53e67",
                    table="chains_requirementline",
                    when="BEFORE",
                ),
            ),
        ),
    ]
