from __future__ import annotations

from django.db import migrations

# Not written out where they are used, so that the database counts what it is told. A plan that must read every
# text is dear then; and a regular expression is tried on what all other conditions have left.
TAKES_READING = """
CREATE FUNCTION takes_reading(whole text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT COST 10000
AS $$ BEGIN RETURN true; END $$
"""
SAYS = """
CREATE FUNCTION says(whole text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT COST 10000
AS $$ BEGIN RETURN whole ~ pattern; END $$
"""


class Migration(migrations.Migration):
    dependencies = [("chains", "0021_search_by_signs")]
    operations = [
        migrations.RunSQL(TAKES_READING, "DROP FUNCTION takes_reading(text)"),
        migrations.RunSQL(SAYS, "DROP FUNCTION says(text, text)"),
    ]
