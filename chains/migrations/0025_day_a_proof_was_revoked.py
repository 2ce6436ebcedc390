from __future__ import annotations

from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Concat, TruncDate

from chains import migrating

PROOFS = ("Qualification", "Certification")


def keep_the_day(apps, schema_editor):
    """Of what is revoked already: the day the trail tells, else that of the last change of the row."""
    entries = apps.get_model("chains", "AuditEntry").objects.order_by("-pk")
    for name in PROOFS:
        told = entries.filter(
            action=f"{name.lower()}.revoked",
            target=Concat(Value(f"chains.{name}:"), OuterRef("public_id")),
        ).values(day=TruncDate("at"))[:1]
        rows = apps.get_model("chains", name).objects.filter(status="revoked", revoked_on=None)
        rows.update(revoked_on=Coalesce(Subquery(told), TruncDate("updated_at")))


class Migration(migrating.Migration):
    dependencies = [("chains", "0024_capability_search_indexes")]
    operations = [
        *(
            migrations.AddField(name.lower(), "revoked_on", models.DateField(blank=True, null=True))
            for name in PROOFS
        ),
        *(
            migrations.AddConstraint(
                name.lower(),
                models.CheckConstraint(
                    condition=Q(revoked_on=None) | Q(status="revoked"),
                    name=f"{name.lower()}_with_a_day_of_revoking_is_revoked",
                ),
            )
            for name in PROOFS
        ),
        migrations.RunPython(keep_the_day, migrations.RunPython.noop, elidable=True),
    ]
