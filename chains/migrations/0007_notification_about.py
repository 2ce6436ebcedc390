from __future__ import annotations

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chains", "0006_phone_and_consent")]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("context", name="jsonb_path_ops"),
                name="notification_about",
            ),
        ),
    ]
