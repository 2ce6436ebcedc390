from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import chains.models.base

from chains import migrating

# As before, and: a draw with a published seed gives no seat before it is held, and who comes back agrees anew to be
# named.
CLAIM_SEATS = """
CREATE OR REPLACE FUNCTION events_claim_seats(
    _id bigint, _event bigint, _rule varchar, _enterprise bigint, _own bigint, _seats integer, _partial boolean,
    _purposes varchar[], _claims boolean, _by bigint, _public_id varchar)
RETURNS SETOF events_registration LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
PERFORM id FROM events_tier WHERE event_id = _event ORDER BY id FOR NO KEY UPDATE;
RETURN QUERY
WITH room AS (
    SELECT tier.id, LEAST(_seats, tier.seats - tier.taken) AS seats
    FROM events_tier tier
    WHERE _claims AND tier.event_id = _event AND (tier.id = _own OR tier.is_general)
      -- Before its draw nobody is given a seat; after it whoever comes stands behind all who wait.
      AND (_rule <> 'seeded_draw' OR EXISTS (SELECT FROM events_draw WHERE event_id = _event))
      AND (tier.seats - tier.taken >= _seats OR _partial AND tier.seats > tier.taken)
      AND NOT EXISTS (
          SELECT FROM events_registration known
          WHERE known.event_id = _event AND known.enterprise_id = _enterprise
            AND known.status NOT IN ('declined', 'cancelled', 'lapsed'))
      AND NOT EXISTS (
          -- Who stands before the new arrival by the published rule.
          SELECT FROM events_registration waiting
          WHERE waiting.event_id = _event AND waiting.status = 'waitlisted'
            AND (SELECT status FROM chains_enterprise WHERE id = waiting.enterprise_id) <> 'suspended'
            AND (tier.is_general OR waiting.tier_id = tier.id)
            AND (waiting.priority > 0 OR waiting.priority = 0 AND CASE _rule
                WHEN 'tier_then_arrival' THEN
                    (SELECT (w.is_general, w."order", w.id) <= (o.is_general, o."order", o.id)
                     FROM events_tier w, events_tier o WHERE w.id = waiting.tier_id AND o.id = _own)
                -- The lot of who comes back is the one of the first time: nobody draws again.
                WHEN 'draw' THEN md5(waiting.public_id) <= md5(COALESCE(
                    (SELECT public_id FROM events_registration
                     WHERE event_id = _event AND enterprise_id = _enterprise), _public_id))
                ELSE true END))
    ORDER BY tier.seats - tier.taken >= _seats DESC, tier.is_general
    LIMIT 1
), claimed AS (
    UPDATE events_tier tier SET taken = tier.taken + room.seats
    FROM room WHERE tier.id = room.id AND tier.taken + room.seats <= tier.seats
    RETURNING tier.id, room.seats
), written AS (
    INSERT INTO events_registration AS mine (
        id, public_id, created_at, updated_at, event_id, enterprise_id, status, purposes, seats_asked,
        accepts_partial, tier_id, seats_held, queued_at, queue_no, priority, priority_reason, decline_reason)
    SELECT COALESCE(_id, nextval(pg_get_serial_sequence('events_registration', 'id'))), _public_id, clock_timestamp(), clock_timestamp(), event.id, _enterprise,
        CASE WHEN NOT _claims THEN 'submitted' WHEN claimed.id IS NULL THEN 'waitlisted' ELSE 'confirmed' END,
        _purposes, _seats, _partial, COALESCE(claimed.id, _own), COALESCE(claimed.seats, 0),
        clock_timestamp(), nextval('registration_queue_seq'), 0, '', ''
    FROM events_event event LEFT JOIN claimed ON true
    WHERE event.id = _event AND event.status = 'published'
    ON CONFLICT (event_id, enterprise_id) DO UPDATE SET
        updated_at = excluded.updated_at, status = excluded.status, purposes = excluded.purposes,
        seats_asked = excluded.seats_asked, accepts_partial = excluded.accepts_partial, tier_id = excluded.tier_id,
        seats_held = excluded.seats_held, queued_at = excluded.queued_at, queue_no = excluded.queue_no,
        priority = 0, priority_reason = '', decline_reason = '',
        may_be_named = false
        WHERE mine.status IN ('declined', 'cancelled', 'lapsed')
    RETURNING mine.*
), trail AS (
    INSERT INTO chains_auditentry (at, actor, action, target, data)
    SELECT clock_timestamp(), _by, 'registration.' || written.status, 'events.Registration:' || written.public_id,
        jsonb_build_object('seats', CASE WHEN seats_held > 0 THEN seats_held ELSE seats_asked END)
    FROM written
), news AS (
    INSERT INTO chains_change (at, noun, target, verb)
    SELECT clock_timestamp(), 'registration', written.public_id, written.status FROM written
)
SELECT * FROM written;
END
$$
"""
PUBLIC_ID = models.CharField(
    default=chains.models.base.new_public_id, editable=False, max_length=12, unique=True
)
ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrating.Migration):
    dependencies = [
        ("chains", "0018_capability_photos_and_references"),
        ("events", "0016_claim_seats_planned_once"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="draws_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="moment of the draw"),
        ),
        migrations.AddField(
            model_name="event",
            name="draw_source_zh",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="event",
            name="draw_source_en",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="event",
            name="draw_commitment",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("draw_commitment", ""),
                    ("draw_commitment__regex", "^[0-9a-f]{64}$"),
                    _connector="OR",
                ),
                name="event_commits_to_a_digest",
                violation_error_message="A SHA-256 digest has 64 places, 0–9 and a–f.",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="waiting_rule",
            field=models.CharField(
                choices=[
                    ("arrival", "by arrival"),
                    ("tier_then_arrival", "by tier, then by arrival"),
                    ("draw", "by a lot drawn when one joins"),
                    ("seeded_draw", "by a draw with a published seed"),
                ],
                default="arrival",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="may_be_named",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="audience",
            field=models.CharField(
                choices=[
                    ("all", "All who have registered"),
                    ("confirmed", "Confirmed"),
                    ("waiting", "On the waiting list"),
                    ("unnamed", "Confirmed, with seats nobody is named for"),
                    ("tier", "One tier"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Draw",
            fields=[
                ("id", ID.clone()),
                ("public_id", PUBLIC_ID.clone()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("seed", models.CharField(max_length=200)),
                ("last_no", models.BigIntegerField()),
                (
                    "numbers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), size=None
                    ),
                ),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="draw",
                        to="events.event",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="LeadingGuest",
            fields=[
                ("id", ID.clone()),
                ("public_id", PUBLIC_ID.clone()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("text_zh", models.CharField(blank=True, max_length=200)),
                ("text_en", models.CharField(blank=True, max_length=200)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leads_at",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leading_guests",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "enterprise"), name="leading_guest_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(CLAIM_SEATS, migrations.RunSQL.noop),
    ]
