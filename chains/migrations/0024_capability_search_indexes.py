from __future__ import annotations

import django.db.models.expressions
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

import chains.models.base


class Migration(migrations.Migration):
    # Apart from the rows: PostgreSQL builds no index of a table whose foreign keys are still to be checked.
    dependencies = [("chains", "0023_capability_search")]
    operations = [
        migrations.AddIndex(
            "capability",
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="capability_search"),
        ),
        migrations.AddIndex(
            "capability",
            GinIndex(
                chains.models.base.SignsOf(django.db.models.expressions.F("search_text")),
                name="capability_signs",
            ),
        ),
    ]
