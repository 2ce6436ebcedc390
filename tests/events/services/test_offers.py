"""J14: what comes free is offered to the head of the queue, stands for some hours, and goes on to the next."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from chains import audit, notifications
from chains.errors import DomainError
from chains.models import AuditEntry, Change, Notification, User
from events import permissions, tasks
from events.models import Delegate, Registration, Tier
from events.services import offers, registration, waiting_list
from tests.factories.chains import MembershipFactory, UserFactory
from tests.factories.events import EventFactory, RegistrationFactory, organiser_of

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


def apply(event, seats=1, **fields):
    who = MembershipFactory()
    row = registration.register(
        event=event, enterprise=who.enterprise, seats=seats, by=who.user, **fields
    )
    row.owner = who.user
    return row


def later(hours):
    return time_machine.travel(timezone.now() + hours * HOUR, tick=False)


def states(*rows):
    return [Registration.objects.get(pk=row.pk).status for row in rows]


def test_j14_two_of_three_seats_are_offered_for_a_day_and_lapse_to_the_next():
    event = EventFactory(seats=2, delegates_per_enterprise=3)
    seated = apply(event, 2)
    head = apply(event, 3, accepts_partial=True, delegates=["A", "B", "C"])
    second = apply(event, 1)

    registration.cancel(registration=seated, by=seated.owner)

    offered = Registration.objects.get(pk=head.pk)
    assert (offered.status, offered.seats_held, offered.seats_asked) == ("offered", 2, 3)
    assert abs(offered.offer_expires_at - timezone.now() - 24 * HOUR) < datetime.timedelta(
        minutes=1
    )
    assert Tier.objects.get().free == 0
    with later(23):
        tasks.keep_waiting_lists()
        assert states(head, second) == ["offered", "waitlisted"]
    with later(24.1):
        tasks.keep_waiting_lists()
        assert states(head, second) == ["lapsed", "offered"]
        with pytest.raises(DomainError, match="No seat is offered"):
            offers.accept(registration=head, by=head.owner)
    assert Tier.objects.get().taken == 1
    assert list(
        AuditEntry.objects.filter(action__in=["registration.lapsed", "registration.offered"])
        .order_by("pk")
        .values_list("actor", "action", "data__seats")
    ) == [
        (None, "registration.offered", 2),
        (None, "registration.lapsed", 2),
        (None, "registration.offered", 1),
    ]
    verbs = (
        Change.objects.filter(target=head.public_id).order_by("pk").values_list("verb", flat=True)
    )
    assert list(verbs) == ["waitlisted", "offered", "reminded", "lapsed"]


def test_accept_takes_the_offered_seats_once_and_drops_those_named_last():
    event = EventFactory(seats=1)
    seated, head = apply(event), apply(event, 2, accepts_partial=True, delegates=["A", "B"])
    registration.cancel(registration=seated, by=seated.owner)
    assert head.delegates.filter(status="active").count() == 2

    taken = offers.accept(registration=head, by=head.owner)
    again = offers.accept(registration=head, by=head.owner)

    assert (taken.status, again.status, taken.seats_held, taken.offer_expires_at) == (
        "confirmed", "confirmed", 1, None,
    )  # fmt: skip
    assert list(head.delegates.order_by("name").values_list("status", flat=True)) == [
        "active",
        "replaced",
    ]
    entry = AuditEntry.objects.get(action="registration.confirmed", target__endswith=head.public_id)
    assert (entry.actor, entry.data) == (head.owner.pk, {"seats": 1})


def test_accept_after_the_deadline_is_refused_before_the_clock_has_come_by():
    event = EventFactory(seats=1)
    seated, head = apply(event), apply(event)
    registration.cancel(registration=seated, by=seated.owner)

    with later(24.1), pytest.raises(DomainError) as refused:
        offers.accept(registration=head, by=head.owner)

    assert refused.value.code == "registration.offer_lapsed"
    assert states(head) == ["offered"]


@pytest.mark.parametrize("who", ["stranger", "organiser", "viewer"])
def test_an_offer_is_answered_by_editors_of_the_enterprise_only(who):
    event = EventFactory(seats=1)
    seated, head = apply(event), apply(event)
    registration.cancel(registration=seated, by=seated.owner)
    by = {
        "stranger": UserFactory,
        "organiser": lambda: organiser_of(event),
        "viewer": lambda: MembershipFactory(enterprise=head.enterprise, role="viewer").user,
    }[who]()

    with pytest.raises(DomainError) as refused:
        offers.accept(registration=head, by=by)
    with pytest.raises(DomainError):
        registration.give_back(registration=head, by=by)

    assert refused.value.is_refusal
    assert states(head) == ["offered"]


def test_who_got_a_place_and_cancels_is_not_offered_it_again():
    """The case: somebody who got a place cancels; the list moves on."""
    event = EventFactory(seats=1)
    seated, head, second = apply(event), apply(event), apply(event)
    registration.cancel(registration=seated, by=seated.owner)
    registration.cancel(registration=head, by=head.owner)
    assert states(seated, head, second) == ["cancelled", "cancelled", "offered"]
    registration.cancel(registration=second, by=second.owner)

    tasks.keep_waiting_lists()

    assert states(seated, head, second) == ["cancelled"] * 3
    assert Tier.objects.get().free == 1
    assert apply(event).status == "confirmed"


def test_whoever_let_an_offer_lapse_applies_again_behind_the_others():
    event = EventFactory(seats=1)
    seated, head, second, third = apply(event), apply(event), apply(event), apply(event)
    registration.cancel(registration=seated, by=seated.owner)
    with later(25):
        offers.lapse_due_offers()

    again = registration.register(event=event, enterprise=head.enterprise, seats=1, by=head.owner)

    assert (again.pk, again.status) == (head.pk, "waitlisted")
    assert waiting_list.ranks(event, [third, again]) == {third.pk: 1, again.pk: 2}
    assert states(second) == ["offered"]


def at(day, hour):
    return datetime.datetime(2026, 11, day, hour, tzinfo=timezone.get_default_timezone())


@pytest.mark.parametrize(
    ("made", "ends", "reminds"),
    [
        (at(24, 8), at(24, 20), at(24, 14)),
        (at(24, 10), at(25, 10), at(25, 8)),  # half of it is ten in the evening
        (at(24, 20), at(25, 20), at(25, 8)),  # … and the morning it begins with
        (at(23, 20), at(24, 8), at(24, 2)),  # gone before anybody is up: better woken
        (at(24, 18), at(25, 0), at(24, 21)),
        (at(24, 0), at(24, 16), at(24, 8)),
    ],
)
def test_an_offer_is_called_to_mind_at_half_of_its_time_but_in_no_night_it_outlives(
    made, ends, reminds
):
    event = EventFactory(
        seats=1, starts_at=ends, ends_at=ends + HOUR, offer_hours=336, registration_opens_at=made
    )
    row = RegistrationFactory(event=event, status="waitlisted")

    with time_machine.travel(made, tick=False):
        waiting_list.promote(event)

    row.refresh_from_db()
    assert (row.status, row.offer_expires_at) == ("offered", ends)
    assert row.offer_reminds_at == reminds


def test_who_has_not_answered_an_offer_is_reminded_once_in_the_own_language_and_who_has_is_not(
    settled_feed,
):
    with time_machine.travel(at(24, 10), tick=False):
        event = EventFactory(seats=2, name_zh="对接会", name_en="Docking event")
        seated = [apply(event), apply(event)]
        slow, quick = apply(event), apply(event)
        User.objects.filter(pk=slow.owner.pk).update(language="en")
        for row in seated:
            registration.cancel(registration=row, by=row.owner)
        offers.accept(registration=quick, by=quick.owner)
    with time_machine.travel(at(25, 7), tick=False):
        assert offers.remind_due() == 0
    with time_machine.travel(at(25, 8), tick=False):
        tasks.keep_waiting_lists()
        assert offers.remind_due() == 0
        tasks.read_changes()
        notices = list(Notification.objects.filter(kind="registration_reminded"))
        rows = notifications.rows_of(notices)
        said = {one: notifications.render(notices[0], rows, one) for one in ("en", "zh")}

    assert [(one.to, one.channel) for one in notices] == [
        (slow.owner, "in_app"),
        (slow.owner, "email"),
    ]
    assert said["en"].subject == "Your seat is held until 25 Nov 2026, 10:00: Docking event"
    assert "has not answered yet: 1 of 1 seats" in said["en"].body
    assert "对接会" in said["zh"].subject
    assert "尚未答复" in said["zh"].body
    assert permissions.link_for(slow, slow.owner.pk) in said["zh"].body
    assert notifications.calendar_of(notices[0], rows, "en") == ""
    assert states(slow, quick) == ["offered", "confirmed"]
    trail = AuditEntry.objects.filter(action="registration.reminded")
    assert [(one.actor, one.target) for one in trail] == [(None, audit.label(slow))]


def test_an_offer_ends_when_the_event_begins_but_stands_half_an_hour():
    event = EventFactory(
        seats=1, starts_at=timezone.now() + 3 * HOUR, ends_at=timezone.now() + 9 * HOUR
    )
    seated, head, second = apply(event), apply(event), apply(event)
    registration.cancel(registration=seated, by=seated.owner)
    assert Registration.objects.get(pk=head.pk).offer_expires_at == event.starts_at

    with later(4):
        offers.lapse_due_offers()
        left = Registration.objects.get(pk=second.pk).offer_expires_at - timezone.now()
        assert left == datetime.timedelta(minutes=30)


def test_a_head_that_asks_for_too_many_is_passed_over_once_after_the_hours_of_the_event_and_told():
    event = EventFactory(seats=1, offer_hours=2)
    big, bigger, small, other = apply(event, 2), apply(event, 2), apply(event), apply(event)
    waiting_list.promote(event)
    assert Registration.objects.get(pk=big.pk).blocks_since is not None

    with later(1):
        tasks.keep_waiting_lists()
        assert states(big, bigger, small) == ["waitlisted"] * 3
    with later(3):
        tasks.keep_waiting_lists()
        assert states(big, bigger, small, other) == [
            "waitlisted",
            "waitlisted",
            "offered",
            "waitlisted",
        ]
        skipped = AuditEntry.objects.filter(action="registration.skipped").order_by("pk")
        assert [entry.target[-12:] for entry in skipped] == [big.public_id, bigger.public_id]
        # Its place is still the first, and what comes free next waits for it anew.
        assert waiting_list.rank(Registration.objects.get(pk=big.pk)) == 1
        registration.cancel(registration=small, by=small.owner)
        assert states(big, other) == ["waitlisted", "waitlisted"]


def test_give_back_one_seat_keeps_the_others_and_the_next_is_offered_it():
    event = EventFactory(seats=3, delegates_per_enterprise=3)
    row, waits = apply(event, 3, delegates=["A", "B"]), apply(event)
    leaving = row.delegates.get(name="B")

    registration.give_back(registration=row, by=row.owner, leaving=[leaving])

    row.refresh_from_db()
    assert (row.status, row.seats_held, row.seats_asked) == ("confirmed", 2, 2)
    assert Delegate.objects.get(pk=leaving.pk).status == "replaced"
    assert states(waits) == ["offered"]
    assert AuditEntry.objects.get(action="registration.reduced").data == {"seats": 1, "left": 2}


@pytest.mark.parametrize(
    ("seats", "code"),
    [
        (2, "registration.too_many_seats"),
        (0, "registration.too_many_seats"),
        (1, "registration.too_many_delegates"),
    ],
)
def test_give_back_all_none_or_a_seat_somebody_is_named_for_is_refused(seats, code):
    row = apply(EventFactory(seats=2), 2, delegates=["A", "B"])

    with pytest.raises(DomainError) as refused:
        registration.give_back(registration=row, by=row.owner, seats=seats)

    assert refused.value.code == code
    assert Registration.objects.get(pk=row.pk).seats_held == 2


def test_a_seat_that_no_verb_has_moved_up_is_offered_by_the_clock():
    event = EventFactory(seats=1)
    apply(event)
    waits = apply(event)
    Tier.objects.update(seats=2)

    tasks.keep_waiting_lists()

    assert states(waits) == ["offered"]


def test_the_database_refuses_an_offer_without_a_deadline_or_without_seats():
    event = EventFactory(seats=1)
    apply(event)
    waits = apply(event)

    for fields in ({"seats_held": 1}, {"offer_expires_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Registration.objects.filter(pk=waits.pk).update(status="offered", **fields)


def test_the_link_of_a_letter_answers_for_its_reader_and_this_application_only():
    event = EventFactory(seats=1)
    apply(event)
    row = apply(event)
    link = permissions.link_for(row, row.owner.pk)

    assert permissions.by_link(link) == (row, row.owner)
    assert permissions.by_link(link[:-1] + ("a" if link[-1] != "a" else "b")) is None
    registration.cancel(registration=row, by=row.owner)
    registration.register(event=event, enterprise=row.enterprise, seats=1, by=row.owner)
    assert permissions.by_link(link) is None
