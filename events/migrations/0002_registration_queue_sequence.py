from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "0001_gathering")]

    operations = [
        # One sequence for all queues: numbers only order, ranks are computed.
        migrations.RunSQL(
            "CREATE SEQUENCE registration_queue_seq", "DROP SEQUENCE registration_queue_seq"
        )
    ]
