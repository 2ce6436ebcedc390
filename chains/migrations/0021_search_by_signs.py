from __future__ import annotations

import django.db.models.expressions
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

import chains.models.base

# In a language of its own, so that it is not written out where it is used: the database then knows that
# looking into every row costs far more than asking the index.
SIGNS_OF = """
CREATE FUNCTION signs_of(whole text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS $$ BEGIN RETURN string_to_array(whole, NULL); END $$
"""


def _index(name: str) -> GinIndex:
    signs = chains.models.base.SignsOf(django.db.models.expressions.F("search_text"))
    return GinIndex(signs, name=name)


class Migration(migrations.Migration):
    dependencies = [("chains", "0020_limits_of_tokens_reports_of_capabilities_outcome_of_lines")]
    operations = [
        migrations.RunSQL(SIGNS_OF, "DROP FUNCTION signs_of(text)"),
        migrations.AddIndex("enterprise", _index("enterprise_signs")),
        migrations.AddIndex("requirement", _index("requirement_signs")),
    ]
