from __future__ import annotations

import datetime
import hashlib

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from chains.errors import DomainError
from chains.models import AuditEntry, Change, Qualification, QualificationKind
from chains.templatetags.localised import moment
from events.models import Delegate, Event, Registration, Tier
from events.services import admission, offers, registration, tiers, waiting_list
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)
from tests.factories.events import EventFactory, RegistrationFactory, TierFactory, organiser_of

pytestmark = pytest.mark.django_db


def member(**fields):
    return MembershipFactory(**{f"enterprise__{name}": value for name, value in fields.items()})


def apply(event, seats=1, who=None, **fields):
    who = who or member()
    return registration.register(
        event=event, enterprise=who.enterprise, seats=seats, by=who.user, **fields
    )


def qualify(enterprise, code="little_giant", until=None, status="verified"):
    return Qualification.objects.create(
        enterprise=enterprise,
        kind=QualificationKind.objects.get(code=code),
        valid_from=datetime.date(2019, 1, 1),
        valid_until_on=until,
        status=status,
    )


def queue(event):
    rows = event.registrations.filter(status="waitlisted")
    return {row.enterprise_id: waiting_list.ranks(event, rows)[row.pk] for row in rows}


@pytest.mark.parametrize(("seats", "status", "taken"), [(2, "confirmed", 2), (1, "waitlisted", 0)])
def test_register_two_delegates_gives_both_seats_or_a_turn_on_the_waiting_list(
    seats, status, taken
):
    event, who = EventFactory(seats=seats), member()

    row = apply(event, 2, who, purposes=["supply", "supply", "buy"])

    stored = Registration.objects.get()
    assert (stored.pk, stored.status, stored.seats_asked, stored.purposes) == (
        row.pk,
        status,
        2,
        ["supply", "buy"],
    )
    assert Tier.objects.get().taken == taken
    assert [(a.actor, a.action, a.target) for a in AuditEntry.objects.all()] == [
        (who.user.pk, f"registration.{status}", f"events.Registration:{row.public_id}")
    ]
    assert [(c.noun, c.target, c.verb) for c in Change.objects.all()] == [
        ("registration", row.public_id, status)
    ]


def test_register_twice_gives_the_answer_of_the_first_time():
    event, who = EventFactory(seats=10), member()

    first, second = apply(event, 2, who), apply(event, 1, who)

    assert (first.pk, first.status) == (second.pk, second.status)
    assert (second.seats_held, Tier.objects.get().taken) == (2, 2)
    assert AuditEntry.objects.count() == Change.objects.count() == 1


def test_register_partial_takes_what_is_free():
    event = EventFactory(seats=2)

    row = apply(event, 1)
    less = apply(event, 2, accepts_partial=True)

    assert (row.status, less.status, less.seats_held) == ("confirmed", "confirmed", 1)
    assert Tier.objects.get().free == 0


def test_register_partial_names_persons_for_the_seats_it_got():
    event = EventFactory(seats=1)

    row = apply(event, 2, accepts_partial=True, delegates=["Delegate A", "Delegate B"])

    assert (row.status, row.seats_held) == ("confirmed", 1)
    assert list(row.delegates.order_by("pk").values_list("name", "status")) == [
        ("Delegate A", "active"),
        ("Delegate B", "replaced"),
    ]


def test_register_behind_a_blocking_head_waits_though_a_seat_is_free():
    event = EventFactory(seats=3)
    apply(event, 2)
    head = apply(event, 2)

    later = apply(event, 1)

    assert (head.status, later.status) == ("waitlisted", "waitlisted")
    assert queue(event) == {head.enterprise_id: 1, later.enterprise_id: 2}
    assert Tier.objects.get().free == 1


def test_register_after_closing_is_refused(yesterday):
    event = EventFactory(registration_closes_at=yesterday)

    with pytest.raises(DomainError, match="has closed") as refused:
        apply(event)

    assert refused.value.code == "registration.closed"
    assert not Registration.objects.exists()


def test_register_before_opening_is_refused():
    soon = timezone.now() + datetime.timedelta(hours=1)

    with pytest.raises(DomainError, match="not opened yet"):
        apply(EventFactory(registration_opens_at=soon))


@pytest.mark.parametrize("status", ["draft", "cancelled", "held"])
def test_register_at_an_event_that_is_not_published_is_refused(status):
    with pytest.raises(DomainError, match="has closed"):
        apply(EventFactory(status=status, cancel_reason="x"))


@pytest.mark.parametrize("seats", [0, 3])
def test_register_beyond_the_cap_of_an_enterprise_is_refused(seats):
    with pytest.raises(DomainError, match="at most 2 seats") as refused:
        apply(EventFactory(delegates_per_enterprise=2), seats)

    assert refused.value.code == "registration.too_many_seats"


@pytest.mark.parametrize("role", ["viewer", None])
def test_register_by_others_than_editors_is_refused(role):
    enterprise = EnterpriseFactory()
    by = MembershipFactory(enterprise=enterprise, role=role).user if role else UserFactory()

    with pytest.raises(DomainError) as refused:
        registration.register(event=EventFactory(), enterprise=enterprise, seats=1, by=by)

    assert refused.value.is_refusal
    assert not Registration.objects.exists()


def test_register_a_suspended_enterprise_is_refused():
    with pytest.raises(DomainError) as refused:
        apply(EventFactory(), who=member(status="suspended"))

    assert refused.value.is_refusal


def test_a_pending_enterprise_stays_submitted_until_it_is_verified():
    event, who = EventFactory(seats=1), member(pending=True)

    row = apply(event, 1, who)
    others = apply(event, 1)
    late = apply(event, 1)
    assert (row.status, others.status, late.status) == ("submitted", "confirmed", "waitlisted")
    who.enterprise.status, who.enterprise.verified_at = "verified", timezone.now()
    who.enterprise.save()
    count = admission.confirm_waiting_submissions(who.enterprise)

    assert count == 1
    # It applied first, so it stands before the one that came later.
    assert queue(event) == {row.enterprise_id: 1, late.enterprise_id: 2}
    entry = AuditEntry.objects.filter(action="registration.waitlisted").last()
    assert (entry.actor, entry.target) == (None, f"events.Registration:{row.public_id}")


def test_confirm_waiting_submissions_gives_a_free_seat():
    event, who = EventFactory(seats=1), member(pending=True)
    row = apply(event, 1, who)
    who.enterprise.status, who.enterprise.verified_at = "verified", timezone.now()
    who.enterprise.save()

    admission.confirm_waiting_submissions(who.enterprise)

    row.refresh_from_db()
    assert (row.status, row.seats_held) == ("confirmed", 1)


def test_confirm_waiting_submissions_leaves_reviewed_events_to_their_organiser():
    event, who = EventFactory(admission="reviewed"), member(pending=True)
    row = apply(event, 1, who)
    who.enterprise.status, who.enterprise.verified_at = "verified", timezone.now()
    who.enterprise.save()

    assert admission.confirm_waiting_submissions(who.enterprise) == 0
    row.refresh_from_db()
    assert row.status == "submitted"


# ---- tiers (row 14) ----


def test_own_tier_is_used_before_the_general_one():
    event = EventFactory(seats=5)
    own = TierFactory(event=event, seats=1)
    first, second = member(), member()
    for who in (first, second):
        qualify(who.enterprise)

    assert apply(event, 1, first).tier_id == own.pk
    assert apply(event, 1, second).tier.is_general


@pytest.mark.parametrize("fields", [{"status": "claimed"}, {"until": datetime.date(2020, 1, 1)}])
def test_a_qualification_not_in_force_opens_no_reserved_seat(fields):
    event, who = EventFactory(seats=1), member()
    TierFactory(event=event, seats=5)
    qualify(who.enterprise, **fields)

    assert apply(event, 1, who).tier.is_general


def test_reserved_seats_go_only_to_their_tier_until_they_are_released():
    event = EventFactory(seats=1)
    own = TierFactory(event=event, seats=2, qualifications=[], participant_kinds=["university"])
    apply(event, 1)
    waiting = apply(event, 1)
    assert apply(event, 1, member(kind_id="university")).tier_id == own.pk
    assert tiers.release_due_tiers() == 0

    Tier.objects.filter(pk=own.pk).update(reserved_until=timezone.now())
    released = tiers.release_due_tiers()

    waiting.refresh_from_db()
    assert (released, waiting.status, waiting.tier.is_general) == (1, "offered", True)
    assert list(event.tiers.order_by("order").values_list("seats", "taken")) == [(1, 1), (2, 2)]
    assert tiers.release_due_tiers() == 0
    assert AuditEntry.objects.filter(action="tier.released").count() == 1


def test_a_seat_given_back_to_a_released_tier_goes_to_all():
    event = EventFactory(seats=1)
    own = TierFactory(event=event, seats=1, qualifications=[], participant_kinds=["university"])
    university = member(kind_id="university")
    seated = apply(event, 1, university)
    apply(event, 1)
    waiting = apply(event, 1)
    Tier.objects.filter(pk=own.pk).update(reserved_until=timezone.now())
    tiers.release_due_tiers()

    registration.cancel(registration=seated, by=university.user)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.tier.is_general) == ("offered", True)


# ---- the waiting list ----


def test_cancel_frees_the_seats_and_the_next_in_line_moves_up_at_once():
    event, who = EventFactory(seats=1), member()
    seated = apply(event, 1, who)
    first, second = apply(event, 1), apply(event, 1)

    registration.cancel(registration=seated, by=who.user)

    assert [(r.status, r.seats_held) for r in Registration.objects.order_by("queue_no")] == [
        ("cancelled", 0),
        ("offered", 1),
        ("waitlisted", 0),
    ]
    assert queue(event) == {second.enterprise_id: 1}
    assert [(a.actor, a.action) for a in AuditEntry.objects.order_by("pk")][-2:] == [
        (who.user.pk, "registration.cancelled"),
        (None, "registration.offered"),
    ]
    assert Tier.objects.get().taken == 1
    assert first.pk in Registration.objects.offered().values_list("pk", flat=True)


def test_cancel_twice_frees_the_seat_once():
    event, who = EventFactory(seats=2), member()
    seated = apply(event, 1, who)

    registration.cancel(registration=seated, by=who.user)
    registration.cancel(registration=seated, by=who.user)

    assert Tier.objects.get().taken == 0
    assert AuditEntry.objects.filter(action="registration.cancelled").count() == 1


def test_a_head_that_asks_for_more_than_is_free_blocks_unless_fewer_are_fine():
    event, who = EventFactory(seats=2), member()
    seated = apply(event, 1, who)
    apply(event, 1)
    big, small = apply(event, 2), apply(event, 1)

    registration.cancel(registration=seated, by=who.user)

    assert queue(event) == {big.enterprise_id: 1, small.enterprise_id: 2}
    Registration.objects.filter(pk=big.pk).update(accepts_partial=True)
    assert waiting_list.promote(event) == 1
    big.refresh_from_db()
    assert (big.status, big.seats_held, big.seats_asked) == ("offered", 1, 2)
    assert queue(event) == {small.enterprise_id: 1}


def test_cancelled_applies_again_with_a_new_queue_number():
    event, who = EventFactory(seats=1), member()
    apply(event, 1)
    row = apply(event, 1, who)
    other = apply(event, 1)
    registration.cancel(registration=row, by=who.user)

    again = apply(event, 1, who)

    assert (again.pk, again.status) == (row.pk, "waitlisted")
    assert queue(event) == {other.enterprise_id: 1, row.enterprise_id: 2}


def test_tier_then_arrival_puts_reserved_tiers_first():
    event = EventFactory(seats=1, waiting_rule="tier_then_arrival")
    TierFactory(event=event, seats=0)
    apply(event, 1)
    plain = apply(event, 1)
    giant = member()
    qualify(giant.enterprise)

    apply(event, 1, giant)

    assert queue(event) == {giant.enterprise_id: 1, plain.enterprise_id: 2}


def test_tier_then_arrival_lets_a_reserved_tier_pass_a_blocking_head_of_the_general_one():
    event = EventFactory(seats=1, waiting_rule="tier_then_arrival")
    TierFactory(event=event, seats=0)
    apply(event, 2)
    giant = member()
    qualify(giant.enterprise)

    assert apply(event, 1, giant).status == "confirmed"


def test_draw_orders_by_lot_and_not_by_arrival():
    event = EventFactory(seats=0, waiting_rule="draw")
    TierFactory(event=event, general=True, seats=0)
    rows = [apply(event, 1) for _ in range(12)]

    by_rank = sorted(rows, key=waiting_list.rank)

    assert [waiting_list.rank(row) for row in by_rank] == list(range(1, 13))
    assert by_rank != rows


def test_draw_is_not_rolled_again_by_leaving_and_coming_back():
    event = EventFactory(seats=1, waiting_rule="draw")
    by_lot = sorted(map(str, range(4000)), key=lambda own: hashlib.md5(own.encode()).digest())
    RegistrationFactory(event=event, status="waitlisted", seats_asked=2, public_id=by_lot[-2])
    early, late = member(), member()
    for who, lot in ((early, by_lot[0]), (late, by_lot[-1])):
        RegistrationFactory(
            event=event, enterprise=who.enterprise, status="cancelled", public_id=lot
        )

    assert apply(event, 1, late).status == "waitlisted"  # nearly every new lot would be before
    assert apply(event, 1, early).status == "confirmed"


def test_move_needs_a_reason_and_leaves_it_in_the_trail():
    event = EventFactory(seats=1)
    apply(event, 1)
    first, second = apply(event, 1), apply(event, 1)
    by = organiser_of(event)

    with pytest.raises(DomainError, match="Say why"):
        waiting_list.move(registration=second, priority=1, reason="  ", by=by)
    waiting_list.move(registration=second, priority=1, reason="Speaks on stage", by=by)

    assert queue(event) == {second.enterprise_id: 1, first.enterprise_id: 2}
    entry = AuditEntry.objects.get(action="registration.moved")
    # What was written may name a person: it stands on the row, not in the trail that nobody can change.
    assert entry.data == {"priority": 1, "before": 2, "after": 1}
    assert Registration.objects.get(pk=second.pk).priority_reason == "Speaks on stage"


def test_move_of_one_that_does_not_wait_is_refused():
    row = RegistrationFactory()

    with pytest.raises(DomainError, match="waiting list"):
        waiting_list.move(registration=row, priority=1, reason="x", by=organiser_of(row.event))


def test_move_a_head_that_blocked_behind_lets_the_next_in():
    event = EventFactory(seats=1)
    big, small = apply(event, 2), apply(event, 1)

    waiting_list.move(
        registration=big, priority=-1, reason="Asked for more", by=organiser_of(event)
    )

    small.refresh_from_db()
    assert small.status == "offered"


# ---- the organiser's decisions (row 8) ----


def test_approve_gives_the_seat_and_records_who_did():
    event = EventFactory(admission="reviewed", seats=1)
    row, late = apply(event, 1), apply(event, 1)
    by = organiser_of(event)
    assert (row.status, late.status, Tier.objects.get().taken) == ("submitted", "submitted", 0)

    approved = admission.approve(registration=row, by=by)
    waits = admission.approve(registration=late, by=by)
    again = admission.approve(registration=row, by=by)

    assert (approved.status, waits.status, again.status) == ("confirmed", "waitlisted", "confirmed")
    assert list(
        AuditEntry.objects.filter(actor=by.pk).order_by("pk").values_list("action", flat=True)
    ) == ["registration.confirmed", "registration.waitlisted"]


def test_row_8_a_county_organiser_cannot_approve_for_another_countys_event():
    event = EventFactory(admission="reviewed")
    row = apply(event, 1)
    other_county = OrganiserRoleFactory(region=region("330424"), body__region=region("330424")).user

    with pytest.raises(DomainError) as refused:
        admission.approve(registration=row, by=other_county)

    assert refused.value.is_refusal
    row.refresh_from_db()
    assert row.status == "submitted"


def test_nobody_decides_on_their_own_bodys_registration_but_the_desk_above_does():
    event = EventFactory(admission="reviewed")
    by = organiser_of(event)
    MembershipFactory(user=by, enterprise=event.host)
    row = registration.register(event=event, enterprise=event.host, seats=1, by=by)

    with pytest.raises(DomainError) as refused:
        admission.approve(registration=row, by=by)
    city = OrganiserRoleFactory(region=region("330400")).user

    assert refused.value.is_refusal
    assert admission.approve(registration=row, by=city).status == "confirmed"


def test_approve_a_pending_enterprise_asks_to_verify_it_first():
    event = EventFactory(admission="reviewed")
    row = apply(event, 1, member(pending=True))

    with pytest.raises(DomainError, match="not verified yet"):
        admission.approve(registration=row, by=organiser_of(event))


def test_decline_needs_a_reason_and_ends_the_application():
    event = EventFactory(admission="reviewed")
    row = apply(event, 1)
    by = organiser_of(event)

    with pytest.raises(DomainError, match="Say why"):
        admission.decline(registration=row, reason="", by=by)
    declined = admission.decline(registration=row, reason="Not of this chain", by=by)

    assert (declined.status, declined.decline_reason) == ("declined", "Not of this chain")
    with pytest.raises(DomainError, match="decided already"):
        admission.approve(registration=row, by=by)


def test_cancel_by_an_organiser_needs_a_reason_and_by_a_stranger_is_refused():
    event = EventFactory()
    row = apply(event, 1)

    with pytest.raises(DomainError, match="Say why"):
        registration.cancel(registration=row, by=organiser_of(event))
    with pytest.raises(DomainError) as refused:
        registration.cancel(registration=row, by=UserFactory(), reason="x")
    registration.cancel(registration=row, by=organiser_of(event), reason="Twice on the list")

    assert refused.value.is_refusal
    row.refresh_from_db()
    assert (row.status, row.decline_reason) == ("cancelled", "Twice on the list")


# ---- delegates (row 13) ----


def test_delegates_one_for_each_seat_and_who_is_replaced_loses_the_code():
    event, who = EventFactory(), member()
    row = apply(event, 2, who, delegates=["Delegate A", ("Delegate B", "Purchasing")])
    first = row.delegates.get(name="Delegate A")

    registration.save_delegates(registration=row, names=["Delegate A", "Delegate C"], by=who.user)

    active = row.delegates.filter(status=Delegate.Status.ACTIVE)
    assert sorted(active.values_list("name", flat=True)) == ["Delegate A", "Delegate C"]
    assert active.get(name="Delegate A").token == first.token
    assert row.delegates.get(name="Delegate B").status == "replaced"
    assert len(set(row.delegates.values_list("token", flat=True))) == 3
    entry = AuditEntry.objects.get(action="registration.named")
    assert entry.data == {"added": 1, "replaced": 1}
    with pytest.raises(DomainError, match="There are 2 seats"):
        registration.save_delegates(registration=row, names=["a", "b", "c"], by=who.user)


@pytest.mark.parametrize("hours", [-1, 1])
def test_delegates_change_until_the_deadline_and_seats_are_given_back_after_it_too(client, hours):
    until = timezone.now() + datetime.timedelta(hours=hours)
    event, who = EventFactory(delegates_until=until), member()
    row = apply(event, 2, who, delegates=["Delegate A", "Delegate B"])
    address = reverse("events:delegate_list", args=[row.public_id])
    form = {"d-TOTAL_FORMS": "2", "d-INITIAL_FORMS": "2", "d-0-name": "Delegate C", "d-1-name": ""}
    client.force_login(who.user)

    page, answer = client.get(address), client.post(address, form)

    if hours > 0:
        assertContains(page, f"Delegates can be changed until {moment(until)}")
        assert answer.status_code == 302
        assert row.delegates.get(status="active").name == "Delegate C"
    else:
        assertContains(page, f"Delegates could be changed until {moment(until)}")
        assertNotContains(page, "Save delegates")
        assertContains(answer, "Delegates could be changed until", status_code=422)
        registration.give_back(
            registration=row, by=who.user, leaving=[row.delegates.get(name="Delegate B")]
        )
        assert row.delegates.get(status="active").name == "Delegate A"


def test_delegates_of_others_are_not_ours_to_name():
    row = apply(EventFactory(), 1)

    with pytest.raises(DomainError) as refused:
        registration.save_delegates(registration=row, names=["a"], by=organiser_of(row.event))

    assert refused.value.is_refusal


def test_fewer_seats_than_asked_drop_the_delegates_named_last():
    event, who = EventFactory(seats=2), member()
    seated = apply(event, 1, who)
    apply(event, 1)
    later = member()
    waits = apply(event, 2, later, accepts_partial=True, delegates=["A", "B"])
    assert waits.status == "waitlisted"

    registration.cancel(registration=seated, by=who.user)
    offers.accept(registration=waits, by=later.user)

    assert list(waits.delegates.order_by("name").values_list("name", "status")) == [
        ("A", "active"),
        ("B", "replaced"),
    ]


def test_the_database_itself_refuses_a_seat_too_many():
    event = EventFactory(seats=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Tier.objects.filter(event=event).update(taken=2)

    assert Event.objects.count() == 1
