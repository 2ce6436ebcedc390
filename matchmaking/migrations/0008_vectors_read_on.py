from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("matchmaking", "0007_alerts_and_attachments")]

    operations = [
        migrations.AddField(
            model_name="textvector",
            name="read_on",
            field=models.DateField(default=django.utils.timezone.localdate),
        ),
    ]
