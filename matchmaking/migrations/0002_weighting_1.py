from __future__ import annotations

from django.db import migrations
from django.utils import timezone

# Frozen: what engine.weights.WEIGHTING_1 was when this version was shipped. A change of the constants is a new
# version with a new migration, or old scores would be read with points they were not given.
WEIGHTS = {
    "version": 1,
    "text": 45,
    "category": 25,
    "conditions": 20,
    "locality": 10,
    "must": 2,
    "prefer": 1,
    "same_county": 1.0,
    "same_city": 0.75,
    "same_province": 0.4,
    "same_group": 0.2,
    "decay_km": 80.0,
    "same_u": 3.0,
    "same_t": 2.0,
    "same_b": 0.6,
    "same_constant": -2.5,
    "across_u": 5.5,
    "across_t": 4.0,
    "across_b": 1.0,
    "across_constant": -2.7,
    "leaf": 0.45,
    "parent": 0.43,
    "chain": 0.12,
}


def create(apps, schema_editor):
    apps.get_model("matchmaking", "Weighting").objects.get_or_create(
        version=1,
        province=None,
        defaults={"weights": WEIGHTS, "status": "active", "activated_at": timezone.now()},
    )


class Migration(migrations.Migration):
    dependencies = [("matchmaking", "0001_introduction")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
