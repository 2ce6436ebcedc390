from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0011_claim_seats")]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="offer_reminds_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
