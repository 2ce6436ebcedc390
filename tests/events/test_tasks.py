from __future__ import annotations

import datetime

import pytest
from django.db import OperationalError
from django.template.loader import render_to_string
from django.utils import timezone, translation

from chains import changes
from chains.models import Change, ChangeReader, Notification
from events import tasks
from events.models import Event, Registration, Tier
from events.services import events, participation, registration
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

pytestmark = pytest.mark.django_db
KINDS = [
    "registration_submitted",
    "registration_confirmed",
    "registration_waitlisted",
    "registration_declined",
    "registration_cancelled",
    "event_cancelled",
]


def kinds():
    return sorted(Notification.objects.filter(channel="in_app").values_list("to", "kind"))


def test_read_changes_tells_the_editors_once(settled_feed):
    event, who = EventFactory(), MembershipFactory()
    MembershipFactory(enterprise=who.enterprise, role="viewer")
    row = registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)

    tasks.read_changes()
    tasks.read_changes()

    assert kinds() == [(who.user.pk, "registration_confirmed")]
    assert Notification.objects.first().context == {
        "registration": row.public_id,
        "event": event.public_id,
    }
    assert ChangeReader.objects.get(name="events").change == Change.objects.last().pk


def test_read_changes_decides_what_a_newly_verified_enterprise_applied_for(settled_feed):
    event, who = EventFactory(), MembershipFactory(enterprise__pending=True)
    registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    who.enterprise.status, who.enterprise.verified_at = "verified", timezone.now()
    who.enterprise.save()
    changes.record("enterprise", who.enterprise, "verified")

    tasks.read_changes()

    assert Registration.objects.get().status == "confirmed"
    assert [kind for _to, kind in kinds()] == ["registration_confirmed", "registration_submitted"]


def test_a_cancelled_event_is_told_as_such(settled_feed):
    event, who = EventFactory(), MembershipFactory()
    registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    events.cancel(event=event, reason="Storm warning", by=organiser_of(event))

    tasks.read_changes()

    assert ("event_cancelled" in {kind for _to, kind in kinds()}) is True


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_subject_of_one_line_and_a_text_with_a_link(kind, language):
    event, who = EventFactory(cancel_reason="Storm"), MembershipFactory()
    row = registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    context = {"event": event, "registration": row, "site": "https://example.com"}

    with translation.override(language):
        subject = render_to_string(f"emails/{kind}.subject.txt", context).strip()
        text = render_to_string(f"emails/{kind}.txt", context)

    name = event.name_zh if language == "zh-hans" else event.name_en
    assert name in subject
    assert "\n" not in subject
    assert f"https://example.com/events/{event.public_id}/register/" in text


def test_beat_releases_reserved_seats_and_ends_events():
    event = EventFactory(seats=0)
    TierFactory(event=event, general=True, seats=0)
    tier = TierFactory(event=event, seats=3, reserved_until=timezone.now())
    over = EventFactory(
        ends_at=timezone.now() - datetime.timedelta(minutes=1),
        starts_at=timezone.now() - datetime.timedelta(hours=8),
    )

    tasks.release_reserved_seats()
    tasks.mark_events_held()

    assert Tier.objects.get(pk=tier.pk).released_at is not None
    assert Tier.objects.get(event=event, is_general=True).seats == 3
    assert list(Event.objects.filter(status="held")) == [over]


def test_event_that_cannot_be_ended_holds_up_none_behind_it(monkeypatch, caplog):
    """Those behind a row that fails each time would otherwise wait for ever."""
    now = timezone.now()
    ends = {"starts_at": now - datetime.timedelta(hours=8), "ends_at": now}
    EventFactory(**ends)
    EventFactory(**ends)
    freeze, met = participation.freeze, []

    def failing(*, event):
        met.append(event)
        if event == met[0]:
            raise ValueError
        return freeze(event=event)

    monkeypatch.setattr("events.services.events.participation.freeze", failing)
    assert events.mark_held() == 1
    assert [Event.objects.get(pk=one.pk).status for one in met] == ["published", "held"]
    assert str(met[0]) in caplog.text

    monkeypatch.undo()
    assert events.mark_held() == 1


def test_database_that_is_away_ends_a_sweep_and_is_no_fault_of_a_row(monkeypatch):
    EventFactory(ends_at=timezone.now(), starts_at=timezone.now() - datetime.timedelta(hours=8))

    def away(**_event):
        raise OperationalError

    monkeypatch.setattr("events.services.events.participation.freeze", away)
    with pytest.raises(OperationalError):
        events.mark_held()
