from __future__ import annotations

from django.db import migrations

from chains.searchtext import TO_RENEW, renewed

BATCH = 500


def renew(apps, schema_editor):
    for name in ("Region", "Enterprise", "Requirement"):
        model = apps.get_model("chains", name)
        rows = model.objects.filter(search_text__regex=TO_RENEW, search_text__contains="\x1f")
        batch = []
        for row in rows.only("pk", "search_text").iterator(BATCH):
            new = renewed(row.search_text)
            if new != row.search_text:
                row.search_text = new
                batch.append(row)
            if len(batch) == BATCH:
                model.objects.bulk_update(batch, ["search_text"])
                batch = []
        model.objects.bulk_update(batch, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("chains", "0016_both_sides_whole")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop, elidable=True)]
