from __future__ import annotations

import django.core.validators
from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    dependencies = [("chains", "0012_user_erased_holds_nobody")]

    operations = [
        migrations.AddField(
            model_name="province",
            name="logo",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="province",
            name="colour",
            field=models.CharField(
                blank=True,
                default="",
                max_length=7,
                validators=[
                    django.core.validators.RegexValidator(
                        "^#[0-9a-fA-F]{6}$", "Write the colour as #0b5563."
                    )
                ],
            ),
        ),
    ]
