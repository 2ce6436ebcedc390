from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models

from chains import migrating

# Events that were held before: who came as the doors say, and where nobody was scanned the confirmed places. What the
# enterprises are today is not what they were then, so their qualifications of the day stay unknown.
CAME = """
WITH last_word AS (
    SELECT DISTINCT ON (c.delegate_id) c.delegate_id, c.kind FROM events_checkin c
    WHERE c.kind <> 'refused' ORDER BY c.delegate_id, c.scanned_at DESC, c.id DESC
), came AS (
    SELECT d.registration_id, count(*) AS persons
    FROM last_word l JOIN events_delegate d ON d.id = l.delegate_id WHERE l.kind <> 'undo' GROUP BY 1
)
UPDATE events_registration r SET attended = CASE
    WHEN EXISTS (SELECT FROM events_checkin c WHERE c.event_id = e.id AND c.kind <> 'refused')
    THEN coalesce((SELECT persons FROM came WHERE came.registration_id = r.id), 0)
    ELSE r.seats_held END
FROM events_event e
WHERE e.id = r.event_id AND e.status IN ('held', 'archived') AND r.status = 'confirmed'
"""


class Migration(migrating.Migration):
    dependencies = [("events", "0008_invitations")]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="attended",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="registration",
            name="qualifications_held",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=32), blank=True, null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="attendance_note",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
        migrations.RunSQL(CAME, migrations.RunSQL.noop),
    ]
