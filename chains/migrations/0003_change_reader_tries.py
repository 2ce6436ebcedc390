from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [("chains", "0002_requirement_amendment_seen")]

    operations = [
        migrations.AddField(
            model_name="changereader",
            name="stuck_on",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="changereader",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="changereader",
            name="tried_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
