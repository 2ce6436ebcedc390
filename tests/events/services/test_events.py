from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from chains.errors import DomainError
from chains.models import AuditEntry, Chain, Change, DockingKind, Requirement
from events.models import Event, Listing, Series, Target, Tier
from events.services import events, programmes, registration
from tests.factories.chains import (
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    UserFactory,
    region,
)
from tests.factories.events import (
    EventFactory,
    ProgrammeFactory,
    SeriesFactory,
    TierFactory,
    organiser_of,
)

pytestmark = pytest.mark.django_db

GENERAL = {"name_zh": "普通席", "name_en": "General", "seats": 10, "is_general": True}
GIANTS = {
    "name_zh": "小巨人",
    "name_en": "Little giants",
    "seats": 4,
    "qualifications": ["little_giant"],
}


def fields(**changed):
    now = timezone.now()
    day = datetime.timedelta(days=1)
    return {
        "name_zh": "光伏对接会",
        "name_en": "Photovoltaics docking",
        "level_id": "county",
        "region": region("330421"),
        "starts_at": now + 20 * day,
        "ends_at": now + 20.3 * day,
        "registration_opens_at": now,
        "registration_closes_at": now + 10 * day,
        "place": "示例会展中心",
        **changed,
    }


def tier_fields(tier, **changed):
    return {
        "public_id": tier.public_id,
        "name_zh": tier.name_zh,
        "name_en": tier.name_en,
        "seats": tier.seats,
        "is_general": tier.is_general,
        "qualifications": tier.qualifications,
        **changed,
    }


def test_create_keeps_level_region_chains_kinds_series_and_co_hosts():
    role = OrganiserRoleFactory()
    other, series = EnterpriseFactory(kind_id="association"), SeriesFactory()

    event = events.create(
        by=role.user,
        host=role.body,
        chains=Chain.objects.all()[:1],
        docking_kinds=DockingKind.objects.filter(code="supply_sales"),
        series=[series],
        co_hosts=[other],
        tiers=[GIANTS, GENERAL],
        **fields(),
    )

    assert (event.status, event.level_id, event.region.code) == ("draft", "county", "330421")
    assert (list(event.series.all()), list(event.co_hosts.all())) == ([series], [other])
    assert [(t.name_en, t.seats, t.is_general) for t in event.tiers.all()] == [
        ("Little giants", 4, False),
        ("General", 10, True),
    ]
    assert [a.action for a in AuditEntry.objects.filter(target__contains=event.public_id)] == [
        "event.created",
        "event.seats_set",
    ]
    assert Change.objects.filter(noun="event", verb="created").count() == 1
    assert "光伏对接会" in event.search_text


def test_create_outside_ones_region_or_for_another_body_is_refused():
    role = OrganiserRoleFactory()

    for host, where in ((role.body, "330106"), (EnterpriseFactory(), "330421")):
        with pytest.raises(DomainError) as refused:
            events.create(by=role.user, host=host, **fields(region=region(where)))
        assert refused.value.is_refusal
    assert not Event.objects.exists()


def test_create_that_ends_before_it_starts_says_so():
    role = OrganiserRoleFactory()

    with pytest.raises(DomainError, match="ends after it starts"):
        events.create(by=role.user, host=role.body, **fields(ends_at=timezone.now()))


def test_publish_says_what_is_missing():
    event = EventFactory(draft=True, place="", seats=0, docking_kinds=[])

    with pytest.raises(DomainError) as refused:
        events.publish(event=event, by=organiser_of(event))

    assert str(refused.value) == (
        "Before the event can be public it needs: a place, a docking kind, seats, "
        "general seats, even if none at first."
    )


def test_publish_makes_it_public_once():
    event = EventFactory(draft=True)
    by = organiser_of(event)
    assert not Event.objects.visible_to(UserFactory()).exists()

    events.publish(event=event, by=by)
    events.publish(event=event, by=by)

    assert Event.objects.visible_to(UserFactory()).exists()
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["event.published"]


@pytest.mark.parametrize("verb", [events.publish, events.edit])
def test_only_those_who_manage_the_event_change_it(verb):
    event = EventFactory(draft=True)

    with pytest.raises(DomainError) as refused:
        verb(event=event, by=OrganiserRoleFactory(region=region("330000")).user)

    assert refused.value.is_refusal


def test_a_co_hosts_organiser_may_change_it():
    other = OrganiserRoleFactory()
    event = EventFactory(co_hosts=[other.body])

    events.edit(event=event, by=other.user, place="示例酒店")

    event.refresh_from_db()
    assert event.place == "示例酒店"
    assert AuditEntry.objects.get().data == {"fields": ["place"]}


def test_edit_of_a_held_event_is_refused():
    event = EventFactory(held=True)

    with pytest.raises(DomainError, match="is over"):
        events.edit(event=event, by=organiser_of(event), place="x")


def test_seats_cannot_be_lowered_below_those_taken():
    event = EventFactory(seats=5)
    who = MembershipFactory()
    registration.register(event=event, enterprise=who.enterprise, seats=2, by=who.user)
    by = organiser_of(event)

    with pytest.raises(DomainError, match="General: 2 seats are taken"):
        events.set_tiers(event=event, tiers=[tier_fields(event.tiers.get(), seats=1)], by=by)
    events.set_tiers(event=event, tiers=[tier_fields(event.tiers.get(), seats=2)], by=by)

    assert event.tiers.get().seats == 2


def test_raising_seats_lets_the_queue_move_up():
    event = EventFactory(seats=1)
    rows = []
    for _ in range(3):
        who = MembershipFactory()
        rows.append(
            registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
        )

    events.set_tiers(
        event=event, tiers=[tier_fields(event.tiers.get(), seats=2)], by=organiser_of(event)
    )

    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["confirmed", "offered", "waitlisted"]


def test_tiers_need_one_general_and_say_for_whom_the_others_are():
    event = EventFactory()
    by = organiser_of(event)

    with pytest.raises(DomainError, match="one tier of general seats"):
        events.set_tiers(event=event, tiers=[GIANTS], by=by)
    with pytest.raises(DomainError, match="for whom"):
        events.set_tiers(event=event, tiers=[{**GIANTS, "qualifications": []}, GENERAL], by=by)


def test_a_tier_with_registrations_is_not_removed():
    event = EventFactory()
    tier = TierFactory(event=event, qualifications=[], participant_kinds=["university"])
    who = MembershipFactory(enterprise__kind_id="university")
    registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
    general = event.tiers.get(is_general=True)

    with pytest.raises(DomainError, match="has registrations"):
        events.set_tiers(event=event, tiers=[tier_fields(general)], by=organiser_of(event))

    assert Tier.objects.filter(pk=tier.pk).exists()


def test_cancel_gives_every_place_back_and_needs_a_reason():
    event = EventFactory(seats=1)
    rows = []
    for _ in range(2):
        who = MembershipFactory()
        rows.append(
            registration.register(event=event, enterprise=who.enterprise, seats=1, by=who.user)
        )
    by = organiser_of(event)

    with pytest.raises(DomainError, match="Say why"):
        events.cancel(event=event, reason=" ", by=by)
    events.cancel(event=event, reason="Storm warning", by=by)

    event.refresh_from_db()
    assert (event.status, event.cancel_reason) == ("cancelled", "Storm warning")
    assert set(event.registrations.values_list("status", "seats_held")) == {("cancelled", 0)}
    assert event.tiers.get().taken == 0
    assert Change.objects.filter(noun="registration", verb="cancelled").count() == 2


def test_mark_held_ends_what_is_over_once():
    EventFactory()
    over = EventFactory(held=True, status="published")

    assert (events.mark_held(), events.mark_held()) == (1, 0)
    over.refresh_from_db()
    assert over.status == "held"


# ---- the list of requirements (row 21) ----


def test_the_moment_of_the_list_holds_back_what_is_not_public_yet():
    at = timezone.now() + datetime.timedelta(days=5)
    event = EventFactory(list_published_at=at)
    by = organiser_of(event)
    approved = RequirementFactory(submitted=True, enterprise__region=region("330421"))
    public = RequirementFactory()

    first = events.list_requirement(event=event, requirement=approved, by=by, is_featured=True)
    events.list_requirement(event=event, requirement=public, by=by)
    again = events.list_requirement(event=event, requirement=approved, by=by, is_featured=True)

    assert (first.pk, len(first.code), first.is_featured) == (again.pk, 6, True)
    approved.refresh_from_db()
    public.refresh_from_db()
    assert (approved.embargoed_until, public.embargoed_until, public.status) == (
        at,
        None,
        "published",
    )


def test_listed_at_two_events_the_earliest_moment_frees_it():
    now = timezone.now()
    soon, later = now + datetime.timedelta(days=2), now + datetime.timedelta(days=9)
    first, second = EventFactory(list_published_at=later), EventFactory(list_published_at=soon)
    requirement = RequirementFactory(submitted=True)
    events.list_requirement(event=first, requirement=requirement, by=organiser_of(first))
    listing = events.list_requirement(
        event=second, requirement=requirement, by=organiser_of(second)
    )
    requirement.refresh_from_db()
    assert requirement.embargoed_until == soon

    events.unlist(listing=listing, by=organiser_of(second))
    requirement.refresh_from_db()
    assert requirement.embargoed_until == later
    events.release_list(event=first, by=organiser_of(first))

    requirement.refresh_from_db()
    assert requirement.embargoed_until <= timezone.now()
    assert Listing.objects.count() == 1


def test_cancelling_the_event_frees_what_it_held_back():
    event = EventFactory(list_published_at=timezone.now() + datetime.timedelta(days=2))
    by = organiser_of(event)
    requirement = RequirementFactory(approved=True)
    events.list_requirement(event=event, requirement=requirement, by=by)
    requirement.refresh_from_db()
    assert requirement.status == Requirement.Status.APPROVED

    events.cancel(event=event, reason="Storm warning", by=by)

    requirement.refresh_from_db()
    assert (requirement.embargoed_until, requirement.status) == (None, "published")


def test_list_what_is_out_of_scope_or_a_draft_is_refused():
    event = EventFactory()
    by = organiser_of(event)
    elsewhere = RequirementFactory(submitted=True, enterprise__region=region("370102"))

    with pytest.raises(DomainError) as refused:
        events.list_requirement(event=event, requirement=elsewhere, by=by)
    assert refused.value.is_refusal
    closed = RequirementFactory(status="closed", close_reason="filled")
    with pytest.raises(DomainError, match="can be listed"):
        events.list_requirement(event=event, requirement=closed, by=by)


# ---- programmes ----


def test_programme_series_and_target_by_the_body_that_owns_them():
    role = OrganiserRoleFactory()

    programme = programmes.create_programme(
        owner=role.body, name_zh="十链百场万企", name_en="Ten Chains", by=role.user
    )
    series = programmes.create_series(programme=programme, year=2026, by=role.user)
    for value in (90, 95):
        programmes.set_target(series=series, measure="events", value=value, by=role.user)

    assert str(Series.objects.get().name_en) == "Ten Chains 2026"
    assert [(t.measure, t.value) for t in Target.objects.all()] == [("events", 95)]
    with pytest.raises(DomainError, match="2026 already"):
        programmes.create_series(programme=programme, year=2026, by=role.user)


def test_programmes_of_others_are_not_ours():
    programme, by = ProgrammeFactory(), OrganiserRoleFactory().user

    with pytest.raises(DomainError) as refused:
        programmes.create_series(programme=programme, year=2026, by=by)

    assert refused.value.is_refusal


def test_edit_moves_an_event_only_within_the_region_of_the_role():
    event = EventFactory()
    organiser = organiser_of(event)

    with pytest.raises(DomainError, match="in the region of your role"):
        events.edit(event=event, by=organiser, region=region("110101"))

    event.refresh_from_db()
    assert event.region == region("330421")
