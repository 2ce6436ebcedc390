from __future__ import annotations

from django.db import migrations

# Left to itself a session plans the statements of the function anew for each claim: with the numbers of one event at
# hand the planner expects less work by a hair, and planning took as long as all the rest, with the others waiting for
# the same seats.
CLAIM_SEATS = (
    "events_claim_seats("
    "bigint, bigint, varchar, bigint, bigint, integer, boolean, varchar[], boolean, bigint, varchar)"
)


class Migration(migrations.Migration):
    dependencies = [("events", "0015_search_without_accents_and_separators")]

    operations = [
        migrations.RunSQL(
            f"ALTER FUNCTION {CLAIM_SEATS} SET plan_cache_mode = force_generic_plan",
            f"ALTER FUNCTION {CLAIM_SEATS} RESET plan_cache_mode",
        )
    ]
