from __future__ import annotations

import datetime
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Qualification, QualificationKind
from events import statistics
from events.models import CheckIn, Delegate
from events.services import checkin, events, participation
from tests.factories.chains import OrganiserRoleFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


def over(**fields):
    """An event that ended an hour ago and is not marked yet."""
    now = timezone.now()
    return EventFactory(starts_at=now - 9 * HOUR, ends_at=now - HOUR, **fields)


def guest(event, persons=2):
    row = RegistrationFactory(event=event, seats_asked=persons)
    for number in range(persons):
        Delegate.objects.create(registration=row, event=event, name=f"Person {number}")
    return row


def tag(enterprise, code):
    kind = QualificationKind.objects.get(code=code)
    return Qualification.objects.create(
        enterprise=enterprise, kind=kind, valid_from="2020-01-01", status="verified"
    )


def scan(event, person, by, undo=False):
    act = checkin.undo if undo else checkin.check_in
    who = {"delegate": person} if undo else {"code": person.short_code}
    return act(event=event, by=by, nonce=uuid.uuid4(), gate="North", **who)


def attended(*rows):
    for row in rows:
        row.refresh_from_db()
    return [row.attended for row in rows]


def test_held_writes_down_who_came_and_what_they_were_that_day():
    event = over()
    by = organiser_of(event)
    two, one, none = guest(event), guest(event), guest(event)
    waiting = RegistrationFactory(event=event, status="waitlisted")
    tag(two.enterprise, "little_giant")
    for person in (*two.delegates.all(), one.delegates.first()):
        scan(event, person, by)

    events.mark_held()

    assert attended(two, one, none, waiting) == [2, 1, 0, None]
    assert (two.qualifications_held, one.qualifications_held) == (["little_giant"], [])
    assert waiting.qualifications_held is None
    assert AuditEntry.objects.get(action="event.held").data == {"bodies": 2}


def test_row_40_later_tags_change_nothing():
    event = over()
    row = guest(event)
    held = tag(row.enterprise, "little_giant")
    events.mark_held()

    held.status = "revoked"
    held.save()
    tag(row.enterprise, "chain_owner")
    participation.freeze(event=event)

    row.refresh_from_db()
    assert row.qualifications_held == ["little_giant"]


def test_event_without_doors_counts_its_confirmed_places():
    event = over()
    row = guest(event, persons=3)

    events.mark_held()

    assert attended(row) == [3]


def test_scans_kept_offline_count_when_they_come_after_the_end():
    event = over()
    by = organiser_of(event)
    first, second = guest(event), guest(event)
    scan(event, first.delegates.first(), by)
    events.mark_held()
    assert attended(first, second) == [1, 0]

    scan(event, second.delegates.first(), by)

    assert attended(first, second) == [1, 1]
    scan(event, second.delegates.first(), by, undo=True)
    assert attended(first, second) == [1, 0]


def test_correction_says_why_and_stands_against_late_scans():
    event = over()
    by = organiser_of(event)
    row, other = guest(event), guest(event)
    scan(event, other.delegates.first(), by)
    events.mark_held()

    participation.correct(registration=row, persons=2, reason="Signed on paper", by=by)
    scan(event, row.delegates.first(), by)

    assert attended(row, other) == [2, 1]
    assert row.attendance_note == "Signed on paper"
    assert AuditEntry.objects.get(action="registration.attendance_corrected").data == {
        "before": 0,
        "after": 2,
    }


def test_correction_is_refused_before_the_end_to_others_without_a_reason_and_beyond_the_seats():
    event, ahead = over(), EventFactory()
    by = organiser_of(event)
    row, later = guest(event), guest(ahead)
    events.mark_held()

    for registration, persons, reason, who, said in (
        (later, 1, "Why", organiser_of(ahead), "corrected after the event"),
        (row, 1, "Why", OrganiserRoleFactory().user, "Only organisers of this event"),
        (row, 1, "  ", by, "Say why"),
        (row, 3, "Why", by, "At most 2 persons"),
    ):
        with pytest.raises(DomainError, match=said):
            participation.correct(registration=registration, persons=persons, reason=reason, by=who)
    assert attended(row, later) == [2, None]


def test_guest_list_after_the_event_shows_who_came_and_takes_a_correction(client):
    event = over(series=[])
    by = organiser_of(event)
    came, absent = guest(event), guest(event)
    scan(event, came.delegates.first(), by)
    events.mark_held()
    client.force_login(by)
    address = reverse("events:guest_list", args=[event.public_id])

    page = client.get(address).content.decode()
    assert ("1 person came" in page, "Did not come" in page) == (True, True)
    listed = client.get(address, {"state": "absent"}).context["page_obj"]
    assert [row.pk for row in listed] == [absent.pk]
    answer = client.post(
        reverse("events:registration_decide", args=[absent.public_id]),
        {"action": "attendance", "persons": "2", "reason": "Signed on paper", "next": address},
        follow=True,
    )

    assert "corrected, persons who came: 2" in answer.content.decode()
    assert CheckIn.objects.filter(event=event).count() == 1
    assert statistics.heads(event).inside == 1
