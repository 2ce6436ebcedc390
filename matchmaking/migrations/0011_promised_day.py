from __future__ import annotations

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def promise(apps, schema_editor):
    """What stands was promised by the day the requirement names now: no other is known."""
    interests = apps.get_model("matchmaking", "Interest").objects
    requirements = apps.get_model("chains", "Requirement").objects
    named = requirements.filter(pk=OuterRef("requirement")).values("answer_by_on")[:1]
    interests.update(answer_by_on=Subquery(named))


class Migration(migrations.Migration):
    dependencies = [("matchmaking", "0010_scores_that_stay")]

    operations = [
        migrations.AddField("interest", "answer_by_on", models.DateField(blank=True, null=True)),
        migrations.RunPython(promise, migrations.RunPython.noop, elidable=True),
    ]
