from __future__ import annotations

from django.db import migrations, models

from chains.searchtext import document

BATCH = 500


def write(apps, schema_editor):
    rows = apps.get_model("chains", "Capability").objects.order_by("pk")
    last = 0
    while batch := list(
        rows.filter(pk__gt=last).prefetch_related("categories", "references")[:BATCH]
    ):
        last = batch[-1].pk
        for row in batch:
            said = [row.title_zh, row.title_en, row.text_zh, row.text_en]
            for one in row.references.all():
                said.append(" ".join(filter(None, [one.text, one.customer, one.place])))
            named = [name for one in row.categories.all() for name in (one.name_zh, one.name_en)]
            row.search_text = document("\n".join(filter(None, said)), synonyms=named)
        rows.bulk_update(batch, ["search_text"])


def forget_references(apps, schema_editor):
    """An enterprise was found by its references; now its capabilities are, as long as they are published."""
    model = apps.get_model("chains", "Enterprise")
    rows = model.objects.filter(capabilities__references__isnull=False).distinct()
    for row in rows.prefetch_related("aliases"):
        aliases = sorted(row.aliases.all(), key=lambda alias: alias.pk)
        names = filter(None, [row.name, row.name_en, *(alias.text for alias in aliases)])
        row.search_text = document(row.summary, names=dict.fromkeys(names))
        row.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [("chains", "0022_what_reading_a_text_takes")]
    operations = [
        migrations.AddField(
            "capability",
            "search_text",
            models.TextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.RunPython(write, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(forget_references, migrations.RunPython.noop, elidable=True),
    ]
