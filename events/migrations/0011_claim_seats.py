from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# As a function its statements are planned once a session: planning them took as long as executing them. Each sees what
# was committed before it began, so the second sees all who came before while the first waited for its locks. A single
# statement would judge the queue by what it saw before it waited. Line of the trail and Change ride along: everybody
# else waits for these rows, so nothing may travel to and fro meanwhile.
CLAIM_SEATS = """
CREATE OR REPLACE FUNCTION events_claim_seats(
    _id bigint, _event bigint, _rule varchar, _enterprise bigint, _own bigint, _seats integer, _partial boolean,
    _purposes varchar[], _claims boolean, _by bigint, _public_id varchar)
RETURNS SETOF events_registration LANGUAGE plpgsql AS $$
BEGIN
PERFORM id FROM events_tier WHERE event_id = _event ORDER BY id FOR NO KEY UPDATE;
RETURN QUERY
WITH room AS (
    SELECT tier.id, LEAST(_seats, tier.seats - tier.taken) AS seats
    FROM events_tier tier
    WHERE _claims AND tier.event_id = _event AND (tier.id = _own OR tier.is_general)
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
        priority = 0, priority_reason = '', decline_reason = ''
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


class Migration(migrations.Migration):
    dependencies = [("events", "0010_documents_and_map")]

    operations = [
        migrations.RunSQL(
            CLAIM_SEATS,
            "DROP FUNCTION events_claim_seats("
            "bigint, bigint, varchar, bigint, bigint, integer, boolean, varchar[], boolean, bigint, varchar)",
        ),
        # `registration_once` begins with the event. Of two indexes the planner took this one for an event its figures
        # do not know yet, and read all of the event's registrations for each new one.
        migrations.AlterField(
            model_name="registration",
            name="event",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registrations",
                to="events.event",
            ),
        ),
    ]
