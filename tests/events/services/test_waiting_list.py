"""Whatever is done to an event's seats, in whatever order: nobody too many, nobody overtaken, no seat left free."""

from __future__ import annotations

import datetime
import hashlib
import os

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chains.errors import DomainError
from events.models import Draw, Event, Registration
from events.services import admission, draws, events, offers, registration, tiers, waiting_list
from tests.factories.chains import MembershipFactory
from tests.factories.events import EventFactory, TierFactory, organiser_of

# R3 promises 2,000: `STEPS=2800 pytest …` takes more than that, in a minute of processor time.
STEPS = int(os.environ.get("STEPS") or 240)


class WaitingList(RuleBasedStateMachine):
    """Automatic and reviewed events under all rules; universities have two seats of their own at first."""

    applications = Bundle("applications")

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(
        seats=st.integers(0, 4),
        rule_=st.sampled_from(Event.WaitingRule.values),
        admission=st.sampled_from(Event.Admission.values),
    )
    def begin(self, seats, rule_, admission):
        self.event = EventFactory(
            seats=0, waiting_rule=rule_, admission=admission, delegates_per_enterprise=3,
            draws_at=timezone.now() + datetime.timedelta(days=1),
        )  # fmt: skip
        TierFactory(event=self.event, general=True, seats=seats)
        TierFactory(event=self.event, seats=2, qualifications=[], participant_kinds=["university"])
        self.by = organiser_of(self.event)
        self.gone: set[int] = set()

    @rule(
        target=applications,
        seats=st.integers(1, 3),
        partial=st.booleans(),
        kind=st.sampled_from(["enterprise", "enterprise", "university"]),
    )
    def apply(self, seats, partial, kind):
        who = MembershipFactory(enterprise__kind_id=kind)
        row = registration.register(
            event=self.event,
            enterprise=who.enterprise,
            seats=seats,
            by=who.user,
            accepts_partial=partial,
        )
        return row.pk, who

    @rule(application=applications, seats=st.integers(1, 3))
    def apply_again(self, application, seats):
        pk, who = application
        before = Registration.objects.get(pk=pk)

        row = registration.register(
            event=self.event, enterprise=who.enterprise, seats=seats, by=who.user
        )

        assert row.pk == pk
        if before.status in Registration.ENDED:
            self.gone.discard(pk)
        else:
            assert (row.status, row.queue_no, row.seats_asked) == (
                before.status,
                before.queue_no,
                before.seats_asked,
            )

    @rule(application=applications)
    def cancel(self, application):
        pk, who = application
        row = registration.cancel(registration=Registration.objects.get(pk=pk), by=who.user)
        if row.status == "cancelled":
            self.gone.add(pk)

    @rule(application=applications)
    def accept(self, application):
        pk, who = application
        row = Registration.objects.get(pk=pk)
        if row.status == "offered":
            taken = offers.accept(registration=row, by=who.user)
            assert (taken.status, taken.seats_held) == ("confirmed", row.seats_held)

    @rule(application=applications)
    def give_one_back(self, application):
        pk, who = application
        row = Registration.objects.get(pk=pk)
        if row.seats_held > 1:
            left = registration.give_back(registration=row, by=who.user).seats_held
            assert left == row.seats_held - 1

    @precondition(lambda self: self.event.registrations.offered().exists())
    @rule()
    def let_offers_lapse(self):
        rows = list(self.event.registrations.offered().values_list("pk", flat=True))
        with time_machine.travel(timezone.now() + datetime.timedelta(hours=25), tick=False):
            assert offers.lapse_due_offers() == len(rows)
        assert {row.status for row in Registration.objects.filter(pk__in=rows)} == {"lapsed"}
        self.gone |= set(rows)

    @rule()
    def lose_patience(self):
        """A head that blocks is passed over: whoever is moved up then could take what was free."""
        with time_machine.travel(timezone.now() + datetime.timedelta(hours=25), tick=False):
            waiting_list.promote_where_seats_are_free()
            if self.event.awaits_draw:
                return
            for tier in self.event.tiers.all():
                own = [
                    r
                    for r in self.event.registrations.waiting()
                    if tier.is_general or r.tier_id == tier.pk
                ]
                assert not any(
                    tier.free and (r.accepts_partial or r.seats_asked <= tier.free) for r in own
                )

    @rule(application=applications, welcome=st.booleans())
    def decide(self, application, welcome):
        row = Registration.objects.get(pk=application[0])
        if row.status != "submitted":
            return
        if welcome:
            admission.approve(registration=row, by=self.by)
        else:
            admission.decline(registration=row, reason="Full", by=self.by)

    @rule(application=applications, priority=st.integers(-1, 2))
    def move(self, application, priority):
        row = Registration.objects.get(pk=application[0])
        if row.status == "waitlisted":
            waiting_list.move(registration=row, priority=priority, reason="By hand", by=self.by)

    @rule(seats=st.integers(0, 8))
    def raise_or_lower(self, seats):
        wanted = [
            {
                "public_id": tier.public_id,
                "name_zh": tier.name_zh,
                "name_en": tier.name_en,
                "seats": seats if tier.is_general else tier.seats,
                "is_general": tier.is_general,
                "participant_kinds": tier.participant_kinds,
            }
            for tier in self.event.tiers.all()
        ]
        general = self.event.tiers.get(is_general=True)
        if seats < general.taken:
            with pytest.raises(DomainError) as refused:
                events.set_tiers(event=self.event, tiers=wanted, by=self.by)
            assert refused.value.code == "tier.seats_taken"
        else:
            events.set_tiers(event=self.event, tiers=wanted, by=self.by)

    @precondition(lambda self: self.event.tiers.filter(released_at=None, is_general=False).exists())
    @rule()
    def release(self):
        tier = self.event.tiers.get(is_general=False)
        tier.reserved_until = self.event.published_at
        tier.save()
        tiers.release_seats(tier=tier)

    @precondition(lambda self: self.event.awaits_draw)
    @rule(seed=st.sampled_from(["3271", "种子 7"]))
    def draw(self, seed):
        assert not self.event.registrations.exclude(seats_held=0).exists()
        with time_machine.travel(timezone.now() + datetime.timedelta(days=1, hours=1), tick=False):
            draws.hold(event=self.event, seed=seed, by=self.by)

    @precondition(lambda self: self.event.waiting_rule == "seeded_draw")
    @precondition(lambda self: not self.event.awaits_draw)
    @invariant()
    def those_who_were_drawn_stand_by_their_lot_and_others_behind(self):
        draw = Draw.objects.get(event=self.event)
        waiting = list(self.event.registrations.waiting().filter(priority=0))
        ranks = waiting_list.ranks(self.event, waiting)
        by_rule = sorted(
            waiting,
            key=lambda row: (
                row.queue_no > draw.last_no,
                row.queue_no <= draw.last_no
                and hashlib.sha256(f"{draw.seed}:{row.public_id}".encode()).digest(),
                row.queue_no,
            ),
        )
        assert sorted(waiting, key=lambda row: ranks[row.pk]) == by_rule

    @invariant()
    def seats_add_up(self):
        for tier in self.event.tiers.all():
            held = tier.registrations.aggregate(held=Sum("seats_held"))["held"] or 0
            assert held == tier.taken <= tier.seats

    @invariant()
    def nobody_who_left_is_offered_a_seat_again(self):
        rows = Registration.objects.filter(pk__in=self.gone)
        assert {row.status for row in rows} <= {"cancelled", "lapsed"}

    @invariant()
    def ranks_are_without_gaps(self):
        rows = list(self.event.registrations.waiting())
        ranks = waiting_list.ranks(self.event, rows)
        expected = 0 if self.event.awaits_draw else len(rows)
        assert sorted(ranks.values()) == list(range(1, expected + 1))

    @invariant()
    def no_seat_stays_free_that_the_head_of_its_queue_would_take(self):
        if self.event.awaits_draw:
            return
        rows = list(self.event.registrations.waiting())
        ranks = waiting_list.ranks(self.event, rows)
        for tier in self.event.tiers.all():
            own = [row for row in rows if tier.is_general or row.tier_id == tier.pk]
            if own and tier.free:
                head = min(own, key=lambda row: ranks[row.pk])
                assert head.seats_asked > tier.free
                assert not head.accepts_partial


@pytest.mark.django_db
def test_any_order_of_applying_leaving_deciding_and_moving_keeps_the_rule():
    run_state_machine_as_test(
        WaitingList,
        settings=settings(
            max_examples=STEPS // 20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_the_invariants_notice_a_seat_that_nobody_gave():
    """The negative control: without promotion, a seat stays free that the head would take."""
    machine = WaitingList()
    try:
        machine.begin(0, "arrival", "automatic")
        machine.apply(1, False, "enterprise")
        machine.event.tiers.filter(is_general=True).update(seats=1)

        with pytest.raises(AssertionError):
            machine.no_seat_stays_free_that_the_head_of_its_queue_would_take()
    finally:
        machine.teardown()
