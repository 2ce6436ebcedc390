from django.db import migrations


class Migration(migrations.Migration):
    """A requirement is looked through by words of two characters, which no index of trigrams knows: unpacking its
    text took longer than searching it."""

    dependencies = [
        ("chains", "0010_import_key"),
    ]

    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE chains_requirement ALTER COLUMN search_text SET STORAGE EXTERNAL",
                "ALTER TABLE chains_requirement SET (toast_tuple_target = 8160)",
                # Written anew, or what stands stays packed.
                "UPDATE chains_requirement SET search_text = search_text || ''",
            ],
            [
                "ALTER TABLE chains_requirement ALTER COLUMN search_text SET STORAGE EXTENDED",
                "ALTER TABLE chains_requirement RESET (toast_tuple_target)",
            ],
        ),
    ]
